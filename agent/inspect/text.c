/*
 * Plain text: how it falls on pages is decided by whoever lays it out. See look.h.
 */
#include "agent/inspect/container.h"
#include "agent/inspect/encoding.h"

static bool to_utf8(struct look *l, enum encoding e, struct span doc, struct buf *out)
{
	uint64_t lost = 0;
	int r;

	if (e == ENCODING_UNKNOWN)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_NOT_SAID, "in which encoding it is");
	r = encoding_to_utf8(e, doc, out, &lost);
	if (r)
		look_gap(l, INSPECT_ABOUT_TEXT, r == V_NOT_FOUND ? INSPECT_NOT_LOOKED_AT : INSPECT_TOO_BIG, "%s",
			encoding_name(e));
	else if (lost)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "bytes that are no characters of %s", encoding_name(e));
	return !r;
}

bool look_utf8(struct look *l, struct span doc, struct buf *out)
{
	return to_utf8(l, encoding_of(doc), doc, out);
}

void look_encoded(struct look *l, enum encoding e, struct span doc)
{
	_cleanup_buf_ struct buf utf8 = BUF_INIT(WORDS_MAX);

	if (encoding_to_utf8(e, doc, &utf8, NULL))
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "%s", encoding_name(e));
	else
		look_words(l, buf_span(&utf8));
}

void look_text(struct look *l, struct span doc)
{
	_cleanup_buf_ struct buf utf8 = BUF_INIT(WORDS_MAX);
	enum encoding e;

	look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_NOT_SAID, "plain text");
	look_color(l, INSPECT_GREY);
	if (!l->text)
		return;
	/* What needs no change is not copied: a log of gigabytes is text too. */
	e = encoding_of(doc);
	if (e == ENCODING_UTF8)
		look_words(l, doc);
	else if (to_utf8(l, e, doc, &utf8))
		look_words(l, buf_span(&utf8));
}
