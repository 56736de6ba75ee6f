/*
 * Who has a disk open for writing all the same, or a part of it mapped: programs that opened it while they were allowed
 * to. The read-only flag stops their calls, not what they write through a mapping. Called by force.c when a grant ends;
 * the device is pulled then. Looks at every process of this PC, by what the kernel tells of its descriptors and
 * mappings; nothing that a process says of itself is asked.
 *
 * Mappings are read under the lock of that process's memory, which anybody can have the kernel hold for as long as he
 * likes (a mapping of a file system of his own, which does not answer): hence a child looks, and the guard goes on.
 */
#include "agent/guard/guard.h"
#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_ROOM 320
#define PATIENCE_MS 10000

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

/* Who does not let himself be looked at may be the one: then it is as if somebody had it. */
bool openers_write(const struct disk *d)
{
	struct pollfd wait = {.events = POLLIN};
	char found = 1;
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return true;
	child = fork();
	if (child == 0) {
		found = any_writes(d) ? 1 : 0;
		_exit(write(ends[1], &found, 1) != 1);
	}
	close(ends[1]);
	wait.fd = ends[0];
	if (child < 0 || poll(&wait, 1, PATIENCE_MS) <= 0 || read(ends[0], &found, 1) != 1)
		found = 1;
	close(ends[0]);
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return found;
}
