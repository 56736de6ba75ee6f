/*
 * What stands beside the log in the database: cosigned checkpoints, witnesses, PCs, months and their retention.
 */
#include "collector/store/postgresql/pg.h"
#include "collector/store/store_parts.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <stdlib.h>

#define PAGE 256
#define COLLECTORS PRODUCER_COLLECTOR

/* --- cosigned checkpoints, witnesses --- */

int pg_cosign(struct store *s, struct span note)
{
	struct pg *p = pg_of(s);
	struct args a = {.n = 0};

	if (!p->writable)
		return -EROFS;
	arg_bytes(&a, note);
	return conn_run(&p->side,
		"INSERT INTO sekisho.cosigned VALUES (0, $1) ON CONFLICT (id) DO UPDATE SET note = excluded.note", &a,
		NULL);
}

int pg_cosigned(const struct store *s, struct buf *note, uint64_t *size)
{
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	struct checkpoint c;
	int r = conn_run(&p->side, "SELECT note FROM sekisho.cosigned", NULL, &res);

	if (r)
		return r;
	/* One that is damaged, or ahead of what this reader has seen, is none. */
	if (!PQntuples(res) || log_peek(result_bytes(res, 0, 0), &c, NULL) || c.size > p->head.size)
		return V_NOT_FOUND;
	r = buf_put_span(note, result_bytes(res, 0, 0));
	if (!r)
		*size = c.size;
	return r;
}

int pg_witness_add(struct store *s, struct span line)
{
	struct pg *p = pg_of(s);
	struct args a = {.n = 0};

	if (!p->writable)
		return -EROFS;
	arg_bytes(&a, line);
	return conn_run(&p->side, "INSERT INTO sekisho.witness (line) VALUES ($1)", &a, NULL);
}

int pg_witness_each(const struct store *s, store_witness_fn fn, void *ctx)
{
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	int i, r = conn_run(&p->side, "SELECT line FROM sekisho.witness ORDER BY id", NULL, &res);

	for (i = 0; !r && i < PQntuples(res); i++)
		r = fn(ctx, result_bytes(res, i, 0));
	return r == V_END ? 0 : r;
}

/* --- PCs --- */

#define HOST "id, name, state, spki, tls_key, enrolled, seen"

static int host_from(const PGresult *res, int row, struct store_host *out)
{
	struct store_host h = {.state = HOST_ACTIVE};
	struct span name = result_bytes(res, row, 1), spki = result_bytes(res, row, 3);

	if (!result_digest(res, row, 0, &h.id) || !result_digest(res, row, 4, &h.tls_key) || name.n >= sizeof(h.name) ||
		spki.n > sizeof(h.spki))
		return V_BAD;
	memcpy(h.name, name.p, name.n);
	memcpy(h.spki, spki.p, spki.n);
	h.spki_len = spki.n;
	h.state = (enum store_host_state)result_int(res, row, 2);
	h.enrolled_us = result_int(res, row, 5);
	h.last_seen_us = result_int(res, row, 6);
	*out = h;
	return 0;
}

int pg_host_put(struct store *s, const struct store_host *h)
{
	return pg_of(s)->writable ? pg_host_keep(pg_of(s), h) : -EROFS;
}

int pg_host_keep(struct pg *p, const struct store_host *h)
{
	struct args a = {.n = 0};

	if (h->spki_len > sizeof(h->spki))
		return -EINVAL;
	arg_digest(&a, &h->id);
	arg_bytes(&a, SPAN_STR(h->name));
	arg_int(&a, h->state);
	arg_bytes(&a, SPAN(h->spki, h->spki_len));
	arg_digest(&a, &h->tls_key);
	arg_int(&a, h->enrolled_us);
	arg_int(&a, h->last_seen_us);
	return conn_run(&p->side,
		"INSERT INTO sekisho.host VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET "
		/* HOST_REVOKED, HOST_RETIRED: no way leads back, and only to the first from the other. */
		"name = $2, state = CASE WHEN host.state = 2 THEN 2 WHEN host.state = 3 AND $3 = 1 THEN 3 ELSE $3 END, "
		"spki = $4, tls_key = $5, enrolled = $6, seen = $7",
		&a, NULL);
}

