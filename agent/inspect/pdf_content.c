/*
 * The content of PDF pages (ISO 32000-1, 7.8.2): operators that set colours, show letters, draw images and forms.
 * Nothing is drawn. See pdf.h.
 */
#include "agent/inspect/pdf.h"
#include <ctype.h>

#define OPERANDS_MAX 32
#define STATES_MAX 64

struct state {
	enum pdf_space fill, stroke;
};

struct content {
	struct pdf *d;
	struct span in;
	size_t at;
	qpdf_oh resources;
	unsigned depth;
	double number[OPERANDS_MAX];
	size_t numbers;
	struct span name; /* the last one */
	bool letters;     /* a string that is not empty is among the operands */
	struct state state, saved[STATES_MAX];
	unsigned states;
};

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= 9 && c <= 13) || c == 0;
}

static bool is_delimiter(uint8_t c)
{
	return c && strchr("()<>[]{}/%", c);
}

static struct span word(struct content *c)
{
	size_t from = c->at;

	while (c->at < c->in.n && !is_space(c->in.p[c->at]) && !is_delimiter(c->in.p[c->at]))
		c->at++;
	return SPAN(c->in.p + from, c->at - from);
}

/* ( ... ) with its escapes and inner brackets. */
static void string(struct content *c)
{
	size_t from = c->at;
	unsigned open = 1;

	for (; c->at < c->in.n && open; c->at++) {
		uint8_t b = c->in.p[c->at];

		if (b == '\\')
			c->at++;
		else if (b == '(')
			open++;
		else if (b == ')')
			open--;
	}
	if (c->at > from + 1)
		c->letters = true;
}

static void hex_string(struct content *c)
{
	for (; c->at < c->in.n && c->in.p[c->at] != '>'; c->at++)
		c->letters = true;
	c->at++;
}

static bool number(struct span w, double *out)
{
	char text[64], *end;

	if (!w.n || w.n >= sizeof(text) || !(isdigit(w.p[0]) || strchr("+-.", w.p[0])))
		return false;
	memcpy(text, w.p, w.n);
	text[w.n] = '\0';
	*out = strtod(text, &end);
	return end == text + w.n;
}

static bool is(struct span w, const char *op)
{
	return w.n == strlen(op) && memcmp(w.p, op, w.n) == 0;
}

static void set_color(struct content *c, enum pdf_space space, size_t parts)
{
	size_t n = c->numbers < parts ? c->numbers : parts;

	look_color(c->d->l, pdf_color_of(space, c->number + (c->numbers - n), n));
}

static void pattern(struct content *c)
{
	qpdf_data q = c->d->q;
	qpdf_oh p = pdf_resource(c->d, c->resources, "/Pattern", c->name), shading;

	if (qpdf_oh_is_stream(q, p)) {
		pdf_form(c->d, p, c->resources, c->depth + 1);
		return;
	}
	shading = qpdf_oh_get_key_if_dict(q, p, "/Shading");
	if (qpdf_oh_is_stream(q, shading))
		shading = qpdf_oh_get_dict(q, shading);
	if (pdf_space_of(c->d, qpdf_oh_get_key_if_dict(q, shading, "/ColorSpace"), c->resources, 0) != PDF_GREY)
		look_color(c->d->l, INSPECT_COLOR_OK);
}

/* sc, scn: parts of a colour in the space that is set; or a pattern's name. */
static void set_in_space(struct content *c, enum pdf_space space)
{
	if (space == PDF_PATTERN || (c->name.n && !c->numbers))
		pattern(c);
	else
		set_color(c, space, OPERANDS_MAX);
}

static enum pdf_space set_space(struct content *c)
{
	char name[256];

	if (c->name.n + 2 > sizeof(name))
		return PDF_ANY;
	snprintf(name, sizeof(name), "/%.*s", (int)c->name.n, (const char *)c->name.p);
	return pdf_space_of(c->d, qpdf_oh_new_name(c->d->q, name), c->resources, 0);
}

