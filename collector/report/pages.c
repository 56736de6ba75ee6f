/* A report on paper, some rows at a time: a page leaves when it is full. See report.h. */
#include "collector/paper/paper.h"
#include "collector/report/report_parts.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define STEP_ROWS 60u
#define TILES 8u

struct report_paper {
	const struct report *r;
	struct paper *paper;
	report_put_fn put;
	void *ctx;
	unsigned table, row;
	bool begun;
	struct paper_column columns[TABLE_COLUMNS_MAX];
};

static int on_bytes(void *ctx, struct span bytes)
{
	struct report_paper *p = ctx;

	return p->put(p->ctx, bytes);
}

int report_paper_new(const struct report *r, report_put_fn put, void *ctx, struct report_paper **out)
{
	struct report_paper *p = calloc(1, sizeof(*p));
	char title[192], period[128];
	int x;

	if (!p)
		return -ENOMEM;
	p->r = r;
	p->put = put;
	p->ctx = ctx;
	period_words(r, period);
	snprintf(title, sizeof(title), "%s  %s",
		r->o.month[0] ? say(r, "Monthly report", "月次レポート") : say(r, "Report", "レポート"), period);
	x = paper_new(on_bytes, p, title, &p->paper);
	if (x) {
		free(p);
		return x;
	}
	*out = p;
	return 0;
}

void report_paper_free(struct report_paper *p)
{
	if (p)
		paper_free(p->paper);
	free(p);
}

/* --- the first page --- */

static void head(struct report_paper *p)
{
	const struct report *r = p->r;
	char text[1024], from[64], until[64], made[64], foot[512], period[128];

	shown_number(from, CELL_TIME, r->o.from_us);
	shown_number(until, CELL_TIME, r->o.until_us);
	shown_number(made, CELL_TIME, r->made_us);
	period_words(r, period);
	snprintf(text, sizeof(text), "%s: %s - %s", say(r, "Period", "対象期間"), from, until);
	paper_text(p->paper, SPAN_STR(text));
	snprintf(text, sizeof(text), "%s: %s    %s: %s%s%s", say(r, "Collector", "コレクター"), r->o.host,
		say(r, "Made", "作成"), made, r->o.by[0] ? ", " : "", r->o.by);
	paper_text(p->paper, SPAN_STR(text));
	if (r->verified) {
		snprintf(text, sizeof(text), "%s: %s, %" PRIu64 ", %s",
			say(r, "Checkpoint of the log", "ログのチェックポイント"), r->head.origin, r->head.size,
			r->root);
		snprintf(foot, sizeof(foot), "Sekisho  %s  -  %s  -  %s %" PRIu64 " %.16s", period, r->o.host,
			say(r, "checkpoint", "チェックポイント"), r->head.size, r->root);
	} else {
		snprintf(text, sizeof(text), "%s",
			say(r, "The log's checkpoint could not be verified.",
				"ログのチェックポイントを検証できませんでした。"));
		snprintf(foot, sizeof(foot), "Sekisho  %s  -  %s", period, r->o.host);
	}
	paper_text(p->paper, SPAN_STR(text));
	paper_foot(p->paper, foot);
}

static void change(const struct report *r, const struct figure *f, char out[128])
{
	char before[64];

	shown_number(before, f->type, (int64_t)f->before);
	snprintf(out, 128, "%s %s", r->o.month[0] ? say(r, "month before:", "前月") : say(r, "before:", "前期間"),
		before);
	if (f->before && f->now != f->before) {
		double percent = ((double)f->now - (double)f->before) * 100 / (double)f->before;
		size_t n = strlen(out);

		if (percent < 1000)
			snprintf(out + n, 128 - n, "  (%+.0f%%)", percent);
	}
}

static void tiles(struct report_paper *p)
{
	const struct report *r = p->r;
	struct paper_tile tile[TILES];
	char values[TILES][64], notes[TILES][128];
	unsigned i, n = 0;
	int pass;

	/* Those that are meant for it first; where a part is left out, others take their places. */
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < r->figures_n && n < TILES; i++) {
			const struct figure *f = &r->figures[i];

			if (f->first_page != !pass || !f->compared)
				continue;
			shown_number(values[n], f->type, (int64_t)f->now);
			change(r, f, notes[n]);
			tile[n] = (struct paper_tile){say(r, f->en, f->ja), values[n], notes[n]};
			n++;
		}
	paper_tiles(p->paper, tile, n);
}

