/*
 * A request's body as a row of segments. Pure; fuzzed by tests/fuzz/ingest.
 */
#ifndef SEKISHO_INGEST_ROWS_H
#define SEKISHO_INGEST_ROWS_H

#include "policy/wire/api.h"
#include "policy/wire/segment.h"

struct rows {
	unsigned n;
	struct segment at[API_SEGMENTS_MAX]; /* borrow from the body */
};

/*
 * Finds where each segment begins and ends. 0; V_BAD where the body is no row of segments (the reason says which and
 * why: behind a segment whose end cannot be told, nothing can be found), is empty, or has too many.
 */
int rows_split(struct span body, struct rows *out, struct why *why);

#endif