static void shading(struct content *c)
{
	qpdf_data q = c->d->q;
	qpdf_oh s = pdf_resource(c->d, c->resources, "/Shading", c->name);

	if (qpdf_oh_is_stream(q, s))
		s = qpdf_oh_get_dict(q, s);
	if (pdf_space_of(c->d, qpdf_oh_get_key_if_dict(q, s, "/ColorSpace"), c->resources, 0) != PDF_GREY)
		look_color(c->d->l, INSPECT_COLOR_OK);
}

static void external(struct content *c)
{
	qpdf_data q = c->d->q;
	qpdf_oh x = pdf_resource(c->d, c->resources, "/XObject", c->name), kind;

	if (!qpdf_oh_is_stream(q, x))
		return;
	kind = qpdf_oh_get_key_if_dict(q, qpdf_oh_get_dict(q, x), "/Subtype");
	if (qpdf_oh_is_name_and_equals(q, kind, "/Form")) {
		pdf_form(c->d, x, c->resources, c->depth + 1);
	} else {
		c->d->l->image_seen = true;
		look_color(c->d->l, pdf_image_color(c->d, x, c->resources));
	}
}

/* Glyphs of a Type 3 font are content. */
static void font(struct content *c)
{
	qpdf_data q = c->d->q;
	qpdf_oh f = pdf_resource(c->d, c->resources, "/Font", c->name), glyphs, own;

	if (!qpdf_oh_is_name_and_equals(q, qpdf_oh_get_key_if_dict(q, f, "/Subtype"), "/Type3"))
		return;
	glyphs = qpdf_oh_get_key_if_dict(q, f, "/CharProcs");
	own = qpdf_oh_get_key_if_dict(q, f, "/Resources");
	if (!qpdf_oh_is_dictionary(q, glyphs))
		return;
	/* One iteration at a time is all that the library has: the names first. */
	for (unsigned pass = 0; pass < 256; pass++) {
		const char *key = NULL;
		unsigned i = 0;

		qpdf_oh_begin_dict_key_iter(q, glyphs);
		while (qpdf_oh_dict_more_keys(q) && (key = qpdf_oh_dict_next_key(q)) && i < pass)
			i++;
		if (!key || i < pass)
			return;
		pdf_form(c->d, qpdf_oh_get_key_if_dict(q, glyphs, key),
			qpdf_oh_is_dictionary(q, own) ? own : c->resources, c->depth + 1);
	}
}

/* BI ... ID data EI: its colour space stands among its keys; its data ends at EI between blanks. */
static void inline_image(struct content *c)
{
	bool mask = false, is_key = false;
	struct span key = {0}, value = {0};
	enum pdf_space space = PDF_GREY;

	c->d->l->image_seen = true;
	while (c->at < c->in.n) {
		uint8_t b = c->in.p[c->at];
		struct span w;

		if (is_space(b) || (is_delimiter(b) && b != '/')) {
			c->at++;
			continue;
		}
		if (b == '/')
			c->at++;
		w = word(c);
		if (b != '/' && is(w, "ID"))
			break;
		is_key = !is_key;
		if (is_key) {
			key = w;
			continue;
		}
		value = w;
		if (is(key, "IM") || is(key, "ImageMask"))
			mask = is(value, "true");
		if (is(key, "CS") || is(key, "ColorSpace")) {
			c->name = value;
			space = set_space(c);
		}
	}
	if (!mask && space != PDF_GREY)
		look_color(c->d->l, INSPECT_COLOR_OK);
	for (c->at++; c->at + 3 < c->in.n; c->at++)
		if (is_space(c->in.p[c->at]) && c->in.p[c->at + 1] == 'E' && c->in.p[c->at + 2] == 'I' &&
			is_space(c->in.p[c->at + 3]))
			break;
	c->at += 3;
}

static void save(struct content *c)
{
	if (c->states < STATES_MAX)
		c->saved[c->states] = c->state;
	c->states++;
}

static void restore(struct content *c)
{
	if (!c->states)
		return;
	c->states--;
	if (c->states < STATES_MAX)
		c->state = c->saved[c->states];
	else
		c->state = (struct state){PDF_ANY, PDF_ANY};
}

