/*
 * One month's index file: opening for reading, and its segments in order of time. See ask.h.
 */
#include "collector/store/ask.h"
#include <errno.h>

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

int months_list(const char *dir, char out[MONTHS_MAX][8], unsigned *n)
{
	_cleanup_closedir_ DIR *d = NULL;
	char path[PATH_MAX];
	struct dirent *e;
	unsigned count = 0;

	*n = 0;
	snprintf(path, sizeof(path), "%s/index", dir);
	d = opendir(path);
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	for (errno = 0; (e = readdir(d)) && count < MONTHS_MAX; errno = 0)
		if (strlen(e->d_name) == 10 && e->d_name[4] == '-' && !strcmp(e->d_name + 7, ".db")) {
			memcpy(out[count], e->d_name, 7);
			out[count++][7] = 0;
		}
	if (errno)
		return -errno;
	qsort(out, count, sizeof(out[0]), by_text);
	*n = count;
	return 0;
}

int month_open(const char *dir, const char *name, struct month *out)
{
	struct month m = {.db = NULL};
	int64_t tables = 0, version = 0, key0 = 0, key1 = 0;
	char path[PATH_MAX];
	struct stat st;
	int r;

	snprintf(m.name, sizeof(m.name), "%s", name);
	snprintf(path, sizeof(path), "%s/index/%s.db", dir, name);
	if (stat(path, &st))
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	m.dev = st.st_dev;
	m.ino = st.st_ino;
	r = sql_open_read(path, &m.db);
	/* Its writer may have made it a moment ago. */
	r = r ? r : sql_number(m.db, "SELECT count(*) FROM sqlite_schema WHERE name='meta'", 0, &tables);
	if (!r && tables)
		r = sql_number(m.db, "SELECT v FROM meta WHERE k='version'", 0, &version);
	if (!r && !version)
		r = V_NOT_FOUND;
	if (!r && (version < MONTH_VERSION_LEAST || version > MONTH_VERSION))
		r = V_BAD;
	r = r ? r : sql_number(m.db, "SELECT v FROM meta WHERE k='key0'", 0, &key0);
	r = r ? r : sql_number(m.db, "SELECT v FROM meta WHERE k='key1'", 0, &key1);
	r = r ? r : sql_prepare(m.db, "SELECT s FROM name WHERE id=?1", &m.name_of);
	if (!r && version > MONTH_VERSION_LEAST) {
		r = sql_prepare(m.db, "SELECT id, s FROM name WHERE t=?2 AND h=?1", &m.name_by_hash);
		r = r ? r : sql_prepare(m.db, "SELECT id, s FROM name WHERE t=?1", &m.by_tail);
	} else if (!r) {
		r = sql_prepare(m.db, "SELECT id, s FROM name WHERE h=?1", &m.name_by_hash);
	}
	r = r ? r : sql_prepare(m.db, "SELECT user, program, kind, class FROM combo WHERE id=?1", &m.combo_of);
	r = r ? r
	      : sql_prepare(
			m.db, "SELECT id, user, program, kind, class FROM combo WHERE id>?1 ORDER BY id", &m.combos);
	r = r ? r : sql_prepare(m.db, "SELECT b FROM block WHERE leaf=?1", &m.block);
	r = r ? r : sql_prepare(m.db, "SELECT host, first, last, n FROM seg WHERE leaf=?1", &m.seg);
	r = r ? r : sql_prepare(m.db, "SELECT leaf FROM post WHERE id=?1 AND leaf>=?2 AND leaf<?3", &m.post);
	r = r ? r : sql_prepare(m.db, "SELECT combo FROM had WHERE host=?1", &m.had);
	if (r) {
		month_close(&m);
		return r;
	}
	m.key[0] = (uint64_t)key0;
	m.key[1] = (uint64_t)key1;
	*out = m;
	return 0;
}

void month_close(struct month *m)
{
	sqlite3_stmt *all[] = {
		m->name_of, m->name_by_hash, m->combo_of, m->combos, m->block, m->seg, m->post, m->had, m->by_tail};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		sqlite3_finalize(all[i]);
	sqlite3_close_v2(m->db);
	free(m->combo);
	*m = (struct month){.db = NULL};
}

int month_name(struct month *m, int64_t id, struct span *out)
{
	int r;

	sqlite3_reset(m->name_of);
	sqlite3_bind_int64(m->name_of, 1, id);
	r = sql_step(m->name_of);
	if (!r)
		*out = sql_blob(m->name_of, 0);
	return r == V_END ? V_NOT_FOUND : r;
}

