/* What files in containers are called on the PC, from the PC's mounts. */
#include "agent/recorder/parts.h"
#include "tests/unit/cm.h"
#include <sys/sysmacros.h>

static struct parts p;

static void mounted(unsigned minor, const char *fs, const char *part, const char *point)
{
	struct mount_entry m = {.dev = makedev(0, minor), .part = part, .point = point, .fs = fs, .source = ""};

	parts_add(&p, &m);
}

/* "MINOR PART POINT" of each, with commas. */
static const char *all(void)
{
	static char text[512];
	unsigned i;

	text[0] = 0;
	for (i = 0; i < p.n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u %s %s", i ? ", " : "",
			minor(p.at[i].dev), p.at[i].part, p.at[i].path);
	p.n = 0;
	return text;
}

static void the_whole_counts_before_its_bind_mounts(void **state)
{
	(void)state;
	mounted(1, "ext4", "/", "/");
	mounted(1, "ext4", "/srv", "/mnt");
	mounted(1, "ext4", "/", "/again");
	assert_string_equal(all(), "1 / /");
	mounted(1, "ext4", "/srv", "/mnt");
	mounted(1, "ext4", "/home", "/home");
	mounted(2, "tmpfs", "/", "/tmp");
	mounted(1, "ext4", "/", "/disk");
	assert_string_equal(all(), "2 / /tmp, 1 / /disk");
}

static void subvolumes_count_each(void **state)
{
	(void)state;
	mounted(3, "btrfs", "/@", "/");
	mounted(3, "btrfs", "/@home", "/home");
	mounted(3, "btrfs", "/@/srv", "/mnt");
	mounted(3, "btrfs", "/@home/a", "/a");
	assert_string_equal(all(), "3 /@ /, 3 /@home /home");
}

static void what_is_nobodys_place_does_not_count(void **state)
{
	(void)state;
	mounted(4, "proc", "/", "/proc");
	mounted(5, "nsfs", "net:[4026532281]", "/run/netns/a");
	mounted(6, "ext4", "/gone//deleted", "/b");
	mounted(7, "cgroup2", "/../..", "/sys/fs/cgroup");
	mounted(8, "ext4", "/../..", "/c");
	mounted(9, "overlay", "/", "/var/lib/docker/overlay2/x/merged");
	assert_string_equal(all(), "");
	mounted(9, "overlay", "/", "/");
	assert_string_equal(all(), "9 / /");
}

static void no_more_than_there_is_room_for(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 2 * PROBE_POINTS_MAX; i++)
		mounted(10 + i, "tmpfs", "/", "/x");
	assert_int_equal(p.n, PROBE_POINTS_MAX);
	assert_int_equal(minor(p.at[0].dev), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_counts_before_its_bind_mounts),
		cmocka_unit_test(subvolumes_count_each),
		cmocka_unit_test(what_is_nobodys_place_does_not_count),
		cmocka_unit_test(no_more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
