/*
 * The parts of a policy's section `protected:`: protected_yaml.c reads it, protected.c decides, protected_text.c writes
 * it, protected_check.c tries it. Nobody else includes this.
 */
#ifndef SEKISHO_RULE_PROTECTED_PARTS_H
#define SEKISHO_RULE_PROTECTED_PARTS_H

#include "policy/rule/policy_parts.h"
#include "policy/rule/protected.h"

struct area {
	char name[POLICY_NAME_SIZE];
	unsigned line;
	words paths, shares; /* patterns; NULL: none */
	words written;       /* the paths as the administrator wrote them */
	words users, groups; /* who is in either; both NULL: everybody */
	words programs;      /* NULL: any */
	unsigned others;     /* ACTION_NOTE, _ALERT, _DENY; 0: not said */
	unsigned in_doubt;   /* of `others: deny`: ACTION_ALLOW, _DENY; 0: not said */
	unsigned purpose_s;  /* how long a stated purpose holds; 0: none is asked for */
	bool note;
};

struct area_expectation {
	unsigned line;
	char name[POLICY_NAME_SIZE], area[POLICY_NAME_SIZE];
	const char *path, *share;
	struct area_facts facts;
	words groups;
	unsigned action;
};

/* Lives in the policy's memory. */
struct protected_policy {
	unsigned areas_n, expectations_n;
	struct area *areas;
	struct area_expectation *expectations;
};

/* protected_yaml.c: the section's node (a yaml_node_t). 0, V_BAD, -ENOMEM. */
struct reading;
int policy_read_protected(struct reading *r, const void *section);

/* protected_check.c: parts of policy_try and policy_check. */
struct checking;
void check_area_expectations(struct checking *c);
void check_areas_lockout(struct checking *c);
void check_areas(struct checking *c);

#endif
