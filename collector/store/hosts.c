/*
 * The PCs that are known. See hosts.h, and store.h for which records they are made again from.
 */
#include "collector/store/hosts.h"
#include <errno.h>
#include <limits.h>

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS host(id BLOB PRIMARY KEY, name TEXT NOT NULL, state INTEGER NOT NULL, spki BLOB "
	"NOT "
	"NULL, tls_key BLOB NOT NULL, enrolled INTEGER NOT NULL, seen INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS host_name ON host(name, id);";

struct hosts {
	sqlite3 *db;
	sqlite3_stmt *put, *get;
};

int hosts_open(const char *dir, bool writable, struct hosts **out)
{
	struct hosts *h = calloc(1, sizeof(*h));
	char path[PATH_MAX];
	int r;

	if (!h)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/index/hosts.db", dir);
	r = writable ? sql_open(path, true, schema, &h->db) : sql_open_read(path, &h->db);
	r = r ? r : sql_prepare(h->db, "INSERT OR REPLACE INTO host VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)", &h->put);
	r = r ? r
	      : sql_prepare(
			h->db, "SELECT id, name, state, spki, tls_key, enrolled, seen FROM host WHERE id=?1", &h->get);
	if (r) {
		hosts_close(h);
		return r;
	}
	*out = h;
	return 0;
}

void hosts_close(struct hosts *h)
{
	if (!h)
		return;
	sqlite3_finalize(h->put);
	sqlite3_finalize(h->get);
	sqlite3_close_v2(h->db);
	free(h);
}

int hosts_put(struct hosts *h, const struct store_host *host)
{
	sqlite3_stmt *st = h->put;

	if (host->spki_len > sizeof(host->spki))
		return -EINVAL;
	sqlite3_reset(st);
	sql_bind(st, 1, SPAN(host->id.b, DIGEST_SIZE));
	sqlite3_bind_text(st, 2, host->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, host->state);
	sql_bind(st, 4, SPAN(host->spki, host->spki_len));
	sql_bind(st, 5, SPAN(host->tls_key.b, DIGEST_SIZE));
	sqlite3_bind_int64(st, 6, host->enrolled_us);
	sqlite3_bind_int64(st, 7, host->last_seen_us);
	return sql_run(st);
}

static int from_row(sqlite3_stmt *st, struct store_host *out)
{
	struct span id = sql_blob(st, 0), spki = sql_blob(st, 3), tls = sql_blob(st, 4);
	struct store_host h = {.state = HOST_ACTIVE};
	const unsigned char *name = sqlite3_column_text(st, 1);

	if (id.n != DIGEST_SIZE || spki.n > sizeof(h.spki) || tls.n != DIGEST_SIZE)
		return V_BAD;
	memcpy(h.id.b, id.p, id.n);
	snprintf(h.name, sizeof(h.name), "%s", name ? (const char *)name : "");
	h.state = (enum store_host_state)sqlite3_column_int(st, 2);
	if (spki.n)
		memcpy(h.spki, spki.p, spki.n);
	h.spki_len = spki.n;
	memcpy(h.tls_key.b, tls.p, tls.n);
	h.enrolled_us = sqlite3_column_int64(st, 5);
	h.last_seen_us = sqlite3_column_int64(st, 6);
	*out = h;
	return 0;
}

int hosts_get(struct hosts *h, const struct digest *id, struct store_host *out)
{
	int r;

	sqlite3_reset(h->get);
	sql_bind(h->get, 1, SPAN(id->b, DIGEST_SIZE));
	r = sql_step(h->get);
	r = r ? r : from_row(h->get, out);
	sqlite3_reset(h->get);
	return r == V_END ? V_NOT_FOUND : r;
}

int hosts_after(struct hosts *h, const char *name, const struct digest *id, store_host_fn fn, void *ctx)
{
	/* A statement of its own: the callback may ask for hosts itself. */
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	struct store_host host;
	int r = sql_prepare(h->db,
		"SELECT id, name, state, spki, tls_key, enrolled, seen FROM host WHERE (name, id) > (?1, ?2) "
		"ORDER BY name, id",
		&st);

	if (r)
		return r;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sql_bind(st, 2, SPAN(id->b, DIGEST_SIZE));
	while (!r && !(r = sql_step(st))) {
		r = from_row(st, &host);
		r = r ? r : fn(ctx, &host);
	}
	return r == V_END ? 0 : r;
}

int hosts_each(struct hosts *h, store_host_fn fn, void *ctx)
{
	static const struct digest least;

	return hosts_after(h, "", &least, fn, ctx);
}

bool host_told(const struct record *r, struct digest *id)
{
	uint64_t kind = record_has(r, F_KIND) ? r->v[F_KIND].u : 0;

	if ((kind != KIND_ENROL && kind != KIND_RENEW && kind != KIND_REVOKE && kind != KIND_RETIRE) ||
		!record_has(r, F_PEER) || r->v[F_PEER].s.n != DIGEST_SIZE)
		return false;
	memcpy(id->b, r->v[F_PEER].s.p, DIGEST_SIZE);
	return true;
}

bool host_learn(const struct record *r, bool known, struct store_host *host)
{
	uint64_t kind = r->v[F_KIND].u;

	if (!known && kind != KIND_ENROL)
		return false; /* of a PC whose enrolment is not in this log */
	if (!known)
		*host = (struct store_host){.state = HOST_ACTIVE};
	memcpy(host->id.b, r->v[F_PEER].s.p, DIGEST_SIZE);
	if (kind == KIND_ENROL) {
		host->state = HOST_ACTIVE;
		host->enrolled_us = r->v[F_TIME].i;
		if (record_has(r, F_KEY) && r->v[F_KEY].s.n && r->v[F_KEY].s.n <= sizeof(host->spki)) {
			struct digest of_key;

			/* A PC's id is its key's hash: another key is not its own. */
			digest_span(&of_key, r->v[F_KEY].s);
			if (!digest_eq(&of_key, &host->id))
				return false;
			memcpy(host->spki, r->v[F_KEY].s.p, r->v[F_KEY].s.n);
			host->spki_len = r->v[F_KEY].s.n;
		}
	}
	if (kind == KIND_REVOKE)
		host->state = HOST_REVOKED;
	/* What is revoked stays revoked: its keys are not trusted, which says more. */
	if (kind == KIND_RETIRE && host->state == HOST_ACTIVE)
		host->state = HOST_RETIRED;
	if (record_has(r, F_PEER_NAME) && r->v[F_PEER_NAME].s.n < sizeof(host->name) && r->v[F_PEER_NAME].s.n)
		snprintf(host->name, sizeof(host->name), "%.*s", (int)r->v[F_PEER_NAME].s.n,
			(const char *)r->v[F_PEER_NAME].s.p);
	if ((kind == KIND_ENROL || kind == KIND_RENEW) && record_has(r, F_HASH) && r->v[F_HASH].s.n == DIGEST_SIZE)
		memcpy(host->tls_key.b, r->v[F_HASH].s.p, DIGEST_SIZE);
	return true;
}

int hosts_learn(struct hosts *h, const struct record *r)
{
	struct store_host host;
	struct digest id;
	int x;

	if (!host_told(r, &id))
		return 0;
	x = hosts_get(h, &id, &host);
	if (x && x != V_NOT_FOUND)
		return x;
	return host_learn(r, !x, &host) ? hosts_put(h, &host) : 0;
}

int hosts_seen(struct hosts *h, const struct digest *id, int64_t when_us)
{
	struct store_host host;
	int r = hosts_get(h, id, &host);

	if (r || host.last_seen_us >= when_us)
		return r == V_NOT_FOUND ? 0 : r;
	host.last_seen_us = when_us;
	return hosts_put(h, &host);
}

int hosts_begin(struct hosts *h)
{
	return sql_exec(h->db, "BEGIN IMMEDIATE");
}

int hosts_commit(struct hosts *h)
{
	return sql_exec(h->db, "COMMIT");
}
