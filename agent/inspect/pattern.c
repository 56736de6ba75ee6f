/*
 * Patterns (PCRE2) and personal numbers in text, as counts. See pattern.h.
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
	if (!p->data || !p->context)
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

/* U+FF01..U+FF5E to U+0021..U+007E, U+3000 to a blank; the dashes that stand between digits to "-". */
static int fold(struct buf *out, struct span in)
{
	size_t i = 0;
	uint8_t *w;
	int r;

	buf_clear(out);
	r = buf_reserve(out, in.n);
	if (r)
		return r;
	w = out->p;
	while (i < in.n) {
		const uint8_t *p = in.p + i;
		bool three = in.n - i >= 3;

		if (three && p[0] == 0xef && p[1] == 0xbc && p[2] >= 0x81 && p[2] <= 0xbf) {
			*w++ = (uint8_t)(p[2] - 0x81 + 0x21);
			i += 3;
		} else if (three && p[0] == 0xef && p[1] == 0xbd && p[2] >= 0x80 && p[2] <= 0x9e) {
			*w++ = (uint8_t)(p[2] - 0x80 + 0x60);
			i += 3;
		} else if (three && p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80) {
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

bool my_number_good(const uint8_t d[12])
{
	unsigned sum = 0, n, check;

	/* The n-th digit from the right, the check digit left out, weighs n + 1 up to the sixth, then n - 5. */
	for (n = 1; n <= 11; n++)
		sum += d[11 - n] * (n <= 6 ? n + 1 : n - 5);
	check = sum % 11 <= 1 ? 0 : 11 - sum % 11;
	return d[11] == check;
}

/* Groups of digits with one separator between them: of equal length, as forms and people write such a number. */
struct run {
	uint8_t digits[12 * 64];
	size_t n;      /* digits kept */
	size_t groups; /* groups of `each` digits */
	size_t each;
};

static uint64_t run_end(struct run *r)
{
	size_t per = r->each == 12 ? 1 : r->each == 4 ? 3 : r->each == 1 ? 12 : 0;
	uint64_t found = 0;
	size_t i;

	/* Four groups of four are a payment card; other counts that are no multiple are something else. */
	if (per && r->groups % per == 0)
		for (i = 0; i + 12 <= r->n; i += 12)
			found += my_number_good(r->digits + i);
	r->n = r->groups = r->each = 0;
	return found;
}

static void run_add(struct run *r, const uint8_t *digits, size_t n)
{
	size_t i;

	r->each = n;
	r->groups++;
	for (i = 0; i < n && r->n < sizeof(r->digits); i++)
		r->digits[r->n++] = (uint8_t)(digits[i] - '0');
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* What may stand between two groups: one hyphen, or up to two blanks or line ends. */
static size_t separator(struct span s, size_t at)
{
	size_t n = 0;

	if (at < s.n && s.p[at] == '-')
		return 1;
	while (n < 2 && at + n < s.n && (s.p[at + n] == ' ' || s.p[at + n] == '\n' || s.p[at + n] == '\r'))
		n++;
	return n;
}

static uint64_t my_numbers(struct span s)
{
	struct run run = {{0}, 0, 0, 0};
	uint64_t found = 0;
	size_t i = 0, n;

	while (i < s.n) {
		if (!is_digit(s.p[i])) {
			i++;
			continue;
		}
		for (n = 1; i + n < s.n && is_digit(s.p[i + n]); n++)
			;
		if (run.groups && (n != run.each || run.n + n > sizeof(run.digits)))
			found += run_end(&run);
		run_add(&run, s.p + i, n);
		i += n;
		n = separator(s, i);
		if (n && i + n < s.n && is_digit(s.p[i + n]))
			i += n;
		else
			found += run_end(&run);
	}
	return found + run_end(&run);
}

static bool has_words(struct span s)
{
	static const char *const words[] = {"個人番号", "マイナンバー", "ﾏｲﾅﾝﾊﾞｰ", "My Number", "my number",
		"MY NUMBER", "Individual Number", "individual number"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (s.n && memmem(s.p, s.n, words[i], strlen(words[i])))
			return true;
	return false;
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

int patterns_count(struct patterns *p, struct span text, struct inspect_facts *facts)
{
	struct span s;
	size_t i;
	int r = fold(&p->folded, text), worst = 0;

	if (r)
		return r;
	s = buf_span(&p->folded);
	facts->my_numbers += my_numbers(s);
	facts->my_number_named = facts->my_number_named || has_words(s);
	for (i = 0; i < p->n; i++) {
		r = count(p, i, s, &facts->matches[i]);
		if (r)
			worst = r;
	}
	return worst;
}
