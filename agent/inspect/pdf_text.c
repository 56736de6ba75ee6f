/*
 * Text of PDF documents by poppler, page by page, and counts of what is in it. poppler knows fonts, ToUnicode and the
 * character collections of Adobe; pieces of a content stream are not text. Only where the policy asks: it is a large
 * library for hostile bytes. See look.h and pdf_text.h.
 */
#include "agent/inspect/pdf_text.h"
#include "agent/inspect/layout.h"
#include "agent/inspect/ocr.h"
#include "agent/inspect/pdf_picture.h"
#include <ctype.h>
#include <errno.h>
#include <poppler.h>

#define PAGE_MAX (64u << 20) /* bytes of text of one page */

static void unrefp(void *object)
{
	g_clear_object((GObject **)object);
}

static unsigned missing_maps;

/* poppler says in words only that it does not know a character collection, or a map of it. */
static GLogWriterOutput hear(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer unused)
{
	gsize i;

	(void)level;
	(void)unused;
	for (i = 0; i < n; i++)
		if (strcmp(fields[i].key, "MESSAGE") == 0 &&
			(strstr(fields[i].value, "Missing language pack") ||
				strstr(fields[i].value, "Unknown character collection") ||
				strstr(fields[i].value, "Couldn't find")))
			missing_maps++;
	return G_LOG_WRITER_HANDLED;
}

void pdf_text_prepare(void)
{
	static const char empty[] = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
				    "2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
	static PopplerDocument *kept;
	GBytes *bytes = g_bytes_new_static(empty, sizeof(empty) - 1);

	g_log_set_writer_func(hear, NULL, NULL);
	/* The library looks for its data at the first open document, and forgets it with the last: this one stays. */
	if (!kept)
		kept = poppler_document_new_from_bytes(bytes, NULL, NULL);
	g_bytes_unref(bytes);
}

/* What the walk over the pages came upon. */
struct walk {
	unsigned long letters; /* pages with a letter */
	bool too_many_steps;
	struct pdf_unread pages, parts; /* whole pages, and pictures on pages with letters, that were not read */
};

static bool has_letters(const char *s)
{
	while (*s && isspace((unsigned char)*s))
		s++;
	return *s != '\0';
}

/* The page's letters, line by line. */
static int page_text(PopplerPage *page, struct buf *out)
{
	_cleanup_(layout_freep) struct layout *layout = NULL;
	char *text = poppler_page_get_text(page);
	PopplerRectangle *at = NULL;
	struct layout_box *box = NULL;
	guint n = 0, i;
	int r = layout_new(&layout);

	if (!r && text && poppler_page_get_text_layout(page, &at, &n)) {
		box = calloc(n + 1, sizeof(*box));
		for (i = 0; box && i < n; i++)
			box[i] = (struct layout_box){at[i].x1, at[i].y1, at[i].x2, at[i].y2};
		r = box ? layout_text(layout, text, box, n) : -ENOMEM;
		r = r ? r : layout_put(layout, out);
	}
	free(box);
	g_free(at);
	g_free(text);
	return r;
}

/* What of its text could not be had. */
static void gaps(struct look *l, const struct walk *w, int pages)
{
	unsigned long letters = w->letters;

	if (w->too_many_steps)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "a pattern took too many steps");
	if (missing_maps)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_NOT_SAID, "characters of a collection that is not installed");
	/* One letter on a cover says nothing of the scans behind it. */
	if (letters && w->pages.n)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_NOT_LOOKED_AT, "pictures only: %u of %d pages, first page %d",
			w->pages.n, pages, w->pages.first);
	if (w->parts.n)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_NOT_LOOKED_AT, "pictures on %u of %d pages, first page %d",
			w->parts.n, pages, w->parts.first);
	/* What letters do not say, their picture does. */
	if (l->ocr && !letters)
		return;
	if (!letters && l->text_seen)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_NOT_SAID, "its letters do not say what they stand for");
	if (!letters && !l->text_seen && l->facts->pages)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_NOT_LOOKED_AT, "pictures only");
	if (!w->too_many_steps && !missing_maps && letters && !w->pages.n)
		l->facts->flags |= INSPECT_TEXT_READ;
}

/* Letters of a page, as counts; without any, or beside them, what its pictures show. */
static void look_page(struct look *l, PopplerPage *page, int number, struct walk *w)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(PAGE_MAX);
	/* Fonts say "radical" where the letter is meant: the compatible form is the one that people type. */
	int r = page_text(page, &raw);
	char *text = !r ? g_utf8_normalize(buf_str(&raw), -1, G_NORMALIZE_NFKC) : NULL;

	if (r)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "text of page %d", number);
	if (text && has_letters(text)) {
		if (w->letters++)
			patterns_continue(l->patterns);
		if (!look_counts(l, SPAN_STR(text)))
			w->too_many_steps = true;
		pdf_picture_parts(l, page, number, &w->parts);
	} else {
		pdf_picture_page(l, page, number, &w->pages);
	}
	g_free(text);
}

void look_pdf_text(struct look *l, struct span doc)
{
	GBytes *bytes = g_bytes_new_static(doc.p, doc.n);
	_cleanup_(unrefp) PopplerDocument *d = poppler_document_new_from_bytes(bytes, NULL, NULL);
	struct walk w = {0};
	int i, n;

	g_bytes_unref(bytes);
	l->tell(l, INSPECT_ABOUT_TEXT);
	if (!d) {
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "poppler does not open it");
		return;
	}
	missing_maps = 0;
	n = poppler_document_get_n_pages(d);
	for (i = 0; i < n; i++) {
		_cleanup_(unrefp) PopplerPage *page = poppler_document_get_page(d, i);

		if (page)
			look_page(l, page, i + 1, &w);
		else
			look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "page %d", i + 1);
	}
	gaps(l, &w, n);
}
