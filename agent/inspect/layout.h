/*
 * Text that stands at places of a page, as lines with a tab between the cells of a table. Used by pdf_text.c and ocr.c,
 * in the child.
 */
#ifndef SEKISHO_INSPECT_LAYOUT_H
#define SEKISHO_INSPECT_LAYOUT_H

#include "policy/base/buf.h"

struct layout;

/* Of one page. 0, -ENOMEM. */
int layout_new(struct layout **out);
void layout_free(struct layout *l);
DEFINE_CLEANUP(struct layout *, layout_free)

/* One character and where it stands, in points or anything like them. */
struct layout_box {
	double left, top, right, bottom;
};
/*
 * Characters in a row, UTF-8, each with its place; blanks and line ends part pieces. Past a bound of pieces the text is
 * put as it came. 0, V_FULL past a bound of bytes, -ENOMEM.
 */
int layout_text(struct layout *l, const char *s, const struct layout_box *at, size_t n);
/* A line of which only the whole has a place. The same. */
int layout_line(struct layout *l, const char *s, double left, double top, double right, double bottom);

/* Appends all of it, in the order in which it is read. 0; V_FULL past the buffer's bound; -ENOMEM. */
int layout_put(struct layout *l, struct buf *out);

#endif
