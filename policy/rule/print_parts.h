/*
 * The parts of a policy's section `print:`: print_yaml.c reads it, print.c decides, print_check.c tries it. Nobody else
 * includes this.
 */
#ifndef SEKISHO_RULE_PRINT_PARTS_H
#define SEKISHO_RULE_PRINT_PARTS_H

#include "policy/rule/policy_parts.h"
#include "policy/rule/print.h"

struct print_match {
	struct match who; /* users, groups, hosts, days, hours, from, until: nothing else of it */
	words printers, uris, locations, titles, formats; /* patterns; NULL: any */
	bool has_pages_over;
	uint64_t pages_over;       /* pages times copies */
	unsigned colour;           /* COLOUR_*; 0: any */
	uint64_t numbers[NUMBERS]; /* at least so many of each; 0: any */
	uint32_t patterns;         /* bit per pattern of the section: one of them is found; 0: any */
	bool unreadable;
};

/* Does it ask for numbers of any kind? */
bool asks_numbers(const struct print_match *m);

struct print_rule {
	char name[POLICY_NAME_SIZE];
	unsigned line;
	struct print_match match;
	unsigned action;
	bool note, copy, stamp;
	const char *message, *message_ja;
};

struct print_expectation {
	unsigned line;
	char name[POLICY_NAME_SIZE];
	struct print_facts facts;
	words groups;
	unsigned action;
};

/* Lives in the policy's memory; zeroes (no section) allow everything. */
struct print_policy {
	unsigned fallback, unavailable, unrecorded, unstamped; /* ACTION_* */
	struct print_copies copies;                            /* auditors.n 0: none */
	struct digest auditors, second;                        /* of their certificates */
	unsigned rules_n, expectations_n, patterns_n;
	struct print_rule *rules;
	struct print_expectation *expectations;
	const char *patterns[PRINT_PATTERNS_MAX + 1];
};

/* print_yaml.c: the section's node (a yaml_node_t). 0, V_BAD, -ENOMEM. */
struct reading;
int policy_read_print(struct reading *r, const void *section);

/* print_check.c: parts of policy_try and policy_check. */
struct checking;
void check_print_expectations(struct checking *c);
void check_print_rules(struct checking *c);

#endif
