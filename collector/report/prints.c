/*
 * Print jobs: who, where, how much paper, and what was stopped. A job is its first record (attempt 1). Its paper is
 * counted once, at the first attempt that was let print: a held job prints at a later one, and a job that a printer
 * failed comes again.
 */
#include "collector/report/report_parts.h"
#include <errno.h>

static void add(struct prints *to, const struct prints *one)
{
	const uint64_t *from = (const uint64_t *)one;
	uint64_t *into = (uint64_t *)to;
	size_t i;

	for (i = 0; i < sizeof(*to) / sizeof(*into); i++)
		into[i] += from[i];
}

/* The job's user, also where CUPS did not verify it. */
static struct span user_of(const struct record *r)
{
	struct span s = record_text(r, F_USER);

	return s.n ? s : record_text(r, F_JOB_USER);
}

static void count(struct gather *g, const struct store_row *row, struct span user, const struct prints *one)
{
	const char *name = report_department_of(g->r->o.settings, row->host_name ? row->host_name : "");
	struct person *person = tally_at(&g->persons, user);
	struct paper_place *printer = tally_at(&g->printers, record_text(&row->record, F_PRINTER));
	struct paper_place *department = g->r->settings && g->r->settings->departments_n
						 ? tally_at(&g->departments, SPAN_STR(name ? name : ""))
						 : NULL;

	if (!person || !printer) {
		g->error = -ENOMEM;
		return;
	}
	add(&person->p, one);
	add(&printer->p, one);
	if (department)
		add(&department->p, one);
	add(&g->f.p, one);
	g->pages_by[bar_of(g, time_of(&row->record))] += one->pages;
}

/* Is it the first time that this job's paper is told? */
static bool is_fresh(struct gather *g, const struct store_row *row)
{
	const struct record *r = &row->record;
	int64_t created = record_has(r, F_CREATED) ? r->v[F_CREATED].i : 0;
	uint64_t job = record_number(r, F_JOB, 0);
	const struct span parts[] = {SPAN(row->host.b, DIGEST_SIZE), SPAN(&job, sizeof(job)),
		SPAN(&created, sizeof(created)), record_text(r, F_JOB_UUID)};
	bool fresh = true;
	int x = seen_add(&g->jobs, parts, ARRAY_SIZE(parts), &fresh);

	if (x)
		g->error = x;
	return fresh;
}

static void take_print(struct gather *g, const struct store_row *row)
{
	const struct record *r = &row->record;
	uint64_t action = record_number(r, F_ACTION, ACTION_ALLOW), copies = record_number(r, F_COPIES, 1);
	bool note = record_number(r, F_POLICY_MODE, POLICY_MODE_ENFORCE) == POLICY_MODE_NOTE;
	bool would_stop = action == ACTION_DENY || action == ACTION_HOLD, stopped = would_stop && !note;
	bool first = record_number(r, F_ATTEMPT, 1) <= 1;
	struct prints one = {.jobs = first,
		.numbers = first && record_number(r, F_MY_NUMBERS, 0),
		.denied = stopped && action == ACTION_DENY,
		.held = stopped && action == ACTION_HOLD,
		.noted = would_stop && note,
		.marked = action == ACTION_NOTE,
		.alerted = action == ACTION_ALERT && !note};

	if (!stopped && is_fresh(g, row)) {
		one.pages = record_number(r, F_PAGES, 0) * (copies ? copies : 1);
		one.sheets = record_number(r, F_SHEETS, 0);
		one.colour = record_number(r, F_COLOUR, 0) == COLOUR_COLOUR;
	}
	count(g, row, user_of(r), &one);
	if (would_stop || action == ACTION_NOTE || action == ACTION_ALERT)
		exception_add(g, row,
			one.denied               ? "print-denied"
			: one.held               ? "print-held"
			: one.alerted            ? "print-alert"
			: one.noted              ? "print-noted"
			: action == ACTION_ALERT ? "print-alert-noted"
						 : "print-marked",
			user_of(r), record_text(r, F_PRINTER), record_text(r, F_RULE), SPAN("", 0));
}

