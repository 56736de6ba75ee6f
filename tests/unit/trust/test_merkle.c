/* The Merkle tree: the roots that RFC 6962 implementations agree on, and every proof of small trees, forged too. */
#include "policy/base/text.h"
#include "policy/trust/merkle.h"
#include "tests/unit/cm.h"

#define LEAVES 300

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_roots),
		cmocka_unit_test(every_inclusion),
		cmocka_unit_test(every_consistency),
	};
	unsigned i;

	for (i = 0; i < LEAVES; i++)
		merkle_leaf(SPAN(&i, sizeof(i)), &leaf[i]);
	return cmocka_run_group_tests_name("trust/merkle", tests, NULL, NULL);
}
