/*
 * A paper while it is drawn: what paper.c (pages, text, tables) and paper_first.c (what a first page has beside) share.
 */
#ifndef SEKISHO_PAPER_PARTS_H
#define SEKISHO_PAPER_PARTS_H

#include "collector/paper/paper.h"
#include <cairo.h>

/* A4, landscape, in points. */
#define WIDTH 841.89
#define HEIGHT 595.28
#define MARGIN 42.0
#define FOOT (HEIGHT - 34.0)
#define SIZE 8.0
#define LINE 11.0
#define PAD 3.0
#define LINES_MAX 4u
#define TEXT_MAX 2000u
#define FOOT_MAX 400u
#define SEAL 62.0

struct paper {
	cairo_surface_t *surface;
	cairo_t *c;
	paper_put_fn put;
	void *ctx;
	int failed;
	char title[256], foot[FOOT_MAX];
	double y;
	unsigned page;
	const struct paper_column *columns;
	unsigned columns_n;
};

struct paper_line {
	size_t from, n;
};

void paper_font(cairo_t *c, double size, bool bold);
/* Escaped, and what has no glyph as its bytes. The text, with a NUL behind it. */
int paper_clean(cairo_t *c, struct span in, struct buf *out);
int paper_break(
	cairo_t *c, const struct buf *text, double width, unsigned most, struct paper_line *out, unsigned *lines);
void paper_draw(struct paper *p, double x, double y, const char *s, size_t n);
/* By the font that is set. */
double paper_width(struct paper *p, const char *s, size_t n);
/* Room for so much, on this page or the next. */
void paper_need(struct paper *p, double height);
void paper_fail(struct paper *p, int r);

#endif
