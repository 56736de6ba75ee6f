/*
 * The page header of PWG and CUPS rasters (https://www.cups.org/doc/spec-raster.html, PWG 5102.4), as bytes: where the
 * words lie that are looked at here and by the print gate's stamps.
 */
#ifndef SEKISHO_INSPECT_RASTER_HEADER_H
#define SEKISHO_INSPECT_RASTER_HEADER_H

#define HEADER_V1 420u
#define HEADER_V2 1796u

/* Offsets of header words that are looked at. */
enum {
	DUPLEX = 272,
	RESOLUTION = 276,
	COPIES = 340,
	PAGE_SIZE = 352,
	TUMBLE = 368,
	WIDTH = 372,
	HEIGHT = 376,
	BITS_PER_COLOR = 384,
	BITS_PER_PIXEL = 388,
	BYTES_PER_LINE = 392,
	COLOR_ORDER = 396,
	COLOR_SPACE = 400,
	NUM_COLORS = 420,
	CROSS_FEED = 456, /* PWG: -1 where the printer wants the back of a sheet mirrored so */
	FEED = 460,
	PAGE_SIZE_NAME = 1732,
};

enum { ORDER_CHUNKED = 0, ORDER_PLANAR = 2 };

/* Names as CUPS has them (cups_cspace_t). */
enum {
	SPACE_W,
	SPACE_RGB,
	SPACE_RGBA,
	SPACE_K,
	SPACE_CMY,
	SPACE_YMC,
	SPACE_CMYK,
	SPACE_YMCK,
	SPACE_KCMY,
	SPACE_KCMYCM,
	SPACE_WHITE = 12,
	SPACE_RGBW = 17,
	SPACE_SW = 18,
	SPACE_SRGB,
	SPACE_ADOBE_RGB,
	SPACE_DEVICE1 = 48
};

#endif
