/*
 * Paper: pages of tables for people to sign and to file, as PDF. Vector, with the font embedded (a part of it), text
 * that can be selected. Used by the console and by reports. Made as a stream: a page leaves when it is full.
 *
 * Drawn by cairo alone (it is in every distribution, and makes PDF with embedded CFF fonts), with one font that has
 * Japanese and Latin letters, fonts-noto-cjk's. No layout engine: one is not needed for these scripts, and Pango's
 * fontconfig thread has no place under the console's system call filter. What the font has no glyph for is written as
 * its bytes: no letter of a record is silently a box.
 */
#ifndef SEKISHO_PAPER_PAPER_H
#define SEKISHO_PAPER_PAPER_H

#include "policy/base/buf.h"
#include "policy/base/why.h"

#define PAPER_FONT "Noto Sans CJK JP"
#define PAPER_COLUMNS_MAX 12

struct paper;

struct paper_column {
	const char *heading;
	double share; /* of the width, beside the others' */
	bool right;   /* numbers: at the right side */
};

/* Takes bytes of the file. 0, -errno. */
typedef int (*paper_put_fn)(void *ctx, struct span bytes);

/* Loads the font: before the process may no longer look for it. V_NOT_FOUND where there is none. */
int paper_init(void);
/* Begins, with a title on the first page and at the foot of each (with its number). Texts are UTF-8. 0, -ENOMEM. */
int paper_new(paper_put_fn put, void *ctx, const char *title, struct paper **out);
void paper_free(struct paper *p);
DEFINE_CLEANUP(struct paper *, paper_free)

void paper_heading(struct paper *p, const char *text);
/* A paragraph. */
void paper_text(struct paper *p, struct span text);
/* A table begins; its headings come again on each page. `columns` must outlive it. */
void paper_table(struct paper *p, const struct paper_column *columns, unsigned n);
/* A row: as many cells as the table has columns, anything: what is not UTF-8 or would turn or hide text is escaped. */
void paper_row(struct paper *p, const struct span *cells);
/* Boxes for names and seals. */
void paper_seals(struct paper *p, const char *const *labels, unsigned n);
/* What stands at the foot of each page from now on, before its number, instead of the title. */
void paper_foot(struct paper *p, const char *text);
/* What follows stands on a new page. */
void paper_page(struct paper *p);

/* --- what a first page has beside (paper_first.c) --- */

/* Boxes for names and seals in the upper right corner of this page, beside its first lines. */
void paper_seals_corner(struct paper *p, const char *const *labels, unsigned n);

struct paper_tile {
	const char *label, *value;
	const char *note; /* below it, or NULL */
};
/* Figures that are read at a glance, four in a row. */
void paper_tiles(struct paper *p, const struct paper_tile *tiles, unsigned n);

struct paper_chart {
	const char *title, *most; /* `most`: the largest value, as people read it */
	const double *values;
	unsigned n;
	const char *first, *last; /* below the first and the last bar */
};
/* Bars, drawn as vectors, side by side: two of them fill the width. */
void paper_charts(struct paper *p, const struct paper_chart *charts, unsigned n);
/* A line with a mark and a word for its weight (0 weighs most, to 2): readable without colours. */
void paper_remark(struct paper *p, unsigned weight, const char *word, const char *text);

/* The end. 0; -errno of whatever went wrong on the way. */
int paper_end(struct paper *p);

#endif
