/*
 * A PDF document as qpdf has opened it, for pdf.c, pdf_content.c and pdf_color.c.
 *
 * qpdf and not poppler for all but the text: it only reads structure (no fonts, no pictures, no rendering), walks the
 * tree of pages instead of believing its count, repairs, says what it repaired, and has an interface for C.
 */
#ifndef SEKISHO_INSPECT_PDF_H
#define SEKISHO_INSPECT_PDF_H

#include "agent/inspect/look.h"
#include <qpdf/qpdf-c.h>

#define PDF_CONTENT_MAX (512ull << 20) /* unpacked bytes of content of one document that are looked at */
#define PDF_DEPTH_MAX 16               /* forms in forms */
#define PDF_OBJECTS_MAX (1 << 23)

/* What a colour space can say. */
enum pdf_space {
	PDF_GREY, /* nothing but grey */
	PDF_RGB,  /* equal parts are grey */
	PDF_CMYK, /* equal parts of the first three are grey */
	PDF_LAB,  /* grey where the second and third are 0 */
	PDF_SPOT, /* an ink by name: grey where there is none of it */
	PDF_ANY,  /* can be colour, is not looked at */
	PDF_PATTERN,
};

struct pdf {
	qpdf_data q;
	struct look *l;
	uint8_t *seen;    /* a bit for each object that was scanned: forms may name themselves */
	uint64_t scanned; /* bytes of content */
	bool too_big;     /* it took more memory than there is */
	bool incomplete;  /* something could not be looked at */
};

/* Remembers why the last call of qpdf failed: the look is not complete. */
void pdf_failed(struct pdf *d);

/* By its object (name or array) and the resources that names stand for. */
enum pdf_space pdf_space_of(struct pdf *d, qpdf_oh space, qpdf_oh resources, unsigned depth);
/* A colour in that space. */
enum inspect_color pdf_color_of(enum pdf_space space, const double *part, size_t n);
/* What an image can show. */
enum inspect_color pdf_image_color(struct pdf *d, qpdf_oh image, qpdf_oh resources);
/* The entry of a resource category, or null. */
qpdf_oh pdf_resource(struct pdf *d, qpdf_oh resources, const char *category, struct span name);

/* The operators of content: colours, letters, images, forms. */
void pdf_content(struct pdf *d, struct span content, qpdf_oh resources, unsigned depth);
/* A form, pattern, glyph or appearance: content with resources of its own. Each is looked at once. */
void pdf_form(struct pdf *d, qpdf_oh stream, qpdf_oh resources, unsigned depth);

#endif
