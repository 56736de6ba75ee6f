/*
 * Text of PDF documents by poppler. Called in the inspector before it gives its rights up (prepare), then in children.
 */
#ifndef SEKISHO_INSPECT_PDF_TEXT_H
#define SEKISHO_INSPECT_PDF_TEXT_H

/* Where poppler finds what characters of the old encodings of Chinese, Japanese and Korean stand for (poppler-data). */
#define PDF_TEXT_DATA "/usr/share/poppler"

/* Lets the library find its data, so that children need not look into folders. */
void pdf_text_prepare(void);

#endif
