/*
 * What keeps collectors from a database whose log went on elsewhere: a row that they look for when they open it, and
 * the lock that all of them share and one who moves it has alone. See ../bar.h.
 */
#include "collector/store/bar.h"
#include "collector/store/postgresql/pg.h"
#include <errno.h>

int pg_hold(struct store *s)
{
	struct pg *p = pg_of(s);

	return p->writable ? 0 : pg_lock(&p->side, true);
}

int pg_bar(struct store *s, struct span line)
{
	static const char put[] =
		"INSERT INTO sekisho.barred VALUES (0, $1) ON CONFLICT (id) DO UPDATE SET line = excluded.line";
	struct pg *p = pg_of(s);
	struct args a = {.n = 0};
	int r = conn_run(&p->side, "BEGIN", NULL, NULL);

	/* Whoever only reads did not ask the session for durability. */
	r = r ? r : conn_run(&p->side, "SET LOCAL synchronous_commit = on", NULL, NULL);
	if (line.n)
		arg_bytes(&a, line);
	r = r ? r : conn_run(&p->side, line.n ? put : "DELETE FROM sekisho.barred", line.n ? &a : NULL, NULL);
	r = r ? r : conn_commit(&p->side);
	if (r)
		conn_rollback(&p->side);
	return r;
}

int pg_barred(struct store *s, struct buf *line)
{
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	int r = conn_run(&p->side, "SELECT line FROM sekisho.barred", NULL, &res);

	/* Tables from before there was one. */
	if (r == -ENOENT)
		return 0;
	if (r || !PQntuples(res))
		return r;
	r = buf_put_span(line, result_bytes(res, 0, 0));
	return r == V_FULL ? V_BAD : r;
}
