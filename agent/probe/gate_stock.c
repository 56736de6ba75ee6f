/*
 * What is there when the gate is loaded: read from sysfs, by the same marks by which the kernel's own look goes
 * (gate.bpf.c, hangs_on). Called by gate_load.c before anything is denied.
 *
 * The disks that this very system runs from must never be held: they are found first, once in a boot and before udev
 * begins, through whatever is stacked upon them, and are the PC's own even where they hang on USB.
 */
#include "agent/probe/gate_parts.h"
#include "agent/probe/load.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define OWN_DISKS_MAX 64u
#define DEPTH_MAX 8

struct stock {
	int fd, names_fd;
	unsigned own_n;
	char own[OWN_DISKS_MAX][64]; /* names of the disks that this system runs from */
	bool own_held;               /* one of them hangs where it would be held */
	struct buf rules;            /* that tell udev of those, each behind a line that names it */
};

static bool read_word(const char *dir, const char *name, char *out, size_t size)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4096);
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path) || file_read(path, &b) ||
		!buf_str(&b))
		return false;
	snprintf(out, size, "%.*s", (int)strcspn((char *)b.p, "\n"), (char *)b.p);
	return true;
}

static bool read_dev(const char *dir, dev_t *out)
{
	unsigned maj, min;
	char text[32];

	if (!read_word(dir, "dev", text, sizeof(text)) || sscanf(text, "%u:%u", &maj, &min) != 2)
		return false;
	*out = makedev(maj, min);
	return true;
}

/* "usb", "pci", "block", ...: of a device, its bus or class. */
static void subsystem_of(const char *dir, char *out, size_t size)
{
	char path[PATH_MAX], to[PATH_MAX];
	const char *name;
	ssize_t n;

	out[0] = 0;
	if ((size_t)snprintf(path, sizeof(path), "%s/subsystem", dir) >= sizeof(path))
		return;
	n = readlink(path, to, sizeof(to) - 1);
	if (n <= 0)
		return;
	to[n] = 0;
	name = strrchr(to, '/');
	snprintf(out, size, "%.*s", (int)size - 1, name ? name + 1 : to);
}

static bool is_partition(const char *dir)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/partition", dir);
	return access(path, F_OK) == 0;
}

static unsigned hangs_on(const char *real)
{
	char dir[PATH_MAX], name[64], word[32], *slash;
	unsigned flags = 0;

	snprintf(dir, sizeof(dir), "%s", real);
	while (strlen(dir) > strlen("/sys/devices")) {
		subsystem_of(dir, name, sizeof(name));
		if (!strcmp(name, "usb"))
			flags |= GATE_ON_USB;
		else if (!strcmp(name, "mmc") && !(read_word(dir, "type", word, sizeof(word)) && !strcmp(word, "MMC")))
			flags |= GATE_ON_CARD;
		else if (!strcmp(name, "memstick"))
			flags |= GATE_ON_CARD;
		else if (!strcmp(name, "firewire") || !strcmp(name, "pcmcia") ||
			 (!strcmp(name, "pci") && read_word(dir, "removable", word, sizeof(word)) &&
				 !strcmp(word, "removable")))
			flags |= GATE_ON_EXTERNAL;
		slash = strrchr(dir, '/');
		if (!slash)
			break;
		*slash = 0;
	}
	/* mmc_host is the controller's class, not a card's. */
	return flags;
}

/* --- the disks of this system --- */

/* The first line, and one before the rules of each: how what was found is read again. For udev comments. */
#define OWN_HEAD "# Disks that this system runs from, and that hang where drives do (sekisho-load(8)):\n"
#define OWN_LINE "# own: "

static bool is_own(const struct stock *s, const char *name)
{
	unsigned i;

	for (i = 0; i < s->own_n; i++)
		if (!strcmp(s->own[i], name))
			return true;
	return false;
}

/* The disk with its partitions, and all that it hangs on: a USB device must not be let go over a sleep. */
static void tell_udev(struct stock *s, const char *devpath)
{
	char up[PATH_MAX], *slash;

	buf_putf(&s->rules, OWN_LINE "%s\n", strrchr(devpath, '/') + 1);
	/* What udev would take for a pattern is not told: it is held by its rules then, and not by the gate. */
	if (strpbrk(devpath, "*?[]|\"\\\n"))
		return;
	buf_putf(&s->rules, "SUBSYSTEM==\"block\", DEVPATH==\"%s|%s/*\", ENV{SEKISHO_OWN}=\"1\"\n", devpath, devpath);
	snprintf(up, sizeof(up), "%s", devpath);
	while ((slash = strrchr(up, '/')) && slash != up) {
		*slash = 0;
		buf_putf(&s->rules, "SUBSYSTEM==\"usb\", DEVPATH==\"%s\", ENV{SEKISHO_OWN}=\"1\"\n", up);
	}
}

