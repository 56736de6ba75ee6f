/*
 * Sheets of xlsx files. See office.h.
 *
 * A number that is kept as a number has lost the zeros before it: of eleven digits it is written with one more, as a
 * personal number that began with 0 would have been.
 */
#include "agent/inspect/office.h"
#include <math.h>

#define STRINGS_MAX (64u << 20)
#define STRINGS_N_MAX 4000000u
#define WHOLE_MAX 1e15 /* integers that a double holds without loss */

void sheets_done(struct sheets *s)
{
	buf_deinit(&s->strings);
	free(s->ends);
	s->ends = NULL;
	s->n = s->room = 0;
}

struct shared {
	struct sheets *s;
	unsigned text, phonetic;
	bool full;
};

static void shared_start(void *ctx, const char *name, const struct xml_attributes *a)
{
	struct shared *s = ctx;

	(void)a;
	s->text += strcmp(name, "t") == 0;
	s->phonetic += strcmp(name, "rPh") == 0;
}

void sheets_begin(struct sheets *s)
{
	sheets_done(s);
	s->strings = BUF_INIT(STRINGS_MAX);
}

bool sheets_string_end(struct sheets *s)
{
	if (s->n == s->room) {
		size_t room = s->room ? s->room * 2 : 1024;
		uint32_t *p = room > STRINGS_N_MAX ? NULL : reallocarray(s->ends, room, sizeof(*p));

		if (!p)
			return false;
		s->ends = p;
		s->room = room;
	}
	s->ends[s->n++] = (uint32_t)s->strings.n;
	return true;
}

static void shared_end(void *ctx, const char *name)
{
	struct shared *s = ctx;

	if (strcmp(name, "t") == 0)
		s->text -= s->text > 0;
	else if (strcmp(name, "rPh") == 0)
		s->phonetic -= s->phonetic > 0;
	else if (strcmp(name, "si") == 0 && !sheets_string_end(s->s))
		s->full = true;
}

static void shared_text(void *ctx, struct span utf8)
{
	struct shared *s = ctx;

	if (s->text && !s->phonetic && buf_put_span(&s->s->strings, utf8))
		s->full = true;
}

void sheets_shared(struct look *l, struct sheets *s, struct span xml)
{
	struct shared all = {.s = s};
	struct xml_reader to = {shared_start, shared_end, shared_text, &all};

	sheets_begin(s);
	if (xml_read(xml, &to))
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "shared strings");
	if (all.full)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "shared strings");
}

enum kind { NUMBER, SHARED, INLINE };

struct sheet {
	struct sheets *s;
	struct words words;
	unsigned column; /* of the row that is open: what has been written */
	unsigned at;     /* of the cell that is open */
	enum kind kind;
	bool reads, phonetic;
	char value[64];
	size_t value_n;
	bool value_cut;
};

/* "BC12": 54. */
static unsigned column_of(const char *ref)
{
	unsigned n = 0;

	for (; *ref >= 'A' && *ref <= 'Z' && n < 100000; ref++)
		n = n * 26 + (unsigned)(*ref - 'A') + 1;
	return n ? n - 1 : 0;
}

static void sheet_start(void *ctx, const char *name, const struct xml_attributes *a)
{
	struct sheet *s = ctx;
	char v[16];

	if (strcmp(name, "c") == 0) {
		if (xml_value(a, "r", v, sizeof(v)))
			s->at = column_of(v);
		s->kind = NUMBER;
		if (xml_value(a, "t", v, sizeof(v)))
			s->kind = !strcmp(v, "s") ? SHARED : !strcmp(v, "n") ? NUMBER : INLINE;
		while (s->column < s->at && s->column < SHEET_COLUMNS_KEPT) {
			words_puts(&s->words, "\t");
			s->column++;
		}
		s->value_n = 0;
		s->value_cut = false;
	} else if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0) {
		s->reads = true;
	} else if (strcmp(name, "rPh") == 0) {
		s->phonetic = true;
	}
}

void sheets_put_number(struct words *w, const char *number)
{
	char *end, whole[32];
	double d = strtod(number, &end);

	if (*end || !(d >= 0) || d > WHOLE_MAX || d != floor(d)) {
		words_puts(w, number);
		return;
	}
	/* Also of 1.23456789018E+11. */
	snprintf(whole, sizeof(whole), "%.0f", d);
	if (strlen(whole) == 11)
		words_puts(w, "0");
	words_puts(w, whole);
}

static void end_cell(struct sheet *s)
{
	size_t i;

	s->value[s->value_n] = '\0';
	if (s->kind == NUMBER && s->value_n && !s->value_cut) {
		sheets_put_number(&s->words, s->value);
	} else if (s->kind == SHARED && s->value_n) {
		i = strtoul(s->value, NULL, 10);
		if (i < s->s->n) {
			size_t from = i ? s->s->ends[i - 1] : 0;

			words_put(&s->words, SPAN(s->s->strings.p + from, s->s->ends[i] - from));
		}
	}
	s->at++;
}

static void sheet_end(void *ctx, const char *name)
{
	struct sheet *s = ctx;

	if (strcmp(name, "c") == 0) {
		end_cell(s);
	} else if (strcmp(name, "row") == 0) {
		words_puts(&s->words, "\n");
		s->column = s->at = 0;
	} else if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0) {
		s->reads = false;
	} else if (strcmp(name, "rPh") == 0) {
		s->phonetic = false;
	}
}

static void sheet_text(void *ctx, struct span utf8)
{
	struct sheet *s = ctx;
	size_t n = utf8.n;

	if (!s->reads || s->phonetic)
		return;
	if (s->kind == INLINE) {
		words_put(&s->words, utf8);
		return;
	}
	if (n > sizeof(s->value) - 1 - s->value_n) {
		s->value_cut = true;
		n = sizeof(s->value) - 1 - s->value_n;
	}
	memcpy(s->value + s->value_n, utf8.p, n);
	s->value_n += n;
}

void sheets_sheet(struct look *l, struct sheets *all, struct span xml)
{
	struct sheet s = {.s = all, .words = WORDS_INIT};
	struct xml_reader to = {sheet_start, sheet_end, sheet_text, &s};

	if (xml_read(xml, &to))
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "sheet");
	words_end(l, &s.words);
}
