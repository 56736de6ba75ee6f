/*
 * What both `print:` and `drives:` try of themselves. See content.h; called by print_check.c and drives_check.c.
 */
#include "policy/rule/check_parts.h"

bool content_takes_all(const struct content_rule *rule)
{
	const struct match *w = &rule->who;

	return !w->users && !w->groups && !w->hosts && !w->days && w->from_min == ANY && w->from_us == INT64_MIN &&
	       w->until_us == INT64_MAX && !content_asks(&rule->content);
}

void check_content(struct checking *c, const struct content_rule *rule)
{
	if (content_unknown(c->p, &rule->content))
		FOUND(c, false, "never", IN_YAML, rule->line,
			"rule %s fits nothing: the section documents knows none of its documents",
			"規則 %s に該当するものはありません(documents にない文書です)", rule->name);
}

void check_expected(struct checking *c, const struct content_expectation *e, const struct document_decision *d)
{
	if (d->action != e->action)
		FOUND(c, true, "expectation", IN_YAML, e->line, "%s: %s was expected, %s decides %s",
			"%s: 期待は %s ですが、%s により %s になります", e->name[0] ? e->name : "expectation",
			checking_action(e->action), d->rule, checking_action(d->action));
}
