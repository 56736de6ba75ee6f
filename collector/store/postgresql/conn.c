/*
 * Statements over libpq. See conn.h.
 */
#include "collector/store/postgresql/conn.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

/* catalog/pg_type.dat */
#define TLS_LOOK_MS 250
#define OID_BYTEA 17u
#define OID_INT8 20u
#define OID_INT4 23u

#define BINARY 1

/* A turn that somebody holds for longer than this is taken from them, by the server. */
#define TURN_MS "20000"
#define LOCK_MS "30000"
/*
 * A server that says nothing for so long, while whoever serves waits for it, is gone. What it can say of itself in this
 * time, it says: a lock does not come (LOCK_SERVES_MS).
 */
#define SILENCE_MS 20000
#define LOCK_SERVES_MS "15000"
/*
 * Whoever waits for longer asks the server now and then whether it is there. Who shows things to others waits for no
 * answer longer than PATIENCE_MS even then; before that the server gives the question up by itself.
 */
#define THERE_S "10"
#define PATIENCE_MS 300000
#define QUESTION_MS "270000"

void arg_int(struct args *a, int64_t v)
{
	put_be64(a->room[a->n], (uint64_t)v);
	a->type[a->n] = OID_INT8;
	a->v[a->n] = (const char *)a->room[a->n];
	a->binary[a->n] = BINARY;
	a->length[a->n++] = 8;
}

void arg_bytes(struct args *a, struct span s)
{
	a->type[a->n] = OID_BYTEA;
	a->v[a->n] = s.n ? (const char *)s.p : "";
	a->binary[a->n] = BINARY;
	a->length[a->n++] = (int)s.n;
}

void arg_null_bytes(struct args *a)
{
	a->type[a->n] = OID_BYTEA;
	a->v[a->n] = NULL;
	a->binary[a->n] = BINARY;
	a->length[a->n++] = 0;
}

/* --- errors --- */

static void keep_error(struct conn *c, const char *text)
{
	size_t i = 0;

	/* The first line; what the server quotes may be anything. */
	for (; *text && *text != '\n' && i + 1 < sizeof(c->error); text++)
		c->error[i++] = iscntrl((unsigned char)*text) ? ' ' : *text;
	c->error[i] = 0;
}

/* SQLSTATE (PostgreSQL manual, appendix A), by class where that is enough. */
static int error_of(struct conn *c, const PGresult *r)
{
	static const struct {
		const char *state;
		int error;
		bool gone;
	} known[] = {
		{"53100", ENOSPC, true}, /* nothing can be done with it until there is room */
		{"53", ENOMEM, false},
		{"42501", EACCES, false},
		{"28", EACCES, false},
		{"25006", EROFS, true}, /* a primary that was one no more */
		{"42P01", ENOENT, false},
		{"3F000", ENOENT, false},
		{"55P03", ETIMEDOUT, true},
		{"57014", ETIMEDOUT, true},
		{"57P", ECONNRESET, true},
		{"25P", ECONNRESET, true},
		{"08", ECONNRESET, true},
	};
	const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	size_t i;

	keep_error(c, r && PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY)
			      ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY)
			      : PQerrorMessage(c->pg));
	for (i = 0; state && i < ARRAY_SIZE(known); i++)
		if (!strncmp(state, known[i].state, strlen(known[i].state))) {
			c->gone |= known[i].gone;
			c->full |= known[i].error == ENOSPC;
			return -known[i].error;
		}
	return PQstatus(c->pg) == CONNECTION_OK ? -EIO : -ECONNRESET;
}

static void on_notice(void *ctx, const PGresult *r)
{
	struct conn *c = ctx;
	const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (!severity || strcmp(severity, "WARNING") != 0)
		return;
	c->warned = true;
	keep_error(c, PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY)
								     : "warning");
}

/* --- connecting --- */

static int judge_address(const char *address, struct why *why)
{
	char *error = NULL;
	PQconninfoOption *all = PQconninfoParse(address, &error), *o;
	int r = 0;

	if (!all) {
		r = why_set(why, V_BAD, "the database's address: %.120s", error ? error : "cannot be read");
		if (why && why->text[0] && why->text[strlen(why->text) - 1] == '\n')
			why->text[strlen(why->text) - 1] = 0;
	}
	for (o = all; o && o->keyword && !r; o++)
		if (!strcmp(o->keyword, "password") && o->val)
			r = why_set(
				why, V_BAD, "the database's address: has a password in it; keep that in a passfile");
	PQfreemem(error);
	PQconninfoFree(all);
	return r;
}

