/*
 * PDF by qpdf: protection, pages, paper, maker; then, page by page, colours and letters (pdf_content.c). See look.h.
 */
#include "agent/inspect/pdf.h"
#include <math.h>

#define UM_PER_POINT (25400.0 / 72)
#define BOXES_MAX 20000 /* pages whose paper is looked at */

static void pdf_done(struct pdf *d)
{
	/* an error that nobody took would be printed */
	if (d->q && qpdf_has_error(d->q))
		qpdf_get_error(d->q);
	if (d->q)
		qpdf_cleanup(&d->q);
	free(d->seen);
}

/* The words of qpdf's last error. */
static const char *error_text(struct pdf *d, enum qpdf_error_code_e *code)
{
	qpdf_error e = qpdf_get_error(d->q);

	*code = e ? qpdf_get_error_code(d->q, e) : qpdf_e_internal;
	return e ? qpdf_get_error_message_detail(d->q, e) : "";
}

static void unreadable(struct pdf *d, enum inspect_what what)
{
	enum qpdf_error_code_e code;
	const char *text = error_text(d, &code);

	if (code == qpdf_e_password) {
		look_locked(d->l, what, "");
	} else if (strstr(text, "bad_alloc")) {
		look_gap(d->l, what, INSPECT_TOO_BIG, "memory");
	} else {
		look_gap(d->l, what, INSPECT_BROKEN, "%s", text);
	}
}

/* qpdf's warnings: of the structure, not of single values; and of memory, which is our own bound. */
static void warnings(struct pdf *d)
{
	while (qpdf_more_warnings(d->q)) {
		qpdf_error e = qpdf_next_warning(d->q);

		if (strstr(qpdf_get_error_message_detail(d->q, e), "bad_alloc"))
			d->too_big = true;
		else if (qpdf_get_error_code(d->q, e) == qpdf_e_damaged_pdf)
			d->l->facts->flags |= INSPECT_DAMAGED;
	}
}

void pdf_failed(struct pdf *d)
{
	enum qpdf_error_code_e code;
	bool before = d->too_big;

	d->too_big = strstr(error_text(d, &code), "bad_alloc") != NULL;
	warnings(d);
	if (!d->too_big)
		d->incomplete = true;
	d->too_big = d->too_big || before;
}

/* What the document says of its pages; believed only where they could not be walked. */
static void claimed_pages(struct pdf *d)
{
	qpdf_oh pages = qpdf_oh_get_key_if_dict(d->q, qpdf_get_root(d->q), "/Pages");
	qpdf_oh count = qpdf_oh_get_key_if_dict(d->q, pages, "/Count");
	long long n = 0;

	if (qpdf_oh_get_value_as_longlong(d->q, count, &n) && n > 0) {
		look_pages(d->l, (uint64_t)n);
		d->l->facts->flags |= INSPECT_CLAIMED;
	}
}

/* Of the document's own description, as UTF-8 (LibreOffice writes UTF-16); NULL. Until the next call. */
static const char *info_text(struct pdf *d, const char *key)
{
	qpdf_oh info = qpdf_oh_get_key_if_dict(d->q, qpdf_get_trailer(d->q), "/Info");
	qpdf_oh text = qpdf_oh_get_key_if_dict(d->q, info, key);
	const char *s = qpdf_oh_is_string(d->q, text) ? qpdf_oh_get_utf8_value(d->q, text) : NULL;

	return s && s[0] ? s : NULL;
}

static void generator(struct pdf *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4096);
	const char *creator = info_text(d, "/Creator"), *producer;

	if (creator && buf_putf(&b, "%.1000s", creator))
		return;
	producer = info_text(d, "/Producer");
	if (producer && buf_putf(&b, "%s%.1000s", b.n ? "; " : "", producer))
		return;
	if (b.n)
		look_generator(d->l, buf_span(&b));
}

static double number_at(struct pdf *d, qpdf_oh array, int i)
{
	double v = 0;

	return qpdf_oh_get_value_as_number(d->q, qpdf_oh_get_array_item(d->q, array, i), &v) ? v : 0;
}

static void page_size(struct pdf *d, qpdf_oh page)
{
	qpdf_oh box = qpdf_oh_get_key_if_dict(d->q, page, "/MediaBox");
	double w, h, unit = 1;
	int turn = 0;

	if (!qpdf_oh_is_array(d->q, box) || qpdf_oh_get_array_n_items(d->q, box) != 4)
		return;
	w = fabs(number_at(d, box, 2) - number_at(d, box, 0));
	h = fabs(number_at(d, box, 3) - number_at(d, box, 1));
	if (!qpdf_oh_get_value_as_number(d->q, qpdf_oh_get_key_if_dict(d->q, page, "/UserUnit"), &unit) || !(unit > 0))
		unit = 1;
	qpdf_oh_get_value_as_int(d->q, qpdf_oh_get_key_if_dict(d->q, page, "/Rotate"), &turn);
	if (turn % 180 != 0)
		look_size(d->l, h * unit * UM_PER_POINT, w * unit * UM_PER_POINT);
	else
		look_size(d->l, w * unit * UM_PER_POINT, h * unit * UM_PER_POINT);
}

