/*
 * Names, combinations and posting lists: does a row match, and which segments can hold one that does. See ask.h.
 *
 * What is found out about an id is remembered while a month is asked: a name is looked at once, however many rows have
 * it.
 */
#include "collector/store/ask.h"
#include "collector/store/dict.h"
#include "policy/base/text.h"
#include <errno.h>

#define IDS_MAX 65536u        /* names that a pattern may stand for before it is looked for row by row */
#define LOOKED_AT_MAX 262144u /* names that are looked at to find them */
#define TRIGRAMS_MAX 8u
#define KNOWN 0x80
#define FACETS 1 /* a combination has the user, program, kind, class that are asked */
#define TEXT 2   /* its user or program holds the text */

size_t asking_sample = 1024;

void memo_deinit(struct memo *m)
{
	free(m->slots);
	*m = (struct memo){.n = 0};
}

static size_t slot_of(const struct memo *m, int64_t id)
{
	size_t at = ((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (m->cap - 1);

	while (m->slots[at].what && m->slots[at].id != id)
		at = (at + 1) & (m->cap - 1);
	return at;
}

/* KNOWN and what is known, or 0. */
static uint8_t memo_get(const struct memo *m, int64_t id)
{
	return m->cap ? m->slots[slot_of(m, id)].what : 0;
}

static int memo_put(struct memo *m, int64_t id, uint8_t what)
{
	size_t at;

	if (m->n * 2 >= m->cap) {
		struct memo bigger = {.cap = m->cap ? m->cap * 2 : 1024, .n = m->n};

		bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
		if (!bigger.slots)
			return -ENOMEM;
		for (at = 0; at < m->cap; at++)
			if (m->slots[at].what)
				bigger.slots[slot_of(&bigger, m->slots[at].id)] = m->slots[at];
		free(m->slots);
		*m = bigger;
	}
	at = slot_of(m, id);
	m->n += !m->slots[at].what;
	m->slots[at].id = id;
	m->slots[at].what = what | KNOWN;
	return 0;
}

int leaves_put(struct leaves *l, int64_t leaf)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 256;
		int64_t *v = realloc(l->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = leaf;
	return 0;
}

/* --- rows --- */

static int name_matches(struct part *p, struct memo *memo, const struct match *m, int64_t id, bool *yes)
{
	uint8_t what = id ? memo_get(memo, id) : KNOWN;
	struct span name;
	int r;

	if (!what) {
		r = month_name(p->month, id, &name);
		if (r)
			return r == V_NOT_FOUND ? V_BAD : r;
		what = match_name(m, name) | KNOWN;
		r = memo_put(memo, id, what);
		if (r)
			return r;
	}
	*yes = what & 1;
	return 0;
}

/* Of a row: where it is known which names match, others are not looked at. */
static int row_matches(
	struct part *p, const struct named *known, struct memo *memo, const struct match *m, int64_t id, bool *yes)
{
	const struct leaves *ids = &known->ids;

	*yes = known->known && ids->n && bsearch(&id, ids->v, ids->n, sizeof(*ids->v), by_number);
	return !known->known || (*yes && known->rough) ? name_matches(p, memo, m, id, yes) : 0;
}

static bool one_of(unsigned v, const unsigned *of, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (v == of[i])
			return true;
	return !n;
}

static int judge_combo(struct part *p, const struct combo *c, uint8_t *out)
{
	const struct question *q = p->q;
	bool facets = one_of(c->kind, q->f->kinds, q->f->kinds_n) && one_of(c->class, q->f->classes, q->f->classes_n);
	bool text = false;
	int r = 0;

	if (facets && q->f->user)
		r = name_matches(p, &p->user, &q->user, c->user, &facets);
	if (!r && facets && q->f->program)
		r = name_matches(p, &p->program, &q->program, c->program, &facets);
	if (!r && facets && q->by_text) {
		r = name_matches(p, &p->text, &q->text, c->user, &text);
		if (!r && !text)
			r = name_matches(p, &p->text, &q->text, c->program, &text);
	}
	*out = (uint8_t)(KNOWN | (facets ? FACETS : 0) | (text ? TEXT : 0));
	return r;
}

/* Where the month has its combinations in memory: room for what is found out about them. */
static int judge_room(struct part *p)
{
	size_t n = p->month->combo_n;
	uint8_t *v;

	if (p->judged_n == n)
		return 0;
	v = realloc(p->judged, n);
	if (!v)
		return -ENOMEM;
	memset(v + p->judged_n, 0, n - p->judged_n);
	p->judged = v;
	p->judged_n = n;
	return 0;
}

/* One that is in memory: `at` is its place. */
static int judge_at(struct part *p, size_t at, uint8_t *out)
{
	int r = p->judged[at] ? 0 : judge_combo(p, &p->month->combo[at], &p->judged[at]);

	*out = r ? 0 : p->judged[at];
	if (r)
		p->judged[at] = 0;
	return r;
}

static int combo_of_table(struct part *p, int64_t id, uint8_t *out)
{
	sqlite3_stmt *st = p->month->combo_of;
	struct combo c;
	int r;

	*out = memo_get(&p->combo, id);
	if (*out)
		return 0;
	sqlite3_reset(st);
	sqlite3_bind_int64(st, 1, id);
	r = sql_step(st);
	if (!r) {
		c = (struct combo){.user = sqlite3_column_int64(st, 0),
			.program = sqlite3_column_int64(st, 1),
			.kind = (unsigned)sqlite3_column_int64(st, 2),
			.class = (unsigned)sqlite3_column_int64(st, 3)};
		r = judge_combo(p, &c, out);
		r = r ? r : memo_put(&p->combo, id, *out);
	}
	sqlite3_reset(st);
	return r == V_END ? V_BAD : r;
}

static int combo_what(struct part *p, int64_t id, uint8_t *out)
{
	int r = judge_room(p);

	if (r)
		return r;
	return id > 0 && (uint64_t)id <= p->judged_n ? judge_at(p, (size_t)id - 1, out) : combo_of_table(p, id, out);
}

int part_matches(struct part *p, const struct block *b, unsigned i, bool *yes)
{
	const struct question *q = p->q;
	uint8_t combo = FACETS;
	bool is = true;
	int r = q->by_combo || q->by_text ? combo_what(p, b->combo[i], &combo) : 0;

	if (r || !(combo & FACETS)) {
		*yes = false;
		return r;
	}
	if (q->by_path) {
		r = row_matches(p, &p->paths, &p->path, &q->path, b->path[i], &is);
		if (!r && !is)
			r = row_matches(p, &p->paths, &p->path, &q->path, b->path2[i], &is);
	}
	if (!r && is && q->by_text && !(combo & TEXT)) {
		const int64_t names[] = {b->path[i], b->path2[i], b->args[i]};
		size_t k;

		is = false;
		for (k = 0; !r && !is && k < ARRAY_SIZE(names); k++)
			r = row_matches(p, &p->texts, &p->text, &q->text, names[k], &is);
	}
	*yes = is;
	return r;
}

/* --- segments --- */

static int put_trigram(struct buf *out, struct span t)
{
	size_t k;
	int r = buf_puts(out, out->n ? " AND \"" : "\"");

	for (k = 0; !r && k < t.n; k++)
		r = t.p[k] == '"' ? buf_puts(out, "\"\"") : buf_put(out, t.p + k, 1);
	return r ? r : buf_puts(out, "\"");
}

/*
 * "xyz" AND "uvw" AND ...: what every name that holds the run has. Each more costs a list to be gone through, and those
 * that overlap exclude hardly anything: so a few, side by side where the run is short, else spread over all of it, as
 * what is rare in a path may stand anywhere (the beginning is of a person, the end of a project). Empty where the run
 * is too short or no text.
 */
static int trigrams(struct span run, struct buf *out)
{
	_cleanup_free_ size_t *at = NULL;
	size_t n = 0, i, k, some;
	int r = 0;

	if (!run.n || !text_is_utf8(run))
		return 0;
	at = malloc((run.n + 1) * sizeof(*at));
	if (!at)
		return -ENOMEM;
	for (i = 0; i < run.n; i++)
		if ((run.p[i] & 0xc0) != 0x80)
			at[n++] = i;
	at[n] = run.n;
	some = (n + 2) / 3 < TRIGRAMS_MAX ? (n + 2) / 3 : TRIGRAMS_MAX;
	for (k = 0; !r && n >= 3 && k < some; k++) {
		i = some > 1 ? (n - 3) * k / (some - 1) : 0;
		r = put_trigram(out, SPAN(run.p + at[i], at[i + 3] - at[i]));
	}
	return r;
}

/*
 * Looks at the names that the statement tells, each with its id, and keeps the ids of those that match. V_FULL where it
 * tells more than `most`.
 */
static int keep(sqlite3_stmt *st, const struct match *m, size_t most, struct leaves *ids)
{
	size_t looked = 0;
	int r;

	while (!(r = sql_step(st))) {
		if (looked++ == most)
			return V_FULL;
		if (!match_name(m, sql_blob(st, 1)))
			continue;
		r = ids->n == IDS_MAX ? V_FULL : leaves_put(ids, sqlite3_column_int64(st, 0));
		if (r)
			return r;
	}
	return r == V_END ? 0 : r;
}

static int keep_from(struct part *p, const char *text, const struct match *m, struct leaves *ids)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = sql_prepare(p->month->db, text, &st);

	return r ? r : keep(st, m, SIZE_MAX, ids);
}

/* A whole name. */
static int keep_by_hash(struct part *p, const struct match *m, struct leaves *ids)
{
	struct span name = SPAN(m->pattern, m->n);
	sqlite3_stmt *st = p->month->name_by_hash;
	int r;

	sqlite3_reset(st);
	sqlite3_bind_int64(st, 1, (int64_t)siphash(p->month->key, name));
	if (p->month->by_tail)
		sqlite3_bind_int64(st, 2, dict_tail(p->month->key, name_tail(name)));
	r = keep(st, m, SIZE_MAX, ids);
	sqlite3_reset(st);
	return r;
}

/* By the last component that all of them have. */
static int keep_by_tail(struct part *p, const struct match *m, struct leaves *ids)
{
	sqlite3_stmt *st = p->month->by_tail;
	int r;

	sqlite3_reset(st);
	sqlite3_bind_int64(st, 1, dict_tail(p->month->key, match_tail(m)));
	r = keep(st, m, LOOKED_AT_MAX, ids);
	sqlite3_reset(st);
	return r;
}

/*
 * The names that have all those trigrams. To look at one costs several times what it costs to be told its id: where
 * most of the first ones match, no more are looked at.
 */
static int keep_found(struct part *p, struct span expr, const struct match *m, struct named *out)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	size_t looked;
	int r = sql_prepare(p->month->db, "SELECT rowid FROM fts WHERE fts MATCH ?1", &st);

	if (r)
		return r;
	sqlite3_bind_text(st, 1, (const char *)expr.p, (int)expr.n, SQLITE_STATIC);
	for (looked = 0; !(r = sql_step(st)); looked++) {
		int64_t id = sqlite3_column_int64(st, 0);
		bool is = true;

		if (looked == LOOKED_AT_MAX || out->ids.n == IDS_MAX)
			return V_FULL;
		out->rough |= looked == asking_sample && out->ids.n > asking_sample / 4;
		if (!out->rough) {
			struct span name;

			r = month_name(p->month, id, &name);
			if (r)
				return r == V_NOT_FOUND ? V_BAD : r;
			is = match_name(m, name);
		}
		r = is ? leaves_put(&out->ids, id) : 0;
		if (r)
			return r;
	}
	return r == V_END ? 0 : r;
}

