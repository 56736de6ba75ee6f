/* See paper.h. Every text from outside is escaped before it is measured or drawn. */
#include "collector/paper/paper_parts.h"
#include "policy/base/text.h"
#include <cairo-pdf.h>
#include <errno.h>

static cairo_status_t on_bytes(void *closure, const unsigned char *p, unsigned n)
{
	struct paper *paper = closure;
	int r = paper->failed ? paper->failed : paper->put(paper->ctx, SPAN(p, n));

	if (!paper->failed)
		paper->failed = r;
	return r ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

void paper_font(cairo_t *c, double size, bool bold)
{
	cairo_select_font_face(
		c, PAPER_FONT, CAIRO_FONT_SLANT_NORMAL, bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(c, size);
}

/* --- text --- */

/* Advances of the characters, as many as there are glyphs; 0 for those that the font does not have. */
static int glyphs_of(cairo_t *c, const char *text, size_t n, cairo_glyph_t **out, int *count)
{
	*out = NULL;
	*count = 0;
	return cairo_scaled_font_text_to_glyphs(
		       cairo_get_scaled_font(c), 0, 0, text, (int)n, out, count, NULL, NULL, NULL)
		       ? -ENOMEM
		       : 0;
}

static size_t character(const char *s)
{
	size_t n = 1;

	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Escaped, and what has no glyph as its bytes. The text, with a NUL behind it. */
int paper_clean(cairo_t *c, struct span in, struct buf *out)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(4 * TEXT_MAX + 16);
	cairo_glyph_t *g;
	const char *s;
	int n, i, r;

	/* Cut at a character: nobody reads more of it in a cell. */
	if (in.n > TEXT_MAX)
		for (in.n = TEXT_MAX; in.n && (in.p[in.n] & 0xc0) == 0x80; in.n--)
			;
	r = text_escape(&plain, in);
	s = r ? NULL : buf_str(&plain);
	if (!s)
		return -ENOMEM;
	if (!*s)
		return buf_str(out) ? 0 : -ENOMEM;
	r = glyphs_of(c, s, plain.n, &g, &n);
	for (i = 0; !r && *s; i++) {
		size_t k, len = character(s);

		if (i < n && g[i].index)
			r = buf_put(out, s, len);
		else
			for (k = 0; !r && k < len; k++)
				r = buf_putf(out, "\\x%02x", (unsigned char)s[k]);
		s += len;
	}
	cairo_glyph_free(g);
	return r ? r : buf_str(out) ? 0 : -ENOMEM;
}

static bool is_latin(char c)
{
	return (unsigned char)c > ' ' && (unsigned char)c < 0x80;
}

/*
 * Breaks at any character, as Japanese is; within a Latin word only where its line has no space. The last line says
 * where there was more.
 */
int paper_break(
	cairo_t *c, const struct buf *text, double width, unsigned most, struct paper_line *out, unsigned *lines)
{
	const char *s = (const char *)text->p;
	cairo_glyph_t *g;
	size_t at = 0, from = 0, space = 0;
	double x0 = 0, space_x = 0;
	int n, i, r;

	*lines = 0;
	if (!text->n)
		return 0;
	r = glyphs_of(c, s, text->n, &g, &n);
	for (i = 0; !r && at < text->n && *lines < most; i++) {
		cairo_text_extents_t e;
		double end;

		if (i + 1 < n) {
			end = g[i + 1].x;
		} else {
			cairo_glyph_extents(c, &g[i < n ? i : n - 1], 1, &e);
			end = g[i < n ? i : n - 1].x + e.x_advance;
		}
		if (end - x0 > width && at > from) {
			bool word = space > from && is_latin(s[at]) && is_latin(s[at - 1]);
			size_t to = word ? space : at;

			out[(*lines)++] = (struct paper_line){from, to - from};
			from = to;
			x0 = word ? space_x : i < n ? g[i].x : end;
		}
		if (s[at] == ' ') {
			space = at + 1;
			space_x = end;
		}
		at += character(s + at);
	}
	if (!r && *lines < most)
		out[(*lines)++] = (struct paper_line){from, text->n - from};
	cairo_glyph_free(g);
	return r;
}

void paper_draw(struct paper *p, double x, double y, const char *s, size_t n)
{
	char line[TEXT_MAX * 4 + 1];

	n = n < sizeof(line) ? n : sizeof(line) - 1;
	memcpy(line, s, n);
	line[n] = 0;
	cairo_move_to(p->c, x, y);
	cairo_show_text(p->c, line);
}

double paper_width(struct paper *p, const char *s, size_t n)
{
	char line[TEXT_MAX * 4 + 1];
	cairo_text_extents_t e;

	n = n < sizeof(line) ? n : sizeof(line) - 1;
	memcpy(line, s, n);
	line[n] = 0;
	cairo_text_extents(p->c, line, &e);
	return e.x_advance;
}

/* --- pages --- */

static void row_lines(struct paper *p, double top, double bottom, bool head)
{
	double x = MARGIN, all = 0;
	unsigned i;

	for (i = 0; i < p->columns_n; i++)
		all += p->columns[i].share;
	if (head) {
		cairo_set_source_rgb(p->c, 0.92, 0.92, 0.92);
		cairo_rectangle(p->c, MARGIN, top, WIDTH - 2 * MARGIN, bottom - top);
		cairo_fill(p->c);
		cairo_set_source_rgb(p->c, 0, 0, 0);
	}
	cairo_set_line_width(p->c, 0.4);
	cairo_set_source_rgb(p->c, 0.45, 0.45, 0.45);
	cairo_rectangle(p->c, MARGIN, top, WIDTH - 2 * MARGIN, bottom - top);
	for (i = 0; i + 1 < p->columns_n; i++) {
		x += p->columns[i].share / all * (WIDTH - 2 * MARGIN);
		cairo_move_to(p->c, x, top);
		cairo_line_to(p->c, x, bottom);
	}
	cairo_stroke(p->c);
	cairo_set_source_rgb(p->c, 0, 0, 0);
}

static void table_head(struct paper *p);

static void foot(struct paper *p)
{
	char text[FOOT_MAX + 16];

	paper_font(p->c, 7, false);
	cairo_set_source_rgb(p->c, 0.3, 0.3, 0.3);
	snprintf(text, sizeof(text), "%s  -  %u", p->foot[0] ? p->foot : p->title, p->page);
	paper_draw(p, MARGIN, FOOT + 12, text, strlen(text));
	cairo_set_source_rgb(p->c, 0, 0, 0);
}

static void next_page(struct paper *p)
{
	foot(p);
	cairo_show_page(p->c);
	p->page++;
	p->y = MARGIN;
	if (p->columns_n)
		table_head(p);
}

/* Room for so much, on this page or the next. */
void paper_need(struct paper *p, double height)
{
	if (p->y + height > FOOT)
		next_page(p);
}

void paper_fail(struct paper *p, int r)
{
	if (!p->failed)
		p->failed = r;
}

static void draw_row(struct paper *p, const struct span *cells, bool head)
{
	struct buf text[PAPER_COLUMNS_MAX];
	struct paper_line lines[PAPER_COLUMNS_MAX][LINES_MAX];
	unsigned n[PAPER_COLUMNS_MAX] = {0}, most = 1, i, k;
	double all = 0, x = MARGIN, height;
	int r = 0;

	paper_font(p->c, SIZE, head);
	for (i = 0; i < p->columns_n; i++)
		all += p->columns[i].share;
	for (i = 0; i < p->columns_n; i++) {
		double width = p->columns[i].share / all * (WIDTH - 2 * MARGIN) - 2 * PAD;

		text[i] = BUF_INIT(16 * TEXT_MAX + 64);
		r = r ? r : paper_clean(p->c, cells[i], &text[i]);
		r = r ? r : paper_break(p->c, &text[i], width, LINES_MAX, lines[i], &n[i]);
		most = n[i] > most ? n[i] : most;
	}
	height = most * LINE + PAD;
	if (!head && !r && p->y + height > FOOT) {
		next_page(p);
		paper_font(p->c, SIZE, head);
	}
	if (!r)
		row_lines(p, p->y, p->y + height, head);
	for (i = 0; i < p->columns_n; i++) {
		for (k = 0; !r && k < n[i]; k++) {
			const struct paper_line *l = &lines[i][k];
			bool cut = k == LINES_MAX - 1 && l->from + l->n < text[i].n;

			double at = x + PAD;

			if (p->columns[i].right)
				at = x + p->columns[i].share / all * (WIDTH - 2 * MARGIN) - PAD -
				     paper_width(p, (char *)text[i].p + l->from, l->n);
			paper_draw(p, at, p->y + SIZE + 2 + k * LINE, (char *)text[i].p + l->from, l->n);
			if (cut)
				cairo_show_text(p->c, "…");
		}
		x += p->columns[i].share / all * (WIDTH - 2 * MARGIN);
		buf_deinit(&text[i]);
	}
	p->y += height;
	if (r)
		paper_fail(p, r < 0 ? r : -EIO);
}

static void table_head(struct paper *p)
{
	struct span cells[PAPER_COLUMNS_MAX];
	unsigned i;

	for (i = 0; i < p->columns_n; i++)
		cells[i] = SPAN_STR(p->columns[i].heading);
	draw_row(p, cells, true);
}

/* --- what callers say --- */

int paper_init(void)
{
	cairo_surface_t *s = cairo_recording_surface_create(CAIRO_CONTENT_COLOR, NULL);
	cairo_t *c = cairo_create(s);
	cairo_text_extents_t e;
	cairo_glyph_t *g = NULL;
	int n = 0, r;

	paper_font(c, SIZE, true);
	cairo_text_extents(c, "A", &e);
	paper_font(c, SIZE, false);
	r = glyphs_of(c, "記", strlen("記"), &g, &n);
	r = r ? r : n == 1 && g[0].index ? 0 : V_NOT_FOUND;
	cairo_glyph_free(g);
	cairo_destroy(c);
	cairo_surface_destroy(s);
	return r;
}

int paper_new(paper_put_fn put, void *ctx, const char *title, struct paper **out)
{
	_cleanup_(paper_freep) struct paper *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->put = put;
	p->ctx = ctx;
	p->page = 1;
	snprintf(p->title, sizeof(p->title), "%s", title);
	p->surface = cairo_pdf_surface_create_for_stream(on_bytes, p, WIDTH, HEIGHT);
	p->c = cairo_create(p->surface);
	if (cairo_status(p->c))
		return -ENOMEM;
	cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_TITLE, p->title);
	cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_CREATOR, "Sekisho " SEKISHO_VERSION);
	paper_font(p->c, 16, true);
	p->y = MARGIN + 16;
	paper_draw(p, MARGIN, p->y, p->title, strlen(p->title));
	p->y += 12;
	*out = STEAL(p);
	return 0;
}

