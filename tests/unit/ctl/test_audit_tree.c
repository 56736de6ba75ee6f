/* The tree that a verifier grows from leaves has the root of RFC 6962, at every size. */
#include "policy/base/why.h"
#include "policy/ctl/audit_tree.h"
#include "tests/unit/cm.h"

#define LEAVES 1100u

static struct digest leaves[LEAVES];

static int read_plain(void *ctx, unsigned level, uint64_t index, struct digest *out)
{
	struct digest left, right;

	if (!level) {
		*out = leaves[index];
		return 0;
	}
	read_plain(ctx, level - 1, index * 2, &left);
	read_plain(ctx, level - 1, index * 2 + 1, &right);
	merkle_node(&left, &right, out);
	return 0;
}

static void roots_of_all_sizes(void **state)
{
	_cleanup_(audit_tree_freep) struct audit_tree *t = NULL;
	unsigned i;

	(void)state;
	assert_int_equal(audit_tree_new(&t), 0);
	for (i = 0; i < LEAVES; i++) {
		struct digest want, got;

		merkle_leaf(SPAN(&i, sizeof(i)), &leaves[i]);
		assert_int_equal(audit_tree_add(t, &leaves[i]), 0);
		assert_int_equal(audit_tree_size(t), i + 1);
		assert_int_equal(merkle_root(i + 1, read_plain, NULL, &want), 0);
		assert_int_equal(audit_tree_root(t, i + 1, &got), 0);
		assert_true(digest_eq(&want, &got));
		/* And one of before. */
		assert_int_equal(merkle_root(i / 2 + 1, read_plain, NULL, &want), 0);
		assert_int_equal(audit_tree_root(t, i / 2 + 1, &got), 0);
		assert_true(digest_eq(&want, &got));
	}
	assert_true(audit_tree_root(t, LEAVES + 1, &leaves[0]) < 0);
}

static void old_partial_tiles_are_forgotten(void **state)
{
	_cleanup_(audit_tree_freep) struct audit_tree *t = NULL;
	struct digest leaf, got;
	unsigned i;

	(void)state;
	assert_int_equal(audit_tree_new(&t), 0);
	merkle_leaf(SPAN("x", 1), &leaf);
	for (i = 0; i < 70000; i++)
		assert_int_equal(audit_tree_add(t, &leaf), 0);
	assert_int_equal(audit_tree_root(t, 300, &got), V_AGAIN);
	assert_int_equal(audit_tree_root(t, 512, &got), 0);
	assert_int_equal(audit_tree_root(t, 69999, &got), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_of_all_sizes),
		cmocka_unit_test(old_partial_tiles_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
