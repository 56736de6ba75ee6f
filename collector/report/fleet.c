/*
 * The fleet: which PCs there are, when each was last heard of before the period's end, what is missing of their records
 * and why, and where the kernel cannot enforce.
 */
#include "collector/report/report_parts.h"
#include "policy/base/text.h"
#include <errno.h>

#define SILENT_US (7 * DAY_US)

static struct pc *pc_by_id(struct gather *g, const struct digest *id)
{
	char hex[2 * DIGEST_SIZE + 1];

	return tally_find(&g->pcs, SPAN_STR(hex_encode(hex, id->b, DIGEST_SIZE)));
}

static int on_host(void *ctx, const struct store_host *h)
{
	struct gather *g = ctx;
	const struct report *r = g->r;
	char hex[2 * DIGEST_SIZE + 1];
	struct pc *pc;

	/* The collector, the console and the herald are no PCs. */
	if (store_server(r->store, &h->id) || (r->o.sees_pc && !r->o.sees_pc(r->o.ctx, h->name)))
		return 0;
	pc = tally_at(&g->pcs, SPAN_STR(hex_encode(hex, h->id.b, DIGEST_SIZE)));
	if (!pc)
		return -ENOMEM;
	/* Enrolled later: it was no PC then. */
	pc->known = h->enrolled_us < g->until_us && pc != (void *)g->pcs.other;
	snprintf(pc->name, sizeof(pc->name), "%s", h->name);
	pc->state = h->state;
	pc->enrolled_us = h->enrolled_us;
	return 0;
}

int fleet_begin(struct gather *g)
{
	return store_host_each(g->r->store, on_host, g);
}

/* --- what is told of a PC --- */

/* A server's record names the PC that it is about. */
static struct pc *peer_of(struct gather *g, const struct record *r)
{
	struct span s = record_text(r, F_PEER);
	struct digest id;

	if (s.n != DIGEST_SIZE)
		return NULL;
	memcpy(id.b, s.p, DIGEST_SIZE);
	return pc_by_id(g, &id);
}

static void lost(struct gather *g, const struct store_row *row, struct pc *pc)
{
	const struct record *r = &row->record;
	const struct enum_info *e = enum_by_value(F_CAUSE, record_number(r, F_CAUSE, 0));
	struct cause *c = tally_at(&g->causes, SPAN_STR(e ? e->name : "unknown"));
	const struct span pair[] = {SPAN("loss", 4), SPAN(&c, sizeof(c)), SPAN(row->host.b, DIGEST_SIZE)};
	uint64_t n = record_number(r, F_LOST, 0);
	bool fresh = false;

	if (!c || seen_add(&g->pairs, pair, ARRAY_SIZE(pair), &fresh)) {
		g->error = -ENOMEM;
		return;
	}
	c->value = (unsigned)record_number(r, F_CAUSE, 0);
	c->events++;
	c->pcs += fresh;
	c->lost += n;
	c->unknown += !n;
	g->f.lost += n;
	g->f.lost_unknown += !n;
	if (pc)
		pc->lost += n;
}

/* The newest word on enforcement holds at the end. */
static void enforcement(const struct record *r, struct pc *pc)
{
	const struct enum_info *set =
		record_has(r, F_PROBE_SET) ? enum_by_value(F_PROBE_SET, r->v[F_PROBE_SET].u) : NULL;

	if (!pc || !record_has(r, F_ENFORCE))
		return;
	/* Recording by tracepoints alone cannot enforce; what the guard proved is said by its own records. */
	if (record_number(r, F_KIND, 0) == KIND_RECORDER_START && pc->weak_us)
		return;
	pc->weak = r->v[F_ENFORCE].u == ENFORCE_NONE;
	if (record_number(r, F_KIND, 0) == KIND_RECORDER_START) {
		snprintf(pc->enforce, sizeof(pc->enforce), "%s", pc->weak && set ? set->name : "");
		return;
	}
	pc->weak_us = time_of(r);
	keep_text(pc->enforce, sizeof(pc->enforce), record_text(r, F_LAYERS));
}

static void gap(struct gather *g, const struct record *r, struct pc *pc)
{
	uint64_t from = record_number(r, F_FROM_SEQ, 0), to = record_number(r, F_TO_SEQ, from),
		 n = to >= from ? to - from + 1 : 1;

	g->f.gaps++;
	g->f.missing += n;
	if (pc) {
		pc->gaps++;
		pc->missing += n;
	}
}

void fleet_take(struct gather *g, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct pc *own = pc_by_id(g, &row->host), *peer = peer_of(g, r);

	switch (record_number(r, F_KIND, 0)) {
	case KIND_LOSS:
		lost(g, row, own);
		break;
	case KIND_RECORDER_START:
	case KIND_GUARD_START:
	case KIND_PROOF:
		enforcement(r, own);
		break;
	case KIND_POLICY:
		if (own)
			own->policy = record_number(r, F_POLICY, own->policy);
		break;
	case KIND_WITNESS_ALARM:
		g->f.witness++;
		break;
	case KIND_GAP:
		gap(g, r, peer);
		break;
	case KIND_FORKED:
		g->f.forks++;
		if (peer)
			peer->forks++;
		break;
	case KIND_REJOIN:
		g->f.rejoins++;
		break;
	case KIND_REFUSED:
		g->f.refused++;
		if (peer)
			peer->refused++;
		break;
	case KIND_ALERT:
		g->f.alerts++;
		if (peer)
			peer->alerts++;
		break;
	default:
		break;
	}
}

/* --- when was it last heard of? --- */

static int on_last(void *ctx, const struct store_row *row)
{
	struct pc *pc = ctx;

	pc->last_us = time_of(&row->record);
	pc->has_last = true;
	return V_END;
}

int fleet_look(struct gather *g, struct why *why)
{
	struct report *r = g->r;
	struct store_filter f = {.until_us = g->until_us, .newest_first = true, .limit = 1};
	struct pc *pc;

	if (r->pcs_at >= g->pcs.n)
		return V_END;
	pc = (struct pc *)g->pcs.v[r->pcs_at++];
	f.host = pc->named.name;
	/* No further back than a period before: beyond that "not in the period" says enough. */
	f.from_us = g->from_us;
	return pc->known ? store_query(r->store, &f, on_last, pc, why) : 0;
}

bool pc_is_silent(const struct gather *g, const struct pc *pc)
{
	/* A month that is not over: up to now. */
	int64_t end = g->until_us < g->r->made_us ? g->until_us : g->r->made_us;

	return part_on(g->r, REPORT_FLEET) && pc->known && pc->state == HOST_ACTIVE &&
	       (!pc->has_last || pc->last_us < end - SILENT_US);
}

void fleet_end(struct gather *g)
{
	unsigned i;

	for (i = 0; i < g->pcs.n; i++) {
		const struct pc *pc = (struct pc *)g->pcs.v[i];

		if (!pc->known || pc->state != HOST_ACTIVE)
			continue;
		g->f.pcs++;
		g->f.weak += pc->weak;
		g->f.silent += pc_is_silent(g, pc);
	}
}
