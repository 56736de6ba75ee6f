/*
 * Sign-ins, locks and sign-outs from logind: a bus of the test's own, on which the test itself is logind.
 */
#include "agent/recorder/session.h"
#include "policy/wire/record.h"
#include "tests/unit/cm.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define SESSION_PATH "/org/freedesktop/login1/session/_31"
#define GREETER_PATH "/org/freedesktop/login1/session/c1"

static sd_event *event;
static sd_bus *logind;
static pid_t daemon_pid;
static bool gone;

/* What the session's properties are now. */
static int locked;
static const char *class_of_session = "user";

struct told {
	unsigned n;
	unsigned kind[16];
	bool at_start[16];
	struct session s[16];
} told;

static void tell(void *ctx, unsigned kind, const struct session *s, bool at_start)
{
	(void)ctx;
	assert_true(told.n < 16);
	told.kind[told.n] = kind;
	told.at_start[told.n] = at_start;
	told.s[told.n++] = *s;
}

static void on_gone(void *ctx)
{
	(void)ctx;
	gone = true;
}

static int start_bus(void)
{
	char address[256] = "";
	int out[2];
	ssize_t n;

	if (pipe(out))
		return -1;
	daemon_pid = fork();
	if (daemon_pid == 0) {
		dup2(out[1], 1);
		execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1", NULL);
		_exit(127);
	}
	close(out[1]);
	n = read(out[0], address, sizeof(address) - 1);
	close(out[0]);
	if (daemon_pid < 0 || n <= 0)
		return -1;
	address[strcspn(address, "\n")] = 0;
	return setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
}

static int list_sessions(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	(void)ctx;
	(void)error;
	return sd_bus_reply_method_return(
		m, "a(susso)", 2, "1", 1000u, "ann", "seat0", SESSION_PATH, "c1", 110u, "gdm", "seat0", GREETER_PATH);
}

#define GETTER(name)                                                                                \
	static int name(sd_bus *bus, const char *path, const char *interface, const char *property, \
		sd_bus_message *reply, void *ctx, sd_bus_error *error)
#define UNUSED_GETTER ((void)bus, (void)path, (void)interface, (void)property, (void)ctx, (void)error)

GETTER(get_text)
{
	const char *text = strcmp(property, "Name") == 0         ? "ann"
			   : strcmp(property, "Service") == 0    ? "gdm-password"
			   : strcmp(property, "RemoteHost") == 0 ? ""
								 : "tty2";

	UNUSED_GETTER;
	if (strcmp(property, "Class") == 0)
		text = strcmp(path, GREETER_PATH) == 0 ? "greeter" : class_of_session;
	return sd_bus_message_append(reply, "s", text);
}

GETTER(get_user)
{
	UNUSED_GETTER;
	return sd_bus_message_append(reply, "(uo)", 1000u, "/org/freedesktop/login1/user/_1000");
}

GETTER(get_seat)
{
	UNUSED_GETTER;
	return sd_bus_message_append(reply, "(so)", "seat0", "/org/freedesktop/login1/seat/seat0");
}

GETTER(get_leader)
{
	UNUSED_GETTER;
	return sd_bus_message_append(reply, "u", 4711u);
}

GETTER(get_time)
{
	UNUSED_GETTER;
	return sd_bus_message_append(reply, "t", (uint64_t)77);
}

GETTER(get_locked)
{
	UNUSED_GETTER;
	return sd_bus_message_append(reply, "b", locked);
}

