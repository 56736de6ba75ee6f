/*
 * Sign-ins from utmp, for machines without logind. Called by the loop when the file changes: reads all of it and tells
 * the difference to what was there before. Read through libc's own functions: the file's layout is theirs.
 */
#include "agent/recorder/session.h"
#include "policy/base/cleanup.h"
#include "policy/base/why.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <limits.h>
#include <sys/inotify.h>
#include <utmpx.h>

struct utmp_watch {
	char path[PATH_MAX], folder[PATH_MAX];
	const char *name; /* the file's, within its folder */
	session_fn fn;
	void *ctx;
	sd_event_source *source;
	bool read_once;
	uint64_t refused;
	unsigned n, next_n;
	struct session now[SESSIONS_MAX], next[SESSIONS_MAX];
};

static void copy(char *out, size_t size, const char *field, size_t field_size)
{
	size_t n = strnlen(field, field_size);

	if (n >= size)
		n = size - 1;
	memcpy(out, field, n);
	out[n] = 0;
}

static void take(struct utmp_watch *w, const struct utmpx *u)
{
	struct session *s;

	if (w->next_n == SESSIONS_MAX) {
		w->refused++;
		return;
	}
	s = &w->next[w->next_n++];
	*s = (struct session){.uid = UINT32_MAX,
		.leader = u->ut_pid > 0 ? (uint32_t)u->ut_pid : 0,
		.since_wall_us = (int64_t)u->ut_tv.tv_sec * 1000000 + u->ut_tv.tv_usec};
	copy(s->user, sizeof(s->user), u->ut_user, sizeof(u->ut_user));
	copy(s->seat, sizeof(s->seat), u->ut_line, sizeof(u->ut_line));
	copy(s->remote, sizeof(s->remote), u->ut_host, sizeof(u->ut_host));
	/* A graphical display (":0") stands where a remote host's name would. */
	if (s->remote[0] == ':')
		s->remote[0] = 0;
}

static bool same(const struct session *a, const struct session *b)
{
	return a->leader == b->leader && a->since_wall_us == b->since_wall_us && strcmp(a->user, b->user) == 0 &&
	       strcmp(a->seat, b->seat) == 0;
}

static bool among(const struct session *s, const struct session *all, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (same(s, &all[i]))
			return true;
	return false;
}

int utmp_watch_read(struct utmp_watch *w)
{
	const struct utmpx *u;
	unsigned i;

	w->next_n = 0;
	if (utmpxname(w->path))
		return -errno;
	setutxent();
	while ((u = getutxent()))
		if (u->ut_type == USER_PROCESS && u->ut_user[0])
			take(w, u);
	endutxent();
	for (i = 0; i < w->n; i++)
		if (!among(&w->now[i], w->next, w->next_n))
			w->fn(w->ctx, KIND_LOGOUT, &w->now[i], false);
	for (i = 0; i < w->next_n; i++)
		if (!among(&w->next[i], w->now, w->n))
			w->fn(w->ctx, KIND_LOGIN, &w->next[i], !w->read_once);
	memcpy(w->now, w->next, w->next_n * sizeof(w->next[0]));
	w->n = w->next_n;
	w->read_once = true;
	return 0;
}

static int on_change(sd_event_source *source, const struct inotify_event *e, void *ctx)
{
	struct utmp_watch *w = ctx;

	(void)source;
	if (e->mask & IN_Q_OVERFLOW || (e->len && strcmp(e->name, w->name) == 0))
		return utmp_watch_read(w);
	return 0;
}

int utmp_watch_new(sd_event *event, const char *path, session_fn fn, void *ctx, struct utmp_watch **out)
{
	struct utmp_watch *w = calloc(1, sizeof(*w));
	char *slash;
	int r;

	if (!w)
		return -ENOMEM;
	w->fn = fn;
	w->ctx = ctx;
	snprintf(w->path, sizeof(w->path), "%s", path);
	snprintf(w->folder, sizeof(w->folder), "%s", path);
	slash = strrchr(w->folder, '/');
	if (!slash || slash == w->folder) {
		utmp_watch_free(w);
		return -EINVAL;
	}
	*slash = 0;
	w->name = slash + 1;
	r = sd_event_add_inotify(
		event, &w->source, w->folder, IN_MODIFY | IN_MOVED_TO | IN_CREATE | IN_DELETE, on_change, w);
	if (r >= 0)
		r = utmp_watch_read(w);
	if (r < 0) {
		utmp_watch_free(w);
		return r == -ENOENT ? V_NOT_FOUND : r;
	}
	*out = w;
	return 0;
}

void utmp_watch_free(struct utmp_watch *w)
{
	if (!w)
		return;
	sd_event_source_unref(w->source);
	free(w);
}

uint64_t utmp_watch_refused(const struct utmp_watch *w)
{
	return w->refused;
}