int pg_host_seen(struct store *s, const struct digest *id, int64_t when_us)
{
	struct args a = {.n = 0};

	if (!pg_of(s)->writable)
		return -EROFS;
	arg_digest(&a, id);
	arg_int(&a, when_us);
	return conn_run(&pg_of(s)->side, "UPDATE sekisho.host SET seen = $2 WHERE id = $1", &a, NULL);
}

int pg_host_get(struct store *s, const struct digest *id, struct store_host *out)
{
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	int r;

	arg_digest(&a, id);
	r = conn_run(&p->side, "SELECT " HOST " FROM sekisho.host WHERE id = $1", &a, &res);
	if (r)
		return r;
	return PQntuples(res) ? host_from(res, 0, out) : V_NOT_FOUND;
}

int pg_host_after(struct store *s, const char *name, const struct digest *id, store_host_fn fn, void *ctx)
{
	struct pg *p = pg_of(s);
	struct store_host h;
	int i, n = PAGE, r;

	snprintf(h.name, sizeof(h.name), "%s", name);
	h.id = *id;
	do {
		_cleanup_result_ PGresult *res = NULL;
		struct args a = {.n = 0};

		arg_bytes(&a, SPAN_STR(h.name));
		arg_digest(&a, &h.id);
		arg_int(&a, PAGE);
		r = conn_run(&p->side,
			"SELECT " HOST " FROM sekisho.host WHERE (name, id) > ($1, $2) ORDER BY name, id LIMIT $3", &a,
			&res);
		n = r ? 0 : PQntuples(res);
		for (i = 0; !r && i < n; i++) {
			r = host_from(res, i, &h);
			r = r ? r : fn(ctx, &h);
		}
	} while (!r && n == PAGE);
	return r == V_END ? 0 : r;
}

/* --- months --- */

#define MONTHS "SELECT month, first, lead(first) OVER (ORDER BY first) FROM sekisho.month"

static bool month_number(const char *month, int64_t *out)
{
	unsigned year, m;
	int end = 0;

	if (sscanf(month, "%4u-%2u%n", &year, &m, &end) != 2 || month[end] || m < 1 || m > 12)
		return false;
	*out = (int64_t)year * 100 + m;
	return true;
}

/* Leaves of a month by channel, as far as they were counted: committed ones change no more. */
struct counted {
	int64_t month;
	uint64_t next; /* the leaf to go on with */
	uint64_t n[CHANNELS_MAX];
};

#define COUNT_LEAVES 8192 /* in one question: of many millions it would take minutes */
#define COUNT_US 20000    /* of them, before others have their turn */

void pg_forget_counts(struct pg *p)
{
	free(p->counts);
	p->counts = NULL;
	p->counts_n = 0;
}

/* NULL: no memory. */
static struct counted *counted_of(struct pg *p, int64_t month, uint64_t first)
{
	struct counted *c;
	unsigned i;

	for (i = 0; i < p->counts_n; i++)
		if (p->counts[i].month == month)
			return &p->counts[i];
	c = reallocarray(p->counts, p->counts_n + 1, sizeof(*c));
	if (!c)
		return NULL;
	p->counts = c;
	c += p->counts_n++;
	*c = (struct counted){.month = month, .next = first};
	return c;
}

static int count_some(struct pg *p, struct counted *c, uint64_t end)
{
	static const char text[] = "SELECT producer, count(*) FROM sekisho.leaf WHERE month = $1 AND idx >= $2 AND "
				   "idx < $3 GROUP BY producer";
	_cleanup_result_ PGresult *res = NULL;
	uint64_t to = end - c->next < COUNT_LEAVES ? end : c->next + COUNT_LEAVES;
	struct args a = {.n = 0};
	int i, r;

	arg_int(&a, c->month);
	arg_int(&a, (int64_t)c->next);
	arg_int(&a, (int64_t)to);
	r = conn_run(&p->side, text, &a, &res);
	if (r)
		return r;
	for (i = 0; i < PQntuples(res); i++)
		if (result_int(res, i, 0) >= 0 && result_int(res, i, 0) < (int64_t)CHANNELS_MAX)
			c->n[result_int(res, i, 0)] += (uint64_t)result_int(res, i, 1);
	c->next = to;
	return 0;
}

