/*
 * Chains of headers, asked for: on the connection that appends, so that what waits for the commit is seen too; but not
 * while that connection waits for an answer. They are written by sekisho.append (schema.sql).
 */
#include "collector/store/postgresql/pg.h"
#include "policy/trust/cose.h"

#define CHAIN "(SELECT id FROM sekisho.chain WHERE host = $1 AND producer = $2)"

static struct conn *conn_of(struct pg *p)
{
	return p->writable && !p->waits ? &p->turn : &p->side;
}

int pg_heads(struct store *s, const struct digest *host, unsigned producer, struct store_head *out, unsigned max,
	unsigned *n)
{
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	int i, rows, r;

	arg_digest(&a, host);
	arg_int(&a, producer);
	arg_int(&a, max ? max : 1);
	r = conn_run(conn_of(p),
		"SELECT hash, seq, epoch, count(*) OVER () FROM sekisho.head WHERE chain = " CHAIN
		" ORDER BY idx DESC LIMIT $3",
		&a, &res);
	if (r)
		return r;
	rows = PQntuples(res);
	for (i = 0; i < rows && (unsigned)i < max; i++) {
		if (!result_digest(res, i, 0, &out[i].hash))
			return V_BAD;
		out[i].seq = (uint64_t)result_int(res, i, 1);
		out[i].epoch = (uint64_t)result_int(res, i, 2);
	}
	*n = rows ? (unsigned)result_int(res, 0, 3) : 0;
	return rows ? 0 : V_NOT_FOUND;
}

int pg_find(struct store *s, const struct digest *hash, uint64_t *index, uint64_t *seq)
{
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	int r;

	arg_digest(&a, hash);
	r = conn_run(conn_of(p), "SELECT idx, seq FROM sekisho.header WHERE hash = $1", &a, &res);
	if (r)
		return r;
	if (!PQntuples(res))
		return V_NOT_FOUND;
	*index = (uint64_t)result_int(res, 0, 0);
	*seq = (uint64_t)result_int(res, 0, 1);
	return 0;
}

int pg_has_successor(
	struct store *s, const struct digest *host, unsigned producer, const struct digest *hash, bool *yes)
{
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	int r;

	arg_digest(&a, host);
	arg_int(&a, producer);
	arg_digest(&a, hash);
	/* It was named before it was there; or it is there, and is no head. */
	r = conn_run(conn_of(p),
		"SELECT EXISTS (SELECT FROM sekisho.orphan WHERE chain = c.id AND prev = $3) OR "
		"(EXISTS (SELECT FROM sekisho.header WHERE hash = $3 AND chain = c.id) AND "
		"NOT EXISTS (SELECT FROM sekisho.head WHERE chain = c.id AND hash = $3)) "
		"FROM sekisho.chain c WHERE c.host = $1 AND c.producer = $2",
		&a, &res);
	if (!r)
		*yes = PQntuples(res) && result_int(res, 0, 0);
	return r;
}

int pg_epoch(struct store *s, const struct digest *host, unsigned producer, uint64_t number, const uint8_t kid[8],
	struct buf *cert)
{
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	int r;

	arg_digest(&a, host);
	arg_int(&a, producer);
	arg_int(&a, (int64_t)number);
	if (kid)
		arg_bytes(&a, SPAN(kid, COSE_KID_SIZE));
	else
		arg_null_bytes(&a);
	r = conn_run(conn_of(p),
		"SELECT cert FROM sekisho.epoch WHERE chain = " CHAIN
		" AND number = $3 AND ($4 IS NULL OR kid = $4) ORDER BY idx DESC LIMIT 1",
		&a, &res);
	if (r)
		return r;
	return PQntuples(res) ? buf_put_span(cert, result_bytes(res, 0, 0)) : V_NOT_FOUND;
}
