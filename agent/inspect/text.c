/*
 * Plain text: how it falls on pages is decided by whoever lays it out. See look.h.
 */
#include "agent/inspect/container.h"
#include "agent/inspect/encoding.h"
#include <ctype.h>

/* Text in which letters are also written as numbers: XML says &#49; or &#x31;, JSON \\u0031. */
enum written { AS_THEY_ARE, AS_XML, AS_JSON };

static enum written written_as(struct span s)
{
	s = span_starts(s, "\xef\xbb\xbf", 3) ? span_from(s, 3) : s;
	while (s.n && isspace(s.p[0]))
		s = span_from(s, 1);
	if (s.n && s.p[0] == '<' && span_find(s, "&#", 2) != SIZE_MAX)
		return AS_XML;
	if (s.n && (s.p[0] == '{' || s.p[0] == '[') && span_find(s, "\\u", 2) != SIZE_MAX)
		return AS_JSON;
	return AS_THEY_ARE;
}

/* The number of up to `max` digits that stands there; their count. */
static size_t code_at(struct span s, size_t at, unsigned base, size_t max, uint32_t *code)
{
	size_t n = 0;

	*code = 0;
	while (n < max && at + n < s.n && (base == 16 ? isxdigit(s.p[at + n]) : isdigit(s.p[at + n]))) {
		uint8_t c = s.p[at + n++];

		*code = *code * base + (uint32_t)(isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return n;
}

/* The letter that is written as a number at `at`, and how long that is; 0: none is. */
static size_t letter_at(struct span s, size_t at, enum written how, uint32_t *code)
{
	size_t head, n;
	bool hex;

	if (how == AS_JSON) {
		uint32_t low;

		if (!span_starts(span_from(s, at), "\\u", 2) || code_at(s, at + 2, 16, 4, code) != 4)
			return 0;
		if (*code >= 0xd800 && *code < 0xdc00 && span_starts(span_from(s, at + 6), "\\u", 2) &&
			code_at(s, at + 8, 16, 4, &low) == 4 && low >= 0xdc00 && low < 0xe000) {
			*code = 0x10000 + ((*code - 0xd800) << 10 | (low - 0xdc00));
			return 12;
		}
		return 6;
	}
	if (!span_starts(span_from(s, at), "&#", 2))
		return 0;
	hex = at + 2 < s.n && (s.p[at + 2] | 0x20) == 'x';
	head = hex ? 3 : 2;
	n = code_at(s, at + head, hex ? 16 : 10, 7, code);
	return n ? head + n + (at + head + n < s.n && s.p[at + head + n] == ';') : 0;
}

static int put_letter(struct buf *out, uint32_t c)
{
	uint8_t b[4] = {(uint8_t)c};
	size_t n = 1;

	if (c >= 0x10000)
		n = 4;
	else if (c >= 0x80)
		n = c >= 0x800 ? 3 : 2;
	if (n == 2) {
		b[0] = (uint8_t)(0xc0 | c >> 6);
	} else if (n == 3) {
		b[0] = (uint8_t)(0xe0 | c >> 12);
		b[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	} else if (n == 4) {
		b[0] = (uint8_t)(0xf0 | c >> 18);
		b[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		b[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	}
	if (n > 1)
		b[n - 1] = (uint8_t)(0x80 | (c & 0x3f));
	return buf_put(out, b, n);
}

static int spelled_out(struct span s, enum written how, struct buf *out)
{
	size_t at = 0, from = 0, n;
	int r = 0;

	while (at < s.n && !r) {
		uint32_t code = 0;

		n = s.p[at] == '&' || s.p[at] == '\\' ? letter_at(s, at, how, &code) : 0;
		if (!n || !code || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
			at++;
			continue;
		}
		r = buf_put(out, s.p + from, at - from);
		r = r ? r : put_letter(out, code);
		from = at += n;
	}
	return r ? r : buf_put(out, s.p + from, s.n - from);
}

static void look_letters(struct look *l, struct span utf8)
{
	_cleanup_buf_ struct buf out = BUF_INIT(WORDS_MAX);
	enum written how = written_as(utf8);

	if (how == AS_THEY_ARE) {
		look_words(l, utf8);
	} else if (!spelled_out(utf8, how, &out)) {
		look_words(l, buf_span(&out));
	} else {
		/* Most of it is written as it is. */
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "letters written as numbers");
		look_words(l, utf8);
	}
}

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

static void look_plain(struct look *l, struct span doc, bool commands)
{
	_cleanup_buf_ struct buf utf8 = BUF_INIT(WORDS_MAX);
	enum encoding e;

	if (!commands) {
		look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_NOT_SAID, "plain text");
		look_color(l, INSPECT_GREY);
	}
	if (!l->text)
		return;
	/* What needs no change is not copied: a log of gigabytes is text too. */
	e = encoding_of(doc);
	if (e == ENCODING_UTF8)
		look_letters(l, doc);
	else if (to_utf8(l, e, doc, &utf8))
		look_letters(l, buf_span(&utf8));
}

void look_text(struct look *l, struct span doc)
{
	look_plain(l, doc, false);
}

void look_commands(struct look *l, struct span doc)
{
	look_plain(l, doc, true);
}
