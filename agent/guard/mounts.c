/*
 * What is mounted from a disk: its own file systems, those of its partitions, and those on what is stacked upon them
 * (dm, md). Called by force.c when a grant ends or begins. Looks at the mounts of our own mount namespace, which
 * sekisho-guard.service keeps to be the PC's; somebody else's hold on the disk is found by asking the kernel for the
 * disk exclusively.
 */
#include "agent/guard/guard.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define MOUNTS_MAX 128u /* of one disk */
#define DEPTH_MAX 6     /* stacked devices upon each other */
#define LINE_MAX_SIZE (2 * PATH_MAX + 1024)
#define OPEN_BELOW_MEDIA "/media/"
#define OPEN_BELOW_RUN "/run/media/"

struct mounted {
	char target[PATH_MAX];
	bool ro; /* the file system itself */
};

/* Is this block device a part of the disk, or stacked upon one? By sysfs: .../block/sdb/sdb1, and slaves/. */
static bool lies_on(unsigned maj, unsigned min, const char *disk, int depth)
{
	char path[64], real[PATH_MAX], part[DISK_NAME_SIZE + 16];
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;
	unsigned smaj, smin;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", maj, min);
	if (depth > DEPTH_MAX || !realpath(path, real))
		return false;
	snprintf(part, sizeof(part), "/block/%s", disk);
	{
		const char *at = strstr(real, part);
		size_t n = strlen(part);

		if (at && (at[n] == 0 || at[n] == '/'))
			return true;
	}
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/slaves", maj, min);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		char dev[PATH_MAX], text[32] = "";
		_cleanup_close_ int fd = -1;

		if (e->d_name[0] == '.')
			continue;
		snprintf(dev, sizeof(dev), "%s/%s/dev", path, e->d_name);
		fd = open(dev, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && sscanf(text, "%u:%u", &smaj, &smin) == 2 &&
			lies_on(smaj, smin, disk, depth + 1))
			return true;
	}
	return false;
}

/* The octal escapes of mountinfo (proc(5)). */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && isdigit((unsigned char)s[1]) && isdigit((unsigned char)s[2]) &&
			isdigit((unsigned char)s[3])) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = 0;
}

/* Has a comma-separated list this word? */
static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);
	const char *at;

	for (at = list; (at = strstr(at, word)); at += n)
		if ((at == list || at[-1] == ',') && (at[n] == 0 || at[n] == ',' || at[n] == '\n'))
			return true;
	return false;
}

/* What a line of mountinfo says of a mount, within the line; source and options may be missing. */
struct said {
	unsigned maj, min;
	char *target, *type, *source, *options;
};

/* Changes the line. */
static bool take_line(char *line, struct said *out)
{
	char *field[6], *save = NULL, *rest = strstr(line, " - ");
	int i;

	if (!rest)
		return false;
	*rest = 0;
	for (i = 0; i < 6; i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!field[i])
			return false;
	}
	out->target = field[4];
	unescape(out->target);
	out->type = strtok_r(rest + 3, " ", &save);
	out->source = strtok_r(NULL, " ", &save);
	out->options = strtok_r(NULL, "\n", &save);
	return out->type && sscanf(field[2], "%u:%u", &out->maj, &out->min) == 2;
}

/* One line of mountinfo: a mount from the disk? Changes the line. */
static bool is_from(char *line, const char *disk, struct mounted *out)
{
	struct said s;
	struct stat st;

	if (!take_line(line, &s) || !s.source || !s.options)
		return false;
	unescape(s.source);
	/* btrfs and FUSE give a number of their own. */
	if (s.maj == 0) {
		if (stat(s.source, &st) || !S_ISBLK(st.st_mode))
			return false;
		s.maj = major(st.st_rdev);
		s.min = minor(st.st_rdev);
	}
	if (!lies_on(s.maj, s.min, disk, 0) || strlen(s.target) >= sizeof(out->target))
		return false;
	snprintf(out->target, sizeof(out->target), "%s", s.target);
	out->ro = has_word(s.options, "ro");
	return true;
}

static bool lies_below(const char *path, const char *target)
{
	size_t n = strlen(target);

	return n == 1 || (!strncmp(path, target, n) && path[n] == '/');
}

