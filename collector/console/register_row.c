/*
 * What is written into a handling register: its head, its rows, its end, as CSV or on paper. Names of records are
 * outside text: paper and CSV each make them harmless in their own way.
 */
#include "collector/console/register.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>

#define BOM "\xef\xbb\xbf"
#define COLUMNS 7u

/* Facts that the last column has, where a record has them. */
static const unsigned details[] = {F_PATH2, F_PRINTER, F_PAGES, F_COPIES, F_SHEETS, F_MY_NUMBERS, F_ACTION, F_OUTCOME,
	F_CLASS, F_READ, F_WRITTEN, F_MAKER, F_SERIAL, F_LABEL, F_ACCESS, F_RULE, F_AREA, F_SEAT, F_REMOTE, F_SERVICE,
	F_CAUSE, F_COUNT, F_HASH};
/* The object of a record: the first of these that it has. */
static const unsigned objects[] = {F_PATH, F_TITLE, F_DOCUMENT_NAME, F_PRODUCT, F_TARGET_USER, F_TEXT, F_OPERATION};

static const struct paper_column columns[2][COLUMNS] = {
	{{"No.", 4, false}, {"Time", 13, false}, {"PC", 11, false}, {"User", 9, false}, {"What", 11, false},
		{"Object", 28, false}, {"Details", 24, false}},
	{{"番号", 4, false}, {"日時", 13, false}, {"PC", 11, false}, {"取扱者", 9, false}, {"種別", 11, false},
		{"対象", 28, false}, {"詳細", 24, false}},
};

static const char *say(const struct registering *g, const char *en, const char *ja)
{
	return g->search.lang == LANG_JA ? ja : en;
}

const char *register_title(const struct registering *g)
{
	return say(g, "Register of the handling of specific personal information", "特定個人情報取扱記録簿");
}

/* "2026-11-23 19:02:33": the zone stands in the head. */
static const char *moment(char out[TEXT_TIME_SIZE], int64_t us)
{
	char *dot;

	text_time_local(out, us);
	if (out[0] == '@')
		return out;
	dot = strpbrk(out, ".+");
	if (dot)
		*dot = 0;
	dot = strchr(out, 'T');
	if (dot)
		*dot = ' ';
	return out;
}

static int put_value(struct registering *g, const struct record *r, unsigned f)
{
	const struct value *v = &r->v[f];
	const struct enum_info *e;
	char hex[2 * DIGEST_SIZE + 1];

	switch (field_table[f].type) {
	case T_ENUM:
		e = enum_by_value(f, v->u);
		return e ? buf_puts(&g->text, say(g, e->en, e->ja)) : buf_putf(&g->text, "%" PRIu64, v->u);
	case T_NAME:
		return buf_put_span(&g->text, v->s);
	case T_BYTES:
		return v->s.n <= DIGEST_SIZE ? buf_puts(&g->text, hex_encode(hex, v->s.p, v->s.n)) : 0;
	default:
		return buf_putf(&g->text, "%" PRIu64, v->u);
	}
}

static int put_details(struct registering *g, unsigned section, const struct record *r)
{
	const char *gap = "";
	size_t i;
	int x = 0;

	buf_clear(&g->text);
	for (i = 0; !x && i < ARRAY_SIZE(details); i++) {
		unsigned f = details[i];

		if (!record_has(r, f))
			continue;
		x = buf_putf(&g->text, "%s%s: ", gap, say(g, field_table[f].en, field_table[f].ja));
		x = x ? x : put_value(g, r, f);
		gap = say(g, ", ", "、");
	}
	if (!x && section == PROOFS_SECTION && g->zip && *register_zip_name(g->zip))
		x = buf_putf(&g->text, "%s%s: %s", gap, say(g, "Enclosed", "添付"), register_zip_name(g->zip));
	return x;
}

/* --- CSV --- */

static int csv_cells(struct registering *g, const struct span *cells, unsigned n)
{
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < n; i++) {
		_cleanup_buf_ struct buf plain = BUF_INIT(4 * cells[i].n + 16);
		bool text = text_is_utf8(cells[i]);

		r = i ? buf_puts(&g->out, ",") : 0;
		/* Names on Linux are bytes; the file is UTF-8. */
		r = r || text ? r : text_escape(&plain, cells[i]);
		r = r ? r : record_csv_cell(text ? cells[i] : buf_span(&plain), &g->out);
	}
	return r ? r : buf_puts(&g->out, "\r\n");
}

static int csv_head(struct registering *g)
{
	struct span cells[COLUMNS + 1] = {SPAN_STR(say(g, "Record", "記録の区分"))};
	unsigned i;
	int r = buf_puts(&g->out, BOM);

	for (i = 0; i < COLUMNS; i++)
		cells[i + 1] = SPAN_STR(columns[g->search.lang == LANG_JA][i].heading);
	return r ? r : csv_cells(g, cells, COLUMNS + 1);
}

