/*
 * Records by hour and kind over the last seven days: counted as they become searchable, and once, from the start of the
 * process, back over what was there before. Once for whoever sees all PCs, and for each scope of the accounts that
 * asked last.
 */
#include "collector/console/attention.h"
#include "collector/console/look.h"
#include "collector/console/plugged.h"
#include "policy/base/clock.h"
#include <errno.h>

#define HOUR_US 3600000000ll
#define HOURS 168u
#define SLOTS (HOURS + 1)
#define KINDS STORE_KINDS
#define REST_US 60000000
#define VIEWS_MAX 16u /* the first one is of all PCs */

/* What an account's scope shows. */
struct view {
	struct account account; /* its scope alone */
	struct hours {
		int64_t hour; /* since 1970 */
		uint32_t n[KINDS];
	} slots[SLOTS];
	uint64_t began; /* rows up to this one are counted by going back, later ones as they come */
	bool done;      /* with what was before */
	bool begun;
	int64_t next;       /* hour that is counted next, from the newest back: all PCs, by the store's index */
	struct search back; /* of a scope: record by record, since what servers tell of a PC belongs to its scope */
	int64_t asked_us;   /* boot clock */
};

struct traffic {
	struct view *views[VIEWS_MAX];
	unsigned n;
	uint64_t last_row, began;
	bool followed;   /* last_row is known */
	int64_t rest_us; /* boot clock: until then nothing is asked of what was before, which failed */
};

static struct view *view_new(const struct account *of, uint64_t began)
{
	struct view *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->account.scope_n = of ? of->scope_n : 0;
	if (of)
		memcpy(v->account.scope, of->scope, sizeof(v->account.scope));
	v->began = began;
	v->next = clock_wall_us() / HOUR_US;
	v->back.filter.newest_first = true;
	v->back.filter.from_us = (v->next - (int64_t)HOURS) * HOUR_US;
	return v;
}

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
	while (t && t->n)
		free(t->views[--t->n]);
	free(t);
}

uint64_t traffic_began(const struct console *c)
{
	return c->traffic->began;
}

/* The counts of an hour; NULL where it is not among those that are kept. */
static struct hours *slot_of(struct view *v, int64_t hour, int64_t now_us)
{
	struct hours *h = &v->slots[(uint64_t)hour % SLOTS];

	/* A PC whose clock is ahead must not clear hours that were. */
	if (hour < 0 || hour > now_us / HOUR_US || hour <= now_us / HOUR_US - (int64_t)SLOTS)
		return NULL;
	if (h->hour != hour) {
		memset(h, 0, sizeof(*h));
		h->hour = hour;
	}
	return h;
}

static void count(struct view *v, const struct record *r, int64_t now_us)
{
	int64_t us = record_has(r, F_TIME) ? r->v[F_TIME].i : 0;
	uint64_t kind = record_has(r, F_KIND) ? r->v[F_KIND].u : 0;
	struct hours *h = us > 0 && kind < KINDS ? slot_of(v, us / HOUR_US, now_us) : NULL;

	if (h)
		h->n[kind]++;
}

static int on_new(void *ctx, const struct store_row *row)
{
	struct console *c = ctx;
	struct traffic *t = c->traffic;
	int64_t now = clock_wall_us();
	unsigned i;
	int r;

	for (i = 0; i < t->n; i++)
		if (look_sees(c, &t->views[i]->account, row))
			count(t->views[i], &row->record, now);
	if (row->row > t->last_row)
		t->last_row = row->row;
	live_row(c, row);
	r = plugged_row(c, row);
	r = r ? r : hosts_row(c, row);
	return r ? r : attention_row(c, row);
}

struct backward {
	struct view *view;
	int64_t now_us;
};

static int on_old(void *ctx, const struct store_row *row)
{
	struct backward *b = ctx;

	if (row->row <= b->view->began)
		count(b->view, &row->record, b->now_us);
	return 0;
}

static int go_back_in_scope(struct console *c, struct view *v)
{
	struct backward b = {.view = v, .now_us = clock_wall_us()};
	struct looking l = {.c = c, .account = &v->account, .search = &v->back, .take = on_old, .ctx = &b};

	return look_step(&l, &v->done);
}

