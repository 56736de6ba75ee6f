/*
 * Queries: segments in order of time from all months, their matching rows into a heap, and out of it as soon as no
 * segment that is still to come can hold an earlier one.
 *
 * First the segments are simply gone through from the asked end: what is common is found at once. Where that takes too
 * long, posting lists tell which segments can hold a match, zone by zone: first those of combinations, which are short
 * work, then those of names: what is rare is in few. Reads beside a writer, never writes.
 */
#include "collector/store/ask.h"
#include "policy/base/text.h"
#include <errno.h>

#define LOOK 64u           /* segments that are gone through before posting lists of combinations are asked */
#define LOOK_NAMES 32u     /* before those of names are: each row has a name to look at, which costs most */
#define ENOUGH 8u          /* where an eighth of the rows was found meanwhile, twice as many */
#define ENOUGH_NAMES 2u    /* .. of names: half of them */
#define LISTS_A_SEGMENT 8u /* posting lists are come to while one segment is gone through */
#define HOST_NAMES 256u

size_t asking_sorted_max = 8u << 20;

struct hit {
	int64_t time;
	uint64_t row;
};

struct asking {
	struct store *store;
	struct month *months;
	unsigned n;
	struct fetch *fetch;
	struct block *block;
	struct record record;
	/* Names of PCs, while one question is answered. */
	struct {
		bool used;
		struct digest id;
		char name[128];
	} * names;
};

struct answer {
	struct asking *a;
	const struct question *q;
	struct part *parts;
	unsigned n;
	struct hit *heap;
	size_t heap_n, heap_cap;
	store_row_fn fn;
	void *ctx;
	size_t left;    /* rows that may still be told; SIZE_MAX: any number */
	unsigned found; /* rows that matched */
	unsigned looked, look;
	enum { STAGE_TIME, STAGE_COMBOS, STAGE_LAST } stage;
};

int asking_open(struct store *s, struct asking **out)
{
	struct asking *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->store = s;
	a->block = malloc(sizeof(*a->block));
	a->names = calloc(HOST_NAMES, sizeof(*a->names));
	r = a->block && a->names ? fetch_new(s, &a->fetch) : -ENOMEM;
	if (r) {
		asking_close(a);
		return r;
	}
	*out = a;
	return 0;
}

void asking_close(struct asking *a)
{
	unsigned i;

	if (!a)
		return;
	for (i = 0; i < a->n; i++)
		month_close(&a->months[i]);
	free(a->months);
	fetch_free(a->fetch);
	free(a->block);
	free(a->names);
	free(a);
}

/* Opens months that are new, closes those that are gone or were made again. */
static int refresh(struct asking *a, struct why *why)
{
	char names[MONTHS_MAX][8], path[PATH_MAX];
	unsigned i, k, n;
	struct stat st;
	int r = months_list(a->store->dir, names, &n);

	for (i = 0; !r && i < a->n; i++) {
		struct month *m = &a->months[i];

		snprintf(path, sizeof(path), "%s/index/%s.db", a->store->dir, m->name);
		if (!stat(path, &st) && st.st_ino == m->ino && st.st_dev == m->dev)
			continue;
		month_close(m);
		memmove(m, m + 1, (a->n - i - 1) * sizeof(*m));
		a->n--;
		i--;
	}
	for (i = 0; !r && i < n; i++) {
		struct month *v, m;

		for (k = 0; k < a->n && strcmp(a->months[k].name, names[i]) != 0; k++)
			;
		if (k < a->n)
			continue;
		r = month_open(a->store->dir, names[i], &m);
		if (r == V_NOT_FOUND) {
			r = 0;
			continue;
		}
		if (r > 0)
			return why_set(why, V_BAD,
				"index/%s.db: cannot be read; sekishoctl store rebuild makes it anew", names[i]);
		if (r)
			return r;
		v = realloc(a->months, (a->n + 1) * sizeof(*v));
		if (!v) {
			month_close(&m);
			return -ENOMEM;
		}
		a->months = v;
		a->months[a->n++] = m;
	}
	return r;
}

