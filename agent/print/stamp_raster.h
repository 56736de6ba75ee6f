/*
 * A line at the foot of each page of a raster document, as printers without drivers take it: PWG (image/pwg-raster),
 * Apple (image/urf) and CUPS. Used by stamp.c, in a child that has nothing to lose.
 */
#ifndef SEKISHO_PRINT_STAMP_RASTER_H
#define SEKISHO_PRINT_STAMP_RASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RASTER_MAGIC 8 /* bytes that tell */

bool raster_is(const uint8_t *head, size_t n);

/*
 * Reads a document from `in` and writes it to `out` with `text` (ASCII) on a strip of white at the foot of each page,
 * line by line: of the document, a line is in memory at a time. What is not on the strip's lines comes out byte for
 * byte. 0; V_BAD where it is none that can be stamped: its colours, a page too small, broken; -errno. What is in `out`
 * is of no use then.
 */
int raster_stamp(int in, int out, const char *text);

#endif
