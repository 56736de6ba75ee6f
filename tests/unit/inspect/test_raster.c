/*
 * What is said of rasters, beside libcups: it reads each document too (unpacked, dot by dot), and writes ones of its
 * own with every version, order and depth.
 */
#include "agent/inspect/look.h"
#include "policy/base/file.h"
#include "tests/unit/cm.h"
#include <cups/raster.h>
#include <fcntl.h>
#include <sys/mman.h>

#define WIDTH 40
#define HEIGHT 30
#define PAGES 3

static void tell(struct look *l, enum inspect_what about)
{
	(void)l;
	(void)about;
}

static ssize_t from_span(void *ctx, unsigned char *into, size_t n)
{
	struct span *s = ctx;

	if (n > s->n)
		n = s->n;
	memcpy(into, s->p, n);
	*s = span_from(*s, n);
	return (ssize_t)n;
}

/* What libcups sees. */
static void by_cups(struct span doc, unsigned *pages, unsigned *blank, bool *color)
{
	cups_raster_t *r = cupsRasterOpenIO(from_span, &doc, CUPS_RASTER_READ);
	cups_page_header2_t h;

	assert_non_null(r);
	*pages = *blank = 0;
	*color = false;
	while (cupsRasterReadHeader2(r, &h)) {
		_cleanup_free_ unsigned char *line = malloc(h.cupsBytesPerLine);
		bool light = h.cupsColorSpace == CUPS_CSPACE_W || h.cupsColorSpace == CUPS_CSPACE_SW ||
			     h.cupsColorSpace == CUPS_CSPACE_RGB || h.cupsColorSpace == CUPS_CSPACE_SRGB;
		bool marked = false;
		unsigned y, x;

		for (y = 0; y < h.cupsHeight; y++) {
			assert_int_equal(cupsRasterReadPixels(r, line, h.cupsBytesPerLine), h.cupsBytesPerLine);
			for (x = 0; x < h.cupsBytesPerLine; x++)
				marked = marked || line[x] != (light ? 0xff : 0);
			for (x = 0; h.cupsNumColors >= 3 && x + 2 < h.cupsBytesPerLine; x += h.cupsNumColors)
				*color = *color || line[x] != line[x + 1] || line[x] != line[x + 2];
		}
		++*pages;
		*blank += !marked;
	}
	cupsRasterClose(r);
}

static void compare(struct span doc, bool look_at_color)
{
	struct inspect_facts f = {0};
	struct look l = {.facts = &f, .tell = tell};
	unsigned pages, blank;
	bool color;

	look_document(&l, doc);
	by_cups(doc, &pages, &blank, &color);
	assert_int_equal(f.pages, pages);
	assert_int_equal(f.blank_pages, blank);
	assert_false(f.flags & INSPECT_TRUNCATED);
	assert_int_equal(f.gaps, 0);
	if (look_at_color)
		assert_int_equal(f.color, color ? INSPECT_COLOR : INSPECT_GREY);
}

static void documents(void **state)
{
	static const char *const names[] = {"grey.pwg", "color.pwg", "black.pwg", "filters.pwg", "grey.ras",
		"color.ras", "grey.urf", "color.urf", "duplex.urf", "filters.urf"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", TEST_DATA, names[i]);
		print_message("%s\n", names[i]);
		assert_int_equal(file_read(path, &b), 0);
		compare(buf_span(&b), strcmp(names[i], "black.pwg") != 0);
	}
}

