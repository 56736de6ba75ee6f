/*
 * Lines of raster pages, as PWG, CUPS and Apple pack them. Used by raster.c and urf.c.
 */
#ifndef SEKISHO_INSPECT_RASTER_H
#define SEKISHO_INSPECT_RASTER_H

#include "agent/inspect/look.h"

/* How to tell white from ink, and grey from colour, in the bytes of one dot. */
enum raster_dots {
	RASTER_LIGHT_GREY, /* 255 is white, no colour possible */
	RASTER_INK_GREY,   /* 0 is white, no colour possible */
	RASTER_LIGHT_RGB,  /* three bytes, equal for grey */
	RASTER_INK_CMY,    /* the first three of them equal for grey, 0 is white */
	RASTER_UNKNOWN,    /* can hold colour, is not looked at */
};

struct raster_page {
	uint64_t lines;
	uint64_t line_bytes; /* when unpacked */
	unsigned unit;       /* bytes that are repeated together */
	enum raster_dots dots;
	bool packed;
	bool marked, colored; /* out */
	uint8_t *ink;         /* NULL, or how dark each dot is, 255 is black: line_bytes / unit in each of `lines` */
};

/* Passes over the page's lines. Answers the bytes that they took, or SIZE_MAX where the input ends in them. */
size_t raster_lines(struct raster_page *page, struct span in);

/*
 * Room for the dots of a page that are to be read (ocr.h): in page->ink, for raster_lines. Nothing where that is not
 * asked for; a gap where it cannot be. `bits` of one colour.
 */
void raster_picture_begin(struct look *l, struct raster_page *page, unsigned bits, uint64_t number);
/* Reads them, and gives the room back. */
void raster_picture_end(struct look *l, struct raster_page *page, uint64_t number);

#endif
