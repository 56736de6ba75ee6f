/*
 * What the gate's wrapper has in common whatever it stands in for (backend.c, stamp.c): where it lies, what it asks the
 * daemon, and the answer. Only the wrapper includes this: it must stay small, and wait for nothing without a bound.
 */
#ifndef SEKISHO_PRINT_ASK_H
#define SEKISHO_PRINT_ASK_H

#include "agent/print/request.h"
#include <limits.h>

struct place {
	char name[NAME_MAX + 1]; /* of the program that it stands in for: "ipp", "pdftopdf" */
	char kind[32];           /* "backend", "filter", "notifier" */
	char tree[PATH_MAX];     /* the gate's ServerBin */
};

/* False where it was not run from a ServerBin. */
bool ask_place(struct place *at);
/* A path in the gate's ServerBin. */
bool ask_within(const struct place *at, const char *name, char out[PATH_MAX]);

/* A connection to the daemon: at once or not at all. -errno. */
int ask_open(const struct place *at);
/* One "name=value" of a question; NULL: nothing. 0, V_FULL, -ENOMEM. */
int ask_put(struct buf *b, const char *name, const char *value);
/* The question `ask` of a job, by the arguments and the environment that cupsd gives. 0, V_FULL, -ENOMEM. */
int ask_write(struct buf *b, const struct place *at, const char *ask, int argc, char **argv, unsigned documents);
/* Sends a question with descriptors. 0, -errno. */
int ask_send(int to, struct span bytes, const int *fds, unsigned n);
/* The answer within the time, signals or not. 0 with *answer; V_AGAIN without one. */
int ask_wait(int fd, int wait_ms, int *answer, char text[REQUEST_TEXT_MAX + 1]);
/* The job's spooled documents. How many are open; *there: how many there are. */
unsigned ask_documents(int argc, char **argv, int fds[REQUEST_DOCUMENTS_MAX], unsigned *there);

#endif