/* Page 1 is blank, page 2 has a grey dot in a white line, page 3 a red one. */
static void write_pages(int fd, cups_mode_t mode, cups_cspace_t space, unsigned colors, cups_order_t order, bool color)
{
	cups_raster_t *r = cupsRasterOpen(fd, mode);
	bool light = space == CUPS_CSPACE_W || space == CUPS_CSPACE_SW || space == CUPS_CSPACE_RGB ||
		     space == CUPS_CSPACE_SRGB;
	unsigned page, y, n = WIDTH * (order == CUPS_ORDER_PLANAR ? 1 : colors);
	cups_page_header2_t h = {.HWResolution = {100, 100},
		.PageSize = {595, 842},
		.NumCopies = 4,
		.Duplex = CUPS_TRUE,
		.cupsWidth = WIDTH,
		.cupsHeight = HEIGHT,
		.cupsBitsPerColor = 8,
		.cupsBitsPerPixel = order == CUPS_ORDER_PLANAR ? 8 : 8 * colors,
		.cupsBytesPerLine = n,
		.cupsColorOrder = order,
		.cupsColorSpace = space,
		.cupsNumColors = colors};

	assert_non_null(r);
	if (mode == CUPS_RASTER_WRITE_PWG)
		strcpy(h.MediaClass, "PwgRaster");
	for (page = 0; page < PAGES; page++) {
		assert_int_equal(cupsRasterWriteHeader2(r, &h), 1);
		for (y = 0; y < HEIGHT * (order == CUPS_ORDER_PLANAR ? colors : 1); y++) {
			unsigned char line[WIDTH * 4];

			memset(line, light ? 0xff : 0, sizeof(line));
			if (page > 0 && y == 7)
				memset(line + 8 * (n / WIDTH), 0x80, n / WIDTH);
			if (page == 2 && y == 9 && color)
				line[4 * (n / WIDTH)] = 0x33;
			assert_int_equal(cupsRasterWritePixels(r, line, n), n);
		}
	}
	cupsRasterClose(r);
}

static void one_of_ours(cups_mode_t mode, cups_cspace_t space, unsigned colors, cups_order_t order, bool color)
{
	_cleanup_close_ int fd = memfd_create("raster", MFD_CLOEXEC);
	struct span doc;
	struct inspect_facts f = {0};
	struct look l = {.facts = &f, .tell = tell};
	off_t n;

	assert_true(fd >= 0);
	write_pages(fd, mode, space, colors, order, color);
	n = lseek(fd, 0, SEEK_END);
	assert_true(n > 0);
	doc = SPAN(mmap(NULL, (size_t)n, PROT_READ, MAP_PRIVATE, fd, 0), n);
	print_message("mode %d, space %d, order %d, %s\n", mode, space, order, color ? "color" : "grey");
	if (order == CUPS_ORDER_CHUNKED)
		compare(doc, colors == 3);
	look_document(&l, doc);
	assert_int_equal(f.pages, PAGES);
	assert_int_equal(f.duplex, INSPECT_LONG_EDGE);
	if (mode != CUPS_RASTER_WRITE_APPLE)
		assert_int_equal(f.copies, 4);
	if (order == CUPS_ORDER_PLANAR)
		assert_int_equal(f.color, colors > 1 ? INSPECT_COLOR_OK : INSPECT_GREY);
	munmap((void *)doc.p, doc.n);
}

static void written_by_cups(void **state)
{
	static const cups_mode_t modes[] = {
		CUPS_RASTER_WRITE, CUPS_RASTER_WRITE_COMPRESSED, CUPS_RASTER_WRITE_PWG, CUPS_RASTER_WRITE_APPLE};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		one_of_ours(modes[i], CUPS_CSPACE_SRGB, 3, CUPS_ORDER_CHUNKED, false);
		one_of_ours(modes[i], CUPS_CSPACE_SRGB, 3, CUPS_ORDER_CHUNKED, true);
		one_of_ours(modes[i], CUPS_CSPACE_SW, 1, CUPS_ORDER_CHUNKED, false);
		if (modes[i] == CUPS_RASTER_WRITE_APPLE)
			continue;
		one_of_ours(modes[i], CUPS_CSPACE_K, 1, CUPS_ORDER_CHUNKED, false);
		one_of_ours(modes[i], CUPS_CSPACE_CMYK, 4, CUPS_ORDER_CHUNKED, true);
	}
	one_of_ours(CUPS_RASTER_WRITE, CUPS_CSPACE_CMY, 3, CUPS_ORDER_PLANAR, true);
	one_of_ours(CUPS_RASTER_WRITE_COMPRESSED, CUPS_CSPACE_CMY, 3, CUPS_ORDER_PLANAR, true);
}

static void cut_ones_are_cut(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);
	size_t n;

	(void)state;
	assert_int_equal(file_read(TEST_DATA "/color.urf", &b), 0);
	for (n = 13; n < b.n; n += 37) {
		struct inspect_facts f = {0};
		struct look l = {.facts = &f, .tell = tell};

		look_document(&l, SPAN(b.p, n));
		assert_true(f.flags & INSPECT_TRUNCATED || f.gaps);
		assert_true(f.pages <= PAGES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents),
		cmocka_unit_test(written_by_cups),
		cmocka_unit_test(cut_ones_are_cut),
	};

	return cmocka_run_group_tests_name("inspect/raster", tests, NULL, NULL);
}
