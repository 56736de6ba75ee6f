/* Sign-ins and sign-outs from a utmp file made for the test. */
#include "agent/recorder/session.h"
#include "policy/wire/record.h"
#include "tests/unit/cm.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <utmpx.h>

static char folder[64], path[80];
static sd_event *event;

struct told {
	unsigned n;
	unsigned kind[16];
	bool at_start[16];
	struct session s[16];
};

static void tell(void *ctx, unsigned kind, const struct session *s, bool at_start)
{
	struct told *t = ctx;

	assert_true(t->n < 16);
	t->kind[t->n] = kind;
	t->at_start[t->n] = at_start;
	t->s[t->n++] = *s;
}

static int setup(void **state)
{
	int fd;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/sekisho-utmp-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/utmp", folder);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	close(fd);
	return sd_event_new(&event) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	event = sd_event_unref(event);
	unlink(path);
	return rmdir(folder);
}

static void write_entry(short type, const char *line, const char *user, const char *host, int pid, int sec)
{
	struct utmpx u = {.ut_type = type, .ut_pid = pid, .ut_tv = {.tv_sec = sec}};

	memcpy(u.ut_line, line, strlen(line));
	memcpy(u.ut_id, line, strlen(line) < 4 ? strlen(line) : 4);
	memcpy(u.ut_user, user, strlen(user));
	memcpy(u.ut_host, host, strlen(host));
	assert_int_equal(utmpxname(path), 0);
	setutxent();
	assert_non_null(pututxline(&u));
	endutxent();
}

/* Lets the loop run until `n` were told. */
static void wait_for(const struct told *t, unsigned n)
{
	unsigned i;

	for (i = 0; i < 100 && t->n < n; i++)
		assert_true(sd_event_run(event, 100000) >= 0);
	assert_int_equal(t->n, n);
}

static void comings_and_goings_are_told(void **state)
{
	struct told t = {0};
	struct utmp_watch *w;

	(void)state;
	write_entry(USER_PROCESS, "tty1", "ann", "", 100, 5);
	write_entry(LOGIN_PROCESS, "tty2", "LOGIN", "", 101, 5);
	assert_int_equal(utmp_watch_new(event, path, tell, &t, &w), 0);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.kind[0], KIND_LOGIN);
	assert_true(t.at_start[0]);
	assert_string_equal(t.s[0].user, "ann");
	assert_int_equal(t.s[0].since_wall_us, 5000000);

	write_entry(USER_PROCESS, "pts/0", "bob", "192.0.2.7", 200, 9);
	wait_for(&t, 2);
	assert_int_equal(t.kind[1], KIND_LOGIN);
	assert_false(t.at_start[1]);
	assert_string_equal(t.s[1].user, "bob");
	assert_string_equal(t.s[1].seat, "pts/0");
	assert_string_equal(t.s[1].remote, "192.0.2.7");
	assert_int_equal(t.s[1].leader, 200);

	write_entry(DEAD_PROCESS, "tty1", "", "", 100, 10);
	wait_for(&t, 3);
	assert_int_equal(t.kind[2], KIND_LOGOUT);
	assert_string_equal(t.s[2].user, "ann");

	/* one after the other on the same line */
	write_entry(USER_PROCESS, "pts/0", "eve", ":0", 201, 11);
	wait_for(&t, 5);
	assert_int_equal(t.kind[3], KIND_LOGOUT);
	assert_string_equal(t.s[3].user, "bob");
	assert_int_equal(t.kind[4], KIND_LOGIN);
	assert_string_equal(t.s[4].user, "eve");
	assert_string_equal(t.s[4].remote, "");
	utmp_watch_free(w);
}

static void a_missing_file_is_nobody_and_a_missing_folder_is_said(void **state)
{
	struct told t = {0};
	struct utmp_watch *w;

	(void)state;
	unlink(path);
	assert_int_equal(utmp_watch_new(event, path, tell, &t, &w), 0);
	assert_int_equal(t.n, 0);
	utmp_watch_free(w);
	assert_int_equal(utmp_watch_new(event, "/nonexistent/utmp", tell, &t, &w), V_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comings_and_goings_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_file_is_nobody_and_a_missing_folder_is_said, setup, teardown),
	};

	return cmocka_run_group_tests_name("recorder/utmp", tests, NULL, NULL);
}
