/* Purposes are kept, and read by others; a file of another boot, or that is damaged, holds none. */
#include "agent/service/purposes.h"
#include "policy/base/file.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static char policy[64];
static struct purposes guard, door;

static int setup(void **state)
{
	static char folder[] = "/tmp/sekisho-purposes-XXXXXX";

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(policy, sizeof(policy), "%s/policy.yaml", folder);
	purposes_init(&guard, policy);
	purposes_init(&door, policy);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(guard.path);
	*strrchr(policy, '/') = 0;
	return rmdir(policy);
}

static void who_asks_behind_it_has_it(void **state)
{
	(void)state;
	assert_int_equal(purposes_until(&door, "pay", 1000, 10), 0);
	assert_int_equal(purposes_add(&guard, "pay", 1000, 100, 10), 0);
	assert_int_equal(purposes_until(&door, "pay", 1000, 11), 100);
	assert_int_equal(purposes_until(&door, "pay", 1001, 11), 0);
	assert_int_equal(purposes_until(&door, "hr", 1000, 11), 0);
	/* the same once more is later, not a second one */
	assert_int_equal(purposes_add(&guard, "pay", 1000, 200, 20), 0);
	assert_int_equal(guard.n, 1);
	assert_int_equal(purposes_until(&door, "pay", 1000, 99), 100);
	assert_int_equal(purposes_until(&door, "pay", 1000, 100), 200);
	assert_int_equal(purposes_until(&door, "pay", 1000, 200), 0);
	/* who starts anew goes on with what is kept */
	purposes_init(&guard, policy);
	assert_int_equal(purposes_add(&guard, "人事 1", 7, 300, 150), 0);
	assert_int_equal(purposes_until(&door, "人事 1", 7, 150), 300);
	assert_int_equal(purposes_until(&door, "pay", 1000, 150), 200);
}

static void as_many_as_fit(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < PURPOSES_MAX; i++)
		assert_int_equal(purposes_add(&guard, "x", i, 900, 500), 0);
	assert_int_equal(purposes_room(&guard, "x", i, 500), V_FULL);
	assert_int_equal(purposes_add(&guard, "x", i, 900, 500), V_FULL);
	/* the same person's for the same area takes no further place */
	assert_int_equal(purposes_room(&guard, "x", 3, 500), 0);
	assert_int_equal(purposes_room(&guard, "y", 3, 500), V_FULL);
	assert_int_equal(purposes_until(&door, "x", PURPOSES_MAX - 1, 500), 900);
	/* whose time is over make room */
	assert_int_equal(purposes_room(&guard, "y", 1, 901), 0);
	assert_int_equal(purposes_add(&guard, "y", 1, 2000, 901), 0);
	assert_int_equal(guard.n, 1);
}

static void nothing_that_cannot_be_read_is_one(void **state)
{
	static const char *const texts[] = {
		"", "\n9000 5 x\n", "00112233445566778899aabbccddeeff\n9000 5 x\n", "9000 5 x\n"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(file_replace_volatile(guard.path, SPAN_STR(texts[i]), 0640), 0);
		assert_int_equal(purposes_until(&door, "x", 5, 3000), 0);
	}
	unlink(guard.path);
	assert_int_equal(purposes_until(&door, "x", 5, 3000), 0);
	/* what cannot be kept does not hold */
	snprintf(guard.path, sizeof(guard.path), "/proc/none/purposes");
	assert_true(purposes_add(&guard, "z", 5, 9000, 3000) < 0);
	assert_int_equal(purposes_until(&guard, "z", 5, 3000), 0);
	purposes_init(&guard, policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(who_asks_behind_it_has_it),
		cmocka_unit_test(as_many_as_fit), cmocka_unit_test(nothing_that_cannot_be_read_is_one)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
