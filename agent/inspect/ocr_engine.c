/*
 * The module sekisho-ocr.so: characters of pictures by tesseract, on lines that are found here. See ocr_engine.h.
 *
 * tesseract's own search for lines is made for running text: rows of a table whose cells have different heights become
 * one line, and digits of it are lost. So leptonica puts the page upright, takes rules of tables out, and joins what
 * stands side by side; each piece is then read as one line, at its place.
 */
#include "agent/inspect/ocr_engine.h"
#include <leptonica/allheaders.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tesseract/capi.h>
#include <time.h>

#define DOTS_GOOD (10u << 20) /* of a page: A4 at 300 dpi has 9 million; finer ones are made smaller */
#define DOTS_FEW (3u << 20)   /* A4 at 150 dpi has 2 million, at 200 nearly 4 */
#define INK 170               /* below this, on a background that was made white, is ink */
#define PIECES_MAX 4000
#define LINE_HEIGHTS 2.4 /* a piece that is higher than so many lines is a block of them */
#define PART_OF_PAGE 0.05
#define DUST 3         /* dots */
#define BORDER 12      /* white around a piece: tesseract wants some */
#define SAMPLE 8       /* pieces, to see whether a page is upright */
#define SURE 70        /* percent: an upright page is read so */
#define SURER 10       /* percent: so much better is another way round */
#define SKEW_MIN 0.15f /* degrees */
#define SKEW_SURE 3.0f /* leptonica's own measure of confidence */

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

static void *model_open(char *why, size_t why_size)
{
	TessBaseAPI *api = TessBaseAPICreate();

	setMsgSeverity(L_SEVERITY_NONE);
	if (!api || TessBaseAPIInit3(api, NULL, OCR_LANGUAGES)) {
		snprintf(why, why_size, "tesseract %s has no model \"%s\" (package tesseract-ocr-jpn)", TessVersion(),
			OCR_LANGUAGES);
		if (api)
			TessBaseAPIDelete(api);
		return NULL;
	}
	TessBaseAPISetVariable(api, "preserve_interword_spaces", "1");
	return api;
}

/* Ink of all that is dark against what is around it, as one bit a dot. */
static PIX *ink_of(PIX *grey)
{
	PIX *even = pixBackgroundNormSimple(grey, NULL, NULL), *ink;

	ink = pixThresholdToBinary(even ? even : grey, INK);
	pixDestroy(&even);
	return ink;
}

/* More specks than characters: dust, or a cheap scanner. Lines would be joined by them, and digits misread. */
static bool is_dusty(PIX *ink)
{
	PIX *dust = pixSelectBySize(ink, DUST, DUST, 8, L_SELECT_IF_BOTH, L_SELECT_IF_LTE, NULL);
	l_int32 specks = 0, all = 0;
	bool dusty = dust && !pixCountConnComp(dust, 8, &specks) && !pixCountConnComp(ink, 8, &all) && specks > all / 2;

	pixDestroy(&dust);
	return dusty;
}

/* Both turned, so that lines lie level. */
static void put_upright(PIX **grey, PIX **ink)
{
	float angle = 0, sure = 0;
	PIX *turned;

	if (pixFindSkew(*ink, &angle, &sure) || sure < SKEW_SURE || fabsf(angle) < SKEW_MIN)
		return;
	turned = pixRotate(*grey, angle * (float)M_PI / 180, L_ROTATE_AREA_MAP, L_BRING_IN_WHITE, 0, 0);
	if (!turned)
		return;
	pixDestroy(grey);
	*grey = turned;
	pixDestroy(ink);
	*ink = ink_of(turned);
}

/* Lines of tables and forms, out of both. `dotted`: also those with gaps of a few dots, as one bit a dot makes of grey.
 */
static void remove_rules(PIX *grey, PIX *ink, bool dotted)
{
	int w = pixGetWidth(ink), h = pixGetHeight(ink), least = (w < h ? w : h) / 16, gap = dotted ? 7 : 1;
	PIX *level, *upright, *both = NULL, *thick = NULL;

	least = least < 60 ? 60 : least;
	level = pixCloseBrick(NULL, ink, gap, 1);
	upright = pixCloseBrick(NULL, ink, 1, gap);
	if (level && upright) {
		pixOpenBrick(level, level, least, 1);
		pixOpenBrick(upright, upright, 1, least);
	}
	if (level && upright)
		both = pixOr(NULL, level, upright);
	if (both)
		thick = pixDilateBrick(NULL, both, 3, 3);
	if (thick) {
		pixSubtract(ink, ink, thick);
		pixPaintThroughMask(grey, thick, 0, 0, 255);
	}
	pixDestroy(&level);
	pixDestroy(&upright);
	pixDestroy(&both);
	pixDestroy(&thick);
}