/* --- what is sent, and what comes back --- */

/* Nothing more is said or heard on it, so that nothing can wait for it any more. */
static int cut(struct conn *c)
{
	keep_error(c, "the database server does not answer");
	c->gone = c->cut = true;
	shutdown(PQsocket(c->pg), SHUT_RDWR);
	return -ECONNRESET;
}

/*
 * Waits until there is something to do, for `ms` at most (-1: for ever); for what the server says also while it takes
 * nothing. What TLS has taken from the socket already poll(2) does not see: that is asked for now and then. 0; V_AGAIN;
 * -errno.
 */
static int wait_until(struct conn *c, short events, int ms)
{
	struct pollfd fd = {.fd = PQsocket(c->pg), .events = events};
	int64_t until = clock_boot_us() + (int64_t)ms * 1000, left;
	bool tls = PQsslInUse(c->pg) && !(events & POLLOUT);
	int n;

	do {
		if (tls && !PQconsumeInput(c->pg))
			return error_of(c, NULL);
		if (tls && !PQisBusy(c->pg))
			return 0;
		left = ms < 0 ? INT_MAX : (until - clock_boot_us()) / 1000;
		left = left < 0 ? 0 : tls && left > TLS_LOOK_MS ? TLS_LOOK_MS : left;
		n = poll(&fd, 1, ms < 0 && !tls ? -1 : (int)left);
	} while ((n < 0 && errno == EINTR) || (!n && (ms < 0 || clock_boot_us() < until)));
	if (n <= 0)
		return n ? -errno : V_AGAIN;
	return fd.revents & ~POLLOUT && !PQconsumeInput(c->pg) ? error_of(c, NULL) : 0;
}

/*
 * Does the server that this connection leads to take another one, and say anything on it? It is asked nothing, and need
 * not let us in.
 */
static bool is_there(const struct conn *c)
{
	/* Behind the address, and before what it says: it may name several servers. */
	const char *const keys[] = {"dbname", "host", "hostaddr", "port", "connect_timeout", NULL};
	const char *const values[] = {c->address, PQhost(c->pg), PQhostaddr(c->pg), PQport(c->pg), THERE_S, NULL};
	PGPing ping = PQpingParams(keys, values, 1);

	return ping == PQPING_OK || ping == PQPING_REJECT;
}

static int wait_for(struct conn *c, short events)
{
	int64_t until = clock_boot_us() + (int64_t)c->patience_ms * 1000;
	int r;

	do
		r = wait_until(c, events, SILENCE_MS);
	while (r == V_AGAIN && !c->silence_ms && (!c->patience_ms || clock_boot_us() < until) && is_there(c));
	return r == V_AGAIN ? cut(c) : r;
}

/* All that is to be sent is: to the kernel, which takes no more than it has room for. */
static int flush(struct conn *c)
{
	int left, r = 0;

	while (!r && (left = PQflush(c->pg)))
		r = left < 0 ? error_of(c, NULL) : wait_for(c, POLLIN | POLLOUT);
	return r;
}

/* The next result of what was sent; NULL: there is none. */
static int next_result(struct conn *c, PGresult **res)
{
	int r = 0;

	while (!r && PQisBusy(c->pg))
		r = wait_for(c, POLLIN);
	*res = r ? NULL : PQgetResult(c->pg);
	return r;
}

static int settle(struct conn *c, PGresult *res, PGresult **out)
{
	ExecStatusType s = PQresultStatus(res);

	if (s != PGRES_TUPLES_OK && s != PGRES_COMMAND_OK && s != PGRES_COPY_IN) {
		int r = error_of(c, res);

		PQclear(res);
		return r;
	}
	if (out)
		*out = res;
	else
		PQclear(res);
	return 0;
}

/* What follows the one result of a statement, which has come: that it is over. */
static int finish(struct conn *c, PGresult *res, PGresult **out)
{
	PGresult *more = NULL;
	int r = 0;

	while (!r && PQresultStatus(res) != PGRES_COPY_IN && !(r = next_result(c, &more)) && more)
		PQclear(more);
	if (r) {
		PQclear(res);
		return r;
	}
	return settle(c, res, out);
}

/* The answer to what was just sent, where it was. */
static int exchange(struct conn *c, int sent, PGresult **out)
{
	PGresult *res = NULL;
	int r = sent == 1 ? flush(c) : error_of(c, NULL);

	r = r ? r : next_result(c, &res);
	return r ? r : finish(c, res, out);
}