/* By three letters each. */
static int keep_by_text(struct part *p, const struct match *m, struct named *out)
{
	_cleanup_buf_ struct buf expr = BUF_INIT(4096);
	struct leaves *ids = &out->ids;
	int r = trigrams(match_run(m), &expr);

	if (r)
		return r < 0 ? r : V_FULL;
	if (!expr.n)
		return keep_from(p, "SELECT id, s FROM name", m, ids);
	r = keep_found(p, buf_span(&expr), m, out);
	/* Names that text search has not taken in yet, and those that are no text. */
	r = r ? r : keep_from(p, "SELECT id, s FROM name WHERE id > (SELECT v FROM meta WHERE k='searched')", m, ids);
	return r ? r : keep_from(p, "SELECT id, s FROM name WHERE id IN (SELECT id FROM odd)", m, ids);
}

/* The ids of the names that match. 0, V_FULL, -errno. */
static int resolve(struct part *p, const struct match *m, struct named *out)
{
	if (m->kind == MATCH_WHOLE && !m->tail)
		return keep_by_hash(p, m, &out->ids);
	return p->month->by_tail && match_tail(m).n ? keep_by_tail(p, m, &out->ids) : keep_by_text(p, m, out);
}

int part_posts(struct part *p, int64_t id, int64_t lo, int64_t hi, struct leaves *out)
{
	sqlite3_stmt *st = p->month->post;
	int r;

	sqlite3_reset(st);
	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_int64(st, 2, lo);
	sqlite3_bind_int64(st, 3, hi);
	while (!(r = sql_step(st))) {
		r = leaves_put(out, sqlite3_column_int64(st, 0));
		if (r)
			break;
	}
	sqlite3_reset(st);
	return r == V_END ? 0 : r;
}

