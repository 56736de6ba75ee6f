/*
 * The section `print:` as one line of text for each rule and setting, so that two policies can be compared and what
 * differs be shown to a person (sekishoctl policy diff). Written as policy.yaml has them; the same text is the same
 * rule.
 */
#include "policy/rule/print_parts.h"

static int put_number(struct buf *out, const char *name, uint64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return policy_put_text(out, name, text);
}

static int put_match(const struct print_policy *s, struct buf *out, const struct print_rule *m)
{
	int r = policy_put_people(out, &m->as.who);

	r = r ? r : policy_put_words(out, "printers", m->printers);
	r = r ? r : policy_put_words(out, "uris", m->uris);
	r = r ? r : policy_put_words(out, "locations", m->locations);
	r = r ? r : policy_put_words(out, "titles", m->titles);
	r = r ? r : policy_put_words(out, "formats", m->formats);
	r = r ? r : policy_put_words(out, "areas", m->areas);
	r = r || !m->has_pages_over ? r : put_number(out, "pages_over", m->pages_over);
	r = r || !m->colour ? r : policy_put_text(out, "colour", m->colour == COLOUR_COLOUR ? "yes" : "no");
	return r ? r : content_put(out, &m->as.content, &s->patterns);
}

int policy_print_rule(const struct policy *p, unsigned i, struct policy_rule_text *out, struct buf *text)
{
	const struct print_rule *rule = &p->print->rules[i];
	int r = put_match(p->print, text, rule);

	r = r ? r : content_put_rule(text, &rule->as, rule->stamp);
	if (r)
		return r;
	*out = (struct policy_rule_text){.name = rule->as.name, .line = rule->as.line};
	return 0;
}

int policy_print_settings(const struct policy *p, policy_setting_fn fn, void *ctx)
{
	const struct print_policy *s = p->print;
	int r = fn(ctx, "print: default", content_action(s ? s->fallback : ACTION_ALLOW));

	r = r ? r : fn(ctx, "print: unavailable", content_action(s ? s->unavailable : ACTION_ALLOW));
	r = r ? r : fn(ctx, "print: unrecorded", content_action(s ? s->unrecorded : ACTION_ALLOW));
	r = r ? r : fn(ctx, "print: unstamped", content_action(s ? s->unstamped : ACTION_ALLOW));
	r = r ? r : content_ocr_settings(s ? &s->ocr : NULL, "print", fn, ctx);
	return r ? r : copies_settings(s ? &s->copies : NULL, "print", fn, ctx);
}
