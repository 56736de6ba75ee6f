/*
 * Going through the logs for a report: each pass asks the store for some kinds, in the order of time, a piece after the
 * other, first for the period before and then for the period itself. See report.h. What is told of a PC by a server is
 * taken from servers only: anybody could have their kinds in his records.
 */
#include "collector/report/report_parts.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* So that the store goes from the asked end, instead of finding out all that there is (as the console's searches do).
 */
#define LAZY (1u << 30)
#define PIECE_ROWS 20000u
#define LOOK_BACK_US (366 * DAY_US)
#define LOOK_BACK_MOST 200000u

static const struct pass {
	unsigned parts; /* is for one of these */
	void (*take)(struct gather *g, const struct store_row *row);
	bool servers;  /* only what servers say */
	bool now_only; /* nothing that is compared */
	bool back;     /* before the period, newest first */
	unsigned kinds[STORE_FILTER_MAX], classes[4];
} passes[] = {
	{REPORT_PRINTS | REPORT_EXCEPTIONS, prints_take, false, false, false,
		{KIND_PRINT, KIND_PRINT_MISSED, KIND_PRINT_RELEASE}, {0}},
	{REPORT_DRIVES | REPORT_EXCEPTIONS, drives_take, false, false, false,
		{KIND_PLUG, KIND_UNPLUG, KIND_DECISION, KIND_DENIED, KIND_WRITE_SEEN, KIND_RELEASE,
			KIND_RELEASE_REFUSED, KIND_PRINTER_CONNECT},
		{0}},
	{REPORT_EXCEPTIONS, drives_written, false, false, false,
		{KIND_DRIVE_FILE, KIND_DRIVE_SEALED, KIND_DRIVE_OPENED}, {0}},
	{REPORT_EXCEPTIONS, known_take, false, false, false, {KIND_PRINT, KIND_PRINT_RESULT, KIND_DRIVE_FILE}, {0}},
	{REPORT_DRIVES, drives_bytes, false, false, false, {KIND_FILE}, {CLASS_USB, CLASS_REMOVABLE}},
	{REPORT_DRIVES, drives_earlier, false, false, true, {KIND_PLUG}, {0}},
	{REPORT_POLICY, policy_take, false, false, false, {KIND_POLICY, KIND_POLICY_REFUSED}, {0}},
	{REPORT_POLICY, policy_take, true, false, false, {KIND_ADMIN, KIND_CONSOLE_ACCOUNT, KIND_CONSOLE_CHANGE}, {0}},
	{REPORT_ACCESS, access_take, true, false, false,
		{KIND_SIGN_IN, KIND_SIGN_IN_REFUSED, KIND_CONSOLE_VIEW, KIND_CONSOLE_SEARCH, KIND_CONSOLE_EXPORT,
			KIND_CONSOLE_CHANGE, KIND_CONSOLE_REFUSED, KIND_ALERT_SEEN},
		{0}},
	{REPORT_FLEET, fleet_take, false, false, false,
		{KIND_LOSS, KIND_RECORDER_START, KIND_GUARD_START, KIND_PROOF, KIND_WITNESS_ALARM, KIND_POLICY}, {0}},
	{REPORT_FLEET, fleet_take, true, false, false, {KIND_GAP, KIND_FORKED, KIND_REJOIN, KIND_REFUSED, KIND_ALERT},
		{0}},
};

