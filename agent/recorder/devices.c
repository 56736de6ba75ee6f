/*
 * Device classes. See devices.h. Called at each record for the cached answer and, at mounts and unknown numbers, reads
 * sysfs. Names from sysfs and mountinfo are outside strings: bounded, never part of a log line.
 */
#include "agent/recorder/devices.h"
#include "policy/base/cleanup.h"
#include "policy/base/file.h"
#include "policy/rule/device.h"
#include "policy/wire/record.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define ATTRIBUTE_MAX 8192 /* sysfs gives at most a page */

struct entry {
	dev_t dev;
	bool used;
	struct disk device;
};

struct point {
	const char *path;
	size_t n; /* 0 for "/" */
	dev_t dev;
};

/* Four strings, each with its NUL: see devices_drive. */
struct drive_text {
	char text[16 + 3 * DEVICE_TEXT_SIZE];
	size_t n;
};

struct devices {
	const char *sys, *mountinfo;
	struct drive_text drive[DEVICES_DRIVES_MAX], found; /* found: of the device that is being looked at */
	unsigned drives, found_class;
	struct buf text;
	unsigned kept, points;
	uint64_t evicted;
	struct entry entry[DEVICES_MAX];
	struct point point[DEVICES_POINTS_MAX]; /* names in `text` */
};

int devices_new(const char *sys, const char *mountinfo, struct devices **out)
{
	struct devices *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->sys = sys;
	d->mountinfo = mountinfo;
	d->text = BUF_INIT(DEVICES_MOUNTINFO_MAX);
	*out = d;
	return 0;
}

void devices_free(struct devices *d)
{
	if (!d)
		return;
	buf_deinit(&d->text);
	free(d);
}

uint64_t devices_evicted(const struct devices *d)
{
	return d->evicted;
}

unsigned devices_kept(const struct devices *d)
{
	return d->kept;
}

unsigned devices_class_of_fs(const char *fs)
{
	static const struct {
		const char *name;
		unsigned class;
	} table[] = {{"tmpfs", CLASS_MEMORY}, {"ramfs", CLASS_MEMORY}, {"devtmpfs", CLASS_MEMORY},
		{"hugetlbfs", CLASS_MEMORY}, {"nfs", CLASS_NETWORK}, {"nfs4", CLASS_NETWORK}, {"cifs", CLASS_NETWORK},
		{"smb3", CLASS_NETWORK}, {"smbfs", CLASS_NETWORK}, {"ceph", CLASS_NETWORK}, {"afs", CLASS_NETWORK},
		{"9p", CLASS_NETWORK}, {"glusterfs", CLASS_NETWORK}, {"lustre", CLASS_NETWORK}, {"gpfs", CLASS_NETWORK},
		{"orangefs", CLASS_NETWORK}, {"coda", CLASS_NETWORK}, {"davfs", CLASS_NETWORK}, {"gfs2", CLASS_NETWORK},
		{"ocfs2", CLASS_NETWORK}, {"fuse.sshfs", CLASS_NETWORK}, {"fuse.rclone", CLASS_NETWORK},
		{"fuse.davfs", CLASS_NETWORK}, {"fuse.davfs2", CLASS_NETWORK}, {"fuse.glusterfs", CLASS_NETWORK},
		{"fuse.s3fs", CLASS_NETWORK}, {"fuse.curlftpfs", CLASS_NETWORK}, {"fuse.ceph", CLASS_NETWORK},
		{"fuse.gvfsd-fuse", CLASS_NETWORK}, {"fuse.smbnetfs", CLASS_NETWORK}, {"fuse.jmtpfs", CLASS_REMOVABLE},
		{"fuse.simple-mtpfs", CLASS_REMOVABLE}, {"fuse.ifuse", CLASS_REMOVABLE}, {"zfs", CLASS_FIXED},
		{"overlay", CLASS_FIXED}};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(table[i].name, fs) == 0)
			return table[i].class;
	return 0;
}

bool devices_is_view(const char *fs)
{
	static const char *const views[] = {"proc", "sysfs", "cgroup", "cgroup2", "devpts", "devtmpfs", "securityfs",
		"debugfs", "tracefs", "bpf", "pstore", "mqueue", "configfs", "fusectl", "binfmt_misc", "autofs",
		"rpc_pipefs", "nsfs", "efivarfs", "hugetlbfs", "selinuxfs", "resctrl"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(views); i++)
		if (strcmp(views[i], fs) == 0)
			return true;
	return false;
}

/* The worst of two: what is easiest carried away wins where a device stands on several. */
static unsigned worse(unsigned a, unsigned b)
{
	static const uint8_t rank[] = {[0] = 0,
		[CLASS_OTHER] = 1,
		[CLASS_MEMORY] = 2,
		[CLASS_FIXED] = 3,
		[CLASS_NETWORK] = 4,
		[CLASS_CLOUD] = 4,
		[CLASS_REMOVABLE] = 5,
		[CLASS_USB] = 6};

	return rank[a] >= rank[b] ? a : b;
}

