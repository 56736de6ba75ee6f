/*
 * Opening databases and running statements. See sql.h for who may write.
 */
#include "collector/store/sql.h"
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

int sql_error(sqlite3 *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* a table is missing: another program's file, or half of one */
	case SQLITE_SCHEMA:
	case SQLITE_MISMATCH:
	case SQLITE_CONSTRAINT:
		return V_BAD;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return V_AGAIN;
	}
	if (db && sqlite3_system_errno(db))
		return -sqlite3_system_errno(db);
	return -EIO;
}

int sql_exec(sqlite3 *db, const char *text)
{
	return sql_error(db, sqlite3_exec(db, text, NULL, NULL, NULL));
}

/* Made by root on behalf of the collector (a rebuild), it belongs to whoever the folder belongs to. */
static int give_to_owner(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char name[PATH_MAX], dir[PATH_MAX];
	struct stat st;
	size_t i;

	if (geteuid())
		return 0;
	snprintf(dir, sizeof(dir), "%s", path);
	if (strrchr(dir, '/'))
		*strrchr(dir, '/') = 0;
	if (stat(dir, &st))
		return -errno;
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		if (lchown(name, st.st_uid, st.st_gid) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int sql_open(const char *path, bool durable, const char *schema, sqlite3 **out)
{
	sqlite3 *db = NULL;
	char pragmas[256];
	int r = sql_error(NULL,
		sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));

	if (!r) {
		snprintf(pragmas, sizeof(pragmas),
			"PRAGMA page_size=%d; PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; "
			"PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=4096;",
			SQL_PAGE, durable ? "FULL" : "NORMAL");
		sqlite3_busy_timeout(db, SQL_BUSY_MS);
		r = sql_exec(db, pragmas);
	}
	r = r ? r : sql_exec(db, schema);
	r = r ? r : give_to_owner(path);
	if (r) {
		sqlite3_close_v2(db);
		return r;
	}
	*out = db;
	return 0;
}

int sql_open_read(const char *path, sqlite3 **out)
{
	char uri[PATH_MAX + 32], wal[PATH_MAX];
	sqlite3 *db = NULL;
	size_t n = 5;
	const char *p;
	int r;

	if (access(path, F_OK))
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	memcpy(uri, "file:", n);
	for (p = path; *p && n < sizeof(uri) - 32; p++) {
		if (strchr("?#%", *p))
			n += (size_t)snprintf(uri + n, 4, "%%%02X", (unsigned char)*p);
		else
			uri[n++] = *p;
	}
	/* Nobody writes, and we may not make the files that a WAL needs: the file is then all there is. */
	snprintf(wal, sizeof(wal), "%s-wal", path);
	snprintf(uri + n, 32, access(wal, F_OK) && access(path, W_OK) ? "?mode=ro&immutable=1" : "?mode=ro");
	r = sql_error(
		NULL, sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL));
	if (!r) {
		sqlite3_busy_timeout(db, SQL_BUSY_MS);
		sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		r = sql_exec(db, "PRAGMA query_only=1; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-32768; "
				 "PRAGMA temp_store=MEMORY;");
	}
	if (r) {
		sqlite3_close_v2(db);
		return r;
	}
	*out = db;
	return 0;
}

int sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **out)
{
	return sql_error(db, sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL));
}

int sql_run(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);
	int r = sql_error(sqlite3_db_handle(st), rc);

	sqlite3_reset(st);
	return r;
}

int sql_step(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);
	int r;

	if (rc == SQLITE_ROW)
		return 0;
	r = rc == SQLITE_DONE ? V_END : sql_error(sqlite3_db_handle(st), rc);
	sqlite3_reset(st);
	return r;
}

int sql_number(sqlite3 *db, const char *text, int64_t other, int64_t *out)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = sql_prepare(db, text, &st);

	r = r ? r : sql_step(st);
	if (r && r != V_END)
		return r;
	*out = r || sqlite3_column_type(st, 0) == SQLITE_NULL ? other : sqlite3_column_int64(st, 0);
	return 0;
}

int sql_remove(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char name[PATH_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		if (unlink(name) && errno != ENOENT)
			return -errno;
	}
	return 0;
}
