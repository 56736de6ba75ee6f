/*
 * A month's segments narrowed to those that can hold a match, taken zone by zone from the asked end. See ask.h.
 *
 * A zone is a run of leaves, and the index says between which times its records lie. Posting lists are read for the
 * zones that the question has come to, in batches that double: what is common costs one of them, what is rare a few.
 */
#include "collector/store/ask.h"
#include <errno.h>

#define BATCH_MAX 4096u
#define LISTS_A_ZONE 128u
#define GAP 16 /* zones between two that are read over: less than coming to each list again */

static int newest_zone(const void *a, const void *b)
{
	const struct zone *x = a, *y = b;

	return x->last != y->last ? (x->last > y->last ? -1 : 1) : x->id > y->id ? -1 : x->id < y->id;
}

static int oldest_zone(const void *a, const void *b)
{
	const struct zone *x = a, *y = b;

	return x->first != y->first ? (x->first < y->first ? -1 : 1) : x->id < y->id ? -1 : x->id > y->id;
}

static int load_zones(struct part *p)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = sql_prepare(p->month->db, "SELECT id, first, last FROM zone WHERE last>=?1 AND first<?2", &st);

	p->zones_n = p->zones_at = 0;
	if (r)
		return r;
	sqlite3_bind_int64(st, 1, p->q->from);
	sqlite3_bind_int64(st, 2, p->q->until);
	while (!(r = sql_step(st))) {
		if (p->zones_n == p->zones_cap) {
			size_t cap = p->zones_cap ? p->zones_cap * 2 : 256;
			struct zone *v = realloc(p->zones, cap * sizeof(*v));

			if (!v)
				return -ENOMEM;
			p->zones = v;
			p->zones_cap = cap;
		}
		p->zones[p->zones_n++] = (struct zone){.id = sqlite3_column_int64(st, 0),
			.first = sqlite3_column_int64(st, 1),
			.last = sqlite3_column_int64(st, 2)};
	}
	if (r != V_END)
		return r;
	if (p->zones_n)
		qsort(p->zones, p->zones_n, sizeof(*p->zones), p->q->newest_first ? newest_zone : oldest_zone);
	p->batch = 1;
	return 0;
}

/* The order by time ends; zones take its place. */
static int begin(struct part *p)
{
	sqlite3_finalize(p->cursor);
	p->cursor = NULL;
	p->has_head = false;
	p->list.n = p->list.at = 0;
	if (p->seen.n)
		leaves_settle(&p->seen);
	p->seen_sorted = p->seen.n;
	return load_zones(p);
}

int part_narrow_to_combos(struct part *p)
{
	p->combos_known = false;
	p->by = ZONES_COMBOS;
	return begin(p);
}

int part_narrow_to_names(struct part *p)
{
	p->by = ZONES_NAMES;
	return begin(p);
}

bool part_bound(const struct part *p, int64_t *bound)
{
	if (p->zones_at == p->zones_n)
		return false;
	*bound = p->q->newest_first ? p->zones[p->zones_at].last : p->zones[p->zones_at].first;
	return true;
}

/* Leaves from `lo` to before `hi` that may hold a match. */
static int collect(struct part *p, int64_t lo, int64_t hi, struct leaves *out)
{
	size_t i;
	int r = 0;

	if (p->by == ZONES_NAMES)
		return part_named(p, lo, hi, out);
	for (i = 0; !r && i < p->combos.n; i++)
		r = part_posts(p, -p->combos.v[i], lo, hi, out);
	return r;
}

/* The segment of a leaf, where it is asked for and was not gone through. */
static int add(struct part *p, int64_t leaf)
{
	sqlite3_stmt *st = p->month->seg;
	struct entry e = {.leaf = (uint64_t)leaf};
	int r;

	if (p->seen.n && bsearch(&leaf, p->seen.v, p->seen_sorted, sizeof(*p->seen.v), by_number))
		return 0;
	sqlite3_reset(st);
	sqlite3_bind_int64(st, 1, leaf);
	r = sql_step(st);
	if (!r) {
		e.host = sqlite3_column_int64(st, 0);
		e.first = sqlite3_column_int64(st, 1);
		e.last = sqlite3_column_int64(st, 2);
	}
	sqlite3_reset(st);
	return r == V_END ? 0 : r ? r : part_list(p, &e);
}

int part_fill(struct part *p)
{
	_cleanup_free_ int64_t *ids = NULL;
	struct leaves found = {.n = 0};
	size_t n, i, k, lists;
	int r = 0;

	if (p->by == ZONES_COMBOS && !p->combos_known) {
		p->combos.n = 0;
		r = part_combos(p, &p->combos);
		p->combos_known = true;
	}
	lists = p->by == ZONES_NAMES ? part_named_lists(p) : p->combos.n;
	if (r || !lists) {
		p->zones_at = p->zones_n;
		return r;
	}
	/* Many lists: to come to one costs as much as to read on in it. */
	if (p->batch < lists / LISTS_A_ZONE)
		p->batch = lists / LISTS_A_ZONE;
	n = p->zones_n - p->zones_at < p->batch ? p->zones_n - p->zones_at : p->batch;
	ids = malloc((n + 1) * sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		ids[i] = p->zones[p->zones_at + i].id;
	qsort(ids, n, sizeof(*ids), by_number);
	for (i = 0; !r && i < n; i = k) {
		for (k = i + 1; k < n && ids[k] <= ids[k - 1] + GAP; k++)
			;
		r = collect(p, ids[i] << ZONE_BITS, (ids[k - 1] + 1) << ZONE_BITS, &found);
	}
	leaves_settle(&found);
	for (i = 0; !r && i < found.n; i++) {
		int64_t zone = found.v[i] >> ZONE_BITS;

		if (bsearch(&zone, ids, n, sizeof(*ids), by_number))
			r = add(p, found.v[i]);
	}
	free(found.v);
	part_sort(p);
	p->zones_at += n;
	p->batch = p->batch < BATCH_MAX ? p->batch * 2 : BATCH_MAX;
	return r;
}
