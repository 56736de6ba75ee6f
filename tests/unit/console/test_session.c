/* Sessions end by time, by sign-out, by number; cookies are ours or nothing. */
#include "collector/console/session.h"
#include "tests/unit/cm.h"
#include <stdlib.h>

#define S INT64_C(1000000)

static struct sessions *t;

static int begin(void **state)
{
	(void)state;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -1;
	t->idle_us = 900 * S;
	t->life_us = 43200 * S;
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(t);
	return 0;
}

static void times(void **state)
{
	char cookie[SESSION_TEXT_SIZE];
	struct session *x;
	int64_t now;

	(void)state;
	assert_int_equal(session_new(t, "hanako", "192.0.2.1", 0, 1, cookie, &x), 0);
	assert_ptr_equal(session_find(t, cookie, 900 * S), x);
	assert_null(session_find(t, cookie, 901 * S));
	for (now = 0; now <= 43200 * S; now += 600 * S)
		x->seen_us = now;
	assert_ptr_equal(session_find(t, cookie, 43200 * S), x);
	assert_null(session_find(t, cookie, 43201 * S));
	cookie[0] = cookie[0] == '0' ? '1' : '0';
	assert_null(session_find(t, cookie, 43200 * S));
}

static void numbers(void **state)
{
	char cookie[SESSION_TEXT_SIZE], first[SESSION_TEXT_SIZE], name[ACCOUNT_NAME_SIZE];
	struct session *x, *other;
	unsigned i, k, at = 0;

	(void)state;
	assert_int_equal(session_new(t, "hanako", "", 0, 1, first, &x), 0);
	for (i = 1; i < SESSIONS_EACH; i++)
		assert_int_equal(session_new(t, "hanako", "", i, 1, cookie, &x), 0);
	assert_non_null(session_find(t, first, 20));
	assert_int_equal(session_new(t, "hanako", "", 20, 1, cookie, &x), 0);
	assert_null(session_find(t, first, 20));
	assert_non_null(session_find(t, cookie, 20));
	for (i = 0; i < SESSIONS_MAX; i++) {
		snprintf(name, sizeof(name), "user%u", i / SESSIONS_EACH);
		k = session_new(t, name, "", 30, 1, cookie, &x);
		if (k)
			break;
	}
	/* Somebody who has none gets none while all are taken; who has one, gets another for it. */
	assert_int_equal(session_new(t, "new", "", 40, 1, cookie, &x), V_FULL);
	assert_int_equal(session_new(t, "hanako", "", 40, 1, cookie, &x), 0);
	/* Her own, and none of anybody else's. */
	for (at = 0, k = 0; (other = session_next(t, "hanako", 40, &at)); k++)
		assert_string_equal(other->account, "hanako");
	assert_int_equal(k, SESSIONS_EACH);
	at = 0;
	assert_null(session_next(t, "nobody", 40, &at));
	at = 0;
	assert_null(session_next(t, "hanako", 50000 * S, &at));
	session_end_all(t, "hanako", x);
	assert_non_null(session_find(t, cookie, 41));
	session_end_all(t, "hanako", NULL);
	assert_null(session_find(t, cookie, 41));
	assert_int_equal(session_new(t, "new", "", 42, 1, cookie, &x), 0);
	/* When they are over their places are free. */
	assert_int_equal(session_new(t, "later", "", 1000 * S, 1, cookie, &x), 0);
}

static void cookies(void **state)
{
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const char *const good[] = {"__Host-sekisho=" ID, "a=b; __Host-sekisho=" ID "; c=d",
		"__Host-sekisho=" ID ";", ";;  __Host-sekisho=" ID};
	static const char *const bad[] = {"__Host-sekisho=", "__Host-sekisho=" ID "0",
		"__Host-sekisho=" ID "; __Host-sekisho=" ID, "__Host-sekisho=0123",
		"__Host-sekisho=0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		"__Host-sekisho=\"" ID "\""};
	static const char *const none[] = {
		"", ";", "a=b", "__Host-sekisho", "x__Host-sekisho=" ID, "__host-sekisho=" ID};
	char out[SESSION_TEXT_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(session_cookie(good[i], out), 0);
		assert_string_equal(out, ID);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(session_cookie(bad[i], out), V_BAD);
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(session_cookie(none[i], out), V_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(times, begin, end),
		cmocka_unit_test_setup_teardown(numbers, begin, end),
		cmocka_unit_test(cookies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