/* What the document wishes for when it is printed. */
static void wishes(struct pdf *d)
{
	qpdf_oh view = qpdf_oh_get_key_if_dict(d->q, qpdf_get_root(d->q), "/ViewerPreferences");
	qpdf_oh duplex = qpdf_oh_get_key_if_dict(d->q, view, "/Duplex");
	int copies = 0;

	if (qpdf_oh_get_value_as_int(d->q, qpdf_oh_get_key_if_dict(d->q, view, "/NumCopies"), &copies) && copies > 0 &&
		!d->l->facts->copies)
		d->l->facts->copies = (uint32_t)copies;
	if (d->l->facts->duplex != INSPECT_DUPLEX_UNKNOWN || !qpdf_oh_is_name(d->q, duplex))
		return;
	if (qpdf_oh_is_name_and_equals(d->q, duplex, "/Simplex"))
		d->l->facts->duplex = INSPECT_ONE_SIDED;
	else if (qpdf_oh_is_name_and_equals(d->q, duplex, "/DuplexFlipShortEdge"))
		d->l->facts->duplex = INSPECT_SHORT_EDGE;
	else if (qpdf_oh_is_name_and_equals(d->q, duplex, "/DuplexFlipLongEdge"))
		d->l->facts->duplex = INSPECT_LONG_EDGE;
}

/* Stamps, form fields and notes are printed too: their appearance is content. */
static void annotations(struct pdf *d, qpdf_oh page, qpdf_oh resources)
{
	qpdf_oh list = qpdf_oh_get_key_if_dict(d->q, page, "/Annots");
	int i, n = qpdf_oh_is_array(d->q, list) ? qpdf_oh_get_array_n_items(d->q, list) : 0;

	for (i = 0; i < n; i++) {
		qpdf_oh look = qpdf_oh_get_key_if_dict(d->q, qpdf_oh_get_array_item(d->q, list, i), "/AP");
		qpdf_oh normal = qpdf_oh_get_key_if_dict(d->q, look, "/N");

		if (qpdf_oh_is_stream(d->q, normal))
			pdf_form(d, normal, resources, 1);
	}
}

static void page_content(struct pdf *d, qpdf_oh page)
{
	qpdf_oh resources = qpdf_oh_get_key_if_dict(d->q, page, "/Resources");
	_cleanup_free_ unsigned char *p = NULL;
	size_t n = 0;

	if (qpdf_oh_get_page_content_data(d->q, page, &p, &n) & QPDF_ERRORS)
		pdf_failed(d);
	else
		pdf_content(d, SPAN(p, n), resources, 0);
	annotations(d, page, resources);
}

static void contents(struct pdf *d, int pages)
{
	struct look *l = d->l;
	int i;

	l->tell(l, INSPECT_ABOUT_COLOR);
	l->text_seen = l->image_seen = false;
	for (i = 0; i < pages && d->scanned <= PDF_CONTENT_MAX; i++) {
		page_content(d, qpdf_get_page_n(d->q, (size_t)i));
		qpdf_oh_release_all(d->q);
		if (l->facts->color == INSPECT_COLOR && l->text_seen)
			return;
	}
	if (d->scanned > PDF_CONTENT_MAX || d->too_big || d->incomplete) {
		look_gap(l, INSPECT_ABOUT_COLOR, d->incomplete ? INSPECT_BROKEN : INSPECT_TOO_BIG, "content");
		return;
	}
	look_color(l, INSPECT_GREY);
	if (pages && !l->text_seen && l->image_seen)
		l->facts->flags |= INSPECT_IMAGE_ONLY;
}

/* How a reader would call it. */
static void damage(struct pdf *d, struct span doc)
{
	struct span tail = doc.n > 2048 ? SPAN(doc.p + doc.n - 2048, 2048) : doc;

	if (span_find(tail, "%%EOF", 5) == SIZE_MAX)
		d->l->facts->flags |= INSPECT_TRUNCATED;
	warnings(d);
	/* an object that is not there where one must be */
	if (qpdf_has_error(d->q) && qpdf_get_error_code(d->q, qpdf_get_error(d->q)) != qpdf_e_success)
		d->l->facts->flags |= INSPECT_DAMAGED;
}

void look_pdf(struct look *l, struct span doc)
{
	_cleanup_(pdf_done) struct pdf d = {.q = qpdf_init(), .l = l, .seen = calloc(1, PDF_OBJECTS_MAX / 8)};
	int pages, i;

	if (!d.q || !d.seen) {
		look_gap(l, INSPECT_ABOUT_ALL, INSPECT_TOO_BIG, "memory");
		return;
	}
	l->tell(l, INSPECT_ABOUT_ALL);
	qpdf_silence_errors(d.q);
	qpdf_set_suppress_warnings(d.q, QPDF_TRUE);
	if (qpdf_read_memory(d.q, "document", (const char *)doc.p, doc.n, NULL) & QPDF_ERRORS) {
		unreadable(&d, INSPECT_ABOUT_ALL);
		damage(&d, doc);
		return;
	}
	if (qpdf_is_encrypted(d.q))
		l->facts->flags |= INSPECT_ENCRYPTED;
	generator(&d);
	wishes(&d);
	l->tell(l, INSPECT_ABOUT_PAGES);
	pages = qpdf_get_num_pages(d.q);
	if (pages < 0) {
		unreadable(&d, INSPECT_ABOUT_PAGES);
		claimed_pages(&d);
		damage(&d, doc);
		return;
	}
	look_pages(l, (uint64_t)pages);
	if (qpdf_push_inherited_attributes_to_page(d.q) & QPDF_ERRORS)
		d.incomplete = true;
	for (i = 0; i < pages && i < BOXES_MAX; i++) {
		page_size(&d, qpdf_get_page_n(d.q, (size_t)i));
		qpdf_oh_release_all(d.q);
	}
	contents(&d, pages);
	damage(&d, doc);
	if (l->text)
		look_pdf_text(l, doc);
}
