/*
 * The arguments of processes that run already, from /proc, by a child: whoever reads them waits for the lock of that
 * process's memory, which anybody can have the kernel hold for as long as he likes (a mapping of a file system of his
 * own, which does not answer). A child can be waited for and ended.
 */
#ifndef SEKISHO_RECORDER_ARGUMENTS_H
#define SEKISHO_RECORDER_ARGUMENTS_H

#include "policy/base/buf.h"
#include <stdbool.h>
#include <sys/types.h>

struct arguments {
	int fd;
	pid_t child; /* 0: there is nobody to ask */
};

/* Starts the child; before the system call filter, which lets nobody do so. `proc`: "/proc". 0, -errno. */
int arguments_start(struct arguments *a, const char *proc);

/*
 * Each ended by NUL, at most EVENT_ARGS_MAX bytes and one more where there are more. False where they are not to be
 * had; one that does not answer within a second ends the child, and nobody is asked any more.
 */
bool arguments_get(struct arguments *a, uint32_t pid, struct buf *out);

void arguments_end(struct arguments *a);

#endif
