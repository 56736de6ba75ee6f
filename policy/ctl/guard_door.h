/*
 * The agent's desks on this PC, UNIX sockets: the guard's, one JSON object a line each way (agent/guard/desk.h), and
 * the print gate's, one a message (agent/print/desk.h).
 */
#ifndef SEKISHO_CTL_GUARD_DOOR_H
#define SEKISHO_CTL_GUARD_DOOR_H

#include "policy/ctl/door.h"

/* Asks and waits for the answer; `ask` is borrowed. EXIT_*, after saying what is wrong. */
int guard_ask(struct ctl *c, const json_t *ask, json_t **answer);
/* The same where the answer brings an open file, and may take as long as the guard reads: *fd is the caller's; -1:
 * none came. */
int guard_ask_file(struct ctl *c, const json_t *ask, json_t **answer, int *fd);

/* print.c: the same of the print gate. */
int print_ask(struct ctl *c, const json_t *ask, json_t **answer);
bool print_desk_is_there(void);

#endif
