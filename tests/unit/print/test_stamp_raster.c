/*
 * Stamped rasters, as libcups writes and reads them: each format, order of bytes and depth; what is not on the strip is
 * as it was, and the strip says what it should.
 */
#include "agent/print/stamp_font.h"
#include "agent/print/stamp_raster.h"
#include "policy/base/cleanup.h"
#include "policy/base/why.h"
#include "tests/unit/cm.h"
#include <cups/raster.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT "taro  2026-11-26 12:34:56  pc-17  #123"
#define PAGES 3u

struct kind {
	const char *name;
	cups_mode_t mode;
	cups_cspace_t space;
	unsigned colors, bits, dpi;
	int cross, feed; /* PWG: 1 or -1 */
};

static int file(void)
{
	int fd = memfd_create("raster", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void from_start(int fd)
{
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
}

static bool is_light(const cups_page_header2_t *h)
{
	return h->cupsColorSpace != CUPS_CSPACE_K && h->cupsColorSpace != CUPS_CSPACE_CMYK;
}

/* Runs, single dots, white ends and repeated lines: all that packing knows. */
static void fill_line(unsigned char *line, const cups_page_header2_t *h, unsigned page, unsigned y)
{
	unsigned x, seed = page * 7919 + y / 5;

	memset(line, is_light(h) ? 0xff : 0, h->cupsBytesPerLine);
	for (x = 0; x < h->cupsBytesPerLine * 3 / 4; x++) {
		seed = seed * 1103515245u + 12345u;
		if (y % 11 && (x / 200) % 2)
			line[x] = (unsigned char)(seed >> 16);
	}
}

static void header(const struct kind *k, cups_page_header2_t *h)
{
	memset(h, 0, sizeof(*h));
	h->HWResolution[0] = h->HWResolution[1] = k->dpi;
	h->cupsWidth = k->dpi * 8;
	h->cupsHeight = k->dpi * 2;
	h->PageSize[0] = 576;
	h->PageSize[1] = 144;
	h->cupsBitsPerColor = k->bits;
	h->cupsBitsPerPixel = k->bits * k->colors;
	h->cupsBytesPerLine = (h->cupsWidth * h->cupsBitsPerPixel + 7) / 8;
	h->cupsColorSpace = k->space;
	h->cupsNumColors = k->colors;
	h->cupsInteger[CUPS_RASTER_PWG_TotalPageCount] = PAGES;
	h->cupsInteger[CUPS_RASTER_PWG_CrossFeedTransform] = (unsigned)k->cross;
	h->cupsInteger[CUPS_RASTER_PWG_FeedTransform] = (unsigned)k->feed;
	snprintf(h->MediaClass, sizeof(h->MediaClass), "PwgRaster");
}

static void write_document(const struct kind *k, int fd)
{
	cups_raster_t *r = cupsRasterOpen(fd, k->mode);
	cups_page_header2_t h;
	unsigned page, y;

	assert_non_null(r);
	for (page = 0; page < PAGES; page++) {
		_cleanup_free_ unsigned char *line = NULL;

		header(k, &h);
		line = malloc(h.cupsBytesPerLine);
		assert_true(cupsRasterWriteHeader2(r, &h));
		for (y = 0; y < h.cupsHeight; y++) {
			fill_line(line, &h, page, y);
			assert_int_equal(cupsRasterWritePixels(r, line, h.cupsBytesPerLine), h.cupsBytesPerLine);
		}
	}
	cupsRasterClose(r);
	from_start(fd);
}

/* The dot, as who reads the page sees it: 1 black, 0 white, -1 anything else. */
static int dot(const struct kind *k, const cups_page_header2_t *h, unsigned char *const *lines, unsigned x, unsigned y)
{
	unsigned size = h->cupsBitsPerPixel / 8, i;
	const unsigned char *p;
	bool white = true, black = true;

	x = k->cross == -1 ? h->cupsWidth - 1 - x : x;
	y = k->feed == -1 ? h->cupsHeight - 1 - y : y;
	if (h->cupsBitsPerPixel == 1)
		return !(lines[y][x / 8] >> (7 - x % 8) & 1) == is_light(h);
	p = lines[y] + (size_t)x * size;
	for (i = 0; i < size; i++) {
		bool ink = h->cupsColorSpace != CUPS_CSPACE_CMYK || i >= size / 4 * 3;

		white = white && p[i] == (is_light(h) ? 0xff : 0);
		black = black && p[i] == (is_light(h) || !ink ? 0 : 0xff);
	}
	return black ? 1 : white ? 0 : -1;
}

/* Is the text there, letter by letter, with its corner at x, y? */
static bool reads(const struct kind *k, const cups_page_header2_t *h, unsigned char *const *lines, unsigned x,
	unsigned y, unsigned scale)
{
	unsigned i, row, column;

	for (i = 0; i < strlen(TEXT); i++)
		for (row = 0; row < FONT_ROWS; row++)
			for (column = 0; column < FONT_COLUMNS; column++) {
				int want = font[TEXT[i] - FONT_FIRST][row] >> (FONT_COLUMNS - 1 - column) & 1;
				unsigned at = x + (i * FONT_COLUMNS + column) * scale + scale / 2;

				if (dot(k, h, lines, at, y + row * scale + scale / 2) != want)
					return false;
			}
	return true;
}

static void page_is(const struct kind *k, const cups_page_header2_t *h, unsigned char *const *lines, unsigned page)
{
	unsigned scale = (k->dpi * 8 / 72 + FONT_ROWS / 2) / FONT_ROWS, y, x, changed = 0;
	unsigned left = k->dpi * 24 / 72, rows = (FONT_ROWS + 2) * scale, top = h->cupsHeight - k->dpi * 10 / 72 - rows;
	_cleanup_free_ unsigned char *was = malloc(h->cupsBytesPerLine);
	unsigned columns = ((unsigned)strlen(TEXT) + 2) * FONT_COLUMNS * scale;

	for (y = 0; y < h->cupsHeight; y++) {
		unsigned seen = k->feed == -1 ? h->cupsHeight - 1 - y : y;

		fill_line(was, h, page, y);
		if (seen < top || seen >= top + rows) {
			assert_memory_equal(lines[y], was, h->cupsBytesPerLine);
			continue;
		}
		changed++;
		for (x = 0; x < h->cupsBytesPerLine; x++) {
			unsigned at = x * 8 / h->cupsBitsPerPixel;

			at = k->cross == -1 ? h->cupsWidth - 1 - at : at;
			/* Eight dots of one byte, on either side. */
			assert_true(lines[y][x] == was[x] || (at + 8 >= left && at < left + columns + 8));
		}
	}
	assert_int_equal(changed, rows);
	assert_true(reads(k, h, lines, left + FONT_COLUMNS * scale, top + scale, scale));
}

static void check_document(const struct kind *k, int fd)
{
	cups_raster_t *r = cupsRasterOpen(fd, CUPS_RASTER_READ);
	cups_page_header2_t h;
	unsigned page = 0, y;

	assert_non_null(r);
	while (cupsRasterReadHeader2(r, &h)) {
		_cleanup_free_ unsigned char *bytes = malloc((size_t)h.cupsBytesPerLine * h.cupsHeight);
		_cleanup_free_ unsigned char **lines = calloc(h.cupsHeight, sizeof(*lines));

		assert_int_equal(h.cupsWidth, k->dpi * 8);
		for (y = 0; y < h.cupsHeight; y++) {
			lines[y] = bytes + (size_t)y * h.cupsBytesPerLine;
			assert_int_equal(cupsRasterReadPixels(r, lines[y], h.cupsBytesPerLine), h.cupsBytesPerLine);
		}
		page_is(k, &h, lines, page++);
	}
	assert_int_equal(page, PAGES);
	cupsRasterClose(r);
}

static const struct kind kinds[] = {
	{"PWG sgray_8", CUPS_RASTER_WRITE_PWG, CUPS_CSPACE_SW, 1, 8, 300, 1, 1},
	{"PWG srgb_8", CUPS_RASTER_WRITE_PWG, CUPS_CSPACE_SRGB, 3, 8, 300, 1, 1},
	{"PWG srgb_8, back flipped", CUPS_RASTER_WRITE_PWG, CUPS_CSPACE_SRGB, 3, 8, 150, 1, -1},
	{"PWG srgb_8, back rotated", CUPS_RASTER_WRITE_PWG, CUPS_CSPACE_SRGB, 3, 8, 150, -1, -1},
	{"PWG srgb_16", CUPS_RASTER_WRITE_PWG, CUPS_CSPACE_SRGB, 3, 16, 150, 1, 1},
	{"PWG black_1", CUPS_RASTER_WRITE_PWG, CUPS_CSPACE_K, 1, 1, 600, 1, 1},
	{"PWG black_1, back rotated", CUPS_RASTER_WRITE_PWG, CUPS_CSPACE_K, 1, 1, 300, -1, -1},
	{"PWG black_8", CUPS_RASTER_WRITE_PWG, CUPS_CSPACE_K, 1, 8, 300, 1, 1},
	{"PWG cmyk_8", CUPS_RASTER_WRITE_PWG, CUPS_CSPACE_CMYK, 4, 8, 300, 1, 1},
	{"PWG adobe-rgb_8", CUPS_RASTER_WRITE_PWG, CUPS_CSPACE_ADOBERGB, 3, 8, 300, 1, 1},
	{"URF W8", CUPS_RASTER_WRITE_APPLE, CUPS_CSPACE_SW, 1, 8, 300, 0, 0},
	{"URF SRGB24", CUPS_RASTER_WRITE_APPLE, CUPS_CSPACE_SRGB, 3, 8, 300, 0, 0},
	{"CUPS, packed", CUPS_RASTER_WRITE_COMPRESSED, CUPS_CSPACE_RGB, 3, 8, 200, 0, 0},
	{"CUPS, plain", CUPS_RASTER_WRITE, CUPS_CSPACE_W, 1, 1, 200, 0, 0},
};

static void stamps(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		int in = file(), out = file();

		print_message("%s\n", kinds[i].name);
		write_document(&kinds[i], in);
		assert_int_equal(raster_stamp(in, out, TEXT), 0);
		from_start(out);
		check_document(&kinds[i], out);
		close(in);
		close(out);
	}
}

/* What is cut off, is too narrow, or has colours that nobody knows is said not to be stamped. */
static void refuses(void **state)
{
	struct kind k = kinds[1];
	char longest[400];
	int in = file(), out = file();
	off_t n;

	(void)state;
	write_document(&k, in);
	n = lseek(in, 0, SEEK_END);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	from_start(in);
	assert_int_equal(raster_stamp(in, out, longest), V_BAD);
	from_start(in);
	assert_int_equal(raster_stamp(in, out, ""), V_BAD);
	from_start(in);
	assert_int_equal(ftruncate(in, n - 1), 0);
	assert_int_equal(raster_stamp(in, out, TEXT), V_BAD);
	close(in);
	in = file();
	k.space = CUPS_CSPACE_CMY;
	write_document(&k, in);
	assert_int_equal(raster_stamp(in, out, TEXT), V_BAD);
	close(in);
	close(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(stamps), cmocka_unit_test(refuses)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
