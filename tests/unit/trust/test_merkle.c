/* The Merkle tree: the roots that RFC 6962 implementations agree on, and every proof of small trees, forged too. */
#include "policy/base/text.h"
#include "policy/trust/merkle.h"
#include "tests/unit/cm.h"

#define LEAVES 300
#define LARGE_LEVELS 13 /* of a tree of 4096 leaves */

static struct digest leaf[LEAVES];

/* The hash of a complete subtree, from the leaves: slow, and without a thought in common with merkle.c's proofs. */
static void complete(unsigned level, uint64_t index, struct digest *out)
{
	struct digest l, r;

	if (!level) {
		*out = leaf[index];
		return;
	}
	complete(level - 1, 2 * index, &l);
	complete(level - 1, 2 * index + 1, &r);
	merkle_node(&l, &r, out);
}

static int reader(void *ctx, unsigned level, uint64_t index, struct digest *out)
{
	(void)ctx;
	assert_true((index + 1) << level <= LEAVES);
	complete(level, index, out);
	return 0;
}

static void root_is(uint64_t size, const char *hex)
{
	struct digest root;
	char s[65];

	assert_int_equal(merkle_root(size, reader, NULL, &root), 0);
	assert_string_equal(hex_encode(s, root.b, DIGEST_SIZE), hex);
}

