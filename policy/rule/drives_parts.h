/*
 * The parts of a policy's section `drives:`: drives_yaml.c reads it, drives.c decides, drives_text.c writes it,
 * drives_check.c tries it. Nobody else includes this.
 */
#ifndef SEKISHO_RULE_DRIVES_PARTS_H
#define SEKISHO_RULE_DRIVES_PARTS_H

#include "policy/rule/content.h"
#include "policy/rule/copies.h"
#include "policy/rule/drives.h"

struct drive_match {
	struct match who;     /* users, groups, hosts, days, hours, from, until: nothing else of it */
	words paths, formats; /* patterns; NULL: any */
	bool has_size_over;
	uint64_t size_over; /* bytes */
	struct content_match content;
};

struct drive_rule {
	char name[POLICY_NAME_SIZE];
	unsigned line;
	struct drive_match match;
	unsigned action; /* ACTION_* */
	bool note, copy, ask_reason;
	const char *message, *message_ja;
};

struct drive_expectation {
	unsigned line;
	char name[POLICY_NAME_SIZE];
	struct drive_facts facts;
	words groups, documents;
	unsigned action;
};

/* Lives in the policy's memory. */
struct drives_policy {
	unsigned fallback; /* ACTION_* */
	uint64_t max_bytes;
	bool scan; /* what is read is given to ClamAV */
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
