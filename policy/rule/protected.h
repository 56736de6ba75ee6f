/*
 * Protected files: the section `protected:` of policy.yaml, in which the administrator marks folders, documents and
 * network shares as holding specific personal information (areas, 取扱区域), and says who may open them with which
 * programs. Asked by the recorder for each record of a file, by sekishoctl, and by the section's own expectations; the
 * manual is policy.yaml(5).
 *
 *   1. the first area that names the path, or the share that it lies on, is the file's area
 *   2. who is in `users` or in one of `groups`, with one of `programs`, may; where a key is not there, everybody may
 *   3. of everybody else the area's `others` holds: note (without the key), alert or deny. What is denied the guard has
 *      the kernel refuse (agent/guard/refuse.h), where somebody opens it; where nobody can say in time who it is, the
 *      area's `in_doubt` holds
 *   4. who may has to have stated a purpose as well, where the area says for how many minutes that holds
 *      (`purpose_minutes`); who has not is one of the others. Stated at the guard (agent/guard/reasons.c)
 *
 * A path lies in an area by its name, whole component by whole component; names that lead to the same file (hard links,
 * other mounts) are the kernel programs' matter (agent/probe). Pure, like policy.h.
 */
#ifndef SEKISHO_RULE_PROTECTED_H
#define SEKISHO_RULE_PROTECTED_H

#include "policy/rule/policy.h"

#define AREAS_MAX 64u
#define AREA_PATHS_MAX 64u  /* of one area, "~" counted as the two that it stands for */
#define AREA_PATH_SIZE 256u /* of a pattern, with the NUL */
#define AREA_EXPECTATIONS_MAX 512u
#define AREA_PURPOSE_MINUTES_MAX 1440u

/* Who did it. Strings are never NULL but where it is said. */
struct area_facts {
	struct device_user who; /* who acted; user NULL: nobody knows */
	const char *program;    /* path of the program; "" where nobody knows: then no program fits */
	bool doubt;             /* who it is could not be found out in time */
	bool no_purpose;        /* none was stated, or its time is over */
};

struct area_decision {
	const char *area;                 /* its name, borrowed from the policy */
	unsigned action;                  /* ACTION_ALLOW; else what holds of others: ACTION_NOTE, _ALERT or _DENY */
	bool note;                        /* watch only */
	bool purpose;                     /* nothing else is missing: it would be ACTION_ALLOW with one */
	char rule[POLICY_NAME_SIZE + 16]; /* "protected:payroll", "purpose:payroll" where that is what is missing */
	char reason[192];                 /* why not ACTION_ALLOW; English, for records */
	char reason_ja[POLICY_REASON_SIZE];
};

unsigned policy_areas_n(const struct policy *p);
/*
 * The area of a path, by its number; -1: it is in none. `source` is what is mounted where it lies ("//files/hr"), NULL
 * where nobody knows. The path is absolute, without ".", "..".
 */
int policy_area_of(const struct policy *p, struct span path, const char *source);
/* Decides of what lies in area `i`. Always answers. */
void policy_area(const struct policy *p, unsigned i, const struct area_facts *f, struct area_decision *out);
/* Are others refused what lies in area `i`? Not where it only notes. */
bool policy_area_refuses(const struct policy *p, unsigned i);
/* Does any area refuse anybody? */
bool policy_areas_refuse(const struct policy *p);
/* For how long a purpose holds that somebody stated for area `i`, seconds; 0: it asks for none. */
unsigned policy_area_purpose_s(const struct policy *p, unsigned i);
/* May something below this folder, which lies in no such area itself, lie in one that refuses? */
bool policy_area_leads(const struct policy *p, struct span folder);
/* Does area `i`, or (with i == policy_areas_n) any of them, ask for groups? Then they must be known. */
bool policy_area_asks_groups(const struct policy *p, unsigned i);

/* The name of area `i`, and what it names: patterns, NULL at the end; borrowed from the policy. NULL: none. */
const char *policy_area_name(const struct policy *p, unsigned i);
const char *const *policy_area_paths(const struct policy *p, unsigned i);
const char *const *policy_area_shares(const struct policy *p, unsigned i);
/* How much of a pattern is literal: bytes of whole components before the first with "*" or "?"; 1 for "/". */
size_t policy_area_head(const char *pattern);

/* As text, for diff (protected_text.c): area `i` like policy_rule. 0, V_FULL, -ENOMEM. */
int policy_area_rule(const struct policy *p, unsigned i, struct policy_rule_text *out, struct buf *text);

#endif
