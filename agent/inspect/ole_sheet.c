/*
 * Sheets of Excel 97 to 2003 (MS-XLS, BIFF8; of BIFF5 the numbers and strings in cells): rows as lines, cells at their
 * columns. See ole.h. The table of strings runs on over CONTINUE records, in which a string that was cut begins with
 * its width anew.
 */
#include "agent/inspect/office.h"
#include "agent/inspect/ole.h"
#include <math.h>

enum {
	FORMULA = 0x006,
	FILEPASS = 0x02f,
	CONTINUE = 0x03c,
	MULRK = 0x0bd,
	SST = 0x0fc,
	LABELSST = 0x0fd,
	NUMBER = 0x203,
	LABEL = 0x204,
	STRING = 0x207,
	RK = 0x27e,
	BOF = 0x809,
};

#define HEAD 4
#define WIDE 1u
#define EXTENDED 4u
#define RICH 8u

struct book {
	struct look *l;
	struct span s;
	size_t at; /* behind the record that is read */
	struct sheets strings;
	struct words words;
	unsigned row, column;
	bool broken;
};

/* The next record's body; its type, or 0 at the end. */
static unsigned record(struct book *b, struct span *body)
{
	const uint8_t *p = b->s.p + b->at;
	size_t n;

	if (b->s.n - b->at < HEAD)
		return 0;
	n = get_le16(p + 2);
	if (n > b->s.n - b->at - HEAD) {
		b->broken = true;
		return 0;
	}
	*body = SPAN(p + HEAD, n);
	b->at += HEAD + n;
	return get_le16(p);
}

/* More of the table of strings, if a CONTINUE follows. */
static bool go_on(struct book *b, struct span *in)
{
	size_t before = b->at;

	if (record(b, in) == CONTINUE)
		return true;
	b->at = before;
	return false;
}

static bool take(struct book *b, struct span *in, uint8_t *out, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		while (!in->n)
			if (!go_on(b, in))
				return false;
		if (out)
			out[i] = in->p[0];
		*in = span_from(*in, 1);
	}
	return true;
}

static bool put_wide(struct buf *out, struct span s, bool wide)
{
	size_t i;

	if (wide)
		return !encoding_to_utf8(ENCODING_UTF16LE, s, out, NULL);
	for (i = 0; i < s.n; i++) {
		uint8_t c = s.p[i] < 0x80 ? s.p[i] : ' ';

		if (buf_put(out, &c, 1))
			return false;
	}
	return true;
}

/* One string of the table into `out`. False where the table ends, or there is no room. */
static bool one_string(struct book *b, struct span *in, struct buf *out)
{
	uint8_t head[3], n[4];
	uint64_t skip = 0;
	size_t chars;
	bool wide;

	if (!take(b, in, head, 3))
		return false;
	chars = get_le16(head);
	wide = head[2] & WIDE;
	if (head[2] & RICH) {
		if (!take(b, in, n, 2))
			return false;
		skip += 4ull * get_le16(n);
	}
	if (head[2] & EXTENDED) {
		if (!take(b, in, n, 4))
			return false;
		skip += get_le32(n);
	}
	while (chars) {
		size_t each = wide ? 2 : 1, now = in->n / each < chars ? in->n / each : chars;

		if (!put_wide(out, SPAN(in->p, now * each), wide))
			return false;
		*in = span_from(*in, now * each);
		chars -= now;
		if (!chars)
			break;
		if (!go_on(b, in) || !take(b, in, head, 1))
			return false;
		wide = head[0] & WIDE;
	}
	return skip <= b->s.n && take(b, in, NULL, (size_t)skip);
}

static void strings(struct book *b, struct span body)
{
	uint32_t n, i;

	if (body.n < 8) {
		b->broken = true;
		return;
	}
	n = get_le32(body.p + 4);
	body = span_from(body, 8);
	sheets_begin(&b->strings);
	for (i = 0; i < n; i++)
		if (!one_string(b, &body, &b->strings.strings) || !sheets_string_end(&b->strings)) {
			b->broken = true;
			return;
		}
}

