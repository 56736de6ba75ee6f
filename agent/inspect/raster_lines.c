/*
 * PackBits lines of raster pages. A page of 600 dpi in colour is a hundred megabytes; packed it is one or two. So
 * nothing is unpacked: each run of equal dots is looked at once, and each repeated line once. See raster.h.
 */
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

/* One packed line at `at`; answers what follows it, or SIZE_MAX. */
static size_t packed_line(struct raster_page *page, struct span in, size_t at)
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
			at += (size_t)n;
		} else {
			n = (uint64_t)(code + 1) * page->unit;
			if (n > left)
				n = left;
			if (page->unit > in.n - at)
				return SIZE_MAX;
			dots(page, in.p + at, page->unit);
			at += page->unit;
		}
		left -= n;
	}
	return at;
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
		for (line = 0; line < page->lines; line++)
			dots(page, in.p + line * page->line_bytes, (size_t)page->line_bytes);
		return at;
	}
	while (line < page->lines) {
		if (at >= in.n)
			return SIZE_MAX;
		line += 1 + (uint64_t)in.p[at++];
		at = packed_line(page, in, at);
		if (at == SIZE_MAX)
			return at;
	}
	return at;
}
