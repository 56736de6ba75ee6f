/*
 * Plain text: how it falls on pages is decided by whoever lays it out. See look.h.
 */
#include "policy/base/text.h"
#include "agent/inspect/look.h"

#define UTF16_MAX (64u << 20)

static void put_utf8(struct buf *b, uint32_t c)
{
	uint8_t u[4];
	size_t n;

	if (c < 0x80) {
		u[0] = (uint8_t)c;
		n = 1;
	} else if (c < 0x800) {
		u[0] = (uint8_t)(0xc0 | c >> 6);
		u[1] = (uint8_t)(0x80 | (c & 0x3f));
		n = 2;
	} else if (c < 0x10000) {
		u[0] = (uint8_t)(0xe0 | c >> 12);
		u[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		u[2] = (uint8_t)(0x80 | (c & 0x3f));
		n = 3;
	} else {
		u[0] = (uint8_t)(0xf0 | c >> 18);
		u[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		u[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		u[3] = (uint8_t)(0x80 | (c & 0x3f));
		n = 4;
	}
	buf_put(b, u, n);
}

/* Lone surrogates become U+FFFD. */
static void from_utf16(struct buf *out, struct span s, bool little)
{
	size_t i;

	for (i = 2; i + 1 < s.n; i += 2) {
		uint32_t c = little ? (uint32_t)(s.p[i + 1] << 8 | s.p[i]) : get_be16(s.p + i), d;

		if (c >= 0xd800 && c < 0xdc00 && i + 3 < s.n) {
			d = little ? (uint32_t)(s.p[i + 3] << 8 | s.p[i + 2]) : get_be16(s.p + i + 2);
			if (d >= 0xdc00 && d < 0xe000) {
				c = 0x10000 + ((c & 0x3ff) << 10 | (d & 0x3ff));
				i += 2;
			}
		}
		put_utf8(out, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
	}
}

void look_text(struct look *l, struct span doc)
{
	_cleanup_buf_ struct buf utf8 = BUF_INIT(2 * (uint64_t)UTF16_MAX);
	bool little = span_starts(doc, "\xff\xfe", 2), big = span_starts(doc, "\xfe\xff", 2);

	look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_NOT_SAID, "plain text");
	look_color(l, INSPECT_GREY);
	if (!l->text)
		return;
	if ((little || big) && doc.n > UTF16_MAX) {
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "UTF-16");
		return;
	}
	if (little || big) {
		from_utf16(&utf8, doc, little);
		doc = buf_span(&utf8);
	}
	/* The digits of Shift_JIS, EUC-JP and ISO-2022-JP are those of ASCII, unless they are full-width. */
	if (patterns_count(l->patterns, doc, l->facts))
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "a pattern took too many steps");
	else
		l->facts->flags |= INSPECT_TEXT_READ;
	if (!text_is_utf8(doc))
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_NOT_LOOKED_AT, "not UTF-8: full-width digits and words");
}