bool mounts_place(unsigned maj, unsigned min, const char *path, char place[PATH_MAX], char fs[MOUNTS_FS_SIZE])
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = malloc(LINE_MAX_SIZE);
	struct said s;
	size_t n, best = 0;

	while (f && line && fgets(line, LINE_MAX_SIZE, f)) {
		if (!take_line(line, &s) || ((maj || min) && (s.maj != maj || s.min != min)))
			continue;
		n = strlen(s.target);
		if (!lies_below(path, s.target) || n < best || n >= PATH_MAX)
			continue;
		best = n;
		memcpy(place, s.target, n + 1);
		snprintf(fs, MOUNTS_FS_SIZE, "%s", s.type);
	}
	return best > 0;
}

/* Calls `fn` for each mount of the disk, the last one first: what is mounted within comes before what it is within. */
static int each_mount(const struct disk *d, bool (*fn)(const struct mounted *m, void *ctx), void *ctx)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = malloc(LINE_MAX_SIZE);
	_cleanup_free_ struct mounted *m = NULL;
	unsigned n = 0;
	int failed = 0;

	m = calloc(MOUNTS_MAX, sizeof(*m));
	if (!f || !line || !m)
		return 1;
	while (n < MOUNTS_MAX && fgets(line, LINE_MAX_SIZE, f))
		if (is_from(line, d->name, &m[n]))
			n++;
	while (n--)
		failed += !fn(&m[n], ctx);
	return failed;
}

static bool close_one(const struct mounted *m, void *ctx)
{
	const bool *unmount = ctx;

	if (*unmount)
		return umount2(m->target, UMOUNT_NOFOLLOW) == 0;
	/* Reading goes on. A file that is open for writing keeps it from being so. */
	return m->ro || mount(NULL, m->target, NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) == 0;
}

/*
 * Does somebody hold the disk or a part of it all the same: a mount in another namespace, a stacked device, swap? The
 * kernel gives it exclusively to one only.
 */
static bool claimed(const char *name)
{
	char path[DISK_NAME_SIZE + 8];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 && errno == EBUSY;
}

static bool any_claimed(const struct disk *d)
{
	char path[DISK_NAME_SIZE + 16];
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;
	size_t n = strlen(d->name);

	if (claimed(d->name))
		return true;
	snprintf(path, sizeof(path), "/sys/block/%s", d->name);
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		if (!strncmp(e->d_name, d->name, n) && strlen(e->d_name) < DISK_NAME_SIZE && claimed(e->d_name))
			return true;
	return false;
}

static bool count_one(const struct mounted *m, void *ctx)
{
	unsigned *n = ctx;

	(void)m;
	++*n;
	return true;
}

struct each_target {
	bool (*fn)(const char *target, void *ctx);
	void *ctx;
	bool over;
};

static bool target_one(const struct mounted *m, void *ctx)
{
	struct each_target *e = ctx;

	e->over = e->over || !e->fn(m->target, e->ctx);
	return true;
}

void mounts_each(const struct disk *d, bool (*fn)(const char *target, void *ctx), void *ctx)
{
	struct each_target e = {.fn = fn, .ctx = ctx};

	each_mount(d, target_one, &e);
}

bool mounts_close(const struct disk *d, bool unmount)
{
	unsigned n = 0;

	if (each_mount(d, close_one, &unmount))
		return false;
	/* What is left read-only in our sight claims the disk, too. */
	each_mount(d, count_one, &n);
	return n || !any_claimed(d);
}

/* Only what a desktop mounted: who mounts read-only by hand wants it so. */
static bool open_one(const struct mounted *m, void *ctx)
{
	(void)ctx;
	if (!m->ro || (strncmp(m->target, OPEN_BELOW_MEDIA, strlen(OPEN_BELOW_MEDIA)) != 0 &&
			      strncmp(m->target, OPEN_BELOW_RUN, strlen(OPEN_BELOW_RUN)) != 0))
		return true;
	return mount(NULL, m->target, NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV, NULL) == 0;
}

void mounts_open(const struct disk *d)
{
	if (each_mount(d, open_one, NULL))
		log_info("%s: what is mounted stays read-only until it is mounted anew", d->name);
}
