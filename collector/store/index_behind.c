/*
 * Months that were left before text search had taken in all their names, because segments of the next one waited: their
 * names are taken in when nothing else is to be done. Until then each question for a text goes through them one by one.
 * Called by index_step.
 */
#include "collector/store/index_behind.h"
#include "collector/store/month.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"

int names_search(sqlite3_stmt *from, sqlite3_stmt *text, sqlite3_stmt *odd, int64_t *searched, bool *more)
{
	unsigned n = 0;
	int r;

	sqlite3_reset(from);
	sqlite3_bind_int64(from, 1, *searched);
	sqlite3_bind_int64(from, 2, NAMES_A_STEP);
	while (!(r = sql_step(from))) {
		struct span name = sql_blob(from, 1);
		bool is_text = text_is_utf8(name) && !memchr(name.p, 0, name.n);
		sqlite3_stmt *put = is_text ? text : odd;
		int64_t id = sqlite3_column_int64(from, 0);

		sqlite3_reset(put);
		sqlite3_bind_int64(put, 1, id);
		if (is_text)
			sqlite3_bind_text(put, 2, (const char *)name.p, (int)name.n, SQLITE_STATIC);
		r = sql_run(put);
		if (r)
			break;
		*searched = id;
		n++;
	}
	*more = n == NAMES_A_STEP;
	return r == V_END ? 0 : r;
}

/* *more: of the month. */
static int take_month(sqlite3 *db, unsigned *budget, int64_t until, bool *more)
{
	_cleanup_stmt_ sqlite3_stmt *from = NULL, *text = NULL, *odd = NULL, *put = NULL;
	int64_t searched;
	int r = sql_exec(db, "BEGIN IMMEDIATE");

	r = r ? r : sql_prepare(db, NAMES_FROM, &from);
	r = r ? r : sql_prepare(db, NAMES_TO_TEXT, &text);
	r = r ? r : sql_prepare(db, NAMES_TO_ODD, &odd);
	r = r ? r : sql_prepare(db, "INSERT OR REPLACE INTO meta VALUES('searched', ?1)", &put);
	r = r ? r : sql_number(db, "SELECT v FROM meta WHERE k='searched'", 0, &searched);
	for (*more = true; !r && *more && *budget && clock_boot_us() < until; --*budget)
		r = names_search(from, text, odd, &searched, more);
	if (!r) {
		sqlite3_bind_int64(put, 1, searched);
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
		bool more = false;
		sqlite3 *db = NULL;

		if (!strcmp(months[i], now))
			continue;
		snprintf(path, sizeof(path), "%s/index/%s.db", s->dir, months[i]);
		r = sql_open(path, false, "", &db);
		r = r ? r : sql_number(db, "SELECT max(id) FROM name", 0, &names);
		r = r ? r : sql_number(db, "SELECT v FROM meta WHERE k='searched'", 0, &searched);
		*left = !r && searched < names;
		if (*left)
			r = take_month(db, &budget, until, &more);
		/* What a slice wrote is checkpointed with the rest, not each time. */
		if (more)
			sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		sqlite3_close_v2(db);
		/* A file that is damaged says so to whoever asks it. */
		r = r == V_BAD ? 0 : r;
	}
	return r;
}
