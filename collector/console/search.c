/*
 * See search.h. Anything that is not known, not whole, or there twice is refused: a filter that was passed over would
 * show more than was asked.
 */
#include "collector/console/search.h"
#include "collector/http/parse.h"
#include "policy/base/text.h"
#include <stddef.h>

#define WORD_MAX 64

static int bad(struct why *why, const char *name, const char *what)
{
	return why_set(why, V_BAD, "%s: %s", name, what);
}

/* --- values --- */

static int words(const char *list, unsigned field, const char *name, unsigned *out, unsigned *n, struct why *why)
{
	const char *p = list;
	char word[WORD_MAX];

	while (true) {
		size_t len = strcspn(p, ",");
		const struct enum_info *e;

		snprintf(word, sizeof(word), "%.*s", (int)(len < WORD_MAX ? len : WORD_MAX - 1), p);
		e = enum_by_name(field, word);
		if (!e || len >= WORD_MAX)
			return bad(why, name, "a word that is none of its names");
		if (*n == STORE_FILTER_MAX)
			return bad(why, name, "more than 16 of them");
		out[(*n)++] = (unsigned)e->value;
		if (!p[len])
			return 0;
		p += len + 1;
	}
}

static int number(const char *text, uint64_t least, uint64_t most, const char *name, uint64_t *out, struct why *why)
{
	uint64_t v;

	if (ask_number(text, &v) || v < least || v > most)
		return why_set(why, V_BAD, "%s: a number from %llu to %llu belongs there", name,
			(unsigned long long)least, (unsigned long long)most);
	*out = v;
	return 0;
}

static int cursor(const char *text, struct search *s, struct why *why)
{
	const char *dot;
	char first[24];
	uint64_t us, row;
	/* A PC's clock may stand before 1970. */
	bool negative = *text == '-';

	text += negative;
	dot = strchr(text, '.');
	if (!dot || (size_t)(dot - text) >= sizeof(first))
		return bad(why, "cursor", "none of ours");
	memcpy(first, text, (size_t)(dot - text));
	first[dot - text] = 0;
	if (ask_number(first, &us) || ask_number(dot + 1, &row) || us > INT64_MAX / 2)
		return bad(why, "cursor", "none of ours");
	s->has_cursor = true;
	s->cursor_us = negative ? -(int64_t)us : (int64_t)us;
	s->cursor_row = row;
	return 0;
}

void search_cursor(char out[SEARCH_CURSOR_SIZE], int64_t time_us, uint64_t row)
{
	snprintf(out, SEARCH_CURSOR_SIZE, "%lld.%llu", (long long)time_us, (unsigned long long)row);
}

static int fact(const char *text, struct search *s, struct why *why)
{
	int r;

	if (s->facts_n == FACTS_MAX)
		return bad(why, "fact", "more than 8 of them");
	r = fact_parse(text, &s->facts[s->facts_n], why);
	s->facts_n += !r;
	return r;
}

/* --- names --- */

enum what {
	W_SINCE,
	W_UNTIL,
	W_HOST,
	W_USER,
	W_PROGRAM,
	W_PATH,
	W_KIND,
	W_CLASS,
	W_TEXT,
	W_DEVICE,
	W_FACT,
	W_ORDER,
	W_CURSOR,
	W_LIMIT,
	W_LANG,
	W_EACH,
	W_HOURS,
	W_DAYS,
	W_OF
};

static const struct {
	const char *name;
	unsigned of;
	size_t max; /* bytes of the value */
} names[] = {
	[W_SINCE] = {"since", SEARCH_FILTER | SEARCH_TRAIL, 40},
	[W_UNTIL] = {"until", SEARCH_FILTER | SEARCH_TRAIL, 40},
	[W_HOST] = {"host", SEARCH_FILTER | SEARCH_TRAIL, 512},
	[W_USER] = {"user", SEARCH_FILTER, 1024},
	[W_PROGRAM] = {"program", SEARCH_FILTER, 4096},
	[W_PATH] = {"path", SEARCH_FILTER, 4096},
	[W_KIND] = {"kind", SEARCH_FILTER, 400},
	[W_CLASS] = {"class", SEARCH_FILTER, 400},
	[W_TEXT] = {"text", SEARCH_FILTER, 1024},
	[W_DEVICE] = {"device", SEARCH_FILTER, 512},
	[W_FACT] = {"fact", SEARCH_FILTER, 2048},
	[W_ORDER] = {"order", SEARCH_ORDER, 16},
	[W_CURSOR] = {"cursor", SEARCH_PAGE, 100},
	[W_LIMIT] = {"limit", SEARCH_PAGE, 20},
	[W_LANG] = {"lang", SEARCH_LANG, 4},
	[W_EACH] = {"each", SEARCH_EACH, 20},
	[W_HOURS] = {"hours", SEARCH_HOURS, 20},
	[W_DAYS] = {"days", SEARCH_DAYS, 20},
	[W_OF] = {"of", SEARCH_TRAIL, 4096},
};

