/* Challenges: of one browser, for their time, once; and of this process alone. */
#include "collector/console/challenge.h"
#include "tests/unit/cm.h"
#include <stdlib.h>

#define NOW INT64_C(1000000000)

static void once_and_in_time(void **state)
{
	struct challenges *c = calloc(1, sizeof(*c)), *other = calloc(1, sizeof(*other));
	uint8_t given[PASSKEY_CHALLENGE_SIZE], got[PASSKEY_CHALLENGE_SIZE];
	char cookie[CHALLENGE_TEXT_SIZE], second[CHALLENGE_TEXT_SIZE], bad[CHALLENGE_TEXT_SIZE];

	(void)state;
	assert_true(c && other);
	/* Before any was given there is none. */
	memset(bad, '0', sizeof(bad) - 1);
	bad[sizeof(bad) - 1] = 0;
	assert_int_equal(challenge_take(c, bad, NOW, got), V_BAD);
	assert_int_equal(challenge_new(c, NOW, cookie, given), 0);
	assert_int_equal(challenge_new(c, NOW, second, got), 0);
	assert_int_equal(strlen(cookie), CHALLENGE_TEXT_SIZE - 1);
	assert_string_not_equal(cookie, second);
	assert_memory_not_equal(given, got, sizeof(got));
	assert_int_equal(challenge_take(c, cookie, NOW + CHALLENGE_LIFE_US, got), 0);
	assert_memory_equal(given, got, sizeof(got));
	assert_int_equal(challenge_take(c, cookie, NOW + 2, got), V_EXISTS);
	assert_int_equal(challenge_take(c, second, NOW + CHALLENGE_LIFE_US + 1, got), V_END);
	assert_int_equal(challenge_take(c, second, NOW - 1, got), V_BAD);
	assert_int_equal(challenge_take(c, "00", NOW, got), V_BAD);
	/* One that was made up, and one of another process, have other challenges than whoever made them up knows. */
	assert_int_equal(challenge_new(other, NOW, bad, given), 0);
	assert_int_equal(challenge_take(c, bad, NOW, got), 0);
	assert_memory_not_equal(given, got, sizeof(got));
	free(c);
	free(other);
}

static void used_ones_are_remembered(void **state)
{
	struct challenges *c = calloc(1, sizeof(*c));
	uint8_t out[PASSKEY_CHALLENGE_SIZE];
	char first[CHALLENGE_TEXT_SIZE], cookie[CHALLENGE_TEXT_SIZE];
	unsigned i;

	(void)state;
	assert_non_null(c);
	assert_int_equal(challenge_new(c, NOW, first, out), 0);
	assert_int_equal(challenge_take(c, first, NOW, out), 0);
	/* As many as attempt.c lets through while it lives: ten a second, and twenty at once. */
	for (i = 0; i < 10 * (CHALLENGE_LIFE_US / 1000000) + 20; i++) {
		assert_int_equal(challenge_new(c, NOW, cookie, out), 0);
		assert_int_equal(challenge_take(c, cookie, NOW, out), 0);
	}
	assert_int_equal(challenge_take(c, first, NOW, out), V_EXISTS);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once_and_in_time),
		cmocka_unit_test(used_ones_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
