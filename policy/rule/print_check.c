/*
 * The section `print:` tries itself: its expectations, and rules that no job can reach. Called by policy_check.c.
 */
#include "policy/rule/check_parts.h"
#include "policy/rule/print_parts.h"

void check_print_expectations(struct checking *c)
{
	const struct print_policy *s = c->p->print;
	struct document_decision d;
	unsigned i;

	for (i = 0; s && i < s->expectations_n; i++) {
		const struct print_expectation *e = &s->expectations[i];
		struct print_facts facts = e->facts;

		if (!check_documents(c, e->as.documents, facts.known, e->as.line))
			continue;
		policy_print(c->p, &facts, &d);
		check_expected(c, &e->as, &d);
	}
}

/* Does it ask for nothing at all? Then no job comes to the rules behind it. */
static bool takes_all(const struct print_rule *m)
{
	return content_takes_all(&m->as) && !m->printers && !m->uris && !m->locations && !m->titles && !m->formats &&
	       !m->areas && !m->has_pages_over && !m->colour;
}

void check_print_rules(struct checking *c)
{
	const struct print_policy *s = c->p->print;
	unsigned i;

	if (s)
		check_copies(c, &s->copies, "print");
	for (i = 0; s && i < s->rules_n; i++)
		check_content(c, &s->rules[i].as);
	for (i = 0; s && i + 1 < s->rules_n; i++)
		if (takes_all(&s->rules[i])) {
			FOUND(c, false, "hidden", IN_YAML, s->rules[i].as.line,
				"rule %s fits every job: those behind it are never reached",
				"規則 %s はすべての印刷に該当するため、後の規則は適用されません", s->rules[i].as.name);
			break;
		}
}