void paper_foot(struct paper *p, const char *text)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(16 * TEXT_MAX + 64);
	int r;

	paper_font(p->c, 7, false);
	r = paper_clean(p->c, SPAN_STR(text), &plain);
	if (r)
		paper_fail(p, r < 0 ? r : -EIO);
	else
		snprintf(p->foot, sizeof(p->foot), "%.*s", (int)plain.n, (const char *)plain.p);
}

void paper_page(struct paper *p)
{
	p->columns_n = 0;
	next_page(p);
}

void paper_free(struct paper *p)
{
	if (!p)
		return;
	/* What nobody asks for any more goes nowhere. */
	p->failed = p->failed ? p->failed : -ECANCELED;
	cairo_destroy(p->c);
	cairo_surface_destroy(p->surface);
	free(p);
}

void paper_heading(struct paper *p, const char *text)
{
	p->columns_n = 0;
	paper_need(p, 7 * LINE);
	p->y += 22;
	paper_font(p->c, 11, true);
	paper_draw(p, MARGIN, p->y, text, strlen(text));
	p->y += 6;
}

void paper_text(struct paper *p, struct span in)
{
	_cleanup_buf_ struct buf text = BUF_INIT(16 * TEXT_MAX + 64);
	struct paper_line lines[16];
	unsigned n = 0, k;
	int r;

	paper_font(p->c, SIZE, false);
	r = paper_clean(p->c, in, &text);
	r = r ? r : paper_break(p->c, &text, WIDTH - 2 * MARGIN, ARRAY_SIZE(lines), lines, &n);
	for (k = 0; !r && k < n; k++) {
		paper_need(p, LINE);
		paper_font(p->c, SIZE, false);
		p->y += LINE;
		paper_draw(p, MARGIN, p->y, (char *)text.p + lines[k].from, lines[k].n);
	}
	p->y += 4;
	if (r)
		paper_fail(p, r < 0 ? r : -EIO);
}

