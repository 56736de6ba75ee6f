/*
 * Queries: what the database can tell by itself narrows (times, PCs, kinds, classes, the bytes that must stand in a
 * name), in order, by a cursor; what a filter means exactly is decided here, as for every engine, and the records are
 * read out of the bodies.
 */
#include "collector/store/fetch.h"
#include "collector/store/month.h"
#include "collector/store/postgresql/pg.h"
#include "collector/store/question.h"
#include "policy/base/text.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define QUERY_MAX (1u << 20)
#define WANTED_MAX (16u << 20) /* 200,000 PCs */
#define ROWS_FIRST 64u
#define ROWS_MOST 4096u
#define HOST_NAMES 256u
#define PARTS_NAMED 64 /* chains of PCs, by whose hash a question is narrowed */
#define OID_TEXT 25u

/* --- views --- */

int pg_view_begin(struct pg *p)
{
	int r = p->depth ? 0 : conn_run(&p->side, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, NULL);

	if (!r)
		p->depth++;
	return r;
}

void pg_view_end(struct pg *p)
{
	if (!--p->depth)
		conn_rollback(&p->side);
}

/* --- what the database can tell --- */

struct asked {
	struct pg *p;
	const struct question *q;
	struct buf text;
	struct args args;
	struct buf words[8]; /* of the arguments */
	unsigned words_n;
	bool hashed; /* all rows have hashes of their names */
	bool named;  /* the index of names may find it */
	store_row_fn fn;
	void *ctx;
	size_t left;
	struct {
		bool used;
		struct digest id;
		char name[128];
	} * names;
};

/* A pattern for LIKE over encode(name, 'escape'): what stands in the one stands in the other, byte for byte. */
static int like(struct asked *w, struct span run, unsigned *at)
{
	struct buf *b = &w->words[w->words_n];
	struct args *a = &w->args;
	size_t i;
	int r;

	*b = BUF_INIT(8 * run.n + 16);
	r = buf_puts(b, "%");
	for (i = 0; !r && i < run.n; i++) {
		uint8_t c = run.p[i];

		if (!c || c >= 0x80)
			r = buf_putf(b, "\\%03o", c);
		else if (c == '\\')
			r = buf_puts(b, "\\\\");
		else if (c == '%' || c == '_' || c == '!')
			r = buf_putf(b, "!%c", c);
		else
			r = buf_put(b, &c, 1);
	}
	r = r ? r : buf_puts(b, "%");
	if (r || !buf_str(b))
		return r < 0 ? r : -ENOMEM;
	w->words_n++;
	a->type[a->n] = OID_TEXT;
	a->v[a->n] = (const char *)b->p;
	a->length[a->n] = 0;
	a->binary[a->n] = 0;
	*at = ++a->n;
	return 0;
}

/* By the last component that all of them have: of many millions that leaves a few, which are then looked at. */
static int narrow_tail(struct asked *w, const struct match *m, enum pg_names as)
{
	struct span tail = match_tail(m);

	if (!w->hashed || !tail.n)
		return 0;
	w->named = true;
	return buf_putf(&w->text, " AND names @> '{%" PRId32 "}'", (int32_t)pg_name_hash(as, tail));
}

static int narrow_name(struct asked *w, const struct match *m, enum pg_names as, const char *column, const char *second)
{
	struct span run = match_run(m);
	unsigned at;
	int r = narrow_tail(w, m, as);

	r = r || !run.n ? r : like(w, run, &at);

	if (r || !run.n)
		return r;
	r = buf_putf(&w->text, " AND (encode(%s, 'escape') LIKE $%u ESCAPE '!'", column, at);
	if (!r && second)
		r = buf_putf(&w->text, " OR encode(%s, 'escape') LIKE $%u ESCAPE '!'", second, at);
	return r ? r : buf_puts(&w->text, ")");
}

static int narrow_text(struct asked *w)
{
	static const char *const columns[] = {"path", "path2", "args", "usr", "program"};
	unsigned at, i;
	int r = like(w, match_run(&w->q->text), &at);

	/* Letters as a-z do, whatever the database's language is. */
	for (i = 0; !r && i < ARRAY_SIZE(columns); i++)
		r = buf_putf(&w->text, "%sencode(%s, 'escape') COLLATE \"C\" ILIKE $%u ESCAPE '!'",
			i ? " OR " : " AND (", columns[i], at);
	return r ? r : buf_puts(&w->text, ")");
}

static int narrow_numbers(struct asked *w, const char *column, const unsigned *v, unsigned n)
{
	unsigned i;
	int r = n ? buf_putf(&w->text, " AND %s IN (", column) : 0;

	for (i = 0; !r && i < n; i++)
		r = buf_putf(&w->text, "%s%d", i ? "," : "", (int)v[i]);
	return r || !n ? r : buf_puts(&w->text, ")");
}

