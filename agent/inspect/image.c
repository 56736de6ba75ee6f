/*
 * JPEG (ITU-T T.81, Annex B; JFIF) and PNG (ISO/IEC 15948), one page each, and TIFF (6.0), which has many. Headers
 * only; no pixel is decoded.
 */
#include "agent/inspect/look.h"

#define UM_PER_INCH 25400.0
#define UM_PER_METRE 1e6
#define TIFF_PAGES_MAX 10000u

struct density {
	double x_um, y_um; /* of a dot; 0 not known */
};

static void sized(struct look *l, uint32_t width, uint32_t height, struct density d)
{
	if (d.x_um > 0 && d.y_um > 0)
		look_size(l, width * d.x_um, height * d.y_um);
}

static struct density jfif_density(struct span s)
{
	struct density d = {0, 0};
	unsigned x, y;

	if (s.n < 12 || memcmp(s.p, "JFIF", 5) != 0)
		return d;
	x = get_be16(s.p + 8);
	y = get_be16(s.p + 10);
	if (x && y && (s.p[7] == 1 || s.p[7] == 2)) {
		d.x_um = (s.p[7] == 1 ? UM_PER_INCH : 10000.0) / x;
		d.y_um = (s.p[7] == 1 ? UM_PER_INCH : 10000.0) / y;
	}
	return d;
}

/* Start of frame: all but DHT (c4), JPG (c8) and DAC (cc). */
static bool is_frame(uint8_t marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

void look_jpeg(struct look *l, struct span doc)
{
	struct density d = {0, 0};
	size_t at = 2, n;

	l->image_seen = true;
	look_pages(l, 1);
	l->facts->flags |= INSPECT_IMAGE_ONLY;
	while (at + 4 <= doc.n && doc.p[at] == 0xff) {
		uint8_t marker = doc.p[at + 1];
		struct span body;

		if (marker == 0xff) { /* fill byte */
			at++;
			continue;
		}
		n = get_be16(doc.p + at + 2);
		body = span_from(doc, at + 4);
		if (n < 2 || body.n < n - 2)
			break;
		body.n = n - 2;
		if (marker == 0xe0)
			d = jfif_density(body);
		if (is_frame(marker) && body.n >= 6) {
			look_color(l, body.p[5] == 1 ? INSPECT_GREY : INSPECT_COLOR_OK);
			sized(l, get_be16(body.p + 3), get_be16(body.p + 1), d);
			if (!span_starts(SPAN(doc.p + doc.n - 2, 2), "\xff\xd9", 2))
				l->facts->flags |= INSPECT_TRUNCATED;
			return;
		}
		at += 2 + n;
	}
	look_gap(l, INSPECT_ABOUT_ALL, INSPECT_BROKEN, "jpeg without a frame");
}

/* Type, length and data of the chunk at `at`; false where it does not fit in. */
static bool chunk(struct span doc, size_t at, struct span *body)
{
	uint32_t n;

	if (doc.n < 12 || at > doc.n - 12)
		return false;
	n = get_be32(doc.p + at);
	if (n > doc.n - at - 12)
		return false;
	*body = SPAN(doc.p + at + 8, n);
	return true;
}

void look_png(struct look *l, struct span doc)
{
	uint32_t width = 0, height = 0;
	struct density d = {0, 0};
	struct span body;
	size_t at = 8;

	l->image_seen = true;
	look_pages(l, 1);
	l->facts->flags |= INSPECT_IMAGE_ONLY;
	while (chunk(doc, at, &body)) {
		const uint8_t *type = doc.p + at + 4;

		if (memcmp(type, "IHDR", 4) == 0 && body.n >= 13) {
			width = get_be32(body.p);
			height = get_be32(body.p + 4);
			/* 0 grey, 4 grey with alpha; 2, 6 colour; 3 a palette */
			look_color(l, body.p[9] == 0 || body.p[9] == 4 ? INSPECT_GREY : INSPECT_COLOR_OK);
		} else if (memcmp(type, "pHYs", 4) == 0 && body.n >= 9 && body.p[8] == 1 && get_be32(body.p) &&
			   get_be32(body.p + 4)) {
			d.x_um = UM_PER_METRE / get_be32(body.p);
			d.y_um = UM_PER_METRE / get_be32(body.p + 4);
		} else if (memcmp(type, "IEND", 4) == 0) {
			sized(l, width, height, d);
			return;
		}
		at += 12 + body.n;
	}
	sized(l, width, height, d);
	l->facts->flags |= INSPECT_TRUNCATED;
	if (!width)
		look_gap(l, INSPECT_ABOUT_ALL, INSPECT_BROKEN, "png without a header");
}

/* A chain of directories, each a page; entries of 12 bytes each, then where the next one is (TIFF 6.0, section 2). */
void look_tiff(struct look *l, struct span doc)
{
	bool big = doc.p[0] == 'M';
	size_t at = doc.n >= 8 ? (big ? get_be32(doc.p + 4) : get_le32(doc.p + 4)) : 0, n;
	unsigned pages = 0;

	l->image_seen = true;
	l->facts->flags |= INSPECT_IMAGE_ONLY;
	look_color(l, INSPECT_COLOR_OK);
	while (at && doc.n >= 6 && at <= doc.n - 6 && pages < TIFF_PAGES_MAX) {
		n = 2 + 12 * (size_t)(big ? get_be16(doc.p + at) : get_le16(doc.p + at));
		pages++;
		if (n > doc.n - at - 4)
			break;
		at = big ? get_be32(doc.p + at + n) : get_le32(doc.p + at + n);
	}
	look_pages(l, pages);
	if (!pages)
		look_gap(l, INSPECT_ABOUT_ALL, INSPECT_BROKEN, "tiff without a picture");
	else if (at)
		look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_BROKEN, "tiff whose pages do not end");
}

