/*
 * The inspector: waits for questions, forks for each, ends what does not end. Called by main.c only.
 */
#ifndef SEKISHO_INSPECT_SERVE_H
#define SEKISHO_INSPECT_SERVE_H

#include "agent/inspect/ocr.h"
#include "agent/inspect/report.h"

/* Documents that are looked into at the same time; further ones wait in the socket. */
#define CHILDREN_MAX 4u

/* Serves until the other end of the socket is closed. 0, -errno. */
int serve(int sock);

/* In the child: looks into the document, writes the report, ends. `known`: -1, or known documents; `ocr`: NULL, or the
 * time for pictures. */
__attribute__((noreturn)) void child_run(
	int document, int report, int known, const struct question *q, struct ocr_use *ocr);

/* How a child ends that could say nothing of the document. */
enum {
	CHILD_DONE = 0,
	CHILD_UNCONFINED = 3, /* rights could not be given up, so nothing was looked at */
	CHILD_NO_ROOM = 4,    /* no memory for what comes before the document */
};

#endif
