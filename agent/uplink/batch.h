/*
 * Segments on their way: those of one producer that fit into one request, in order and without a hole.
 */
#ifndef SEKISHO_UPLINK_BATCH_H
#define SEKISHO_UPLINK_BATCH_H

#include "policy/trust/merkle.h"
#include "policy/wire/api.h"
#include "policy/wire/spool.h"

#define BATCH_BYTES (1u << 20) /* of several segments; one may be larger */

struct batch_item {
	struct spool_entry entry;
	bool readable;      /* it is a segment by its form; else it goes alone, for the collector to judge */
	uint64_t seq;       /* by its header, where it is readable */
	struct digest leaf; /* its leaf hash, the same */
};

struct batch {
	unsigned n;
	struct batch_item items[API_SEGMENTS_MAX];
	struct buf body;
};

#define BATCH_INIT ((struct batch){.body = BUF_INIT(API_SEGMENTS_BODY_MAX)})

/*
 * Gathers what waits of `producer` from sequence `from` on, at most `max` segments. 0 with at least one; V_END where
 * nothing waits; V_BAD where the first one can never be sent (its file is empty, too large, or unreadable):
 * items[0].entry names it, `why` says why; -errno.
 */
int batch_fill(struct batch *b, const char *spool, unsigned producer, uint64_t from, unsigned max, struct why *why);
/* Releases the memory of the body. */
void batch_drop(struct batch *b);

#endif
