/*
 * The policy's files as commands are given them: policy.yaml and devices.csv, loaded and (where asked) tried.
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
void policy_files_deinit(struct policy_files *f);

/* policy_check, each finding printed (to standard error). EXIT_GOOD, EXIT_PROBLEM. */
int policy_files_check(struct ctl *c, const struct policy_files *f);

/* A signed policy from a file, without judging who signed it for whom. EXIT_*. `raw` is what *b borrows from. */
int bundle_read(struct ctl *c, const char *path, struct buf *bytes);

#endif
