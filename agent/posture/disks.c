/*
 * Disk encryption: what the system's folders and its swap lie on, through whatever is stacked (LVM, MD, partitions), by
 * sysfs as the kernel's device mapper names its tables (dm_uuid_show in drivers/md/dm-sysfs.c; "CRYPT-<type>-..." is
 * cryptsetup's). Every way down must pass a dm-crypt: half of a mirror in the clear is in the clear. A disk that
 * encrypts by itself cannot be told from one that does not.
 */
#include "agent/posture/posture.h"
#include "policy/wire/record.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define DEPTH_MAX 16u
#define SWAPS_MAX 16u

/* How a block device keeps its bytes, in the order in which one that has both counts. */
enum kept { KEPT_MEMORY, KEPT_CRYPT, KEPT_UNKNOWN, KEPT_PLAIN };

static enum kept down(const struct posture_place *at, const char *dev, unsigned depth, char *type);

/* What the device is made of whose number, "major:minor", stands in this file. */
static enum kept down_from(const struct posture_place *at, const char *file, unsigned depth, char *type)
{
	_cleanup_buf_ struct buf number = BUF_INIT(0);

	if (posture_read(at, file, &number) || !number.n)
		return KEPT_UNKNOWN;
	number.p[strcspn((char *)number.p, "\n")] = 0;
	return down(at, (char *)number.p, depth + 1, type);
}

/* The worst of all that it is made of. KEPT_PLAIN where it is made of nothing: a disk. */
static enum kept slaves(const struct posture_place *at, const char *dev, unsigned depth, char *type)
{
	_cleanup_closedir_ DIR *d = NULL;
	char path[PATH_MAX], file[300];
	enum kept worst = KEPT_MEMORY, one;
	struct dirent *e;
	bool any = false;

	snprintf(file, sizeof(file), "/sys/dev/block/%s/slaves", dev);
	if (!posture_path(at, file, path))
		return KEPT_UNKNOWN;
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		any = true;
		one = KEPT_UNKNOWN;
		if ((size_t)snprintf(file, sizeof(file), "/sys/class/block/%s/dev", e->d_name) < sizeof(file))
			one = down_from(at, file, depth, type);
		worst = one > worst ? one : worst;
	}
	return any ? worst : KEPT_PLAIN;
}

/* A partition is what its disk is: a dm-crypt can be cut in pieces. */
static enum kept whole_disk(const struct posture_place *at, const char *dev, unsigned depth, char *type)
{
	char file[300];

	snprintf(file, sizeof(file), "/sys/dev/block/%s/partition", dev);
	if (!posture_there(at, file))
		return slaves(at, dev, depth, type);
	snprintf(file, sizeof(file), "/sys/dev/block/%s/../dev", dev);
	return down_from(at, file, depth, type);
}

static enum kept down(const struct posture_place *at, const char *dev, unsigned depth, char *type)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	char file[300], *end;

	if (depth > DEPTH_MAX || strlen(dev) > 32)
		return KEPT_UNKNOWN;
	snprintf(file, sizeof(file), "/sys/dev/block/%s/dm/uuid", dev);
	if (!posture_read(at, file, &text) && !strncmp((char *)text.p, "CRYPT-", 6)) {
		end = strchr((char *)text.p + 6, '-');
		snprintf(type, 16, "%.*s", end ? (int)(end - (char *)text.p - 6) : 8, (char *)text.p + 6);
		for (end = type; *end; end++)
			*end = *end >= 'A' && *end <= 'Z' ? (char)(*end + 32) : *end;
		return KEPT_CRYPT;
	}
	snprintf(file, sizeof(file), "/sys/dev/block/%s/uevent", dev);
	if (posture_read(at, file, &text) || !text.n)
		return KEPT_UNKNOWN;
	if (strstr((char *)text.p, "DEVNAME=zram"))
		return KEPT_MEMORY;
	return whole_disk(at, dev, depth, type);
}

