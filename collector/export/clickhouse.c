/*
 * See clickhouse.h.
 */
#include "collector/export/clickhouse.h"
#include "collector/export/encode.h"

#define NAME_MAX_ 63u

bool clickhouse_name(const char *s)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	return *s && strlen(s) <= NAME_MAX_ && strspn(s, good) == strlen(s) && (*s < '0' || *s > '9');
}

/* --- tables --- */

/* Text of which there are about as many as records; of the rest there are few, which are kept as numbers into a list.
 */
static bool is_free(unsigned field)
{
	switch (field) {
	case F_PATH:
	case F_PATH2:
	case F_ARGS:
	case F_CWD:
	case F_PARENTS:
	case F_TEXT:
	case F_TITLE:
	case F_DOCUMENT_NAME:
	case F_OPTIONS:
	case F_FINDINGS:
	case F_FOUND:
	case F_JOB_UUID:
	case F_ADDRESS:
	case F_COPY:
	case F_CONTAINER:
		return true;
	default:
		return false;
	}
}

static int put_type(const struct column *c, struct buf *out)
{
	static const char *const numbers[] = {
		[COLUMN_UINT] = "UInt64", [COLUMN_INT] = "Int64", [COLUMN_TIME] = "DateTime64(6, 'UTC')"};
	bool text = c->type == COLUMN_TEXT, bytes = c->type == COLUMN_BYTES;
	/* Partitions are by columns that are plain. */
	bool few = text && c->field && !is_free(c->field);
	const char *type = text || bytes ? "String" : numbers[c->type];

	return buf_putf(out, "%s%s%s%s%s", few ? "LowCardinality(" : "", c->always ? "" : "Nullable(", type,
		c->always ? "" : ")", few ? ")" : "");
}

static int put_records(const char *database, struct buf *out)
{
	unsigned n, i;
	const struct column *all = columns_all(&n);
	int r = buf_putf(out, "CREATE TABLE IF NOT EXISTS %s.records\n(\n", database);

	for (i = 0; !r && i < n; i++) {
		r = buf_putf(out, "    `%s` ", all[i].name);
		r = r ? r : put_type(&all[i], out);
		r = r ? r : buf_puts(out, i + 1 < n ? ",\n" : "\n)\n");
	}
	return r ? r
		 : buf_puts(out, "ENGINE = ReplacingMergeTree\nPARTITION BY (taken, producer)\n"
				 "ORDER BY (toStartOfHour(time), host, time, row);\n\n");
}

/* What later versions have more. */
static int put_columns(const char *database, struct buf *out)
{
	unsigned n, i;
	const struct column *all = columns_all(&n);
	int r = buf_putf(out, "ALTER TABLE %s.records\n", database);

	for (i = ROW_COLUMNS; !r && i < n; i++) {
		r = buf_putf(out, "    ADD COLUMN IF NOT EXISTS `%s` ", all[i].name);
		r = r ? r : put_type(&all[i], out);
		r = r ? r : buf_puts(out, i + 1 < n ? ",\n" : ";\n\n");
	}
	return r;
}

/*
 * A row of the summary is of a piece of a segment. The same piece once more is the same row once more, which the engine
 * takes for one: sums do not double.
 */
static int put_traffic(const char *database, struct buf *out)
{
	int r = buf_putf(out,
		"CREATE TABLE IF NOT EXISTS %s.traffic_pieces\n(\n    `taken` String,\n    `producer` String,\n"
		"    `day` Date,\n    `host` String,\n    `user` LowCardinality(String),\n    `kind` "
		"LowCardinality(String),\n"
		"    `class` LowCardinality(String),\n"
		"    `piece` UInt64,\n    `records` UInt64,\n    `bytes_read` UInt64,\n    `bytes_written` UInt64\n)\n"
		"ENGINE = ReplacingMergeTree\nPARTITION BY (taken, producer)\n"
		"ORDER BY (day, host, user, kind, class, piece);\n\n",
		database);

	r = r ? r
	      : buf_putf(out,
			"CREATE MATERIALIZED VIEW IF NOT EXISTS %s.traffic_feed TO %s.traffic_pieces AS\n"
			"SELECT taken, producer, toDate(time) AS day, host, ifNull(toString(records.user), '') AS "
			"user,\n"
			"    toString(records.kind) AS kind, ifNull(toString(records.class), '') AS class,\n"
			"    intDiv(row, %u) AS piece, count() AS records, sum(ifNull(read, 0)) AS bytes_read,\n"
			"    sum(ifNull(written, 0)) AS bytes_written\n"
			"FROM %s.records\nGROUP BY taken, producer, day, host, user, kind, class, piece;\n\n",
			database, database, CLICKHOUSE_PIECE, database);
	return r ? r
		 : buf_putf(out,
			   "CREATE VIEW IF NOT EXISTS %s.traffic AS\n"
			   "SELECT producer, day, host, user, kind, class, sum(records) AS n, sum(bytes_read) AS "
			   "read,\n"
			   "    sum(bytes_written) AS written\n"
			   "FROM %s.traffic_pieces FINAL\nGROUP BY producer, day, host, user, kind, class;\n",
			   database, database);
}

int clickhouse_schema(const char *database, struct buf *out)
{
	int r = buf_putf(out, "CREATE DATABASE IF NOT EXISTS %s;\n\n", database);

	r = r ? r : put_records(database, out);
	r = r ? r : put_columns(database, out);
	return r ? r : put_traffic(database, out);
}

/* --- rows --- */

int clickhouse_insert(const char *database, struct buf *out)
{
	unsigned n, i;
	const struct column *all = columns_all(&n);
	int r = buf_putf(out, "INSERT INTO %s.records (", database);

	for (i = 0; !r && i < n; i++)
		r = buf_putf(out, "%s`%s`", i ? "," : "", all[i].name);
	return r ? r : buf_puts(out, ") FORMAT RowBinary");
}

static int put_cell(const struct column *c, const struct cell *cell, struct buf *out)
{
	const uint8_t absent = !cell->there;
	int r = c->always ? 0 : buf_put(out, &absent, 1);

	if (r || absent)
		return r;
	if (c->type != COLUMN_TEXT && c->type != COLUMN_BYTES)
		return encode_le(out, cell->number, 8);
	r = encode_varint(out, cell->s.n);
	return r ? r : buf_put_span(out, cell->s);
}

int clickhouse_row(const struct exported *x, bool facts, struct buf *out)
{
	size_t before = out->n;
	struct cell cell;
	unsigned n, i;
	const struct column *all = columns_all(&n);
	int r = 0;

	for (i = 0; !r && i < n; i++) {
		cell_of(x, &all[i], &cell);
		cell.there &= facts || all[i].always;
		r = put_cell(&all[i], &cell, out);
	}
	if (r)
		out->n = before;
	return r;
}
