/*
 * The policy's files as commands are given them: policy.yaml and devices.csv, or a signed policy that holds both.
 */
#ifndef SEKISHO_CTL_POLICY_FILES_H
#define SEKISHO_CTL_POLICY_FILES_H

#include "policy/ctl/ctl.h"
#include "policy/rule/policy.h"
#include "policy/wire/bundle.h"

struct policy_files {
	struct buf yaml, csv;
	struct policy *policy;
};

/* Reads `path` and --devices (or devices.csv beside it, where there is one). EXIT_*, after saying what is wrong. */
int policy_files_read(struct ctl *c, const char *path, struct policy_files *out);
/* The same; a signed policy is opened, by administrators' keys that are known here (admins_trusted). */
int policy_files_open(struct ctl *c, const char *path, struct policy_files *out);
void policy_files_deinit(struct policy_files *f);

/*
 * policy_check, each finding printed (to standard error), or with --json none: then the caller prints `out`, which has
 * all of them. EXIT_GOOD, EXIT_PROBLEM; EXIT_MACHINE, where `out` may be NULL.
 */
int policy_files_check(struct ctl *c, const struct policy_files *f, json_t **out);

/* A ledger, as UTF-8 whichever way the spreadsheet saved it; CP932 is told. EXIT_*. */
int ledger_file_read(struct ctl *c, const char *path, struct buf *csv);
/*
 * CP932 (what Excel calls CSV in Japan) becomes UTF-8; what is UTF-8 already stays. `csv` changes only where 0 is
 * returned. 0; V_BAD with the line; V_FULL; -ENOMEM.
 */
int ledger_to_utf8(struct buf *csv, bool *was_cp932, struct why *why);

/* A signed policy from a file, without judging who signed it for whom. EXIT_*. `raw` is what *b borrows from. */
int bundle_read(struct ctl *c, const char *path, struct buf *bytes);
/* --key: a private key of this type. EXIT_*, said. */
int signing_key(struct ctl *c, enum key_type type, struct key **out);
/* The same of another file. */
int signing_key_at(struct ctl *c, const char *path, enum key_type type, struct key **out);
/* An order, or a request of one, from a file. EXIT_*, said. */
int order_read(struct ctl *c, const char *path, struct buf *bytes);
/* The administrators whose policies are believed here: --admins, else the PC's or the collector's. EXIT_*. */
int admins_trusted(struct ctl *c, struct admins *out);

#define POLICY_GROUPS_MAX 32u /* of one person, on a command line */
/* Values of --group into `groups` of `max`: how many. */
unsigned policy_groups(const struct ctl *c, const char **groups, unsigned max);

#endif
