/*
 * Chains of headers, looked up by hash. See chains.h.
 *
 * A head is a header that no stored one names as its predecessor. `orphan` keeps predecessors that were named before
 * they were there: they are no heads when they come.
 */
#include "collector/store/chains.h"
#include <errno.h>
#include <limits.h>

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS chain(id INTEGER PRIMARY KEY, host BLOB NOT NULL, producer INTEGER NOT NULL, "
	"UNIQUE(host, producer)) STRICT;"
	"CREATE TABLE IF NOT EXISTS leaf(hash BLOB PRIMARY KEY, leaf INTEGER NOT NULL, seq INTEGER NOT NULL, chain "
	"INTEGER "
	"NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS head(chain INTEGER NOT NULL, hash BLOB NOT NULL, leaf INTEGER NOT NULL, seq "
	"INTEGER "
	"NOT NULL, epoch INTEGER NOT NULL, PRIMARY KEY(chain, hash)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS orphan(chain INTEGER NOT NULL, prev BLOB NOT NULL, PRIMARY KEY(chain, prev)) "
	"STRICT, "
	"WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS epoch(chain INTEGER NOT NULL, number INTEGER NOT NULL, kid BLOB NOT NULL, leaf "
	"INTEGER "
	"NOT NULL, cert BLOB NOT NULL, PRIMARY KEY(chain, number, kid)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS done(id INTEGER PRIMARY KEY CHECK(id = 0), next INTEGER NOT NULL) STRICT;"
	"INSERT OR IGNORE INTO done VALUES(0, 0);";

enum {
	Q_CHAIN_GET,
	Q_CHAIN_PUT,
	Q_LEAF_GET,
	Q_LEAF_PUT,
	Q_HEAD_PUT,
	Q_HEAD_DROP,
	Q_HEAD_GET,
	Q_HEADS,
	Q_HEADS_N,
	Q_ORPHAN_PUT,
	Q_ORPHAN_GET,
	Q_EPOCH_PUT,
	Q_EPOCH_GET,
	Q_DONE,
	Q_COUNT
};

static const char *const texts[Q_COUNT] = {
	[Q_CHAIN_GET] = "SELECT id FROM chain WHERE host=?1 AND producer=?2",
	[Q_CHAIN_PUT] = "INSERT INTO chain(host, producer) VALUES(?1, ?2)",
	[Q_LEAF_GET] = "SELECT leaf, seq, chain FROM leaf WHERE hash=?1",
	[Q_LEAF_PUT] = "INSERT INTO leaf VALUES(?1, ?2, ?3, ?4)",
	[Q_HEAD_PUT] = "INSERT INTO head VALUES(?1, ?2, ?3, ?4, ?5)",
	[Q_HEAD_DROP] = "DELETE FROM head WHERE chain=?1 AND hash=?2",
	[Q_HEAD_GET] = "SELECT 1 FROM head WHERE chain=?1 AND hash=?2",
	[Q_HEADS] = "SELECT hash, seq, epoch FROM head WHERE chain=?1 ORDER BY leaf DESC LIMIT ?2",
	[Q_HEADS_N] = "SELECT count(*) FROM head WHERE chain=?1",
	[Q_ORPHAN_PUT] = "INSERT OR IGNORE INTO orphan VALUES(?1, ?2)",
	[Q_ORPHAN_GET] = "SELECT 1 FROM orphan WHERE chain=?1 AND prev=?2",
	[Q_EPOCH_PUT] = "INSERT OR REPLACE INTO epoch VALUES(?1, ?2, ?3, ?4, ?5)",
	[Q_EPOCH_GET] = ("SELECT cert FROM epoch WHERE chain=?1 AND number=?2 AND (?3 IS NULL OR kid=?3) "
			 "ORDER BY leaf DESC LIMIT 1"),
	[Q_DONE] = "UPDATE done SET next=?1",
};

struct chains {
	sqlite3 *db;
	sqlite3_stmt *q[Q_COUNT];
	uint64_t next, committed;
	bool open; /* a transaction is */
	bool writable;
};

/* Reset, with new values: hash or host in ?1 etc. are bound by the caller. */
static sqlite3_stmt *query(struct chains *c, unsigned q)
{
	sqlite3_reset(c->q[q]);
	return c->q[q];
}

int chains_open(const char *dir, bool writable, struct chains **out)
{
	struct chains *c = calloc(1, sizeof(*c));
	char path[PATH_MAX];
	int64_t next = 0;
	unsigned i;
	int r;

	if (!c)
		return -ENOMEM;
	c->writable = writable;
	snprintf(path, sizeof(path), "%s/index/chains.db", dir);
	r = writable ? sql_open(path, false, schema, &c->db) : sql_open_read(path, &c->db);
	for (i = 0; !r && i < Q_COUNT; i++)
		r = sql_prepare(c->db, texts[i], &c->q[i]);
	r = r ? r : sql_number(c->db, "SELECT next FROM done", 0, &next);
	if (r) {
		chains_close(c);
		return r;
	}
	c->next = c->committed = (uint64_t)next;
	*out = c;
	return 0;
}

void chains_close(struct chains *c)
{
	unsigned i;

	if (!c)
		return;
	for (i = 0; i < Q_COUNT; i++)
		sqlite3_finalize(c->q[i]);
	sqlite3_close_v2(c->db);
	free(c);
}

uint64_t chains_next(const struct chains *c)
{
	return c->next;
}

static int chain_id(struct chains *c, const struct digest *host, unsigned producer, bool make, int64_t *id)
{
	sqlite3_stmt *st = query(c, Q_CHAIN_GET);
	int r;

	sql_bind(st, 1, SPAN(host->b, DIGEST_SIZE));
	sqlite3_bind_int64(st, 2, producer);
	r = sql_step(st);
	if (!r)
		*id = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	if (r != V_END)
		return r;
	if (!make)
		return V_NOT_FOUND;
	st = query(c, Q_CHAIN_PUT);
	sql_bind(st, 1, SPAN(host->b, DIGEST_SIZE));
	sqlite3_bind_int64(st, 2, producer);
	r = sql_run(st);
	*id = sqlite3_last_insert_rowid(c->db);
	return r;
}

/* Is there a row? 0 yes, V_NOT_FOUND, -errno. */
static int there(struct chains *c, unsigned q, int64_t chain, const struct digest *hash)
{
	sqlite3_stmt *st = query(c, q);
	int r;

	sqlite3_bind_int64(st, 1, chain);
	sql_bind(st, 2, SPAN(hash->b, DIGEST_SIZE));
	r = sql_step(st);
	sqlite3_reset(st);
	return r == V_END ? V_NOT_FOUND : r;
}

static int run_pair(struct chains *c, unsigned q, int64_t chain, const struct digest *hash)
{
	sqlite3_stmt *st = query(c, q);

	sqlite3_bind_int64(st, 1, chain);
	sql_bind(st, 2, SPAN(hash->b, DIGEST_SIZE));
	return sql_run(st);
}

static int find(struct chains *c, const struct digest *hash, uint64_t *index, uint64_t *seq, int64_t *chain)
{
	sqlite3_stmt *st = query(c, Q_LEAF_GET);
	int r;

	sql_bind(st, 1, SPAN(hash->b, DIGEST_SIZE));
	r = sql_step(st);
	if (!r) {
		*index = (uint64_t)sqlite3_column_int64(st, 0);
		*seq = (uint64_t)sqlite3_column_int64(st, 1);
		*chain = sqlite3_column_int64(st, 2);
	}
	sqlite3_reset(st);
	return r == V_END ? V_NOT_FOUND : r;
}

int chains_find(struct chains *c, const struct digest *hash, uint64_t *index, uint64_t *seq)
{
	int64_t chain;

	return find(c, hash, index, seq, &chain);
}

static int add(struct chains *c, const struct segment *s)
{
	const struct header *h = &s->header;
	sqlite3_stmt *st;
	int64_t chain = 0, of;
	uint64_t leaf, seq;
	int r = chain_id(c, &h->host, h->producer, true, &chain);

	st = query(c, Q_LEAF_PUT);
	sql_bind(st, 1, SPAN(s->hash.b, DIGEST_SIZE));
	sqlite3_bind_int64(st, 2, (int64_t)c->next);
	sqlite3_bind_int64(st, 3, (int64_t)h->seq);
	sqlite3_bind_int64(st, 4, chain);
	r = r ? r : sql_run(st);
	if (!r && h->has_prev) {
		/* Usual case first: the predecessor is a head, and is none any more. */
		r = run_pair(c, Q_HEAD_DROP, chain, &h->prev);
		if (!r && !sqlite3_changes(c->db) && find(c, &h->prev, &leaf, &seq, &of) == V_NOT_FOUND)
			r = run_pair(c, Q_ORPHAN_PUT, chain, &h->prev);
	}
	r = r ? r : there(c, Q_ORPHAN_GET, chain, &s->hash);
	if (r == V_NOT_FOUND) {
		st = query(c, Q_HEAD_PUT);
		sqlite3_bind_int64(st, 1, chain);
		sql_bind(st, 2, SPAN(s->hash.b, DIGEST_SIZE));
		sqlite3_bind_int64(st, 3, (int64_t)c->next);
		sqlite3_bind_int64(st, 4, (int64_t)h->seq);
		sqlite3_bind_int64(st, 5, (int64_t)h->epoch);
		r = sql_run(st);
	}
	if (!r && h->epoch_cert.n) {
		st = query(c, Q_EPOCH_PUT);
		sqlite3_bind_int64(st, 1, chain);
		sqlite3_bind_int64(st, 2, (int64_t)h->epoch);
		sql_bind(st, 3, s->cose.kid);
		sqlite3_bind_int64(st, 4, (int64_t)c->next);
		sql_bind(st, 5, h->epoch_cert);
		r = sql_run(st);
	}
	return r;
}

int chains_add(struct chains *c, const struct segment *s, uint64_t *index)
{
	uint64_t seq;
	int r = chains_find(c, &s->hash, index, &seq);

	if (r != V_NOT_FOUND)
		return r ? r : V_EXISTS;
	if (!c->open) {
		r = sql_exec(c->db, "BEGIN IMMEDIATE");
		if (r)
			return r;
		c->open = true;
	}
	r = add(c, s);
	if (r)
		return r;
	*index = c->next++;
	return 0;
}

int chains_commit(struct chains *c)
{
	sqlite3_stmt *st;
	int r;

	if (!c->open)
		return 0;
	st = query(c, Q_DONE);
	sqlite3_bind_int64(st, 1, (int64_t)c->next);
	r = sql_run(st);
	r = r ? r : sql_exec(c->db, "COMMIT");
	if (r)
		return r;
	c->open = false;
	c->committed = c->next;
	return 0;
}

int chains_rollback(struct chains *c)
{
	int r = c->open ? sql_exec(c->db, "ROLLBACK") : 0;

	c->open = false;
	c->next = c->committed;
	return r;
}

int chains_heads(struct chains *c, const struct digest *host, unsigned producer, struct store_head *out, unsigned max,
	unsigned *n)
{
	sqlite3_stmt *st;
	int64_t chain = 0, all = 0;
	unsigned i = 0;
	int r = chain_id(c, host, producer, false, &chain);

	if (r)
		return r;
	st = query(c, Q_HEADS_N);
	sqlite3_bind_int64(st, 1, chain);
	r = sql_step(st);
	all = r ? 0 : sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	st = query(c, Q_HEADS);
	sqlite3_bind_int64(st, 1, chain);
	sqlite3_bind_int64(st, 2, max);
	while (!r && i < max && !(r = sql_step(st))) {
		struct span hash = sql_blob(st, 0);

		if (hash.n != DIGEST_SIZE) {
			r = V_BAD;
			break;
		}
		memcpy(out[i].hash.b, hash.p, DIGEST_SIZE);
		out[i].seq = (uint64_t)sqlite3_column_int64(st, 1);
		out[i++].epoch = (uint64_t)sqlite3_column_int64(st, 2);
	}
	sqlite3_reset(st);
	if (r && r != V_END)
		return r;
	*n = (unsigned)all;
	return all ? 0 : V_NOT_FOUND;
}

int chains_successor(
	struct chains *c, const struct digest *host, unsigned producer, const struct digest *hash, bool *yes)
{
	uint64_t leaf, seq;
	int64_t chain = 0, of = 0;
	int r = chain_id(c, host, producer, false, &chain);

	if (r == V_NOT_FOUND) {
		*yes = false;
		return 0;
	}
	r = r ? r : there(c, Q_ORPHAN_GET, chain, hash);
	if (r != V_NOT_FOUND) {
		*yes = true;
		return r;
	}
	r = find(c, hash, &leaf, &seq, &of);
	if (r == V_NOT_FOUND || (!r && of != chain)) {
		*yes = false;
		return 0;
	}
	r = r ? r : there(c, Q_HEAD_GET, chain, hash);
	if (r && r != V_NOT_FOUND)
		return r;
	*yes = r == V_NOT_FOUND;
	return 0;
}

int chains_epoch(struct chains *c, const struct digest *host, unsigned producer, uint64_t number, const uint8_t *kid,
	struct buf *cert)
{
	sqlite3_stmt *st;
	int64_t chain = 0;
	int r = chain_id(c, host, producer, false, &chain);

	if (r)
		return r;
	st = query(c, Q_EPOCH_GET);
	sqlite3_bind_int64(st, 1, chain);
	sqlite3_bind_int64(st, 2, (int64_t)number);
	if (kid)
		sql_bind(st, 3, SPAN(kid, COSE_KID_SIZE));
	else
		sqlite3_bind_null(st, 3);
	r = sql_step(st);
	r = r ? r : buf_put_span(cert, sql_blob(st, 0));
	sqlite3_reset(st);
	return r == V_END ? V_NOT_FOUND : r;
}
