/*
 * What is looked for in text: numbers of people and accounts (find.h) and the patterns of the policy, as counts. Used
 * by the child; the daemon's side only checks patterns. No number that was found leaves these functions.
 */
#ifndef SEKISHO_INSPECT_PATTERN_H
#define SEKISHO_INSPECT_PATTERN_H

#include "agent/inspect/inspect.h"

struct patterns;

/* 0; V_BAD with the number of the pattern and what is wrong with it; -ENOMEM. */
int patterns_make(const char *const *pattern, size_t n, struct patterns **out, struct why *why);
void patterns_free(struct patterns *p);
DEFINE_CLEANUP(struct patterns *, patterns_free)

/*
 * Counts in one piece of text (a page, a file), UTF-8 or nearly so. Full-width letters and digits count as narrow ones.
 * 0; V_FULL where an expression took too many steps on this text: its count is a lower bound then.
 */
int patterns_count(struct patterns *p, struct span text, struct inspect_facts *facts);

/* The next text is the page behind the last one. */
void patterns_continue(struct patterns *p);

#endif