/* --- the parts --- */

static void line(struct registering *g, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void line(struct registering *g, const char *name, const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	int n = snprintf(text, sizeof(text), "%s: ", name);

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	paper_text(g->paper, SPAN_STR(text));
}

int register_begin(struct registering *g)
{
	const struct store_filter *f = &g->search.filter;
	char from[TEXT_TIME_SIZE], until[TEXT_TIME_SIZE], now[TEXT_TIME_SIZE];
	struct checkpoint head = {.size = 0};
	char root[2 * DIGEST_SIZE + 1];

	if (!g->paper)
		return csv_head(g);
	line(g, say(g, "Period", "対象期間"), "%s - %s", text_time_local(from, f->from_us),
		text_time_local(until, f->until_us));
	if (g->area)
		line(g, say(g, "Protected area", "取扱区域"), "%s", g->area);
	else
		line(g, say(g, "Folder", "対象フォルダー"), "%s", g->folder);
	line(g, say(g, "PCs", "対象 PC"), "%s", g->host ? g->host : say(g, "all", "すべて"));
	line(g, say(g, "Made", "作成"), "%s, %s", text_time_local(now, clock_wall_us()), g->by.account.name);
	/* So that a register can be traced to the log that it was made from. */
	if (g->c->has_log && !checkpoint_verify(store_checkpoint(g->c->store), &g->c->log, &head, NULL))
		line(g, say(g, "Log", "ログ"), "%s, %" PRIu64 ", %s", head.origin, head.size,
			hex_encode(root, head.root.b, DIGEST_SIZE));
	return 0;
}

int register_section_begin(struct registering *g, unsigned section)
{
	const struct register_section *s = &register_sections[section - 1];

	if (!g->paper)
		return 0;
	paper_heading(g->paper, say(g, s->en, s->ja));
	paper_table(g->paper, columns[g->search.lang == LANG_JA], COLUMNS);
	return 0;
}

int register_row(struct registering *g, unsigned section, const struct store_row *row)
{
	const struct register_section *s = &register_sections[section - 1];
	const struct record *r = &row->record;
	const struct enum_info *e = enum_by_value(F_KIND, record_has(r, F_KIND) ? r->v[F_KIND].u : 0);
	char number[24], time[TEXT_TIME_SIZE];
	unsigned object = 0;
	struct span cells[COLUMNS + 1];
	size_t i;
	int x = put_details(g, section, r);

	for (i = 0; !object && i < ARRAY_SIZE(objects); i++)
		if (record_has(r, objects[i]))
			object = objects[i];
	snprintf(number, sizeof(number), "%" PRIu64, g->section_rows + 1);
	cells[0] = SPAN_STR(say(g, s->en, s->ja));
	cells[1] = SPAN_STR(number);
	cells[2] = SPAN_STR(moment(time, record_has(r, F_TIME) ? r->v[F_TIME].i : 0));
	cells[3] = SPAN_STR(row->host_name ? row->host_name : "");
	cells[4] = record_has(r, F_USER) ? r->v[F_USER].s : SPAN("", 0);
	cells[5] = SPAN_STR(e ? say(g, e->en, e->ja) : "");
	cells[6] = object ? r->v[object].s : SPAN("", 0);
	cells[7] = buf_span(&g->text);
	if (x)
		return x;
	if (!g->paper)
		return csv_cells(g, cells, COLUMNS + 1);
	paper_row(g->paper, cells + 1);
	return 0;
}

int register_section_end(struct registering *g)
{
	const char *cut = say(g, "There are more records than fit here: choose less time.",
		"記録がほかにもあります。期間を短くして作成してください。");
	const char *outside = say(g, "The console's own records lie outside the scope of the account that made this.",
		"コンソール自体の記録は、作成したアカウントの閲覧範囲外のため記載していません。");
	const struct span note = SPAN_STR(cut), scope = SPAN_STR(outside);
	int r = 0;

	if (g->cut && !g->paper)
		r = csv_cells(g, &note, 1);
	if (!r && g->outside && !g->paper)
		r = csv_cells(g, &scope, 1);
	if (r || !g->paper)
		return r;
	if (g->outside)
		paper_text(g->paper, scope);
	if (!g->section_rows && !g->outside)
		paper_text(g->paper, SPAN_STR(say(g, "None.", "該当なし")));
	else if (g->cut)
		paper_text(g->paper, note);
	return 0;
}

int register_end(struct registering *g)
{
	static const char *const labels[2][3] = {
		{"Responsible", "Checked by", "Made by"}, {"責任者", "確認者", "作成者"}};

	if (!g->paper)
		return 0;
	paper_seals(g->paper, labels[g->search.lang == LANG_JA], 3);
	return paper_end(g->paper);
}
