/*
 * What was tried against the agent, again and again: told once, then with its count; what a flood of them leaves out is
 * counted. A plain model of it, which keeps all, says how many acts there were.
 */
#include "agent/guard/guard.h"
#include "tests/unit/cm.h"
#include <string.h>

#define T0 1000000ll

static struct burst burst;
static unsigned records;
static uint64_t acts, last_count;
static struct shield_event last;

static void on_tell(void *ctx, const struct shield_event *e, uint64_t count)
{
	(void)ctx;
	assert_true(count > 0);
	records++;
	acts += count;
	last_count = count;
	last = *e;
}

static int begin(void **s)
{
	(void)s;
	memset(&burst, 0, sizeof(burst));
	records = 0;
	acts = last_count = 0;
	return 0;
}

static struct shield_event act(uint32_t pid, uint32_t what, uint32_t detail)
{
	return (struct shield_event){.pid = pid, .start_boot_ns = 7, .what = what, .detail = detail, .name = "x"};
}

static void add(struct shield_event e, int64_t now)
{
	burst_add(&burst, &e, now, on_tell, NULL);
}

static void run(int64_t now)
{
	burst_run(&burst, now, on_tell, NULL);
}

static void the_same_is_told_once_and_counted(void **s)
{
	unsigned i;

	(void)s;
	assert_int_equal(burst_due(&burst), INT64_MAX);
	for (i = 0; i < 100; i++)
		add(act(1, SHIELD_SIGNAL, 19), T0 + i);
	assert_int_equal(records, 1);
	assert_int_equal(burst_due(&burst), T0 + BURST_US);
	run(T0 + BURST_US - 1);
	assert_int_equal(records, 1);
	run(T0 + BURST_US);
	assert_int_equal(records, 2);
	assert_int_equal(last_count, 99);
	assert_int_equal(last.detail, 19);
	assert_int_equal(burst_due(&burst), INT64_MAX);
	/* Nothing was tried since: nothing is told. */
	run(T0 + 5 * BURST_US);
	assert_int_equal(records, 2);
	assert_int_equal(burst.left_out, 0);
}

/* When it is tried again later than that, its count is in the next record. */
static void what_was_counted_goes_with_the_next(void **s)
{
	(void)s;
	add(act(1, SHIELD_SIGNAL, 19), T0);
	add(act(1, SHIELD_SIGNAL, 19), T0 + 1);
	add(act(1, SHIELD_SIGNAL, 19), T0 + BURST_US);
	assert_int_equal(records, 2);
	assert_int_equal(last_count, 2);
}

static void what_differs_is_told_apart(void **s)
{
	struct shield_event e = act(1, SHIELD_SIGNAL, 19), *v[8];
	struct shield_event others[8];
	size_t i;

	(void)s;
	for (i = 0; i < ARRAY_SIZE(others); i++)
		v[i] = &others[i], others[i] = e;
	v[0]->pid = 2;
	v[1]->start_boot_ns = 8; /* another process with the same number */
	v[2]->what = SHIELD_PTRACE;
	v[3]->detail = 9;
	v[4]->target = 5;
	v[5]->key.ino = 6;
	v[6]->key.dev = 6;
	memcpy(v[7]->name, "y", 2);
	add(e, T0);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		add(others[i], T0);
	assert_int_equal(records, 1 + ARRAY_SIZE(others));
}

/* More processes than are told apart, and more records than are made: nothing is lost unseen. */
static void a_flood_is_bounded_and_counted(void **s)
{
	uint64_t done = 0;
	unsigned i, k;

	(void)s;
	for (k = 0; k < 3; k++)
		for (i = 0; i < 3 * BURST_MAX; i++) {
			add(act(100 + i, SHIELD_UNLINK, 0), T0 + k);
			add(act(100 + i, SHIELD_UNLINK, 0), T0 + k);
			done += 2;
		}
	assert_int_equal(records, BURST_RECORDS_MAX);
	run(T0 + 2 * BURST_US);
	assert_true(records <= 2 * BURST_RECORDS_MAX);
	assert_true(burst.left_out > 0);
	assert_int_equal(acts + burst.left_out, done);
	/* The next moment has room again. */
	burst.left_out = 0;
	add(act(9999, SHIELD_UNLINK, 0), T0 + 4 * BURST_US);
	assert_int_equal(last.pid, 9999);
	assert_int_equal(burst.left_out, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_same_is_told_once_and_counted, begin),
		cmocka_unit_test_setup(what_was_counted_goes_with_the_next, begin),
		cmocka_unit_test_setup(what_differs_is_told_apart, begin),
		cmocka_unit_test_setup(a_flood_is_bounded_and_counted, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
