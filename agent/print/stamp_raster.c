/*
 * Stamps on rasters. See stamp_raster.h; the formats are those of PWG 5102.4, of CUPS's spec-raster, and of image/urf
 * as CUPS has it: a header a page, then lines, each packed and with the number of times that it is repeated.
 *
 * What must never happen here: a page that comes out without the line, or with more of it gone than the strip.
 */
#include "agent/print/stamp_raster.h"
#include "agent/inspect/raster_header.h"
#include "agent/print/stamp_font.h"
#include "policy/base/buf.h"
#include "policy/base/cleanup.h"
#include "policy/base/why.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define PART (64u << 10)
#define LINE_MAX_BYTES (4u << 20) /* of one line, unpacked: four metres at 1200 dpi in CMYK */
#define LINES_MAX 1000000u
#define DPI_MAX 4800u
#define UNIT_MAX 8u /* bytes of a dot */
#define URF_FILE_HEADER 12u
#define URF_HEADER 32u

struct page {
	uint32_t width, height, dpi_x, dpi_y, line_bytes, unit, bits; /* bits: of a dot */
	uint8_t white[UNIT_MAX], black[UNIT_MAX];                     /* of 1 bit: the whole byte */
	bool packed, mirrored_x, mirrored_y;
	/* the strip, as somebody sees who reads it */
	uint32_t left, top, columns, rows, scale_x, scale_y;
};

struct stream {
	int in, out;
	const char *text;
	size_t at, n, out_n;
	uint8_t *line; /* LINE_MAX_BYTES, for the line that is being changed */
	uint8_t got[PART], put[PART];
};

/* --- bytes --- */

/* 0; V_END; -errno. */
static int fill(struct stream *s)
{
	ssize_t n;

	do
		n = read(s->in, s->got, sizeof(s->got));
	while (n < 0 && errno == EINTR);
	s->at = 0;
	s->n = n > 0 ? (size_t)n : 0;
	return n > 0 ? 0 : n == 0 ? V_END : -errno;
}

