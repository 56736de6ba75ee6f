/*
 * Which folders and files the kernel asks about: those that lie in an area that refuses, and no others, so that nothing
 * else on the PC waits for us. Called by refuse_door.c, which answers meanwhile: everything here is done in small
 * parts.
 *
 * A folder's mark has the kernel ask about every file in it; a file's own mark goes with it where it is moved or linked
 * to. inotify tells of what is new. Between a new file and its mark, or a new folder and its own, are milliseconds.
 */
#include "agent/guard/refuse.h"
#include "policy/base/cleanup.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define ENTRIES_AT_A_TIME 128u
#define CLEAR_EVERY_US (600ll * 1000000)
#define BUCKETS 8192u
#define FILES_ROOM (2 * REFUSE_FILES_MAX) /* a power of two */
#define WATCH (IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK)

struct folder {
	struct folder *next;
	int wd;
	char path[];
};

struct waiting {
	struct waiting *next;
	char path[];
};

struct marks {
	int group, watch;
	struct areas *areas;
	struct folder *bucket[BUCKETS];
	struct waiting *waiting;
	DIR *dir; /* what is being looked at, its path */
	char at[PATH_MAX];
	uint32_t folders, files, left_out;
	int64_t cleared_boot_us;
	uint64_t mounts; /* of those that matter */
	bool mounts_known;
	struct {
		uint64_t dev, ino;
		int area;
	} file[FILES_ROOM];
};

int marks_new(int group, int watch, struct marks **out)
{
	struct marks *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->group = group;
	m->watch = watch;
	*out = m;
	return 0;
}

static void forget_waiting(struct marks *m)
{
	struct waiting *w;

	while ((w = m->waiting)) {
		m->waiting = w->next;
		free(w);
	}
	closedirp(&m->dir);
}

void marks_free(struct marks *m)
{
	struct folder *f;
	size_t i;

	if (!m)
		return;
	forget_waiting(m);
	for (i = 0; i < BUCKETS; i++)
		while ((f = m->bucket[i])) {
			m->bucket[i] = f->next;
			free(f);
		}
	free(m);
}

void marks_counts(const struct marks *m, uint32_t *folders, uint32_t *files, uint32_t *left_out)
{
	*folders = m->folders;
	*files = m->files;
	*left_out = m->left_out;
}

/* --- what is known --- */

static size_t place_of(const struct marks *m, uint64_t dev, uint64_t ino)
{
	size_t i = (size_t)((ino * 0x9e3779b97f4a7c15ull ^ dev * 0xff51afd7ed558ccdull) >> 32) & (FILES_ROOM - 1);

	while (m->file[i].ino && (m->file[i].ino != ino || m->file[i].dev != dev))
		i = (i + 1) & (FILES_ROOM - 1);
	return i;
}

int marks_area_of(const struct marks *m, uint64_t dev, uint64_t ino)
{
	size_t i = place_of(m, dev, ino);

	return m->file[i].ino ? m->file[i].area : -1;
}

static struct folder **folder_of(struct marks *m, int wd)
{
	struct folder **at = &m->bucket[(unsigned)wd % BUCKETS];

	while (*at && (*at)->wd != wd)
		at = &(*at)->next;
	return at;
}

static void forget_folder(struct marks *m, int wd)
{
	struct folder **at = folder_of(m, wd), *f = *at;

	if (!f)
		return;
	*at = f->next;
	free(f);
	m->folders--;
}

/* By the name that it has now: it may have been moved. */
static bool know_folder(struct marks *m, int wd, const char *path)
{
	size_t n = strlen(path) + 1;
	struct folder **at, *f;

	forget_folder(m, wd);
	f = m->folders < REFUSE_FOLDERS_MAX ? malloc(sizeof(*f) + n) : NULL;
	if (!f) {
		inotify_rm_watch(m->watch, wd);
		return false;
	}
	f->wd = wd;
	memcpy(f->path, path, n);
	at = folder_of(m, wd);
	f->next = *at;
	*at = f;
	m->folders++;
	return true;
}

/* --- marking --- */

static int refusing(const struct marks *m, const char *path)
{
	int area = areas_of(m->areas, SPAN_STR(path));

	return area >= 0 && policy_area_refuses(areas_policy(m->areas), (unsigned)area) ? area : -1;
}

static void mark_file(struct marks *m, const char *path)
{
	int area = refusing(m, path);
	struct stat st;
	size_t i;

	if (area < 0 || lstat(path, &st) || !S_ISREG(st.st_mode))
		return;
	i = place_of(m, st.st_dev, st.st_ino);
	if (m->file[i].ino) {
		m->file[i].area = area;
		return;
	}
	/* Of files that were deleted since nobody tells: those that there are are found anew. */
	if (m->files == REFUSE_FILES_MAX && clock_boot_us() >= m->cleared_boot_us + CLEAR_EVERY_US) {
		marks_begin(m, m->areas);
		return;
	}
	if (m->files == REFUSE_FILES_MAX ||
		fanotify_mark(m->group, FAN_MARK_ADD | FAN_MARK_DONT_FOLLOW, FAN_OPEN_PERM, AT_FDCWD, path)) {
		m->left_out++;
		return;
	}
	m->file[i].dev = st.st_dev;
	m->file[i].ino = st.st_ino;
	m->file[i].area = area;
	m->files++;
}