int asking_stats(struct asking *a, struct store_stats *out)
{
	_cleanup_closedir_ DIR *d = NULL;
	char path[PATH_MAX];
	struct dirent *e;
	struct stat st;
	unsigned i;
	int r = refresh(a, NULL);

	for (i = 0; !r && i < a->n; i++) {
		int64_t records = 0, next = 0;

		r = sql_number(a->months[i].db, "SELECT v FROM meta WHERE k='records'", 0, &records);
		r = r ? r : sql_number(a->months[i].db, "SELECT v FROM meta WHERE k='next'", 0, &next);
		out->records += (uint64_t)records;
		if ((uint64_t)next > out->indexed)
			out->indexed = (uint64_t)next;
	}
	snprintf(path, sizeof(path), "%s/index", a->store->dir);
	d = opendir(path);
	while (!r && d && (e = readdir(d)))
		if (!fstatat(dirfd(d), e->d_name, &st, 0) && S_ISREG(st.st_mode))
			out->index_bytes += (uint64_t)st.st_size;
	return r;
}

int asking_last_row(struct asking *a, uint64_t *row)
{
	uint64_t last = 0;
	unsigned i;
	int r = refresh(a, NULL);

	for (i = 0; !r && i < a->n; i++) {
		int64_t leaf = -1, n = 0;

		r = sql_number(a->months[i].db, "SELECT max(leaf) FROM seg", -1, &leaf);
		if (r || leaf < 0)
			continue;
		r = sql_number(a->months[i].db, "SELECT n FROM seg ORDER BY leaf DESC LIMIT 1", 0, &n);
		if (((uint64_t)leaf << ROW_BITS | (uint64_t)n) > last)
			last = (uint64_t)leaf << ROW_BITS | (uint64_t)n;
	}
	if (!r)
		*row = last;
	return r > 0 ? V_BAD : r;
}

/* --- the heap: what is told first lies on top --- */

static bool before(const struct answer *w, const struct hit *a, const struct hit *b)
{
	if (a->time != b->time)
		return (a->time < b->time) != w->q->newest_first;
	return (a->row < b->row) != w->q->newest_first;
}

static int by_order(const void *a, const void *b, void *w)
{
	return before(w, a, b) ? -1 : before(w, b, a);
}

/*
 * Rows behind those that are wanted will never be told: one PC whose records all lie at one moment must not fill the
 * heap. What is sorted is a heap.
 */
static void shorten(struct answer *w)
{
	if (!w->heap || w->left > asking_sorted_max / 4 || w->heap_n < 2 * w->left + 64)
		return;
	qsort_r(w->heap, w->heap_n, sizeof(*w->heap), by_order, w);
	w->heap_n = w->left;
}

