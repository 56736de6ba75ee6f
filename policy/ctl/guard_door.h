/*
 * The guard's desk on this PC: one JSON object a line each way over a UNIX socket (agent/guard/desk.h).
 */
#ifndef SEKISHO_CTL_GUARD_DOOR_H
#define SEKISHO_CTL_GUARD_DOOR_H

#include "policy/ctl/door.h"

/* Asks and waits for the answer; `ask` is borrowed. EXIT_*, after saying what is wrong. */
int guard_ask(struct ctl *c, const json_t *ask, json_t **answer);
/* The same where the answer brings an open file, and may take as long as the guard reads: *fd is the caller's; -1:
 * none came. */
int guard_ask_file(struct ctl *c, const json_t *ask, json_t **answer, int *fd);

#endif