int month_block(struct month *m, uint64_t leaf, struct block *out)
{
	int r;

	sqlite3_reset(m->block);
	sqlite3_bind_int64(m->block, 1, (int64_t)leaf);
	r = sql_step(m->block);
	r = r ? r : block_decode(sql_blob(m->block, 0), out);
	sqlite3_reset(m->block);
	return r == V_END ? V_NOT_FOUND : r;
}

static int put_combo(struct month *m, const struct combo *c)
{
	if (m->combo_n == m->combo_cap) {
		size_t cap = m->combo_cap ? m->combo_cap * 2 : 1024;
		struct combo *v = realloc(m->combo, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		m->combo = v;
		m->combo_cap = cap;
	}
	m->combo[m->combo_n++] = *c;
	return 0;
}

int month_combos(struct month *m)
{
	sqlite3_stmt *st = m->combos;
	int r;

	sqlite3_reset(st);
	sqlite3_bind_int64(st, 1, (int64_t)m->combo_n);
	while (!(r = sql_step(st))) {
		struct combo c = {.user = sqlite3_column_int64(st, 1),
			.program = sqlite3_column_int64(st, 2),
			.kind = (unsigned)sqlite3_column_int64(st, 3),
			.class = (unsigned)sqlite3_column_int64(st, 4)};

		/* The writer gives them out one after the other. */
		r = sqlite3_column_int64(st, 0) == (int64_t)m->combo_n + 1 ? put_combo(m, &c) : V_BAD;
		if (r)
			break;
	}
	sqlite3_reset(st);
	return r == V_END ? 0 : r;
}

/* --- segments in order --- */

static int put_entry(struct entries *l, const struct entry *e)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct entry *v = realloc(l->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = *e;
	return 0;
}

static int by_last(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->last != y->last ? (x->last > y->last ? -1 : 1) : x->leaf > y->leaf ? -1 : x->leaf < y->leaf;
}

static int by_first(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->first != y->first ? (x->first < y->first ? -1 : 1) : x->leaf < y->leaf ? -1 : x->leaf > y->leaf;
}

void part_sort(struct part *p)
{
	struct entries *l = &p->list;

	if (l->at)
		memmove(l->v, l->v + l->at, (l->n - l->at) * sizeof(*l->v));
	l->n -= l->at;
	l->at = 0;
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), p->q->newest_first ? by_last : by_first);
}

static bool fits(const struct part *p, const struct entry *e)
{
	if (e->last < p->q->from || e->first >= p->q->until || e->leaf < p->q->after_leaf)
		return false;
	return !p->hosts || bsearch(&e->host, p->hosts, p->hosts_n, sizeof(*p->hosts), by_number);
}

int part_list(struct part *p, const struct entry *e)
{
	return fits(p, e) ? put_entry(&p->list, e) : 0;
}

static struct entry entry_of(sqlite3_stmt *st)
{
	return (struct entry){
		.leaf = (uint64_t)sqlite3_column_int64(st, 0),
		.host = sqlite3_column_int64(st, 1),
		.first = sqlite3_column_int64(st, 2),
		.last = sqlite3_column_int64(st, 3),
	};
}

/* The segments that the statement finds, to the list. */
static int take_list(struct part *p, sqlite3_stmt *st)
{
	int r;

	while (!(r = sql_step(st))) {
		struct entry e = entry_of(st);

		r = part_list(p, &e);
		if (r)
			return r;
	}
	part_sort(p);
	return r == V_END ? 0 : r;
}

static int fill_list(struct part *p, const char *text)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = sql_prepare(p->month->db, text, &st);

	if (r)
		return r;
	sqlite3_bind_int64(st, 1, p->q->from);
	sqlite3_bind_int64(st, 2, p->q->until);
	if (sqlite3_bind_parameter_count(st) > 2)
		sqlite3_bind_int64(st, 3, (int64_t)p->q->after_leaf);
	return take_list(p, st);
}

static int find_hosts(struct part *p)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	size_t i;
	int r = sql_prepare(p->month->db, "SELECT id FROM host WHERE host=?1", &st);

	if (r)
		return r;
	p->hosts = calloc(p->q->hosts_n ? p->q->hosts_n : 1, sizeof(*p->hosts));
	if (!p->hosts)
		return -ENOMEM;
	for (i = 0; i < p->q->hosts_n; i++) {
		sqlite3_reset(st);
		sql_bind(st, 1, SPAN(p->q->hosts[i].b, DIGEST_SIZE));
		r = sql_step(st);
		if (!r)
			p->hosts[p->hosts_n++] = sqlite3_column_int64(st, 0);
		else if (r != V_END)
			return r;
	}
	qsort(p->hosts, p->hosts_n, sizeof(*p->hosts), by_number);
	return p->hosts_n ? 0 : V_END;
}