/* V_END where there is none. */
static int narrow_chains(struct asked *w, const PGresult *ids)
{
	int r = PQntuples(ids) ? buf_puts(&w->text, " AND chain IN (") : V_END, row;

	for (row = 0; !r && row < PQntuples(ids); row++)
		r = buf_putf(&w->text, "%s%" PRId64, row ? "," : "", result_int(ids, row, 0));
	return r ? r : buf_puts(&w->text, ")");
}

/* Their parts of divided months, and what is of before there were any. */
static int narrow_parts(struct asked *w, const PGresult *ids)
{
	struct digest host;
	int r, row;

	if (w->p->version < PG_DIVIDED || PQntuples(ids) > PARTS_NAMED)
		return 0;
	r = buf_puts(&w->text, " AND host_hash IN (0");
	for (row = 0; !r && row < PQntuples(ids); row++)
		if (result_digest(ids, row, 1, &host))
			r = buf_putf(&w->text, ",%" PRId32, (int32_t)pg_host_hash(&host));
	return r ? r : buf_puts(&w->text, ")");
}

/* By name from the PCs that are known, by digits also from those that only have rows. V_END where there is none. */
static int narrow_hosts(struct asked *w)
{
	static const char text[] =
		"SELECT id, host FROM sekisho.chain WHERE host IN (SELECT id FROM sekisho.host WHERE name = $1) OR "
		"($2 <> 0 AND substr(encode(host, 'hex'), 1, $2::integer) = convert_from($3, 'UTF8'))";
	_cleanup_result_ PGresult *res = NULL;
	char digits[2 * DIGEST_SIZE + 1] = "";
	struct args a = {.n = 0};
	const char *want = w->q->f->host;
	size_t i, n = strlen(want);
	int r;

	if (n >= HOST_DIGITS_MIN && n < sizeof(digits) && strspn(want, "0123456789abcdefABCDEF") == n)
		for (i = 0; i < n; i++)
			digits[i] = (char)tolower((unsigned char)want[i]);
	arg_bytes(&a, SPAN_STR(want));
	arg_int(&a, (int64_t)strlen(digits));
	arg_bytes(&a, SPAN_STR(digits));
	r = conn_run(&w->p->side, text, &a, &res);
	r = r ? r : narrow_chains(w, res);
	return r ? r : narrow_parts(w, res);
}

struct wanted {
	const struct store_filter *f;
	struct buf text;
	bool any;
};

static int on_host(void *ctx, const struct store_host *h)
{
	char hex[2 * DIGEST_SIZE + 1];
	struct wanted *w = ctx;
	int r;

	if (!w->f->wants(w->f->wants_ctx, h))
		return 0;
	r = buf_putf(&w->text, "%s'\\x%s'::bytea", w->any ? "," : "SELECT id FROM sekisho.chain WHERE host IN (",
		hex_encode(hex, h->id.b, DIGEST_SIZE));
	w->any = true;
	return r;
}

/* Of the PCs that are known, those that the caller wants. V_END where that is none. */
static int narrow_wanted(struct asked *w)
{
	static const struct digest least;
	struct wanted wanted = {.f = w->q->f, .text = BUF_INIT(WANTED_MAX)};
	_cleanup_result_ PGresult *res = NULL;
	int r = pg_host_after((struct store *)w->p, "", &least, on_host, &wanted);

	if (!r && !wanted.any)
		r = V_END;
	r = r ? r : buf_puts(&wanted.text, ")");
	if (!r && !buf_str(&wanted.text))
		r = -ENOMEM;
	r = r ? r : conn_run_once(&w->p->side, (const char *)wanted.text.p, NULL, &res);
	r = r ? r : narrow_chains(w, res);
	buf_deinit(&wanted.text);
	return r;
}

/* Asked once for all names of the question. */
static int look_for_hashes(struct asked *w)
{
	const struct store_filter *f = w->q->f;
	_cleanup_result_ PGresult *res = NULL;
	int r;

	if (w->p->version < PG_NAMED || (!f->user && !f->program && !f->path))
		return 0;
	r = conn_run(&w->p->side, "SELECT named::integer::bigint FROM sekisho.indexed", NULL, &res);
	w->hashed = !r && PQntuples(res) && result_int(res, 0, 0);
	return r;
}

