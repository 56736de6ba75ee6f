/*
 * Apple raster (image/urf), as CUPS writes and reads it (cups/raster-stream.c; Apple has published no specification):
 * "UNIRAST\0", a count of pages (0: not known), and for each page 32 bytes and packed lines.
 */
#include "agent/inspect/raster.h"

#define FILE_HEADER 12
#define PAGE_HEADER 32
#define UM_PER_INCH 25400.0

/* Colour spaces: sGray 0, sRGB 1, Lab 2, Adobe RGB 3, grey 4, RGB 5, CMYK 6. */
static enum raster_dots dots_of(uint8_t bits, uint8_t space)
{
	if (space == 0 || space == 4)
		return RASTER_LIGHT_GREY;
	if ((space == 1 || space == 3 || space == 5) && bits == 24)
		return RASTER_LIGHT_RGB;
	return space == 6 && bits == 32 ? RASTER_INK_CMY : RASTER_UNKNOWN;
}

static void page_facts(struct look *l, const uint8_t *h)
{
	double dpi = get_be32(h + 20);

	if (l->facts->duplex == INSPECT_DUPLEX_UNKNOWN)
		l->facts->duplex = h[2] == 2 ? INSPECT_SHORT_EDGE : h[2] == 3 ? INSPECT_LONG_EDGE : INSPECT_ONE_SIDED;
	if (dpi > 0)
		look_size(l, get_be32(h + 12) * UM_PER_INCH / dpi, get_be32(h + 16) * UM_PER_INCH / dpi);
}

void look_urf(struct look *l, struct span doc)
{
	size_t at = FILE_HEADER, n;
	uint32_t said;

	l->image_seen = true;
	l->facts->has_pages = true;
	l->facts->flags |= INSPECT_IMAGE_ONLY;
	if (doc.n < FILE_HEADER) {
		l->facts->flags |= INSPECT_TRUNCATED;
		return;
	}
	said = get_be32(doc.p + 8);
	while (at < doc.n && !(l->facts->flags & INSPECT_TRUNCATED)) {
		const uint8_t *h = doc.p + at;
		struct raster_page page;

		if (doc.n - at < PAGE_HEADER) {
			l->facts->flags |= INSPECT_TRUNCATED;
			return;
		}
		page = (struct raster_page){.lines = get_be32(h + 16),
			.unit = h[0] / 8u,
			.line_bytes = (uint64_t)get_be32(h + 12) * (h[0] / 8u),
			.dots = dots_of(h[0], h[1]),
			.packed = true};
		if (!page.unit || h[0] % 8 || !page.line_bytes || !page.lines) {
			look_gap(l, INSPECT_ABOUT_ALL, INSPECT_BROKEN, "header of page %llu",
				(unsigned long long)l->facts->pages + 1);
			return;
		}
		page_facts(l, h);
		raster_picture_begin(l, &page, 8, l->facts->pages + 1);
		n = raster_lines(&page, span_from(doc, at + PAGE_HEADER));
		look_pages(l, 1);
		raster_picture_end(l, &page, l->facts->pages);
		if (!page.marked)
			l->facts->blank_pages++;
		look_color(l, page.dots == RASTER_UNKNOWN ? INSPECT_COLOR_OK
			      : page.colored              ? INSPECT_COLOR
							  : INSPECT_GREY);
		if (n == SIZE_MAX)
			l->facts->flags |= INSPECT_TRUNCATED;
		else
			at += PAGE_HEADER + n;
	}
	if (said && said != l->facts->pages)
		l->facts->flags |= INSPECT_TRUNCATED;
}
