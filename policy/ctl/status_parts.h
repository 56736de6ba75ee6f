/*
 * The parts of `sekishoctl status`: status.c finds what there is, status_gates.c says it of the gates. Nobody else
 * includes this.
 */
#ifndef SEKISHO_CTL_STATUS_PARTS_H
#define SEKISHO_CTL_STATUS_PARTS_H

#include "policy/ctl/door.h"

struct status_view {
	const struct ctl *ctl;
	struct buf out;
	json_t *problems;
	json_t *programs;
};

/* Something is wrong: it is listed at the end, and decides the exit code. */
__attribute__((format(printf, 2, 3))) void status_wrong(struct status_view *v, const char *fmt, ...);
/* Is there such a process, and is it that program? */
bool status_alive(json_int_t pid, const char *program);
/* A number of a status file; 0 where there is none. */
json_int_t status_number(const json_t *o, const char *key);

/* Each says its part where the status file `o` of the program `name` has it. */
void status_guard(struct status_view *v, const char *name, const json_t *o);
void status_print(struct status_view *v, const char *name, const json_t *o);
/* The kernel programs: loaded by a program that has ended, as it should. True where the file was of them. */
bool status_kernel(struct status_view *v, const json_t *o);

#endif