/* How high a character is: the middle one of all that are no dots and no pictures. 0: there is none. */
static int height_of(PIX *ink)
{
	BOXA *all = pixConnComp(ink, NULL, 8);
	int count[256] = {0}, n = all ? boxaGetCount(all) : 0, i, sum = 0, half = 0, x, y, w, h;

	for (i = 0; i < n; i++)
		if (!boxaGetBoxGeometry(all, i, &x, &y, &w, &h) && h >= 7 && h < 256 && w < 4 * h) {
			count[h]++;
			sum++;
		}
	boxaDestroy(&all);
	for (i = 0; i < 256 && sum; i++)
		if ((half += count[i]) * 2 >= sum)
			return i;
	return 0;
}

/* What is read, one character beside the other; from top to bottom. */
static BOXA *pieces_of(PIX *ink, int height)
{
	PIX *joined = pixCloseBrick(NULL, ink, height + height / 4, height / 4 > 0 ? height / 4 : 1);
	BOXA *all = joined ? pixConnComp(joined, NULL, 8) : NULL, *sorted = NULL;

	if (all)
		sorted = boxaSort(all, L_SORT_BY_Y, L_SORT_INCREASING, NULL);
	boxaDestroy(&all);
	pixDestroy(&joined);
	return sorted;
}

static PIX *framed(PIX *grey, BOX *box)
{
	PIX *cut = pixClipRectangle(grey, box, NULL), *out = cut ? pixAddBorder(cut, BORDER, 255) : NULL;

	pixDestroy(&cut);
	return out;
}

/* To be freed with TessDeleteText; NULL. `sure`: how sure tesseract is of it, in percent. */
static char *text_of(TessBaseAPI *api, PIX *grey, BOX *box, bool block, int *sure)
{
	PIX *piece = framed(grey, box);
	char *text;

	if (!piece)
		return NULL;
	TessBaseAPISetPageSegMode(api, block ? PSM_SINGLE_BLOCK : PSM_SINGLE_LINE);
	TessBaseAPISetImage2(api, piece);
	TessBaseAPISetSourceResolution(api, 300);
	text = TessBaseAPIGetUTF8Text(api);
	if (text)
		*sure = TessBaseAPIMeanTextConf(api);
	TessBaseAPIClear(api);
	pixDestroy(&piece);
	return text;
}

/* A piece that takes a good part of the page is a table whose rules are still there. */
static bool holds_together(BOXA *all, PIX *ink, int height)
{
	double page = (double)pixGetWidth(ink) * pixGetHeight(ink);
	int n = all ? boxaGetCount(all) : 0, i, x, y, w, h;

	for (i = 0; i < n; i++)
		if (!boxaGetBoxGeometry(all, i, &x, &y, &w, &h) && h > LINE_HEIGHTS * height &&
			(double)w * h > PART_OF_PAGE * page)
			return true;
	return false;
}

/* A page on its way: its pieces, once it was cut. */
struct sheet {
	PIX *grey, *ink;
	int height; /* of its characters; 0: there is none */
	BOXA *all;
	int n;       /* of them */
	char **text; /* of each; NULL: it was not read yet */
};

static void sheet_free(struct sheet *s)
{
	int i;

	for (i = 0; s->text && i < s->n; i++)
		TessDeleteText(s->text[i]);
	free(s->text);
	boxaDestroy(&s->all);
	pixDestroy(&s->ink);
	pixDestroy(&s->grey);
}

/* Takes `grey`. False: no memory. */
static bool sheet_cut(struct sheet *s, PIX *grey)
{
	*s = (struct sheet){.grey = grey, .ink = ink_of(grey)};
	if (s->ink)
		put_upright(&s->grey, &s->ink);
	if (!s->ink)
		return false;
	remove_rules(s->grey, s->ink, false);
	s->height = height_of(s->ink);
	s->all = s->height ? pieces_of(s->ink, s->height) : NULL;
	if (holds_together(s->all, s->ink, s->height)) {
		boxaDestroy(&s->all);
		remove_rules(s->grey, s->ink, true);
		s->height = height_of(s->ink);
		s->all = pieces_of(s->ink, s->height);
	}
	s->n = s->all ? boxaGetCount(s->all) : 0;
	s->text = calloc((size_t)s->n + 1, sizeof(*s->text));
	return s->text != NULL;
}

