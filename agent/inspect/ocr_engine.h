/*
 * Between sekisho-inspect and its module sekisho-ocr.so, which alone is linked with tesseract and leptonica: where
 * these are not installed it cannot be opened, and nothing else misses them. The module is opened, and its model
 * loaded, once and before there is a document (ocr.c); pictures are read in the child of one document, which is
 * confined as for every parser.
 */
#ifndef SEKISHO_INSPECT_OCR_ENGINE_H
#define SEKISHO_INSPECT_OCR_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#define OCR_SYMBOL "sekisho_ocr"
#define OCR_VERSION 1u
#define OCR_LANGUAGES "jpn"
#define OCR_PIXELS_MAX (64u << 20) /* of one picture: A4 in 600 dpi has 35 million, a camera's has 50 */
#define OCR_SIDE_MIN 48u           /* a smaller picture is an icon: no number of twelve digits is legible in it */

enum ocr_answer {
	OCR_READ,    /* all of it */
	OCR_LATE,    /* its time was up; what was found by then was told */
	OCR_TOO_BIG, /* more than OCR_PIXELS_MAX, or no memory for it */
	OCR_BROKEN,  /* no picture, or one that cannot be decoded */
	OCR_NO_PAGE, /* it has fewer pages */
	OCR_SMALL,   /* nothing that a person could read a number in */
};

/* A piece of text: UTF-8, and where it stands once the picture is upright, which then has this width. */
#define OCR_WIDTH 1000.0
struct ocr_piece {
	const char *text;
	double left, top, right, bottom;
};

struct ocr_ask {
	int64_t end_us; /* CLOCK_MONOTONIC */
	void (*piece)(void *ctx, const struct ocr_piece *piece);
	void *ctx;
};

struct ocr_engine {
	unsigned version;
	/* Loads the model. NULL: `why` says why. Lives as long as the process. */
	void *(*open)(char *why, size_t why_size);
	/* Page `page` (from 0; others than TIFF have one) of a PNG, JPEG, TIFF, GIF, BMP or WebP. */
	enum ocr_answer (*file)(void *model, const uint8_t *bytes, size_t n, unsigned page, const struct ocr_ask *ask);
	/* A page of 8 bits a dot, 255 is white. */
	enum ocr_answer (*grey)(void *model, const uint8_t *dots, uint32_t width, uint32_t height, size_t stride,
		const struct ocr_ask *ask);
};

#endif
