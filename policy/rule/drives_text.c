/*
 * The section `drives:` as one line of text for each rule and setting, so that two policies can be compared
 * (sekishoctl policy diff). Written as policy.yaml has them; the same text is the same rule.
 */
#include "policy/base/text.h"
#include "policy/rule/drives_parts.h"

static const char *action_name(unsigned action)
{
	const struct enum_info *e = enum_by_value(F_ACTION, action);

	return e ? e->name : "unknown";
}

int policy_drives_rule(const struct policy *p, unsigned i, struct drive_rule_text *out, struct buf *text)
{
	const struct drive_rule *rule = &p->drives->rules[i];
	const struct drive_match *m = &rule->match;
	char mib[32];
	int r = policy_put_people(text, &m->who);

	r = r ? r : policy_put_words(text, "paths", m->paths);
	r = r ? r : policy_put_words(text, "formats", m->formats);
	snprintf(mib, sizeof(mib), "%llu", (unsigned long long)(m->size_over >> 20));
	r = r ? r : policy_put_text(text, "mib_over", m->has_size_over ? mib : NULL);
	r = r ? r : content_put(text, &m->content, &p->drives->patterns);
	r = r ? r : policy_put_text(text, "action", action_name(rule->action));
	r = r ? r : policy_put_text(text, "mode", rule->note ? "note" : NULL);
	r = r ? r : policy_put_text(text, "copy", rule->copy ? "yes" : NULL);
	r = r ? r : policy_put_text(text, "ask_reason", rule->ask_reason ? "yes" : NULL);
	r = r ? r : policy_put_text(text, "message", rule->message);
	r = r ? r : policy_put_text(text, "message_ja", rule->message_ja);
	if (r)
		return r;
	*out = (struct drive_rule_text){.name = rule->name, .line = rule->line};
	return 0;
}

int policy_drives_settings(const struct policy *p, policy_setting_fn fn, void *ctx)
{
	const struct drives_policy *s = p->drives;
	bool sealed = s && s->quarantine.openers.n;
	char mib[32], hex[2 * DIGEST_SIZE + 1];
	int r = fn(ctx, "drives: default", s ? action_name(s->fallback) : "not looked into");

	snprintf(mib, sizeof(mib), "%llu", (unsigned long long)(s ? s->max_bytes >> 20 : 0));
	r = r ? r : fn(ctx, "drives: max_mib", mib);
	r = r ? r : fn(ctx, "drives: scan", s && s->scan ? "yes" : "no");
	r = r ? r : content_ocr_settings(s ? &s->ocr : NULL, "drives", fn, ctx);
	r = r ? r : copies_settings(s ? &s->copies : NULL, "drives", fn, ctx);
	/* Certificates are long: that they are others is what is to be seen. */
	r = r ? r
	      : fn(ctx, "drives: quarantine: openers (SHA-256)",
			sealed ? hex_encode(hex, s->openers.b, DIGEST_SIZE) : "none");
	snprintf(mib, sizeof(mib), "%llu", (unsigned long long)(sealed ? s->quarantine.max_bytes >> 20 : 0));
	return r ? r : fn(ctx, "drives: quarantine: max_mib", mib);
}
