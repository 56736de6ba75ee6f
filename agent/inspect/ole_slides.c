/*
 * Text of PowerPoint 97 to 2003 (MS-PPT): its atoms of text, wherever they stand. See ole.h.
 */
#include "agent/inspect/ole.h"

enum { TEXT_CHARS = 0x0fa0, TEXT_BYTES = 0x0fa8, CSTRING = 0x0fba };

#define HEAD 8

/* A line for each atom; the low bytes of sixteen bits are letters of Latin-1, of which ASCII is looked at. */
static void atom(struct words *w, unsigned type, struct span s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(WORDS_MAX);
	size_t i;

	if (type == TEXT_BYTES ? buf_put_span(&b, s) : encoding_to_utf8(ENCODING_UTF16LE, s, &b, NULL))
		w->full = true;
	for (i = 0; i < b.n; i++) {
		if (b.p[i] == '\r' || b.p[i] == 0x0b)
			b.p[i] = '\n';
		else if (type == TEXT_BYTES && b.p[i] >= 0x80)
			b.p[i] = ' ';
	}
	words_put(w, buf_span(&b));
	words_puts(w, "\n");
}

void ppt_read(struct look *l, struct span s)
{
	struct words w = WORDS_INIT;
	size_t at = 0;

	while (s.n - at >= HEAD) {
		unsigned version = s.p[at] & 0x0f, type = (unsigned)(s.p[at + 3] << 8 | s.p[at + 2]);
		uint32_t n = get_le32(s.p + at + 4);

		at += HEAD;
		/* Containers are walked into by going on. */
		if (version == 0x0f)
			continue;
		if (n > s.n - at) {
			look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "ppt");
			break;
		}
		if (type == TEXT_CHARS || type == TEXT_BYTES || type == CSTRING)
			atom(&w, type, SPAN(s.p + at, n));
		at += n;
	}
	words_end(l, &w);
}
