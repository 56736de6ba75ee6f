/*
 * What /proc tells of processes that no kernel program told of: names with brackets, threads of the kernel, those that
 * are known or came later, or let nobody look at their arguments; and lines that are none.
 */
#include "agent/recorder/running.h"
#include "policy/base/file.h"
#include "tests/unit/cm.h"
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>

static char proc[64];
static unsigned told;
static char args[64], comm[32];
static uint64_t pid, uid, login;

static int sink(void *ctx, const struct record *r, bool urgent)
{
	(void)ctx;
	(void)urgent;
	assert_int_equal(r->v[F_KIND].u, KIND_RUNNING);
	told++;
	pid = r->v[F_PID].u;
	uid = r->v[F_UID].u;
	login = record_has(r, F_LOGIN_UID) ? r->v[F_LOGIN_UID].u : UINT64_MAX;
	snprintf(args, sizeof(args), "%.*s", record_has(r, F_ARGS) ? (int)r->v[F_ARGS].s.n : 0,
		(const char *)r->v[F_ARGS].s.p);
	snprintf(comm, sizeof(comm), "%.*s", (int)r->v[F_COMM].s.n, (const char *)r->v[F_COMM].s.p);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void put(unsigned of, const char *name, const char *text, size_t n)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%u", proc, of);
	assert_int_equal(dir_make(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%u/%s", proc, of, name);
	assert_int_equal(file_replace_volatile(path, SPAN(text, n), 0644), 0);
}

static void put_stat(unsigned of, const char *name, unsigned flags, unsigned start)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "%u (%s) S 1 1 1 0 -1 %u 0 0 0 0 0 0 0 0 20 0 1 0 %u 0 0\n", of, name,
		flags, start);

	put(of, "stat", text, (size_t)n);
}

static void what_is_not_known_is_told(void **state)
{
	static const char yaml[] = "version: 1\npaths: {/: all}\n", status[] = "Name:\tx\nUid:\t1000\t1001\t0\t0\n",
			  line[] = "an\0argument";
	struct engine e = {.sink = sink, .proc = proc, .host_mnt_ns = 1};
	struct filter *f = calloc(1, sizeof(*f));
	struct arguments arguments;
	char path[128];
	struct why why;

	(void)state;
	snprintf(proc, sizeof(proc), "/tmp/sekisho-proc-XXXXXX");
	assert_non_null(mkdtemp(proc));
	assert_int_equal(filter_parse(SPAN_STR(yaml), "t", f, &why), 0);
	assert_int_equal(names_new(&e.names), 0);
	assert_int_equal(processes_new(e.names, &e.processes), 0);
	assert_int_equal(devices_new("/nonexistent", "/nonexistent", &e.devices), 0);
	assert_int_equal(users_new(&e.users), 0);
	e.filter = f;

	processes_add(e.processes, 10, 777, 1, 0); /* is known */
	put_stat(10, "known", 0, 5);
	put_stat(11, "kernel's own", 0x200000, 5);
	put_stat(12, "comes later", 0, 5000000);
	put_stat(13, "a (strange) name", 0, 5);
	put(13, "status", status, sizeof(status) - 1);
	put(13, "cmdline", line, sizeof(line));
	put(13, "loginuid", "1002", 4);
	put(14, "stat", "no numbers", 10);
	assert_int_equal(arguments_start(&arguments, proc), 0);
	assert_int_equal(running_rest(&e, 1000000000, &arguments), 0);
	assert_int_equal(told, 1);
	assert_int_equal(pid, 13);
	assert_int_equal(uid, 1001);
	assert_int_equal(login, 1002);
	assert_string_equal(comm, "a (strange) nam");
	assert_string_equal(args, "an\nargument");
	assert_true(processes_runs(e.processes, 13));
	/* Once. */
	assert_int_equal(running_rest(&e, 1000000000, &arguments), 0);
	assert_int_equal(told, 1);
	/* Whose arguments do not come is told without them, and recording goes on. */
	put_stat(15, "held", 0, 5);
	snprintf(path, sizeof(path), "%s/15/cmdline", proc);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(running_rest(&e, 1000000000, &arguments), 0);
	assert_int_equal(told, 2);
	assert_int_equal(pid, 15);
	assert_string_equal(args, "");
	assert_int_equal(arguments.child, 0);
	assert_int_equal(arguments_start(&arguments, proc), 0);
	arguments_end(&arguments);

	assert_int_equal(nftw(proc, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	users_free(e.users);
	devices_free(e.devices);
	processes_free(e.processes);
	names_free(e.names);
	free(f);
}

static void lines_that_are_none(void **state)
{
	static const char *const bad[] = {"", "1", "1 (a", "1 a) S 2", "1 )a( S 2 3", "1 (a) ", "1 (a) S",
		"x (a) S 1 2", "1 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18",
		"99999999999 (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0",
		"1 (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99999999999999999999 0",
		"1 (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1844674407370955161 0"};
	struct running_stat s;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(running_stat(SPAN_STR(bad[i]), 100, &s), V_BAD);
	assert_int_equal(running_stat(SPAN_STR("7 (a) S 3 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 5 0"), 100, &s), 0);
	assert_int_equal(s.pid, 7);
	assert_int_equal(s.ppid, 3);
	assert_int_equal(s.flags, 64);
	assert_int_equal(s.start_ns, 50000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_known_is_told), cmocka_unit_test(lines_that_are_none)};

	return cmocka_run_group_tests_name("recorder/running", tests, NULL, NULL);
}