/* The eight leaves of the Certificate Transparency test suites, and their roots. */
static void published_roots(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} leaves[8] = {{"", 0}, {"\x00", 1}, {"\x10", 1}, {"\x20\x21", 2}, {"\x30\x31", 2}, {"\x40\x41\x42\x43", 4},
		{"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
		{"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16}};
	struct digest kept[8];
	unsigned i;

	(void)state;
	memcpy(kept, leaf, sizeof(kept));
	for (i = 0; i < 8; i++)
		merkle_leaf(SPAN(leaves[i].bytes, leaves[i].n), &leaf[i]);
	root_is(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	root_is(1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
	root_is(2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
	root_is(3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
	root_is(7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c");
	root_is(8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
	memcpy(leaf, kept, sizeof(kept));
}

static void every_inclusion(void **state)
{
	uint64_t size, index;

	(void)state;
	for (size = 1; size <= 40; size++) {
		struct digest root;

		assert_int_equal(merkle_root(size, reader, NULL, &root), 0);
		for (index = 0; index < size; index++) {
			struct merkle_proof p;
			unsigned i;

			assert_int_equal(merkle_prove_inclusion(index, size, reader, NULL, &p), 0);
			assert_int_equal(merkle_verify_inclusion(index, size, &leaf[index], &p, &root), 0);
			assert_int_equal(merkle_verify_inclusion(index, size, &leaf[index + 1], &p, &root), V_BAD);
			assert_int_equal(merkle_verify_inclusion(size, size, &leaf[index], &p, &root), V_BAD);
			for (i = 0; i < p.n; i++) {
				p.h[i].b[i] ^= 1;
				assert_int_equal(merkle_verify_inclusion(index, size, &leaf[index], &p, &root), V_BAD);
				p.h[i].b[i] ^= 1;
			}
			p.n++;
			assert_int_equal(merkle_verify_inclusion(index, size, &leaf[index], &p, &root), V_BAD);
			if (size > 1) {
				p.n -= 2;
				assert_int_equal(merkle_verify_inclusion(index, size, &leaf[index], &p, &root), V_BAD);
			}
		}
	}
}

static void check_consistency(uint64_t from, uint64_t to, bool forge)
{
	struct digest old, new, wrong;
	struct merkle_proof p;
	unsigned i;

	assert_int_equal(merkle_root(from, reader, NULL, &old), 0);
	assert_int_equal(merkle_root(to, reader, NULL, &new), 0);
	assert_int_equal(merkle_prove_consistency(from, to, reader, NULL, &p), 0);
	assert_int_equal(merkle_verify_consistency(from, &old, to, &new, &p), 0);
	if (!from || !forge)
		return;
	wrong = old;
	wrong.b[3] ^= 4;
	assert_int_equal(merkle_verify_consistency(from, &wrong, to, &new, &p), V_BAD);
	wrong = new;
	wrong.b[3] ^= 4;
	assert_int_equal(merkle_verify_consistency(from, &old, to, &wrong, &p), V_BAD);
	for (i = 0; i < p.n; i++) {
		p.h[i].b[0] ^= 1;
		assert_int_equal(merkle_verify_consistency(from, &old, to, &new, &p), V_BAD);
		p.h[i].b[0] ^= 1;
	}
	assert_int_equal(merkle_verify_consistency(to + 1, &old, to, &new, &p), V_BAD);
}

static void every_consistency(void **state)
{
	uint64_t from, to;

	(void)state;
	for (to = 0; to <= 40; to++)
		for (from = 0; from <= to; from++)
			check_consistency(from, to, true);
	for (from = 1; from < LEAVES; from += 37)
		check_consistency(from, LEAVES, false);
}

/* A tree whose complete subtrees are all kept, so that large sizes are quick. */
static struct digest *kept_levels[LARGE_LEVELS];

static int kept(void *ctx, unsigned level, uint64_t index, struct digest *out)
{
	(void)ctx;
	assert_true(level < LARGE_LEVELS && index < 1u << (LARGE_LEVELS - 1 - level));
	*out = kept_levels[level][index];
	return 0;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void large_trees(void **state)
{
	uint32_t seed = 6962;
	unsigned level, i;

	(void)state;
	for (level = 0; level < LARGE_LEVELS; level++) {
		unsigned n = 1u << (LARGE_LEVELS - 1 - level);

		kept_levels[level] = calloc(n, sizeof(struct digest));
		assert_non_null(kept_levels[level]);
		for (i = 0; i < n; i++)
			if (!level)
				merkle_leaf(SPAN(&i, sizeof(i)), &kept_levels[0][i]);
			else
				merkle_node(&kept_levels[level - 1][2 * i], &kept_levels[level - 1][2 * i + 1],
					&kept_levels[level][i]);
	}
	for (i = 0; i < 300; i++) {
		uint64_t size = 1 + next_random(&seed) % 4096, old = 1 + next_random(&seed) % size,
			 index = next_random(&seed) % size;
		struct digest root, old_root;
		struct merkle_proof p;

		assert_int_equal(merkle_root(size, kept, NULL, &root), 0);
		assert_int_equal(merkle_root(old, kept, NULL, &old_root), 0);
		assert_int_equal(merkle_prove_inclusion(index, size, kept, NULL, &p), 0);
		assert_int_equal(merkle_verify_inclusion(index, size, &kept_levels[0][index], &p, &root), 0);
		if (p.n) {
			unsigned at = next_random(&seed) % p.n;

			p.h[at].b[next_random(&seed) % DIGEST_SIZE] ^= 1u << (i % 8);
			assert_int_equal(
				merkle_verify_inclusion(index, size, &kept_levels[0][index], &p, &root), V_BAD);
		}
		assert_int_equal(merkle_prove_consistency(old, size, kept, NULL, &p), 0);
		assert_int_equal(merkle_verify_consistency(old, &old_root, size, &root, &p), 0);
		if (p.n) {
			unsigned at = next_random(&seed) % p.n;

			p.h[at].b[next_random(&seed) % DIGEST_SIZE] ^= 1u << (i % 8);
			assert_int_equal(merkle_verify_consistency(old, &old_root, size, &root, &p), V_BAD);
		}
	}
	for (level = 0; level < LARGE_LEVELS; level++)
		free(STEAL(kept_levels[level]));
}

/* Numbers that nobody honest sends: a verdict, whatever the sizes. */
static void numbers_out_of_range(void **state)
{
	struct merkle_proof p = {.n = MERKLE_PROOF_MAX};
	struct digest d = leaf[0];

	(void)state;
	assert_int_equal(merkle_verify_inclusion(0, 0, &d, &p, &d), V_BAD);
	assert_int_equal(merkle_verify_inclusion(UINT64_MAX, UINT64_MAX, &d, &p, &d), V_BAD);
	assert_int_equal(merkle_verify_inclusion(UINT64_MAX - 1, UINT64_MAX, &d, &p, &d), V_BAD);
	assert_int_equal(merkle_verify_consistency(1, &d, UINT64_MAX, &d, &p), V_BAD);
	assert_int_equal(merkle_verify_consistency(UINT64_MAX - 1, &d, UINT64_MAX, &d, &p), V_BAD);
	assert_int_equal(merkle_verify_consistency(2, &d, 1, &d, &p), V_BAD);
	assert_int_equal(merkle_verify_consistency(0, &d, 1, &d, &p), V_BAD);
	p.n = MERKLE_PROOF_MAX + 1;
	assert_int_equal(merkle_verify_inclusion(0, UINT64_MAX, &d, &p, &d), V_BAD);
	assert_int_equal(merkle_verify_consistency(1, &d, UINT64_MAX, &d, &p), V_BAD);
	p.n = 0;
	assert_int_equal(merkle_verify_inclusion(0, 1, &d, &p, &d), 0);
	assert_int_equal(merkle_prove_inclusion(3, 3, reader, NULL, &p), V_NOT_FOUND);
	assert_int_equal(merkle_prove_consistency(4, 3, reader, NULL, &p), V_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_roots),
		cmocka_unit_test(every_inclusion),
		cmocka_unit_test(every_consistency),
		cmocka_unit_test(large_trees),
		cmocka_unit_test(numbers_out_of_range),
	};
	unsigned i;

	for (i = 0; i < LEAVES; i++)
		merkle_leaf(SPAN(&i, sizeof(i)), &leaf[i]);
	return cmocka_run_group_tests_name("trust/merkle", tests, NULL, NULL);
}