/* First line of a sysfs attribute below `dir`. */
static bool attribute(const char *dir, const char *name, char *out, size_t size)
{
	char path[PATH_MAX];
	_cleanup_buf_ struct buf b = BUF_INIT(ATTRIBUTE_MAX);
	size_t n;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path) || file_read(path, &b) ||
		!buf_str(&b))
		return false;
	n = strcspn((const char *)b.p, "\n");
	if (n >= size)
		return false;
	memcpy(out, b.p, n);
	out[n] = 0;
	return true;
}

static unsigned class_of_block(struct devices *d, unsigned major, unsigned minor, unsigned depth);

/* The devices that a stacked one (dm, md, bcache) stands on; 0 where it is not stacked. */
static unsigned class_of_slaves(struct devices *d, const char *dir, unsigned depth)
{
	char path[PATH_MAX], number[32];
	_cleanup_closedir_ DIR *slaves = NULL;
	struct dirent *e;
	unsigned class = 0;

	if ((size_t)snprintf(path, sizeof(path), "%s/slaves", dir) >= sizeof(path) || !(slaves = opendir(path)))
		return 0;
	while ((e = readdir(slaves))) {
		unsigned major, minor;

		if (e->d_name[0] == '.' ||
			(size_t)snprintf(path, sizeof(path), "%s/slaves/%s", dir, e->d_name) >= sizeof(path) ||
			!attribute(path, "dev", number, sizeof(number)) || sscanf(number, "%u:%u", &major, &minor) != 2)
			continue;
		class = worse(class, class_of_block(d, major, minor, depth + 1));
	}
	return class;
}

/* mountinfo writes space, tab, newline and backslash as \\ooo. In place. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
			s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = 0;
}

/* The device of the innermost mount that a path lies in: by name, because the path itself may be closed to us. */
static dev_t device_of_path(const struct devices *d, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(d->mountinfo, "re");
	char line[PATH_MAX * 3], point[PATH_MAX];
	size_t best = 0;
	dev_t dev = 0;

	while (f && fgets(line, sizeof(line), f)) {
		unsigned major, minor;
		size_t n;

		if (sscanf(line, "%*s %*s %u:%u %*s %4095s", &major, &minor, point) != 3)
			continue;
		unescape(point);
		n = strlen(point);
		if (n == 1)
			n = 0; /* the root: every path goes on with its slash */
		/* A later mount on the same point covers the one before. */
		if (n >= best && strncmp(path, point, n) == 0 && path[n] == '/') {
			best = n;
			dev = makedev(major, minor);
		}
	}
	return dev;
}

/* A loop device is where its file is. */
static unsigned class_of_loop(struct devices *d, const char *dir, unsigned depth)
{
	char file[PATH_MAX];
	dev_t dev;

	if (!attribute(dir, "loop/backing_file", file, sizeof(file)))
		return 0;
	dev = device_of_path(d, file);
	if (major(dev) == 0)
		return dev ? devices_get(d, dev, NULL)->class : CLASS_FIXED;
	return class_of_block(d, major(dev), minor(dev), depth + 1);
}

/* --- which drive it is --- */

static void drive_put(struct drive_text *t, const char *word)
{
	size_t n = strlen(word) + 1;

	memcpy(t->text + t->n, word, n);
	t->n += n;
}

/* An attribute of `dir`; none is an empty word. */
static void drive_take(struct drive_text *t, const char *dir, const char *name, bool serial)
{
	char said[ATTRIBUTE_MAX], word[DEVICE_TEXT_SIZE];

	if (!attribute(dir, name, said, sizeof(said)))
		said[0] = 0;
	if (serial)
		device_serial(word, said);
	else
		snprintf(word, sizeof(word), "%.*s", (int)sizeof(word) - 1, said);
	drive_put(t, word);
}

/* On USB the nearest device above it; a card says who it is by its CID. As the guard reads it (devices.c there). */
static void drive_find(struct devices *d, const char *dir, unsigned class)
{
	char at[PATH_MAX], vendor[8] = "", product[8] = "", id[16] = "", cid[64];
	size_t top = strlen(d->sys);
	bool usb = false, card;

	if (d->found_class == CLASS_USB || (d->found_class && class != CLASS_USB))
		return;
	snprintf(at, sizeof(at), "%s", dir);
	while (class == CLASS_USB && !usb) {
		char *slash = strrchr(at, '/');

		if (!slash || (size_t)(slash - at) <= top)
			return;
		*slash = 0;
		usb = attribute(at, "idVendor", vendor, sizeof(vendor)) &&
		      attribute(at, "idProduct", product, sizeof(product));
	}
	d->found_class = class;
	d->found.n = 0;
	if (usb) {
		snprintf(id, sizeof(id), "%04x:%04x", (unsigned)strtoul(vendor, NULL, 16) & 0xffff,
			(unsigned)strtoul(product, NULL, 16) & 0xffff);
	} else if ((size_t)snprintf(at, sizeof(at), "%s/device", dir) >= sizeof(at)) {
		return;
	}
	card = !usb && attribute(at, "cid", cid, sizeof(cid));
	drive_put(&d->found, id);
	drive_take(&d->found, at, usb ? "manufacturer" : card ? "manfid" : "vendor", false);
	drive_take(&d->found, at, usb ? "product" : card ? "name" : "model", false);
	drive_take(&d->found, at, card ? "cid" : "serial", true);
}