/* Pieces as high as a line and long enough for a character: what is less is no text. */
static bool is_piece(const struct sheet *s, int i, bool *block)
{
	int x, y, w, h;

	if (boxaGetBoxGeometry(s->all, i, &x, &y, &w, &h) || h * 2 < s->height || w * 2 < s->height)
		return false;
	*block = h > LINE_HEIGHTS * s->height;
	return true;
}

/* How sure tesseract is of it, in percent, the first time that it is read; else 0. */
static int read_piece(TessBaseAPI *api, struct sheet *s, int i, bool block)
{
	int x = 0, y = 0, w = 0, h = 0, edge = s->height / 5 + 1, sure = 0;
	BOX *box;

	if (s->text[i])
		return 0;
	boxaGetBoxGeometry(s->all, i, &x, &y, &w, &h);
	box = boxCreateValid(x > edge ? x - edge : 0, y > edge ? y - edge : 0, w + 2 * edge, h + 2 * edge);
	if (box)
		s->text[i] = text_of(api, s->grey, box, block, &sure);
	boxDestroy(&box);
	return sure;
}

static void tell_piece(const struct sheet *s, int i, const struct ocr_ask *ask)
{
	int x = 0, y = 0, w = 0, h = 0, edge = s->height / 5 + 1;
	double unit = OCR_WIDTH / pixGetWidth(s->grey);

	boxaGetBoxGeometry(s->all, i, &x, &y, &w, &h);
	if (s->text[i] && *s->text[i])
		ask->piece(ask->ctx,
			&(struct ocr_piece){s->text[i], (x > edge ? x - edge : 0) * unit,
				(y > edge ? y - edge : 0) * unit, (x + w + edge) * unit, (y + h + edge) * unit});
}

static enum ocr_answer read_pieces(TessBaseAPI *api, struct sheet *s, const struct ocr_ask *ask)
{
	bool block = false;
	int i;

	for (i = 0; i < s->n && i < PIECES_MAX; i++) {
		if (!is_piece(s, i, &block))
			continue;
		if (now_us() >= ask->end_us)
			return OCR_LATE;
		read_piece(api, s, i, block);
		tell_piece(s, i, ask);
	}
	return s->n > PIECES_MAX ? OCR_TOO_BIG : OCR_READ;
}

/* How sure tesseract is of some pieces, in percent: of the longest, which are lines where the page is upright. */
static int sureness(TessBaseAPI *api, struct sheet *s, const struct ocr_ask *ask)
{
	NUMA *order = NULL;
	BOXA *longest = s->n ? boxaSort(s->all, L_SORT_BY_WIDTH, L_SORT_DECREASING, &order) : NULL;
	int i, which, read = 0, sum = 0;
	bool block = false;

	for (i = 0; longest && i < s->n && read < SAMPLE && now_us() < ask->end_us; i++) {
		if (numaGetIValue(order, i, &which) || !is_piece(s, which, &block) || block)
			continue;
		sum += read_piece(api, s, which, false);
		read++;
	}
	numaDestroy(&order);
	boxaDestroy(&longest);
	return read ? sum / read : 0;
}

/*
 * Puts a page that lies on its side, or upside down, onto its feet: where tesseract is not sure of what it reads, the
 * three other ways are tried. Not by its own model for that (osd), which knows no more and wants a further package.
 */
static void put_on_feet(TessBaseAPI *api, struct sheet *s, PIX *grey, const struct ocr_ask *ask)
{
	int quads, best = sureness(api, s, ask), now = 0;
	struct sheet other;
	PIX *turned;

	if (best >= SURE)
		return;
	best += SURER;
	for (quads = 1; grey && quads <= 3 && best < SURE + SURER && now_us() < ask->end_us; quads++) {
		turned = pixRotateOrth(grey, quads);
		if (!turned)
			break;
		if (!sheet_cut(&other, turned) || (now = sureness(api, &other, ask)) < best) {
			sheet_free(&other);
			continue;
		}
		best = now;
		sheet_free(s);
		*s = other;
	}
}

