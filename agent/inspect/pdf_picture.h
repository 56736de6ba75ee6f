/*
 * Pictures of PDF pages, drawn for OCR. Used by pdf_text.c, in the child.
 */
#ifndef SEKISHO_INSPECT_PDF_PICTURE_H
#define SEKISHO_INSPECT_PDF_PICTURE_H

#include "agent/inspect/look.h"
#include <poppler.h>

/* Pages with something on them that was not read. */
struct pdf_unread {
	unsigned n;
	int first; /* the first of them, from 1 */
};

/*
 * A page without a letter is drawn as a whole, as a printer would; of one with text, each picture that takes a tenth of
 * it or more. `number` counts from 1, for words. What is not read (no OCR is asked for, or strips that take a tenth
 * together only) is counted in `unread`; a page that is blank is no such page.
 */
void pdf_picture_page(struct look *l, PopplerPage *page, int number, struct pdf_unread *unread);
void pdf_picture_parts(struct look *l, PopplerPage *page, int number, struct pdf_unread *unread);

#endif