/* Where the next cell stands: lines and tabs up to there. */
static void go_to(struct book *b, unsigned row, unsigned column)
{
	if (row != b->row || column < b->column) {
		words_puts(&b->words, "\n");
		b->row = row;
		b->column = 0;
	}
	while (b->column < column && b->column < SHEET_COLUMNS_KEPT) {
		words_puts(&b->words, "\t");
		b->column++;
	}
}

static void number(struct book *b, double d)
{
	char text[32];

	snprintf(text, sizeof(text), d >= 0 && d < 1e15 && d == floor(d) ? "%.0f" : "%g", d);
	sheets_put_number(&b->words, text);
}

/* MS-XLS 2.5.217: an integer or the upper 30 bits of a double, by hundred or not. */
static double rk(uint32_t v)
{
	double d;
	uint64_t bits = (uint64_t)(v & ~3u) << 32;

	if (v & 2)
		d = (double)((int32_t)v >> 2);
	else
		memcpy(&d, &bits, sizeof(d));
	return v & 1 ? d / 100 : d;
}

static double get_double(const uint8_t *p)
{
	uint64_t bits = (uint64_t)get_le32(p + 4) << 32 | get_le32(p);
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static void shared(struct book *b, uint32_t i)
{
	size_t from;

	if (i >= b->strings.n)
		return;
	from = i ? b->strings.ends[i - 1] : 0;
	words_put(&b->words, SPAN(b->strings.strings.p + from, b->strings.ends[i] - from));
}

/* A string with its length before it, as LABEL and STRING have it. */
static void label(struct book *b, struct span s)
{
	size_t n;
	bool wide;

	if (s.n < 3)
		return;
	n = get_le16(s.p);
	wide = s.p[2] & WIDE;
	s = span_from(s, 3);
	n = wide ? 2 * n : n;
	if (!put_wide(&b->words.text, SPAN(s.p, n < s.n ? n : s.n), wide))
		b->words.full = true;
}

static void cell(struct book *b, unsigned type, struct span s)
{
	size_t i;

	if (s.n < 6)
		return;
	go_to(b, get_le16(s.p), get_le16(s.p + 2));
	if (type == LABELSST && s.n >= 10) {
		shared(b, get_le32(s.p + 6));
	} else if (type == NUMBER && s.n >= 14) {
		number(b, get_double(s.p + 6));
	} else if (type == FORMULA && s.n >= 14 && get_le16(s.p + 12) != 0xffff) {
		number(b, get_double(s.p + 6));
	} else if (type == RK && s.n >= 10) {
		number(b, rk(get_le32(s.p + 6)));
	} else if (type == LABEL) {
		label(b, span_from(s, 6));
	} else if (type == MULRK) {
		for (i = 0; 4 + 6 * i + 6 + 2 <= s.n; i++) {
			go_to(b, get_le16(s.p), get_le16(s.p + 2) + (unsigned)i);
			number(b, rk(get_le32(s.p + 4 + 6 * i + 2)));
		}
	}
}

int xls_read(struct look *l, struct span stream)
{
	struct book b = {.l = l, .s = stream, .words = WORDS_INIT};
	struct span body;
	unsigned type;
	bool locked = false;

	while (!locked && (type = record(&b, &body)))
		switch (type) {
		case BOF:
			words_end(l, &b.words);
			b.row = b.column = 0;
			break;
		case FILEPASS:
			locked = true;
			break;
		case SST:
			strings(&b, body);
			break;
		case STRING: /* what the formula before it became */
			label(&b, body);
			break;
		case LABELSST:
		case NUMBER:
		case FORMULA:
		case RK:
		case MULRK:
		case LABEL:
			cell(&b, type, body);
			break;
		default:
			break;
		}
	if (b.broken)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "xls");
	words_end(l, &b.words);
	sheets_done(&b.strings);
	return locked ? V_DENIED : 0;
}