static int setting(struct conn *c, const char *text, char out[32])
{
	_cleanup_result_ PGresult *res = NULL;
	int r = c->cut ? -ECONNRESET : exchange(c, PQsendQuery(c->pg, text), &res);

	if (r)
		return r;
	if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1)
		return error_of(c, res);
	snprintf(out, 32, "%s", PQgetvalue(res, 0, 0));
	return 0;
}

/*
 * A commit that came back is on the disks of this server and of those that synchronous_standby_names names. What the
 * session can set it sets; what only the server's administrator can is looked at.
 */
static int demand_durability(struct conn *c, struct why *why)
{
	char v[32];
	int r = setting(c, "SHOW fsync", v);

	if (!r && strcmp(v, "on") != 0)
		return why_set(
			why, V_BAD, "the database server runs with fsync = %s: it may lose what it confirmed", v);
	r = r ? r : setting(c, "SHOW full_page_writes", v);
	if (!r && strcmp(v, "on") != 0)
		return why_set(why, V_BAD,
			"the database server runs with full_page_writes = %s: a power cut may "
			"damage what it confirmed",
			v);
	r = r ? r : setting(c, "SHOW synchronous_commit", v);
	if (!r && strcmp(v, "on") != 0 && strcmp(v, "remote_apply") != 0)
		r = setting(c, "SELECT set_config('synchronous_commit', 'on', false)", v);
	return r;
}

static bool reads(enum conn_use use)
{
	return use == CONN_READS || use == CONN_SHOWS;
}

static PGconn *connect_to(const char *address, enum conn_use use)
{
	/* Beside what the address says, and before it: an address may say otherwise. */
	const char *const keys[] = {"fallback_application_name", "target_session_attrs", "connect_timeout",
		"keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "dbname",
		"client_encoding", "options", NULL};
#define OPTIONS(lock)                                                                                        \
	"-c search_path=pg_catalog -c lock_timeout=" lock " -c idle_in_transaction_session_timeout=" TURN_MS \
	" -c DateStyle=ISO"
	const char *const values[] = {"sekisho", reads(use) ? "any" : "read-write", "10", "10", "5", "3", "30000",
		address, "UTF8",
		use == CONN_SERVES  ? OPTIONS(LOCK_SERVES_MS)
		: use == CONN_SHOWS ? OPTIONS(LOCK_MS) " -c statement_timeout=" QUESTION_MS
				    : OPTIONS(LOCK_MS),
		NULL};
#undef OPTIONS

	return PQconnectdbParams(keys, values, 1);
}

/* Takes it over, also where it is none. */
static int take_up(struct conn *c, PGconn *pg, const char *address, enum conn_use use, struct why *why)
{
	char v[32];
	int r = 0;

	*c = (struct conn){.pg = pg,
		.address = address,
		.silence_ms = use == CONN_SERVES ? SILENCE_MS : 0,
		.patience_ms = use == CONN_SHOWS ? PATIENCE_MS : 0};
	if (!pg)
		return -ENOMEM;
	if (PQstatus(pg) != CONNECTION_OK) {
		keep_error(c, PQerrorMessage(pg));
		why_set(why, 0, "%s", c->error);
		conn_close(c);
		return -ECONNREFUSED;
	}
	PQsetNoticeReceiver(pg, on_notice, c);
	PQsetnonblocking(pg, 1);
	if (PQserverVersion(pg) < 150000)
		r = why_set(why, V_BAD, "the database server is older than PostgreSQL 15");
	if (!r && !reads(use))
		r = demand_durability(c, why);
	/* A reader's query may take a minute of which its callback has most. */
	if (!r && reads(use))
		r = setting(c, "SELECT set_config('idle_in_transaction_session_timeout', '0', false)", v);
	if (r) {
		if (r < 0)
			why_set(why, 0, "%s", c->error);
		conn_close(c);
	}
	return r;
}

int conn_open(struct conn *c, const char *address, enum conn_use use, struct why *why)
{
	int r = judge_address(address, why);

	*c = (struct conn){.pg = NULL};
	return r ? r : take_up(c, connect_to(address, use), address, use, why);
}

/* --- connecting while something else is done --- */

enum { REACH_UNDER_WAY, REACH_DONE, REACH_DROPPED };

struct reach {
	atomic_int state; /* whoever sets it second frees it */
	PGconn *pg[REACH_CONNECTIONS];
	unsigned taken;
	char address[];
};

static void reach_free(struct reach *x)
{
	unsigned i;

	for (i = 0; i < REACH_CONNECTIONS; i++)
		if (x->pg[i])
			PQfinish(x->pg[i]);
	free(x);
}

