/*
 * Who has a disk open for writing all the same, or a part of it mapped: programs that opened it while they were allowed
 * to. The read-only flag stops their calls, not what they write through a mapping. force.c asks when a grant ends; the
 * device is pulled where one has it. Looks at every process of this PC, by what the kernel tells of its descriptors and
 * mappings; nothing that a process says of itself is asked.
 *
 * Mappings are read under the lock of that process's memory, which anybody can have the kernel hold for as long as he
 * likes (a mapping of a file system of his own, which does not answer): hence a child looks, beside the loop. Who does
 * not let himself be looked at may be the one: after PATIENCE_US it is as if somebody had it.
 */
#include "agent/guard/guard.h"
#include "policy/base/log.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_ROOM 320
#define PATIENCE_US (10ull * 1000000)

/* One disk that is being looked at. */
struct opener_look {
	struct opener_look *next;
	struct guard *g;
	dev_t dev;
	uint64_t generation; /* this medium of it, in this plugging */
	pid_t child;
	int answer;
	sd_event_source *answered, *late;
};

/* The disk, or a partition of it: below the disk's folder in sysfs. */
static bool is_of(dev_t dev, const struct disk *d)
{
	char path[64], real[PATH_MAX], part[DISK_NAME_SIZE + 16];
	const char *at;
	size_t n;

	if (dev == d->dev)
		return true;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	if (!realpath(path, real))
		return false;
	n = (size_t)snprintf(part, sizeof(part), "/block/%s/", d->name);
	at = strstr(real, part);
	return at && at[n];
}

/* The flags of an open descriptor (proc(5), fdinfo), in octal. */
static bool opened_for_writing(const char *process, const char *number)
{
	char path[PATH_ROOM], line[128];
	_cleanup_fclose_ FILE *f = NULL;
	unsigned flags;

	snprintf(path, sizeof(path), "%s/fdinfo/%s", process, number);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "flags: %o", &flags) == 1)
			return (flags & O_ACCMODE) != O_RDONLY;
	/* It went meanwhile. */
	return false;
}

/* What hangs in process/folder: descriptors (fd), or mappings by their addresses (map_files). */
static bool any_in(const char *process, const char *folder, bool mapped, const struct disk *d)
{
	char path[PATH_ROOM];
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", process, folder);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || fstatat(dirfd(dir), e->d_name, &st, 0) || !S_ISBLK(st.st_mode) ||
			!is_of(st.st_rdev, d))
			continue;
		if (mapped || opened_for_writing(process, e->d_name))
			return true;
	}
	return false;
}

static bool any_writes(const struct disk *d)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	char process[64];
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (!isdigit((unsigned char)e->d_name[0]) || strlen(e->d_name) > 16)
			continue;
		snprintf(process, sizeof(process), "/proc/%.16s", e->d_name);
		if (any_in(process, "fd", false, d) || any_in(process, "map_files", true, d))
			return true;
	}
	return false;
}

static void look_free(struct opener_look *l)
{
	struct opener_look **at;

	for (at = &l->g->openers; *at; at = &(*at)->next)
		if (*at == l) {
			*at = l->next;
			break;
		}
	sd_event_source_disable_unref(l->answered);
	sd_event_source_disable_unref(l->late);
	closep(&l->answer);
	if (l->child > 0) {
		/* Where it waits in the kernel it ends all the same: that wait gives way to this signal. */
		kill(l->child, SIGKILL);
		waitpid(l->child, NULL, 0);
	}
	free(l);
}

/* Pulled, unless it may be written again, or is another one, by now. */
static void look_end(struct opener_look *l, bool found)
{
	struct guard *g = l->g;
	struct disk *d = NULL;
	struct unit *u = found ? unit_by_dev(g, GATE_BLOCK, l->dev, &d) : NULL;
	uint64_t generation = l->generation;

	look_free(l);
	if (u && d && d->generation == generation && d->forced != ACCESS_READ_WRITE)
		force_restart(g, u);
}

static int on_answer(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	char found = 1;

	(void)source;
	(void)events;
	if (read(fd, &found, 1) != 1)
		found = 1;
	look_end(ctx, found);
	return 0;
}

static int on_late(sd_event_source *source, uint64_t now_us, void *ctx)
{
	(void)source;
	(void)now_us;
	log_warning("a process does not let itself be looked at: what it may have in use is pulled");
	look_end(ctx, true);
	return 0;
}

/* The child: none of the guard's descriptors is kept open by it, as one may lie on a drive. Never returns. */
static void look(int answer, const struct disk *d)
{
	char found;

	if ((answer != 3 && dup3(answer, 3, O_CLOEXEC) < 0) || syscall(SYS_close_range, 4u, ~0u, 0u))
		_exit(1);
	found = any_writes(d) ? 1 : 0;
	_exit(write(3, &found, 1) != 1);
}

static int look_start(struct opener_look *l, const struct disk *d)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	l->answer = ends[0];
	l->child = fork();
	r = -errno;
	if (l->child == 0)
		look(ends[1], d);
	close(ends[1]);
	if (l->child < 0)
		return r;
	r = sd_event_add_io(l->g->event, &l->answered, l->answer, EPOLLIN, on_answer, l);
	if (r >= 0)
		r = sd_event_add_time_relative(l->g->event, &l->late, CLOCK_MONOTONIC, PATIENCE_US, 0, on_late, l);
	return r < 0 ? r : 0;
}

int openers_look(struct guard *g, const struct disk *d)
{
	struct opener_look *l, *old;
	int r;

	/* One at a time of each disk: a medium that is changed again and again starts no crowd. */
	for (old = g->openers; old; old = old->next)
		if (old->dev == d->dev) {
			look_free(old);
			break;
		}
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	*l = (struct opener_look){.next = g->openers, .g = g, .dev = d->dev, .generation = d->generation, .answer = -1};
	g->openers = l;
	r = look_start(l, d);
	if (r)
		look_free(l);
	return r;
}

void openers_stop(struct guard *g)
{
	while (g->openers)
		look_free(g->openers);
}