/* Numbers stand in the text: the planner has to see how much they leave. */
static int compose(struct asked *w)
{
	const struct question *q = w->q;
	const struct store_filter *f = q->f;
	const char *order = q->newest_first ? " DESC" : "";
	int r = buf_putf(&w->text,
		"DECLARE c%u NO SCROLL CURSOR FOR SELECT row, time, usr, program, path, path2, args FROM "
		"sekisho.record "
		"WHERE true",
		w->p->cursors++);

	if (f->from_us)
		r = r ? r : buf_putf(&w->text, " AND time >= (%" PRId64 ")", q->from);
	if (f->until_us)
		r = r ? r : buf_putf(&w->text, " AND time < (%" PRId64 ")", q->until);
	if (f->after_row)
		r = r ? r : buf_putf(&w->text, " AND row > %" PRIu64, f->after_row);
	if (f->has_place) /* question_told */
		r = r ? r
		      : buf_putf(&w->text, " AND NOT (time = (%" PRId64 ") AND row %s %" PRIu64 ")", f->place_us,
				q->newest_first ? ">=" : "<=", f->place_row);
	r = r ? r : narrow_numbers(w, "kind", f->kinds, f->kinds_n);
	r = r ? r : narrow_numbers(w, "class", f->classes, f->classes_n);
	r = r || !f->host ? r : narrow_hosts(w);
	r = r || !f->wants ? r : narrow_wanted(w);
	r = r || !f->user ? r : narrow_name(w, &q->user, PG_NAME_USER, "usr", NULL);
	r = r || !f->program ? r : narrow_name(w, &q->program, PG_NAME_PROGRAM, "program", NULL);
	r = r || !f->path ? r : narrow_name(w, &q->path, PG_NAME_PATH, "path", "path2");
	r = r || !f->text ? r : narrow_text(w);
	return r ? r : buf_putf(&w->text, " ORDER BY time%s, row%s", order, order);
}

/* --- what is decided here --- */

static bool is(const struct match *m, struct span name)
{
	return name.n && match_name(m, name);
}

static bool fits(const struct question *q, const PGresult *res, int i)
{
	struct span user = result_bytes(res, i, 2), program = result_bytes(res, i, 3), path = result_bytes(res, i, 4),
		    path2 = result_bytes(res, i, 5), args = result_bytes(res, i, 6);

	if (q->f->user && !is(&q->user, user))
		return false;
	if (q->f->program && !is(&q->program, program))
		return false;
	if (q->f->path && !is(&q->path, path) && !is(&q->path, path2))
		return false;
	return !q->f->text || is(&q->text, path) || is(&q->text, path2) || is(&q->text, args) || is(&q->text, user) ||
	       is(&q->text, program);
}

static int host_name(struct asked *w, const struct digest *id, const char **out)
{
	unsigned slot = id->b[0] % HOST_NAMES;
	struct store_host h;
	int r;

	if (!w->names[slot].used || !digest_eq(&w->names[slot].id, id)) {
		r = pg_host_get((struct store *)w->p, id, &h);
		if (r < 0)
			return r;
		w->names[slot].used = true;
		w->names[slot].id = *id;
		snprintf(w->names[slot].name, sizeof(w->names[slot].name), "%s", r ? "" : h.name);
	}
	*out = w->names[slot].name[0] ? w->names[slot].name : NULL;
	return 0;
}

static int tell(struct asked *w, uint64_t number, int64_t time)
{
	struct store_row row = {.row = number, .leaf = number >> ROW_BITS};
	unsigned i = (unsigned)(number & ((1u << ROW_BITS) - 1)) - 1;
	int r = 0;

	if (w->q->f->bare) {
		record_set_int(&row.record, F_TIME, time);
	} else {
		r = fetch_record(w->p->fetch, row.leaf, i, &row.record, &row.host);
		if (r == V_NOT_FOUND)
			return 0; /* retention took the body while we were asking */
		r = r ? r : host_name(w, &row.host, &row.host_name);
	}
	r = r ? r : w->fn(w->ctx, &row);
	if (!r && w->left != SIZE_MAX && !--w->left)
		r = V_END;
	return r;
}

/* --- all of it --- */

static int go_through(struct asked *w, unsigned cursor)
{
	unsigned n = ROWS_FIRST;
	char text[64];
	int i, rows, r = 0;

	do {
		_cleanup_result_ PGresult *res = NULL;

		snprintf(text, sizeof(text), "FETCH %u FROM c%u", n, cursor);
		r = conn_run_once(&w->p->side, text, NULL, &res);
		rows = r ? 0 : PQntuples(res);
		for (i = 0; !r && i < rows; i++)
			if (fits(w->q, res, i))
				r = tell(w, (uint64_t)result_int(res, i, 0), result_int(res, i, 1));
		if (!r && (unsigned)rows < n)
			r = V_END;
		n = n < ROWS_MOST ? n * 2 : n;
	} while (!r);
	return r;
}

