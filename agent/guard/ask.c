/*
 * What asks the guard from outside.
 *
 * `sekisho-guard ask`: run by udev's rules while an event is being processed (61-sekisho.rules). Gives the event to the
 * guard and prints what it decided as udev properties. Prints nothing where nobody answers in time: then what the rules
 * set before (read-only) stands. Never decides, never waits longer than ASK_PATIENCE_MS.
 *
 * `sekisho-guard sleep` and `wake`: run by sekisho-sleep.service, the first also by NetworkManager before it takes a
 * connection down. That one waits until the uplink has sent what the guard sealed, but no longer than SLEEP_SENT_MS
 * from when it was said first, however many ask: a PC is never kept from sleeping.
 */
#include "agent/guard/desk.h"
#include "agent/guard/guard.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/wire/spool.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char *const passed_on[] = {"ACTION", "DEVPATH", "SUBSYSTEM", "DEVTYPE", "DEVNAME", "MAJOR", "MINOR",
	"ID_FS_TYPE", "ID_FS_UUID", "ID_FS_USAGE", "DISK_MEDIA_CHANGE"};

static int wait_for(int fd, short what, int64_t until_us)
{
	struct pollfd p = {.fd = fd, .events = what};
	int64_t left = (until_us - clock_awake_us()) / 1000;

	return left > 0 && poll(&p, 1, (int)left) > 0 ? 0 : -ETIMEDOUT;
}

static int connect_desk(int64_t until_us)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || agent_path(at.sun_path, sizeof(at.sun_path), DESK_PATH))
		return -1;
	/* A queue that is full: the guard is busy, and the next moment may be better. */
	while (connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		if (errno != EAGAIN || clock_awake_us() >= until_us)
			return -1;
		poll(NULL, 0, 10);
	}
	return steal_fd(&fd);
}

/* One line. NULL where none came in time. */
static char *read_answer(int fd, char *room, size_t size, int64_t until_us)
{
	size_t n = 0;

	while (n < size - 1 && wait_for(fd, POLLIN, until_us) == 0) {
		ssize_t got = read(fd, room + n, size - 1 - n);
		char *end;

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got <= 0)
			return NULL;
		n += (size_t)got;
		room[n] = 0;
		end = strchr(room, '\n');
		if (end) {
			*end = 0;
			return room;
		}
	}
	return NULL;
}

/* Values become words of a rule file: nothing but what our own names consist of. */
static bool is_plain(const char *s)
{
	return s && *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")] == 0;
}

/* Takes the question over. The answer is the caller's; NULL where none came in time. */
static json_t *ask_desk(json_t *ask, int64_t patience_ms)
{
	static char room[DESK_LINE_MAX];
	int64_t until = clock_awake_us() + patience_ms * 1000;
	_cleanup_close_ int fd = connect_desk(until);
	char *text = fd < 0 ? NULL : json_dumps(ask, JSON_COMPACT);
	const char *line = NULL;

	if (text && !write_all(fd, text, strlen(text)) && !write_all(fd, "\n", 1))
		line = read_answer(fd, room, sizeof(room), until);
	free(text);
	json_decref(ask);
	return line ? json_loads(line, 0, NULL) : NULL;
}

int ask_main(void)
{
	json_t *env = json_object(), *answer;
	const char *access;
	bool plain;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(passed_on); i++)
		if (getenv(passed_on[i]))
			json_object_set_new(env, passed_on[i], json_string(getenv(passed_on[i])));
	answer = ask_desk(json_pack("{s:s, s:o}", "ask", "event", "env", env), ASK_PATIENCE_MS);
	access = json_string_value(json_object_get(answer, "access"));
	plain = is_plain(access);
	if (plain)
		printf("SEKISHO_ACCESS=%s\n", access);
	json_decref(answer);
	return plain ? 0 : 1;
}

/* --- sleep, wake --- */

/* What is sealed goes to acked/ when the collector has it. */
static bool is_sent(const char *folder)
{
	_cleanup_closedir_ DIR *d = opendir(folder);
	const struct dirent *e;
	uint64_t seq;

	while (d && (e = readdir(d)))
		if (spool_name_parse(e->d_name, &seq))
			return false;
	return true;
}

static void wait_sent(int64_t until)
{
	char folder[PATH_MAX];

	if (agent_path(folder, sizeof(folder), "/var/spool/sekisho/guard"))
		return;
	while (!is_sent(folder) && clock_awake_us() < until)
		poll(NULL, 0, 20);
}

int sleep_main(const char *what)
{
	bool sleeps = !strcmp(what, "sleep"), said;
	const char *reason;
	json_t *answer;
	int64_t said_us;
	int r = confine_power(0, CONFINE_LOCAL);

	if (r) {
		log_error("giving up privileges: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	answer = ask_desk(json_pack("{s:s}", "ask", what), SLEEP_PATIENCE_MS);
	reason = json_string_value(json_object_get(answer, "reason"));
	said = json_is_true(json_object_get(answer, "said"));
	said_us = json_integer_value(json_object_get(answer, "awake_us"));
	if (!answer)
		log_error("the guard does not answer: it is not recorded that the PC %s",
			sleeps ? "goes to sleep" : "woke");
	else if (!said)
		log_error("the guard: %s", reason ? reason : "no answer");
	json_decref(answer);
	if (said && sleeps)
		wait_sent(said_us + SLEEP_SENT_MS * 1000);
	return said ? EXIT_SUCCESS : EXIT_FAILURE;
}
