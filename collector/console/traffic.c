/*
 * Records by hour and kind over the last seven days: counted as they become searchable, and once, from the start of the
 * process, back over what was there before. Whoever sees all PCs reads the counts; for others they are made when asked.
 */
#include "collector/console/look.h"
#include "policy/base/clock.h"
#include <errno.h>

#define HOUR_US 3600000000ll
#define HOURS 168u
#define SLOTS (HOURS + 1)
#define KINDS 256u
#define BACK_ROWS 20000u /* of what was before, in one step */
#define REST_US 60000000
#define OWN_ROWS 100000u /* for an account with a scope */

struct traffic {
	struct hours {
		int64_t hour; /* since 1970 */
		uint32_t n[KINDS];
	} slots[SLOTS];
	uint64_t last_row;
	bool followed;   /* last_row is known */
	bool done;       /* with what was before */
	int64_t rest_us; /* boot clock: until then nothing is asked of what was before, which failed */
	struct search back;
};

/* Who counts for all. */
static const struct account everybody = {.scope_n = 0};

int traffic_new(struct console *c, struct traffic **out)
{
	struct traffic *t = calloc(1, sizeof(*t));

	(void)c;
	if (!t)
		return -ENOMEM;
	*out = t;
	return 0;
}

void traffic_free(struct traffic *t)
{
	free(t);
}

static void count(struct traffic *t, const struct record *r, int64_t now_us)
{
	int64_t us = record_has(r, F_TIME) ? r->v[F_TIME].i : 0, hour = us / HOUR_US;
	uint64_t kind = record_has(r, F_KIND) ? r->v[F_KIND].u : 0;
	struct hours *h;

	/* A PC whose clock is ahead must not clear hours that were. */
	if (us <= 0 || hour > now_us / HOUR_US || hour <= now_us / HOUR_US - (int64_t)SLOTS || kind >= KINDS)
		return;
	h = &t->slots[(uint64_t)hour % SLOTS];
	if (h->hour != hour) {
		memset(h, 0, sizeof(*h));
		h->hour = hour;
	}
	h->n[kind]++;
}

static int on_new(void *ctx, const struct store_row *row)
{
	struct console *c = ctx;

	count(c->traffic, &row->record, clock_wall_us());
	if (row->row > c->traffic->last_row)
		c->traffic->last_row = row->row;
	live_row(c, row);
	return 0;
}

static int on_old(void *ctx, const struct store_row *row)
{
	struct console *c = ctx;

	/* What came since the start is told by on_new. */
	if (row->row <= c->traffic->last_row)
		count(c->traffic, &row->record, clock_wall_us());
	return 0;
}

static int go_back(struct console *c, struct traffic *t)
{
	struct looking l = {
		.c = c, .account = &everybody, .search = &t->back, .most = BACK_ROWS, .take = on_old, .ctx = c};
	int r = look(&l, NULL);

	if (r)
		return r;
	t->done = !l.more;
	t->back.has_cursor = true;
	t->back.cursor_us = l.at_us;
	t->back.cursor_row = l.at_row;
	return 0;
}

void traffic_tick(struct console *c)
{
	struct traffic *t = c->traffic;
	struct store_filter f = {.after_row = t->last_row};
	uint64_t last = 0;
	int r = store_of(c);

	r = r ? r : store_last_row(c->store, &last);
	if (!r && !t->followed) {
		t->followed = true;
		t->last_row = last;
		t->back.filter.newest_first = true;
		t->back.filter.from_us = (clock_wall_us() / HOUR_US - (int64_t)HOURS) * HOUR_US;
	} else if (!r && last > t->last_row) {
		r = store_query(c->store, &f, on_new, c, NULL);
		/* More at one moment than can be sorted: asked again it would be the same. It is not counted. */
		if (r == V_FULL)
			t->last_row = last;
	}
	if (!r && !t->done && clock_boot_us() >= t->rest_us) {
		r = go_back(c, t);
		if (r > 0)
			t->rest_us = clock_boot_us() + REST_US;
	}
	/* A store that is not there or broken is opened again by whoever asks next. */
	if (r < 0 && c->store) {
		store_close(c->store);
		c->store = NULL;
	}
}

/* --- answers --- */

struct table {
	int64_t first; /* hour */
	unsigned hours;
	uint32_t n[HOURS][KINDS];
};

static int own(void *ctx, const struct store_row *row)
{
	struct table *t = ctx;
	int64_t hour = row->record.v[F_TIME].i / HOUR_US - t->first;
	uint64_t kind = row->record.v[F_KIND].u;

	if (hour >= 0 && hour < (int64_t)t->hours && kind < KINDS)
		t->n[hour][kind]++;
	return 0;
}

static int own_traffic(struct call *x, struct table *t, bool *complete, struct why *why)
{
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	struct looking l = {.c = x->c, .account = x->account, .search = s, .most = OWN_ROWS, .take = own, .ctx = t};
	int r;

	if (!s)
		return -ENOMEM;
	s->filter.from_us = t->first * HOUR_US;
	s->filter.newest_first = true;
	r = look(&l, why);
	*complete = !l.more;
	return r;
}

static json_t *series_json(const struct table *t)
{
	json_t *list = json_array();
	unsigned k, h;

	for (k = 1; k < KINDS; k++) {
		const struct enum_info *e = enum_by_value(F_KIND, k);
		uint64_t sum = 0;
		json_t *counts;

		for (h = 0; h < t->hours; h++)
			sum += t->n[h][k];
		if (!e || !sum)
			continue;
		counts = json_array();
		for (h = 0; h < t->hours; h++)
			json_array_append_new(counts, json_integer(t->n[h][k]));
		json_array_append_new(list, json_pack("{s:s, s:o}", "kind", e->name, "counts", counts));
	}
	return list;
}

void traffic_get(struct call *x)
{
	_cleanup_free_ struct search *s = malloc(sizeof(*s));
	_cleanup_free_ struct table *t = calloc(1, sizeof(*t));
	struct traffic *all = x->c->traffic;
	int64_t now = clock_wall_us() / HOUR_US;
	bool complete = all->followed && all->done;
	struct why why = {""};
	unsigned h;
	int r = 0;

	if (!s || !t || search_parse(x->a->query, SEARCH_HOURS, clock_wall_us(), s, &why)) {
		reply_error(x, 400, "filter", why.text);
		return;
	}
	t->hours = (unsigned)s->hours;
	t->first = now - (int64_t)t->hours + 1;
	if (x->account->scope_n) {
		r = own_traffic(x, t, &complete, &why);
	} else {
		for (h = 0; h < t->hours; h++) {
			const struct hours *slot = &all->slots[(uint64_t)(t->first + h) % SLOTS];

			if (slot->hour == t->first + (int64_t)h)
				memcpy(t->n[h], slot->n, sizeof(slot->n));
		}
	}
	if (r)
		store_failed(x, r, &why);
	else if (tell_view(x, KIND_CONSOLE_VIEW, NULL, 0))
		reply(x, json_pack("{s:o, s:i, s:i, s:b, s:o}", "from", time_json(t->first * HOUR_US), "step", 3600,
				 "hours", (int)t->hours, "complete", complete, "series", series_json(t)));
}
