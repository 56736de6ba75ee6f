/*
 * Parquet files (apache/parquet-format, version 2.10: README.md, Encodings.md, parquet.thrift), written in one pass, in
 * bounded memory. There is no library for C in Debian 12. Only what records need is here: one level, columns of
 * numbers and bytes, Zstandard.
 *
 * Rows are collected column by column up to a bound and then written as a row group: of each column a dictionary page
 * (where values come again) and one data page. Every column has the least and the greatest value and the number of
 * nulls of each row group, so that readers pass over groups that hold nothing of what is asked.
 */
#ifndef SEKISHO_EXPORT_PARQUET_H
#define SEKISHO_EXPORT_PARQUET_H

#include "collector/export/columns.h"

#define PARQUET_GROUP_ROWS 122880u
#define PARQUET_GROUP_BYTES (32u << 20) /* of values in memory; a group ends there too */
#define PARQUET_NOTES_MAX 16u

struct parquet;

/*
 * Begins a file on `fd`, which stays the caller's and is written from where it stands. The columns are borrowed. 0;
 * -errno.
 */
int parquet_new(int fd, const struct column *columns, unsigned n, struct parquet **out);
void parquet_free(struct parquet *p);
DEFINE_CLEANUP(struct parquet *, parquet_free)

/*
 * A value of the row that is being made: of a column of numbers, or of text and bytes (copied). Text is UTF-8: the
 * caller sees to it. Not twice for one column. 0; -errno.
 */
int parquet_number(struct parquet *p, unsigned column, uint64_t v);
int parquet_bytes(struct parquet *p, unsigned column, struct span s);
/* Ends the row: columns that were given nothing are null; those that are `always` were given something. 0; -errno. */
int parquet_row(struct parquet *p);

/* What a file says of itself: pairs of key and value, UTF-8. */
struct parquet_note {
	const char *key, *value;
};
/* Writes what is left and the footer. The caller syncs. 0; -errno. */
int parquet_end(struct parquet *p, const struct parquet_note *notes, unsigned n);

uint64_t parquet_rows(const struct parquet *p);
/* Bytes written so far. */
uint64_t parquet_size(const struct parquet *p);

/* --- records (parquet_record.c) --- */

/*
 * The columns of files of records: columns_all, and `not_utf8` behind them. Parquet's text is UTF-8 and names of files
 * need not be: bytes that are none are U+FFFD in their column, and `not_utf8` has all bytes of such values, a JSON
 * object of column and hex digits.
 */
const struct column *parquet_columns(unsigned *n);
/* One record as a row. 0; -errno. */
int parquet_record(struct parquet *p, const struct exported *x);

#endif