static int push(struct answer *w, struct hit h)
{
	size_t i;

	shorten(w);
	if (w->heap_n == w->heap_cap) {
		size_t cap = w->heap_cap ? w->heap_cap * 2 : 1024;
		struct hit *v;

		if (cap > asking_sorted_max)
			return V_FULL;
		v = realloc(w->heap, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		w->heap = v;
		w->heap_cap = cap;
	}
	for (i = w->heap_n++; i && before(w, &h, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = h;
	return 0;
}

static struct hit pop(struct answer *w)
{
	struct hit top = w->heap[0], last = w->heap[--w->heap_n];
	size_t i = 0, k;

	while ((k = 2 * i + 1) < w->heap_n) {
		if (k + 1 < w->heap_n && before(w, &w->heap[k + 1], &w->heap[k]))
			k++;
		if (!before(w, &w->heap[k], &last))
			break;
		w->heap[i] = w->heap[k];
		i = k;
	}
	w->heap[i] = last;
	return top;
}

/* --- telling --- */

static int host_name(struct asking *a, const struct digest *id, const char **out)
{
	unsigned slot = id->b[0] % HOST_NAMES;
	struct store_host h;
	struct hosts *hosts;
	int r;

	if (!a->names[slot].used || !digest_eq(&a->names[slot].id, id)) {
		r = store_hosts(a->store, &hosts);
		r = r ? r : hosts_get(hosts, id, &h);
		if (r < 0)
			return r;
		a->names[slot].used = true;
		a->names[slot].id = *id;
		snprintf(a->names[slot].name, sizeof(a->names[slot].name), "%s", r ? "" : h.name);
	}
	*out = a->names[slot].name[0] ? a->names[slot].name : NULL;
	return 0;
}

static int tell(struct answer *w, const struct hit *h)
{
	struct store_row row = {.row = h->row, .leaf = h->row >> ROW_BITS};
	unsigned i = (unsigned)(h->row & ((1u << ROW_BITS) - 1)) - 1;
	int r = 0;

	if (w->q->f->bare) {
		record_set_int(&row.record, F_TIME, h->time);
	} else {
		r = fetch_record(w->a->fetch, row.leaf, i, &row.record, &row.host);
		if (r == V_NOT_FOUND)
			return 0; /* retention took the body while we were asking */
		r = r ? r : host_name(w->a, &row.host, &row.host_name);
	}
	r = r ? r : w->fn(w->ctx, &row);
	if (!r && w->left != SIZE_MAX && !--w->left)
		r = V_END;
	return r;
}

/* --- going through --- */

static int scan(struct answer *w, struct part *p, const struct entry *e)
{
	const struct question *q = w->q;
	struct block *b = w->a->block;
	unsigned i;
	int r = month_block(p->month, e->leaf, b);

	if (r)
		return r == V_NOT_FOUND ? V_BAD : r;
	for (i = 0; i < b->n; i++) {
		uint64_t row = ROW_OF(e->leaf, i);
		bool yes = true;

		if (b->time[i] < q->from || b->time[i] >= q->until || row <= q->f->after_row ||
			question_told(q->f, b->time[i], row))
			continue;
		r = part_matches(p, b, i, &yes);
		if (!r && yes) {
			w->found++;
			r = push(w, (struct hit){.time = b->time[i], .row = row});
		}
		if (r)
			return r;
	}
	return 0;
}

/* --- narrowing --- */

static int narrow_to_combos(struct answer *w)
{
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < w->n; i++)
		r = part_narrow_to_combos(&w->parts[i]);
	return r;
}

/*
 * When the question comes to it: a month that lies behind the rows that are wanted is not asked for names. Then
 * segments are gone through for as long as it takes to come to so many lists: whether a row has one of those names
 * costs nothing now, and what many names match is often there. V_AGAIN: one more.
 */
static int narrow_to_names(struct part *p)
{
	int r = p->found_names ? 0 : part_find_names(p);

	if (!r && !p->found_names) {
		p->found_names = true;
		p->patience = part_named_lists(p) / LISTS_A_SEGMENT;
	}
	if (!r && p->patience) {
		p->patience--;
		return V_AGAIN;
	}
	r = r ? r : part_narrow_to_names(p);
	p->by_names = false;
	p->settled = true;
	return r == V_FULL ? 0 : r;
}

/* A segment more is to be gone through: is it time to ask posting lists? */
static int next_stage(struct answer *w)
{
	const struct question *q = w->q;
	bool names = q->by_path || q->by_text;
	unsigned enough = w->stage == STAGE_TIME && q->by_combo ? ENOUGH : ENOUGH_NAMES;
	unsigned i;
	int r = 0;

	if (w->stage == STAGE_LAST || w->looked++ < w->look)
		return 0;
	if (q->f->limit && w->found >= (q->f->wanted ? q->f->wanted : q->f->limit) / enough &&
		w->look < UINT32_MAX / 2) {
		w->look *= 2;
		return 0;
	}
	if (w->stage == STAGE_TIME && q->by_combo) {
		w->stage = names ? STAGE_COMBOS : STAGE_LAST;
		w->look = w->looked + LOOK_NAMES;
		w->found = 0;
		r = narrow_to_combos(w);
	} else {
		w->stage = STAGE_LAST;
		for (i = 0; i < w->n; i++)
			w->parts[i].by_names = true;
	}
	for (i = 0; i < w->n; i++)
		w->parts[i].settled = w->stage == STAGE_LAST && !names;
	return r;
}

/* --- all of it --- */

/* The part whose next segment comes first. False where none has one. What may be in a zone comes before it is read. */
static int choose(struct answer *w, struct part **best, struct entry *first)
{
	bool newest = w->q->newest_first;
	unsigned i;
	int r;

	for (;;) {
		bool in_zone = false;

		*best = NULL;
		for (i = 0; i < w->n; i++) {
			struct part *p = &w->parts[i];
			struct entry e = {.leaf = 0};
			int64_t bound = 0;
			bool there = part_peek(p, &e);
			bool more = part_bound(p, &bound) && (!there || (newest ? bound > e.last : bound < e.first));

			if (more)
				e.first = e.last = bound;
			if ((there || more) && (!*best || (newest ? e.last > first->last : e.first < first->first))) {
				*best = p;
				*first = e;
				in_zone = more;
			}
		}
		if (!in_zone)
			return 0;
		r = part_fill(*best);
		if (r)
			return r;
	}
}

static int go(struct answer *w)
{
	const struct question *q = w->q;
	int r = 0;

	if (!(q->by_combo || q->by_path || q->by_text) || q->f->after_row)
		w->stage = STAGE_LAST;
	w->look = !q->f->limit ? 0 : q->by_combo ? LOOK : LOOK_NAMES;
	while (!r) {
		struct part *best = NULL;
		struct entry first = {.leaf = 0};

		r = next_stage(w);
		r = r ? r : choose(w, &best, &first);
		/* Rows that nothing to come can precede. */
		while (!r && w->heap_n &&
			(!best || (q->newest_first ? w->heap[0].time > first.last : w->heap[0].time < first.first))) {
			struct hit h = pop(w);

			r = tell(w, &h);
		}
		if (r || !best)
			return r;
		if (best->by_names) {
			r = narrow_to_names(best);
			if (r != V_AGAIN)
				continue;
		}
		r = part_next(best);
		r = r ? r : scan(w, best, &first);
	}
	return r;
}

/* --- what is asked --- */

struct wanted {
	const char *host;
	struct question *q;
	size_t cap;
};

static int add_host(struct wanted *w, const struct digest *id)
{
	if (w->q->hosts_n == w->cap) {
		size_t cap = w->cap ? 2 * w->cap : 16;
		struct digest *v = realloc(w->q->hosts, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		w->q->hosts = v;
		w->cap = cap;
	}
	w->q->hosts[w->q->hosts_n++] = *id;
	return 0;
}

static bool is_added(const struct wanted *w, const struct digest *id)
{
	size_t i;

	for (i = 0; i < w->q->hosts_n; i++)
		if (digest_eq(&w->q->hosts[i], id))
			return true;
	return false;
}

static int on_host(void *ctx, const struct store_host *h)
{
	const struct store_filter *f;
	struct wanted *w = ctx;

	f = w->q->f;
	if ((w->host && strcmp(h->name, w->host) != 0 && !store_host_digits(w->host, &h->id)) ||
		(f->wants && !f->wants(f->wants_ctx, h)))
		return 0;
	return add_host(w, &h->id);
}

/* By name from the PCs that are known, by digits also from those that only have rows. */
static int find_hosts(struct asking *a, struct question *q)
{
	struct wanted w = {.host = q->f->host, .q = q};
	unsigned i;
	int r = store_host_each(a->store, on_host, &w);

	for (i = 0; !r && !q->f->wants && i < a->n; i++) {
		_cleanup_stmt_ sqlite3_stmt *st = NULL;

		r = sql_prepare(a->months[i].db, "SELECT host FROM host", &st);
		while (!r && !(r = sql_step(st))) {
			struct span s = sql_blob(st, 0);
			struct digest id;

			if (s.n != DIGEST_SIZE)
				continue;
			memcpy(id.b, s.p, DIGEST_SIZE);
			r = store_host_digits(w.host, &id) && !is_added(&w, &id) ? add_host(&w, &id) : 0;
		}
		r = r == V_END ? 0 : r;
	}
	if (!r && !q->hosts) {
		q->hosts = calloc(1, sizeof(*q->hosts)); /* nobody */
		r = q->hosts ? 0 : -ENOMEM;
	}
	return r;
}

int asking_query(struct asking *a, const struct store_filter *f, store_row_fn fn, void *ctx, struct why *why)
{
	struct question q = {.f = f};
	struct answer w = {.a = a, .q = &q, .fn = fn, .ctx = ctx, .left = question_rows(f)};
	unsigned i;
	int r = question_of(f, &q, why);

	r = r ? r : refresh(a, why);
	if (r)
		return r;
	memset(a->names, 0, HOST_NAMES * sizeof(*a->names));
	r = f->host || f->wants ? find_hosts(a, &q) : 0;
	w.parts = calloc(a->n ? a->n : 1, sizeof(*w.parts));
	if (!w.parts)
		r = -ENOMEM;
	for (i = 0; !r && i < a->n; i++) {
		/* One view of the file, however long it takes. */
		r = sql_exec(a->months[i].db, "BEGIN");
		r = r ? r : part_begin(&w.parts[w.n], &q, &a->months[i]);
		if (r == V_END) {
			part_end(&w.parts[w.n]);
			r = 0;
		} else {
			w.parts[w.n++].settled = !(q.by_combo || q.by_path || q.by_text) || f->after_row;
		}
	}
	r = r ? r : go(&w);
	for (i = 0; i < w.n; i++)
		part_end(&w.parts[i]);
	for (i = 0; i < a->n; i++) {
		sqlite3_reset(a->months[i].name_of);
		if (!sqlite3_get_autocommit(a->months[i].db))
			sql_exec(a->months[i].db, "COMMIT");
	}
	free(w.parts);
	free(w.heap);
	free(q.hosts);
	if (r == V_FULL)
		return why_set(why, V_FULL, "more rows lie at the same time than can be sorted: ask for less time");
	if (r == V_BAD)
		return why_set(why, V_BAD, "the index is damaged; sekishoctl store rebuild makes it anew");
	return r == V_END ? 0 : r;
}

/* --- counting --- */

/* `leaf` may have rows behind `upto`, which belong to nobody yet. */
static int count_block(const struct month *m, const struct block *b, uint64_t leaf, const struct question *q,
	uint64_t upto, uint64_t counts[STORE_KINDS])
{
	unsigned i;

	for (i = 0; i < b->n && ROW_OF(leaf, i) <= upto; i++) {
		if (b->time[i] < q->from || b->time[i] >= q->until)
			continue;
		if (b->combo[i] < 1 || (uint64_t)b->combo[i] > m->combo_n)
			return V_BAD;
		if (m->combo[b->combo[i] - 1].kind < STORE_KINDS)
			counts[m->combo[b->combo[i] - 1].kind]++;
	}
	return 0;
}

static int count_month(
	struct asking *a, struct month *m, const struct question *q, uint64_t upto, uint64_t counts[STORE_KINDS])
{
	struct entry e;
	struct part p;
	int r = part_begin(&p, q, m);

	p.settled = true;
	r = r ? r : month_combos(m);
	while (!r && part_peek(&p, &e)) {
		r = part_next(&p);
		r = r ? r : month_block(m, e.leaf, a->block);
		r = r ? r : count_block(m, a->block, e.leaf, q, upto, counts);
	}
	part_end(&p);
	return r == V_END ? 0 : r == V_NOT_FOUND ? V_BAD : r;
}

int asking_count(struct asking *a, int64_t from_us, int64_t until_us, uint64_t upto, uint64_t counts[STORE_KINDS],
	struct why *why)
{
	struct store_filter f = {.from_us = from_us, .until_us = until_us};
	struct question q = {.f = &f};
	unsigned i;
	int r = question_of(&f, &q, why);

	r = r ? r : refresh(a, why);
	for (i = 0; !r && i < a->n; i++) {
		r = sql_exec(a->months[i].db, "BEGIN");
		r = r ? r : count_month(a, &a->months[i], &q, upto, counts);
		sqlite3_reset(a->months[i].block);
		if (!sqlite3_get_autocommit(a->months[i].db))
			sql_exec(a->months[i].db, "COMMIT");
	}
	return r == V_BAD ? why_set(why, V_BAD, "the index is damaged; sekishoctl store rebuild makes it anew") : r;
}
