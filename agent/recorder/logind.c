/*
 * Sessions from logind over the system bus: SessionNew, SessionRemoved, and LockedHint of each session. Every question
 * is asked without waiting for its answer: a bus that hangs must not hold up the recording.
 */
#include "agent/recorder/session.h"
#include "policy/base/cleanup.h"
#include "policy/base/why.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <systemd/sd-bus.h>

#define LOGIND "org.freedesktop.login1"
#define LOGIND_PATH "/org/freedesktop/login1"
#define LOGIND_MANAGER LOGIND ".Manager"
#define LOGIND_SESSION LOGIND ".Session"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define PATH_SIZE 256

struct one {
	bool used, told; /* told: its properties came, and it is a person's */
	bool asked;      /* an answer is on its way: the slot is not another session's before that */
	bool at_start;
	char path[PATH_SIZE];
	struct session s;
	struct logind_watch *w;
};

struct logind_watch {
	sd_bus *bus;
	session_fn fn;
	void (*gone)(void *ctx);
	void *ctx;
	bool answers;
	uint64_t refused;
	struct one one[SESSIONS_MAX];
};

static struct one *by_path(struct logind_watch *w, const char *path)
{
	unsigned i;

	for (i = 0; i < SESSIONS_MAX; i++)
		if (w->one[i].used && strcmp(w->one[i].path, path) == 0)
			return &w->one[i];
	return NULL;
}

static void keep_text(char *out, size_t size, const char *s)
{
	snprintf(out, size, "%s", s ? s : "");
}

/* The text of a property's variant, or of the first member of its structure. */
static int read_text(sd_bus_message *m, const char *type, char *out, size_t size)
{
	const char *s = NULL, *rest = NULL;
	int r = strcmp(type, "(so)") == 0 ? sd_bus_message_read(m, "v", "(so)", &s, &rest)
					  : sd_bus_message_read(m, "v", "s", &s);

	if (r >= 0)
		keep_text(out, size, s);
	return r;
}

static int property(struct one *o, sd_bus_message *m, const char *name, char *class, size_t class_size, char *tty)
{
	const char *path;
	uint64_t u64;
	uint32_t u32;
	int b;
	int r;

	if (strcmp(name, "Name") == 0)
		return read_text(m, "s", o->s.user, sizeof(o->s.user));
	if (strcmp(name, "Seat") == 0)
		return read_text(m, "(so)", o->s.seat, sizeof(o->s.seat));
	if (strcmp(name, "TTY") == 0)
		return read_text(m, "s", tty, SESSION_TEXT_SIZE);
	if (strcmp(name, "RemoteHost") == 0)
		return read_text(m, "s", o->s.remote, sizeof(o->s.remote));
	if (strcmp(name, "Service") == 0)
		return read_text(m, "s", o->s.service, sizeof(o->s.service));
	if (strcmp(name, "Class") == 0)
		return read_text(m, "s", class, class_size);
	if (strcmp(name, "User") == 0) {
		r = sd_bus_message_read(m, "v", "(uo)", &u32, &path);
		if (r >= 0)
			o->s.uid = u32;
		return r;
	}
	if (strcmp(name, "Leader") == 0) {
		r = sd_bus_message_read(m, "v", "u", &u32);
		if (r >= 0)
			o->s.leader = u32;
		return r;
	}
	if (strcmp(name, "Timestamp") == 0) {
		r = sd_bus_message_read(m, "v", "t", &u64);
		if (r >= 0)
			o->s.since_wall_us = (int64_t)u64;
		return r;
	}
	if (strcmp(name, "LockedHint") == 0) {
		r = sd_bus_message_read(m, "v", "b", &b);
		if (r >= 0)
			o->s.locked = b;
		return r;
	}
	return sd_bus_message_skip(m, "v");
}

/* Reads "a{sv}" into the session. */
static int properties(struct one *o, sd_bus_message *m, char *class, size_t class_size, char *tty)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		const char *name;

		r = sd_bus_message_read(m, "s", &name);
		if (r >= 0)
			r = property(o, m, name, class, class_size, tty);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* A session's properties came. Greeters, lock screens and cron's sessions are nobody signing in. */
static int on_properties(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	struct one *o = ctx;
	char class[SESSION_TEXT_SIZE] = "", tty[SESSION_TEXT_SIZE] = "";

	(void)error;
	o->asked = false;
	if (!o->used || o->told)
		return 0;
	if (sd_bus_message_is_method_error(m, NULL) || properties(o, m, class, sizeof(class), tty) < 0) {
		o->used = false;
		return 0;
	}
	if (strcmp(class, "user") != 0 && strcmp(class, "user-early") != 0 && strcmp(class, "user-incomplete") != 0)
		return 0;
	if (!o->s.seat[0])
		keep_text(o->s.seat, sizeof(o->s.seat), tty);
	o->told = true;
	o->w->fn(o->w->ctx, KIND_LOGIN, &o->s, o->at_start);
	if (o->s.locked)
		o->w->fn(o->w->ctx, KIND_LOCK, &o->s, o->at_start);
	return 0;
}