static int ask(struct asked *w)
{
	unsigned cursor = w->p->cursors;
	char text[128];
	int r = look_for_hashes(w);

	r = r ? r : compose(w);

	/*
	 * Who wants a page wants its first rows soon; who wants all, all of them. Of a name that is rare all rows
	 * together are there sooner than the first one in the order of time. To compile a plan takes longer than most
	 * of them.
	 */
	snprintf(text, sizeof(text),
		"SELECT set_config('cursor_tuple_fraction', '%s', true), set_config('jit', 'off', true)",
		w->left == SIZE_MAX ? "1.0"
		: w->named          ? "0.1"
				    : "0.0001");
	r = r ? r : conn_run_once(&w->p->side, text, NULL, NULL);
	if (!r && !buf_str(&w->text))
		r = -ENOMEM;
	r = r ? r : conn_run_once(&w->p->side, (const char *)w->text.p, &w->args, NULL);
	if (r)
		return r;
	r = go_through(w, cursor);
	snprintf(text, sizeof(text), "CLOSE c%u", cursor);
	if (r >= 0)
		conn_run_once(&w->p->side, text, NULL, NULL);
	return r;
}

int pg_query(struct store *s, const struct store_filter *f, store_row_fn fn, void *ctx, struct why *why)
{
	struct pg *p = pg_of(s);
	struct question q = {.f = f};
	struct asked w = {.p = p, .q = &q, .text = BUF_INIT(QUERY_MAX), .fn = fn, .ctx = ctx, .left = question_rows(f)};
	unsigned i;
	int r = question_of(f, &q, why);

	if (r)
		return r;
	w.names = calloc(HOST_NAMES, sizeof(*w.names));
	r = w.names ? 0 : -ENOMEM;
	r = r || p->fetch ? r : fetch_new(s, &p->fetch);
	r = r ? r : pg_view_begin(p);
	if (!r) {
		r = ask(&w);
		pg_view_end(p);
	}
	for (i = 0; i < w.words_n; i++)
		buf_deinit(&w.words[i]);
	buf_deinit(&w.text);
	free(w.names);
	if (r < 0)
		return why_set(why, r, "%s", p->side.error);
	return r == V_END ? 0 : r == V_FULL ? why_set(why, V_FULL, "more PCs than one question can name") : r;
}

int pg_count(struct store *s, int64_t from_us, int64_t until_us, uint64_t upto, uint64_t counts[STORE_KINDS],
	struct why *why)
{
	_cleanup_result_ PGresult *res = NULL;
	struct pg *p = pg_of(s);
	char text[192];
	int i, r;

	/* Numbers stand in the text: the planner has to see which partitions they leave. */
	snprintf(text, sizeof(text),
		"SELECT kind, count(*) FROM sekisho.record WHERE time >= (%" PRId64 ") AND time < (%" PRId64
		") AND row <= %" PRIu64 " GROUP BY kind",
		from_us, until_us, upto);
	r = conn_run_once(&p->side, text, NULL, &res);
	if (r)
		return why_set(why, r, "%s", p->side.error);
	for (i = 0; i < PQntuples(res); i++)
		if (result_int(res, i, 0) >= 0 && result_int(res, i, 0) < STORE_KINDS)
			counts[result_int(res, i, 0)] = (uint64_t)result_int(res, i, 1);
	return 0;
}

int pg_last_row(struct store *s, uint64_t *row)
{
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	int r = conn_run(&p->side, "SELECT last_row FROM sekisho.indexed", NULL, &res);

	if (!r)
		*row = PQntuples(res) ? (uint64_t)result_int(res, 0, 0) : 0;
	return r;
}

int pg_stats(struct store *s, struct store_stats *out)
{
	static const char text[] = "SELECT next, records, (SELECT count(*) FROM sekisho.host), "
				   "(SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint "
				   "FROM pg_partition_tree('sekisho.leaf')), "
				   "(SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint "
				   "FROM pg_partition_tree('sekisho.body')), "
				   "(SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint "
				   "FROM pg_partition_tree('sekisho.record')) FROM sekisho.indexed";
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	int r = conn_run(&p->side, text, NULL, &res);

	if (r || PQntuples(res) != 1)
		return r ? r : -EIO;
	*out = (struct store_stats){
		.leaves = p->head.size,
		.indexed = (uint64_t)result_int(res, 0, 0),
		.records = (uint64_t)result_int(res, 0, 1),
		.hosts = (uint64_t)result_int(res, 0, 2),
		.header_bytes = (uint64_t)result_int(res, 0, 3),
		.body_bytes = (uint64_t)result_int(res, 0, 4),
		.index_bytes = (uint64_t)result_int(res, 0, 5),
	};
	return 0;
}