static void note_disk(struct stock *s, unsigned maj, unsigned min, int depth)
{
	char path[PATH_MAX], real[PATH_MAX], *name;
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;
	bool stacked = false;
	dev_t below;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", maj, min);
	if (depth > DEPTH_MAX || !realpath(path, real))
		return;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/slaves", maj, min);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		char slave[PATH_MAX + 256];

		if (e->d_name[0] == '.')
			continue;
		snprintf(slave, sizeof(slave), "%s/%s", path, e->d_name);
		if (read_dev(slave, &below)) {
			note_disk(s, major(below), minor(below), depth + 1);
			stacked = true;
		}
	}
	if (stacked)
		return;
	/* A partition's disk is the folder that it is in. */
	if (is_partition(real))
		*strrchr(real, '/') = 0;
	name = strrchr(real, '/') + 1;
	if (is_own(s, name) || s->own_n == OWN_DISKS_MAX)
		return;
	snprintf(s->own[s->own_n++], sizeof(s->own[0]), "%.63s", name);
	if (!hangs_on(real))
		return;
	s->own_held = true;
	tell_udev(s, real + strlen("/sys"));
}

static void note_node(struct stock *s, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISBLK(st.st_mode))
		note_disk(s, major(st.st_rdev), minor(st.st_rdev), 0);
}

static bool is_place(const char *path)
{
	return !strcmp(path, "/") || !strcmp(path, "/usr") || !strcmp(path, "/var") || !strcmp(path, "/boot") ||
	       !strcmp(path, "/boot/efi");
}

/* By the device that is named, too: file systems of several disks (btrfs) have a number of their own. */
static void find_mounted(struct stock *s)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	struct stat st;

	while (f && (m = getmntent(f))) {
		if (!is_place(m->mnt_dir))
			continue;
		note_node(s, m->mnt_fsname);
		if (stat(m->mnt_dir, &st) == 0)
			note_disk(s, major(st.st_dev), minor(st.st_dev), 0);
	}
	if (f)
		endmntent(f);
}

static void find_swap(struct stock *s)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/swaps", "re");
	char line[PATH_MAX + 128];

	while (f && fgets(line, sizeof(line), f))
		if (line[0] == '/' && strcspn(line, " \t") < strlen(line)) {
			line[strcspn(line, " \t")] = 0;
			note_node(s, line);
		}
}

/* --- entries --- */

static int put(struct stock *s, unsigned type, dev_t dev, const struct gate_entry *e)
{
	struct gate_key key = {.type = type, .dev = load_dev(dev)};

	/* What the kernel saw itself meanwhile stands. */
	if (bpf_map_update_elem(s->fd, &key, e, BPF_NOEXIST) && errno != EEXIST)
		return -errno;
	return 0;
}

static int put_name(struct stock *s, const char *name, gate_u32 dev)
{
	char key[GATE_NAME_MAX] = "";

	if (strlen(name) >= sizeof(key))
		return 0;
	memcpy(key, name, strlen(name));
	return bpf_map_update_elem(s->names_fd, key, &dev, BPF_ANY) ? -errno : 0;
}

static int put_block(struct stock *s, const char *name)
{
	char path[PATH_MAX], real[PATH_MAX], *slash;
	struct gate_entry e = {.flags = GATE_BY_STOCK, .generation = (gate_u64)clock_boot_us() * 1000};
	bool partition;
	dev_t dev, whole;
	int r;

	snprintf(path, sizeof(path), "/sys/class/block/%s", name);
	if (!realpath(path, real) || !read_dev(real, &dev))
		return 0; /* went meanwhile */
	whole = dev;
	partition = is_partition(real);
	if (partition) {
		*strrchr(real, '/') = 0;
		if (!read_dev(real, &whole))
			return 0;
	}
	slash = strrchr(real, '/');
	e.whole = load_dev(whole);
	e.state = GATE_OWN;
	if (!is_own(s, slash + 1)) {
		unsigned on = hangs_on(real) | (major(whole) == 11 ? GATE_OPTICAL : 0u);

		e.flags |= on;
		if (on)
			e.state = GATE_HELD_WRITE;
	}
	if (partition)
		e.flags |= GATE_PARTITION;
	r = put_name(s, name, load_dev(dev));
	return r ? r : put(s, GATE_BLOCK, dev, &e);
}