static int count(struct pg *p, int64_t month, int64_t until, struct store_month *m)
{
	struct counted *c = counted_of(p, month, m->first);
	unsigned i;
	int r = c ? 0 : -ENOMEM;

	while (!r && c->next < m->first + m->count && clock_boot_us() < until)
		r = count_some(p, c, m->first + m->count);
	if (r)
		return r;
	m->counted = c->next >= m->first + m->count;
	for (i = 0; m->counted && i < CHANNELS_MAX; i++)
		m->channels[i].segments = c->n[i];
	return 0;
}

/* Segments are counted until then; INT64_MIN: not. */
static int fill(struct pg *p, const PGresult *months, int row, int64_t until, struct store_month *m)
{
	static const char text[] =
		"SELECT c, (SELECT sum(pg_total_relation_size(relid))::bigint FROM "
		"pg_partition_tree(to_regclass('sekisho.body_' || ($1 * 100 + c)))) "
		"FROM generate_series(1, $2) c WHERE to_regclass('sekisho.body_' || ($1 * 100 + c)) IS NOT NULL "
		"AND NOT EXISTS (SELECT FROM sekisho.expired WHERE part = $1 * 100 + c)";
	_cleanup_result_ PGresult *res = NULL;
	int64_t month = result_int(months, row, 0);
	struct args a = {.n = 0};
	bool there[CHANNELS_MAX] = {false};
	unsigned c;
	int i, r;

	*m = (struct store_month){.first = (uint64_t)result_int(months, row, 1)};
	snprintf(m->month, sizeof(m->month), "%04u-%02u", (unsigned)(month / 100 % 10000), (unsigned)(month % 100));
	m->open = PQgetisnull(months, row, 2);
	m->count = (m->open ? p->head.size : (uint64_t)result_int(months, row, 2)) - m->first;
	arg_int(&a, month);
	arg_int(&a, CHANNELS_MAX - 1);
	r = conn_run(&p->side, text, &a, &res);
	for (i = 0; !r && i < PQntuples(res); i++) {
		c = (unsigned)result_int(res, i, 0);
		there[c] = true;
		m->channels[c].bytes = (uint64_t)result_int(res, i, 1);
	}
	r = r || until == INT64_MIN ? r : count(p, month, until, m);
	for (c = 0; !r && c < CHANNELS_MAX; c++)
		m->channels[c].gone = m->channels[c].segments && !there[c];
	return r;
}

static int each_month(
	struct store *s, const char *text, const struct args *a, bool counted, store_month_fn fn, void *ctx)
{
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	int64_t until = !counted ? INT64_MIN : p->wait_ms < 0 ? INT64_MAX : clock_boot_us() + COUNT_US;
	struct store_month m;
	int i, r = store_refresh(s);

	r = r ? r : conn_run(&p->side, text, a, &res);
	for (i = 0; !r && i < PQntuples(res); i++) {
		/* One that a commit of a moment ago began. */
		if ((uint64_t)result_int(res, i, 1) >= p->head.size)
			break;
		r = fill(p, res, i, until, &m);
		r = r ? r : fn(ctx, &m);
	}
	return r == V_END ? 0 : r;
}

int pg_months(struct store *s, bool counted, store_month_fn fn, void *ctx)
{
	return each_month(s, MONTHS " ORDER BY first", NULL, counted, fn, ctx);
}

static int keep(void *ctx, const struct store_month *m)
{
	*(struct store_month *)ctx = *m;
	return 0;
}

int pg_month(struct store *s, const char *month, struct store_month *out)
{
	struct store_month m = {.month = ""};
	struct args a = {.n = 0};
	int64_t number;
	int r;

	if (!month_number(month, &number))
		return V_NOT_FOUND;
	arg_int(&a, number);
	r = each_month(s, "SELECT * FROM (" MONTHS ") m WHERE month = $1", &a, true, keep, &m);
	if (!r && !m.month[0])
		return V_NOT_FOUND;
	if (!r)
		*out = m;
	return r;
}

bool pg_bodies_there(struct store *s, uint64_t index, unsigned channel, uint64_t *until)
{
	static const char text[] =
		"SELECT to_regclass('sekisho.body_' || (month * 100 + $2)) IS NOT NULL AND NOT EXISTS (SELECT FROM "
		"sekisho.expired WHERE part = month * 100 + $2), (SELECT min(first) FROM sekisho.month WHERE first > "
		"$1) "
		"FROM sekisho.month WHERE first <= $1 ORDER BY first DESC LIMIT 1";
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};

	*until = index + 1;
	arg_int(&a, (int64_t)index);
	arg_int(&a, channel);
	if (conn_run(&p->side, text, &a, &res) || !PQntuples(res))
		return false;
	if (!PQgetisnull(res, 0, 1))
		*until = (uint64_t)result_int(res, 0, 1);
	else if (p->head.size > index)
		*until = p->head.size;
	return result_int(res, 0, 0);
}

