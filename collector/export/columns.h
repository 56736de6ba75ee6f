/*
 * What is exported of a record, as columns: its place in the log and its PC, then every fact of the field table under
 * its own name. Parquet files and the tables of ClickHouse have the same columns, made from this one list.
 */
#ifndef SEKISHO_EXPORT_COLUMNS_H
#define SEKISHO_EXPORT_COLUMNS_H

#include "collector/store/store.h"

enum column_type {
	COLUMN_TEXT,
	COLUMN_BYTES,
	COLUMN_UINT,
	COLUMN_INT,
	COLUMN_TIME, /* microseconds since 1970, UTC */
};

/* Columns that are no facts. */
enum column_of_row { ROW_NUMBER, ROW_LEAF, ROW_SEGMENT, ROW_TAKEN, ROW_PRODUCER, ROW_HOST, ROW_HOST_ID, ROW_COLUMNS };

struct column {
	const char *name;
	enum column_type type;
	bool always;    /* every record has it */
	unsigned field; /* F_*; 0: of the row itself, and its number is a column_of_row */
};

#define COLUMNS_MAX (ROW_COLUMNS + FIELD_MAX)
/* All of them; what is of the row itself first, then by the number of the field. */
const struct column *columns_all(unsigned *n);
/* The column of a field, or COLUMNS_MAX. */
unsigned columns_of_field(unsigned field);

/* A record with what leads to its proof. */
struct exported {
	const struct store_row *row;
	struct digest segment; /* SHA-256 of the header (the leaf) that it is of */
	unsigned producer;
	const char *taken; /* month in which the collector took it in, "2026-11" */
};

struct cell {
	bool there;
	uint64_t number; /* UINT; the bits of INT and TIME */
	struct span s;   /* TEXT (may be no UTF-8), BYTES: borrowed of the record or of `room` */
	char room[512];
};
/* What stands in a column: words for enumerations and flags, as `log --json` has them. */
void cell_of(const struct exported *x, const struct column *c, struct cell *out);

/*
 * The records of a segment, in order, each with its number, as the row of `leaf`; none where the body is none.
 * `host_name` and `taken` are borrowed. 0; what `fn` returns; -errno.
 */
typedef int (*exported_fn)(void *ctx, const struct exported *x);
int exported_each(
	const struct segment *s, uint64_t leaf, const char *host_name, const char *taken, exported_fn fn, void *ctx);

#endif
