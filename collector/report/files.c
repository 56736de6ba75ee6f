/* A report as CSV files, and as a ZIP of them. See report.h. */
#include "collector/report/report_parts.h"
#include "policy/exhibit/exhibit.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define BOM "\xef\xbb\xbf"
#define CSV_MAX (16u << 20)

unsigned report_tables(const struct report *r)
{
	return r->tables_n;
}

const char *report_table_name(const struct report *r, unsigned table)
{
	return r->tables[table].name;
}

static int put_cell(const struct table *t, const struct cell *c, unsigned column, struct buf *out)
{
	time_t at = (time_t)(c->n / 1000000);
	char text[64];
	struct tm tm;

	if (c->none)
		return record_csv_cell(SPAN("", 0), out);
	if (t->columns[column].type == CELL_TEXT)
		return record_csv_cell(SPAN_STR(c->text ? c->text : ""), out);
	/* Numbers as numbers, so that a spreadsheet adds them up. */
	if (t->columns[column].type != CELL_TIME)
		return buf_putf(out, "%" PRId64, c->n);
	/* As spreadsheets read it, in the report's zone. */
	if (!localtime_r(&at, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		return record_csv_cell(SPAN("", 0), out);
	return record_csv_cell(SPAN_STR(text), out);
}

int report_csv(const struct report *r, unsigned table, struct buf *out)
{
	const struct table *t = &r->tables[table];
	unsigned i, k;
	int x = buf_puts(out, BOM);

	for (k = 0; !x && k < t->columns_n; k++) {
		x = k ? buf_puts(out, ",") : 0;
		x = x ? x : record_csv_cell(SPAN_STR(say(r, t->columns[k].en, t->columns[k].ja)), out);
	}
	x = x ? x : buf_puts(out, "\r\n");
	for (i = 0; !x && i < t->rows; i++) {
		for (k = 0; !x && k < t->columns_n; k++) {
			x = k ? buf_puts(out, ",") : 0;
			x = x ? x : put_cell(t, &t->cells[(size_t)i * t->columns_n + k], k, out);
		}
		x = x ? x : buf_puts(out, "\r\n");
	}
	return x;
}

/* The figures, and what they are of. */
static int figures_csv(const struct report *r, struct buf *out)
{
	char period[128];
	unsigned i;
	int x = buf_puts(out, BOM);

	period_words(r, period);
	x = x ? x : record_csv_cell(SPAN_STR(period), out);
	x = x ? x : buf_putf(out, ",%s,%s\r\n", say(r, "\"Period\"", "\"期間\""), say(r, "\"Before\"", "\"前期間\""));
	for (i = 0; !x && i < r->figures_n; i++) {
		const struct figure *f = &r->figures[i];

		x = record_csv_cell(SPAN_STR(say(r, f->en, f->ja)), out);
		x = x ? x : buf_putf(out, ",%" PRIu64 ",", f->now);
		x = x || !f->compared ? x : buf_putf(out, "%" PRIu64, f->before);
		x = x ? x : buf_puts(out, "\r\n");
	}
	return x;
}

int report_zip(const struct report *r, report_put_fn put, void *ctx)
{
	_cleanup_(exhibit_writer_freep) struct exhibit_writer *w = NULL;
	_cleanup_buf_ struct buf text = BUF_INIT(CSV_MAX);
	char name[EXHIBIT_NAME_SIZE];
	unsigned i;
	int x = exhibit_writer_new(put, ctx, r->made_us, &w);

	x = x ? x : figures_csv(r, &text);
	x = x ? x : exhibit_put(w, "figures.csv", buf_span(&text));
	for (i = 0; !x && i < r->tables_n; i++) {
		buf_clear(&text);
		snprintf(name, sizeof(name), "%s.csv", r->tables[i].name);
		x = report_csv(r, i, &text);
		x = x ? x : exhibit_put(w, name, buf_span(&text));
	}
	x = x ? x : exhibit_writer_end(w);
	return x > 0 ? -EOVERFLOW : x;
}
