/*
 * The parts of a policy's section `print:`: print_yaml.c reads it, print.c decides, print_check.c tries it. Nobody else
 * includes this.
 */
#ifndef SEKISHO_RULE_PRINT_PARTS_H
#define SEKISHO_RULE_PRINT_PARTS_H

#include "policy/rule/content.h"
#include "policy/rule/copies.h"

struct print_rule {
	struct content_rule as;
	words printers, uris, locations, titles, formats, areas; /* patterns; NULL: any */
	bool has_pages_over;
	uint64_t pages_over; /* pages times copies */
	unsigned colour;     /* COLOUR_*; 0: any */
	bool stamp;
};

struct print_expectation {
	struct content_expectation as;
	struct print_facts facts;
};

/* Lives in the policy's memory; zeroes (no section) allow everything. */
struct print_policy {
	unsigned fallback, unavailable, unrecorded, unstamped; /* ACTION_* */
	struct policy_ocr ocr;
	struct copies_terms copies;
	unsigned rules_n, expectations_n;
	struct print_rule *rules;
	struct print_expectation *expectations;
	struct content_patterns patterns;
};

/* print_yaml.c: the section's node (a yaml_node_t). 0, V_BAD, -ENOMEM. */
struct reading;
int policy_read_print(struct reading *r, const void *section);

/* print_check.c: parts of policy_try and policy_check. */
struct checking;
void check_print_expectations(struct checking *c);
void check_print_rules(struct checking *c);

#endif