static int set(struct search *s, enum what w, const char *v, int64_t now_us, struct why *why)
{
	struct store_filter *f = &s->filter;

	switch (w) {
	case W_SINCE:
		return text_time_parse(v, now_us, &f->from_us) ? bad(why, "since", "not a moment") : 0;
	case W_UNTIL:
		return text_time_parse(v, now_us, &f->until_us) ? bad(why, "until", "not a moment") : 0;
	case W_HOST:
		f->host = v;
		return 0;
	case W_USER:
		f->user = v;
		return 0;
	case W_PROGRAM:
		f->program = v;
		return 0;
	case W_PATH:
		f->path = v;
		return 0;
	case W_KIND:
		return words(v, F_KIND, "kind", f->kinds, &f->kinds_n, why);
	case W_CLASS:
		return words(v, F_CLASS, "class", f->classes, &f->classes_n, why);
	case W_TEXT:
		f->text = v;
		return 0;
	case W_DEVICE:
		s->device = v;
		return 0;
	case W_FACT:
		return fact(v, s, why);
	case W_ORDER:
		if (strcmp(v, "newest") != 0 && strcmp(v, "oldest") != 0)
			return bad(why, "order", "newest or oldest");
		f->newest_first = !strcmp(v, "newest");
		return 0;
	case W_CURSOR:
		return cursor(v, s, why);
	case W_LIMIT:
		return number(v, 1, RECORDS_LIMIT_MAX, "limit", &s->limit, why);
	case W_LANG:
		if (strcmp(v, "en") != 0 && strcmp(v, "ja") != 0)
			return bad(why, "lang", "en or ja");
		s->lang = strcmp(v, "ja") ? LANG_EN : LANG_JA;
		return 0;
	case W_EACH:
		return number(v, 1, 50, "each", &s->each, why);
	case W_HOURS:
		return number(v, 1, 168, "hours", &s->hours, why);
	case W_DAYS:
		return number(v, 1, 366, "days", &s->days, why);
	case W_OF:
		s->of = v;
		return 0;
	}
	return V_BAD;
}

static int one(
	struct search *s, const char *p, size_t n, unsigned allowed, uint32_t *seen, int64_t now_us, struct why *why)
{
	const char *eq = memchr(p, '=', n);
	size_t name_n = eq ? (size_t)(eq - p) : n, w;
	char *v = s->room + s->used;

	for (w = 0; w < ARRAY_SIZE(names); w++)
		if (strlen(names[w].name) == name_n && !memcmp(names[w].name, p, name_n))
			break;
	if (w == ARRAY_SIZE(names) || !(names[w].of & allowed))
		return why_set(why, V_BAD, "the query has a name that does not belong there");
	if (*seen >> w & 1 && w != W_FACT)
		return bad(why, names[w].name, "there twice");
	*seen |= 1u << w;
	if (!eq || !ask_decode(eq + 1, n - name_n - 1, v, sizeof(s->room) - s->used) || !*v ||
		strlen(v) > names[w].max || !text_is_utf8(SPAN_STR(v)))
		return bad(why, names[w].name, "empty, too long, or not UTF-8 in %XX");
	s->used += strlen(v) + 1;
	return set(s, (enum what)w, v, now_us, why);
}

int search_parse(const char *query, unsigned allowed, int64_t now_us, struct search *out, struct why *why)
{
	const char *p = query;
	uint32_t seen = 0;
	int r = 0;

	memset(out, 0, offsetof(struct search, room));
	out->used = 0;
	out->filter.newest_first = true;
	out->limit = RECORDS_LIMIT;
	out->each = 10;
	out->hours = 24;
	out->days = 90;
	if (strlen(query) >= SEARCH_TEXT_MAX)
		return why_set(why, V_BAD, "the query is too long");
	while (!r && *p) {
		size_t n = strcspn(p, "&");

		if (n)
			r = one(out, p, n, allowed, &seen, now_us, why);
		p += n + (p[n] == '&');
	}
	if (!r && out->filter.from_us && out->filter.until_us && out->filter.from_us >= out->filter.until_us)
		r = why_set(why, V_BAD, "the time ends before it begins");
	return r;
}

/* --- records --- */

static bool has_text(const struct record *r, unsigned f, const struct match *m)
{
	return record_has(r, f) && match_name(m, r->v[f].s);
}

static bool is_device(const struct record *r, const char *what)
{
	static const unsigned texts[] = {F_USB_ID, F_SERIAL, F_MAKER, F_PRODUCT, F_LABEL};
	struct match m = match_anywhere(what);
	char hex[2 * DIGEST_SIZE + 1];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (has_text(r, texts[i], &m))
			return true;
	if (!record_has(r, F_FINGERPRINT) || r->v[F_FINGERPRINT].s.n != DIGEST_SIZE)
		return false;
	hex_encode(hex, r->v[F_FINGERPRINT].s.p, DIGEST_SIZE);
	return match_name(&m, SPAN_STR(hex));
}

bool search_fits(const struct search *s, const struct record *r)
{
	unsigned i;

	if (s->device && !is_device(r, s->device))
		return false;
	for (i = 0; i < s->facts_n; i++)
		if (!fact_fits(&s->facts[i], r))
			return false;
	return true;
}
