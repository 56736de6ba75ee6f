/*
 * Trails: the chains of headers as a verifier walks them, one for each host and producer. Finds gaps, forks, and epochs
 * that go back, whatever the order in which branches come. Called by audit.c; knows nothing of signatures.
 */
#ifndef SEKISHO_CTL_TRAIL_H
#define SEKISHO_CTL_TRAIL_H

#include "policy/wire/segment.h"

#define TRAIL_SEEN_MAX (1u << 28) /* headers that a set of trails remembers; more end the run */
#define TRAIL_ENDS_MAX 1024u      /* open ends of one trail: forks and gaps */

struct trails;

enum trail_finding {
	TRAIL_FORK,   /* its predecessor has another successor, or it is a second beginning */
	TRAIL_REJOIN, /* a beginning that says that the chain's state was lost */
	TRAIL_JUMP,   /* its number is not its predecessor's plus one */
	TRAIL_EPOCH,  /* its epoch is older than its predecessor's, or the same with another key */
	TRAIL_BARE,   /* its epoch begins without a certificate */
	TRAIL_GAP,    /* its predecessor is not there; `before` is the number that was last known, if has_before */
	TRAIL_FULL,   /* more open ends than anybody can follow */
};

/* What is known of one header; `place` is the caller's own (a leaf index, a file's number). */
struct trail_step {
	struct digest host;
	unsigned producer;
	uint64_t seq, epoch;
	uint8_t kid[COSE_KID_SIZE];
	struct digest hash, prev;
	bool has_prev, has_cert;
	uint64_t flags;
	uint64_t place;
};

typedef void (*trail_fn)(
	void *ctx, enum trail_finding f, const struct trail_step *at, bool has_before, uint64_t before);

/* `partial`: the evidence may begin in the middle of a chain; the first header of each trail is no gap. 0, -ENOMEM. */
int trails_new(bool partial, trail_fn fn, void *ctx, struct trails **out);
void trails_free(struct trails *t);
DEFINE_CLEANUP(struct trails *, trails_free)

/* The next header; tells findings at once, except gaps, which a later header may still fill. 0, V_FULL, -ENOMEM. */
int trails_add(struct trails *t, const struct trail_step *s);
/* Tells the gaps that nothing filled. */
void trails_end(struct trails *t);

#endif
