/*
 * Pictures of PDF pages, drawn by poppler and cairo: scanners write JBIG2, CCITT, JPEG 2000, strips and layers, and
 * letters can be outlines; a page that is drawn has it all. See pdf_picture.h.
 */
#include "agent/inspect/pdf_picture.h"
#include "agent/inspect/ocr.h"
#include <cairo.h>
#include <math.h>

#define DOTS_PER_POINT (200.0 / 72)
#define DOTS_MAX (12u << 20) /* of one page: A4 has 4 million; larger ones are drawn with fewer dots an inch */
#define PART_OF_PAGE 0.1
#define PARTS_MAX 50      /* of one page */
#define GLANCE_SIDE 400.0 /* dots of the longer side of a page that is looked at for a mark only */

static void destroyp(cairo_surface_t **s)
{
	cairo_surface_destroy(*s);
}

static cairo_surface_t *white(double width, double height, cairo_t **out)
{
	cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);

	*out = cairo_create(s);
	cairo_set_source_rgb(*out, 1, 1, 1);
	cairo_paint(*out);
	return s;
}

/* Its dots become grey where they lie. */
static void read_surface(struct look *l, cairo_surface_t *s, const char *name)
{
	int width = cairo_image_surface_get_width(s), height = cairo_image_surface_get_height(s), x, y;
	size_t stride = (size_t)cairo_image_surface_get_stride(s);
	uint8_t *dots = cairo_image_surface_get_data(s);

	cairo_surface_flush(s);
	if (cairo_surface_status(s) || !dots) {
		ocr_missed(l, INSPECT_TOO_BIG, name);
		return;
	}
	for (y = 0; y < height; y++) {
		uint8_t *line = dots + (size_t)y * stride;

		for (x = 0; x < width; x++) {
			uint32_t dot;

			memcpy(&dot, line + 4 * (size_t)x, sizeof(dot));
			line[x] =
				(uint8_t)(((dot >> 16 & 0xff) * 77 + (dot >> 8 & 0xff) * 150 + (dot & 0xff) * 29) >> 8);
		}
	}
	ocr_grey(l, dots, (uint32_t)width, (uint32_t)height, stride, name);
}

static void not_read(struct pdf_unread *unread, int number)
{
	if (!unread->n++)
		unread->first = number;
}

/* Anything but white? */
static bool has_dots(cairo_surface_t *s)
{
	int width = cairo_image_surface_get_width(s), height = cairo_image_surface_get_height(s), x, y;
	size_t stride = (size_t)cairo_image_surface_get_stride(s);
	const uint8_t *dots;

	cairo_surface_flush(s);
	dots = cairo_image_surface_get_data(s);
	if (cairo_surface_status(s) || !dots)
		return true;
	for (y = 0; y < height; y++)
		for (x = 0; x < width; x++) {
			uint32_t dot;

			memcpy(&dot, dots + (size_t)y * stride + 4 * (size_t)x, sizeof(dot));
			if ((dot & 0xffffff) != 0xffffff)
				return true;
		}
	return false;
}

/* Of a picture's place what lies on the page, in points. */
static PopplerRectangle on_page(const PopplerImageMapping *m, double width, double height)
{
	const PopplerRectangle *a = &m->area;

	return (PopplerRectangle){fmin(fmax(fmin(a->x1, a->x2), 0), width), fmin(fmax(fmin(a->y1, a->y2), 0), height),
		fmin(fmax(fmax(a->x1, a->x2), 0), width), fmin(fmax(fmax(a->y1, a->y2), 0), height)};
}

static double size_of(PopplerRectangle r)
{
	return (r.x2 - r.x1) * (r.y2 - r.y1);
}

/*
 * Letters can be outlines, too: what is drawn beside pictures that are small, such as a logo, says whether the page is
 * blank.
 */