int report_new(const struct report_options *o, struct report **out, struct why *why)
{
	static const struct {
		size_t at, size;
	} tallies[] = {
#define TALLY_(field, type) {offsetof(struct gather, field), sizeof(struct type)}
		TALLY_(persons, person), TALLY_(printers, paper_place), TALLY_(departments, paper_place),
		TALLY_(drives, drive), TALLY_(exceptions, exception), TALLY_(known, known_document),
		TALLY_(versions, version), TALLY_(acts, act), TALLY_(readers, reader), TALLY_(pcs, pc),
		TALLY_(causes, cause)};
#undef TALLY_
	struct report *r;
	int64_t days;
	size_t i;

	if (o->from_us >= o->until_us || o->before_us >= o->from_us)
		return why_set(why, V_BAD, "the period ends before it begins (期間の終わりが始まりより前です)");
	/* An hour more: days of a time zone that turned its clocks. */
	if (o->until_us - o->from_us > (REPORT_DAYS_MAX * DAY_US) + DAY_US / 24)
		return why_set(why, V_BAD, "a report is of %u days at most (レポートの期間は最大 %u 日です)",
			REPORT_DAYS_MAX, REPORT_DAYS_MAX);
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->o = *o;
	if (o->settings) {
		r->settings = malloc(sizeof(*r->settings));
		if (!r->settings) {
			free(r);
			return -ENOMEM;
		}
		*r->settings = *o->settings;
	}
	r->o.settings = r->settings;
	r->now = (struct gather){.r = r, .from_us = o->from_us, .until_us = o->until_us};
	r->before = (struct gather){.r = r, .from_us = o->before_us, .until_us = o->from_us, .before = true};
	for (i = 0; i < ARRAY_SIZE(tallies); i++) {
		((struct tally *)((char *)&r->now + tallies[i].at))->size = tallies[i].size;
		((struct tally *)((char *)&r->before + tallies[i].at))->size = tallies[i].size;
	}
	days = (o->until_us - o->from_us + DAY_US - DAY_US / 24 - 1) / DAY_US;
	days = days < 1 ? 1 : days;
	r->bar_us = (days + BARS_MAX - 1) / BARS_MAX * DAY_US;
	r->bars_n = (unsigned)((days * DAY_US + r->bar_us - 1) / r->bar_us);
	r->at = &r->before;
	*out = r;
	return 0;
}

void report_gather_end(struct gather *g)
{
	tally_deinit(&g->persons, NULL);
	tally_deinit(&g->printers, NULL);
	tally_deinit(&g->departments, NULL);
	tally_deinit(&g->drives, NULL);
	tally_deinit(&g->exceptions, NULL);
	tally_deinit(&g->known, NULL);
	tally_deinit(&g->versions, NULL);
	tally_deinit(&g->acts, NULL);
	tally_deinit(&g->readers, NULL);
	tally_deinit(&g->pcs, NULL);
	tally_deinit(&g->causes, NULL);
	seen_deinit(&g->jobs);
	seen_deinit(&g->pairs);
	free(g->spells);
	g->spells = NULL;
	g->spells_n = g->spells_cap = 0;
}

void report_free(struct report *r)
{
	unsigned i;

	if (!r)
		return;
	report_gather_end(&r->now);
	report_gather_end(&r->before);
	for (i = 0; i < r->tables_n; i++)
		table_free(&r->tables[i]);
	free(r->settings);
	free(r);
}

unsigned bar_of(const struct gather *g, int64_t at_us)
{
	int64_t at = (at_us - g->from_us) / g->r->bar_us;

	return at < 0 ? 0 : at >= g->r->bars_n ? g->r->bars_n - 1 : (unsigned)at;
}

/* --- one pass --- */

static bool of_server(struct report *r, const struct digest *host)
{
	unsigned i, producer;

	for (i = 0; i < r->servers_n; i++)
		if (digest_eq(&r->servers[i].id, host))
			return r->servers[i].producer;
	producer = store_server(r->store, host);
	if (producer && r->servers_n < SERVERS_MAX) {
		r->servers[r->servers_n].id = *host;
		r->servers[r->servers_n++].producer = producer;
	}
	return producer;
}

static int on_row(void *ctx, const struct store_row *row)
{
	struct report *r = ctx;
	const struct pass *p = &passes[r->pass];
	int64_t t = time_of(&row->record);

	if (!r->left || (r->deadline_us && clock_boot_us() >= r->deadline_us && r->left < PIECE_ROWS)) {
		r->stopped = true;
		return V_END;
	}
	r->left--;
	r->has_place = true;
	r->place_us = t;
	r->place_row = row->row;
	if ((!r->o.sees || r->o.sees(r->o.ctx, row)) && (!p->servers || of_server(r, &row->host))) {
		r->records += !p->back;
		p->take(r->at, row);
	}
	r->looked_back += p->back;
	if (p->back)
		r->looked_back_us = t;
	return r->at->error ? r->at->error : 0;
}

static bool pass_is_on(const struct report *r)
{
	const struct pass *p = &passes[r->pass];

	return (r->o.parts & p->parts) && !(r->at->before && (p->now_only || p->back));
}

