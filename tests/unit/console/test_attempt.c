/* How often somebody may try: by address, by account; an owner is not locked out; the table does not grow. */
#include "collector/console/attempt.h"
#include "tests/unit/cm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S INT64_C(1000000)

static struct attempts *a;

static int begin(void **state)
{
	(void)state;
	a = calloc(1, sizeof(*a));
	return a ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	free(a);
	return 0;
}

static void one_address(void **state)
{
	int64_t now = 1000 * S;
	unsigned i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_int_equal(attempt_take(a, "192.0.2.1", "x", true, now), 0);
	assert_true(attempt_take(a, "192.0.2.1", "y", true, now) > 0);
	assert_int_equal(attempt_take(a, "192.0.2.2", "x", true, now), 0);
	assert_int_equal(attempt_take(a, "192.0.2.1", "x", true, now + 7 * S), 0);
	assert_true(attempt_take(a, "192.0.2.1", "x", true, now + 7 * S) > 0);
	attempt_good(a, "192.0.2.1", now + 8 * S);
	assert_int_equal(attempt_take(a, "192.0.2.1", "x", true, now + 8 * S), 0);
	/* What somebody does with an account of their own gives nothing for other people's. */
	for (i = 0; i < 9; i++)
		assert_int_equal(attempt_take(a, "192.0.2.1", "x", true, now + 8 * S), 0);
	assert_true(attempt_take(a, "192.0.2.1", "x", true, now + 8 * S) > 0);
	assert_int_equal(attempt_take(a, "192.0.2.1", "x", true, now + 14 * S), 0);
	attempt_undo(a, "192.0.2.1", now + 14 * S);
	assert_int_equal(attempt_take(a, "192.0.2.1", "x", true, now + 14 * S), 0);
	assert_true(attempt_take(a, "192.0.2.1", "x", true, now + 14 * S) > 0);
	attempt_good(a, "192.0.2.1", now + 14 * S);
	/* A clock that goes back gives nothing, and takes nothing. */
	assert_int_equal(attempt_take(a, "192.0.2.1", "x", true, now), 0);
}

static void an_owner_comes_in(void **state)
{
	int64_t now = 1000 * S;
	char address[32];
	unsigned i, refused = 0;

	(void)state;
	for (i = 0; i < 100; i++) {
		snprintf(address, sizeof(address), "198.51.100.%u", i);
		refused += attempt_take(a, address, "hanako", false, now + i * S) > 0;
	}
	assert_true(refused >= 80);
	assert_int_equal(attempt_take(a, "203.0.113.5", "hanako", true, now + 100 * S), 0);
	/* Nor is another account touched. */
	assert_int_equal(attempt_take(a, "203.0.113.6", "taro", false, now + 100 * S), 0);
}

/* Who has the password has few codes, from wherever; and those of others leave the owner theirs. */
static void codes(void **state)
{
	int64_t now = 1000 * S;
	unsigned i, tried = 0;

	(void)state;
	for (i = 0; i < 86400; i += 3) {
		if (!attempt_code(a, "hanako", false, now + i * S))
			continue;
		attempt_wrong_code(a, "hanako", false, now + i * S);
		tried++;
	}
	assert_in_range(tried, 10, 10 + 86400 / 600);
	now += 86400 * S;
	attempt_wrong_code(a, "hanako", false, now);
	attempt_wrong_code(a, "hanako", false, now);
	assert_false(attempt_code(a, "hanako", false, now));
	assert_true(attempt_code(a, "hanako", true, now));
	assert_true(attempt_code(a, "taro", false, now));
	for (i = 0; i < 10; i++)
		attempt_wrong_code(a, "taro", true, now);
	assert_false(attempt_code(a, "taro", true, now));
	assert_true(attempt_code(a, "taro", true, now + 601 * S));
}

static void all_together(void **state)
{
	char address[32];
	unsigned i, taken = 0;

	(void)state;
	for (i = 0; i < 250; i++) {
		snprintf(address, sizeof(address), "10.0.0.%u", i);
		taken += !attempt_take(a, address, address, false, 1000 * S);
	}
	assert_int_equal(taken, 20);
}

static void messages(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_int_equal(attempt_message(a, "192.0.2.1", 1000 * S), 0);
	assert_int_equal(attempt_message(a, "192.0.2.1", 1000 * S), 7);
	/* Neither for others, nor for those who sign in from there. */
	assert_int_equal(attempt_message(a, "192.0.2.2", 1000 * S), 0);
	assert_int_equal(attempt_take(a, "192.0.2.1", "hanako", false, 1000 * S), 0);
	attempt_good_message(a, "192.0.2.1", 1000 * S);
	assert_int_equal(attempt_message(a, "192.0.2.1", 1000 * S), 0);
	assert_int_not_equal(attempt_message(a, "192.0.2.1", 1000 * S), 0);
	assert_int_equal(attempt_message(a, "192.0.2.1", 1007 * S), 0);
}

static void networks(void **state)
{
	char x[ATTEMPT_KEY_SIZE], y[ATTEMPT_KEY_SIZE];

	(void)state;
	attempt_network("2001:db8:1:2:3:4:5:6", x);
	attempt_network("2001:db8:1:2::1", y);
	assert_string_equal(x, y);
	attempt_network("2001:db8:1:3::1", y);
	assert_string_not_equal(x, y);
	attempt_network("::ffff:192.0.2.1", x);
	assert_string_equal(x, "192.0.2.1");
	attempt_network(
		"no address at all, and far too long to be one, as long as whoever sends it likes it to be .....", x);
	assert_true(strlen(x) < ATTEMPT_KEY_SIZE);
}

static void a_flood_of_names(void **state)
{
	char name[64];
	unsigned i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
		(void)attempt_take(a, name, name, false, 1000 * S + i * S);
	}
	assert_int_equal(attempt_take(a, "192.0.2.1", "x", false, 200000 * S), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_address, begin, end),
		cmocka_unit_test_setup_teardown(an_owner_comes_in, begin, end),
		cmocka_unit_test_setup_teardown(codes, begin, end),
		cmocka_unit_test_setup_teardown(all_together, begin, end),
		cmocka_unit_test_setup_teardown(messages, begin, end),
		cmocka_unit_test_setup_teardown(networks, begin, end),
		cmocka_unit_test_setup_teardown(a_flood_of_names, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
