/*
 * The trees of one log that checkpoints, proofs and PCs speak of: by size. Two roots of one size are two histories.
 */
#ifndef SEKISHO_CTL_HEADS_H
#define SEKISHO_CTL_HEADS_H

#include "policy/trust/digest.h"

#define HEADS_MAX (1u << 24)

struct heads;

int heads_new(struct heads **out);
void heads_free(struct heads *h);
DEFINE_CLEANUP(struct heads *, heads_free)

/* 0; V_BAD where this size had another root; V_FULL; -ENOMEM. */
int heads_add(struct heads *h, uint64_t size, const struct digest *root);

#endif