static const sd_bus_vtable manager[] = {SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("ListSessions", "", "a(susso)", list_sessions, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("SessionNew", "so", 0), SD_BUS_SIGNAL("SessionRemoved", "so", 0), SD_BUS_VTABLE_END};

static const sd_bus_vtable session[] = {SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("Name", "s", get_text, 0, 0),
	SD_BUS_PROPERTY("Service", "s", get_text, 0, 0), SD_BUS_PROPERTY("RemoteHost", "s", get_text, 0, 0),
	SD_BUS_PROPERTY("TTY", "s", get_text, 0, 0), SD_BUS_PROPERTY("Class", "s", get_text, 0, 0),
	SD_BUS_PROPERTY("User", "(uo)", get_user, 0, 0), SD_BUS_PROPERTY("Seat", "(so)", get_seat, 0, 0),
	SD_BUS_PROPERTY("Leader", "u", get_leader, 0, 0), SD_BUS_PROPERTY("Timestamp", "t", get_time, 0, 0),
	SD_BUS_PROPERTY("LockedHint", "b", get_locked, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE), SD_BUS_VTABLE_END};

static int setup(void **state)
{
	(void)state;
	memset(&told, 0, sizeof(told));
	gone = false;
	locked = 0;
	if (start_bus() || sd_event_new(&event) < 0 || sd_bus_open_system(&logind) < 0 ||
		sd_bus_attach_event(logind, event, 0) < 0)
		return -1;
	return 0;
}

static int be_logind(void)
{
	return sd_bus_add_object_vtable(
		       logind, NULL, "/org/freedesktop/login1", "org.freedesktop.login1.Manager", manager, NULL) < 0 ||
			       sd_bus_add_object_vtable(logind, NULL, SESSION_PATH, "org.freedesktop.login1.Session",
				       session, NULL) < 0 ||
			       sd_bus_add_object_vtable(logind, NULL, GREETER_PATH, "org.freedesktop.login1.Session",
				       session, NULL) < 0 ||
			       sd_bus_request_name(logind, "org.freedesktop.login1", 0) < 0
		       ? -1
		       : 0;
}

static int teardown(void **state)
{
	(void)state;
	logind = sd_bus_close_unref(logind);
	event = sd_event_unref(event);
	if (daemon_pid > 0) {
		kill(daemon_pid, SIGTERM);
		waitpid(daemon_pid, NULL, 0);
	}
	return 0;
}

/* Lets the loop run until `n` were told, or (where it is not NULL) `*flag`. */
static void wait_for(unsigned n, const bool *flag)
{
	unsigned i;

	for (i = 0; i < 500 && (flag ? !*flag : told.n < n); i++)
		assert_true(sd_event_run(event, 20000) >= 0);
	assert_true(flag ? *flag : told.n == n);
}

static void comings_locks_and_goings(void **state)
{
	struct logind_watch *w;

	(void)state;
	assert_int_equal(be_logind(), 0);
	assert_int_equal(logind_watch_new(event, tell, on_gone, NULL, &w), 0);
	wait_for(1, NULL);
	assert_int_equal(told.kind[0], KIND_LOGIN);
	assert_true(told.at_start[0]);
	assert_string_equal(told.s[0].user, "ann");
	assert_string_equal(told.s[0].seat, "seat0");
	assert_string_equal(told.s[0].service, "gdm-password");
	assert_int_equal(told.s[0].uid, 1000);
	assert_int_equal(told.s[0].leader, 4711);
	assert_int_equal(told.s[0].since_wall_us, 77);

	locked = 1;
	assert_true(sd_bus_emit_properties_changed(
			    logind, SESSION_PATH, "org.freedesktop.login1.Session", "LockedHint", NULL) >= 0);
	wait_for(2, NULL);
	assert_int_equal(told.kind[1], KIND_LOCK);
	locked = 0;
	assert_true(sd_bus_emit_properties_changed(
			    logind, SESSION_PATH, "org.freedesktop.login1.Session", "LockedHint", NULL) >= 0);
	wait_for(3, NULL);
	assert_int_equal(told.kind[2], KIND_UNLOCK);

	/* the greeter is nobody: it leaves without a word */
	assert_true(sd_bus_emit_signal(logind, "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
			    "SessionRemoved", "so", "c1", GREETER_PATH) >= 0);
	assert_true(sd_bus_emit_signal(logind, "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
			    "SessionRemoved", "so", "1", SESSION_PATH) >= 0);
	wait_for(4, NULL);
	assert_int_equal(told.kind[3], KIND_LOGOUT);
	assert_string_equal(told.s[3].user, "ann");

	assert_true(sd_bus_emit_signal(logind, "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
			    "SessionNew", "so", "1", SESSION_PATH) >= 0);
	wait_for(5, NULL);
	assert_int_equal(told.kind[4], KIND_LOGIN);
	assert_false(told.at_start[4]);
	assert_false(gone);
	assert_true(logind_watch_answers(w));
	assert_int_equal(logind_watch_refused(w), 0);
	logind_watch_free(w);
}

static void without_logind_on_the_bus_it_says_so(void **state)
{
	struct logind_watch *w;

	(void)state;
	assert_int_equal(logind_watch_new(event, tell, on_gone, NULL, &w), 0);
	wait_for(0, &gone);
	assert_false(logind_watch_answers(w));
	logind_watch_free(w);
}

static void a_bus_that_ends_is_told(void **state)
{
	struct logind_watch *w;

	(void)state;
	assert_int_equal(be_logind(), 0);
	assert_int_equal(logind_watch_new(event, tell, on_gone, NULL, &w), 0);
	wait_for(1, NULL);
	kill(daemon_pid, SIGTERM);
	waitpid(daemon_pid, NULL, 0);
	daemon_pid = 0;
	wait_for(0, &gone);
	logind_watch_free(w);
}

static void without_a_bus_it_is_not_there(void **state)
{
	struct logind_watch *w;

	(void)state;
	assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1), 0);
	assert_int_equal(logind_watch_new(event, tell, on_gone, NULL, &w), V_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comings_locks_and_goings, setup, teardown),
		cmocka_unit_test_setup_teardown(without_logind_on_the_bus_it_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bus_that_ends_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_bus_it_is_not_there, setup, teardown),
	};

	return cmocka_run_group_tests_name("recorder/logind", tests, NULL, NULL);
}
