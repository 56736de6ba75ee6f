/*
 * PWG Raster (PWG 5102.4) and CUPS Raster, versions 1 to 3 (https://www.cups.org/doc/spec-raster.html): a page header,
 * its lines, the next. Read here and not by libcups: that unpacks each page, and brings TLS, Kerberos and mDNS along
 * into a process that should have nothing. libcups is what the tests compare this with.
 */
#include "agent/inspect/raster.h"
#include "agent/inspect/raster_header.h"

#define UM_PER_POINT (25400.0 / 72)

struct header {
	struct span s;
	bool big;
};

static uint32_t word(const struct header *h, size_t at)
{
	return h->big ? get_be32(h->s.p + at) : get_le32(h->s.p + at);
}

/* How many colours stand side by side; v1 does not say it. */
static uint32_t colors(const struct header *h)
{
	if (h->s.n > HEADER_V1 && word(h, NUM_COLORS))
		return word(h, NUM_COLORS);
	switch (word(h, COLOR_SPACE)) {
	case SPACE_W:
	case SPACE_K:
	case SPACE_SW:
	case SPACE_WHITE:
	case SPACE_DEVICE1:
		return 1;
	case SPACE_RGB:
	case SPACE_CMY:
	case SPACE_YMC:
	case SPACE_SRGB:
	case SPACE_ADOBE_RGB:
		return 3;
	case SPACE_KCMYCM:
		return word(h, BITS_PER_COLOR) == 1 ? 6 : 4;
	default:
		return 4;
	}
}

static enum raster_dots dots_of(const struct header *h)
{
	bool bytes = word(h, BITS_PER_COLOR) == 8 && word(h, COLOR_ORDER) == ORDER_CHUNKED;

	switch (word(h, COLOR_SPACE)) {
	case SPACE_W:
	case SPACE_SW:
		return RASTER_LIGHT_GREY;
	case SPACE_K:
		return RASTER_INK_GREY;
	case SPACE_RGB:
	case SPACE_SRGB:
	case SPACE_ADOBE_RGB:
		return bytes && word(h, BITS_PER_PIXEL) == 24 ? RASTER_LIGHT_RGB : RASTER_UNKNOWN;
	case SPACE_CMY:
	case SPACE_YMC:
		return bytes && word(h, BITS_PER_PIXEL) == 24 ? RASTER_INK_CMY : RASTER_UNKNOWN;
	case SPACE_CMYK:
	case SPACE_YMCK:
		return bytes && word(h, BITS_PER_PIXEL) == 32 ? RASTER_INK_CMY : RASTER_UNKNOWN;
	default:
		return RASTER_UNKNOWN;
	}
}

static void page_facts(struct look *l, const struct header *h)
{
	struct inspect_facts *f = l->facts;
	uint32_t copies = word(h, COPIES);

	if (copies > 1 && copies <= 65535 && copies > f->copies)
		f->copies = copies;
	if (f->duplex == INSPECT_DUPLEX_UNKNOWN)
		f->duplex = !word(h, DUPLEX)  ? INSPECT_ONE_SIDED
			    : word(h, TUMBLE) ? INSPECT_SHORT_EDGE
					      : INSPECT_LONG_EDGE;
	look_size(l, word(h, PAGE_SIZE) * UM_PER_POINT, word(h, PAGE_SIZE + 4) * UM_PER_POINT);
	if (h->s.n >= HEADER_V2) {
		const uint8_t *name = h->s.p + PAGE_SIZE_NAME;

		look_media(l, SPAN(name, strnlen((const char *)name, 64)));
	}
}

static void page_begin(struct raster_page *page, const struct header *h, bool packed)
{
	bool chunked = word(h, COLOR_ORDER) == ORDER_CHUNKED;
	uint32_t bits = word(h, chunked ? BITS_PER_PIXEL : BITS_PER_COLOR);

	*page = (struct raster_page){.lines = word(h, HEIGHT),
		.line_bytes = word(h, BYTES_PER_LINE),
		.unit = bits / 8 + (bits % 8 != 0),
		.dots = dots_of(h),
		.packed = packed};
	if (word(h, COLOR_ORDER) == ORDER_PLANAR)
		page->lines *= colors(h);
}

static void page_end(struct look *l, const struct raster_page *page, const struct header *h)
{
	look_pages(l, 1);
	if (!page->marked)
		l->facts->blank_pages++;
	if (page->dots == RASTER_UNKNOWN)
		look_color(l, colors(h) > 1 ? INSPECT_COLOR_OK : INSPECT_GREY);
	else
		look_color(l, page->colored ? INSPECT_COLOR : INSPECT_GREY);
}

void look_raster(struct look *l, struct span doc)
{
	bool v1 = span_starts(doc, "RaSt", 4) || span_starts(doc, "tSaR", 4);
	bool v2 = span_starts(doc, "RaS2", 4) || span_starts(doc, "2SaR", 4);
	size_t size = v1 ? HEADER_V1 : HEADER_V2, at = 4, n;
	struct header h = {.big = doc.p[0] == 'R'};

	l->image_seen = true;
	l->facts->has_pages = true;
	l->facts->flags |= INSPECT_IMAGE_ONLY;
	while (at < doc.n) {
		struct raster_page page;

		h.s = SPAN(doc.p + at, size);
		if (doc.n - at < size) {
			l->facts->flags |= INSPECT_TRUNCATED;
			return;
		}
		page_begin(&page, &h, v2);
		if (!page.unit || page.unit > 64 || !page.line_bytes || !page.lines || page.line_bytes % page.unit) {
			look_gap(l, INSPECT_ABOUT_ALL, INSPECT_BROKEN, "header of page %llu",
				(unsigned long long)l->facts->pages + 1);
			return;
		}
		page_facts(l, &h);
		at += size;
		raster_picture_begin(l, &page, word(&h, BITS_PER_COLOR), l->facts->pages + 1);
		n = raster_lines(&page, span_from(doc, at));
		page_end(l, &page, &h);
		raster_picture_end(l, &page, l->facts->pages);
		if (n == SIZE_MAX) {
			l->facts->flags |= INSPECT_TRUNCATED;
			return;
		}
		at += n;
	}
}