static void *reach_main(void *arg)
{
	struct reach *x = arg;
	unsigned i;

	/* The second only where the first is there. */
	for (i = 0; i < REACH_CONNECTIONS && (!i || PQstatus(x->pg[i - 1]) == CONNECTION_OK); i++)
		x->pg[i] = connect_to(x->address, CONN_SERVES);
	if (atomic_exchange(&x->state, REACH_DONE) == REACH_DROPPED)
		reach_free(x);
	return NULL;
}

int reach_begin(const char *address, struct reach **out)
{
	size_t n = strlen(address) + 1;
	struct reach *x = calloc(1, sizeof(*x) + n);
	sigset_t all, before;
	pthread_t thread;
	int r;

	if (!x)
		return -ENOMEM;
	memcpy(x->address, address, n);
	/* Signals are the caller's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, NULL, reach_main, x);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r) {
		free(x);
		return -r;
	}
	pthread_detach(thread);
	*out = x;
	return 0;
}

bool reach_done(struct reach *x)
{
	return atomic_load(&x->state) == REACH_DONE;
}

int reach_take(struct reach *x, struct conn *c, struct why *why)
{
	PGconn *pg = x->taken < REACH_CONNECTIONS ? x->pg[x->taken] : NULL;

	if (pg)
		x->pg[x->taken++] = NULL;
	return take_up(c, pg, NULL, CONN_SERVES, why);
}

void reach_drop(struct reach *x)
{
	if (x && atomic_exchange(&x->state, REACH_DROPPED) == REACH_DONE)
		reach_free(x);
}

void conn_close(struct conn *c)
{
	if (c->pg)
		PQfinish(c->pg);
	c->pg = NULL;
	c->prepared_n = 0;
}

/* --- statements --- */

static const struct args nothing;

int conn_run_once(struct conn *c, const char *text, const struct args *a, PGresult **out)
{
	if (c->cut)
		return -ECONNRESET;
	a = a ? a : &nothing;
	return exchange(c,
		PQsendQueryParams(
			c->pg, text, (int)a->n, a->type, (const char *const *)a->v, a->length, a->binary, BINARY),
		out);
}

int conn_run(struct conn *c, const char *text, const struct args *a, PGresult **out)
{
	char name[16];
	unsigned i;
	int r;

	if (c->cut)
		return -ECONNRESET;
	a = a ? a : &nothing;
	for (i = 0; i < c->prepared_n && c->prepared[i] != text; i++)
		;
	if (i == CONN_PREPARED_MAX)
		return conn_run_once(c, text, a, out);
	snprintf(name, sizeof(name), "s%u", i);
	if (i == c->prepared_n) {
		r = exchange(c, PQsendPrepare(c->pg, name, text, (int)a->n, a->type), NULL);
		if (r)
			return r;
		c->prepared[c->prepared_n++] = text;
	}
	return exchange(c,
		PQsendQueryPrepared(c->pg, name, (int)a->n, (const char *const *)a->v, a->length, a->binary, BINARY),
		out);
}

int conn_send(struct conn *c, const char *text)
{
	if (c->cut)
		return -ECONNRESET;
	return PQsendQueryParams(c->pg, text, 0, NULL, NULL, NULL, NULL, BINARY) == 1 ? flush(c) : error_of(c, NULL);
}

int conn_answer(struct conn *c, int ms, PGresult **out)
{
	int64_t until = clock_boot_us() + (int64_t)ms * 1000;

	if (c->cut)
		return -ECONNRESET;
	while (PQisBusy(c->pg)) {
		int64_t left = ms < 0 ? -1 : (until - clock_boot_us()) / 1000;
		int r = wait_until(c, POLLIN, ms < 0 ? -1 : left < 0 ? 0 : (int)left);

		if (r)
			return r;
	}
	return finish(c, PQgetResult(c->pg), out);
}

int conn_commit_send(struct conn *c)
{
	c->warned = false;
	return conn_send(c, "COMMIT");
}

int conn_commit(struct conn *c)
{
	int r = conn_commit_send(c);

	r = r ? r : conn_commit_answer(c, c->silence_ms ? c->silence_ms : -1);
	return r == V_AGAIN ? cut(c) : r;
}

int conn_commit_answer(struct conn *c, int ms)
{
	_cleanup_result_ PGresult *res = NULL;
	int r = conn_answer(c, ms, &res);

	if (r)
		return r;
	/* A transaction that had failed is rolled back by COMMIT, which says ROLLBACK and no error. */
	return strcmp(PQcmdStatus(res), "COMMIT") != 0 || c->warned ? -EIO : 0;
}

void conn_rollback(struct conn *c)
{
	PGTransactionStatusType t = PQtransactionStatus(c->pg);

	if (!c->cut && (t == PQTRANS_INTRANS || t == PQTRANS_INERROR))
		exchange(c, PQsendQuery(c->pg, "ROLLBACK"), NULL);
}

int conn_heard(struct conn *c, char *out, size_t size)
{
	PGnotify *n;
	bool own;

	if (c->cut)
		return -ECONNRESET;
	do {
		n = PQnotifies(c->pg);
		if (!n && !PQconsumeInput(c->pg))
			return error_of(c, NULL);
		n = n ? n : PQnotifies(c->pg);
		if (!n)
			return 0;
		own = n->be_pid == PQbackendPID(c->pg);
		snprintf(out, size, "%s", n->extra);
		PQfreemem(n);
	} while (own);
	return 1;
}

/* --- COPY --- */

int conn_copy_begin(struct conn *c, const char *text)
{
	return c->cut ? -ECONNRESET : exchange(c, PQsendQuery(c->pg, text), NULL);
}

/* What one call sends: as long as the server takes some of it, it is not silent. */
static int put(struct conn *c, const char *bytes, size_t n)
{
	return c->cut ? -ECONNRESET : PQputCopyData(c->pg, bytes, (int)n) == 1 ? flush(c) : error_of(c, NULL);
}

int conn_copy_put(struct conn *c, struct span rows)
{
	size_t at, n;
	int r = 0;

	for (at = 0; !r && at < rows.n; at += n) {
		n = rows.n - at < (1u << 20) ? rows.n - at : 1u << 20;
		r = put(c, (const char *)rows.p + at, n);
	}
	return r;
}

int conn_copy_end(struct conn *c)
{
	static const char end[] = {(char)0xff, (char)0xff};
	int r = put(c, end, sizeof(end));

	return r ? r : exchange(c, PQputCopyEnd(c->pg, NULL), NULL);
}

int copy_head(struct buf *b)
{
	/* Signature, flags, no extension (PostgreSQL manual, COPY, "Binary Format"). */
	static const uint8_t head[] = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xff, '\r', '\n', 0, 0, 0, 0, 0, 0, 0, 0, 0};

	return buf_put(b, head, sizeof(head));
}