/* --- expiring --- */

/*
 * What goes is locked against everybody who reads it, and who comes later waits behind us: so not for long. A backup
 * that is being made (pg_dump) reads all of it until it ends.
 */
#define EXPIRE_LOCK_MS 50
#define EXPIRE_ROWS 2000 /* looked at in one transaction */
#define EXPIRE_US 20000  /* of them, before others have their turn */

/* Have its bodies gone, and not all of their rows? In tables that were made before expire.sql these went with them. */
static int has_expired(struct pg *p, const struct args *part, bool *gone, bool *left)
{
	static const char text[] = "SELECT to_jsonb(e) ->> 'rows_from' IS NOT NULL FROM sekisho.expired e "
				   "WHERE part = $1 * 100 + $2";
	_cleanup_result_ PGresult *res = NULL;
	int r = conn_run(&p->side, text, part, &res);

	*gone = !r && PQntuples(res);
	*left = *gone && result_int(res, 0, 0);
	return r;
}

/* 0; V_AGAIN: somebody reads it, or makes the index; V_NOT_FOUND; V_DENIED; -errno. */
static int expire_bodies(struct pg *p, const struct args *part, uint64_t *freed)
{
	_cleanup_result_ PGresult *res = NULL;
	bool serves = p->wait_ms >= 0, gone = p->side.gone;
	struct args a = {.n = 0};
	int r, x;

	arg_int(&a, EXPIRE_LOCK_MS);
	r = serves ? conn_run(&p->side, "SELECT set_config('lock_timeout', $1::bigint::text, false)", &a, NULL) : 0;
	/* By itself: where its answer does not come in time, the server does it all the same. */
	r = r ? r : conn_run(&p->side, "SELECT sekisho.expire($1, $2)", part, &res);
	if (serves && r == -ETIMEDOUT) {
		p->side.gone = gone;
		r = V_AGAIN;
	}
	x = serves && r >= 0 ? conn_run(&p->side, "RESET lock_timeout", NULL, NULL) : 0;
	r = x ? x : r;
	if (r)
		return r;
	if (result_int(res, 0, 0) < 0)
		return result_int(res, 0, 0) == -1 ? V_NOT_FOUND : V_DENIED;
	*freed = (uint64_t)result_int(res, 0, 0);
	return 0;
}

static int expire_rows(struct pg *p, const struct args *part, bool *left)
{
	int64_t until = p->wait_ms < 0 ? INT64_MAX : clock_boot_us() + EXPIRE_US, got;
	struct args a = *part;
	unsigned i;
	int r;

	/* They are borrowed. */
	for (i = 0; i < a.n; i++)
		a.v[i] = (const char *)a.room[i];
	arg_int(&a, EXPIRE_ROWS);
	do {
		_cleanup_result_ PGresult *res = NULL;

		r = conn_run(&p->side, "SELECT sekisho.expire_rows($1, $2, $3)", &a, &res);
		got = r ? 0 : result_int(res, 0, 0);
	} while (!r && got > 0 && clock_boot_us() < until);
	*left = got != 0;
	return r;
}

int pg_expire(struct store *s, const char *month, unsigned channel, uint64_t *freed, bool *left)
{
	struct pg *p = pg_of(s);
	struct args a = {.n = 0};
	int64_t number;
	bool gone;
	int r;

	*freed = 0;
	*left = false;
	if (p->failed)
		return -EIO;
	if (!p->writable)
		return -EROFS;
	if (!month_number(month, &number))
		return V_NOT_FOUND;
	arg_int(&a, number);
	/* Of those that are none, too, the month is looked for first. */
	arg_int(&a, producer_name(channel) ? channel : COLLECTORS);
	r = has_expired(p, &a, &gone, left);
	if (!r && !gone) {
		r = expire_bodies(p, &a, freed);
		r = r ? r : has_expired(p, &a, &gone, left);
	}
	return r || !*left ? r : expire_rows(p, &a, left);
}