static int flush(struct stream *s)
{
	size_t at = 0;

	while (at < s->out_n) {
		ssize_t n = write(s->out, s->put + at, s->out_n - at);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	s->out_n = 0;
	return 0;
}

/* All of them: the end within is V_BAD. */
static int take(struct stream *s, uint8_t *p, size_t n)
{
	while (n) {
		size_t k;
		int r = s->at == s->n ? fill(s) : 0;

		if (r)
			return r == V_END ? V_BAD : r;
		k = n < s->n - s->at ? n : s->n - s->at;
		memcpy(p, s->got + s->at, k);
		s->at += k;
		p += k;
		n -= k;
	}
	return 0;
}

static int put(struct stream *s, const uint8_t *p, size_t n)
{
	while (n) {
		size_t k = n < sizeof(s->put) - s->out_n ? n : sizeof(s->put) - s->out_n;
		int r;

		memcpy(s->put + s->out_n, p, k);
		s->out_n += k;
		p += k;
		n -= k;
		r = s->out_n == sizeof(s->put) ? flush(s) : 0;
		if (r)
			return r;
	}
	return 0;
}

/* --- the strip --- */

/* Eight points high, ten from the foot; lines without a resolution have that of a fax. 0; V_BAD where it has no room.
 */
static int place_strip(struct page *p, const char *text)
{
	uint32_t letters = (uint32_t)strlen(text);
	uint32_t foot = p->dpi_y * 10 / 72;

	p->scale_y = (p->dpi_y * 8 / 72 + FONT_ROWS / 2) / FONT_ROWS;
	p->scale_x = (p->dpi_x * 8 / 72 + FONT_ROWS / 2) / FONT_ROWS;
	p->scale_y += p->scale_y == 0;
	p->scale_x += p->scale_x == 0;
	p->left = p->dpi_x * 24 / 72;
	p->rows = (FONT_ROWS + 2) * p->scale_y;
	/* A blank on either side. A long line is set closer, as far as it can be. */
	while (p->scale_x > 1 && (letters + 2) * FONT_COLUMNS * p->scale_x + 2 * p->left > p->width)
		p->scale_x--;
	p->columns = (letters + 2) * FONT_COLUMNS * p->scale_x;
	if (!letters || p->columns + 2 * p->left > p->width || p->rows + 2 * foot > p->height)
		return V_BAD;
	p->top = p->height - foot - p->rows;
	return 0;
}

/* The strip's row on that line of the page; UINT32_MAX: none. */
static uint32_t row_of(const struct page *p, uint32_t line)
{
	uint32_t seen = p->mirrored_y ? p->height - 1 - line : line;

	return seen < p->top || seen - p->top >= p->rows ? UINT32_MAX : seen - p->top;
}

static void set_dot(const struct page *p, uint8_t *line, uint32_t x, bool ink)
{
	const uint8_t *dot = ink ? p->black : p->white;

	x = p->mirrored_x ? p->width - 1 - x : x;
	if (p->bits == 1) {
		uint8_t bit = (uint8_t)(0x80u >> (x & 7));

		line[x >> 3] = (uint8_t)((line[x >> 3] & ~bit) | (dot[0] & bit));
	} else {
		memcpy(line + (size_t)x * p->unit, dot, p->unit);
	}
}

static void draw(const struct page *p, uint8_t *line, uint32_t row, const char *text)
{
	uint32_t x, glyph_row = row / p->scale_y;

	for (x = 0; x < p->columns; x++) {
		uint32_t column = x / p->scale_x, cell = column / FONT_COLUMNS;
		bool ink = false;

		if (cell && text[cell - 1] && glyph_row && glyph_row <= FONT_ROWS) {
			char c = text[cell - 1];
			const uint8_t *glyph = font[(c < FONT_FIRST || c > FONT_LAST ? '?' : c) - FONT_FIRST];

			ink = glyph[glyph_row - 1] >> (FONT_COLUMNS - 1 - column % FONT_COLUMNS) & 1;
		}
		set_dot(p, line, p->left + x, ink);
	}
}

/* --- lines --- */

/* One packed line: as it is, to where it is written, or unpacked into `line`. */
static int pass_packed(struct stream *s, const struct page *p, uint8_t *line)
{
	uint8_t code, part[128 * UNIT_MAX];
	uint32_t at = 0, n, bytes, i;
	int r;

	while (at < p->line_bytes) {
		r = take(s, &code, 1);
		r = r || line ? r : put(s, &code, 1);
		if (r)
			return r;
		if (code == 128) { /* the rest is white */
			for (; line && at < p->line_bytes; at += p->unit)
				memcpy(line + at, p->white, p->unit);
			return 0;
		}
		n = (code > 128 ? 257u - code : code + 1u) * p->unit;
		bytes = code > 128 ? n : p->unit;
		if (n > p->line_bytes - at)
			return V_BAD;
		r = take(s, part, bytes);
		r = r || line ? r : put(s, part, bytes);
		if (r)
			return r;
		for (i = 0; line && i < n; i += bytes)
			memcpy(line + at + i, part, bytes);
		at += n;
	}
	return 0;
}

/* How many equal dots there are at `at`, or, where it is one, how many until two are equal: at most 128. */
static uint32_t run_at(const struct page *p, const uint8_t *line, uint32_t at, bool *equal)
{
	uint32_t n = 1, left = (p->line_bytes - at) / p->unit, u = p->unit;

	line += at;
	left = left > 128 ? 128 : left;
	while (n < left && !memcmp(line, line + (size_t)n * u, u))
		n++;
	*equal = n > 1 || left == 1;
	if (*equal)
		return n;
	while (n < left && (n + 1 == left || memcmp(line + (size_t)n * u, line + (size_t)(n + 1) * u, u) != 0))
		n++;
	*equal = n == 1;
	return n;
}

static int put_packed(struct stream *s, const struct page *p, const uint8_t *line, uint32_t times)
{
	uint8_t code = (uint8_t)(times - 1);
	uint32_t at = 0;
	int r = put(s, &code, 1);

	while (!r && at < p->line_bytes) {
		bool equal;
		uint32_t n = run_at(p, line, at, &equal);

		code = (uint8_t)(equal ? n - 1 : 257 - n);
		r = put(s, &code, 1);
		r = r ? r : put(s, line + at, (size_t)p->unit * (equal ? 1 : n));
		at += n * p->unit;
	}
	return r;
}

/* `n` equal lines from `y` on, of which one at least is the strip's: the same, with the strip's rows drawn over them.
 */
static int put_stamped(struct stream *s, const struct page *p, uint32_t y, uint32_t n, const uint8_t *plain)
{
	int r = 0;

	while (!r && n) {
		uint32_t row = row_of(p, y), k = 1;

		/* The rows of a letter's dot are equal. */
		while (k < n && (row == UINT32_MAX) == (row_of(p, y + k) == UINT32_MAX) &&
			(row == UINT32_MAX || row / p->scale_y == row_of(p, y + k) / p->scale_y))
			k++;
		memcpy(s->line, plain, p->line_bytes);
		if (row != UINT32_MAX)
			draw(p, s->line, row, s->text);
		r = p->packed ? put_packed(s, p, s->line, k) : put(s, s->line, p->line_bytes);
		y += k;
		n -= k;
	}
	return r;
}

static bool touches(const struct page *p, uint32_t y, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (row_of(p, y + i) != UINT32_MAX)
			return true;
	return false;
}

static int pass_page(struct stream *s, const struct page *p)
{
	uint8_t *plain = s->line + LINE_MAX_BYTES;
	uint32_t y = 0, n = 1;
	int r = 0;

	for (; !r && y < p->height; y += n) {
		uint8_t more = 0;
		bool ours;

		r = p->packed ? take(s, &more, 1) : 0;
		n = 1u + more;
		if (r || n > p->height - y)
			return r ? r : V_BAD;
		ours = touches(p, y, n);
		if (!p->packed)
			r = take(s, plain, p->line_bytes);
		else if (ours)
			r = pass_packed(s, p, plain);
		else
			r = put(s, &more, 1);
		if (!r && ours)
			r = put_stamped(s, p, y, n, plain);
		else if (!r)
			r = p->packed ? pass_packed(s, p, NULL) : put(s, plain, p->line_bytes);
	}
	return r;
}

/* --- headers --- */

/* White and black of a dot, as its bytes. */
static int set_colors(struct page *p, uint32_t space, uint32_t per_color)
{
	uint32_t colors = p->bits / per_color, size = per_color / 8;

	switch (space) {
	case SPACE_W:
	case SPACE_SW:
	case SPACE_RGB:
	case SPACE_SRGB:
	case SPACE_ADOBE_RGB:
		memset(p->white, 0xff, sizeof(p->white));
		if (colors != (space == SPACE_W || space == SPACE_SW ? 1 : 3))
			return V_BAD;
		break;
	case SPACE_K:
		memset(p->black, 0xff, sizeof(p->black));
		if (colors != 1)
			return V_BAD;
		break;
	case SPACE_CMYK:
		if (colors != 4 || !size)
			return V_BAD;
		memset(p->black + (size_t)3 * size, 0xff, size);
		break;
	default:
		return V_BAD;
	}
	return 0;
}

static int check(struct page *p, uint32_t space, uint32_t per_color, const char *text)
{
	bool one = p->bits == 1 && per_color == 1, bytes = per_color == 8 || per_color == 16;

	if ((!one && !bytes) || !p->bits || p->bits % per_color || p->bits > 8 * UNIT_MAX || !p->width || !p->height ||
		p->height > LINES_MAX || p->width > LINE_MAX_BYTES * 8 / p->bits || !p->dpi_x || !p->dpi_y ||
		p->dpi_x > DPI_MAX || p->dpi_y > DPI_MAX)
		return V_BAD;
	p->unit = one ? 1 : p->bits / 8;
	if (p->line_bytes != (one ? (p->width + 7) / 8 : p->width * p->unit))
		return V_BAD;
	return set_colors(p, space, per_color) ? V_BAD : place_strip(p, text);
}

static uint32_t word(const uint8_t *h, size_t at, bool big)
{
	uint32_t v = get_be32(h + at);

	return big ? v : __builtin_bswap32(v);
}

static int pass_cups_page(struct stream *s, bool big, bool packed)
{
	uint8_t h[HEADER_V2];
	struct page p = {.packed = packed};
	int r = take(s, h, sizeof(h));

	if (r)
		return r;
	p.dpi_x = word(h, RESOLUTION, big);
	p.dpi_y = word(h, RESOLUTION + 4, big);
	p.width = word(h, WIDTH, big);
	p.height = word(h, HEIGHT, big);
	p.line_bytes = word(h, BYTES_PER_LINE, big);
	p.bits = word(h, BITS_PER_PIXEL, big);
	p.mirrored_x = word(h, CROSS_FEED, big) == UINT32_MAX;
	p.mirrored_y = word(h, FEED, big) == UINT32_MAX;
	/* Other orders are colours one after another. */
	r = word(h, COLOR_ORDER, big) ? V_BAD
				      : check(&p, word(h, COLOR_SPACE, big), word(h, BITS_PER_COLOR, big), s->text);
	r = r ? r : put(s, h, sizeof(h));
	return r ? r : pass_page(s, &p);
}

static int pass_urf_page(struct stream *s)
{
	static const uint8_t spaces[] = {
		SPACE_SW, SPACE_SRGB, UINT8_MAX, SPACE_ADOBE_RGB, SPACE_W, SPACE_RGB, SPACE_CMYK};
	uint8_t h[URF_HEADER];
	int r = take(s, h, sizeof(h));
	struct page p = {.packed = true};

	if (r)
		return r;
	p.bits = h[0];
	p.width = get_be32(h + 12);
	p.height = get_be32(h + 16);
	p.dpi_x = p.dpi_y = get_be32(h + 20);
	if (h[1] >= ARRAY_SIZE(spaces) || !p.bits || p.bits % 8 || p.bits > 8 * UNIT_MAX ||
		p.width > LINE_MAX_BYTES / (p.bits / 8))
		return V_BAD;
	p.line_bytes = p.width * (p.bits / 8);
	r = check(&p, spaces[h[1]], p.bits % 3 == 0 ? p.bits / 3 : h[1] == 6 ? p.bits / 4 : p.bits, s->text);
	r = r ? r : put(s, h, sizeof(h));
	return r ? r : pass_page(s, &p);
}

static bool starts(const uint8_t *head, const char *with, size_t n)
{
	return memcmp(head, with, n) == 0;
}

bool raster_is(const uint8_t *head, size_t n)
{
	return n >= RASTER_MAGIC && (starts(head, "RaS2", 4) || starts(head, "2SaR", 4) || starts(head, "RaS3", 4) ||
					    starts(head, "3SaR", 4) || starts(head, "UNIRAST", 8));
}

static int pass_all(struct stream *s)
{
	uint8_t head[URF_FILE_HEADER];
	bool urf, big, packed;
	int r = take(s, head, 4);

	if (r)
		return r;
	urf = starts(head, "UNIR", 4);
	big = head[0] == 'R';
	packed = head[big ? 3 : 0] == '2';
	if (urf)
		r = take(s, head + 4, URF_FILE_HEADER - 4);
	r = r ? r : put(s, head, urf ? URF_FILE_HEADER : 4);
	/* The end is the end where a page would begin. */
	while (!r) {
		r = s->at == s->n ? fill(s) : 0;
		if (r == V_END)
			return flush(s);
		r = r ? r : urf ? pass_urf_page(s) : pass_cups_page(s, big, packed);
	}
	return r;
}

int raster_stamp(int in, int out, const char *text)
{
	_cleanup_free_ struct stream *s = malloc(sizeof(*s));
	/* The line as it is, and as it becomes. */
	_cleanup_free_ uint8_t *lines = malloc(2u * (size_t)LINE_MAX_BYTES);

	if (!s || !lines)
		return -ENOMEM;
	s->in = in;
	s->out = out;
	s->text = text;
	s->at = s->n = s->out_n = 0;
	s->line = lines;
	return pass_all(s);
}
