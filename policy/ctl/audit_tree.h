/*
 * The log's tree as a verifier builds it from the leaves themselves, beside the tiles on disk that must say the same.
 */
#ifndef SEKISHO_CTL_AUDIT_TREE_H
#define SEKISHO_CTL_AUDIT_TREE_H

#include "policy/trust/merkle.h"

#define TILE_WIDTH 256u
#define TILE_HEIGHT 8u

struct audit_tree;

int audit_tree_new(struct audit_tree **out);
void audit_tree_free(struct audit_tree *t);
DEFINE_CLEANUP(struct audit_tree *, audit_tree_free)

/* The next leaf's hash. 0, -ENOMEM. */
int audit_tree_add(struct audit_tree *t, const struct digest *leaf);
uint64_t audit_tree_size(const struct audit_tree *t);
/* Root of the first `size` leaves (at most audit_tree_size). Sizes that end in a tile that is no longer in memory:
 * V_AGAIN.
 */
int audit_tree_root(struct audit_tree *t, uint64_t size, struct digest *out);
/* Hash of the complete subtree `level`, `index`, as merkle_read_fn; levels from 8 on, and those of the last tile. */
int audit_tree_read(void *tree, unsigned level, uint64_t index, struct digest *out);

#endif
