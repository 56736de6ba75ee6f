/*
 * Does a record want a person, by a rule? What can be said of the record alone: state (counts, what was seen before) is
 * book.h's. Pure.
 */
#ifndef SEKISHO_HERALD_JUDGE_H
#define SEKISHO_HERALD_JUDGE_H

#include "collector/herald/plan.h"

/* Have all of `when`, and none of `unless`? A fact that the record does not have is none of its values. */
bool judge_terms(const struct terms *when, const struct terms *unless, const struct record *r, const char *host);
/* Is a moment outside of the rule's hours, by this machine's zone (or the plan's)? */
bool judge_hours(const struct rule *rule, int64_t wall_us);
/* A rule of records: both of the above. */
bool judge_record(const struct rule *rule, const struct record *r, const char *host);
/* A PC by its name, for rules of silent ones. */
bool judge_host(const struct words *hosts, const char *name);
/*
 * What several records have in common, by these fields; *any: the record has one of them.
 */
void judge_key(const struct fields *f, const struct record *r, const char *host, struct digest *out, bool *any);

#endif
