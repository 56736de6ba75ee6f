/*
 * See expired.h. Loud where no record says so; a line for each month that expired.
 */
#include "policy/ctl/expired.h"
#include "policy/base/text.h"
#include "policy/wire/body.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

/* Leaves of a channel, one behind the other (others' may lie between), whose bodies are not there. */
struct absence {
	unsigned channel;
	uint64_t first, last;
};

void expired_deinit(struct expired *e)
{
	retention_deinit(&e->book);
	admins_deinit(&e->admins);
	free(e->runs);
	free(e->used);
	buf_deinit(&e->raw);
}

int expired_begin(struct expired *e, const struct report *r, const char *store)
{
	const char *path = option_value(r->ctl, OPT_ADMINS);
	char beside[PATH_MAX], room[PATH_MAX - 16];
	struct why why = {""};
	int x;

	*e = (struct expired){.raw = BUF_INIT(BODY_RAW_MAX)};
	e->has_fleet = r->log.key && !fleet_id(&r->log, &e->fleet);
	if (!path && (!store || snprintf(beside, sizeof(beside), "%s/../admin.keys",
					store_folder(store, room, sizeof(room))) >= (int)sizeof(beside)))
		return EXIT_GOOD;
	x = admins_load(path ? path : beside, &e->admins, &why);
	e->has_admins = !x;
	/* The collector's own list may be unreadable to an auditor; one that was named has to be there. */
	if (!x || (!path && (x == V_NOT_FOUND || x == -EACCES)))
		return EXIT_GOOD;
	complain_of(r->ctl, path ? path : beside, x, &why);
	return x < 0 ? EXIT_MACHINE : EXIT_USAGE;
}

/* Its records of retention, where it is a collector's. 0, -errno. */
static int learn(struct expired *e, uint64_t leaf, const struct segment *s)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	unsigned n = 0;
	int x;

	if (s->header.producer != PRODUCER_COLLECTOR || !s->bytes.n)
		return 0;
	x = retention_seen(&e->book, &s->header.host, leaf, s->header.last_us);
	x = x ? x : segment_raw(s, &e->raw, NULL);
	x = x ? x : body_reader_new(buf_span(&e->raw), &in);
	while (!x && !(x = body_next(in, &e->record, NULL))) {
		x = retention_learn(&e->book, &s->header.host, leaf, ++n, &e->record);
		/* One behind a decision that is not here does not count, and what it says is then not covered. */
		x = x == V_BAD ? 0 : x;
		if (x != V_DENIED)
			continue;
		e->stranger = e->has_stranger ? e->stranger : leaf;
		e->has_stranger = true;
		x = 0;
	}
	return x < 0 ? x : 0;
}

