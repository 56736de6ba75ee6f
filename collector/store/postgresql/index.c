/*
 * The index in the database: a row for each record, in the month's partition, made from the leaves in the log's order.
 * Derived: a commit of it need not be on any disk yet (synchronous_commit = off); what a crash takes is made again.
 *
 * Collectors that have the log open at once take turns by the row of sekisho.indexed; whoever finds it locked leaves
 * the work to the one that has it.
 */
#include "collector/store/hosts.h"
#include "collector/store/match.h"
#include "collector/store/month.h"
#include "collector/store/postgresql/pg.h"
#include "policy/base/clock.h"
#include "policy/wire/body.h"
#include "policy/wire/retention.h"
#include <errno.h>

#define BATCH 64u                          /* segments in one transaction */
#define ROWS_MAX (96u << 20)               /* bytes of one COPY */
#define LOCK_KEY INT64_C(0x73656b6973686f) /* "sekisho": advisory locks are of the database */

/* --- rows --- */

static struct span name_of(const struct record *r, unsigned f)
{
	return record_has(r, f) ? r->v[f].s : SPAN("", 0);
}

/* Of whom they are: the chain, and its PC's hash where the tables have it. */
struct of {
	int64_t month, chain;
	int64_t version;
	uint32_t host_hash;
};

/* By which questions for names find it. */
static int put_names(struct buf *out, const struct record *rec)
{
	static const struct {
		unsigned field;
		enum pg_names as;
	} names[] = {
		{F_USER, PG_NAME_USER}, {F_PROGRAM, PG_NAME_PROGRAM}, {F_PATH, PG_NAME_PATH}, {F_PATH2, PG_NAME_PATH}};
	uint32_t hash[ARRAY_SIZE(names)];
	unsigned i, n = 0;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct span tail = name_tail(name_of(rec, names[i].field));

		if (tail.n)
			hash[n++] = pg_name_hash(names[i].as, tail);
	}
	return copy_int4_array(out, hash, n);
}

static int put_row(struct buf *out, const struct of *of, uint64_t row, const struct record *rec)
{
	static const unsigned names[] = {F_USER, F_PROGRAM, F_PATH, F_PATH2, F_ARGS};
	unsigned i;
	int r = copy_row(out, of->version >= PG_NAMED ? 13 : of->version >= PG_DIVIDED ? 12 : 11);

	r = r ? r : copy_int(out, of->month);
	r = r ? r : copy_int(out, (int64_t)row);
	r = r ? r : copy_int(out, rec->v[F_TIME].i);
	r = r ? r : copy_int(out, of->chain);
	r = r ? r : copy_int4(out, (uint32_t)record_number(rec, F_KIND, 0));
	r = r ? r : copy_int4(out, (uint32_t)record_number(rec, F_CLASS, 0));
	for (i = 0; !r && i < ARRAY_SIZE(names); i++)
		r = copy_bytes(out, name_of(rec, names[i]));
	r = r || of->version < PG_DIVIDED ? r : copy_int4(out, of->host_hash);
	return r || of->version < PG_NAMED ? r : put_names(out, rec);
}

/* The records of a segment; what follows something that is no record is not told (a PC may sign anything). */
static int put_segment(struct buf *out, struct of *of, uint64_t leaf, struct span header, struct span body,
	struct buf *raw, unsigned *n)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	static struct record rec;
	struct segment seg;
	size_t before;
	int r = header_parse(header, &seg, NULL);

	*n = 0;
	seg.body = body;
	if (r || !body.n)
		return r < 0 ? r : 0;
	of->host_hash = pg_host_hash(&seg.header.host);
	r = segment_raw(&seg, raw, NULL);
	r = r ? r : body_reader_new(buf_span(raw), &in);
	while (!r && *n < BODY_RECORDS_MAX && !(r = body_next(in, &rec, NULL))) {
		before = out->n;
		r = put_row(out, of, ROW_OF(leaf, *n), &rec);
		if (r) {
			out->n = before;
			return r;
		}
		++*n;
	}
	return r < 0 ? r : 0;
}

/* --- a transaction of them --- */

struct indexing {
	uint64_t next, records, last_row;
	int64_t version; /* of the tables */
	struct buf rows, raw;
};

static int copy_rows(struct conn *c, int64_t version, struct span rows)
{
	char text[256];
	int r, x;

	snprintf(text, sizeof(text),
		"COPY sekisho.record (month, row, time, chain, kind, class, usr, program, path, path2, args%s%s) "
		"FROM STDIN (FORMAT binary)",
		version >= PG_DIVIDED ? ", host_hash" : "", version >= PG_NAMED ? ", names" : "");
	r = conn_copy_begin(c, text);
	if (r)
		return r;
	r = conn_copy_put(c, rows);
	x = conn_copy_end(c);
	return r ? r : x;
}

