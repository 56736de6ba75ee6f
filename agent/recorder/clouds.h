/*
 * What comes into cloud folders (record.yaml's `cloud`) is told to the guard (agent/service/cloud.h), where the policy
 * in force wants it looked into: files that were written there, and whatever came there by a name. An event of a write
 * has the path by which the file was opened; what was given another name meanwhile, or has two, is known here by what
 * was renamed and linked into such folders lately.
 */
#ifndef SEKISHO_RECORDER_CLOUDS_H
#define SEKISHO_RECORDER_CLOUDS_H

#include "agent/recorder/decode.h"
#include "agent/service/cloud.h"
#include "policy/rule/drives.h"
#include "policy/rule/filter.h"

#define CLOUDS_NAMES_MAX 256u /* that are remembered; the oldest goes first */

struct clouds;

/* Passes a word on; as cloud_send. */
typedef int (*clouds_fn)(void *ctx, const struct cloud_word *w);

/* 0, -ENOMEM. */
int clouds_new(clouds_fn fn, void *ctx, struct clouds **out);
void clouds_free(struct clouds *c);

/*
 * One event of `program` (its path; may be empty) on a file system of the class (CLASS_*). `p` is the policy in force;
 * NULL: there is none. `here`: the process is in the PC's own mount namespace; in one of his own anybody can give any
 * program a client's path. NULL: there is nothing to say; else why what came there is not looked into, which its record
 * has to say, also where the filter leaves it out.
 */
const char *clouds_event(struct clouds *c, const struct filter *f, const struct policy *p, const struct seen *s,
	unsigned class, struct span program, bool here);

#endif
