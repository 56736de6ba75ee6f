/*
 * Which file systems are watched for files that are closed behind writing: all that are mounted from removable drives,
 * by fanotify(7) marks on the file system, so that every mount of it counts, in whatever namespace. Called by
 * written.c.
 *
 * A close is told when the last reference to an open file goes (fs/file_table.c, __fput): behind a munmap(2) of what
 * was mapped through it, too. A mark goes with its file system; it does not keep it from being unmounted, but a
 * descriptor does: written.c holds each for a bounded time.
 */
#include "agent/guard/written.h"
#include "agent/service/service.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define EVENTS_AT_A_TIME 64u /* then the rest of the loop has its turn */

/* --- what is mounted --- */

struct finding_places {
	struct guard *g;
	const struct disk *disk;
	struct written_place *list;
	unsigned n;
};

static bool failed_before(const struct written *w, const struct written_place *p)
{
	unsigned i;

	for (i = 0; i < w->places_n; i++)
		if (w->place[i].fails && !strcmp(w->place[i].target, p->target) && !strcmp(w->place[i].disk, p->disk))
			return true;
	return false;
}

static bool watch_one(const char *target, void *ctx)
{
	struct finding_places *f = ctx;
	struct written_place *p = &f->list[f->n];
	struct stat st;
	char shown[256];

	if (f->n == WRITTEN_FILE_SYSTEMS_MAX || strlen(target) >= sizeof(p->target))
		return true;
	*p = (struct written_place){.dev = 0};
	snprintf(p->disk, sizeof(p->disk), "%s", f->disk->name);
	snprintf(p->target, sizeof(p->target), "%s", target);
	p->fails = fanotify_mark(f->g->written->group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
			   FAN_CLOSE_WRITE | (f->g->written->scan.on ? FAN_CLOSE_NOWRITE : 0), AT_FDCWD, target) ||
		   stat(target, &st);
	f->n++;
	if (!p->fails) {
		p->dev = st.st_dev;
	} else if (errno != ENOENT && !failed_before(f->g->written, p)) {
		log_error("%s: what is written there cannot be looked into: %m",
			text_escape_to(shown, sizeof(shown), SPAN_STR(p->disk)));
		tell_unwatched(f->g, p, strerror(errno));
	}
	return true;
}

void written_watch(struct guard *g)
{
	_cleanup_free_ struct written_place *list = calloc(WRITTEN_FILE_SYSTEMS_MAX, sizeof(*list));
	struct finding_places f = {.g = g, .list = list};
	struct written *w = g->written;
	const struct unit *u;
	unsigned i;

	if (!list) {
		guard_fail(g, -ENOMEM, "drives");
		return;
	}
	for (u = g->units; u && w->on; u = u->next)
		for (f.disk = u->own ? NULL : u->disks; f.disk; f.disk = f.disk->next)
			mounts_each(f.disk, watch_one, &f);
	memcpy(w->place, list, sizeof(w->place));
	w->places_n = f.n;
	/* What is only read is no longer told. */
	for (i = 0; i < w->places_n && w->scan.watched && !w->scan.on; i++)
		if (!w->place[i].fails)
			fanotify_mark(w->group, FAN_MARK_REMOVE | FAN_MARK_FILESYSTEM, FAN_CLOSE_NOWRITE, AT_FDCWD,
				w->place[i].target);
	w->scan.watched = w->scan.on;
	if (!w->on)
		fanotify_mark(w->group, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, "/");
}

static const struct written_place *place_of(const struct written *w, dev_t dev)
{
	unsigned i;

	for (i = 0; i < w->places_n; i++)
		if (!w->place[i].fails && w->place[i].dev == dev)
			return &w->place[i];
	return NULL;
}

/* --- what was closed --- */

/* Who it was, as far as it still is there: cp ends behind its last close. The recorder's own record knows. */
static void ask_process(struct written_file *f)
{
	char path[64];
	struct stat st;
	ssize_t n;

	f->uid = f->login_uid = UINT32_MAX;
	snprintf(path, sizeof(path), "/proc/%u", f->pid);
	if (!f->pid || stat(path, &st))
		return;
	f->uid = st.st_uid;
	f->login_uid = service_login_uid(f->pid);
	snprintf(path, sizeof(path), "/proc/%u/exe", f->pid);
	n = readlink(path, f->program, sizeof(f->program) - 1);
	f->program[n > 0 ? n : 0] = 0;
}

int written_stat(int fd, struct stat *out)
{
	struct statx x;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &x))
		return -errno;
	*out = (struct stat){.st_dev = makedev(x.stx_dev_major, x.stx_dev_minor),
		.st_ino = x.stx_ino,
		.st_mode = x.stx_mode,
		.st_nlink = x.stx_nlink,
		.st_uid = x.stx_uid,
		.st_gid = x.stx_gid,
		.st_size = (off_t)x.stx_size,
		.st_mtim = {x.stx_mtime.tv_sec, x.stx_mtime.tv_nsec},
		.st_ctim = {x.stx_ctime.tv_sec, x.stx_ctime.tv_nsec}};
	return 0;
}

static void take(struct guard *g, const struct fanotify_event_metadata *m, written_fn fn)
{
	struct written_file f = {.fd = m->fd, .pid = m->pid > 0 ? (uint32_t)m->pid : 0};
	const struct written_place *p;
	struct stat st;

	/* An empty file carries nothing out; that it was made is the recorder's to tell. */
	if (m->pid == getpid() || written_stat(f.fd, &st) || !S_ISREG(st.st_mode) || !st.st_size) {
		close(f.fd);
		return;
	}
	p = place_of(g->written, st.st_dev);
	snprintf(f.device, sizeof(f.device), "%s", p ? p->disk : "");
	f.dev = st.st_dev;
	f.ino = st.st_ino;
	f.owner_uid = st.st_uid;
	f.closed_awake_us = clock_awake_us();
	ask_process(&f);
	fn(g, &f);
}

int written_closes(struct guard *g, written_fn wrote, written_fn read_only)
{
	_Alignas(struct fanotify_event_metadata) char room[EVENTS_AT_A_TIME * sizeof(struct fanotify_event_metadata)];
	const struct fanotify_event_metadata *m = (const void *)room;
	ssize_t n = read(g->written->group, room, sizeof(room));

	if (n < 0)
		/* One file that cannot be opened for us (EIO of a stick that is pulled) takes none of the others along.
		 */
		return errno == EAGAIN || errno == EINTR                   ? 0
		       : errno == EIO || errno == ENXIO || errno == ENOENT ? 0
									   : -errno;
	for (; FAN_EVENT_OK(m, n); m = FAN_EVENT_NEXT(m, n)) {
		if (m->vers != FANOTIFY_METADATA_VERSION)
			return -EPROTO;
		if (m->mask & FAN_Q_OVERFLOW) {
			log_error("more files were written to drives than could be heard of");
			sealer_lost(g->sealer, CAUSE_QUEUE_FULL, 1);
		}
		if (m->fd >= 0)
			take(g, m, m->mask & FAN_CLOSE_WRITE ? wrote : read_only);
	}
	return 0;
}