static bool is_blank(PopplerPage *page)
{
	_cleanup_(destroyp) cairo_surface_t *s = NULL;
	double width = 0, height = 0, scale, pictures = 0;
	GList *all, *at;
	cairo_t *c;

	poppler_page_get_size(page, &width, &height);
	if (!(width >= 1 && height >= 1 && width * height < 1e12))
		return false;
	all = poppler_page_get_image_mapping(page);
	for (at = all; at; at = at->next)
		pictures += size_of(on_page(at->data, width, height));
	if (!(pictures < PART_OF_PAGE * width * height)) {
		poppler_page_free_image_mapping(all);
		return false;
	}
	scale = GLANCE_SIDE / fmax(width, height);
	s = white(fmax(width * scale, 1), fmax(height * scale, 1), &c);
	cairo_scale(c, scale, scale);
	cairo_save(c);
	poppler_page_render(page, c);
	cairo_restore(c);
	/* Their edges fall on parts of dots. */
	cairo_set_source_rgb(c, 1, 1, 1);
	for (at = all; at; at = at->next) {
		PopplerRectangle r = on_page(at->data, width, height);

		cairo_rectangle(
			c, r.x1 - 2 / scale, r.y1 - 2 / scale, r.x2 - r.x1 + 4 / scale, r.y2 - r.y1 + 4 / scale);
	}
	cairo_fill(c);
	cairo_destroy(c);
	poppler_page_free_image_mapping(all);
	return !has_dots(s);
}

void pdf_picture_page(struct look *l, PopplerPage *page, int number, struct pdf_unread *unread)
{
	_cleanup_(destroyp) cairo_surface_t *s = NULL;
	double width = 0, height = 0, scale = DOTS_PER_POINT;
	char name[32];
	cairo_t *c;

	if (!l->ocr) {
		if (!is_blank(page))
			not_read(unread, number);
		return;
	}
	snprintf(name, sizeof(name), "page %d", number);
	poppler_page_get_size(page, &width, &height);
	if (!(width >= 1 && height >= 1 && width * height < 1e12)) {
		ocr_missed(l, INSPECT_BROKEN, name);
		return;
	}
	scale = fmin(scale, sqrt(DOTS_MAX / (width * height)));
	s = white(fmax(width * scale, 1), fmax(height * scale, 1), &c);
	cairo_scale(c, scale, scale);
	l->tell(l, INSPECT_ABOUT_PICTURES);
	poppler_page_render(page, c);
	cairo_destroy(c);
	read_surface(l, s, name);
}

static void read_part(struct look *l, PopplerPage *page, int id, const char *name)
{
	_cleanup_(destroyp) cairo_surface_t *part = poppler_page_get_image(page, id), *s = NULL;
	double width, height, scale;
	cairo_t *c;

	if (!part) {
		ocr_missed(l, INSPECT_BROKEN, name);
		return;
	}
	width = cairo_image_surface_get_width(part);
	height = cairo_image_surface_get_height(part);
	if (width < OCR_SIDE_MIN || height < OCR_SIDE_MIN / 2.0)
		return;
	scale = fmin(1, sqrt(DOTS_MAX / (width * height)));
	s = white(fmax(width * scale, 1), fmax(height * scale, 1), &c);
	cairo_scale(c, scale, scale);
	cairo_set_source_surface(c, part, 0, 0);
	cairo_paint(c);
	cairo_destroy(c);
	read_surface(l, s, name);
}

void pdf_picture_parts(struct look *l, PopplerPage *page, int number, struct pdf_unread *unread)
{
	double width = 0, height = 0, small = 0;
	GList *all, *at;
	unsigned n = 0;
	char name[32];

	snprintf(name, sizeof(name), "a picture on page %d", number);
	poppler_page_get_size(page, &width, &height);
	all = poppler_page_get_image_mapping(page);
	for (at = all; at; at = at->next) {
		const PopplerImageMapping *m = at->data;
		double part = size_of(on_page(m, width, height));

		if (!l->ocr || !(part >= PART_OF_PAGE * width * height)) {
			small += part;
			continue;
		}
		if (++n > PARTS_MAX) {
			ocr_missed(l, INSPECT_TOO_BIG, name);
			break;
		}
		l->tell(l, INSPECT_ABOUT_PICTURES);
		read_part(l, page, m->image_id, name);
	}
	poppler_page_free_image_mapping(all);
	/* Scanners write strips: none of them is large. */
	if (small >= PART_OF_PAGE * width * height && width * height > 0)
		not_read(unread, number);
}