static int take(struct conn *c, struct indexing *x, uint64_t size, unsigned budget, int64_t until)
{
	static const char months[] =
		"SELECT month, (SELECT min(first) FROM sekisho.month WHERE first > $1) FROM sekisho.month "
		"WHERE first <= $1 ORDER BY first DESC LIMIT 1";
#define LEAVES(and)                                                                                              \
	"SELECT l.idx, l.header, b.bytes, h.chain FROM sekisho.leaf l JOIN sekisho.header h ON h.hash = l.hash " \
	"LEFT JOIN sekisho.body b ON b.part = l.month * 100 + l.producer AND b.idx = l.idx" and                  \
		" WHERE l.month = $1 AND l.idx >= $2 AND l.idx < $3 ORDER BY l.idx"
	static const char leaves[] = LEAVES(""), divided[] = LEAVES(" AND b.host_hash = l.host_hash");
#undef LEAVES
	_cleanup_result_ PGresult *month = NULL, *res = NULL;
	struct args a = {.n = 0}, b = {.n = 0};
	uint64_t to = x->next + (budget < BATCH ? budget : BATCH);
	unsigned n;
	int i, r;

	arg_int(&a, (int64_t)x->next);
	r = conn_run(c, months, &a, &month);
	if (r || !PQntuples(month))
		return r ? r : -EIO;
	to = to < size ? to : size;
	if (!PQgetisnull(month, 0, 1) && (uint64_t)result_int(month, 0, 1) < to)
		to = (uint64_t)result_int(month, 0, 1);
	arg_int(&b, result_int(month, 0, 0));
	arg_int(&b, (int64_t)x->next);
	arg_int(&b, (int64_t)to);
	r = conn_run(c, x->version >= PG_DIVIDED ? divided : leaves, &b, &res);
	buf_clear(&x->rows);
	r = r ? r : copy_head(&x->rows);
	for (i = 0; !r && i < PQntuples(res); i++) {
		uint64_t leaf = (uint64_t)result_int(res, i, 0);
		struct of of = {
			.month = result_int(month, 0, 0), .chain = result_int(res, i, 3), .version = x->version};

		/* The table's checks make holes impossible; rows behind one would be rows of another segment. */
		if (leaf != x->next)
			return -EIO;
		if (i && (clock_boot_us() >= until || x->rows.n > ROWS_MAX / 2))
			break;
		r = put_segment(&x->rows, &of, leaf, result_bytes(res, i, 1), result_bytes(res, i, 2), &x->raw, &n);
		x->records += n;
		x->last_row = leaf << ROW_BITS | n;
		x->next++;
	}
	if (!r && !i)
		return -EIO;
	return r ? (r > 0 ? -EMSGSIZE : r) : copy_rows(c, x->version, buf_span(&x->rows));
}

/* Takes at most *budget leaves, and takes them off it. *left: leaves that still wait. V_AGAIN: another one is at it. */
static int step(struct pg *p, unsigned *budget, int64_t until, uint64_t *left)
{
	struct conn *c = &p->side;
	struct indexing x = {.rows = BUF_INIT(ROWS_MAX), .raw = BUF_INIT(BODY_RAW_MAX)};
	static const char indexed[] = "SELECT next, records, last_row FROM sekisho.indexed FOR UPDATE SKIP LOCKED";
	_cleanup_result_ PGresult *res = NULL, *version = NULL;
	struct args a = {.n = 0};
	int r = conn_run(c, "BEGIN", NULL, NULL);

	r = r ? r : conn_run(c, "SET LOCAL synchronous_commit = off", NULL, NULL);
	r = r ? r : conn_run(c, indexed, NULL, &res);
	if (!r && !PQntuples(res)) {
		*left = 0;
		conn_rollback(c);
		return V_AGAIN;
	}
	if (!r) {
		x.next = (uint64_t)result_int(res, 0, 0);
		x.records = (uint64_t)result_int(res, 0, 1);
		x.last_row = (uint64_t)result_int(res, 0, 2);
		/* Behind the lock: who brings the tables to another version takes it, too. */
		r = conn_run(c, "SELECT version FROM sekisho.log", NULL, &version);
		x.version = r ? 0 : result_int(version, 0, 0);
	}
	if (!r && x.next < p->head.size) {
		uint64_t from = x.next;

		r = take(c, &x, p->head.size, *budget, until);
		*budget -= (unsigned)(x.next - from);
		arg_int(&a, (int64_t)x.next);
		arg_int(&a, (int64_t)x.records);
		arg_int(&a, (int64_t)x.last_row);
		r = r ? r : conn_run(c, "UPDATE sekisho.indexed SET next = $1, records = $2, last_row = $3", &a, NULL);
	}
	r = r ? r : conn_commit(c);
	if (r)
		conn_rollback(c);
	else
		*left = x.next < p->head.size ? p->head.size - x.next : 0;
	buf_deinit(&x.rows);
	buf_deinit(&x.raw);
	return r;
}

static int steps(struct store *s, unsigned budget, int64_t until, uint64_t *left)
{
	struct pg *p = pg_of(s);
	int r;

	if (p->failed)
		return -EIO;
	if (!p->writable)
		return -EROFS;
	do
		r = step(p, &budget, until, left);
	while (!r && *left && budget && clock_boot_us() < until);
	return r;
}

