/*
 * Text of RTF (Microsoft's specification 1.9.1): letters by \uN, or as bytes of code page 932; paragraphs as lines,
 * cells with a tab behind them. Groups that hold no text of people (fonts, colours, pictures, what a reader may pass
 * over) are passed over. See container.h.
 */
#include "agent/inspect/container.h"
#include "agent/inspect/encoding.h"
#include <ctype.h>

#define GROUPS_MAX 256u

struct rtf {
	struct look *l;
	struct words words;
	struct buf bytes;           /* of code page 932, until something else comes */
	unsigned depth, silent;     /* groups open; from which of them on there is no text (0: there is) */
	unsigned skip;              /* characters that stand for the last \u in readers without it */
	unsigned after[GROUPS_MAX]; /* \ucN of each group */
};

static void flush(struct rtf *r)
{
	if (r->bytes.n && encoding_to_utf8(ENCODING_CP932, buf_span(&r->bytes), &r->words.text, NULL))
		r->words.full = true;
	buf_clear(&r->bytes);
}

static void byte(struct rtf *r, uint8_t c)
{
	if (r->skip) {
		r->skip--;
		return;
	}
	if (!r->silent && buf_put(&r->bytes, &c, 1))
		r->words.full = true;
}

static void unicode(struct rtf *r, long n)
{
	/* Negative where it is above 32767. Characters beyond the first plane come as two surrogates, and are no
	 * digits. */
	uint32_t c = (uint32_t)(n < 0 ? n + 65536 : n) & 0xffff;
	uint8_t u[3] = {(uint8_t)(0xe0 | c >> 12), (uint8_t)(0x80 | (c >> 6 & 0x3f)), (uint8_t)(0x80 | (c & 0x3f))};

	flush(r);
	r->skip = r->after[r->depth];
	if (r->silent || (c >= 0xd800 && c < 0xe000))
		return;
	if (c < 0x80) {
		u[0] = (uint8_t)c;
		words_put(&r->words, SPAN(u, 1));
	} else if (c < 0x800) {
		u[1] = (uint8_t)(0xc0 | c >> 6);
		words_put(&r->words, SPAN(u + 1, 2));
	} else {
		words_put(&r->words, SPAN(u, 3));
	}
}

static void put(struct rtf *r, const char *s)
{
	flush(r);
	if (!r->silent)
		words_puts(&r->words, s);
}

static void word(struct rtf *r, const char *name, bool has, long n)
{
	static const char *const none[] = {"fonttbl", "colortbl", "stylesheet", "info", "pict", "themedata",
		"datastore", "generator", "listtable", "listoverridetable", "rsidtbl", "latentstyles", "objdata",
		"xmlnstbl"};
	size_t i;

	if (strcmp(name, "u") == 0 && has)
		unicode(r, n);
	else if (strcmp(name, "uc") == 0 && has)
		r->after[r->depth] = n >= 0 && n < 8 ? (unsigned)n : 1;
	else if (!strcmp(name, "par") || !strcmp(name, "line") || !strcmp(name, "row") || !strcmp(name, "sect") ||
		 !strcmp(name, "page"))
		put(r, "\n");
	else if (!strcmp(name, "cell") || !strcmp(name, "nestcell") || !strcmp(name, "tab"))
		put(r, "\t");
	for (i = 0; i < ARRAY_SIZE(none); i++)
		if (strcmp(name, none[i]) == 0 && !r->silent) {
			flush(r);
			r->silent = r->depth;
		}
}

/* Behind a backslash. Returns where it ends. */
static size_t control(struct rtf *r, struct span s, size_t at)
{
	char name[32], digits[3] = "";
	size_t n = 0;
	long value = 0;
	bool has = false, minus;

	if (at >= s.n)
		return at;
	if (!isalpha(s.p[at])) {
		switch (s.p[at]) {
		case '\'':
			if (at + 2 >= s.n)
				return s.n;
			memcpy(digits, s.p + at + 1, 2);
			byte(r, (uint8_t)strtoul(digits, NULL, 16));
			return at + 3;
		case '*':
			if (!r->silent)
				r->silent = r->depth;
			break;
		case '~':
			byte(r, ' ');
			break;
		case '_':
			byte(r, '-');
			break;
		case '\n':
		case '\r':
			put(r, "\n");
			break;
		case '{':
		case '}':
		case '\\':
			byte(r, s.p[at]);
			break;
		default:
			break;
		}
		return at + 1;
	}
	while (at < s.n && isalpha(s.p[at])) {
		if (n < sizeof(name) - 1)
			name[n++] = (char)s.p[at];
		at++;
	}
	name[n] = '\0';
	minus = at < s.n && s.p[at] == '-';
	at += minus;
	while (at < s.n && isdigit(s.p[at])) {
		value = value < 1000000 ? value * 10 + (s.p[at] - '0') : value;
		has = true;
		at++;
	}
	at += at < s.n && s.p[at] == ' ';
	word(r, name, has, minus ? -value : value);
	return at;
}

static void open_group(struct rtf *r)
{
	flush(r);
	if (r->depth + 1 < GROUPS_MAX) {
		r->depth++;
		r->after[r->depth] = r->after[r->depth - 1];
	}
}

static void close_group(struct rtf *r)
{
	flush(r);
	if (r->silent == r->depth)
		r->silent = 0;
	r->depth -= r->depth > 0;
	r->skip = 0;
}

void look_rtf(struct look *l, struct span doc)
{
	struct rtf r = {.l = l, .words = WORDS_INIT, .bytes = BUF_INIT(WORDS_MAX), .after = {1}};
	size_t at = 0;

	look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_NOT_SAID, "rtf");
	if (!l->text)
		return;
	while (at < doc.n) {
		uint8_t c = doc.p[at++];

		if (c == '{')
			open_group(&r);
		else if (c == '}')
			close_group(&r);
		else if (c == '\\')
			at = control(&r, doc, at);
		else if (c != '\n' && c != '\r')
			byte(&r, c);
	}
	flush(&r);
	buf_deinit(&r.bytes);
	words_end(l, &r.words);
}
