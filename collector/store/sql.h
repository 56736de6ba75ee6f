/*
 * SQLite as this room uses it: one connection writes and checkpoints, all others only read and never checkpoint
 * (before 3.51.3 two connections that do can corrupt a WAL). Everything in these databases can be made again.
 */
#ifndef SEKISHO_STORE_SQL_H
#define SEKISHO_STORE_SQL_H

#include "policy/base/buf.h"
#include "policy/base/why.h"
#include <sqlite3.h>

#define SQL_PAGE 8192
#define SQL_BUSY_MS 5000

DEFINE_CLEANUP(sqlite3_stmt *, sqlite3_finalize)
#define _cleanup_stmt_ _cleanup_(sqlite3_finalizep)

/*
 * What SQLite answered, in the words of why.h: -ENOSPC, -EROFS, -EIO, -ENOMEM, -EACCES; V_BAD where the file is
 * damaged or no database; V_AGAIN where another holds it.
 */
int sql_error(sqlite3 *db, int rc);

/* Opens for writing; `durable`: a commit is on the disk when it returns (else it is at the next checkpoint). */
int sql_open(const char *path, bool durable, const char *schema, sqlite3 **out);
/* Opens for reading beside a writer. V_NOT_FOUND. */
int sql_open_read(const char *path, sqlite3 **out);
int sql_exec(sqlite3 *db, const char *text);
int sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **out);
/* Runs a statement that returns nothing, and resets it. */
int sql_run(sqlite3_stmt *st);
/* 0 with a row; V_END (reset). */
int sql_step(sqlite3_stmt *st);
/* A number, or `other` where there is no row. */
int sql_number(sqlite3 *db, const char *text, int64_t other, int64_t *out);
/* Removes a database with its -wal and -shm. */
int sql_remove(const char *path);

static inline struct span sql_blob(sqlite3_stmt *st, int column)
{
	const void *p = sqlite3_column_blob(st, column);

	return SPAN(p, (size_t)sqlite3_column_bytes(st, column));
}

static inline int sql_bind(sqlite3_stmt *st, int at, struct span s)
{
	return sqlite3_bind_blob(st, at, s.n ? (const void *)s.p : "", (int)s.n, SQLITE_STATIC);
}

#endif
