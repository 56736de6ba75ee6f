/*
 * What rules ask of a document's text, read from policy.yaml. See content.h.
 */
#include "policy/rule/content.h"
#include "policy/rule/reading.h"
#include <errno.h>

#define OCR_SECONDS_MAX 600 /* a drive is busy for so long */

struct into {
	struct content_match *m;
	struct content_patterns *patterns;
};

/* Equal expressions of several rules are looked for once. */
static int one_pattern(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	const struct into *to = ctx;
	struct content_patterns *p = to->patterns;
	unsigned i;

	if (!*s || strlen(s) > PRINT_PATTERN_SIZE_MAX)
		return reading_bad(
			r, n, key, *s ? SAID("too long an expression", "式が長すぎます") : SAID("is empty", "空です"));
	for (i = 0; i < p->n && strcmp(p->list[i], s) != 0; i++)
		;
	if (i == PRINT_PATTERNS_MAX)
		return reading_bad(r, n, key, SAID("too many expressions in all", "式の総数が多すぎます"));
	if (i == p->n) {
		p->list[i] = policy_keep_text(r->p, SPAN_STR(s));
		if (!p->list[i])
			return -ENOMEM;
		p->n++;
	}
	to->m->patterns |= 1u << i;
	return 0;
}

int content_read(struct reading *r, struct content_match *m, struct content_patterns *patterns, const char *key,
	const void *node)
{
	struct into to = {.m = m, .patterns = patterns};
	const yaml_node_t *n = node;
	unsigned i;
	int v;

	for (i = 0; i < NUMBERS; i++)
		if (!strcmp(key, print_number_word((enum print_number)i)))
			return reading_number(r, n, key, 1, 1000000, &m->numbers[i]);
	if (!strcmp(key, "contains"))
		return reading_items(r, n, key, one_pattern, &to);
	if (!strcmp(key, "documents"))
		return reading_words(r, n, key, &m->documents);
	if (strcmp(key, "unreadable") != 0)
		return V_NOT_FOUND;
	v = content_read_flag(r, n, key, &m->unreadable);
	return !v && !m->unreadable ? reading_bad(r, n, key, SAID("only yes belongs here", "書けるのは yes だけです"))
				    : v;
}

int content_read_message(struct reading *r, const void *node, const char *key, const char **out)
{
	const yaml_node_t *n = node;
	int v = reading_text(r, n, key, out);
	const char *s;

	if (v)
		return v;
	if (strlen(*out) >= PRINT_MESSAGE_MAX)
		return reading_bad(r, n, key, SAID("too long", "長すぎます"));
	for (s = *out; *s; s++)
		if ((unsigned char)*s < ' ')
			return reading_bad(r, n, key, SAID("is more than one line", "1 行ではありません"));
	return 0;
}

int content_read_documents(struct reading *r, const void *node, const char *key, words *out)
{
	return reading_words(r, node, key, out);
}

int content_read_ocr(struct reading *r, struct policy_ocr *out, const char *key, const void *node)
{
	if (!strcmp(key, "ocr"))
		return content_read_flag(r, node, key, &out->on);
	if (!strcmp(key, "ocr_seconds"))
		return reading_number(r, node, key, 1, OCR_SECONDS_MAX, &out->seconds);
	if (!strcmp(key, "ocr_seconds_per_hour"))
		return reading_number(r, node, key, 1, 3600, &out->seconds_per_hour);
	return V_NOT_FOUND;
}

int content_read_flag(struct reading *r, const void *node, const char *key, bool *out)
{
	int yes = 0, v = reading_yes(r, node, key, &yes);

	*out = !v && yes;
	return v;
}