/*
 * Takes `grey`, and gives it back without dust. Where an inch has few dots a stroke is one or two of them wide, and
 * would go with the dust: so it is made twice as large first.
 */
static PIX *dusted(PIX *grey, bool few)
{
	PIX *ink = ink_of(grey), *next;
	bool dusty = ink && is_dusty(ink);
	int dust = few ? 5 : 3;

	pixDestroy(&ink);
	if (dusty && few && (next = pixScale(grey, 2, 2))) {
		pixDestroy(&grey);
		grey = next;
	}
	if (dusty && (next = pixMedianFilter(grey, dust, dust))) {
		pixDestroy(&grey);
		grey = next;
	}
	return grey;
}

/* Takes `grey`, 8 bits a dot. `levels`: it was not made of black and white only, whose points are lines and shades. */
static enum ocr_answer read_page(TessBaseAPI *api, PIX *grey, bool levels, const struct ocr_ask *ask)
{
	enum ocr_answer answer = OCR_TOO_BIG;
	double dots = (double)pixGetWidth(grey) * pixGetHeight(grey);
	struct sheet s;
	PIX *less, *whole;

	if (dots > DOTS_GOOD && (less = pixScale(grey, (float)sqrt(DOTS_GOOD / dots), (float)sqrt(DOTS_GOOD / dots)))) {
		pixDestroy(&grey);
		grey = less;
	}
	if (levels)
		grey = dusted(grey, dots < DOTS_FEW);
	whole = pixCopy(NULL, grey);
	if (sheet_cut(&s, grey)) {
		put_on_feet(api, &s, whole, ask);
		answer = read_pieces(api, &s, ask);
	}
	pixDestroy(&whole);
	sheet_free(&s);
	return answer;
}

/* Its size by its header, before anything is unpacked. */
static enum ocr_answer size_fits(const uint8_t *bytes, size_t n)
{
	int format = 0, w = 0, h = 0, bits, samples, map;

	if (pixReadHeaderMem(bytes, n, &format, &w, &h, &bits, &samples, &map) || w <= 0 || h <= 0)
		return OCR_BROKEN;
	if ((uint64_t)w * (uint64_t)h > OCR_PIXELS_MAX)
		return OCR_TOO_BIG;
	return (unsigned)w < OCR_SIDE_MIN || (unsigned)h < OCR_SIDE_MIN / 2 ? OCR_SMALL : OCR_READ;
}

static enum ocr_answer read_file(void *model, const uint8_t *bytes, size_t n, unsigned page, const struct ocr_ask *ask)
{
	bool tiff = n > 4 && (!memcmp(bytes, "II*\0", 4) || !memcmp(bytes, "MM\0*", 4));
	enum ocr_answer fits;
	PIX *pix, *opaque, *grey;
	bool levels;

	if (page && !tiff)
		return OCR_NO_PAGE;
	if (!page && (fits = size_fits(bytes, n)) != OCR_READ)
		return fits;
	pix = tiff ? pixReadMemTiff(bytes, n, (int)page) : pixReadMem(bytes, n);
	if (!pix)
		return page ? OCR_NO_PAGE : OCR_BROKEN;
	levels = pixGetDepth(pix) > 1;
	opaque = pixRemoveAlpha(pix);
	grey = pixConvertTo8(opaque ? opaque : pix, 0);
	pixDestroy(&opaque);
	pixDestroy(&pix);
	return grey ? read_page(model, grey, levels, ask) : OCR_TOO_BIG;
}

static enum ocr_answer read_grey(
	void *model, const uint8_t *dots, uint32_t width, uint32_t height, size_t stride, const struct ocr_ask *ask)
{
	uint32_t x, y;
	PIX *grey;

	if (width < OCR_SIDE_MIN || height < OCR_SIDE_MIN / 2)
		return OCR_SMALL;
	if ((uint64_t)width * height > OCR_PIXELS_MAX || !(grey = pixCreate((int)width, (int)height, 8)))
		return OCR_TOO_BIG;
	for (y = 0; y < height; y++) {
		uint32_t *line = pixGetData(grey) + (size_t)y * (size_t)pixGetWpl(grey);

		for (x = 0; x < width; x++)
			SET_DATA_BYTE(line, x, dots[y * stride + x]);
	}
	return read_page(model, grey, true, ask);
}

const struct ocr_engine sekisho_ocr = {OCR_VERSION, model_open, read_file, read_grey};
