/*
 * Pictures of PDF pages, drawn for OCR. Used by pdf_text.c, in the child.
 */
#ifndef SEKISHO_INSPECT_PDF_PICTURE_H
#define SEKISHO_INSPECT_PDF_PICTURE_H

#include "agent/inspect/look.h"
#include <poppler.h>

/*
 * A page without a letter is drawn as a whole, as a printer would; of one with text, each picture that takes a tenth of
 * it or more. `number` counts from 1, for words.
 */
void pdf_picture_page(struct look *l, PopplerPage *page, int number);
void pdf_picture_parts(struct look *l, PopplerPage *page, int number);

#endif
