/*
 * A request between judgement and answer, which comes behind a commit: segments.c and others make it, commit.c answers
 * it.
 */
#ifndef SEKISHO_INGEST_PENDING_H
#define SEKISHO_INGEST_PENDING_H

#include "collector/ingest/ingest.h"

struct row {
	uint64_t seq;
	enum judged as;
	unsigned cause;
	char reason[160];
	uint64_t index, expected;
};

struct pending {
	struct held held;
	struct ingest *in;
	struct pending *next, **at;
	json_t *reply; /* not of segments: what is answered then */
	uint64_t seen;
	unsigned n;
	struct row rows[];
};

/* Answers it: now, where all of it is in the committed log; else with the next commit. Takes it over. */
void commit_pending(struct ingest *in, struct ask *a, struct pending *p);

#endif