/* The one that was found, once: a number may give its place to another and come back. */
static struct span drive_keep(struct devices *d)
{
	struct drive_text *t = d->drive, *end = d->drive + d->drives;

	while (t < end && !span_eq(SPAN(t->text, t->n), SPAN(d->found.text, d->found.n)))
		t++;
	if (t == d->drive + DEVICES_DRIVES_MAX)
		return SPAN(NULL, 0);
	if (t == end) {
		*t = d->found;
		d->drives++;
	}
	return SPAN(t->text, t->n);
}

void devices_drive(struct span drive, struct devices_drive *out)
{
	const char **word[] = {&out->usb_id, &out->maker, &out->product, &out->serial};
	const char *at = drive.n ? (const char *)drive.p : "", *end = at + drive.n;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(word); i++) {
		*word[i] = at < end ? at : "";
		at += at < end ? strlen(at) + 1 : 0;
	}
}

/* What the place of a disk in the tree of devices and its attributes tell. */
static unsigned class_by_place(struct devices *d, char *dir)
{
	char value[64];
	const char *name = strrchr(dir, '/');
	size_t top = strlen(d->sys);

	name = name ? name + 1 : dir;
	if (strstr(dir, "/usb"))
		return CLASS_USB;
	if (strncmp(name, "zram", 4) == 0 || strncmp(name, "ram", 3) == 0)
		return CLASS_MEMORY;
	if (strncmp(name, "nbd", 3) == 0 || strncmp(name, "rbd", 3) == 0 || strncmp(name, "drbd", 4) == 0 ||
		strstr(dir, "/session"))
		return CLASS_NETWORK;
	if (strncmp(name, "sr", 2) == 0)
		return CLASS_REMOVABLE;
	if (attribute(dir, "removable", value, sizeof(value)) && strcmp(value, "1") == 0)
		return CLASS_REMOVABLE;
	if (attribute(dir, "device/type", value, sizeof(value)) && strcmp(value, "SD") == 0)
		return CLASS_REMOVABLE;
	/* A PCI device behind a Thunderbolt port says so itself, some levels up. */
	for (;;) {
		char *slash = strrchr(dir, '/');

		if (!slash || (size_t)(slash - dir) <= top)
			return CLASS_FIXED;
		*slash = 0;
		if (attribute(dir, "removable", value, sizeof(value)) && strcmp(value, "removable") == 0)
			return CLASS_REMOVABLE;
	}
}

static unsigned class_of_disk(struct devices *d, char *dir)
{
	char whole[PATH_MAX];
	unsigned class;

	snprintf(whole, sizeof(whole), "%s", dir);
	class = class_by_place(d, dir);
	if (class == CLASS_USB || class == CLASS_REMOVABLE)
		drive_find(d, whole, class);
	return class;
}

static unsigned class_of_block(struct devices *d, unsigned major, unsigned minor, unsigned depth)
{
	char link[PATH_MAX], dir[PATH_MAX], value[64];
	unsigned class;

	if (depth >= DEVICES_STACK ||
		(size_t)snprintf(link, sizeof(link), "%s/dev/block/%u:%u", d->sys, major, minor) >= sizeof(link) ||
		!realpath(link, dir))
		return CLASS_OTHER;
	/* A partition stands in its disk's folder. */
	if (attribute(dir, "partition", value, sizeof(value)))
		*strrchr(dir, '/') = 0;
	class = class_of_slaves(d, dir, depth);
	if (!class)
		class = class_of_loop(d, dir, depth);
	return class ? class : class_of_disk(d, dir);
}

static struct entry *slot(struct devices *d, dev_t dev)
{
	return &d->entry[(major(dev) * 263u + minor(dev)) % DEVICES_MAX];
}

