/*
 * Months that were left before text search had taken in all their names, because segments of the next one waited: their
 * names are taken in when nothing else is to be done. Until then each question for a text goes through them one by one.
 * Called by index_step.
 */
#include "collector/store/month.h"
#include "collector/store/sql.h"
#include "collector/store/store_parts.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"

/* So many names of the month. *last: the newest that is taken in. 0; V_END where there is none left; -errno. */
static int take_names(sqlite3 *db, int64_t *last)
{
	_cleanup_stmt_ sqlite3_stmt *from = NULL, *text = NULL, *odd = NULL;
	unsigned n = 0;
	int r = sql_prepare(db, "SELECT id, s FROM name WHERE id>?1 ORDER BY id LIMIT ?2", &from);

	r = r ? r : sql_prepare(db, "INSERT INTO fts(rowid, s) VALUES(?1, ?2)", &text);
	r = r ? r : sql_prepare(db, "INSERT OR IGNORE INTO odd VALUES(?1)", &odd);
	if (r)
		return r;
	sqlite3_bind_int64(from, 1, *last);
	sqlite3_bind_int64(from, 2, NAMES_A_STEP);
	while (!(r = sql_step(from))) {
		struct span name = sql_blob(from, 1);
		bool is_text = text_is_utf8(name) && !memchr(name.p, 0, name.n);
		sqlite3_stmt *put = is_text ? text : odd;

		sqlite3_reset(put);
		sqlite3_bind_int64(put, 1, sqlite3_column_int64(from, 0));
		if (is_text)
			sqlite3_bind_text(put, 2, (const char *)name.p, (int)name.n, SQLITE_STATIC);
		r = sql_run(put);
		if (r)
			return r;
		*last = sqlite3_column_int64(from, 0);
		n++;
	}
	return r != V_END ? r : n == NAMES_A_STEP ? 0 : V_END;
}

static int take_month(sqlite3 *db, unsigned *budget, int64_t until, bool *done)
{
	_cleanup_stmt_ sqlite3_stmt *put = NULL;
	int64_t last;
	int r = sql_exec(db, "BEGIN IMMEDIATE");

	r = r ? r : sql_number(db, "SELECT v FROM meta WHERE k='searched'", 0, &last);
	while (!r && *budget && clock_boot_us() < until) {
		r = take_names(db, &last);
		--*budget;
	}
	*done = r == V_END;
	r = *done ? 0 : r;
	r = r ? r : sql_prepare(db, "INSERT OR REPLACE INTO meta VALUES('searched', ?1)", &put);
	if (!r) {
		sqlite3_bind_int64(put, 1, last);
		r = sql_run(put);
	}
	return r ? r : sql_exec(db, "COMMIT");
}

int index_behind(struct store *s, const char *now, unsigned budget, int64_t until, bool *left)
{
	char months[MONTHS_MAX][8], path[PATH_MAX];
	unsigned i, n;
	int r = months_list(s->dir, months, &n);

	*left = false;
	for (i = 0; !r && i < n && !*left; i++) {
		int64_t names = 0, searched = 0;
		bool done = false;
		sqlite3 *db = NULL;

		if (!strcmp(months[i], now))
			continue;
		snprintf(path, sizeof(path), "%s/index/%s.db", s->dir, months[i]);
		r = sql_open(path, false, "", &db);
		r = r ? r : sql_number(db, "SELECT max(id) FROM name", 0, &names);
		r = r ? r : sql_number(db, "SELECT v FROM meta WHERE k='searched'", 0, &searched);
		*left = !r && searched < names;
		if (*left)
			r = take_month(db, &budget, until, &done);
		/* What a slice wrote is checkpointed with the rest, not each time. */
		if (*left && !done)
			sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		sqlite3_close_v2(db);
		/* A file that is damaged says so to whoever asks it. */
		r = r == V_BAD ? 0 : r;
	}
	return r;
}
