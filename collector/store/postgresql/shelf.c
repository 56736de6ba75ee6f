/*
 * What several collectors share beside the log: the shelf, hints that something on it changed, turns at what one of
 * them does at a time, and who of them was first. Each statement is a transaction of its own on the connection beside
 * the turn, so nothing here waits for a group that is open.
 */
#include "collector/store/postgresql/pg.h"
#include <errno.h>

#define HINT_MAX 256u

/* --- the shelf --- */

bool pg_shares(const struct store *s)
{
	return pg_of(s)->shares;
}

int pg_share(struct pg *p, struct why *why)
{
	_cleanup_result_ PGresult *res = NULL, *version = NULL;
	int r = conn_run(&p->side, "SELECT to_regclass('sekisho.shared') IS NOT NULL", NULL, &res);

	p->shares = false;
	if (r || !result_int(res, 0, 0))
		return r;
	r = conn_run(&p->side, "SELECT version FROM sekisho.shared", NULL, &version);
	if (!r && (PQntuples(version) != 1 || result_int(version, 0, 0) != PG_SHARED_VERSION))
		return why_set(why, V_BAD, "what collectors share in the database is of another version of Sekisho");
	p->shares = !r;
	if (r || !p->writable || p->filling)
		return r;
	return conn_run_once(&p->side, "LISTEN sekisho", NULL, NULL);
}

static void arg_words(struct args *a, const char *kind, const char *name)
{
	arg_bytes(a, SPAN_STR(kind));
	arg_bytes(a, SPAN_STR(name));
}

#define NAMED "kind = convert_from($1, 'UTF8') AND name = convert_from($2, 'UTF8')"

int pg_shelf_get(struct store *s, const char *kind, const char *name, struct buf *value)
{
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	int r;

	arg_words(&a, kind, name);
	r = conn_run(&pg_of(s)->side, "SELECT value FROM sekisho.shelf WHERE " NAMED, &a, &res);
	if (r)
		return r;
	return PQntuples(res) ? buf_put_span(value, result_bytes(res, 0, 0)) : V_NOT_FOUND;
}

int pg_shelf_put(struct store *s, const char *kind, const char *name, struct span value, const struct span *before)
{
#define INSERT_ "INSERT INTO sekisho.shelf VALUES (convert_from($1, 'UTF8'), convert_from($2, 'UTF8'), $3) ON CONFLICT "
	static const char any[] = INSERT_ "(kind, name) DO UPDATE SET value = excluded.value";
	static const char first[] = INSERT_ "DO NOTHING";
	static const char instead[] = "UPDATE sekisho.shelf SET value = $3 WHERE " NAMED " AND value = $4";
#undef INSERT_
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	int r;

	arg_words(&a, kind, name);
	arg_bytes(&a, value);
	if (before && before->n)
		arg_bytes(&a, *before);
	r = conn_run(&pg_of(s)->side, !before ? any : before->n ? instead : first, &a, &res);
	if (r)
		return r;
	return strcmp(PQcmdTuples(res), "1") != 0 ? V_EXISTS : 0;
}

int pg_shelf_drop(struct store *s, const char *kind, const char *name)
{
	struct args a = {.n = 0};

	arg_words(&a, kind, name);
	return conn_run(&pg_of(s)->side, "DELETE FROM sekisho.shelf WHERE " NAMED, &a, NULL);
}

int pg_shelf_each(struct store *s, const char *kind, store_shelf_fn fn, void *ctx)
{
	_cleanup_result_ PGresult *res = NULL;
	char name[SHELF_NAME_MAX + 1];
	struct args a = {.n = 0};
	int i, r;

	arg_bytes(&a, SPAN_STR(kind));
	r = conn_run(&pg_of(s)->side,
		"SELECT name, value FROM sekisho.shelf WHERE kind = convert_from($1, 'UTF8') ORDER BY name", &a, &res);
	for (i = 0; !r && i < PQntuples(res); i++) {
		struct span n = result_bytes(res, i, 0);

		if (n.n >= sizeof(name)) /* of nobody who asked store_shelf_put */
			continue;
		memcpy(name, n.p, n.n);
		name[n.n] = 0;
		r = fn(ctx, name, result_bytes(res, i, 1));
	}
	return r == V_END ? 0 : r;
}

int pg_shelf_last(struct store *s, const char *kind, char name[SHELF_NAME_MAX + 1])
{
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	struct span n;
	int r;

	arg_bytes(&a, SPAN_STR(kind));
	arg_int(&a, SHELF_NAME_MAX);
	r = conn_run(&pg_of(s)->side,
		"SELECT name FROM sekisho.shelf WHERE kind = convert_from($1, 'UTF8') AND octet_length(name) <= $2 "
		"ORDER BY name COLLATE \"C\" DESC LIMIT 1",
		&a, &res);
	if (r || !PQntuples(res))
		return r ? r : V_NOT_FOUND;
	n = result_bytes(res, 0, 0);
	memcpy(name, n.p, n.n);
	name[n.n] = 0;
	return 0;
}

/* --- hints --- */

int pg_hear(struct store *s, store_heard_fn fn, void *ctx)
{
	struct pg *p = pg_of(s);
	char text[HINT_MAX], *name;
	int r = 0;

	if (p->failed)
		return -EIO;
	while (!r && (r = conn_heard(&p->side, text, sizeof(text))) == 1) {
		name = strchr(text, ' ');
		if (name)
			*name++ = 0;
		r = name ? fn(ctx, text, name) : 0;
	}
	if (r)
		return r;
	r = pg_follow(p);
	r = r || p->in_turn ? r : pg_tree(p, NULL);
	return r > 0 ? V_BAD : r;
}

/* --- one of them at a time --- */

int pg_duty(
	struct store *s, const char *name, const struct digest *who, int64_t now_us, int64_t every_us, int64_t grace_us)
{
	/* A clock that was ahead when it was noted must not keep everybody from it. */
	static const char text[] =
		"INSERT INTO sekisho.duty VALUES (convert_from($1, 'UTF8'), $2, $3) ON CONFLICT (name) DO UPDATE SET "
		"at = $2, by = $3 WHERE sekisho.duty.at > $2 + $4 OR sekisho.duty.at <= $2 - $4 - "
		"CASE WHEN sekisho.duty.by = $3 THEN $5 ELSE 0 END";
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	int r;

	arg_bytes(&a, SPAN_STR(name));
	arg_int(&a, now_us);
	arg_digest(&a, who);
	arg_int(&a, every_us);
	arg_int(&a, grace_us);
	r = conn_run(&pg_of(s)->side, text, &a, &res);
	if (r)
		return r;
	return strcmp(PQcmdTuples(res), "1") != 0 ? V_AGAIN : 0;
}

int pg_founder(struct store *s, struct digest *out)
{
	/* Chains are numbered by whoever has the log's row locked: in the order of their first leaves. */
	static const char text[] = "SELECT host FROM sekisho.chain WHERE producer = $1 ORDER BY id LIMIT 1";
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	int r;

	arg_int(&a, PRODUCER_COLLECTOR);
	r = conn_run(&pg_of(s)->side, text, &a, &res);
	if (r)
		return r;
	return PQntuples(res) && result_digest(res, 0, 0, out) ? 0 : V_NOT_FOUND;
}
