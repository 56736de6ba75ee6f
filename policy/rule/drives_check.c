/*
 * The section `drives:` tries itself: its expectations, and rules that no file can reach. Called by policy_check.c.
 */
#include "policy/rule/check_parts.h"
#include "policy/rule/drives_parts.h"

void check_drive_expectations(struct checking *c)
{
	const struct drives_policy *s = c->p->drives;
	struct document_decision d;
	unsigned i;

	for (i = 0; s && i < s->expectations_n; i++) {
		const struct drive_expectation *e = &s->expectations[i];
		struct drive_facts facts = e->facts;

		if (!check_documents(c, e->as.documents, facts.known, e->as.line))
			continue;
		policy_drive(c->p, &facts, &d);
		check_expected(c, &e->as, &d);
	}
}

/* Does it ask for nothing at all? Then no file comes to the rules behind it. */
static bool takes_all(const struct drive_rule *m)
{
	return content_takes_all(&m->as) && !m->paths && !m->formats && !m->has_size_over;
}

void check_drive_rules(struct checking *c)
{
	const struct drives_policy *s = c->p->drives;
	unsigned i;

	if (s)
		check_copies(c, &s->copies, "drives");
	for (i = 0; s && i < s->rules_n; i++)
		check_content(c, &s->rules[i].as);
	for (i = 0; s && i + 1 < s->rules_n; i++)
		if (takes_all(&s->rules[i])) {
			FOUND(c, false, "hidden", IN_YAML, s->rules[i].as.line,
				"rule %s fits every file: those behind it are never reached",
				"規則 %s はすべてのファイルに該当するため、後の規則は適用されません",
				s->rules[i].as.name);
			break;
		}
}
