/*
 * Gaps in facts. See facts.h.
 */
#include "agent/inspect/facts.h"

void facts_gap(struct inspect_facts *f, enum inspect_what what, enum inspect_cause cause, const char *detail)
{
	struct inspect_gap *g;
	unsigned i;

	for (i = 0; i < f->gaps && i < INSPECT_GAPS_MAX; i++)
		if (f->gap[i].what == what && f->gap[i].cause == cause && strcmp(f->gap[i].detail, detail) == 0)
			return;
	if (f->gaps < INSPECT_GAPS_MAX) {
		g = &f->gap[f->gaps];
		g->what = what;
		g->cause = cause;
		snprintf(g->detail, sizeof(g->detail), "%s", detail);
	}
	f->gaps++;
}

void inspect_nothing(struct inspect_facts *facts, enum inspect_cause cause, const char *detail)
{
	memset(facts, 0, sizeof(*facts));
	facts_gap(facts, INSPECT_ABOUT_ALL, cause, detail);
	facts->complete = true;
}

unsigned inspect_known_share(const struct inspect_known_found *found, size_t prints)
{
	if (found->exact)
		return 100;
	return prints ? (unsigned)(found->prints >= prints ? 100 : found->prints * 100u / prints) : 0;
}