static void charts(struct report_paper *p)
{
	const struct report *r = p->r;
	const uint64_t *of[2] = {
		part_on(r, REPORT_PRINTS) ? r->now.pages_by : NULL, part_on(r, REPORT_DRIVES) ? r->now.bytes_by : NULL};
	const char *const titles[2] = {
		say(r, "Pages printed", "印刷ページ数"), say(r, "Written to drives", "ドライブへの書き込み量")};
	double values[2][BARS_MAX];
	char most[2][80], title[2][160], from[64], until[64];
	struct paper_chart chart[2];
	unsigned i, k, n = 0;

	shown_number(from, CELL_TIME, r->o.from_us);
	shown_number(until, CELL_TIME, r->o.until_us - 1);
	from[10] = until[10] = 0;
	for (k = 0; k < 2; k++) {
		uint64_t largest = 0;
		char text[64];

		if (!of[k])
			continue;
		for (i = 0; i < r->bars_n; i++) {
			values[n][i] = (double)of[k][i];
			largest = of[k][i] > largest ? of[k][i] : largest;
		}
		shown_number(text, k ? CELL_BYTES : CELL_COUNT, (int64_t)largest);
		snprintf(most[n], sizeof(most[n]), "%s %s", say(r, "most:", "最大"), text);
		if (r->bar_us == DAY_US)
			snprintf(title[n], sizeof(title[n]), "%s%s", titles[k], say(r, ", by day", "(日別)"));
		else
			snprintf(title[n], sizeof(title[n]), say(r, "%s, by %d days", "%s(%d日ごと)"), titles[k],
				(int)(r->bar_us / DAY_US));
		chart[n] = (struct paper_chart){title[n], most[n], values[n], r->bars_n, from, until};
		n++;
	}
	paper_charts(p->paper, chart, n);
}

static void attention(struct report_paper *p)
{
	static const char *const words[2][3] = {{"Alarm", "Warning", "Note"}, {"警報", "注意", "参考"}};
	const struct report *r = p->r;
	unsigned i;

	paper_heading(p->paper, say(r, "What needs attention", "確認が必要な事項"));
	for (i = 0; i < r->remarks_n; i++)
		paper_remark(p->paper, r->remarks[i].weight, words[r->o.lang == LANG_JA][r->remarks[i].weight],
			r->remarks[i].text);
	if (!r->remarks_n)
		paper_text(p->paper, SPAN_STR(say(r, "Nothing.", "特にありません。")));
}

static void first_page(struct report_paper *p)
{
	static const char *const labels[2][3] = {
		{"Responsible", "Checked by", "Made by"}, {"責任者", "確認者", "作成者"}};

	paper_seals_corner(p->paper, labels[p->r->o.lang == LANG_JA], 3);
	head(p);
	paper_text(p->paper, SPAN("", 0));
	tiles(p);
	charts(p);
	attention(p);
}

/* --- all figures --- */

static void figure_cells(const struct report *r, unsigned i, char now[64], char before[64], struct span cells[3])
{
	const struct figure *f = i < r->figures_n ? &r->figures[i] : NULL;

	now[0] = before[0] = 0;
	if (f)
		shown_number(now, f->type, (int64_t)f->now);
	if (f && f->compared)
		shown_number(before, f->type, (int64_t)f->before);
	cells[0] = SPAN_STR(f ? say(r, f->en, f->ja) : "");
	cells[1] = SPAN_STR(now);
	cells[2] = SPAN_STR(before);
}

