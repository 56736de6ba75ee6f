/*
 * One sentence to one person's desktop. See speaker.h.
 */
#include "agent/notice/speaker.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/wire/agent_conf.h"
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <systemd/sd-bus.h>

#define SERVICE "org.freedesktop.Notifications"
#define SERVICE_PATH "/org/freedesktop/Notifications"
#define BUS "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"
#define WAIT_US 2000000ull
#define ENVIRON_MAX (128u << 10)
#define LOCALE_MAX 4096u

/* As setlocale(3) reads them: the first that is set and not empty. */
static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
struct locale {
	char value[ARRAY_SIZE(names)][LANG_SIZE];
};

struct speaker {
	sd_bus *bus;
};

int speaker_become(uint32_t uid)
{
	struct passwd *pw = getpwuid(uid);
	sigset_t none;

	if (!uid || !pw)
		return -ESRCH;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGALRM, SIG_DFL);
	/* Nothing of the guard's is for that person: neither maps nor keys. */
	syscall(SYS_close_range, 3u, ~0u, 0u);
	if (setgroups(0, NULL) || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) || setresuid(uid, uid, uid))
		return -errno;
	if (setuid(0) == 0)
		return -EPERM;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return confine_syscalls(CONFINE_COMPUTE | CONFINE_SPEAK);
}

int speaker_new(uint32_t uid, struct speaker **out)
{
	_cleanup_(speaker_freep) struct speaker *s = calloc(1, sizeof(*s));
	char of_uid[64], path[PATH_MAX], address[PATH_MAX + 16];
	int r = s ? sd_bus_new(&s->bus) : -ENOMEM;

	snprintf(of_uid, sizeof(of_uid), "/run/user/%u/bus", uid);
	if (r >= 0 && agent_path(path, sizeof(path), of_uid))
		r = -ENAMETOOLONG;
	if (r >= 0) {
		snprintf(address, sizeof(address), "unix:path=%s", path);
		r = sd_bus_set_address(s->bus, address);
	}
	if (r >= 0)
		r = sd_bus_set_bus_client(s->bus, 1);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(s->bus, WAIT_US);
	if (r >= 0)
		r = sd_bus_start(s->bus);
	if (r < 0)
		return r;
	*out = STEAL(s);
	return 0;
}

void speaker_free(struct speaker *s)
{
	if (!s)
		return;
	sd_bus_flush_close_unref(s->bus);
	free(s);
}

/* --- the language --- */

/* One "NAME=VALUE". */
static void take_variable(struct locale *l, const char *word, size_t n)
{
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		len = strlen(names[i]);
		if (n > len && !strncmp(word, names[i], len) && word[len] == '=')
			snprintf(l->value[i], LANG_SIZE, "%.*s",
				(int)(n - len - 1 < LANG_SIZE ? n - len - 1 : LANG_SIZE), word + len + 1);
	}
}

/* Variables that end with `end`: NUL in an environment, a newline in locale.conf (where values may be quoted). */
static void take_variables(struct locale *l, struct span s, char end)
{
	size_t at = 0, i;

	while (at < s.n) {
		const char *word = (const char *)s.p + at, *stop = memchr(word, end, s.n - at);
		size_t n = stop ? (size_t)(stop - word) : s.n - at;

		take_variable(l, word, n);
		at += n + 1;
	}
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (l->value[i][0] == '"') {
			memmove(l->value[i], l->value[i] + 1, strlen(l->value[i]));
			l->value[i][strcspn(l->value[i], "\"")] = 0;
		}
}

static bool is_said(const struct locale *l, char out[LANG_SIZE])
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!l->value[i][0])
			continue;
		memcpy(out, l->value[i], LANG_SIZE);
		return true;
	}
	return false;
}

/* Of the program that shows notifications, which is started where it is not there yet. */
static void ask_shower(struct speaker *s, struct locale *l)
{
	_cleanup_buf_ struct buf b = BUF_INIT(ENVIRON_MAX);
	sd_bus_message *answer = NULL;
	char path[64];
	uint32_t pid;

	sd_bus_call_method(s->bus, BUS, BUS_PATH, BUS, "StartServiceByName", NULL, NULL, "su", SERVICE, 0u);
	if (sd_bus_call_method(s->bus, BUS, BUS_PATH, BUS, "GetConnectionUnixProcessID", NULL, &answer, "s", SERVICE) >=
			0 &&
		sd_bus_message_read(answer, "u", &pid) > 0) {
		struct stat st;

		snprintf(path, sizeof(path), "/proc/%u/environ", pid);
		/* Somebody else's program is no word of this person's. */
		if (!stat(path, &st) && st.st_uid == getuid() && !file_read(path, &b))
			take_variables(l, buf_span(&b), 0);
	}
	sd_bus_message_unref(answer);
}

static void ask_manager(struct speaker *s, struct locale *l)
{
	char **list = NULL, **word;

	if (sd_bus_get_property_strv(s->bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		    "org.freedesktop.systemd1.Manager", "Environment", NULL, &list) < 0)
		return;
	for (word = list; word && *word; word++) {
		take_variable(l, *word, strlen(*word));
		free(*word);
	}
	free(list);
}

static void ask_system(struct locale *l)
{
	static const char *const files[] = {"/etc/default/locale", "/etc/locale.conf"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(LOCALE_MAX);

		if (!file_read(files[i], &b))
			take_variables(l, buf_span(&b), '\n');
	}
}

void speaker_language(struct speaker *s, char out[LANG_SIZE])
{
	struct locale l = {{""}};

	snprintf(out, LANG_SIZE, "C");
	ask_shower(s, &l);
	if (is_said(&l, out))
		return;
	ask_manager(s, &l);
	if (is_said(&l, out))
		return;
	ask_system(&l);
	is_said(&l, out);
}

int speaker_say(struct speaker *s, const char *icon, const char *summary, const char *body, bool urgent)
{
	int r = sd_bus_call_method(s->bus, SERVICE, SERVICE_PATH, SERVICE, "Notify", NULL, NULL, "susssasa{sv}i",
		"Sekisho", 0u, icon, summary, body, 0, 2, "urgency", "y", (uint8_t)(urgent ? 2 : 1), "category", "s",
		"device", -1);

	return r < 0 ? r : 0;
}