int pg_index_step(struct store *s, unsigned budget, uint64_t *left)
{
	return steps(s, budget, INT64_MAX, left);
}

int pg_index_for(struct store *s, unsigned microseconds, uint64_t *left)
{
	return steps(s, UINT_MAX, clock_boot_us() + microseconds, left);
}

/* --- anew --- */

int pg_lock(struct conn *c, bool alone)
{
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	int r;

	arg_int(&a, LOCK_KEY);
	r = alone ? conn_run(c, "SELECT pg_try_advisory_lock($1)", &a, &res)
		  : conn_run(c, "SELECT pg_try_advisory_lock_shared($1)", &a, &res);
	return r ? r : result_int(res, 0, 0) ? 0 : V_EXISTS;
}

static void unlock(struct conn *c)
{
	struct args a = {.n = 0};

	arg_int(&a, LOCK_KEY);
	conn_run(c, "SELECT pg_advisory_unlock($1)", &a, NULL);
}

/* Of a collector of the log: what it tells of PCs, and of who else is one. */
static int learn(struct store *s, struct retention *book, const struct segment *seg, uint64_t leaf, struct buf *raw)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	static struct record rec;
	struct store_host host;
	struct digest id;
	unsigned n = 0;
	int r;

	if (!seg->body.n)
		return 0;
	r = segment_raw(seg, raw, NULL);
	r = r ? r : body_reader_new(buf_span(raw), &in);
	while (!r && !(r = body_next(in, &rec, NULL))) {
		r = retention_learn(book, &seg->header.host, leaf, ++n, &rec);
		if (r < 0)
			return r;
		if (!host_told(&rec, &id))
			continue;
		r = pg_host_get(s, &id, &host);
		if (r < 0)
			return r;
		r = host_learn(&rec, !r, &host) ? pg_host_keep(pg_of(s), &host) : 0;
	}
	return r < 0 ? r : 0;
}

/* PCs, from the records of the log's collectors: nobody else may say who belongs to it. */
static int learn_hosts(struct store *s)
{
	static const char text[] = "SELECT h.idx FROM sekisho.header h JOIN sekisho.chain c ON c.id = h.chain "
				   "WHERE c.producer = $1 ORDER BY h.idx";
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX),
				 raw = BUF_INIT(BODY_RAW_MAX);
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	struct retention book = {.begun = false};
	struct segment seg;
	int i, r;

	arg_int(&a, PRODUCER_COLLECTOR);
	r = conn_run(&p->side, text, &a, &res);
	for (i = 0; !r && i < PQntuples(res); i++) {
		uint64_t leaf = (uint64_t)result_int(res, i, 0);

		buf_clear(&header);
		buf_clear(&body);
		r = store_read(s, leaf, &header, &body, NULL);
		r = r ? r : header_parse(buf_span(&header), &seg, NULL);
		if (r) {
			r = r < 0 ? r : 0;
			continue;
		}
		seg.body = buf_span(&body);
		retention_begin(&book, &seg.header.host);
		if (retention_decides(&book, &seg.header.host))
			r = learn(s, &book, &seg, leaf, &raw);
	}
	retention_deinit(&book);
	return r;
}

/* When each was heard of last: by the newest headers of its chains. */
static int learn_seen(struct store *s)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX);
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	struct store_host host;
	struct segment seg;
	int i, r = conn_run(&p->side, "SELECT idx FROM sekisho.head", NULL, &res);

	for (i = 0; !r && i < PQntuples(res); i++) {
		buf_clear(&header);
		r = store_read(s, (uint64_t)result_int(res, i, 0), &header, NULL, NULL);
		r = r ? r : header_parse(buf_span(&header), &seg, NULL);
		r = r ? r : pg_host_get(s, &seg.header.host, &host);
		if (!r && seg.header.last_us > host.last_seen_us) {
			host.last_seen_us = seg.header.last_us;
			r = pg_host_keep(pg_of(s), &host);
		}
		r = r < 0 ? r : 0;
	}
	return r;
}

int pg_rebuild(struct store *s, void (*progress)(void *ctx, uint64_t done, uint64_t of), void *ctx, struct why *why)
{
	struct pg *p = pg_of(s);
	struct conn *c = p->writable ? &p->turn : &p->side;
	unsigned budget;
	uint64_t left = 1;
	int r;

	if (p->failed || p->waiting || p->depth)
		return -EBUSY;
	r = pg_lock(c, true);
	if (r)
		return r == V_EXISTS ? why_set(why, r, "a collector has it open") : why_set(why, r, "%s", c->error);
	r = store_refresh(s);
	r = r ? r : conn_run(&p->side, "SELECT sekisho.forget_index()", NULL, NULL);
	r = r ? r : learn_hosts(s);
	r = r ? r : learn_seen(s);
	while (!r && left) {
		budget = BATCH;
		r = step(p, &budget, INT64_MAX, &left);
		if (progress && !r)
			progress(ctx, p->head.size - left, p->head.size);
	}
	if (r < 0)
		why_set(why, r, "%s", p->side.error);
	unlock(c);
	return r;
}