/* Two of them in a row: all on one page. */
static void figures(struct report_paper *p)
{
	const struct report *r = p->r;
	unsigned half = (r->figures_n + 1) / 2, i;

	for (i = 0; i < 6; i += 3) {
		p->columns[i] = (struct paper_column){say(r, "Figure", "項目"), 26, false};
		p->columns[i + 1] = (struct paper_column){say(r, "Period", "対象期間"), 12, true};
		p->columns[i + 2] = (struct paper_column){
			r->o.month[0] ? say(r, "Month before", "前月") : say(r, "Before", "前期間"), 12, true};
	}
	paper_page(p->paper);
	paper_heading(p->paper, say(r, "All figures", "集計値一覧"));
	paper_table(p->paper, p->columns, 6);
	for (i = 0; i < half; i++) {
		char now[2][64], before[2][64];
		struct span cells[6];

		figure_cells(r, i, now[0], before[0], cells);
		figure_cells(r, half + i, now[1], before[1], cells + 3);
		paper_row(p->paper, cells);
	}
}

/* --- tables --- */

static void table_head(struct report_paper *p, const struct table *t)
{
	const struct report *r = p->r;
	unsigned i;
	bool section = !p->table || r->tables[p->table - 1].section != t->section;
	const char *of = section_title(r, t->section);
	char title[320];

	/* "5. Who looked at the logs" says it already where that is its only table. */
	if (section && !strcmp(of + 3, say(r, t->en, t->ja)))
		snprintf(title, sizeof(title), "%s", of);
	else if (section)
		snprintf(title, sizeof(title), "%s  /  %s", of, say(r, t->en, t->ja));
	else
		snprintf(title, sizeof(title), "%s", say(r, t->en, t->ja));
	paper_heading(p->paper, title);
	if (t->note_en)
		paper_text(p->paper, SPAN_STR(say(r, t->note_en, t->note_ja)));
	if (!t->rows) {
		paper_text(p->paper, SPAN_STR(say(r, "None.", "該当なし。")));
		return;
	}
	for (i = 0; i < t->columns_n; i++)
		p->columns[i] = (struct paper_column){say(r, t->columns[i].en, t->columns[i].ja), t->columns[i].share,
			t->columns[i].type == CELL_COUNT || t->columns[i].type == CELL_BYTES};
	paper_table(p->paper, p->columns, t->columns_n);
}

static void table_end(struct report_paper *p, const struct table *t)
{
	const struct report *r = p->r;
	uint64_t csv = t->rows > REPORT_PAPER_ROWS ? t->rows - REPORT_PAPER_ROWS : 0;
	char text[200];

	if (csv) {
		snprintf(text, sizeof(text),
			say(r, "%" PRIu64 " more rows are in the CSV file.",
				"残り %" PRIu64 " 行は CSV ファイルにあります。"),
			csv);
		paper_text(p->paper, SPAN_STR(text));
	}
	if (t->more) {
		snprintf(text, sizeof(text),
			say(r, "%" PRIu64 " more are not listed.", "ほか %" PRIu64 " 件は掲載していません。"), t->more);
		paper_text(p->paper, SPAN_STR(text));
	}
}

static void table_row(struct report_paper *p, const struct table *t)
{
	char shown[TABLE_COLUMNS_MAX][64];
	struct span cells[TABLE_COLUMNS_MAX];
	unsigned i;

	for (i = 0; i < t->columns_n; i++)
		cells[i] = cell_shown(t, &t->cells[(size_t)p->row * t->columns_n + i], i, shown[i]);
	paper_row(p->paper, cells);
}

int report_paper_step(struct report_paper *p)
{
	const struct table *t;
	unsigned n;
	int r;

	if (!p->begun) {
		p->begun = true;
		first_page(p);
		figures(p);
		return 0;
	}
	if (p->table == p->r->tables_n) {
		r = paper_end(p->paper);
		return r ? r : V_END;
	}
	t = &p->r->tables[p->table];
	if (!p->row)
		table_head(p, t);
	for (n = 0; n < STEP_ROWS && p->row < t->rows && p->row < REPORT_PAPER_ROWS; n++, p->row++)
		table_row(p, t);
	if (p->row < t->rows && p->row < REPORT_PAPER_ROWS)
		return 0;
	table_end(p, t);
	p->table++;
	p->row = 0;
	return 0;
}
