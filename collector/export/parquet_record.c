/*
 * Records as rows of a Parquet file. See parquet.h.
 */
#include "collector/export/parquet.h"
#include "policy/base/text.h"
#include <errno.h>

#define TEXT_ROOM_MAX (1u << 20)
#define NOT_UTF8_MAX (64u << 20)
#define REPLACEMENT "\xef\xbf\xbd"

const struct column *parquet_columns(unsigned *n)
{
	static struct column all[COLUMNS_MAX + 1];
	static unsigned all_n;

	if (!all_n) {
		const struct column *of_records = columns_all(&all_n);

		memcpy(all, of_records, all_n * sizeof(*all));
		all[all_n++] = (struct column){"not_utf8", COLUMN_TEXT, false, 0};
	}
	*n = all_n;
	return all;
}

/* How long the character at the start of `s` is; 0: there is none. */
static size_t character(struct span s)
{
	size_t n;

	for (n = 1; n <= 4 && n <= s.n; n++)
		if (text_is_utf8(SPAN(s.p, n)))
			return n;
	return 0;
}

/* Text with what is no UTF-8 replaced, byte by byte. */
static int replaced(struct span s, struct buf *out)
{
	size_t at, n;
	int r = 0;

	for (at = 0; !r && at < s.n; at += n ? n : 1) {
		n = character(SPAN(s.p + at, s.n - at));
		r = n ? buf_put(out, s.p + at, n) : buf_puts(out, REPLACEMENT);
	}
	return r;
}

/* Adds "name":"hex" to the object. */
static int keep_bytes(struct buf *object, const char *name, struct span s)
{
	char two[3];
	size_t i;
	int r = buf_putf(object, "%s\"%s\":\"", object->n ? "," : "{", name);

	for (i = 0; !r && i < s.n; i++)
		r = buf_put(object, hex_encode(two, s.p + i, 1), 2);
	return r ? r : buf_puts(object, "\"");
}

static int put_cell(struct parquet *p, unsigned at, const struct column *c, const struct cell *cell, struct buf *bytes)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_ROOM_MAX);
	int r;

	if (c->type != COLUMN_TEXT && c->type != COLUMN_BYTES)
		return parquet_number(p, at, cell->number);
	if (c->type == COLUMN_BYTES || text_is_utf8(cell->s))
		return parquet_bytes(p, at, cell->s);
	r = replaced(cell->s, &text);
	r = r ? r : keep_bytes(bytes, c->name, cell->s);
	return r ? r : parquet_bytes(p, at, buf_span(&text));
}

int parquet_record(struct parquet *p, const struct exported *x)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(NOT_UTF8_MAX);
	struct cell cell;
	unsigned n, i, f = 0;
	const struct column *all = columns_all(&n);
	int r = 0;

	for (i = 0; !r && i < ROW_COLUMNS; i++) {
		cell_of(x, &all[i], &cell);
		r = put_cell(p, i, &all[i], &cell, &bytes);
	}
	while (!r && (f = record_next(&x->row->record, f))) {
		i = columns_of_field(f);
		/* A number that this version has no name for. */
		if (i == COLUMNS_MAX)
			continue;
		cell_of(x, &all[i], &cell);
		r = put_cell(p, i, &all[i], &cell, &bytes);
	}
	if (!r && bytes.n) {
		r = buf_puts(&bytes, "}");
		r = r ? r : parquet_bytes(p, n, buf_span(&bytes));
	}
	r = r ? r : parquet_row(p);
	return r > 0 ? -EFBIG : r;
}
