/*
 * The section `drives:` tries itself: its expectations, and rules that no file can reach. Called by policy_check.c.
 */
#include "policy/rule/check_parts.h"
#include "policy/rule/drives_parts.h"

void check_drive_expectations(struct checking *c)
{
	const struct drives_policy *s = c->p->drives;
	struct drive_decision d;
	unsigned i;

	for (i = 0; s && i < s->expectations_n; i++) {
		const struct drive_expectation *e = &s->expectations[i];
		struct drive_facts facts = e->facts;

		if (!check_documents(c, e->documents, facts.known, e->line))
			continue;
		policy_drive(c->p, &facts, &d);
		if (d.action != e->action)
			FOUND(c, true, "expectation", IN_YAML, e->line, "%s: %s was expected, %s decides %s",
				"%s: 期待は %s ですが、%s により %s になります", e->name[0] ? e->name : "expectation",
				checking_action(e->action), d.rule, checking_action(d.action));
	}
}

/* Does it ask for nothing at all? Then no file comes to the rules behind it. */
static bool takes_all(const struct drive_match *m)
{
	const struct match *w = &m->who;

	return !w->users && !w->groups && !w->hosts && !w->days && w->from_min == ANY && w->from_us == INT64_MIN &&
	       w->until_us == INT64_MAX && !m->paths && !m->formats && !m->has_size_over && !content_asks(&m->content);
}

void check_drive_rules(struct checking *c)
{
	const struct drives_policy *s = c->p->drives;
	unsigned i;

	if (s)
		check_copies(c, &s->copies, "drives");
	for (i = 0; s && i < s->rules_n; i++)
		if (content_unknown(c->p, &s->rules[i].match.content))
			FOUND(c, false, "never", IN_YAML, s->rules[i].line,
				"rule %s fits nothing: the section documents knows none of its documents",
				"規則 %s に該当するものはありません(documents にない文書です)", s->rules[i].name);
	for (i = 0; s && i + 1 < s->rules_n; i++)
		if (takes_all(&s->rules[i].match)) {
			FOUND(c, false, "hidden", IN_YAML, s->rules[i].line,
				"rule %s fits every file: those behind it are never reached",
				"規則 %s はすべてのファイルに該当するため、後の規則は適用されません", s->rules[i].name);
			break;
		}
}
