/*
 * Globs and substrings. Linear in the name for each star: no pattern makes it slow.
 */
#include "collector/store/match.h"

struct match match_of(const char *pattern)
{
	return (struct match){
		.kind = strpbrk(pattern, "*?") ? MATCH_GLOB : MATCH_WHOLE,
		.pattern = pattern,
		.n = strlen(pattern),
		.tail = !strchr(pattern, '/'),
	};
}

struct match match_anywhere(const char *text)
{
	return (struct match){.kind = MATCH_ANYWHERE, .pattern = text, .n = strlen(text)};
}

static inline uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool anywhere(const struct match *m, struct span s)
{
	const uint8_t *p = (const uint8_t *)m->pattern;
	size_t i, k;

	for (i = 0; m->n <= s.n && i <= s.n - m->n; i++) {
		for (k = 0; k < m->n && lower(s.p[i + k]) == lower(p[k]); k++)
			;
		if (k == m->n)
			return true;
	}
	return false;
}

/* Behind one character of UTF-8; a byte that is none counts for itself. */
static size_t next_char(struct span s, size_t at)
{
	size_t end = at + 1;

	if (s.p[at] >= 0xc0)
		while (end < s.n && end < at + 4 && (s.p[end] & 0xc0) == 0x80)
			end++;
	return end;
}

static bool glob(const struct match *m, struct span s)
{
	size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;

	while (i < s.n) {
		if (p < m->n && m->pattern[p] == '*') {
			star = ++p;
			mark = i;
		} else if (p < m->n && m->pattern[p] == '?') {
			p++;
			i = next_char(s, i);
		} else if (p < m->n && (uint8_t)m->pattern[p] == s.p[i]) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < m->n && m->pattern[p] == '*')
		p++;
	return p == m->n;
}

static bool one(const struct match *m, struct span s)
{
	return m->kind == MATCH_GLOB ? glob(m, s) : span_eq(s, SPAN(m->pattern, m->n));
}

bool match_name(const struct match *m, struct span name)
{
	size_t i;

	if (m->kind == MATCH_ANYWHERE)
		return anywhere(m, name);
	if (one(m, name))
		return true;
	if (!m->tail)
		return false;
	for (i = name.n; i > 0 && name.p[i - 1] != '/'; i--)
		;
	return i > 0 && one(m, SPAN(name.p + i, name.n - i));
}

struct span match_run(const struct match *m)
{
	size_t i, start = 0;
	struct span best = SPAN(m->pattern, 0);

	if (m->kind != MATCH_GLOB)
		return SPAN(m->pattern, m->n);
	for (i = 0; i <= m->n; i++) {
		if (i < m->n && m->pattern[i] != '*' && m->pattern[i] != '?')
			continue;
		if (i - start > best.n)
			best = SPAN(m->pattern + start, i - start);
		start = i + 1;
	}
	return best;
}