int expired_take(struct expired *e, uint64_t leaf, const struct segment *s)
{
	unsigned c = s->header.producer;
	struct absence *v;

	if (s->bytes.n) {
		e->open[c] = 0;
		return learn(e, leaf, s);
	}
	if (e->open[c]) {
		e->runs[e->open[c] - 1].last = leaf;
		return 0;
	}
	if (!(e->runs_n & (e->runs_n + 1))) {
		v = realloc(e->runs, 2 * (e->runs_n + 1) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		e->runs = v;
	}
	e->runs[e->runs_n++] = (struct absence){.channel = c, .first = leaf, .last = leaf};
	e->open[c] = e->runs_n;
	return 0;
}

/* The next leaf of a run, from `at` on, that no record covers; one behind the run's last where there is none. */
static uint64_t uncovered(const struct expired *e, const struct absence *a, uint64_t at)
{
	const struct retention_expiry *by;

	while (at <= a->last && (by = retention_cover(&e->book, a->channel, at)))
		at = by->to + 1;
	return at;
}

bool expired_unsaid(const struct expired *e)
{
	size_t i;

	for (i = 0; i < e->runs_n; i++)
		if (uncovered(e, &e->runs[i], e->runs[i].first) <= e->runs[i].last)
			return true;
	return false;
}

static void tell_removed(const struct report *r, const struct absence *a, uint64_t first, uint64_t last)
{
	audit_tell(r->audit, "removed", "leaf", true, first, NULL,
		SAY(r->ctl,
			"bodies of %s, leaves %" PRIu64 " to %" PRIu64
			", are not there, and no record says that they expired",
			"%s の本文(リーフ %" PRIu64 " から %" PRIu64 ")がなく、保存期間満了の記録もありません"),
		producer_name(a->channel), first, last);
}

/* Goes through a run: what no record covers was removed. */
static void judge_absence(struct expired *e, const struct report *r, const struct absence *a)
{
	uint64_t at = a->first;

	while ((at = uncovered(e, a, at)) <= a->last) {
		uint64_t end = a->last;
		size_t i;

		for (i = 0; i < e->book.expiries_n; i++)
			if (e->book.expiries[i].channel == a->channel && e->book.expiries[i].from > at &&
				e->book.expiries[i].from <= end)
				end = e->book.expiries[i].from - 1;
		tell_removed(r, a, at, end);
		at = end + 1;
	}
}

static void say_expired(const struct report *r, const struct retention_expiry *x, bool unproven, const struct order *o)
{
	const struct ctl *c = r->ctl;
	char *text;
	char when[TEXT_TIME_SIZE], rule[SHOWN_MAX], by[SHOWN_MAX], who[2 * NOTE_NAME_MAX + 8] = "", reason[SHOWN_MAX];

	if (x->order)
		snprintf(who, sizeof(who), "%s, %s", o->requester, o->second);
	if (option_on(c, OPT_JSON)) {
		_cleanup_json_ json_t *v = json_pack("{s:{s:s, s:s, s:I, s:I, s:s, s:s, s:I, s:i, s:I, s:I}}",
			"expired", "month", x->month, "channel", producer_name(x->channel), "segments",
			(json_int_t)x->count, "bytes", (json_int_t)x->bytes, "rule", shown(rule, x->rule), "time",
			text_time_utc(when, x->when_us), "leaf", (json_int_t)x->leaf, "n", (int)x->n, "from_leaf",
			(json_int_t)x->from, "to_leaf", (json_int_t)x->to);

		if (v && x->order) {
			json_t *of = json_object_get(v, "expired");

			json_object_set_new(of, "signers", unproven ? json_null() : json_string(shown(by, who)));
			json_object_set_new(of, "reason", json_string(shown(reason, o->reason)));
		}
		text = v ? json_dumps(v, JSON_COMPACT) : NULL;
		if (text)
			puts(text);
		free(text);
		return;
	}
	if (option_on(c, OPT_QUIET))
		return;
	printf(SAY(c,
		       "bodies of %s, %s, expired on %.10s by record %" PRIu64 ".%u (%s): leaves %" PRIu64
		       " to %" PRIu64 ", %" PRIu64 " segments\n",
		       "%s の本文(%s)は %.10s に記録 %" PRIu64 ".%u(%s)により削除済み: リーフ %" PRIu64 " から %" PRIu64
		       "、セグメント %" PRIu64 " 件\n"),
		x->month, producer_name(x->channel), text_time_utc(when, x->when_us), x->leaf, x->n,
		shown(rule, x->rule), x->from, x->to, x->count);
	if (!x->order)
		return;
	if (unproven)
		printf(SAY(c, "  early, by an order whose signatures are not checked (--admins): %s\n",
			       "  期間満了前の削除。指示の署名は未検証(--admins なし): %s\n"),
			shown(reason, o->reason));
	else
		printf(SAY(c, "  early, ordered by %s: %s\n", "  期間満了前の削除。指示者 %s: %s\n"), shown(by, who),
			shown(reason, o->reason));
}

int expired_by(struct expired *e, unsigned channel, uint64_t leaf, const struct retention_expiry **by)
{
	*by = retention_cover(&e->book, channel, leaf);
	if (!e->used)
		e->used = calloc(e->book.expiries_n + 1, sizeof(*e->used));
	if (!e->used)
		return -ENOMEM;
	if (*by)
		e->used[*by - e->book.expiries] = true;
	return 0;
}

int expired_end(struct expired *e, const struct report *r)
{
	size_t i;

	if (e->has_stranger)
		audit_tell(r->audit, "retention", "leaf", true, e->stranger, NULL, "%s",
			SAY(r->ctl, "tells of retention, by none of the log's collectors: it does not count",
				"ログのコレクターでないものによる保存期間の記録です(無効)"));
	for (i = 0; i < e->runs_n; i++)
		judge_absence(e, r, &e->runs[i]);
	for (i = 0; i < e->book.expiries_n; i++) {
		const struct retention_expiry *x = &e->book.expiries[i];
		struct why why = {""};
		struct order o;
		bool unproven;
		int y;

		if (e->used && !e->used[i])
			continue;
		y = retention_judge(&e->book, x, e->has_admins ? &e->admins : NULL, e->has_fleet ? &e->fleet : NULL,
			&unproven, &o, &why);

		if (y < 0)
			return y;
		if (y)
			audit_tell(r->audit, "retention", "leaf", true, x->leaf, NULL,
				SAY(r->ctl, "says that %s of %s expired: %s", "%2$s の %1$s の削除の記録: %3$s"),
				producer_name(x->channel), x->month, why.text);
		else
			say_expired(r, x, unproven, &o);
	}
	return 0;
}