static void operator(struct content *c, struct span w)
{
	if (is(w, "q"))
		save(c);
	else if (is(w, "Q"))
		restore(c);
	else if (is(w, "rg") || is(w, "RG"))
		set_color(c, PDF_RGB, 3);
	else if (is(w, "k") || is(w, "K"))
		set_color(c, PDF_CMYK, 4);
	else if (is(w, "cs"))
		c->state.fill = set_space(c);
	else if (is(w, "CS"))
		c->state.stroke = set_space(c);
	else if (is(w, "sc") || is(w, "scn"))
		set_in_space(c, c->state.fill);
	else if (is(w, "SC") || is(w, "SCN"))
		set_in_space(c, c->state.stroke);
	else if (is(w, "Tj") || is(w, "TJ") || is(w, "'") || is(w, "\""))
		c->d->l->text_seen = c->d->l->text_seen || c->letters;
	else if (is(w, "Do"))
		external(c);
	else if (is(w, "Tf"))
		font(c);
	else if (is(w, "sh"))
		shading(c);
	else if (is(w, "BI"))
		inline_image(c);
	if (is(w, "rg") || is(w, "k") || is(w, "g"))
		c->state.fill = is(w, "g") ? PDF_GREY : is(w, "k") ? PDF_CMYK : PDF_RGB;
	if (is(w, "RG") || is(w, "K") || is(w, "G"))
		c->state.stroke = is(w, "G") ? PDF_GREY : is(w, "K") ? PDF_CMYK : PDF_RGB;
	c->numbers = 0;
	c->letters = false;
	c->name = SPAN(NULL, 0);
}

static void operand_or_operator(struct content *c)
{
	struct span w = word(c);
	double v;

	if (!w.n) {
		c->at++;
	} else if (number(w, &v)) {
		if (c->numbers < OPERANDS_MAX)
			c->number[c->numbers++] = v;
	} else {
		operator(c, w);
	}
}

void pdf_content(struct pdf *d, struct span content, qpdf_oh resources, unsigned depth)
{
	struct content c = {.d = d, .in = content, .resources = resources, .depth = depth};

	d->scanned += content.n;
	while (c.at < content.n) {
		uint8_t b = content.p[c.at];

		if (is_space(b)) {
			c.at++;
		} else if (b == '(') {
			c.at++;
			string(&c);
		} else if (b == '<' && c.at + 1 < content.n && content.p[c.at + 1] != '<') {
			c.at++;
			hex_string(&c);
		} else if (b == '/') {
			c.at++;
			c.name = word(&c);
		} else if (b == '%') {
			while (c.at < content.n && content.p[c.at] != '\n' && content.p[c.at] != '\r')
				c.at++;
		} else if (is_delimiter(b)) {
			c.at++;
		} else {
			operand_or_operator(&c);
		}
	}
}

void pdf_form(struct pdf *d, qpdf_oh stream, qpdf_oh resources, unsigned depth)
{
	int id = qpdf_oh_get_object_id(d->q, stream);
	_cleanup_free_ unsigned char *p = NULL;
	QPDF_BOOL unpacked = QPDF_FALSE;
	qpdf_oh own;
	size_t n = 0;

	if (!qpdf_oh_is_stream(d->q, stream))
		return;
	if (depth > PDF_DEPTH_MAX || id < 0 || id >= PDF_OBJECTS_MAX || d->scanned > PDF_CONTENT_MAX) {
		d->incomplete = true;
		return;
	}
	if (d->seen[id / 8] & 1u << id % 8)
		return;
	d->seen[id / 8] |= (uint8_t)(1u << id % 8);
	if (qpdf_oh_get_stream_data(d->q, stream, qpdf_dl_generalized, &unpacked, &p, &n) & QPDF_ERRORS) {
		pdf_failed(d);
		return;
	}
	own = qpdf_oh_get_key_if_dict(d->q, qpdf_oh_get_dict(d->q, stream), "/Resources");
	pdf_content(d, SPAN(p, n), qpdf_oh_is_dictionary(d->q, own) ? own : resources, depth);
}