void prints_take(struct gather *g, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct prints missed = {.jobs = 1, .missed = 1}, released = {.released = 1};

	switch (record_number(r, F_KIND, 0)) {
	case KIND_PRINT:
		take_print(g, row);
		break;
	case KIND_PRINT_MISSED:
		count(g, row, user_of(r), &missed);
		exception_add(g, row, "print-missed", user_of(r), record_text(r, F_PRINTER), SPAN("", 0), SPAN("", 0));
		break;
	case KIND_PRINT_RELEASE:
		/* The user of this record is who let it go. */
		count(g, row, record_text(r, F_JOB_USER), &released);
		exception_add(g, row, "print-released", record_text(r, F_JOB_USER), record_text(r, F_PRINTER),
			record_text(r, F_RULE), record_text(r, F_USER));
		break;
	default:
		break;
	}
}

/* --- the list of what was out of the ordinary --- */

static const struct {
	const char *what, *en, *ja;
} words[] = {
	{"print-denied", "Print denied", "印刷の禁止"},
	{"print-held", "Print held", "印刷の保留"},
	{"print-released", "Held print released", "保留印刷の許可"},
	{"print-noted", "Print would be stopped (note mode)", "印刷の禁止・保留に該当(記録のみ)"},
	{"print-alert", "Document with an alert printed", "警告対象の文書の印刷"},
	{"print-alert-noted", "Printed document would be told of (note mode)", "印刷が警告の規則に該当(記録のみ)"},
	{"print-marked", "Print allowed, marked", "印刷の許可(要確認)"},
	{"print-missed", "Printed without being judged", "判定なしの印刷"},
	{"printer-connect", "Connected to a printer past CUPS", "CUPS外のプリンター接続"},
	{"write-denied", "Write to a drive denied", "ドライブへの書き込み拒否"},
	{"write-noted", "Write would be denied (note mode)", "書き込み拒否に該当(記録のみ)"},
	{"write-seen", "Write to a held drive seen", "保護媒体への書き込み検知"},
	{"drive-alert", "File with an alert written to a drive", "警告対象のファイルのドライブへの書き込み"},
	{"drive-quarantine", "File on a drive quarantined", "ドライブ上のファイルの隔離"},
	{"drive-noted", "File on a drive would be told of (note mode)", "ドライブ上のファイルが規則に該当(記録のみ)"},
	{"quarantine-failed", "Quarantine failed, or whole on the PC only", "隔離の失敗・PC 上のみに保管"},
	{"unquarantine", "Quarantined file released", "隔離の解除"},
	{"unquarantine-failed", "Quarantined file could not be released", "隔離の解除の失敗"},
	{"code", "Drive released by code", "コードによる一時解除"},
	{"code-refused", "Release code refused", "一時解除コードの拒否"},
};

const char *exception_word(const struct report *r, const char *what)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].what, what))
			return say(r, words[i].en, words[i].ja);
	return what;
}

void exception_add(struct gather *g, const struct store_row *row, const char *what, struct span user,
	struct span object, struct span rule, struct span by)
{
	_cleanup_buf_ struct buf key = BUF_INIT(64 << 10);
	const char *pc = row->host_name ? row->host_name : "";
	int64_t t = time_of(&row->record), day = (t - g->from_us) / DAY_US;
	struct exception *e;
	int x;

	/* The period before is compared by figures only. */
	if (g->before)
		return;
	x = buf_putf(&key, "%s\n%lld\n%s\n", what, (long long)day, pc);
	x = x ? x : buf_put_span(&key, user);
	x = x ? x : buf_puts(&key, "\n");
	x = x ? x : buf_put_span(&key, object);
	x = x ? x : buf_puts(&key, "\n");
	x = x ? x : buf_put_span(&key, rule);
	x = x ? x : buf_puts(&key, "\n");
	x = x ? x : buf_put_span(&key, by);
	e = x < 0 ? NULL : tally_at(&g->exceptions, buf_span(&key));
	if (!e) {
		g->error = -ENOMEM;
		return;
	}
	if (!e->count) {
		e->what = what;
		e->first_us = t;
		keep_text(e->pc, sizeof(e->pc), SPAN_STR(pc));
		keep_text(e->user, sizeof(e->user), user);
		keep_text(e->object, sizeof(e->object), object);
		keep_text(e->rule, sizeof(e->rule), rule);
		keep_text(e->by, sizeof(e->by), by);
	}
	e->count += record_number(&row->record, F_COUNT, 1);
}