static int count_hour(struct console *c, struct view *v, int64_t now_us)
{
	struct hours *h = slot_of(v, v->next, now_us);
	uint64_t counts[KINDS];
	unsigned k;
	int r = h ? store_count(c->store, v->next * HOUR_US, (v->next + 1) * HOUR_US, v->began, counts, NULL) : 0;

	for (k = 0; !r && h && k < KINDS; k++)
		h->n[k] += (uint32_t)counts[k];
	return r;
}

static int go_back(struct console *c, struct view *v)
{
	int64_t end_us = clock_boot_us() + LOOK_STEP_US, now_us = clock_wall_us();
	int r = 0;

	v->begun = true;
	if (v->account.scope_n)
		return go_back_in_scope(c, v);
	while (!r && !v->done && clock_boot_us() < end_us) {
		r = count_hour(c, v, now_us);
		v->next -= !r;
		v->done = v->next < v->back.filter.from_us / HOUR_US;
	}
	return r;
}

int traffic_follow(struct console *c)
{
	struct traffic *t = c->traffic;
	struct store_filter f = {.after_row = t->last_row};
	uint64_t last = 0;
	int r = store_of(c);

	r = r ? r : store_last_row(c->store, &last);
	if (r)
		return r;
	if (!t->followed) {
		t->views[0] = view_new(NULL, last);
		if (!t->views[0])
			return -ENOMEM;
		t->n = 1;
		t->followed = true;
		t->last_row = t->began = last;
		return 0;
	}
	if (last <= t->last_row)
		return 0;
	r = store_query(c->store, &f, on_new, c, NULL);
	/* More at one moment than can be sorted: asked again it would be the same. It is not counted. */
	if (r == V_FULL)
		t->last_row = last;
	return r == V_FULL ? 0 : r;
}

void traffic_tick(struct console *c)
{
	struct traffic *t = c->traffic;
	int r = traffic_follow(c);
	unsigned i;

	if (!r && clock_boot_us() >= t->rest_us) {
		r = attention_back(c);
		r = r ? r : plugged_back(c);
		for (i = 0; !r && i < t->n && t->views[i]->done; i++)
			;
		r = r || i == t->n ? r : go_back(c, t->views[i]);
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

/* The view of this account's scope; made where nobody has asked for it, in the place of the one that nobody asked for
 * the longest. */
static int view_of(struct console *c, const struct account *a, struct view **out)
{
	struct traffic *t = c->traffic;
	unsigned i, oldest = 1;
	struct view *v;

	for (i = 0; i < t->n; i++) {
		v = t->views[i];
		if (v->account.scope_n == a->scope_n &&
			!memcmp(v->account.scope, a->scope, a->scope_n * sizeof(a->scope[0])))
			goto found;
		if (i > 1 && v->asked_us < t->views[oldest]->asked_us)
			oldest = i;
	}
	v = view_new(a, t->last_row);
	if (!v)
		return -ENOMEM;
	if (t->n < VIEWS_MAX) {
		t->views[t->n++] = v;
	} else {
		free(t->views[oldest]);
		t->views[oldest] = v;
	}
found:
	v->asked_us = clock_boot_us();
	*out = v;
	/* A small office needs no more than this. */
	return v->done || v->begun ? 0 : go_back(c, v);
}

struct table {
	int64_t first; /* hour */
	unsigned hours;
	uint32_t n[HOURS][KINDS];
};

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
	int64_t now = clock_wall_us() / HOUR_US;
	struct view *v = NULL;
	struct why why = {""};
	unsigned h;
	int r;

	if (!s || !t || search_parse(x->a->query, SEARCH_HOURS, clock_wall_us(), s, &why)) {
		reply_error(x, 400, "filter", why.text);
		return;
	}
	t->hours = (unsigned)s->hours;
	t->first = now - (int64_t)t->hours + 1;
	r = traffic_follow(x->c);
	r = r ? r : view_of(x->c, x->account, &v);
	for (h = 0; !r && h < t->hours; h++) {
		const struct hours *slot = &v->slots[(uint64_t)(t->first + h) % SLOTS];

		if (slot->hour == t->first + (int64_t)h)
			memcpy(t->n[h], slot->n, sizeof(slot->n));
	}
	if (r)
		store_failed(x, r, &why);
	else if (tell_view(x, KIND_CONSOLE_VIEW, NULL, 0))
		reply(x, json_pack("{s:o, s:i, s:i, s:b, s:o}", "from", time_json(t->first * HOUR_US), "step", 3600,
				 "hours", (int)t->hours, "complete", v->done, "series", series_json(t)));
}
