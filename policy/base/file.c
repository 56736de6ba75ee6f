/*
 * Whole files: bounded reading, durable replacement. See file.h.
 */
#include "policy/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int read_whole(int fd, struct buf *out)
{
	size_t before = out->n;

	for (;;) {
		size_t room = out->max - out->n < 65536 ? out->max - out->n : 65536;
		ssize_t n;
		int r;

		if (!room) {
			/* At the bound: one more byte in the file is one too many. */
			uint8_t extra;

			n = read(fd, &extra, 1);
			if (n == 0)
				return 0;
			out->n = before;
			return n > 0 ? V_FULL : -errno;
		}
		r = buf_reserve(out, room);
		if (r)
			return r;
		n = read(fd, out->p + out->n, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r = -errno;
			out->n = before;
			return r;
		}
		if (n == 0)
			return 0;
		out->n += (size_t)n;
	}
}

int file_read_at(int dirfd, const char *name, struct buf *out)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? V_NOT_FOUND : -errno;
	return read_whole(fd, out);
}

int file_read_plain_at(int dirfd, const char *name, uid_t owner, struct buf *out)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	/* Looked at before it is opened, as the opening of a device may do something; and after, as it may be another.
	 */
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
		return V_NOT_FOUND;
	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENXIO ? V_NOT_FOUND : -errno;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || (owner != FILE_ANYBODY && st.st_uid != owner))
		return V_NOT_FOUND;
	return read_whole(fd, out);
}

int file_read(const char *path, struct buf *out)
{
	return file_read_at(AT_FDCWD, path, out);
}

int write_all(int fd, const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		at += w;
		n -= (size_t)w;
	}
	return 0;
}

static int parent_sync(int dirfd, const char *name)
{
	_cleanup_free_ char *dir = strdup(name);
	_cleanup_close_ int fd = -1;
	char *slash;

	if (!dir)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	if (slash == dir)
		slash[1] = 0;
	else if (slash)
		*slash = 0;
	fd = openat(dirfd, slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync(fd) ? -errno : 0;
}

/*
 * A new file beside `name`, ours alone. In a folder that others may write to, something may lie where it would be: what
 * is left of a crash is removed, and a folder of that name, or somebody who is quicker, is gone around.
 */
static int open_beside(int dirfd, const char *name, mode_t mode, char **tmp)
{
	unsigned i;

	for (i = 0; i < 8; i++) {
		uint32_t salt = 0;
		int fd;

		if (i && getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
			return -EIO;
		free(*tmp);
		if ((i ? asprintf(tmp, "%s.%08x.tmp", name, salt) : asprintf(tmp, "%s.tmp", name)) < 0) {
			*tmp = NULL;
			return -ENOMEM;
		}
		if (!i)
			unlinkat(dirfd, *tmp, 0);
		fd = openat(dirfd, *tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
		if (fd >= 0 || errno != EEXIST)
			return fd < 0 ? -errno : fd;
	}
	return -EEXIST;
}

static int replace(int dirfd, const char *name, struct span bytes, mode_t mode, bool durable)
{
	_cleanup_free_ char *tmp = NULL;
	_cleanup_close_ int fd = open_beside(dirfd, name, mode, &tmp);
	int r;

	if (fd < 0)
		return fd;
	/* The mode is what was asked for, whatever the umask says. */
	r = fchmod(fd, mode) ? -errno : write_all(fd, bytes.p, bytes.n);
	if (!r && durable && fsync(fd))
		r = -errno;
	if (!r && renameat(dirfd, tmp, dirfd, name))
		r = -errno;
	if (r) {
		unlinkat(dirfd, tmp, 0);
		return r;
	}
	return durable ? parent_sync(dirfd, name) : 0;
}

int file_replace_at(int dirfd, const char *name, struct span bytes, mode_t mode)
{
	return replace(dirfd, name, bytes, mode, true);
}

int file_replace(const char *path, struct span bytes, mode_t mode)
{
	return replace(AT_FDCWD, path, bytes, mode, true);
}

int file_replace_volatile(const char *path, struct span bytes, mode_t mode)
{
	return replace(AT_FDCWD, path, bytes, mode, false);
}

int dir_sync(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fsync(fd) ? -errno : 0;
}

/* The name of a new folder lasts too: what is synced in it would go with it. */
static int make_one(char *path, mode_t mode)
{
	char *slash = strrchr(path, '/');
	int r;

	if (mkdir(path, mode))
		return errno == EEXIST ? 0 : -errno;
	if (!slash)
		return dir_sync(".");
	if (slash == path)
		return dir_sync("/");
	*slash = 0;
	r = dir_sync(path);
	*slash = '/';
	return r;
}

int dir_make(const char *path, mode_t mode)
{
	_cleanup_free_ char *p = strdup(path);
	char *at;
	int r = 0;

	if (!p)
		return -ENOMEM;
	for (at = p + 1; !r && (at = strchr(at, '/')); at++) {
		*at = 0;
		r = make_one(p, 0755);
		*at = '/';
	}
	return r ? r : make_one(p, mode);
}

int dir_open_at(int dirfd, const char *name, DIR **out)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir)
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	/* It owns the descriptor now. */
	steal_fd(&fd);
	*out = dir;
	return 0;
}

int file_open_below(int dirfd, const char *path)
{
	const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
	long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int file_lock(const char *path, int *out)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? V_EXISTS : -errno;
	*out = steal_fd(&fd);
	return 0;
}
