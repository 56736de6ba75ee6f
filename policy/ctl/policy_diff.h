/*
 * What two policies differ in: settings, rules, rows, and what is decided of devices. Made by policy_diff.c as JSON,
 * which is printed as it is or in words (policy_diff_say.c).
 */
#ifndef SEKISHO_CTL_POLICY_DIFF_H
#define SEKISHO_CTL_POLICY_DIFF_H

#include "policy/ctl/ctl.h"
#include "policy/rule/policy.h"
#include <jansson.h>

/*
 * `who` decides for whom devices are compared; NULL members are filled with what a row itself is for. *out: {"same",
 * "from", "to", "settings", "rules", "print_rules", "rows", "devices"}: policy.yaml(5) has its keys. 0, V_FULL,
 * -ENOMEM.
 */
int policy_diff(const struct policy *from, const struct policy *to, const struct device_user *who, json_t **out);

/* In words, to standard output. */
void policy_diff_say(const struct ctl *c, const json_t *diff);

#endif
