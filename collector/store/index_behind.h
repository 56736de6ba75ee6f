/*
 * Names into text search: for the month that is open (index.c), and for those that were left before all of theirs were
 * in.
 */
#ifndef SEKISHO_STORE_INDEX_BEHIND_H
#define SEKISHO_STORE_INDEX_BEHIND_H

#include "collector/store/sql.h"
#include "collector/store/store_parts.h"

#define NAMES_A_STEP 64 /* counts as much as a segment */
#define NAMES_FROM "SELECT id, s FROM name WHERE id>?1 ORDER BY id LIMIT ?2"
#define NAMES_TO_TEXT "INSERT INTO fts(rowid, s) VALUES(?1, ?2)"
#define NAMES_TO_ODD "INSERT OR IGNORE INTO odd VALUES(?1)"

/*
 * Takes in the names behind *searched, NAMES_A_STEP at most, by the three statements above; *searched is then the last
 * one. *more: there may be others. 0; what SQLite answered, with *searched as far as it got.
 */
int names_search(sqlite3_stmt *from, sqlite3_stmt *text, sqlite3_stmt *odd, int64_t *searched, bool *more);
/*
 * The same for a month other than `now` that has some left, for `budget` steps, none begun after `until` (boot clock).
 * *left: there was such a month; then there may be more of it.
 */
int index_behind(struct store *s, const char *now, unsigned budget, int64_t until, bool *left);

#endif