int copy_row(struct buf *b, unsigned columns)
{
	const uint8_t n[2] = {(uint8_t)(columns >> 8), (uint8_t)columns};

	return buf_put(b, n, sizeof(n));
}

int copy_int(struct buf *b, int64_t v)
{
	uint8_t bytes[12];

	put_be32(bytes, 8);
	put_be64(bytes + 4, (uint64_t)v);
	return buf_put(b, bytes, sizeof(bytes));
}

int copy_int4(struct buf *b, uint32_t v)
{
	uint8_t bytes[8];

	put_be32(bytes, 4);
	put_be32(bytes + 4, v);
	return buf_put(b, bytes, sizeof(bytes));
}

int copy_bytes(struct buf *b, struct span s)
{
	uint8_t length[4];
	int r;

	put_be32(length, (uint32_t)s.n);
	r = buf_put(b, length, sizeof(length));
	return r ? r : buf_put_span(b, s);
}

int copy_int4_array(struct buf *b, const uint32_t *v, unsigned n)
{
	/* array_recv() in the server's arrayfuncs.c: dimensions, flags, type, length, lower bound; then each with its
	 * length. */
	const uint32_t head[] = {n ? 20 + 8 * n : 12, n ? 1 : 0, 0, OID_INT4, n, 1};
	uint8_t bytes[4];
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < (n ? 6u : 4u); i++) {
		put_be32(bytes, head[i]);
		r = buf_put(b, bytes, sizeof(bytes));
	}
	for (i = 0; !r && i < n; i++)
		r = copy_int4(b, v[i]);
	return r;
}

/* --- results --- */

int64_t result_int(const PGresult *r, int row, int column)
{
	const uint8_t *p = (const uint8_t *)PQgetvalue(r, row, column);
	int n = PQgetlength(r, row, column), i;
	uint64_t v = n && p[0] & 0x80 ? UINT64_MAX : 0;

	for (i = 0; i < n && n <= 8; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

struct span result_bytes(const PGresult *r, int row, int column)
{
	return SPAN(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}

bool result_digest(const PGresult *r, int row, int column, struct digest *out)
{
	struct span s = result_bytes(r, row, column);

	if (s.n == DIGEST_SIZE)
		memcpy(out->b, s.p, DIGEST_SIZE);
	return s.n == DIGEST_SIZE;
}
