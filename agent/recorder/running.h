/*
 * Processes that run when recording begins and that the kernel programs' walk did not show (hardened kernels keep some
 * to themselves, pid 1 among them): told from /proc.
 */
#ifndef SEKISHO_RECORDER_RUNNING_H
#define SEKISHO_RECORDER_RUNNING_H

#include "agent/recorder/arguments.h"
#include "agent/recorder/engine.h"

/* What /proc/PID/stat says. */
struct running_stat {
	uint32_t pid, ppid, flags;
	uint64_t start_ns; /* to a hundredth of a second */
	struct span comm;  /* borrows */
};

/* 0; V_BAD. `ticks` a second are what the kernel counts times in. */
int running_stat(struct span text, uint64_t ticks, struct running_stat *out);

/*
 * Makes a KIND_RUNNING event of each process that is not in the table, and gives it to the engine; not of those that
 * started after `until_ns` (boot clock): their own events are on their way. Arguments are asked for, and left out
 * (RF_ARGS_CUT) where they cannot be had. 0, -errno.
 */
int running_rest(struct engine *e, uint64_t until_ns, struct arguments *arguments);

#endif
