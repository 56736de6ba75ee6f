/*
 * Text of a page of a PDF as lines with columns. Used by pdf_text.c, in the child.
 */
#ifndef SEKISHO_INSPECT_PDF_LAYOUT_H
#define SEKISHO_INSPECT_PDF_LAYOUT_H

#include "policy/base/buf.h"
#include <poppler.h>

/* Appends it as UTF-8. 0; V_FULL past the buffer's bound; -ENOMEM. */
int page_text(PopplerPage *page, struct buf *out);

#endif