int by_number(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

void leaves_settle(struct leaves *l)
{
	size_t i, n = 0;

	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_number);
	for (i = 0; i < l->n; i++)
		if (!n || l->v[n - 1] != l->v[i])
			l->v[n++] = l->v[i];
	l->n = n;
}

/* The combinations for which `bit` holds. */
static int combos_with(struct part *p, uint8_t bit, struct leaves *ids)
{
	uint8_t what;
	size_t i;
	int r = month_combos(p->month);

	r = r ? r : judge_room(p);
	for (i = 0; !r && i < p->judged_n; i++) {
		r = judge_at(p, i, &what);
		if (!r && (what & bit))
			r = leaves_put(ids, (int64_t)i + 1);
	}
	return r;
}

/* Of one PC, which has few of them. */
static int combos_of_host(struct part *p, int64_t host, struct leaves *ids)
{
	sqlite3_stmt *st = p->month->had;
	int r;

	sqlite3_reset(st);
	sqlite3_bind_int64(st, 1, host);
	while (!(r = sql_step(st))) {
		int64_t id = sqlite3_column_int64(st, 0);
		uint8_t what;

		r = combo_what(p, id, &what);
		if (!r && (what & FACETS))
			r = leaves_put(ids, id);
		if (r)
			break;
	}
	sqlite3_reset(st);
	return r == V_END ? 0 : r;
}

