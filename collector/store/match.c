/*
 * Globs and substrings. What stands between two stars is looked for by memmem, which is linear; '?' in it is not, and
 * so patterns are bounded (match_is_short).
 */
#include "collector/store/match.h"
#include <stddef.h>

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

#define FOLD_MAX 8192u
#define FOLD_PATTERN_MAX (4u * MATCH_CHARS_MAX)

static void fold(uint8_t *out, const uint8_t *in, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = lower(in[i]);
}

static bool anywhere(const struct match *m, struct span s)
{
	const uint8_t *p = (const uint8_t *)m->pattern;
	uint8_t name[FOLD_MAX], pattern[FOLD_PATTERN_MAX];
	size_t i, k;

	if (m->n > s.n)
		return false;
	if (s.n <= sizeof(name) && m->n <= sizeof(pattern)) {
		fold(name, s.p, s.n);
		fold(pattern, p, m->n);
		return memmem(name, s.n, pattern, m->n) != NULL;
	}
	for (i = 0; i <= s.n - m->n; i++) {
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

#define NOWHERE SIZE_MAX

/* What stands between two stars. Does it match at `i`? Then the place behind it. */
static size_t run_at(struct span run, struct span s, size_t i)
{
	size_t p;

	for (p = 0; p < run.n; p++) {
		if (i >= s.n || (run.p[p] != '?' && run.p[p] != s.p[i]))
			return NOWHERE;
		i = run.p[p] == '?' ? next_char(s, i) : i + 1;
	}
	return i;
}

/* The place behind the first match from `i` on. */
static size_t run_from(struct span run, struct span s, size_t i)
{
	const uint8_t *hole = run.n ? memchr(run.p, '?', run.n) : NULL;
	size_t literal = hole ? (size_t)(hole - run.p) : run.n, end;
	const uint8_t *at;

	for (; i <= s.n; i++) {
		if (literal) {
			at = i < s.n ? memmem(s.p + i, s.n - i, run.p, literal) : NULL;
			if (!at)
				return NOWHERE;
			i = (size_t)(at - s.p);
		}
		end = run_at(run, s, i);
		if (end != NOWHERE)
			return end;
	}
	return NOWHERE;
}

/* Does it match behind `i`, up to the end of the name? A '?' is four bytes at most. */
static bool run_ends(struct span run, struct span s, size_t i)
{
	size_t far = 4 * run.n;

	for (i = s.n > far && s.n - far > i ? s.n - far : i; i + run.n <= s.n; i++)
		if (run_at(run, s, i) == s.n)
			return true;
	return false;
}

static bool glob(const struct match *m, struct span s)
{
	const char *p = m->pattern, *end = m->pattern + m->n, *star = memchr(p, '*', m->n);
	size_t i = 0;

	if (!star)
		return run_at(SPAN(p, m->n), s, 0) == s.n;
	i = run_at(SPAN(p, (size_t)(star - p)), s, 0);
	while (i != NOWHERE) {
		p = star + 1;
		star = p < end ? memchr(p, '*', (size_t)(end - p)) : NULL;
		if (!star)
			return run_ends(SPAN(p, (size_t)(end - p)), s, i);
		i = run_from(SPAN(p, (size_t)(star - p)), s, i);
	}
	return false;
}

bool match_is_short(const char *pattern, bool text)
{
	size_t n = 0;
	const char *p;

	if (!text && !strpbrk(pattern, "*?"))
		return true;
	for (p = pattern; *p; p++)
		n += ((uint8_t)*p & 0xc0) != 0x80;
	return n <= MATCH_CHARS_MAX && p - pattern <= (ptrdiff_t)FOLD_PATTERN_MAX;
}

static bool one(const struct match *m, struct span s)
{
	return m->kind == MATCH_GLOB ? glob(m, s) : span_eq(s, SPAN(m->pattern, m->n));
}

struct span name_tail(struct span name)
{
	const uint8_t *slash = name.n ? memrchr(name.p, '/', name.n) : NULL;
	size_t at = slash ? (size_t)(slash - name.p) + 1 : 0;

	return SPAN(name.p + at, name.n - at);
}

bool match_name(const struct match *m, struct span name)
{
	struct span tail;

	if (m->kind == MATCH_ANYWHERE)
		return anywhere(m, name);
	if (one(m, name))
		return true;
	if (!m->tail)
		return false;
	tail = name_tail(name);
	return tail.n < name.n && one(m, tail);
}

struct span match_tail(const struct match *m)
{
	struct span tail = name_tail(SPAN(m->pattern, m->n));
	size_t i;

	/* A glob without a '/' may match from the middle of a component on. */
	if (m->kind == MATCH_ANYWHERE || (m->kind == MATCH_GLOB && m->tail))
		return SPAN(m->pattern, 0);
	for (i = 0; m->kind == MATCH_GLOB && i < tail.n; i++)
		if (tail.p[i] == '*' || tail.p[i] == '?')
			return SPAN(m->pattern, 0);
	return tail;
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
