/*
 * Refusals that wait for a guard: what they are told with is what they were, of which boot, and when; how many there is
 * no room for is there too; who was killed while he held the file keeps nobody from it, and nobody waits for who holds
 * it.
 */
#include "agent/guard/refuse.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

static char path[64];
static int door, guard;
static unsigned heard;
static uint64_t lost;
static struct refuse_event last;

static void each(void *ctx, const struct refuse_event *e)
{
	(void)ctx;
	heard += e->ino != 0;
	lost += e->lost;
	last = *e;
}

static int begin(void **s)
{
	(void)s;
	heard = 0;
	lost = 0;
	snprintf(path, sizeof(path), "/tmp/sekisho-meanwhile-%d", (int)getpid());
	door = meanwhile_open(path);
	guard = meanwhile_open(path);
	return door < 0 || guard < 0;
}

static int end(void **s)
{
	(void)s;
	close(door);
	close(guard);
	return unlink(path);
}

static struct refuse_event refused(uint64_t ino)
{
	return (struct refuse_event){.what = REFUSE_REFUSED,
		.pid = 4711,
		.uid = 1000,
		.login_uid = UINT32_MAX,
		.boot_us = 5000001,
		.wall_us = 1790000000000001,
		.start_us = 4000001,
		.dev = 2049,
		.ino = ino,
		.policy = 3,
		.comm = "cat",
		.user = "hana",
		.boot = "00112233445566778899aabbccddeeff",
		.area = "hr",
		.rule = "others",
		.program = "/usr/bin/cat",
		.path = "/srv/hr/a"};
}

static void it_is_told_as_it_was(void **s)
{
	struct refuse_event e = refused(7);

	(void)s;
	assert_int_equal(meanwhile_add(door, &e), 0);
	assert_int_equal(meanwhile_take(guard, each, NULL), 1);
	assert_int_equal(heard, 1);
	assert_int_equal(last.pid, 4711);
	assert_int_equal(last.policy, 3);
	assert_int_equal(last.login_uid, UINT32_MAX);
	assert_int_equal(last.boot_us, 5000001);
	assert_int_equal(last.wall_us, 1790000000000001);
	assert_int_equal(last.start_us, 4000001);
	assert_string_equal(last.boot, "00112233445566778899aabbccddeeff");
	assert_string_equal(last.user, "hana");
	assert_string_equal(last.path, "/srv/hr/a");
	assert_int_equal(meanwhile_take(guard, each, NULL), 0);
}

/* What a version wrote that knew of no boot. */
static void an_older_line_is_of_no_known_boot(void **s)
{
	static const char line[] = "{\"pid\":1,\"ino\":9,\"boot_us\":3,\"path\":\"/srv/hr/b\"}\n";

	(void)s;
	assert_int_equal(write(door, line, sizeof(line) - 1), sizeof(line) - 1);
	assert_int_equal(meanwhile_take(guard, each, NULL), 1);
	assert_string_equal(last.boot, "");
	assert_int_equal(last.wall_us, 0);
}

static void what_there_is_no_room_for_is_counted(void **s)
{
	struct refuse_event e = refused(7), none = {.what = REFUSE_REFUSED, .lost = 12};
	unsigned n = 0;
	int r;

	(void)s;
	while (!(r = meanwhile_add(door, &e)))
		n++;
	assert_int_equal(r, -ENOSPC);
	assert_true(n > 100);
	assert_int_equal(meanwhile_add(door, &none), 0);
	assert_int_equal(meanwhile_take(guard, each, NULL), n + 1);
	assert_int_equal(heard, n);
	assert_int_equal(lost, 12);
	assert_int_equal(meanwhile_add(door, &e), 0);
}

static void who_holds_it_is_not_waited_for(void **s)
{
	struct refuse_event e = refused(7);
	int ends[2], status;
	char byte;
	pid_t pid;

	(void)s;
	assert_int_equal(meanwhile_add(door, &e), 0);
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		int fd = meanwhile_open(path);

		if (fd < 0 || flock(fd, LOCK_EX) || write(ends[1], "l", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(meanwhile_take(guard, each, NULL), -EAGAIN);
	assert_int_equal(heard, 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(meanwhile_take(guard, each, NULL), 1);
	assert_int_equal(heard, 1);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_told_as_it_was, begin, end),
		cmocka_unit_test_setup_teardown(an_older_line_is_of_no_known_boot, begin, end),
		cmocka_unit_test_setup_teardown(what_there_is_no_room_for_is_counted, begin, end),
		cmocka_unit_test_setup_teardown(who_holds_it_is_not_waited_for, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
