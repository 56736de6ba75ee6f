/*
 * Several collectors over one log: see shared.c. Called by the process and by what acts on PCs that may wait elsewhere.
 */
#ifndef SEKISHO_INGEST_SHARED_H
#define SEKISHO_INGEST_SHARED_H

#include "collector/ingest/ingest.h"
#include "collector/ingest/token.h"

#define SHARED_ALL "all" /* follow: every PC */
#define RENEWAL_MAX (2 * DIGEST_SIZE + 2)

/*
 * Behind store_open: who was first, where tokens and renewals are; what a folder has of them goes where all have it.
 * 0; V_BAD where this collector was revoked; -errno.
 */
int shared_open(struct ingest *in, struct why *why);
/* The loop begins. 0, -errno. */
int shared_start(struct ingest *in);
void shared_close(struct ingest *in);
/* The store was lost and is back: what was told meanwhile is looked up. 0, -errno. */
int shared_again(struct ingest *in);
/* For store_options.other; ctx is the ingest. */
void shared_leaf(void *ctx, const struct header *h);
/* Who is at this log: [{"id", "name", "version", "since", "at", "alive", "self", "first"}]; empty where nobody shares.
 */
json_t *shared_json(struct ingest *in);
/*
 * Looks at those that are alive: which PCs wait there, and whether one of them is of a version that does not know of
 * others' decisions (in->older). `but` is left out, as if it were not there; NULL: none. 0, -errno.
 */
int shared_look(struct ingest *in, const struct digest *but);

#endif
