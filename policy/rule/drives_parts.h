/*
 * The parts of a policy's section `drives:`: drives_yaml.c reads it, drives.c decides, drives_text.c writes it,
 * drives_check.c tries it. Nobody else includes this.
 */
#ifndef SEKISHO_RULE_DRIVES_PARTS_H
#define SEKISHO_RULE_DRIVES_PARTS_H

#include "policy/rule/content.h"
#include "policy/rule/copies.h"
#include "policy/rule/drives.h"

struct drive_rule {
	struct content_rule as;
	words paths, formats; /* patterns; NULL: any */
	bool has_cloud, cloud;
	bool has_size_over;
	uint64_t size_over; /* bytes */
};

struct drive_expectation {
	struct content_expectation as;
	struct drive_facts facts;
};

/* Lives in the policy's memory. */
struct drives_policy {
	unsigned fallback; /* ACTION_* */
	uint64_t max_bytes;
	bool scan;  /* what is read is given to ClamAV */
	bool cloud; /* what is written to cloud folders is looked into */
	words clients;
	struct policy_ocr ocr;
	struct copies_terms copies;
	struct drives_quarantine quarantine;
	struct digest openers; /* of their certificates */
	unsigned rules_n, expectations_n;
	struct drive_rule *rules;
	struct drive_expectation *expectations;
	struct content_patterns patterns;
};

/* drives_yaml.c: the section's node (a yaml_node_t). 0, V_BAD, -ENOMEM. */
struct reading;
int policy_read_drives(struct reading *r, const void *section);

/* drives_check.c: parts of policy_try and policy_check. */
struct checking;
void check_drive_expectations(struct checking *c);
void check_drive_rules(struct checking *c);

#endif
