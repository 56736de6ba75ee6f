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

int content_read(struct reading *r, struct content_rule *rule, struct content_patterns *patterns, const char *key,
	const void *node)
{
	static const char *const of_people[] = {"users", "groups", "hosts", "days", "hours", "from", "until"};
	struct content_match *m = &rule->content;
	struct into to = {.m = m, .patterns = patterns};
	const yaml_node_t *n = node;
	size_t i;
	int v;

	for (i = 0; i < ARRAY_SIZE(of_people); i++)
		if (!strcmp(key, of_people[i]))
			return policy_read_match(r, &rule->who, key, n);
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

static int read_message(struct reading *r, const yaml_node_t *n, const char *key, const char **out)
{
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

void content_rule_init(struct content_rule *rule, const void *node)
{
	const yaml_node_t *n = node;

	*rule = (struct content_rule){.line = (unsigned)n->start_mark.line + 1};
	match_init(&rule->who);
}

int content_read_rule(struct reading *r, struct content_rule *rule, const char *key, const void *node)
{
	if (!strcmp(key, "name"))
		return reading_name(r, node, key, rule->name);
	if (!strcmp(key, "mode"))
		return reading_mode(r, node, key, &rule->note);
	if (!strcmp(key, "copy"))
		return content_read_flag(r, node, key, &rule->copy);
	if (!strcmp(key, "ask_reason"))
		return content_read_flag(r, node, key, &rule->ask_reason);
	if (!strcmp(key, "message"))
		return read_message(r, node, key, &rule->message);
	if (!strcmp(key, "message_ja"))
		return read_message(r, node, key, &rule->message_ja);
	return V_NOT_FOUND;
}

int content_rule_check(struct reading *r, const void *node, const char *key, const struct content_rule *rule,
	const void *rules, unsigned n, size_t size)
{
	unsigned i;

	if (!rule->name[0] || !rule->action)
		return reading_bad(
			r, node, key, SAID("a rule needs name and action", "規則には name と action が必要です"));
	for (i = 0; i < n; i++) {
		const struct content_rule *before = (const void *)((const char *)rules + i * size);

		if (!strcmp(before->name, rule->name))
			return reading_bad(
				r, node, "name", SAID("another rule has this name", "同じ名前の規則があります"));
	}
	return 0;
}

/* --- expectations --- */

int content_read_facts(struct reading *r, struct content_expectation *e, const struct content_facts *f, const char *key,
	const void *node)
{
	bool unreadable = false;
	unsigned i;
	int v;

	if (!strcmp(key, "user"))
		return reading_text(r, node, key, &f->who->user);
	if (!strcmp(key, "groups"))
		return reading_words(r, node, key, &e->groups);
	if (!strcmp(key, "host"))
		return reading_text(r, node, key, &f->who->host);
	if (!strcmp(key, "at"))
		return reading_time(r, node, key, &f->who->wall_us);
	if (!strcmp(key, "format"))
		return reading_text(r, node, key, f->format);
	if (!strcmp(key, "documents"))
		return reading_words(r, node, key, &e->documents);
	for (i = 0; i < NUMBERS; i++)
		if (!strcmp(key, print_number_word((enum print_number)i)))
			return reading_number(r, node, key, 0, 1000000, &f->numbers[i]);
	if (strcmp(key, "unreadable") != 0)
		return V_NOT_FOUND;
	v = content_read_flag(r, node, key, &unreadable);
	*f->readable = !unreadable;
	return v;
}

int content_expectation_check(struct reading *r, const void *node, const char *key, const struct content_expectation *e,
	struct device_user *who)
{
	static const char *const nobody[] = {NULL};

	if (!e->action)
		return reading_bad(r, node, key, SAID("action is missing", "action がありません"));
	who->groups = e->groups ? e->groups : nobody;
	return 0;
}

/* --- settings --- */

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
