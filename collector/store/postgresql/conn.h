/*
 * libpq as this room uses it: one statement after the other, numbers and bytes in binary form, errors in the words of
 * why.h. The one user of libpq.
 */
#ifndef SEKISHO_STORE_POSTGRESQL_CONN_H
#define SEKISHO_STORE_POSTGRESQL_CONN_H

#include "policy/base/buf.h"
#include "policy/base/why.h"
#include "policy/trust/digest.h"
#include <libpq-fe.h>

#define CONN_ARGS_MAX 16u
#define CONN_PREPARED_MAX 64u

struct conn {
	PGconn *pg;
	const char *prepared[CONN_PREPARED_MAX]; /* texts, by their address */
	unsigned prepared_n;
	bool warned;         /* the server said WARNING since this was set to false */
	bool gone;           /* something failed as it would not on another connection, perhaps to another server */
	bool full;           /* the server said that its disk is */
	bool cut;            /* the server said nothing for too long: nothing is asked on it any more */
	const char *address; /* where silence_ms is 0 */
	int silence_ms;      /* how long that is; 0: it is asked on another connection, again and again */
	int patience_ms;     /* and so long, though it answers there; 0: as long as it takes */
	char error[200];
};

/* What stands in a statement as $1, $2, ... Bytes are borrowed until it has run. */
struct args {
	unsigned n;
	Oid type[CONN_ARGS_MAX];
	const char *v[CONN_ARGS_MAX];
	int length[CONN_ARGS_MAX], binary[CONN_ARGS_MAX];
	uint8_t room[CONN_ARGS_MAX][8];
};

void arg_int(struct args *a, int64_t v);
void arg_bytes(struct args *a, struct span s);
void arg_null_bytes(struct args *a);

static inline void arg_digest(struct args *a, const struct digest *d)
{
	arg_bytes(a, SPAN(d->b, DIGEST_SIZE));
}

DEFINE_CLEANUP(PGresult *, PQclear)
#define _cleanup_result_ _cleanup_(PQclearp)

/*
 * What it is for. Who serves others meanwhile waits for no single answer longer than 20 s, in which the server neither
 * said nor took anything: it may be stopped, or its disk be, while its machine goes on to confirm what the network
 * brings. The connection is gone then. Its statements are short, and where one waits for a lock the server says so
 * sooner. Who serves nobody waits as long as it takes, as long as the server is there: after 20 s without a word it is
 * asked on another connection, and where it says nothing there either for 10 s, is gone. A tool's copies may take long;
 * so may what a console asks, or a herald, but others wait for these: they give up after five minutes.
 */
enum conn_use { CONN_READS, CONN_SHOWS, CONN_WRITES, CONN_SERVES };

/*
 * Connects to what the address (libpq's URI, without a password in it; it is kept by reference) says. But for reading:
 * refuses a server that would forget what it said was committed. 0; V_BAD; -errno; `why` has the reason.
 */
int conn_open(struct conn *c, const char *address, enum conn_use use, struct why *why);
void conn_close(struct conn *c);

/*
 * Two connections that serve, made in a thread of their own while the caller does something else: libpq's way to
 * connect step by step waits for names to be resolved all the same, and goes on from a server that does not answer to
 * the next one of the address only in the call that waits (PostgreSQL manual, PQconnectPoll). An address that
 * conn_open has taken before. 0; -errno.
 */
struct reach;
#define REACH_CONNECTIONS 2u
int reach_begin(const char *address, struct reach **out);
/* Is there something to take? Takes connect_timeout for each server that does not answer. */
bool reach_done(struct reach *x);
/* Once it is done: one after the other, as conn_open gives them. */
int reach_take(struct reach *x, struct conn *c, struct why *why);
/* At any time; nothing is waited for. NULL: nothing. */
void reach_drop(struct reach *x);

/*
 * Runs a statement; a `text` that is static is prepared once. *out (may be NULL) is the caller's. 0; -errno: -ENOSPC
 * where the server's disk is full, -ECONNRESET where the connection is gone, -EROFS, -EACCES, -ETIMEDOUT where a lock
 * did not come.
 */
int conn_run(struct conn *c, const char *text, const struct args *a, PGresult **out);
/* The same of a text that is made for this one time. */
int conn_run_once(struct conn *c, const char *text, const struct args *a, PGresult **out);
/*
 * The same of a text without arguments, in two steps, so that something else can be done meanwhile: sent; and its
 * answer, for which `ms` are waited (negative: as long as it takes). V_AGAIN: it has not come, ask again. Between the
 * two the connection can do nothing else.
 */
int conn_send(struct conn *c, const char *text);
int conn_answer(struct conn *c, int ms, PGresult **out);
/*
 * COMMIT, likewise. 0 only where the server said so, without a word of warning: it warns where a standby does not have
 * it.
 */
int conn_commit_send(struct conn *c);
int conn_commit_answer(struct conn *c, int ms);
/* Both at once; not where a standby is waited for. */
int conn_commit(struct conn *c);
/* Gives up what is open. Where the connection is gone too, nothing is left to give up. */
void conn_rollback(struct conn *c);

/*
 * What another connection has told by NOTIFY since the last call, cut to the room there is. 1: there was something; 0;
 * -errno as conn_run.
 */
int conn_heard(struct conn *c, char *out, size_t size);

/* --- COPY ... FROM STDIN (FORMAT binary) --- */

int conn_copy_begin(struct conn *c, const char *text);
/* Rows as copy_row and copy_* made them. */
int conn_copy_put(struct conn *c, struct span rows);
int conn_copy_end(struct conn *c);
int copy_head(struct buf *b);
int copy_row(struct buf *b, unsigned columns);
int copy_int(struct buf *b, int64_t v);
int copy_int4(struct buf *b, uint32_t v);
int copy_int4_array(struct buf *b, const uint32_t *v, unsigned n); /* integer[] */
int copy_bytes(struct buf *b, struct span s);

/* --- results --- */

/* Any whole number; 0 for NULL. */
int64_t result_int(const PGresult *r, int row, int column);
struct span result_bytes(const PGresult *r, int row, int column);
/* False where it is no digest. */
bool result_digest(const PGresult *r, int row, int column, struct digest *out);

#endif
