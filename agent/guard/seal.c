/*
 * Descriptors, names and copies, for sealing and for opening again. See seal.h and seal_parts.h.
 */
#include "agent/guard/seal_parts.h"
#include "policy/base/file.h"
#include <errno.h>
#include <fcntl.h>

#define STEP (256u << 10)
#define NAMES 100u /* that are tried */

void seal_say(struct seal_result *out, enum seal_verdict verdict, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out->text, sizeof(out->text), fmt, ap);
	va_end(ap);
	out->verdict = verdict;
}

void seal_end(int fd, struct seal_result *out)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return;
	out->dev = st.st_dev;
	out->ino = st.st_ino;
	out->ctime_s = st.st_ctim.tv_sec;
	out->ctime_ns = st.st_ctim.tv_nsec;
}

int seal_find(const char *mount, const char *path)
{
	_cleanup_close_ int dir = open(mount, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int fd = dir < 0 ? -errno : file_open_below(dir, path);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

/* --- who else has it --- */

int seal_lease(int fd)
{
	return !fcntl(fd, F_SETLEASE, F_RDLCK) ? 0 : errno == EAGAIN ? V_AGAIN : V_NOT_FOUND;
}

bool seal_wanted(int fd)
{
	/* What it is to become, where somebody waits: F_UNLCK. */
	return fcntl(fd, F_GETLEASE) != F_RDLCK;
}

void seal_unlease(int fd)
{
	fcntl(fd, F_SETLEASE, F_UNLCK);
}

bool seal_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* --- copies --- */

static int used(int folder, uint64_t *out)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *d;
	struct stat st;
	int r = dir_open_at(folder, ".", &dir);

	*out = 0;
	while (!r && (d = readdir(dir))) {
		size_t n = strlen(d->d_name);

		if (fstatat(folder, d->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		/* One that was under way when its writer ended: whole it never was, nor was its file touched. */
		if (n > 4 && !strcmp(d->d_name + n - 4, ".tmp"))
			unlinkat(folder, d->d_name, 0);
		else
			*out += (uint64_t)st.st_size;
	}
	return r;
}

static void name_tmp(const struct seal_work *w, char out[SEAL_NAME_MAX + 8])
{
	snprintf(out, SEAL_NAME_MAX + 8, "%s.tmp", w->copy);
}

static void name_kept(const struct seal_work *w, char out[SEAL_NAME_MAX + 16])
{
	snprintf(out, SEAL_NAME_MAX + 16, "%s" SEALED_SUFFIX, w->copy);
}

int seal_copy_begin(const struct seal_work *w, uint64_t size, int *out)
{
	char name[SEAL_NAME_MAX + 8];
	uint64_t there;
	int fd, r = used(w->folder, &there);

	if (r)
		return r;
	if (size > w->max_bytes || there > w->max_bytes - size)
		return V_FULL;
	name_tmp(w, name);
	fd = openat(w->folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	*out = fd;
	return 0;
}

int seal_copy_keep(const struct seal_work *w, int copy)
{
	char tmp[SEAL_NAME_MAX + 8], kept[SEAL_NAME_MAX + 16];

	name_tmp(w, tmp);
	name_kept(w, kept);
	return fsync(copy) || renameat(w->folder, tmp, w->folder, kept) || fsync(w->folder) ? -errno : 0;
}

int seal_copy_open(const struct seal_work *w, int *out)
{
	char kept[SEAL_NAME_MAX + 16];

	name_kept(w, kept);
	*out = openat(w->folder, kept, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return *out >= 0 ? 0 : errno == ENOENT ? V_NOT_FOUND : -errno;
}

void seal_copy_drop(const struct seal_work *w)
{
	char tmp[SEAL_NAME_MAX + 8], kept[SEAL_NAME_MAX + 16];

	name_tmp(w, tmp);
	name_kept(w, kept);
	unlinkat(w->folder, tmp, 0);
	unlinkat(w->folder, kept, 0);
}

/* --- bytes --- */

int seal_writable(int fd)
{
	char link[32];
	int out;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	out = open(link, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return out < 0 ? -errno : out;
}

int seal_move(int from, int to, uint64_t at, uint64_t end)
{
	static uint8_t part[STEP];

	while (at < end) {
		size_t want = end - at < STEP ? (size_t)(end - at) : STEP;
		ssize_t n = pread(from, part, want, (off_t)at), w;

		if (n <= 0)
			return n ? -errno : -EIO;
		w = pwrite(to, part, (size_t)n, (off_t)at);
		if (w <= 0)
			return w ? -errno : -EIO;
		at += (uint64_t)w;
	}
	return 0;
}

int seal_blank(int fd, uint64_t at, uint64_t end)
{
	static const uint8_t zeros[STEP];

	while (at < end) {
		ssize_t w = pwrite(fd, zeros, end - at < STEP ? (size_t)(end - at) : STEP, (off_t)at);

		if (w <= 0)
			return w ? -errno : -EIO;
		at += (uint64_t)w;
	}
	return 0;
}

int seal_hash(int fd, uint64_t size, bool from_medium, struct digest *out)
{
	static uint8_t part[STEP];
	struct digesting *d;
	uint64_t at = 0;
	ssize_t n = 1;

	/* What was synced can be forgotten by memory, and then comes from the medium. */
	if (from_medium)
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (digesting_new(&d))
		return -ENOMEM;
	while (at < size && (n = pread(fd, part, size - at < STEP ? (size_t)(size - at) : STEP, (off_t)at)) > 0) {
		digesting_put(d, SPAN(part, n));
		at += (uint64_t)n;
	}
	digesting_end(d, out);
	return n < 0 ? -errno : at < size ? -EIO : 0;
}

/* --- its name --- */

static bool is_it(int dir, const char *name, const struct stat *st)
{
	struct stat got;

	return !fstatat(dir, name, &got, AT_SYMLINK_NOFOLLOW) && got.st_dev == st->st_dev && got.st_ino == st->st_ino;
}

/* FUSE knows no flags of rename: what was looked at is then as good as it gets. */
static int rename_new(int dir, const char *from, const char *to)
{
	if (!renameat2(dir, from, dir, to, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (!faccessat(dir, to, F_OK, AT_SYMLINK_NOFOLLOW))
		return -EEXIST;
	return renameat(dir, from, dir, to) ? -errno : 0;
}

static int next_name(const char *base, unsigned i, bool sealed, char out[NAME_MAX + 32])
{
	size_t n = strlen(base), suffix = strlen(SEALED_SUFFIX);
	char number[16] = "";

	if (i > 1)
		snprintf(number, sizeof(number), ".%u", i);
	if (!sealed && (n <= suffix || strcmp(base + n - suffix, SEALED_SUFFIX) != 0))
		return -EINVAL;
	if (!sealed)
		n -= suffix;
	snprintf(out, NAME_MAX + 32, "%.*s%s%s", (int)n, base, number, sealed ? SEALED_SUFFIX : "");
	return strlen(out) > NAME_MAX ? -ENAMETOOLONG : 0;
}

void seal_rename(int fd, const char *path, bool sealed, struct seal_result *out)
{
	const char *base = strrchr(path, '/');
	char folder[SEAL_PATH_SIZE], name[NAME_MAX + 32];
	_cleanup_close_ int dir = -1;
	struct stat st;
	unsigned i;
	int r = -EEXIST;

	if (!base || !base[1] || strlen(base + 1) > NAME_MAX || fstat(fd, &st) || !st.st_nlink)
		return;
	snprintf(folder, sizeof(folder), "%.*s/", (int)(base - path), path);
	base++;
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || !is_it(dir, base, &st))
		return;
	for (i = 1; i <= NAMES && r == -EEXIST; i++) {
		r = next_name(base, i, sealed, name);
		r = r ? r : rename_new(dir, base, name);
	}
	if (r)
		return;
	/* Somebody put another file there in between: it keeps its name. */
	if (!is_it(dir, name, &st)) {
		rename_new(dir, name, base);
		return;
	}
	fsync(dir);
	out->renamed = true;
	snprintf(out->name, sizeof(out->name), "%.*s%s", (int)(base - path), path, name);
}
