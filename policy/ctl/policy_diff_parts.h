/*
 * What the files of a policy's diff share. Nobody else includes this.
 */
#ifndef SEKISHO_CTL_POLICY_DIFF_PARTS_H
#define SEKISHO_CTL_POLICY_DIFF_PARTS_H

#include "policy/ctl/policy_diff.h"
#include <errno.h>

#define POLICY_TEXT_MAX (64u << 10) /* of one rule or row */

/* A row of a ledger, with the text that it is compared by. */
struct row_text {
	struct ledger_row row;
	char *key, *text; /* what it says of the device alone; all of it */
	bool same;        /* is in the other ledger as well */
};

/* Takes `o` over; NULL is no memory. 0, -ENOMEM. */
static inline int list_add(json_t *list, json_t *o)
{
	return json_array_append_new(list, o) ? -ENOMEM : 0;
}

/* What follows fills lists of policy_diff's object. 0, V_FULL, -ENOMEM. */

/* policy_diff_rules.c: the rules of a section, by their names. */
enum diff_section { DIFF_DEVICES, DIFF_PRINT, DIFF_DRIVES, DIFF_AREAS };
int diff_rules(const struct policy *from, const struct policy *to, enum diff_section section, json_t *list);
/* policy_diff_rows.c: rows, and what is decided of their devices, in the order of their keys. */
int diff_ledgers(const struct policy *from, const struct policy *to, const struct device_user *who, json_t *rows,
	json_t *devices);
/* policy_diff_decided.c: the device that these rows are for (a's and b's), for everybody whom one is for, once. */
int diff_decisions(const struct policy *from, const struct policy *to, const struct row_text *a, unsigned a_n,
	const struct row_text *b, unsigned b_n, const struct device_user *who, json_t *list);
/* policy_diff_decided.c: what holds for a device that no row names, of each kind. */
int diff_strangers(const struct policy *from, const struct policy *to, const struct device_user *given, json_t *list);

#endif