static void tell(struct posture_fact *f, const char *what, enum kept kept, const char *type)
{
	static const char *const words[] = {
		[KEPT_MEMORY] = "memory", [KEPT_CRYPT] = "crypt", [KEPT_UNKNOWN] = "unknown", [KEPT_PLAIN] = "plain"};

	posture_say(f, "%s=%s", what, kept == KEPT_CRYPT && *type ? type : words[kept]);
	posture_judge(f, kept == KEPT_PLAIN ? STATE_WEAK : kept == KEPT_UNKNOWN ? STATE_UNKNOWN : STATE_GOOD);
}

/* One line of mountinfo (proc_pid_mountinfo(5)): what is mounted last on a place is what is seen. */
struct mount {
	char place[PATH_MAX], dev[32], fs[64], source[PATH_MAX];
};
static bool mount_of(const char *line, struct mount *m)
{
	const char *dash = strstr(line, " - ");

	return dash && sscanf(line, "%*s %*s %31s %*s %4095s", m->dev, m->place) == 2 &&
	       sscanf(dash, " - %63s %4095s", m->fs, m->source) == 2;
}

/* The folders that are asked about. */
static const char *const places[] = {"/", "/home", "/var", "/srv"};
#define PLACES ARRAY_SIZE(places)

struct search {
	struct mount found[PLACES];
	bool there[PLACES];
};
static void meet_mount(void *ctx, char *line)
{
	struct search *s = ctx;
	struct mount m;
	size_t i;

	if (!mount_of(line, &m))
		return;
	for (i = 0; i < PLACES; i++)
		if (!strcmp(m.place, places[i])) {
			s->found[i] = m;
			s->there[i] = true;
		}
}

/* btrfs and others give their mounts a number of their own: the device is the one that they name. */
static enum kept kept_by(const struct posture_place *at, struct mount *m, char *type)
{
	char path[PATH_MAX];
	struct stat st;

	if (!strcmp(m->fs, "tmpfs") || !strcmp(m->fs, "ramfs"))
		return KEPT_MEMORY;
	if (strncmp(m->dev, "0:", 2) == 0) {
		if (strncmp(m->source, "/dev/", 5) != 0 || !posture_path(at, m->source, path) || stat(path, &st) ||
			!S_ISBLK(st.st_mode))
			return KEPT_UNKNOWN;
		snprintf(m->dev, sizeof(m->dev), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	}
	return down(at, m->dev, 0, type);
}

static int mounted(const struct posture_place *at, struct posture_fact *f)
{
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	int r = s ? posture_read(at, "/proc/self/mountinfo", &text) : -ENOMEM;
	size_t i;

	if (r)
		return r;
	posture_lines(&text, meet_mount, s);
	for (i = 0; i < PLACES; i++) {
		char type[16] = "";

		if (s->there[i])
			tell(f, places[i], kept_by(at, &s->found[i], type), type);
		else if (!strcmp(places[i], "/"))
			tell(f, places[i], KEPT_UNKNOWN, type);
	}
	return 0;
}

/* A swap file lies on the file system of its folder; what that is, is told by its own line where it is one of ours. */
struct swaps {
	const struct posture_place *at;
	enum kept worst;
	char type[16];
	unsigned n;
};
static void meet_swap(void *ctx, char *line)
{
	struct swaps *s = ctx;
	char name[PATH_MAX], kind[32], full[PATH_MAX], dev[32];
	enum kept kept = KEPT_UNKNOWN;
	struct stat st;

	if (sscanf(line, "%4095s %31s", name, kind) != 2 || name[0] != '/' || s->n++ >= SWAPS_MAX)
		return;
	if (posture_path(s->at, name, full) && stat(full, &st) == 0) {
		dev_t d = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;

		snprintf(dev, sizeof(dev), "%u:%u", major(d), minor(d));
		kept = down(s->at, dev, 0, s->type);
	}
	s->worst = kept > s->worst ? kept : s->worst;
}

int posture_disks(const struct posture_place *at, const struct posture_taken *t, struct posture_fact *f)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct swaps s = {.at = at, .worst = KEPT_MEMORY};
	int r = mounted(at, f);

	(void)t;
	r = r ? r : posture_read(at, "/proc/swaps", &text);
	if (r)
		return r;
	posture_lines(&text, meet_swap, &s);
	if (s.n)
		tell(f, "swap", s.worst, s.type);
	else
		posture_say(f, "swap=none");
	return 0;
}
