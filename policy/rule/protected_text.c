/*
 * The section `protected:` as one line of text for each area, so that two policies can be compared (sekishoctl policy
 * diff). Written as policy.yaml has them; the same text is the same area.
 */
#include "policy/rule/protected_parts.h"

int policy_area_rule(const struct policy *p, unsigned i, struct policy_rule_text *out, struct buf *text)
{
	const struct area *a = &p->protected->areas[i];
	const struct enum_info *e = enum_by_value(F_ACTION, a->others);
	char minutes[16];
	int r = policy_put_words(text, "paths", a->written);

	r = r ? r : policy_put_words(text, "shares", a->shares);
	r = r ? r : policy_put_words(text, "users", a->users);
	r = r ? r : policy_put_words(text, "groups", a->groups);
	r = r ? r : policy_put_words(text, "programs", a->programs);
	if (a->purpose_s) {
		snprintf(minutes, sizeof(minutes), "%u", a->purpose_s / 60);
		r = r ? r : policy_put_text(text, "purpose_minutes", minutes);
	}
	if (a->users || a->groups || a->programs || a->purpose_s)
		r = r ? r : policy_put_text(text, "others", e ? e->name : "unknown");
	if (a->others == ACTION_DENY)
		r = r ? r : policy_put_text(text, "in_doubt", a->in_doubt == ACTION_ALLOW ? "allow" : "deny");
	r = r ? r : policy_put_text(text, "mode", a->note ? "note" : NULL);
	if (r)
		return r;
	*out = (struct policy_rule_text){.name = a->name, .line = a->line};
	return 0;
}