static void begin(struct logind_watch *w, const char *id, const char *path, bool at_start)
{
	struct one *o = NULL;
	unsigned i;

	if (by_path(w, path) || strlen(path) >= PATH_SIZE)
		return;
	for (i = 0; i < SESSIONS_MAX && !o; i++)
		if (!w->one[i].used && !w->one[i].asked)
			o = &w->one[i];
	if (!o) {
		w->refused++;
		return;
	}
	*o = (struct one){.used = true, .at_start = at_start, .w = w, .s = {.uid = UINT32_MAX}};
	keep_text(o->path, sizeof(o->path), path);
	keep_text(o->s.id, sizeof(o->s.id), id);
	o->asked = sd_bus_call_method_async(w->bus, NULL, LOGIND, path, PROPERTIES, "GetAll", on_properties, o, "s",
			   LOGIND_SESSION) >= 0;
	o->used = o->asked;
}

static int on_new(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	const char *id, *path;

	(void)error;
	if (sd_bus_message_read(m, "so", &id, &path) >= 0)
		begin(ctx, id, path, false);
	return 0;
}

static int on_removed(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	struct logind_watch *w = ctx;
	const char *id, *path;
	struct one *o;

	(void)error;
	if (sd_bus_message_read(m, "so", &id, &path) < 0 || !(o = by_path(w, path)))
		return 0;
	if (o->told)
		w->fn(w->ctx, KIND_LOGOUT, &o->s, false);
	o->used = false;
	return 0;
}

static int on_changed(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	struct logind_watch *w = ctx;
	char class[SESSION_TEXT_SIZE] = "", tty[SESSION_TEXT_SIZE] = "";
	const char *path = sd_bus_message_get_path(m), *interface;
	struct one *o = path ? by_path(w, path) : NULL;
	bool before;

	(void)error;
	if (!o || !o->told || sd_bus_message_read(m, "s", &interface) < 0 || strcmp(interface, LOGIND_SESSION) != 0)
		return 0;
	before = o->s.locked;
	if (properties(o, m, class, sizeof(class), tty) < 0 || o->s.locked == before)
		return 0;
	w->fn(w->ctx, o->s.locked ? KIND_LOCK : KIND_UNLOCK, &o->s, false);
	return 0;
}

/* Who is signed in already: "a(susso)": id, uid, name, seat, path. */
static int on_list(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	struct logind_watch *w = ctx;
	const char *id, *name, *seat, *path;
	uint32_t uid;
	int r;

	(void)error;
	if (sd_bus_message_is_method_error(m, NULL)) {
		w->gone(w->ctx);
		return 0;
	}
	w->answers = true;
	r = sd_bus_message_enter_container(m, 'a', "(susso)");
	while (r >= 0 && (r = sd_bus_message_read(m, "(susso)", &id, &uid, &name, &seat, &path)) > 0)
		begin(w, id, path, true);
	return 0;
}

static int on_disconnected(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	struct logind_watch *w = ctx;

	(void)m;
	(void)error;
	w->gone(w->ctx);
	return 0;
}

static int listen_to(struct logind_watch *w)
{
	int r = sd_bus_match_signal_async(
		w->bus, NULL, LOGIND, LOGIND_PATH, LOGIND_MANAGER, "SessionNew", on_new, NULL, w);

	if (r >= 0)
		r = sd_bus_match_signal_async(
			w->bus, NULL, LOGIND, LOGIND_PATH, LOGIND_MANAGER, "SessionRemoved", on_removed, NULL, w);
	if (r >= 0)
		r = sd_bus_add_match_async(w->bus, NULL,
			"type='signal',sender='" LOGIND "',interface='" PROPERTIES
			"',member='PropertiesChanged',path_namespace='" LOGIND_PATH "/session'",
			on_changed, NULL, w);
	if (r >= 0)
		r = sd_bus_match_signal_async(w->bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
			"org.freedesktop.DBus.Local", "Disconnected", on_disconnected, NULL, w);
	if (r >= 0)
		r = sd_bus_call_method_async(
			w->bus, NULL, LOGIND, LOGIND_PATH, LOGIND_MANAGER, "ListSessions", on_list, w, "");
	return r;
}

int logind_watch_new(sd_event *event, session_fn fn, void (*gone)(void *ctx), void *ctx, struct logind_watch **out)
{
	struct logind_watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->fn = fn;
	w->gone = gone;
	w->ctx = ctx;
	r = sd_bus_open_system(&w->bus);
	if (r >= 0)
		r = sd_bus_attach_event(w->bus, event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = listen_to(w);
	if (r < 0) {
		logind_watch_free(w);
		return r == -ENOENT || r == -ECONNREFUSED || r == -ENOMEDIUM || r == -EACCES ? V_NOT_FOUND : r;
	}
	*out = w;
	return 0;
}

void logind_watch_free(struct logind_watch *w)
{
	if (!w)
		return;
	if (w->bus) {
		sd_bus_detach_event(w->bus);
		sd_bus_close_unref(w->bus);
	}
	free(w);
}

uint64_t logind_watch_refused(const struct logind_watch *w)
{
	return w->refused;
}

bool logind_watch_answers(const struct logind_watch *w)
{
	return w->answers;
}
