/*
 * Rows as text. Whatever a user, a file or a program is called, it can neither move the cursor nor run in a
 * spreadsheet: record.h escapes, and what is added here passes through the same.
 */
#include "policy/ctl/rows.h"
#include "policy/base/text.h"

#define BOM "\xef\xbb\xbf"
#define COLOR_BAD "\033[1;31m"
#define COLOR_OUTSIDE "\033[33m"
#define COLOR_OUR "\033[36m"
#define COLOR_END "\033[0m"

static int json_row(const struct store_row *row, struct buf *out)
{
	_cleanup_buf_ struct buf name = BUF_INIT(4096);
	char id[2 * DIGEST_SIZE + 1];
	const char *p;
	size_t at;
	int r;

	for (p = row->host_name ? row->host_name : ""; *p; p++) {
		bool plain = (unsigned char)*p >= 0x20 && *p != '"' && *p != '\\';

		r = plain ? buf_put(&name, p, 1) : buf_putf(&name, "\\u%04x", (unsigned char)*p);
		if (r)
			return r;
	}
	if (!text_is_utf8(buf_span(&name)))
		buf_clear(&name);
	r = buf_putf(out, "{\"row\":%llu,\"leaf\":%llu,\"host\":\"%.*s\",\"host_id\":\"%s\",",
		(unsigned long long)row->row, (unsigned long long)row->leaf, (int)name.n,
		name.n ? (const char *)name.p : "", hex_encode(id, row->host.b, DIGEST_SIZE));
	/* The record's own object goes on from here: its brace makes way. */
	at = out->n;
	r = r ? r : record_json(&row->record, out);
	if (r)
		return r;
	memmove(out->p + at, out->p + at + 1, out->n - at - 1);
	out->n--;
	if (out->p[out->n - 1] == '}' && out->p[at - 1] == ',' && out->n == at + 1) {
		out->p[at - 1] = '}'; /* a record without facts */
		out->n--;
	}
	return buf_puts(out, "\n");
}

static const char *color_of(const struct record *r)
{
	uint64_t kind = record_has(r, F_KIND) ? r->v[F_KIND].u : 0;
	uint64_t class = record_has(r, F_CLASS) ? r->v[F_CLASS].u : 0;

	switch (kind) {
	case KIND_LOSS:
	case KIND_REFUSED:
	case KIND_GAP:
	case KIND_FORKED:
	case KIND_REJOIN:
	case KIND_REVOKE:
	case KIND_WITNESS_ALARM:
		return COLOR_BAD;
	case KIND_RECORDER_START:
	case KIND_RECORDER_STOP:
	case KIND_COLLECTOR_START:
	case KIND_ENROL:
	case KIND_RENEW:
	case KIND_RETIRE:
	case KIND_HEARTBEAT:
		return COLOR_OUR;
	}
	return class == CLASS_USB || class == CLASS_REMOVABLE || class == CLASS_NETWORK || class == CLASS_CLOUD
		       ? COLOR_OUTSIDE
		       : NULL;
}

static int line_row(const struct rows *s, const struct store_row *row, struct buf *out)
{
	const char *color = s->color ? color_of(&row->record) : NULL;
	const char *name = row->host_name ? row->host_name : "";
	char id[2 * DIGEST_SIZE + 1];
	int r = color ? buf_puts(out, color) : 0;

	r = r ? r : text_escape(out, *name ? SPAN_STR(name) : SPAN(hex_encode(id, row->host.b, DIGEST_SIZE), 12));
	r = r ? r : buf_puts(out, "  ");
	r = r ? r : record_line(&row->record, s->lang, out);
	r = r || !color ? r : buf_puts(out, COLOR_END);
	return r ? r : buf_puts(out, "\n");
}

int rows_begin(const struct rows *s, struct buf *out)
{
	int r = 0;

	if (s->form == ROWS_CSV) {
		r = buf_puts(out, BOM);
		r = r ? r : record_csv_cell(SPAN_STR(s->lang == LANG_JA ? "PC名" : "PC name"), out);
		r = r ? r : buf_puts(out, ",");
		r = r ? r : record_csv_head(s->fields, s->lang, out);
	}
	return r;
}

int rows_put(const struct rows *s, const struct store_row *row, struct buf *out)
{
	int r;

	if (s->form == ROWS_JSON)
		return json_row(row, out);
	if (s->form == ROWS_LINES)
		return line_row(s, row, out);
	r = record_csv_cell(SPAN_STR(row->host_name ? row->host_name : ""), out);
	r = r ? r : buf_puts(out, ",");
	return r ? r : record_csv(&row->record, s->fields, s->lang, out);
}
