/* Chains: what is whole is silent; each break is told once, whatever the order of branches. */
#include "policy/ctl/trail.h"
#include "tests/unit/cm.h"

#define TOLD_MAX 16

static struct {
	enum trail_finding what[TOLD_MAX];
	uint64_t seq[TOLD_MAX], before[TOLD_MAX];
	unsigned n;
} told;

static void on_finding(void *ctx, enum trail_finding f, const struct trail_step *at, bool has_before, uint64_t before)
{
	(void)ctx;
	assert_true(told.n < TOLD_MAX);
	told.what[told.n] = f;
	told.seq[told.n] = at->seq;
	told.before[told.n++] = has_before ? before : UINT64_MAX;
}

static struct trails *t;

static void begin(bool partial)
{
	told.n = 0;
	assert_int_equal(trails_new(partial, on_finding, NULL, &t), 0);
}

static void end(void)
{
	trails_end(t);
	trails_free(t);
}

/* Header `seq` of branch `b`; its predecessor is of branch `pb`. */
static struct trail_step step(uint64_t seq, uint8_t b, uint8_t pb, uint64_t epoch)
{
	struct trail_step s = {.producer = 1, .seq = seq, .epoch = epoch, .has_prev = seq > 0, .has_cert = true};

	s.hash.b[0] = (uint8_t)seq;
	s.hash.b[1] = b;
	s.hash.b[15] = 1;
	s.prev.b[0] = (uint8_t)(seq - 1);
	s.prev.b[1] = pb;
	s.prev.b[15] = 1;
	s.kid[0] = (uint8_t)epoch;
	return s;
}

static void add(struct trail_step s)
{
	assert_int_equal(trails_add(t, &s), 0);
}

static void expect(unsigned i, enum trail_finding f, uint64_t seq)
{
	assert_true(i < told.n);
	assert_int_equal(told.what[i], f);
	assert_int_equal(told.seq[i], seq);
}

static void a_whole_chain_is_silent(void **state)
{
	uint64_t i;

	(void)state;
	begin(false);
	for (i = 0; i < 200; i++) {
		add(step(i, 0, 0, i / 50));
		add(step(i, 0, 0, i / 50)); /* doubled: the very same */
	}
	end();
	assert_int_equal(told.n, 0);
}

static void a_gap_is_told_at_the_end(void **state)
{
	(void)state;
	begin(false);
	add(step(0, 0, 0, 1));
	add(step(1, 0, 0, 1));
	add(step(4, 0, 0, 1));
	assert_int_equal(told.n, 0);
	end();
	assert_int_equal(told.n, 1);
	expect(0, TRAIL_GAP, 4);
	assert_int_equal(told.before[0], 1);
}

static void a_gap_that_is_filled_late_is_none(void **state)
{
	(void)state;
	begin(false);
	add(step(0, 0, 0, 1));
	add(step(3, 0, 0, 2));
	add(step(1, 0, 0, 1));
	add(step(2, 0, 0, 2));
	add(step(4, 0, 0, 2));
	end();
	assert_int_equal(told.n, 0);
}

static void a_fork_is_told_at_its_second_branch(void **state)
{
	(void)state;
	begin(false);
	add(step(0, 0, 0, 1));
	add(step(1, 0, 0, 1));
	add(step(2, 0, 0, 1));
	add(step(2, 1, 0, 1));
	add(step(3, 0, 0, 1));
	add(step(3, 1, 1, 1));
	end();
	assert_int_equal(told.n, 1);
	expect(0, TRAIL_FORK, 2);
}

static void two_beginnings_are_a_fork_unless_it_is_said(void **state)
{
	struct trail_step again = step(0, 2, 0, 3);

	(void)state;
	begin(false);
	add(step(0, 0, 0, 1));
	add(step(0, 1, 0, 1));
	again.flags = SF_REJOIN;
	add(again);
	end();
	assert_int_equal(told.n, 2);
	expect(0, TRAIL_FORK, 0);
	expect(1, TRAIL_REJOIN, 0);
}

static void epochs_never_go_back(void **state)
{
	struct trail_step bare = step(3, 0, 0, 6), other = step(4, 0, 0, 6);

	(void)state;
	begin(false);
	add(step(0, 0, 0, 4));
	add(step(1, 0, 0, 5));
	add(step(2, 0, 0, 4));
	bare.has_cert = false;
	add(bare);
	other.kid[1] = 9;
	add(other);
	end();
	assert_int_equal(told.n, 3);
	expect(0, TRAIL_EPOCH, 2);
	expect(1, TRAIL_BARE, 3);
	expect(2, TRAIL_EPOCH, 4);
}

static void numbers_that_jump_behind_the_right_hash(void **state)
{
	struct trail_step s = step(1, 0, 0, 1);

	(void)state;
	begin(false);
	add(step(0, 0, 0, 1));
	s.seq = 5;
	add(s);
	end();
	assert_int_equal(told.n, 1);
	expect(0, TRAIL_JUMP, 5);
}

static void partial_evidence_may_begin_anywhere(void **state)
{
	(void)state;
	begin(true);
	add(step(40, 0, 0, 1));
	add(step(41, 0, 0, 1));
	add(step(43, 0, 0, 1));
	end();
	assert_int_equal(told.n, 1);
	expect(0, TRAIL_GAP, 43);
	begin(false);
	add(step(40, 0, 0, 1));
	end();
	assert_int_equal(told.n, 1);
}

static void chains_of_others_are_apart(void **state)
{
	struct trail_step a = step(0, 0, 0, 1), b = step(0, 1, 0, 1), c = step(0, 2, 0, 1);

	(void)state;
	begin(false);
	b.producer = 2;
	c.host.b[7] = 1;
	add(a);
	add(b);
	add(c);
	end();
	assert_int_equal(told.n, 0);
}

static void too_many_ends_are_told_and_end_it(void **state)
{
	uint64_t i;
	int r = 0;

	(void)state;
	begin(false);
	add(step(0, 0, 0, 1));
	for (i = 0; i < 2 * TRAIL_ENDS_MAX && !r; i++) {
		struct trail_step s = step(9, 0, 0, 1);

		put_be32(s.hash.b + 2, (uint32_t)i);
		put_be32(s.prev.b + 2, (uint32_t)i);
		told.n = 0;
		r = trails_add(t, &s);
	}
	assert_int_equal(r, V_FULL);
	assert_int_equal(told.n, 1);
	expect(0, TRAIL_FULL, 9);
	trails_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_chain_is_silent),
		cmocka_unit_test(a_gap_is_told_at_the_end),
		cmocka_unit_test(a_gap_that_is_filled_late_is_none),
		cmocka_unit_test(a_fork_is_told_at_its_second_branch),
		cmocka_unit_test(two_beginnings_are_a_fork_unless_it_is_said),
		cmocka_unit_test(epochs_never_go_back),
		cmocka_unit_test(numbers_that_jump_behind_the_right_hash),
		cmocka_unit_test(partial_evidence_may_begin_anywhere),
		cmocka_unit_test(chains_of_others_are_apart),
		cmocka_unit_test(too_many_ends_are_told_and_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
