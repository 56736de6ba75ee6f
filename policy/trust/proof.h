/*
 * c2sp.org/tlog-proof@v1: a leaf's inclusion in a checkpointed log, as one file beside it.
 */
#ifndef SEKISHO_TRUST_PROOF_H
#define SEKISHO_TRUST_PROOF_H

#include "policy/trust/merkle.h"
#include "policy/trust/note.h"

#define PROOF_SIZE_MAX (NOTE_SIZE_MAX + 16384u)

/* The hashes of a proof, each in base64 on a line of its own: appends all; reads one. 0; V_FULL, -ENOMEM; V_BAD. */
int proof_hashes(const struct merkle_proof *p, struct buf *out);
int proof_hash(struct span line, struct merkle_proof *p);

/* Appends a proof. 0, V_FULL, -ENOMEM. */
int proof_write(uint64_t index, const struct merkle_proof *p, struct span note, struct buf *out);
/* Reads one: its checkpoint must be signed by `log`. 0 or V_BAD. */
int proof_read(struct span in, const struct verifier *log, uint64_t *index, struct merkle_proof *p,
	struct checkpoint *c, struct why *why);

#endif
