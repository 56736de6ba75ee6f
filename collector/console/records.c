/*
 * Pages of records, and what happened around one.
 */
#include "collector/console/look.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>

#define LOOK_MOST 50000u /* records for one page: what a filter that is not indexed may cost */

struct paging {
	json_t *list;
	uint64_t limit;
};

static int take(void *ctx, const struct store_row *row)
{
	struct paging *p = ctx;
	json_t *o;

	if (json_array_size(p->list) == p->limit)
		return V_END;
	o = record_to_json(row);
	return o && !json_array_append_new(p->list, o) ? 0 : -ENOMEM;
}

void records_get(struct call *x)
{
	struct paging p = {.list = json_array()};
	_cleanup_free_ struct search *s = malloc(sizeof(*s));
	struct looking l = {.c = x->c, .account = x->account, .search = s, .most = LOOK_MOST, .take = take, .ctx = &p};
	struct why why = {""};
	int r = s ? search_parse(x->a->query, SEARCH_FILTER | SEARCH_ORDER | SEARCH_PAGE, clock_wall_us(), s, &why)
		  : V_BAD;

	if (r) {
		reply_error(x, 400, "filter", why.text);
	} else {
		p.limit = s->limit;
		l.wanted = search_is_narrow(s) ? 0 : (unsigned)s->limit;
		r = look(&l, &why);
		x->c->count.searches++;
		if (r)
			store_failed(x, r, &why);
		else if (tell_view(x, KIND_CONSOLE_SEARCH, x->a->query, json_array_size(p.list))) {
			reply(x, json_pack("{s:O, s:o, s:I}", "records", p.list, "next", look_next(&l), "looked_at",
					 (json_int_t)l.looked));
		}
	}
	json_decref(p.list);
}

/* One side: `each` records of that PC before (newest first) or behind a moment. */
static int side(struct call *x, const struct looked_up *u, uint64_t row, bool after, struct paging *p, struct why *why)
{
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	struct looking l = {.c = x->c, .account = x->account, .search = s, .most = LOOK_MOST, .take = take, .ctx = p};
	char host[2 * DIGEST_SIZE + 1];

	if (!s)
		return -ENOMEM;
	s->filter.host = hex_encode(host, u->host.b, DIGEST_SIZE);
	s->filter.newest_first = !after;
	s->has_cursor = true;
	s->cursor_us = u->time_us;
	s->cursor_row = row;
	return look(&l, why);
}

static json_t *reversed(const json_t *list)
{
	json_t *out = json_array();
	size_t i;

	for (i = json_array_size(list); i > 0; i--)
		json_array_append(out, json_array_get(list, i - 1));
	return out;
}

void neighbours_get(struct call *x)
{
	struct paging before = {.list = json_array()}, after = {.list = json_array()};
	_cleanup_free_ struct search *s = malloc(sizeof(*s));
	struct looked_up u;
	struct why why = {""};
	json_t *record = NULL;
	uint64_t row;
	int r;

	if (!s || !row_of_path(x, &row))
		goto out;
	if (search_parse(x->a->query, SEARCH_EACH, clock_wall_us(), s, &why)) {
		reply_error(x, 400, "filter", why.text);
		goto out;
	}
	before.limit = after.limit = s->each;
	r = look_up(x, row, &u, &record, &why);
	r = r ? r : side(x, &u, row, false, &before, &why);
	r = r ? r : side(x, &u, row, true, &after, &why);
	if (r == V_NOT_FOUND)
		reply_error(x, 404, "record", "no such record");
	else if (r)
		store_failed(x, r, &why);
	else if (tell_view(x, KIND_CONSOLE_VIEW, NULL, 0))
		reply(x, json_pack("{s:o, s:O}", "before", reversed(before.list), "after", after.list));
out:
	json_decref(record);
	json_decref(before.list);
	json_decref(after.list);
}
