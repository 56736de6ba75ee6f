/*
 * Files that people hand in, scanned by ClamAV's clamd where collector.conf says where it listens. Used by
 * proofs_file.c.
 *
 * The console connects to that socket of this machine and to no other, while it goes on with its loop; what clamd says
 * is read as bytes from outside (policy/base/clamd.h). The file itself is never opened here.
 */
#ifndef SEKISHO_CONSOLE_SCAN_H
#define SEKISHO_CONSOLE_SCAN_H

#include "policy/base/clamd.h"
#include "policy/base/why.h"

struct event_base;
struct scan;

/*
 * How it ended: `name` as clamd_answer has it. CLAMD_NONE: clamd is not there, hung up, gave no answer that is one, or
 * not in time; `name` says which. The scan is over, and was freed.
 */
typedef void scan_done(void *ctx, enum clamd_verdict verdict, const char *name);

/*
 * Sends `bytes`, which have to stay where they are until it is over, to clamd at `path`. `done` is called later, from
 * the loop. 0; -errno.
 */
int scan_begin(
	struct event_base *base, const char *path, struct span bytes, scan_done *done, void *ctx, struct scan **out);
/* Lets go of one that is not over: `done` is not called. NULL is fine. */
void scan_free(struct scan *s);

#endif