static void wait_for(struct marks *m, const char *path)
{
	size_t n = strlen(path) + 1;
	struct waiting *w = malloc(sizeof(*w) + n);

	if (!w) {
		m->left_out++;
		return;
	}
	memcpy(w->path, path, n);
	w->next = m->waiting;
	m->waiting = w;
}

static bool child_path(char out[PATH_MAX], const char *folder, const char *name)
{
	return (size_t)snprintf(out, PATH_MAX, "%s/%s", strcmp(folder, "/") ? folder : "", name) < PATH_MAX;
}

/* Begins with a folder, where it lies in such an area or one may lie below it. Watched before it is read: nothing that
 * is new is missed. */
static void begin_folder(struct marks *m, const char *path)
{
	bool in = refusing(m, path) >= 0;
	int fd, wd;

	if (!in && !policy_area_leads(areas_policy(m->areas), SPAN_STR(path)))
		return;
	wd = inotify_add_watch(m->watch, path, WATCH);
	if (wd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return;
	if (wd < 0 || !know_folder(m, wd, path) ||
		(in && fanotify_mark(m->group, FAN_MARK_ADD | FAN_MARK_DONT_FOLLOW | FAN_MARK_ONLYDIR,
			       FAN_OPEN_PERM | FAN_EVENT_ON_CHILD, AT_FDCWD, path))) {
		m->left_out++;
		return;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	m->dir = fd < 0 ? NULL : fdopendir(fd);
	if (fd >= 0 && !m->dir)
		close(fd);
	snprintf(m->at, sizeof(m->at), "%s", path);
}

static void take_entry(struct marks *m, const struct dirent *e)
{
	char path[PATH_MAX];
	struct stat st;
	bool folder = e->d_type == DT_DIR;

	if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !child_path(path, m->at, e->d_name))
		return;
	if (e->d_type == DT_UNKNOWN)
		folder = !fstatat(dirfd(m->dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);
	if (folder)
		wait_for(m, path);
	else
		mark_file(m, path);
}

bool marks_work(struct marks *m)
{
	struct waiting *w;
	struct dirent *e;
	unsigned n;

	if (!m->dir && (w = m->waiting)) {
		m->waiting = w->next;
		begin_folder(m, w->path);
		free(w);
	}
	for (n = 0; m->dir && n < ENTRIES_AT_A_TIME; n++) {
		e = readdir(m->dir);
		if (e)
			take_entry(m, e);
		else
			closedirp(&m->dir);
	}
	return m->dir || m->waiting;
}

void marks_again(struct marks *m)
{
	forget_waiting(m);
	m->left_out = 0;
	wait_for(m, "/");
}

void marks_begin(struct marks *m, struct areas *areas)
{
	m->areas = areas;
	memset(m->file, 0, sizeof(m->file));
	m->files = 0;
	m->cleared_boot_us = clock_boot_us();
	marks_again(m);
}

/* --- shares --- */

static uint64_t mixed(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3ull;
	return h * 0x100000001b3ull;
}

bool marks_mounts(struct marks *m, struct areas *areas)
{
	const struct policy *p = areas_policy(areas);
	uint64_t seen = 0xcbf29ce484222325ull;
	FILE *f = p ? setmntent("/proc/self/mounts", "re") : NULL;
	char room[2 * PATH_MAX];
	struct mntent e;
	bool changed;

	areas_mounts_begin(areas);
	while (f && getmntent_r(f, &e, room, sizeof(room))) {
		int area = policy_area_of(p, SPAN("", 0), e.mnt_fsname), at;

		areas_mount(areas, e.mnt_dir, e.mnt_fsname);
		/* All of a share, by whatever mount of it: nothing of it need be listed, which waits for its server. */
		if (area >= 0 && policy_area_refuses(p, (unsigned)area) &&
			fanotify_mark(m->group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_PERM, AT_FDCWD, e.mnt_dir))
			log_error("a share cannot be marked, and others are not refused there: %m");
		at = policy_area_of(p, SPAN_STR(e.mnt_dir), NULL);
		if ((at >= 0 && policy_area_refuses(p, (unsigned)at)) || policy_area_leads(p, SPAN_STR(e.mnt_dir)))
			seen = mixed(mixed(seen, e.mnt_dir), e.mnt_fsname);
	}
	if (f)
		endmntent(f);
	changed = !m->mounts_known || seen != m->mounts;
	m->mounts = seen;
	m->mounts_known = true;
	return changed;
}

/* --- what is new --- */

static void take_event(struct marks *m, const struct inotify_event *e)
{
	const struct folder *f = *folder_of(m, e->wd);
	char path[PATH_MAX];

	if (e->mask & IN_Q_OVERFLOW) {
		log_warning("more files came than could be heard of: protected folders are looked at anew");
		marks_again(m);
	} else if (e->mask & IN_IGNORED) {
		forget_folder(m, e->wd);
	} else if (f && e->len && child_path(path, f->path, e->name)) {
		if (e->mask & IN_ISDIR)
			wait_for(m, path);
		else
			mark_file(m, path);
	}
}

void marks_heard(struct marks *m)
{
	_Alignas(struct inotify_event) char room[8192];
	ssize_t n = read(m->watch, room, sizeof(room)), at = 0;

	while (n > 0 && at + (ssize_t)sizeof(struct inotify_event) <= n) {
		const struct inotify_event *e = (const void *)(room + at);

		if (m->areas)
			take_event(m, e);
		at += (ssize_t)(sizeof(*e) + e->len);
	}
}
