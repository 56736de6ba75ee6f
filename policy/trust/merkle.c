/*
 * The Merkle tree of RFC 6962: hashes, making and checking proofs. Pure: leaves and nodes come through a callback.
 */
#include "policy/trust/merkle.h"
#include <errno.h>

static const uint8_t leaf_prefix[1] = {0}, node_prefix[1] = {1};

void merkle_leaf(struct span leaf, struct digest *out)
{
	const struct span parts[] = {SPAN(leaf_prefix, 1), leaf};

	digest_of(out, parts, 2);
}

void merkle_node(const struct digest *left, const struct digest *right, struct digest *out)
{
	const struct span parts[] = {SPAN(node_prefix, 1), SPAN(left->b, DIGEST_SIZE), SPAN(right->b, DIGEST_SIZE)};

	digest_of(out, parts, 3);
}

/* Bits that are needed to write v: 0 for 0. */
static unsigned bit_length(uint64_t v)
{
	return v ? 64u - (unsigned)__builtin_clzll(v) : 0;
}

/* RFC 9162 section 2.1.3.2 */
int merkle_verify_inclusion(uint64_t index, uint64_t size, const struct digest *leaf_hash,
	const struct merkle_proof *proof, const struct digest *root)
{
	uint64_t fn = index, sn = size - 1;
	struct digest r = *leaf_hash;
	unsigned i;

	if (!size || index >= size || proof->n > MERKLE_PROOF_MAX)
		return V_BAD;
	for (i = 0; i < proof->n; i++) {
		if (!sn)
			return V_BAD;
		if ((fn & 1) || fn == sn) {
			merkle_node(&proof->h[i], &r, &r);
			while (!(fn & 1) && fn) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(&r, &proof->h[i], &r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return !sn && digest_eq(&r, root) ? 0 : V_BAD;
}

/* RFC 9162 section 2.1.4.2 */
int merkle_verify_consistency(uint64_t old_size, const struct digest *old_root, uint64_t new_size,
	const struct digest *new_root, const struct merkle_proof *proof)
{
	struct digest fr, sr;
	uint64_t fn, sn;
	unsigned i = 0;

	if (old_size > new_size || proof->n > MERKLE_PROOF_MAX)
		return V_BAD;
	if (!old_size)
		return proof->n ? V_BAD : 0;
	if (old_size == new_size)
		return !proof->n && digest_eq(old_root, new_root) ? 0 : V_BAD;
	fn = old_size - 1;
	sn = new_size - 1;
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	if (fn) {
		if (!proof->n)
			return V_BAD;
		fr = sr = proof->h[i++];
	} else {
		/* The old tree is a whole subtree of the new one: its root starts the proof. */
		fr = sr = *old_root;
	}
	for (; i < proof->n; i++) {
		if (!sn)
			return V_BAD;
		if ((fn & 1) || fn == sn) {
			merkle_node(&proof->h[i], &fr, &fr);
			merkle_node(&proof->h[i], &sr, &sr);
			while (!(fn & 1) && fn) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(&sr, &proof->h[i], &sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return !sn && digest_eq(&fr, old_root) && digest_eq(&sr, new_root) ? 0 : V_BAD;
}

/* The root of the leaves first .. first + n; `first` is a multiple of the subtree sizes that n is made of. */
static int subtree(uint64_t first, uint64_t n, merkle_read_fn read, void *ctx, struct digest *out)
{
	struct digest acc;
	bool have = false;
	unsigned level;

	/* Complete subtrees from the right: each joins what is to its right. */
	for (level = 0; level < bit_length(n); level++) {
		struct digest h;
		int r;

		if (!(n >> level & 1))
			continue;
		r = read(ctx, level, (first + (n & ~((2ull << level) - 1))) >> level, &h);
		if (r)
			return r;
		if (have)
			merkle_node(&h, &acc, &acc);
		else
			acc = h;
		have = true;
	}
	*out = acc;
	return 0;
}

int merkle_root(uint64_t size, merkle_read_fn read, void *ctx, struct digest *out)
{
	if (!size) {
		/* RFC 6962: the hash of an empty list is the hash of an empty string. */
		digest_of(out, NULL, 0);
		return 0;
	}
	return subtree(0, size, read, ctx, out);
}

/* Largest power of two smaller than n, for n > 1. */
static uint64_t split(uint64_t n)
{
	return 1ull << ((bit_length(n - 1) - 1) & 63);
}

static int add(struct merkle_proof *p, uint64_t first, uint64_t n, merkle_read_fn read, void *ctx)
{
	if (p->n == MERKLE_PROOF_MAX)
		return -EOVERFLOW;
	return subtree(first, n, read, ctx, &p->h[p->n++]);
}

/* Proofs are told from the leaf up; the recursion of the RFC goes down: the hashes are turned around at the end. */
static void turn(struct merkle_proof *p)
{
	unsigned i;

	for (i = 0; i < p->n / 2; i++) {
		struct digest t = p->h[i];

		p->h[i] = p->h[p->n - 1 - i];
		p->h[p->n - 1 - i] = t;
	}
}

int merkle_prove_inclusion(uint64_t index, uint64_t size, merkle_read_fn read, void *ctx, struct merkle_proof *out)
{
	struct merkle_proof p = {.n = 0};
	uint64_t first = 0, n = size;

	if (index >= size)
		return V_NOT_FOUND;
	while (n > 1) {
		uint64_t k = split(n);
		int r;

		if (index - first < k) {
			r = add(&p, first + k, n - k, read, ctx);
			n = k;
		} else {
			r = add(&p, first, k, read, ctx);
			first += k;
			n -= k;
		}
		if (r)
			return r;
	}
	turn(&p);
	*out = p;
	return 0;
}

int merkle_prove_consistency(
	uint64_t old_size, uint64_t new_size, merkle_read_fn read, void *ctx, struct merkle_proof *out)
{
	struct merkle_proof p = {.n = 0};
	uint64_t first = 0, n = new_size, m = old_size;
	bool whole = true; /* what is left of the old tree is the old tree itself, whose root the verifier knows */
	int r;

	if (old_size > new_size)
		return V_NOT_FOUND;
	if (!old_size || old_size == new_size) {
		*out = p;
		return 0;
	}
	while (m != n) {
		uint64_t k = split(n);

		if (m <= k) {
			r = add(&p, first + k, n - k, read, ctx);
			n = k;
		} else {
			r = add(&p, first, k, read, ctx);
			first += k;
			m -= k;
			n -= k;
			whole = false;
		}
		if (r)
			return r;
	}
	if (!whole) {
		r = add(&p, first, n, read, ctx);
		if (r)
			return r;
	}
	turn(&p);
	*out = p;
	return 0;
}
