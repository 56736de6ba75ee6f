/*
 * Patterns (PCRE2) and numbers of people (find.h) in text, as counts. See pattern.h.
 *
 * The text is first folded: full-width letters and digits to narrow ones, the ideographic space to a blank. So a number
 * is found in whichever width it is set, and a pattern need not say it twice.
 */
#include "agent/inspect/pattern.h"
#include "policy/base/text.h"
#include <errno.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Steps and memory (KiB) that one match may take: the patterns are the policy's, but the text is not. */
#define MATCH_STEPS 2000000u
#define MATCH_HEAP_KIB 16384u

struct patterns {
	size_t n;
	pcre2_code *code[INSPECT_PATTERNS_MAX];
	pcre2_match_data *data;
	pcre2_match_context *context;
	struct finder *finder;
	struct buf folded;
};

void patterns_free(struct patterns *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->n; i++)
		pcre2_code_free(p->code[i]);
	pcre2_match_data_free(p->data);
	pcre2_match_context_free(p->context);
	finder_free(p->finder);
	buf_deinit(&p->folded);
	free(p);
}

int patterns_make(const char *const *pattern, size_t n, struct patterns **out, struct why *why)
{
	_cleanup_(patterns_freep) struct patterns *p = calloc(1, sizeof(*p));
	size_t i;

	if (!p)
		return -ENOMEM;
	if (n > INSPECT_PATTERNS_MAX)
		return why_set(why, V_BAD, "%zu patterns; at most %u", n, INSPECT_PATTERNS_MAX);
	p->folded = BUF_INIT(256u << 20);
	p->data = pcre2_match_data_create(1, NULL);
	p->context = pcre2_match_context_create(NULL);
	if (!p->data || !p->context || finder_make(&p->finder))
		return -ENOMEM;
	pcre2_set_match_limit(p->context, MATCH_STEPS);
	pcre2_set_depth_limit(p->context, MATCH_STEPS);
	pcre2_set_heap_limit(p->context, MATCH_HEAP_KIB);
	for (i = 0; i < n; i++) {
		PCRE2_UCHAR text[128];
		PCRE2_SIZE at;
		int error;

		p->code[i] = pcre2_compile((PCRE2_SPTR)pattern[i], PCRE2_ZERO_TERMINATED,
			PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_CASELESS | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C,
			&error, &at, NULL);
		if (!p->code[i]) {
			pcre2_get_error_message(error, text, ARRAY_SIZE(text));
			return why_set(why, V_BAD, "pattern %zu, at its byte %zu: %s", i + 1, at, (const char *)text);
		}
		p->n = i + 1;
	}
	*out = STEAL(p);
	return 0;
}

/* A digit of either width begins here. */
static bool digit_at(struct span s, size_t i)
{
	return (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') ||
	       (s.n > 2 && i < s.n - 2 && s.p[i] == 0xef && s.p[i + 1] == 0xbc && s.p[i + 2] >= 0x90 &&
		       s.p[i + 2] <= 0x99);
}

/*
 * Letters and lines that people type for a hyphen (the long vowel of either width, box lines), and the middle dots that
 * stand between groups: what they are only between digits. Letters without width are nothing there. Their length.
 */
static size_t between_digits(struct span s, size_t i, uint8_t *as)
{
	static const struct {
		const char *letter;
		uint8_t as;
	} known[] = {{"ー", '-'}, {"ｰ", '-'}, {"─", '-'}, {"━", '-'}, {"・", '-'}, {"･", '-'}, {"·", '-'},
		{"\xe2\x80\x8b", 0}, {"\xe2\x80\x8c", 0}, {"\xe2\x80\x8d", 0}, {"\xe2\x81\xa0", 0}, {"\xef\xbb\xbf", 0},
		{"\xc2\xad", 0}};
	size_t k, n;

	for (k = 0; k < ARRAY_SIZE(known); k++) {
		n = strlen(known[k].letter);
		if (s.n - i >= n && !memcmp(s.p + i, known[k].letter, n) && digit_at(s, i + n)) {
			*as = known[k].as;
			return n;
		}
	}
	return 0;
}

/* U+FF01..U+FF5E to U+0021..U+007E, blanks of any width to one; the dashes that stand between digits to "-". */
static int fold(struct buf *out, struct span in)
{
	size_t i = 0;
	uint8_t *w, as;
	int r;

	buf_clear(out);
	r = buf_reserve(out, in.n);
	if (r)
		return r;
	w = out->p;
	while (i < in.n) {
		const uint8_t *p = in.p + i;
		bool three = in.n - i >= 3;
		size_t n = *p >= 0xc2 && w > out->p && w[-1] >= '0' && w[-1] <= '9' ? between_digits(in, i, &as) : 0;

		if (n) {
			if (as)
				*w++ = as;
			i += n;
			continue;
		}
		if (in.n - i >= 2 && p[0] == 0xc2 && p[1] == 0xa0) {
			*w++ = ' ';
			i += 2;
			continue;
		}
		if (three && p[0] == 0xef && p[1] == 0xbc && p[2] >= 0x81 && p[2] <= 0xbf) {
			*w++ = (uint8_t)(p[2] - 0x81 + 0x21);
			i += 3;
		} else if (three && p[0] == 0xef && p[1] == 0xbd && p[2] >= 0x80 && p[2] <= 0x9e) {
			*w++ = (uint8_t)(p[2] - 0x80 + 0x60);
			i += 3;
		} else if (three && ((p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80) ||
					    (p[0] == 0xe2 && p[1] == 0x80 && (p[2] <= 0x8a || p[2] == 0xaf)))) {
			*w++ = ' ';
			i += 3;
		} else if (three && p[0] == 0xe2 &&
			   ((p[1] == 0x80 && p[2] >= 0x90 && p[2] <= 0x95) || (p[1] == 0x88 && p[2] == 0x92))) {
			*w++ = '-'; /* hyphens and dashes U+2010..U+2015, minus U+2212 */
			i += 3;
		} else {
			*w++ = in.p[i++];
		}
	}
	out->n = (size_t)(w - out->p);
	return 0;
}

static int count(struct patterns *p, size_t i, struct span s, uint64_t *matches)
{
	size_t at = 0;

	while (at <= s.n) {
		const PCRE2_SIZE *o;
		int r = pcre2_match(p->code[i], s.p, s.n, at, PCRE2_NOTEMPTY, p->data, p->context);

		if (r == PCRE2_ERROR_NOMATCH)
			return 0;
		if (r < 0)
			return V_FULL;
		++*matches;
		o = pcre2_get_ovector_pointer(p->data);
		/* A look-behind can end a match before where it began. */
		at = o[1] > at ? o[1] : at + 1;
	}
	return 0;
}

void patterns_continue(struct patterns *p)
{
	finder_continue(p->finder);
}

int patterns_count(struct patterns *p, struct span text, struct inspect_facts *facts)
{
	struct span s;
	size_t i;
	int r = fold(&p->folded, text), worst = 0;

	if (r)
		return r;
	s = buf_span(&p->folded);
	finder_text(p->finder, s);
	finder_tell(p->finder, facts->found, &facts->my_number_named);
	for (i = 0; i < p->n; i++) {
		r = count(p, i, s, &facts->matches[i]);
		if (r)
			worst = r;
	}
	return worst;
}