static const struct disk *keep(struct devices *d, dev_t dev, const char *fs, unsigned class)
{
	struct entry *e = slot(d, dev);

	if (!e->used)
		d->kept++;
	else if (e->dev != dev)
		d->evicted++;
	e->used = true;
	e->dev = dev;
	e->device.class = class;
	snprintf(e->device.fs, sizeof(e->device.fs), "%s", fs ? fs : "");
	e->device.drive = SPAN(NULL, 0);
	if (d->found.n && (class == CLASS_USB || class == CLASS_REMOVABLE))
		e->device.drive = drive_keep(d);
	d->found.n = d->found_class = 0;
	return &e->device;
}

const struct disk *devices_get(struct devices *d, dev_t dev, const char *fs)
{
	struct entry *e = slot(d, dev);
	unsigned class;

	if (e->used && e->dev == dev)
		return &e->device;
	class = fs ? devices_class_of_fs(fs) : 0;
	if (!class)
		class = major(dev) ? class_of_block(d, major(dev), minor(dev), 0) : CLASS_OTHER;
	return keep(d, dev, fs, class);
}

/* A file system without a device number of its own (btrfs, overlay, bind of it): its source or upper folder decides. */
static unsigned class_of_mount(struct devices *d, dev_t dev, const char *fs, const char *source, const char *options)
{
	unsigned class = 0;
	struct stat st;

	if (strcmp(fs, "overlay") == 0) {
		char upper[PATH_MAX];
		const char *at = strstr(options, "upperdir=");
		size_t n = at ? strcspn(at + 9, ",") : 0;

		if (n && n < sizeof(upper)) {
			memcpy(upper, at + 9, n);
			upper[n] = 0;
			if (stat(upper, &st) == 0 && st.st_dev != dev)
				return devices_get(d, st.st_dev, NULL)->class;
		}
	}
	class = devices_class_of_fs(fs);
	if (class)
		return class;
	if (major(dev))
		return class_of_block(d, major(dev), minor(dev), 0);
	if (source[0] == '/' && stat(source, &st) == 0 && S_ISBLK(st.st_mode))
		return class_of_block(d, major(st.st_rdev), minor(st.st_rdev), 0);
	return strncmp(source, "//", 2) == 0 ? CLASS_NETWORK : CLASS_OTHER;
}

/* "36 35 98:0 /root /point options tags - type source superoptions"; false where the line has another form. */
static bool mount_line(struct devices *d, char *line, mount_fn fn, void *ctx)
{
	char *field[6], *tail, *fs, *source, *options, *save = NULL;
	unsigned major, minor, i;
	struct mount_entry m;

	tail = strstr(line, " - ");
	if (!tail)
		return false;
	*tail = 0;
	for (i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!field[i])
			return false;
	}
	fs = strtok_r(tail + 3, " ", &save);
	source = strtok_r(NULL, " ", &save);
	options = strtok_r(NULL, " ", &save);
	if (!fs || !source || sscanf(field[2], "%u:%u", &major, &minor) != 2)
		return false;
	unescape(field[3]);
	unescape(field[4]);
	unescape(source);
	m = (struct mount_entry){.dev = makedev(major, minor),
		.part = field[3],
		.point = field[4],
		.fs = fs,
		.source = source,
		.device = NULL};
	if (slot(d, m.dev)->used && slot(d, m.dev)->dev == m.dev)
		m.device = &slot(d, m.dev)->device;
	if (!m.device || !m.device->fs[0])
		m.device = keep(d, m.dev, fs, class_of_mount(d, m.dev, fs, source, options ? options : ""));
	if (d->points < DEVICES_POINTS_MAX)
		d->point[d->points] =
			(struct point){.path = m.point, .n = strcmp(m.point, "/") ? strlen(m.point) : 0, .dev = m.dev};
	d->points++;
	if (fn)
		fn(ctx, &m);
	return true;
}

const struct disk *devices_at(struct devices *d, struct span path)
{
	const struct point *best = NULL;
	unsigned i;

	if (d->points > DEVICES_POINTS_MAX || !path.n || path.p[0] != '/')
		return NULL;
	for (i = 0; i < d->points; i++) {
		const struct point *p = &d->point[i];

		/* A later mount on the same point covers the one before. */
		if ((best && p->n < best->n) || p->n > path.n || memcmp(path.p, p->path, p->n) != 0)
			continue;
		if (p->n == path.n || path.p[p->n] == '/')
			best = p;
	}
	return best ? devices_get(d, best->dev, NULL) : NULL;
}

int devices_refresh(struct devices *d, mount_fn fn, void *ctx)
{
	char *line, *end;
	int r;

	memset(d->entry, 0, sizeof(d->entry));
	d->kept = d->points = d->drives = 0;
	buf_clear(&d->text);
	r = file_read(d->mountinfo, &d->text);
	if (r && r != V_FULL)
		return r == V_NOT_FOUND ? -ENOENT : r;
	if (!buf_str(&d->text))
		return r ? r : -ENOMEM;
	for (line = (char *)d->text.p; line && *line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = 0;
		mount_line(d, line, fn, ctx);
	}
	return r;
}
