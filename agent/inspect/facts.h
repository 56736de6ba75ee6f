/*
 * What the daemon's side and the child's side of this room share about facts.
 */
#ifndef SEKISHO_INSPECT_FACTS_H
#define SEKISHO_INSPECT_FACTS_H

#include "agent/inspect/inspect.h"

/* What zeroes in a question stand for. */
#define INSPECT_TIME_MS 10000u
#define INSPECT_MEMORY (512ull << 20)
#define INSPECT_UNPACKED (256ull << 20)

/* One gap more. The same one twice is one. */
void facts_gap(struct inspect_facts *f, enum inspect_what what, enum inspect_cause cause, const char *detail);

#endif
