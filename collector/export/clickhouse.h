/*
 * Records for ClickHouse: the tables as SQL, and rows as its format RowBinary, which is what its types are in memory:
 * no name of a file can end a value. Pure. README.md says why the tables are as they are.
 */
#ifndef SEKISHO_EXPORT_CLICKHOUSE_H
#define SEKISHO_EXPORT_CLICKHOUSE_H

#include "collector/export/columns.h"

#define CLICKHOUSE_DATABASE "sekisho"
#define CLICKHOUSE_TEXT_MAX (64u << 10) /* statements */
/*
 * Rows of a segment that have this part of their number (row / CLICKHOUSE_PIECE) in common go in one INSERT, all of
 * them: the summary has a row for each such piece, and what is sent twice replaces what it is.
 */
#define CLICKHOUSE_PIECE 256u

/* Letters, digits and underscores, at most 63: a name that needs no quotes. */
bool clickhouse_name(const char *s);

/* Appends the statements that make database, tables and views, or bring them up to this version; each ends with ";\n".
 * 0; V_FULL, -ENOMEM. */
int clickhouse_schema(const char *database, struct buf *out);
/* Appends the statement before rows. 0; V_FULL, -ENOMEM. */
int clickhouse_insert(const char *database, struct buf *out);
/*
 * Appends a row. `facts`: with all facts; else only with its kind and time, for one that would be too large. 0; V_FULL,
 * -ENOMEM.
 */
int clickhouse_row(const struct exported *x, bool facts, struct buf *out);

#endif
