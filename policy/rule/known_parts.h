/*
 * The parts of a policy's section `documents:`: known_yaml.c reads it, known.c answers. Nobody else includes this.
 */
#ifndef SEKISHO_RULE_KNOWN_PARTS_H
#define SEKISHO_RULE_KNOWN_PARTS_H

#include "policy/rule/known.h"
#include "policy/rule/policy_parts.h"

/* Lives in the policy's memory. */
struct known_policy {
	bool has_key;
	uint8_t key[KNOWN_KEY_SIZE];
	unsigned n;
	struct known_document document[KNOWN_MAX];
};

/* known_yaml.c: the section's node (a yaml_node_t). 0, V_BAD, -ENOMEM. */
struct reading;
int policy_read_known(struct reading *r, const void *section);

#endif