int part_combos(struct part *p, struct leaves *ids)
{
	size_t i;
	int r = 0;

	if (!p->hosts)
		return combos_with(p, FACETS, ids);
	for (i = 0; !r && i < p->hosts_n; i++)
		r = combos_of_host(p, p->hosts[i], ids);
	leaves_settle(ids);
	return r;
}

/* V_FULL: too many, and none is known. */
static int find(struct part *p, const struct match *m, struct named *out)
{
	int r = resolve(p, m, out);

	out->known = !r;
	if (r)
		out->ids.n = 0;
	leaves_settle(&out->ids);
	return r;
}

int part_find_names(struct part *p)
{
	const struct question *q = p->q;
	int r = q->by_path ? find(p, &q->path, &p->paths) : 0;

	if (!r || r == V_FULL)
		r = q->by_text ? find(p, &q->text, &p->texts) : 0;
	if (r && r != V_FULL)
		return r;
	r = p->texts.known ? combos_with(p, TEXT, &p->text_combos) : 0;
	return r ? r : p->paths.known || p->texts.known ? 0 : V_FULL;
}

size_t part_named_lists(const struct part *p)
{
	return p->paths.ids.n + p->texts.ids.n + p->text_combos.n;
}

/* Makes `out` what it has in common with `with`. */
static void intersect(struct leaves *out, struct leaves *with)
{
	size_t i, k = 0, n = 0;

	leaves_settle(out);
	leaves_settle(with);
	for (i = 0; i < out->n; i++) {
		while (k < with->n && with->v[k] < out->v[i])
			k++;
		if (k < with->n && with->v[k] == out->v[i])
			out->v[n++] = out->v[i];
	}
	out->n = n;
}

static int posts_of(struct part *p, const struct leaves *ids, int sign, int64_t lo, int64_t hi, struct leaves *out)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < ids->n; i++)
		r = part_posts(p, sign * ids->v[i], lo, hi, out);
	return r;
}

int part_named(struct part *p, int64_t lo, int64_t hi, struct leaves *out)
{
	bool both = p->paths.known && p->texts.known;
	struct leaves one = {.n = 0}, other = {.n = 0};
	size_t i;
	int r = posts_of(p, &p->paths.ids, 1, lo, hi, &one);

	r = r ? r : posts_of(p, &p->texts.ids, 1, lo, hi, both ? &other : &one);
	r = r ? r : posts_of(p, &p->text_combos, -1, lo, hi, both ? &other : &one);
	if (!r && both)
		intersect(&one, &other);
	for (i = 0; !r && i < one.n; i++)
		r = leaves_put(out, one.v[i]);
	free(one.v);
	free(other.v);
	return r;
}
