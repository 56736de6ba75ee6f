/*
 * What the services share: who may come to a socket, and a status file that is whole or as it was.
 */
#include "agent/service/service.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/service-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void connects(const char *path, int type)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);

	assert_true(strlen(path) < sizeof(at.sun_path));
	memcpy(at.sun_path, path, strlen(path));
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
}

static void test_listen(void **state)
{
	char path[160];
	int first = -1, second = -1;

	(void)state;
	snprintf(path, sizeof(path), "%s/desk", dir);
	assert_int_equal(service_listen(path, SOCK_STREAM, SERVICE_EVERYBODY, 4, &first), 0);
	assert_int_equal(mode_of(path), 0666);
	connects(path, SOCK_STREAM);
	/* What an earlier one left is no hindrance. */
	assert_int_equal(service_listen(path, SOCK_SEQPACKET, getegid(), 4, &second), 0);
	assert_int_equal(mode_of(path), 0660);
	connects(path, SOCK_SEQPACKET);
	close(first);
	close(second);
}

static void test_listen_refused(void **state)
{
	char path[256];
	int fd = -1;

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	assert_int_equal(service_listen(path, SOCK_STREAM, SERVICE_EVERYBODY, 4, &fd), -ENAMETOOLONG);
	assert_int_equal(service_listen("/no-such-folder/desk", SOCK_STREAM, SERVICE_EVERYBODY, 4, &fd), -ENOENT);
	assert_int_equal(fd, -1);
}

static void test_status(void **state)
{
	json_t *o;
	char path[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/status.json", dir);
	service_write_status(path, json_pack("{s:i}", "held", 3));
	assert_int_equal(mode_of(path), 0644);
	o = json_load_file(path, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(o, "held")), 3);
	json_decref(o);
	/* No memory for the new one: the old one stays. */
	service_write_status(path, NULL);
	o = json_load_file(path, 0, NULL);
	assert_non_null(o);
	json_decref(o);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
	unsigned *got = ctx;

	(void)source;
	*got = info->ssi_signo;
	return 0;
}

static void test_signals(void **state)
{
	static const struct service_signal handled[] = {{SIGHUP, on_signal}, {SIGUSR1, on_signal}};
	sd_event *event = NULL;
	unsigned got = 0;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(service_signals(event, handled, ARRAY_SIZE(handled), &got), 0);
	raise(SIGUSR1);
	assert_true(sd_event_run(event, 10000000) > 0);
	assert_int_equal(got, SIGUSR1);
	raise(SIGHUP);
	assert_true(sd_event_run(event, 10000000) > 0);
	assert_int_equal(got, SIGHUP);
	sd_event_unref(event);
}

/* Who takes all that he gets keeps out neither others nor root; several such users do not keep out root. */
static void test_places(void **state)
{
	static const struct service_places places = {.all = 16, .root = 4, .each = 4};
	unsigned of[4] = {0}, taken = 0, uid, n;

	(void)state;
	for (uid = 1; uid < 4; uid++)
		for (n = 0; n < 20; n++)
			if (service_has_place(&places, uid, taken, of[uid])) {
				of[uid]++;
				taken++;
			}
	assert_int_equal(of[1], 4);
	assert_int_equal(of[2], 4);
	assert_int_equal(taken, 12);
	assert_false(service_has_place(&places, 5, taken, 0));
	for (n = 0; service_has_place(&places, 0, taken, n); n++)
		taken++;
	assert_int_equal(n, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_listen_refused),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_signals),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