void paper_table(struct paper *p, const struct paper_column *columns, unsigned n)
{
	p->columns = columns;
	p->columns_n = n < PAPER_COLUMNS_MAX ? n : PAPER_COLUMNS_MAX;
	paper_need(p, 4 * LINE);
	p->y += 4;
	table_head(p);
}

void paper_row(struct paper *p, const struct span *cells)
{
	if (!p->failed)
		draw_row(p, cells, false);
}

void paper_seals(struct paper *p, const char *const *labels, unsigned n)
{
	double x = WIDTH - MARGIN - n * 2 * SEAL;
	unsigned i;

	p->columns_n = 0;
	paper_need(p, SEAL + 3 * LINE);
	p->y += 14;
	cairo_set_line_width(p->c, 0.6);
	paper_font(p->c, SIZE, false);
	for (i = 0; i < n; i++) {
		cairo_rectangle(p->c, x, p->y, 2 * SEAL, LINE + PAD);
		cairo_rectangle(p->c, x, p->y + LINE + PAD, 2 * SEAL, SEAL);
		cairo_stroke(p->c);
		paper_draw(p, x + PAD, p->y + SIZE + 2, labels[i], strlen(labels[i]));
		x += 2 * SEAL;
	}
	p->y += SEAL + 2 * LINE;
}

int paper_end(struct paper *p)
{
	foot(p);
	cairo_show_page(p->c);
	cairo_surface_finish(p->surface);
	if (!p->failed && cairo_surface_status(p->surface))
		p->failed = -ENOMEM;
	return p->failed;
}
