/*
 * The Merkle tree of RFC 6962 section 2 (RFC 9162 section 2): hashes, proofs, and their verification. Pure: no files.
 */
#ifndef SEKISHO_TRUST_MERKLE_H
#define SEKISHO_TRUST_MERKLE_H

#include "policy/base/why.h"
#include "policy/trust/digest.h"

#define MERKLE_PROOF_MAX 64 /* hashes in a proof, for any size that fits in 63 bits */

struct merkle_proof {
	unsigned n;
	struct digest h[MERKLE_PROOF_MAX];
};

void merkle_leaf(struct span leaf, struct digest *out); /* SHA-256(0x00 || leaf) */
void merkle_node(
	const struct digest *left, const struct digest *right, struct digest *out); /* SHA-256(0x01 || l || r) */

/* Is `leaf_hash` at `index` of the tree of `size` with `root`? 0 or V_BAD. */
int merkle_verify_inclusion(uint64_t index, uint64_t size, const struct digest *leaf_hash,
	const struct merkle_proof *proof, const struct digest *root);
/* Is the tree of `new_size` the tree of `old_size` with something appended? old_size 0 is always so. 0 or V_BAD. */
int merkle_verify_consistency(uint64_t old_size, const struct digest *old_root, uint64_t new_size,
	const struct digest *new_root, const struct merkle_proof *proof);

/*
 * Where the maker of proofs gets hashes: of the complete subtree `level` (0 = leaf hashes) at `index` (it covers the
 * leaves index << level .. (index + 1) << level). 0, -errno.
 */
typedef int (*merkle_read_fn)(void *ctx, unsigned level, uint64_t index, struct digest *out);

int merkle_root(uint64_t size, merkle_read_fn read, void *ctx, struct digest *out);
int merkle_prove_inclusion(uint64_t index, uint64_t size, merkle_read_fn read, void *ctx, struct merkle_proof *out);
int merkle_prove_consistency(
	uint64_t old_size, uint64_t new_size, merkle_read_fn read, void *ctx, struct merkle_proof *out);

#endif