static int put_node(struct stock *s, const char *class, const char *name)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct gate_entry e = {
		.flags = GATE_BY_STOCK | GATE_PASS_THROUGH, .generation = (gate_u64)clock_boot_us() * 1000};
	dev_t dev;

	snprintf(path, sizeof(path), "%s/%s", class, name);
	if (!realpath(path, real) || !read_dev(real, &dev))
		return 0;
	e.whole = load_dev(dev);
	if (major(dev) == 189) {
		e.flags |= GATE_ON_USB;
		e.state = GATE_HELD_WRITE;
	} else {
		unsigned on = hangs_on(real);

		e.flags |= on;
		e.state = on ? GATE_HELD_ALL : GATE_OWN;
	}
	return put(s, GATE_CHAR, dev, &e);
}

static int each(struct stock *s, const char *class, bool block)
{
	_cleanup_closedir_ DIR *dir = opendir(class);
	struct dirent *e;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!r && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			r = block ? put_block(s, e->d_name) : put_node(s, class, e->d_name);
	return r;
}

static void rules_path(char *path, size_t size)
{
	const char *prefix = getenv("SEKISHO_ROOT");

	snprintf(path, size, "%s" GATE_OWN_RULES, prefix ? prefix : "");
}

/* Also where there is nothing to tell: that it was looked for in this boot. Those of the boot before went with it. */
static int write_rules(const struct stock *s)
{
	char path[PATH_MAX];
	int r;

	rules_path(path, sizeof(path));
	*strrchr(path, '/') = 0;
	r = dir_make(path, 0755);
	path[strlen(path)] = '/';
	return r ? r : file_replace_volatile(path, buf_span(&s->rules), 0644);
}

static int find_own(struct stock *s)
{
	buf_put(&s->rules, OWN_HEAD, strlen(OWN_HEAD));
	find_mounted(s);
	find_swap(s);
	return write_rules(s);
}

/* What was found earlier in this boot: of the disks that hang where drives do, which are all that matter. */
static bool read_own(struct stock *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(64u << 10);
	char path[PATH_MAX], *line, *rest;

	rules_path(path, sizeof(path));
	/* Rules of a version before this one do not say it. */
	if (file_read(path, &b) || !buf_str(&b) || strncmp((char *)b.p, OWN_HEAD, strlen(OWN_HEAD)))
		return false;
	for (rest = (char *)b.p; (line = strsep(&rest, "\n"));) {
		if (strncmp(line, OWN_LINE, strlen(OWN_LINE)) || s->own_n == OWN_DISKS_MAX)
			continue;
		snprintf(s->own[s->own_n++], sizeof(s->own[0]), "%.63s", line + strlen(OWN_LINE));
		s->own_held = true;
	}
	return true;
}

int gate_own_disks(bool anew)
{
	struct stock s = {.fd = -1, .names_fd = -1, .rules = BUF_INIT(64u << 10)};
	int r = !anew && read_own(&s) ? 0 : find_own(&s);

	buf_deinit(&s.rules);
	return r;
}

static int take_stock(struct stock *s)
{
	static const char *const nodes[] = {"/sys/class/scsi_generic", "/sys/class/bsg", "/sys/class/scsi_tape",
		"/sys/class/scsi_changer", "/sys/class/nvme", "/sys/class/nvme-generic", "/sys/bus/usb/devices"};
	size_t i;
	int r;

	/* As udev was told: what was mounted since is a drive for both. */
	r = read_own(s) ? 0 : find_own(s);
	if (!r)
		r = each(s, "/sys/class/block", true);
	for (i = 0; !r && i < ARRAY_SIZE(nodes); i++)
		r = each(s, nodes[i], false);
	return r;
}

int gate_stock(int devices_fd, int names_fd, struct why *why)
{
	struct stock s = {.fd = devices_fd, .names_fd = names_fd, .rules = BUF_INIT(64u << 10)};
	int r;

	if (access("/sys/class/block", R_OK))
		return why_set(
			why, V_BAD, "/sys/class/block cannot be read: what this PC's own disks are is not known");
	r = take_stock(&s);
	if (s.own_held)
		why_set(why, 0, "this system runs from a disk that would be held: it is taken for the PC's own");
	buf_deinit(&s.rules);
	return r;
}