static int advance(struct part *p)
{
	int r;

	p->has_head = false;
	while (p->cursor && !p->has_head) {
		r = sql_step(p->cursor);
		if (r) {
			sqlite3_finalize(p->cursor);
			p->cursor = NULL;
			return r == V_END ? 0 : r;
		}
		p->head = entry_of(p->cursor);
		p->has_head = fits(p, &p->head);
	}
	return 0;
}

/*
 * Segments that begin before the asked end and go on behind it: those of zones that do. Order of time would have to be
 * followed for a day to find them, as each may last as long.
 */
static int fill_across(struct part *p)
{
	static const char text[] =
		"SELECT leaf, host, seg.first, seg.last FROM zone CROSS JOIN seg NOT INDEXED "
		"ON leaf>=zone.id<<?2 AND leaf<(zone.id+1)<<?2 "
		"WHERE zone.first<?1 AND zone.last>=?1 AND seg.first<?1 AND seg.last>=?1 AND long=0 AND n>0";
	int64_t end = p->q->newest_first ? p->q->until : p->q->from;
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r;

	if (!(p->q->newest_first ? p->q->f->until_us : p->q->f->from_us))
		return 0;
	r = sql_prepare(p->month->db, text, &st);
	if (r)
		return r;
	sqlite3_bind_int64(st, 1, end);
	sqlite3_bind_int64(st, 2, ZONE_BITS);
	return take_list(p, st);
}

int part_begin(struct part *p, const struct question *q, struct month *m)
{
	char text[320];
	int r;

	*p = (struct part){.q = q, .month = m};
	r = q->hosts ? find_hosts(p) : 0;
	if (r)
		return r;
	/* What was indexed since a moment is little, and not where time would look for it. */
	if (q->after_leaf || q->f->after_row)
		return fill_list(
			p, "SELECT leaf, host, first, last FROM seg WHERE leaf>=?3 AND last>=?1 AND first<?2 AND n>0");
	r = fill_list(p, "SELECT leaf, host, first, last FROM seg WHERE long=1 AND last>=?1 AND first<?2 AND n>0");
	if (r)
		return r;
	/* What lies across the asked end, and then all in order from there. One of many hosts has an order of its own.
	 */
	r = fill_across(p);
	if (r)
		return r;
	snprintf(text, sizeof(text),
		"SELECT leaf, host, first, last FROM seg WHERE long=0 AND n>0 %s AND %s ORDER BY %s",
		p->hosts_n == 1 ? "AND host=?3" : "",
		q->newest_first ? "last>=?1 AND last<?2" : "first>=?1 AND first<?2",
		q->newest_first ? "last DESC" : "first");
	r = sql_prepare(m->db, text, &p->cursor);
	if (r)
		return r;
	sqlite3_bind_int64(p->cursor, 1, q->from);
	sqlite3_bind_int64(p->cursor, 2, q->until);
	if (p->hosts_n == 1)
		sqlite3_bind_int64(p->cursor, 3, p->hosts[0]);
	return advance(p);
}

void part_end(struct part *p)
{
	sqlite3_finalize(p->cursor);
	free(p->hosts);
	free(p->list.v);
	free(p->seen.v);
	free(p->zones);
	free(p->combos.v);
	free(p->paths.ids.v);
	free(p->texts.ids.v);
	free(p->text_combos.v);
	free(p->judged);
	memo_deinit(&p->combo);
	memo_deinit(&p->user);
	memo_deinit(&p->program);
	memo_deinit(&p->path);
	memo_deinit(&p->text);
	*p = (struct part){.q = NULL};
}

static bool from_list(const struct part *p)
{
	const struct entry *e;

	/* An empty list has no memory: not even an address may be made of it. */
	if (p->list.at == p->list.n)
		return false;
	e = &p->list.v[p->list.at];
	return !p->has_head || (p->q->newest_first ? by_last(e, &p->head) : by_first(e, &p->head)) < 0;
}

bool part_peek(struct part *p, struct entry *out)
{
	if (from_list(p))
		*out = p->list.v[p->list.at];
	else if (p->has_head)
		*out = p->head;
	else
		return false;
	return true;
}

int part_next(struct part *p)
{
	struct entry e;
	int r = part_peek(p, &e) ? 0 : V_END;

	/* Who narrows later must not go through a segment twice. */
	if (!r && !p->settled)
		r = leaves_put(&p->seen, (int64_t)e.leaf);
	if (r)
		return r;
	if (from_list(p)) {
		p->list.at++;
		return 0;
	}
	return advance(p);
}
