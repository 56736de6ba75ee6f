/*
 * The section `print:` as one line of text for each rule and setting, so that two policies can be compared and what
 * differs be shown to a person (sekishoctl policy diff). Written as policy.yaml has them; the same text is the same
 * rule.
 */
#include "policy/rule/print_parts.h"

static const char *action_name(unsigned action)
{
	const struct enum_info *e = enum_by_value(F_ACTION, action);

	return e ? e->name : "unknown";
}

static int put_number(struct buf *out, const char *name, uint64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return policy_put_text(out, name, text);
}

static int put_match(const struct print_policy *s, struct buf *out, const struct print_match *m)
{
	int r = policy_put_people(out, &m->who);

	r = r ? r : policy_put_words(out, "printers", m->printers);
	r = r ? r : policy_put_words(out, "uris", m->uris);
	r = r ? r : policy_put_words(out, "locations", m->locations);
	r = r ? r : policy_put_words(out, "titles", m->titles);
	r = r ? r : policy_put_words(out, "formats", m->formats);
	r = r ? r : policy_put_words(out, "areas", m->areas);
	r = r || !m->has_pages_over ? r : put_number(out, "pages_over", m->pages_over);
	r = r || !m->colour ? r : policy_put_text(out, "colour", m->colour == COLOUR_COLOUR ? "yes" : "no");
	return r ? r : content_put(out, &m->content, &s->patterns);
}

int policy_print_rule(const struct policy *p, unsigned i, struct print_rule_text *out, struct buf *text)
{
	const struct print_rule *rule = &p->print->rules[i];
	int r = put_match(p->print, text, &rule->match);

	r = r ? r : policy_put_text(text, "action", action_name(rule->action));
	r = r ? r : policy_put_text(text, "mode", rule->note ? "note" : NULL);
	r = r ? r : policy_put_text(text, "copy", rule->copy ? "yes" : NULL);
	r = r ? r : policy_put_text(text, "stamp", rule->stamp ? "yes" : NULL);
	r = r ? r : policy_put_text(text, "ask_reason", rule->ask_reason ? "yes" : NULL);
	r = r ? r : policy_put_text(text, "message", rule->message);
	r = r ? r : policy_put_text(text, "message_ja", rule->message_ja);
	if (r)
		return r;
	*out = (struct print_rule_text){.name = rule->name, .line = rule->line, .action = rule->action};
	return 0;
}

int policy_print_settings(const struct policy *p, policy_setting_fn fn, void *ctx)
{
	const struct print_policy *s = p->print;
	int r = fn(ctx, "print: default", action_name(s ? s->fallback : ACTION_ALLOW));

	r = r ? r : fn(ctx, "print: unavailable", action_name(s ? s->unavailable : ACTION_ALLOW));
	r = r ? r : fn(ctx, "print: unrecorded", action_name(s ? s->unrecorded : ACTION_ALLOW));
	r = r ? r : fn(ctx, "print: unstamped", action_name(s ? s->unstamped : ACTION_ALLOW));
	r = r ? r : content_ocr_settings(s ? &s->ocr : NULL, "print", fn, ctx);
	return r ? r : copies_settings(s ? &s->copies : NULL, "print", fn, ctx);
}
