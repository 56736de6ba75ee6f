/*
 * Colour spaces of PDF (ISO 32000-1, 8.6): whether what is set in them is grey. See pdf.h.
 */
#include "agent/inspect/pdf.h"
#include <math.h>

#define SAME 0.004 /* a step of eight bits */
#define PALETTE_MAX (3 * 256)

qpdf_oh pdf_resource(struct pdf *d, qpdf_oh resources, const char *category, struct span name)
{
	qpdf_oh all = qpdf_oh_get_key_if_dict(d->q, resources, category);
	char key[256];

	if (name.n + 2 > sizeof(key))
		return qpdf_oh_new_null(d->q);
	snprintf(key, sizeof(key), "/%.*s", (int)name.n, (const char *)name.p);
	return qpdf_oh_get_key_if_dict(d->q, all, key);
}

static enum pdf_space by_name(const char *n, bool *known)
{
	static const struct {
		const char *name;
		enum pdf_space space;
	} names[] = {{"/DeviceGray", PDF_GREY}, {"/G", PDF_GREY}, {"/CalGray", PDF_GREY}, {"/DeviceRGB", PDF_RGB},
		{"/RGB", PDF_RGB}, {"/CalRGB", PDF_RGB}, {"/DeviceCMYK", PDF_CMYK}, {"/CMYK", PDF_CMYK},
		{"/Lab", PDF_LAB}, {"/Pattern", PDF_PATTERN}};
	size_t i;

	*known = true;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(n, names[i].name) == 0)
			return names[i].space;
	*known = false;
	return PDF_ANY;
}

/* A palette whose every entry is grey is grey. */
static enum pdf_space indexed(struct pdf *d, qpdf_oh array, qpdf_oh resources, unsigned depth)
{
	enum pdf_space base = pdf_space_of(d, qpdf_oh_get_array_item(d->q, array, 1), resources, depth + 1);
	qpdf_oh table = qpdf_oh_get_array_item(d->q, array, 3);
	_cleanup_free_ unsigned char *unpacked = NULL;
	const unsigned char *p;
	size_t n = 0, i;

	if (base == PDF_GREY || base != PDF_RGB)
		return base == PDF_GREY ? PDF_GREY : PDF_ANY;
	if (qpdf_oh_is_string(d->q, table)) {
		p = (const unsigned char *)qpdf_oh_get_binary_string_value(d->q, table, &n);
	} else if (qpdf_oh_is_stream(d->q, table)) {
		if (qpdf_oh_get_stream_data(d->q, table, qpdf_dl_generalized, NULL, &unpacked, &n) & QPDF_ERRORS)
			return PDF_ANY;
		p = unpacked;
	} else {
		return PDF_ANY;
	}
	for (i = 0; i + 3 <= n && i < PALETTE_MAX; i += 3)
		if (p[i] != p[i + 1] || p[i] != p[i + 2])
			return PDF_ANY;
	return PDF_GREY;
}

static bool is_black_ink(struct pdf *d, qpdf_oh name)
{
	return qpdf_oh_is_name_and_equals(d->q, name, "/Black") || qpdf_oh_is_name_and_equals(d->q, name, "/All") ||
	       qpdf_oh_is_name_and_equals(d->q, name, "/None");
}

static enum pdf_space inks(struct pdf *d, qpdf_oh names)
{
	int i, n = qpdf_oh_is_array(d->q, names) ? qpdf_oh_get_array_n_items(d->q, names) : 0;

	for (i = 0; i < n && i < 32; i++)
		if (!is_black_ink(d, qpdf_oh_get_array_item(d->q, names, i)))
			return PDF_ANY;
	return n && n <= 32 ? PDF_GREY : PDF_ANY;
}

static enum pdf_space icc(struct pdf *d, qpdf_oh profile)
{
	int n = 0;

	if (!qpdf_oh_is_stream(d->q, profile))
		return PDF_ANY;
	qpdf_oh_get_value_as_int(d->q, qpdf_oh_get_key_if_dict(d->q, qpdf_oh_get_dict(d->q, profile), "/N"), &n);
	return n == 1 ? PDF_GREY : n == 3 ? PDF_RGB : n == 4 ? PDF_CMYK : PDF_ANY;
}

enum pdf_space pdf_space_of(struct pdf *d, qpdf_oh space, qpdf_oh resources, unsigned depth)
{
	qpdf_oh family;
	enum pdf_space s;
	const char *name = NULL;
	size_t length;
	bool known;

	if (depth > 4)
		return PDF_ANY;
	if (qpdf_oh_get_value_as_name(d->q, space, &name, &length)) {
		s = by_name(name, &known);
		if (known)
			return s;
		space = pdf_resource(d, resources, "/ColorSpace", SPAN_STR(name + 1));
		if (!qpdf_oh_is_array(d->q, space) && !qpdf_oh_is_name(d->q, space))
			return PDF_ANY;
		return pdf_space_of(d, space, resources, depth + 1);
	}
	if (!qpdf_oh_is_array(d->q, space) || !qpdf_oh_get_array_n_items(d->q, space))
		return PDF_ANY;
	family = qpdf_oh_get_array_item(d->q, space, 0);
	if (!qpdf_oh_get_value_as_name(d->q, family, &name, &length))
		return PDF_ANY;
	s = by_name(name, &known);
	if (known)
		return s;
	if (strcmp(name, "/ICCBased") == 0)
		return icc(d, qpdf_oh_get_array_item(d->q, space, 1));
	if (strcmp(name, "/Indexed") == 0 || strcmp(name, "/I") == 0)
		return qpdf_oh_get_array_n_items(d->q, space) >= 4 ? indexed(d, space, resources, depth) : PDF_ANY;
	if (strcmp(name, "/Separation") == 0)
		return is_black_ink(d, qpdf_oh_get_array_item(d->q, space, 1)) ? PDF_GREY : PDF_SPOT;
	return strcmp(name, "/DeviceN") == 0 ? inks(d, qpdf_oh_get_array_item(d->q, space, 1)) : PDF_ANY;
}

static bool same(double a, double b)
{
	return fabs(a - b) <= SAME;
}

enum inspect_color pdf_color_of(enum pdf_space space, const double *p, size_t n)
{
	bool grey = true;

	switch (space) {
	case PDF_GREY:
	case PDF_PATTERN:
		break;
	case PDF_RGB:
	case PDF_CMYK:
		grey = n < 3 || (same(p[0], p[1]) && same(p[0], p[2]));
		break;
	case PDF_LAB:
		grey = n < 3 || (same(p[1], 0) && same(p[2], 0));
		break;
	case PDF_SPOT:
		grey = n < 1 || same(p[0], 0);
		break;
	case PDF_ANY:
		return INSPECT_COLOR_OK;
	}
	return grey ? INSPECT_GREY : INSPECT_COLOR;
}

enum inspect_color pdf_image_color(struct pdf *d, qpdf_oh image, qpdf_oh resources)
{
	qpdf_oh dict = qpdf_oh_get_dict(d->q, image);
	qpdf_oh mask = qpdf_oh_get_key_if_dict(d->q, dict, "/ImageMask");
	qpdf_oh space = qpdf_oh_get_key_if_dict(d->q, dict, "/ColorSpace");

	if (qpdf_oh_is_bool(d->q, mask) && qpdf_oh_get_bool_value(d->q, mask))
		return INSPECT_GREY; /* it lets the colour through that was set, which was seen */
	return pdf_space_of(d, space, resources, 0) == PDF_GREY ? INSPECT_GREY : INSPECT_COLOR_OK;
}
