/*
 * The policy of what is written to removable drives and to cloud folders: the section `drives:` of policy.yaml. Asked
 * by the guard for each file that was written and closed, by sekishoctl and by the section's own expectations; the
 * manual is policy.yaml(5).
 *
 *   1. the first rule that fits decides
 *   2. else the section's `default` (allow)
 *
 * Where a policy has no such section, nothing that is written is looked into. A fact that is not known fits no rule
 * that asks for it: what could not be read has a match of its own (`unreadable`). Pure, like policy.h.
 */
#ifndef SEKISHO_RULE_DRIVES_H
#define SEKISHO_RULE_DRIVES_H

#include "policy/rule/print.h"

#define DRIVES_RULES_MAX 512u
#define DRIVES_EXPECTATIONS_MAX 512u
#define DRIVES_MIB_MAX 4096u /* `max_mib` at most */

/* A file as the policy sees it. Strings are never NULL but where it is said. */
struct drive_facts {
	struct device_user who; /* who is at the PC, which one, when; user NULL: nobody */
	const char *path;       /* of the file, where the drive is mounted */
	bool cloud;             /* it lies in a cloud folder, and on no drive */
	const char *format;     /* what it is, by its bytes: "pdf", "xlsx" (inspect_format_name) */
	uint64_t size;          /* bytes */
	bool readable;          /* it was looked into, and nothing of it stayed unread */
	uint64_t numbers[NUMBERS];
	uint64_t matches[PRINT_PATTERNS_MAX]; /* of policy_drives_patterns, in their order */
	uint8_t known[KNOWN_MAX];             /* how much of each known document is found, percent */
};

/* Is there such a section: is what is written looked into? */
bool policy_drives(const struct policy *p);
/* Decides: ACTION_ALLOW, _NOTE, _ALERT or _QUARANTINE. Always answers. */
void policy_drive(const struct policy *p, const struct drive_facts *f, struct document_decision *out);
/*
 * Is what `program` (its path; "": not known) writes to cloud folders looked into? What the sync client itself writes
 * came from there.
 */
bool policy_drives_cloud(const struct policy *p, const char *program);
/* Is what is read from drives given to ClamAV? */
bool policy_drives_scan(const struct policy *p);
/* As policy_print_ocr. */
void policy_drives_ocr(const struct policy *p, struct policy_ocr *out);
/* Larger files are not looked into: bytes. */
uint64_t policy_drives_max_bytes(const struct policy *p);
/* False where the policy has none: then no decision has `copy`. As policy_print_copies. */
bool policy_drives_copies(const struct policy *p, struct print_copies *out);
/* For whom files are made unreadable. */
struct drives_quarantine {
	struct span openers; /* certificates in PEM; n 0: no rule asks for it */
	uint64_t max_bytes;  /* of all sealed copies that may lie on the PC at a time */
};
/* False where the policy has none: then no decision is ACTION_QUARANTINE. */
bool policy_drives_quarantine(const struct policy *p, struct drives_quarantine *out);
/* Expressions (pcre2) that rules look for in the text. How many; *list is borrowed. */
unsigned policy_drives_patterns(const struct policy *p, const char *const **list);
unsigned policy_drives_rules_n(const struct policy *p);

/* As text, for diff (drives_text.c): rule `i` like policy_rule, settings like policy_settings. 0, V_FULL, -ENOMEM. */
int policy_drives_rule(const struct policy *p, unsigned i, struct policy_rule_text *out, struct buf *text);
int policy_drives_settings(const struct policy *p, policy_setting_fn fn, void *ctx);

#endif