/* Behind a chain of blocks, each with its length before it. */
static size_t behind_blocks(struct span doc, size_t at)
{
	while (at < doc.n && doc.p[at])
		at += 1 + doc.p[at];
	return at + 1;
}

/* GIF89a: the screen, and each picture on it, which may reach beyond. */
static bool gif_dots(struct span doc, uint32_t *width, uint32_t *height)
{
	size_t at = 13;

	if (doc.n < at)
		return false;
	*width = get_le16(doc.p + 6);
	*height = get_le16(doc.p + 8);
	at += doc.p[10] & 0x80 ? (size_t)3 << ((doc.p[10] & 7) + 1) : 0;
	while (at < doc.n) {
		if (doc.p[at] == 0x3b)
			return true;
		if (doc.p[at] == 0x21) {
			at = behind_blocks(doc, at + 2);
			continue;
		}
		if (doc.p[at] != 0x2c || doc.n - at < 11)
			return false;
		*width = get_le16(doc.p + at + 5) > *width ? get_le16(doc.p + at + 5) : *width;
		*height = get_le16(doc.p + at + 7) > *height ? get_le16(doc.p + at + 7) : *height;
		at += 10 + (doc.p[at + 9] & 0x80 ? (size_t)3 << ((doc.p[at + 9] & 7) + 1) : 0);
		at = behind_blocks(doc, at + 1);
	}
	return false;
}

/* The second header says which one it is by its length; a height below zero is counted from the top. */
static bool bmp_dots(struct span doc, uint32_t *width, uint32_t *height)
{
	uint32_t header;

	if (doc.n < 26)
		return false;
	header = get_le32(doc.p + 14);
	if (header == 12) {
		*width = get_le16(doc.p + 18);
		*height = get_le16(doc.p + 20);
		return true;
	}
	*width = get_le32(doc.p + 18);
	*height = get_le32(doc.p + 22);
	if (*height > INT32_MAX)
		*height = 0u - *height;
	return header >= 40 && header <= 124;
}

bool picture_dots(struct span doc, uint32_t *width, uint32_t *height)
{
	struct span body;
	size_t at = 2, n;

	if (span_starts(doc, "\x89PNG\r\n\x1a\n", 8)) {
		if (!chunk(doc, 8, &body) || memcmp(doc.p + 12, "IHDR", 4) || body.n < 13)
			return false;
		*width = get_be32(body.p);
		*height = get_be32(body.p + 4);
		return true;
	}
	if (span_starts(doc, "GIF87a", 6) || span_starts(doc, "GIF89a", 6))
		return gif_dots(doc, width, height);
	if (span_starts(doc, "BM", 2))
		return bmp_dots(doc, width, height);
	if (!span_starts(doc, "\xff\xd8\xff", 3))
		return false;
	while (at + 4 <= doc.n && doc.p[at] == 0xff) {
		uint8_t marker = doc.p[at + 1];

		if (marker == 0xff) {
			at++;
			continue;
		}
		n = get_be16(doc.p + at + 2);
		body = span_from(doc, at + 4);
		if (n < 2 || body.n < n - 2)
			return false;
		if (is_frame(marker) && n >= 8) {
			*width = get_be16(body.p + 3);
			*height = get_be16(body.p + 1);
			return true;
		}
		at += 2 + n;
	}
	return false;
}
