/*
 * PackBits lines of raster pages. A page of 600 dpi in colour is a hundred megabytes; packed it is one or two. So
 * nothing is unpacked: each run of equal dots is looked at once, and each repeated line once. See raster.h.
 */
#include "agent/inspect/ocr.h"
#include "agent/inspect/raster.h"

static bool all(const uint8_t *p, size_t n, uint8_t value)
{
	/* the first is it, and each is like the one before */
	return n == 0 || (p[0] == value && (n == 1 || memcmp(p, p + 1, n - 1) == 0));
}

/* Whole dots, each `unit` bytes. */
static void dots(struct raster_page *page, const uint8_t *p, size_t n)
{
	size_t i;

	switch (page->dots) {
	case RASTER_LIGHT_GREY:
	case RASTER_LIGHT_RGB:
		page->marked = page->marked || !all(p, n, 0xff);
		break;
	case RASTER_INK_GREY:
	case RASTER_INK_CMY:
		page->marked = page->marked || !all(p, n, 0);
		break;
	case RASTER_UNKNOWN:
		page->marked = true;
		break;
	}
	if (page->colored || (page->dots != RASTER_LIGHT_RGB && page->dots != RASTER_INK_CMY))
		return;
	for (i = 0; i + page->unit <= n && !page->colored; i += page->unit)
		page->colored = p[i] != p[i + 1] || p[i] != p[i + 2];
}

static uint8_t grey_of(const struct raster_page *page, const uint8_t *p)
{
	unsigned ink;

	switch (page->dots) {
	case RASTER_LIGHT_GREY:
		return p[0];
	case RASTER_INK_GREY:
		return (uint8_t)(255 - p[0]);
	case RASTER_LIGHT_RGB:
		return (uint8_t)((p[0] * 77 + p[1] * 150 + p[2] * 29) >> 8);
	case RASTER_INK_CMY:
		ink = p[0] > p[1] ? p[0] : p[1];
		ink = (p[2] > ink ? p[2] : ink) + (page->unit > 3 ? p[3] : 0);
		return (uint8_t)(ink > 255 ? 0 : 255 - ink);
	case RASTER_UNKNOWN:
		break;
	}
	return 255;
}

/* So many bytes of the line, from byte `at` of it on: dots one after the other, or the first one again and again. */
static void draw(const struct raster_page *page, uint64_t line, uint64_t at, const uint8_t *p, uint64_t n, bool again)
{
	uint8_t *to;
	uint64_t i;

	if (!page->ink || line >= page->lines)
		return;
	to = page->ink + line * (page->line_bytes / page->unit) + at / page->unit;
	for (i = 0; i + page->unit <= n; i += page->unit)
		*to++ = (uint8_t)(255 - grey_of(page, again ? p : p + i));
}

void raster_picture_begin(struct look *l, struct raster_page *page, unsigned bits, uint64_t number)
{
	uint64_t dots = page->line_bytes / page->unit;
	char name[32];

	if (!l->text || !l->ocr)
		return;
	snprintf(name, sizeof(name), "page %llu", (unsigned long long)number);
	if (page->dots == RASTER_UNKNOWN || bits != 8) {
		ocr_missed(l, INSPECT_NOT_LOOKED_AT, name);
	} else if (page->lines > OCR_PIXELS_MAX || dots > OCR_PIXELS_MAX || dots * page->lines > OCR_PIXELS_MAX ||
		   !(page->ink = calloc(dots, page->lines))) {
		ocr_missed(l, INSPECT_TOO_BIG, name);
	}
}

void raster_picture_end(struct look *l, struct raster_page *page, uint64_t number)
{
	uint64_t dots = page->line_bytes / page->unit;
	char name[32];
	uint64_t i;

	if (!page->ink)
		return;
	snprintf(name, sizeof(name), "page %llu", (unsigned long long)number);
	for (i = 0; page->marked && i < dots * page->lines; i++)
		page->ink[i] = (uint8_t)(255 - page->ink[i]);
	if (page->marked)
		ocr_grey(l, page->ink, (uint32_t)dots, (uint32_t)page->lines, dots, name);
	free(STEAL(page->ink));
}

/* One packed line at `at`; answers what follows it, or SIZE_MAX. */
static size_t packed_line(struct raster_page *page, struct span in, size_t at, uint64_t line)
{
	uint64_t left = page->line_bytes;

	while (left) {
		uint64_t n;
		uint8_t code;

		if (at >= in.n)
			return SIZE_MAX;
		code = in.p[at++];
		if (code == 128) /* the rest is white */
			return at;
		if (code > 128) {
			n = (uint64_t)(257 - code) * page->unit;
			if (n > left)
				n = left;
			if (n > in.n - at)
				return SIZE_MAX;
			dots(page, in.p + at, (size_t)n);
			draw(page, line, page->line_bytes - left, in.p + at, n, false);
			at += (size_t)n;
		} else {
			n = (uint64_t)(code + 1) * page->unit;
			if (n > left)
				n = left;
			if (page->unit > in.n - at)
				return SIZE_MAX;
			dots(page, in.p + at, page->unit);
			draw(page, line, page->line_bytes - left, in.p + at, n, true);
			at += page->unit;
		}
		left -= n;
	}
	return at;
}

static void repeat(const struct raster_page *page, uint64_t line, uint64_t times)
{
	size_t n = page->line_bytes / page->unit;
	uint64_t i;

	for (i = 1; page->ink && i < times && line + i < page->lines; i++)
		memcpy(page->ink + (line + i) * n, page->ink + line * n, n);
}

size_t raster_lines(struct raster_page *page, struct span in)
{
	uint64_t line = 0;
	size_t at = 0;

	if (!page->packed) {
		if (page->line_bytes && page->lines > in.n / page->line_bytes) {
			dots(page, in.p, in.n - in.n % page->unit);
			return SIZE_MAX;
		}
		at = (size_t)(page->lines * page->line_bytes);
		for (line = 0; line < page->lines; line++) {
			dots(page, in.p + line * page->line_bytes, (size_t)page->line_bytes);
			draw(page, line, 0, in.p + line * page->line_bytes, page->line_bytes, false);
		}
		return at;
	}
	while (line < page->lines) {
		if (at >= in.n)
			return SIZE_MAX;
		uint64_t times = 1 + (uint64_t)in.p[at++];

		at = packed_line(page, in, at, line);
		if (at == SIZE_MAX)
			return at;
		repeat(page, line, times);
		line += times;
	}
	return at;
}