/* 0: there is more of it; V_END: it is through. */
static int pass_step(struct report *r, struct why *why)
{
	const struct pass *p = &passes[r->pass];
	struct store_filter f = {.from_us = r->at->from_us,
		.until_us = r->at->until_us,
		.limit = LAZY,
		.most = PIECE_ROWS + 1,
		.newest_first = p->back,
		.has_place = r->has_place,
		.place_us = r->place_us,
		.place_row = r->place_row};
	unsigned i;
	int x;

	for (i = 0; i < ARRAY_SIZE(p->kinds) && p->kinds[i]; i++)
		f.kinds[f.kinds_n++] = p->kinds[i];
	for (i = 0; i < ARRAY_SIZE(p->classes) && p->classes[i]; i++)
		f.classes[f.classes_n++] = p->classes[i];
	if (p->back) {
		f.until_us = f.from_us;
		f.from_us -= LOOK_BACK_US;
	}
	if (r->has_place && p->back)
		f.until_us = r->place_us + 1;
	else if (r->has_place)
		f.from_us = r->place_us;
	if (f.from_us >= f.until_us || (p->back && (!r->at->drives.n || r->looked_back >= LOOK_BACK_MOST)))
		return V_END;
	r->left = PIECE_ROWS;
	r->stopped = false;
	x = store_query(r->store, &f, on_row, r, why);
	return x ? x : r->stopped ? 0 : V_END;
}

static int next(struct report *r)
{
	r->has_place = false;
	r->pass++;
	return 0;
}

/* A period's passes are through. */
static int period_end(struct report *r)
{
	drives_end(r->at);
	fleet_end(r->at);
	r->at->f.people = 0;
	for (unsigned i = 0; i < r->at->persons.n; i++)
		r->at->f.people += ((struct person *)r->at->persons.v[i])->p.jobs > 0;
	if (r->at == &r->now)
		return V_END;
	report_gather_end(&r->before);
	r->at = &r->now;
	r->pass = 0;
	r->pcs_at = 0;
	r->has_place = false;
	return 0;
}

static void read_head(struct report *r)
{
	struct store_stats st = {.leaves = 0};
	struct merkle_proof proof;
	struct digest leaf;
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX);

	r->made_us = clock_wall_us();
	if (r->o.log)
		r->verified = !checkpoint_verify(store_checkpoint(r->store), r->o.log, &r->head, NULL);
	hex_encode(r->root, r->head.root.b, DIGEST_SIZE);
	if (!store_stats(r->store, &st)) {
		r->leaves = st.leaves;
		r->indexed = st.indexed;
	}
	if (!r->verified || !r->head.size || r->head.size != store_size(r->store))
		return;
	/* The newest segment lies in the tree that was signed. */
	if (!store_read(r->store, r->head.size - 1, &header, &body, NULL) &&
		!store_prove(r->store, r->head.size - 1, &proof)) {
		merkle_leaf(buf_span(&header), &leaf);
		r->included = !merkle_verify_inclusion(r->head.size - 1, r->head.size, &leaf, &proof, &r->head.root);
	}
}

int report_step(struct report *r, struct store *store, int64_t microseconds, struct why *why)
{
	int64_t end = microseconds ? clock_boot_us() + microseconds : 0;
	int x = 0;

	if (r->done)
		return V_END;
	r->store = store;
	r->deadline_us = end;
	if (!r->made_us)
		read_head(r);
	while (!x) {
		if (!r->pass && !r->has_place && !r->at->pcs.n)
			x = fleet_begin(r->at);
		if (x)
			break;
		if (r->pass < ARRAY_SIZE(passes))
			x = pass_is_on(r) ? pass_step(r, why) : V_END;
		else if (part_on(r, REPORT_FLEET))
			x = fleet_look(r->at, why);
		else
			x = V_END;
		if (x == V_END && r->pass < ARRAY_SIZE(passes))
			x = next(r);
		else if (x == V_END && !(x = period_end(r)))
			continue;
		if (x == V_END) {
			x = summary_make(r);
			x = x ? x : model_make(r);
			report_gather_end(&r->now);
			r->done = !x;
			return x ? x : V_END;
		}
		if (end && clock_boot_us() >= end)
			break;
	}
	return x;
}

unsigned report_percent(const struct report *r)
{
	const unsigned passes_n = ARRAY_SIZE(passes);
	double of = (double)(r->at->until_us - r->at->from_us), steps = passes_n + 1;
	double at = r->has_place ? (double)(r->place_us - r->at->from_us) / of : 0;
	unsigned half = r->at == &r->now ? 50 : 0;

	if (r->done)
		return 100;
	at = at < 0 ? 0 : at > 1 ? 1 : at;
	return half + (unsigned)(49 * (r->pass + at) / steps);
}

uint64_t report_records(const struct report *r)
{
	return r->records;
}
