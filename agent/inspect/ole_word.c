/*
 * Text of Word 97 to 2003 (MS-DOC): the pieces that the table stream lists, in their order. See ole.h.
 */
#include "agent/inspect/ole.h"

#define FIB_MIN 0x1aau
#define FIB_IDENT 0xa5ecu
#define FIB_FLAGS 0x0a
#define FLAG_ENCRYPTED 0x0100u
#define FLAG_TABLE1 0x0200u
#define FIB_FC_CLX 0x1a2
#define FIB_LCB_CLX 0x1a6
#define PIECE_COMPRESSED 0x40000000u

const char *doc_table_name(struct span main)
{
	return main.n > FIB_FLAGS + 1 && get_le16(main.p + FIB_FLAGS) & FLAG_TABLE1 ? "1Table" : "0Table";
}

/* Marks of the format as what they are in text: cells, rows, paragraphs. */
static void plain(struct words *w, struct span utf8)
{
	size_t i, from = 0;

	for (i = 0; i < utf8.n; i++) {
		uint8_t c = utf8.p[i];
		const char *as = c == 7                                ? (i && utf8.p[i - 1] == 7 ? "\n" : "\t")
				 : c == '\r' || c == 0x0b || c == 0x0c ? "\n"
								       : NULL;

		if (!as)
			continue;
		words_put(w, SPAN(utf8.p + from, i - from));
		words_puts(w, as);
		from = i + 1;
	}
	words_put(w, SPAN(utf8.p + from, utf8.n - from));
}

/* One piece of `chars` characters. False where it is not there. */
static bool piece(struct words *w, struct span main, uint32_t fc, uint32_t chars)
{
	_cleanup_buf_ struct buf utf8 = BUF_INIT(WORDS_MAX);
	bool compressed = fc & PIECE_COMPRESSED;
	uint64_t at = compressed ? (fc & ~PIECE_COMPRESSED) / 2 : fc & 0x3fffffff,
		 n = compressed ? chars : 2ull * chars;
	size_t i;

	if (at > main.n || n > main.n - at)
		return false;
	if (!compressed) {
		if (encoding_to_utf8(ENCODING_UTF16LE, SPAN(main.p + at, n), &utf8, NULL))
			return false;
	} else if (buf_put(&utf8, main.p + at, n)) {
		return false;
	}
	/* Above ASCII these bytes are Windows's western letters: no digits, no words that are looked for. */
	for (i = 0; compressed && i < utf8.n; i++)
		utf8.p[i] = utf8.p[i] < 0x80 ? utf8.p[i] : ' ';
	plain(w, buf_span(&utf8));
	return true;
}

/* Where the list of pieces stands in the table stream. */
static bool find_pieces(struct span clx, struct span *out)
{
	while (clx.n >= 3 && clx.p[0] == 1) {
		size_t n = 3u + get_le16(clx.p + 1);

		clx = span_from(clx, n);
	}
	if (clx.n < 5 || clx.p[0] != 2)
		return false;
	*out = SPAN(clx.p + 5, clx.n - 5);
	if (get_le32(clx.p + 1) > out->n)
		return false;
	out->n = get_le32(clx.p + 1);
	return out->n >= 4;
}

int doc_read(struct look *l, struct span main, struct span table)
{
	struct words w = WORDS_INIT;
	struct span list;
	bool good = false;
	size_t n, i;

	if (main.n < FIB_MIN || get_le16(main.p) != FIB_IDENT) {
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "doc");
		return 0;
	}
	if (get_le16(main.p + FIB_FLAGS) & FLAG_ENCRYPTED)
		return V_DENIED;
	list = span_from(table, get_le32(main.p + FIB_FC_CLX));
	list.n = list.n < get_le32(main.p + FIB_LCB_CLX) ? list.n : get_le32(main.p + FIB_LCB_CLX);
	if (find_pieces(list, &list)) {
		good = true;
		n = (list.n - 4) / 12;
		for (i = 0; i < n && good; i++) {
			uint32_t from = get_le32(list.p + 4 * i), to = get_le32(list.p + 4 * i + 4);

			good = to >= from && piece(&w, main, get_le32(list.p + 4 * (n + 1) + 8 * i + 2), to - from);
		}
	}
	if (!good)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "doc");
	words_end(l, &w);
	return 0;
}
