/* User names by number: those that are there, those that are not, and two that collide in the cache. */
#include "agent/recorder/users.h"
#include "tests/unit/cm.h"

static void names_are_found_and_kept(void **state)
{
	struct users *u;
	uint32_t other;

	(void)state;
	assert_int_equal(users_new(&u), 0);
	assert_string_equal(users_name(u, 0, 1), "root");
	assert_string_equal(users_name(u, 0, 2), "root");
	assert_null(users_name(u, 3999999999u, 1));
	assert_null(users_name(u, 3999999999u, 2));
	assert_null(users_name(u, USERS_UNSET, 1));
	/* whoever else falls into root's place of the cache does not become root, nor root them */
	for (other = 1; other < 5 * USERS_MAX; other++) {
		const char *name = users_name(u, other, 1);

		assert_true(!name || name[0]);
	}
	assert_string_equal(users_name(u, 0, 1), "root");
	users_free(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_and_kept),
	};

	return cmocka_run_group_tests_name("recorder/users", tests, NULL, NULL);
}
