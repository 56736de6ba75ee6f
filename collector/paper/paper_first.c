/* What the first page of a report has beside text: figures, bars, remarks with their weight. See paper.h. */
#include "collector/paper/paper_parts.h"
#include <errno.h>
#include <stdio.h>

#define TILE_HEIGHT 50.0
#define TILES_ROW 4u
#define GAP 8.0
#define CHART_HEIGHT 84.0

static void grey(struct paper *p, double level)
{
	cairo_set_source_rgb(p->c, level, level, level);
}

/* One line, cut to the width, at the left or the right end of it. */
static void line_in(struct paper *p, double x, double y, double width, const char *text, bool right)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(16 * TEXT_MAX + 64);
	struct paper_line line;
	unsigned n = 0;
	int r = paper_clean(p->c, SPAN_STR(text), &plain);

	r = r ? r : paper_break(p->c, &plain, width, 1, &line, &n);
	if (r)
		paper_fail(p, r < 0 ? r : -EIO);
	if (r || !n)
		return;
	if (right)
		x += width - paper_width(p, (char *)plain.p, line.n);
	paper_draw(p, x, y, (char *)plain.p + line.from, line.n);
}

void paper_seals_corner(struct paper *p, const char *const *labels, unsigned n)
{
	double width = 56, x = WIDTH - MARGIN - n * width, top = MARGIN - 12;
	unsigned i;

	cairo_set_line_width(p->c, 0.5);
	grey(p, 0.3);
	for (i = 0; i < n; i++) {
		cairo_rectangle(p->c, x + i * width, top, width, LINE + PAD);
		cairo_rectangle(p->c, x + i * width, top + LINE + PAD, width, 50);
	}
	cairo_stroke(p->c);
	paper_font(p->c, 7.5, false);
	for (i = 0; i < n; i++)
		line_in(p, x + i * width + PAD, top + 10, width - 2 * PAD, labels[i], false);
	grey(p, 0);
}

static void tile(struct paper *p, double x, double width, const struct paper_tile *t)
{
	grey(p, 0.965);
	cairo_rectangle(p->c, x, p->y, width, TILE_HEIGHT);
	cairo_fill(p->c);
	cairo_set_source_rgb(p->c, 0.16, 0.29, 0.48);
	cairo_rectangle(p->c, x, p->y, 2.5, TILE_HEIGHT);
	cairo_fill(p->c);
	grey(p, 0.25);
	paper_font(p->c, 8, false);
	line_in(p, x + 10, p->y + 13, width - 16, t->label, false);
	grey(p, 0);
	paper_font(p->c, 16, true);
	line_in(p, x + 10, p->y + 31, width - 16, t->value, false);
	if (t->note) {
		grey(p, 0.35);
		paper_font(p->c, 7, false);
		line_in(p, x + 10, p->y + 44, width - 16, t->note, false);
	}
	grey(p, 0);
}

void paper_tiles(struct paper *p, const struct paper_tile *tiles, unsigned n)
{
	double width = (WIDTH - 2 * MARGIN - (TILES_ROW - 1) * GAP) / TILES_ROW;
	unsigned i;

	p->columns_n = 0;
	for (i = 0; i < n; i++) {
		if (i % TILES_ROW == 0) {
			if (i)
				p->y += TILE_HEIGHT + GAP;
			paper_need(p, TILE_HEIGHT);
		}
		tile(p, MARGIN + (i % TILES_ROW) * (width + GAP), width, &tiles[i]);
	}
	if (n)
		p->y += TILE_HEIGHT + GAP;
}

static void chart(struct paper *p, double x, double width, const struct paper_chart *t)
{
	double most = 0, top = p->y + 18, height = CHART_HEIGHT - 32, step;
	unsigned i;

	for (i = 0; i < t->n; i++)
		most = t->values[i] > most ? t->values[i] : most;
	paper_font(p->c, 8, true);
	line_in(p, x, p->y + 9, width * 0.7, t->title, false);
	paper_font(p->c, 7, false);
	grey(p, 0.35);
	line_in(p, x + width * 0.7, p->y + 9, width * 0.3, t->most, true);
	cairo_set_line_width(p->c, 0.4);
	grey(p, 0.75);
	cairo_move_to(p->c, x, top);
	cairo_line_to(p->c, x + width, top);
	cairo_stroke(p->c);
	step = width / (t->n ? t->n : 1);
	cairo_set_source_rgb(p->c, 0.16, 0.29, 0.48);
	for (i = 0; most > 0 && i < t->n; i++) {
		double h = t->values[i] / most * height;

		cairo_rectangle(p->c, x + i * step + step * 0.12, top + height - h, step * 0.76, h);
	}
	cairo_fill(p->c);
	grey(p, 0.35);
	cairo_move_to(p->c, x, top + height);
	cairo_line_to(p->c, x + width, top + height);
	cairo_stroke(p->c);
	line_in(p, x, top + height + 10, width / 2, t->first, false);
	line_in(p, x + width / 2, top + height + 10, width / 2, t->last, true);
	grey(p, 0);
}

void paper_charts(struct paper *p, const struct paper_chart *charts, unsigned n)
{
	double width = (WIDTH - 2 * MARGIN - 3 * GAP) / 2;
	unsigned i;

	p->columns_n = 0;
	for (i = 0; i < n; i++) {
		if (i % 2 == 0)
			paper_need(p, CHART_HEIGHT);
		chart(p, MARGIN + (i % 2) * (width + 3 * GAP), width, &charts[i]);
		if (i % 2 || i + 1 == n)
			p->y += CHART_HEIGHT + 4;
	}
}

void paper_remark(struct paper *p, unsigned weight, const char *word, const char *text)
{
	static const double colours[3][3] = {{0.70, 0.10, 0.10}, {0.72, 0.42, 0.0}, {0.35, 0.35, 0.35}};
	const double *rgb = colours[weight < 3 ? weight : 2];
	_cleanup_buf_ struct buf plain = BUF_INIT(16 * TEXT_MAX + 64);
	struct paper_line lines[4];
	unsigned n = 0, i;
	int r;

	p->columns_n = 0;
	paper_font(p->c, 8.5, false);
	r = paper_clean(p->c, SPAN_STR(text), &plain);
	r = r ? r : paper_break(p->c, &plain, WIDTH - 2 * MARGIN - 64, ARRAY_SIZE(lines), lines, &n);
	if (r) {
		paper_fail(p, r < 0 ? r : -EIO);
		return;
	}
	paper_need(p, n * (LINE + 1));
	cairo_set_source_rgb(p->c, rgb[0], rgb[1], rgb[2]);
	cairo_rectangle(p->c, MARGIN, p->y + 3, 6, 6);
	cairo_fill(p->c);
	paper_font(p->c, 8.5, true);
	line_in(p, MARGIN + 12, p->y + 9.5, 48, word, false);
	grey(p, 0);
	paper_font(p->c, 8.5, false);
	for (i = 0; i < n; i++)
		paper_draw(p, MARGIN + 62, p->y + 9.5 + i * (LINE + 1), (char *)plain.p + lines[i].from, lines[i].n);
	p->y += n * (LINE + 1) + 2;
}
