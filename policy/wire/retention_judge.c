/*
 * Was it right that something expired? By the log alone, for verifiers. Collectors judge before they act, by the same
 * book (collector/ingest/retention.c).
 */
#include "policy/wire/retention.h"
#include "policy/wire/retention_parts.h"

/* The month that the log had reached with this leaf, by the collector's own segments; NULL where it had sealed none. */
static const char *reached(const struct retention *t, uint64_t leaf)
{
	const char *month = NULL;
	size_t i;

	for (i = 0; i < t->months_n && t->months[i].leaf <= leaf; i++)
		month = t->months[i].month;
	return month;
}

static int judge_order(const struct retention_expiry *e, const struct admins *admins, const struct digest *fleet,
	bool *unproven, struct order *o, struct why *why)
{
	struct span bytes = SPAN(e->order, e->order_n);
	struct why inner = {""};
	int r = admins ? order_open(bytes, admins, o, &inner) : order_peek(bytes, NULL, o, &inner);

	if (r > 0)
		return why_set(why, V_BAD, "its order is not good: %.120s", inner.text);
	if (r)
		return r;
	*unproven = !admins;
	if (!o->countersigned)
		return why_set(why, V_BAD, "nobody has countersigned its order");
	if (fleet && !digest_eq(fleet, &o->fleet))
		return why_set(why, V_BAD, "its order is of another log");
	if (o->act != ORDER_EXPIRE || o->channel != e->channel || strcmp(o->month, e->month) != 0)
		return why_set(why, V_BAD, "its order is of another month or channel");
	if (o->size > e->leaf)
		return why_set(why, V_BAD, "its order names a larger log than there was");
	if (e->when_us < o->issued_us || e->when_us > o->not_after_us)
		return why_set(why, V_BAD, "its order was not valid then");
	return 0;
}

int retention_judge(const struct retention *t, const struct retention_expiry *e, const struct admins *admins,
	const struct digest *fleet, bool *unproven, struct order *order, struct why *why)
{
	const struct retention_hold *hold = retention_held(t, e->month, e->leaf);
	const char *month = reached(t, e->to);
	uint64_t months;

	*unproven = false;
	*order = (struct order){.act = 0};
	if (e->channel == PRODUCER_COLLECTOR)
		return why_set(why, V_BAD, "the collector's own records never expire");
	if (e->from > e->to || e->to >= e->leaf)
		return why_set(why, V_BAD, "its range is none, or not before it");
	if (month && strcmp(month, e->month) > 0)
		return why_set(why, V_BAD, "names %s, but its range reaches into %s", e->month, month);
	if (hold)
		return why_set(why, V_BAD, "the hold %s was in force", hold->id);
	if (e->order)
		return judge_order(e, admins, fleet, unproven, order, why);
	months = retention_period(t, e->channel, e->month, e->leaf);
	if (e->when_us >= retention_due(e->month, months))
		return 0;
	return months == RETENTION_FOREVER
		       ? why_set(why, V_BAD, "before its time: it was to be kept for ever, and nobody ordered it")
		       : why_set(why, V_BAD, "before its time: %llu months were in force, and nobody ordered it",
				 (unsigned long long)months);
}
