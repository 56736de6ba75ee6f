/* Delays after failures: bounded, doubling, random over their whole range, never shorter than what the server asked
 * for. */
#include "agent/uplink/backoff.h"
#include "tests/unit/cm.h"

static void doubles_up_to_the_bound(void **state)
{
	struct backoff b = {0};
	uint64_t bound = BACKOFF_MIN_US;
	unsigned i;

	(void)state;
	for (i = 0; i < 40; i++) {
		/* the largest draw of each step is its bound */
		uint64_t want = bound < 900000000 ? bound : 900000000;

		assert_int_equal(backoff_next(&b, 900000000, 0, want), want);
		if (bound < 900000000)
			bound *= 2;
	}
	backoff_reset(&b);
	assert_int_equal(backoff_next(&b, 900000000, 0, BACKOFF_MIN_US), BACKOFF_MIN_US);
}

static void jitter_covers_everything_from_nothing(void **state)
{
	struct backoff b = {.failures = 10};
	unsigned low = 0, high = 0, i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		uint64_t d;

		b.failures = 10;
		d = backoff_next(&b, 900000000, 0, i * 0x9e3779b97f4a7c15ull);
		assert_true(d <= 900000000);
		low += d < 225000000;
		high += d >= 675000000;
	}
	assert_true(low > 150 && high > 150);
}

static void what_the_server_asks_is_kept(void **state)
{
	struct backoff b = {0};
	uint64_t d;

	(void)state;
	d = backoff_next(&b, 900000000, 30000000, 12345);
	assert_in_range(d, 30000000, 33000000);
	/* but not for ever */
	b.failures = 0;
	d = backoff_next(&b, 900000000, UINT64_MAX, UINT64_MAX);
	assert_true(d <= BACKOFF_RETRY_AFTER_MAX_US / 10 * 11);
}

static void tiny_bounds_work(void **state)
{
	struct backoff b = {0};
	unsigned i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_true(backoff_next(&b, 100000, 0, i * 77777777ull) <= 100000);
	assert_int_equal(backoff_jitter(0, 42), 0);
	assert_int_equal(backoff_jitter(UINT64_MAX, 42), 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_up_to_the_bound),
		cmocka_unit_test(jitter_covers_everything_from_nothing),
		cmocka_unit_test(what_the_server_asks_is_kept),
		cmocka_unit_test(tiny_bounds_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
