/*
 * What asks the guard from outside.
 *
 * `sekisho-guard ask`: run by udev's rules while an event is being processed (61-sekisho.rules). Gives the event to the
 * guard and prints what it decided as udev properties. Prints nothing where nobody answers in time: then what the rules
 * set before (read-only) stands. Never decides, never waits longer than ASK_PATIENCE_MS.
 *
 * `sekisho-guard sleep` and `wake`: run by sekisho-sleep.service. The first waits until the uplink has sent what the
 * guard sealed, but no longer than SLEEP_SENT_MS: a PC is never kept from sleeping.
 */
#include "agent/guard/desk.h"
#include "agent/guard/guard.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
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

int ask_main(void)
{
	static char room[DESK_LINE_MAX];
	int64_t until = clock_awake_us() + ASK_PATIENCE_MS * 1000;
	_cleanup_close_ int fd = connect_desk(until);
	json_t *env = json_object(), *ask, *answer;
	const char *access, *line;
	char *text;
	size_t i;

	if (fd < 0)
		return 1;
	for (i = 0; i < ARRAY_SIZE(passed_on); i++)
		if (getenv(passed_on[i]))
			json_object_set_new(env, passed_on[i], json_string(getenv(passed_on[i])));
	ask = json_pack("{s:s, s:o}", "ask", "event", "env", env);
	text = json_dumps(ask, JSON_COMPACT);
	json_decref(ask);
	if (!text || write_all(fd, text, strlen(text)) || write_all(fd, "\n", 1)) {
		free(text);
		return 1;
	}
	free(text);
	line = read_answer(fd, room, sizeof(room), until);
	answer = line ? json_loads(line, 0, NULL) : NULL;
	access = json_string_value(json_object_get(answer, "access"));
	if (is_plain(access))
		printf("SEKISHO_ACCESS=%s\n", access);
	json_decref(answer);
	return is_plain(access) ? 0 : 1;
}

/* --- sleep, wake --- */

/* What is sealed goes to acked/ when the collector has it. */
static bool is_sent(const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	bool waits = false;

	while (d && !waits && (e = readdir(d)))
		waits = strlen(e->d_name) > 4 && !strcmp(e->d_name + strlen(e->d_name) - 4, ".seg");
	if (d)
		closedir(d);
	return !waits;
}

static void wait_sent(void)
{
	int64_t until = clock_awake_us() + SLEEP_SENT_MS * 1000;
	char folder[PATH_MAX];

	if (agent_path(folder, sizeof(folder), "/var/spool/sekisho/guard"))
		return;
	while (!is_sent(folder) && clock_awake_us() < until)
		poll(NULL, 0, 20);
}

int sleep_main(const char *what)
{
	static char room[DESK_LINE_MAX];
	int64_t until = clock_awake_us() + SLEEP_PATIENCE_MS * 1000;
	_cleanup_close_ int fd = connect_desk(until);
	const char *line = NULL, *reason;
	json_t *answer;
	char ask[32];
	bool said;

	snprintf(ask, sizeof(ask), "{\"ask\": \"%s\"}\n", what);
	if (fd < 0 || write_all(fd, ask, strlen(ask)) || !(line = read_answer(fd, room, sizeof(room), until))) {
		log_error("the guard does not answer: it is not recorded that the PC %s",
			what[0] == 's' ? "goes to sleep" : "woke");
		return EXIT_FAILURE;
	}
	answer = json_loads(line, 0, NULL);
	said = json_is_true(json_object_get(answer, "said"));
	reason = json_string_value(json_object_get(answer, "reason"));
	if (!said)
		log_error("the guard: %s", reason ? reason : "no answer");
	json_decref(answer);
	if (said && what[0] == 's')
		wait_sent();
	return said ? EXIT_SUCCESS : EXIT_FAILURE;
}
