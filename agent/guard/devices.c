/*
 * What is plugged in, as udev and sysfs tell it: units (what a person would call one device) with their disks, their
 * pass-through nodes and what lies on their media. Called by the loop with udev's events, by the desk with those that
 * are still being processed, and at start for all that is there. Decides nothing.
 *
 * All strings of a device come from outside: they are cut at their room and never interpreted.
 */
#include "agent/guard/guard.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define DESCRIPTORS_MAX (64u << 10)
#define SECTOR 512u

/* net and tty only tell what a driver made of a vendor's own interface. */
static const char *const subsystems[] = {
	"usb", "block", "scsi_generic", "bsg", "scsi_tape", "scsi_changer", "net", "tty"};

static const char *attribute(struct udev_device *d, const char *name)
{
	const char *v = udev_device_get_sysattr_value(d, name);

	return v ? v : "";
}

static void keep(char *out, size_t size, const char *s)
{
	snprintf(out, size, "%s", s ? s : "");
}

/* --- units --- */

static struct unit *find_unit(struct guard *g, const char *path)
{
	struct unit *u;

	for (u = g->units; u; u = u->next)
		if (strcmp(u->path, path) == 0)
			return u;
	return NULL;
}

static void disk_free(struct disk *d)
{
	medium_forget(d);
	free(d);
}

void unit_free(struct unit *u)
{
	while (u && u->disks) {
		struct disk *d = u->disks;

		u->disks = d->next;
		disk_free(d);
	}
	while (u && u->nodes) {
		struct node *n = u->nodes;

		u->nodes = n->next;
		free(n);
	}
	free(u);
}

void devices_free(struct guard *g)
{
	while (g->units) {
		struct unit *u = g->units;

		g->units = u->next;
		unit_free(u);
	}
	g->units_n = 0;
}

static struct unit *make_unit(struct guard *g, const char *path)
{
	static struct log_limit limit = LOG_LIMIT(2);
	struct unit *u = find_unit(g, path);
	struct stat st;

	if (u)
		return u;
	if (g->units_n == UNITS_MAX || strlen(path) >= UNIT_PATH_SIZE) {
		g->refused_units++;
		if (log_allowed(&limit))
			log_warning("more than %u devices: what is plugged in now stays held", UNITS_MAX);
		return NULL;
	}
	u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	keep(u->path, sizeof(u->path), path);
	u->plugging = stat(path, &st) ? 0 : (uint64_t)st.st_ino;
	u->id = ++g->next_id;
	u->since_boot_us = 0;
	u->next = g->units;
	g->units = u;
	g->units_n++;
	return u;
}

struct unit *unit_by_id(struct guard *g, unsigned id)
{
	struct unit *u;

	for (u = g->units; u; u = u->next)
		if (u->id == id)
			return u;
	return NULL;
}

struct unit *unit_by_disk(struct guard *g, const char *name, struct disk **disk)
{
	struct unit *u;

	for (u = g->units; u; u = u->next)
		for (*disk = u->disks; *disk; *disk = (*disk)->next)
			if (!strcmp((*disk)->name, name))
				return u;
	*disk = NULL;
	return NULL;
}

struct unit *unit_by_dev(struct guard *g, unsigned type, dev_t dev, struct disk **disk)
{
	struct unit *u;
	struct disk *d;
	struct node *n;

	*disk = NULL;
	for (u = g->units; u; u = u->next) {
		for (d = u->disks; d && type == GATE_BLOCK; d = d->next) {
			if (d->dev == dev) {
				*disk = d;
				return u;
			}
		}
		for (n = u->nodes; n && type == GATE_CHAR; n = n->next)
			if (n->dev == dev)
				return u;
		if (type == GATE_CHAR && u->usbfs == dev)
			return u;
	}
	return NULL;
}

/* --- facts of a device --- */

static void read_usb(struct unit *u, struct udev_device *d)
{
	char path[UNIT_PATH_SIZE + 16];
	_cleanup_buf_ struct buf raw = BUF_INIT(DESCRIPTORS_MAX);
	struct device *f = &u->device;
	struct why why = {""};
	unsigned i;

	*f = (struct device){.usb = true};
	f->vendor = (uint16_t)strtoul(attribute(d, "idVendor"), NULL, 16);
	f->product = (uint16_t)strtoul(attribute(d, "idProduct"), NULL, 16);
	keep(f->vendor_name, sizeof(f->vendor_name), attribute(d, "manufacturer"));
	keep(f->product_name, sizeof(f->product_name), attribute(d, "product"));
	device_serial(f->serial, attribute(d, "serial"));
	keep(f->port, sizeof(f->port), udev_device_get_sysname(d));
	u->root_hub = strncmp(f->port, "usb", 3) == 0;
	u->usbfs = udev_device_get_devnum(d);
	snprintf(path, sizeof(path), "%s/descriptors", u->path);
	if (file_read(path, &raw) || device_read_descriptors(f, buf_span(&raw), &why)) {
		char shown[192];

		/* Then it has no fingerprint and no kind: held, and told as what it is. */
		log_warning("device %s: descriptors cannot be read: %s", text_escape_to(shown, 64, SPAN_STR(f->port)),
			why.text[0] ? why.text : "no such file");
		f->kinds = 1u << DEVICE_KIND_OTHER;
	}
	for (i = 0; i < f->interfaces_n; i++)
		f->kinds |= device_kinds_of(&f->interface[i]);
	u->hub = f->kinds == 1u << DEVICE_KIND_HUB;
	/* A vendor's own interface may be a phone's file store: only the device itself can say. */
	if (f->kinds & 1u << DEVICE_KIND_VENDOR && !(f->kinds & 1u << DEVICE_KIND_PHONE) &&
		speaks_mtp((unsigned)strtoul(attribute(d, "busnum"), NULL, 10),
			(unsigned)strtoul(attribute(d, "devnum"), NULL, 10)))
		f->kinds |= 1u << DEVICE_KIND_PHONE;
}

static void read_other(struct unit *u, struct udev_device *d, unsigned kind)
{
	struct device *f = &u->device;

	*f = (struct device){.kinds = 1u << kind};
	keep(f->port, sizeof(f->port), udev_device_get_sysname(d));
	if (kind == DEVICE_KIND_SD) {
		keep(f->product_name, sizeof(f->product_name), attribute(d, "name"));
		keep(f->vendor_name, sizeof(f->vendor_name), attribute(d, "manfid"));
		device_serial(f->serial, attribute(d, "cid"));
	} else {
		keep(f->vendor_name, sizeof(f->vendor_name), attribute(d, "vendor"));
		keep(f->product_name, sizeof(f->product_name), attribute(d, "model"));
		device_serial(f->serial, attribute(d, "serial"));
	}
}

/*
 * Which unit a device of sysfs belongs to: *root is where it begins (borrowed from `d`), and the kind where it is not
 * on USB. NULL: it is the PC's own.
 */
static struct udev_device *unit_root(struct guard *g, struct udev_device *d, unsigned *kind)
{
	const char *subsystem = udev_device_get_subsystem(d), *type = udev_device_get_devtype(d);
	struct udev_device *p, *up;
	struct gate_entry entry;

	*kind = 0;
	if (subsystem && !strcmp(subsystem, "usb") && type && !strcmp(type, "usb_device"))
		return d;
	p = udev_device_get_parent_with_subsystem_devtype(d, "usb", "usb_device");
	if (p)
		return p;
	if (!subsystem || strcmp(subsystem, "block") != 0)
		return NULL;
	p = udev_device_get_parent_with_subsystem_devtype(d, "mmc", NULL);
	if (p) {
		*kind = DEVICE_KIND_SD;
		return strcmp(attribute(p, "type"), "MMC") ? p : NULL;
	}
	p = udev_device_get_parent_with_subsystem_devtype(d, "memstick", NULL);
	if (p) {
		*kind = DEVICE_KIND_SD;
		return p;
	}
	*kind = major(udev_device_get_devnum(d)) == 11 ? DEVICE_KIND_OPTICAL : DEVICE_KIND_STORAGE;
	for (up = d; up; up = udev_device_get_parent(up))
		if (udev_device_get_subsystem(up) && !strcmp(udev_device_get_subsystem(up), "pci") &&
			!strcmp(attribute(up, "removable"), "removable"))
			return up;
	if (*kind == DEVICE_KIND_OPTICAL ||
		(g->gate && !gate_look(g->gate, GATE_BLOCK, udev_device_get_devnum(d), &entry) &&
			entry.state != GATE_OWN)) {
		p = udev_device_get_parent(d);
		return type && !strcmp(type, "partition") && p ? udev_device_get_parent(p) : p;
	}
	return NULL;
}

/*
 * Which seat it belongs to. A hub that is attached to a seat (loginctl attach) gives it to all behind it; udev's own
 * rule for that comes after ours, so that what is being processed does not have it yet.
 */
static void read_seat(const struct guard *g, struct unit *u, struct udev_device *d)
{
	const char *seat = NULL;

	for (; g->people_n > 1 && d && !seat; d = udev_device_get_parent(d))
		seat = udev_device_get_property_value(d, "ID_SEAT");
	keep(u->seat, sizeof(u->seat), seat);
}

/* Where no gate knows which disks this PC runs from: sekisho-load has told udev of them, also where it could not load
 * one. */
static bool udev_says_own(struct udev_device *whole)
{
	const char *own = udev_device_get_property_value(whole, "SEKISHO_OWN");

	return own && !strcmp(own, "1");
}

/* --- disks and nodes --- */

static struct disk *make_disk(struct unit *u, const char *name)
{
	struct disk *d;

	for (d = u->disks; d; d = d->next)
		if (!strcmp(d->name, name))
			return d;
	if (u->disks_n == UNIT_DISKS_MAX || strlen(name) >= DISK_NAME_SIZE)
		return NULL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	keep(d->name, sizeof(d->name), name);
	d->next = u->disks;
	u->disks = d;
	u->disks_n++;
	return d;
}

static struct disk *update_block(struct guard *g, struct unit *u, struct udev_device *d, property_fn get, void *ctx)
{
	const char *type = udev_device_get_devtype(d), *name = udev_device_get_sysname(d);
	bool partition = type && !strcmp(type, "partition");
	struct udev_device *whole = partition ? udev_device_get_parent(d) : d;
	struct gate_entry entry = {.generation = 0};
	struct disk *disk;
	bool looked;

	if (!whole || strlen(name) >= DISK_NAME_SIZE)
		return NULL;
	/* Which one it is, before what it is: a grant names this one. */
	looked = g->gate && !gate_look(g->gate, GATE_BLOCK, udev_device_get_devnum(whole), &entry);
	if (looked ? entry.state == GATE_OWN : !g->gate && udev_says_own(whole)) {
		u->own = true;
		return NULL;
	}
	disk = make_disk(u, udev_device_get_sysname(whole));
	if (!disk)
		return NULL;
	disk->dev = udev_device_get_devnum(whole);
	disk->kind = major(disk->dev) == 11                    ? DEVICE_KIND_OPTICAL
		     : u->device.kinds == 1u << DEVICE_KIND_SD ? DEVICE_KIND_SD
							       : DEVICE_KIND_STORAGE;
	if (looked && entry.generation != disk->generation) {
		if (disk->generation) {
			disk->media_n = 0;
			disk->forced = 0;
			tell_medium(g, u, disk);
		}
		disk->generation = entry.generation;
	}
	disk->size = strtoull(attribute(whole, "size"), NULL, 10) * SECTOR;
	medium_keep(disk, whole, name, partition, get, ctx);
	return disk;
}

static void update_node(struct unit *u, struct udev_device *d)
{
	struct node *n;

	for (n = u->nodes; n; n = n->next)
		if (n->dev == udev_device_get_devnum(d))
			return;
	if (u->nodes_n == UNIT_NODES_MAX || !(n = calloc(1, sizeof(*n))))
		return;
	keep(n->name, sizeof(n->name), udev_device_get_sysname(d));
	n->dev = udev_device_get_devnum(d);
	n->next = u->nodes;
	u->nodes = n;
	u->nodes_n++;
}

/* --- what the loop calls --- */

static bool concerns_us(const char *subsystem)
{
	size_t i;

	for (i = 0; subsystem && i < ARRAY_SIZE(subsystems); i++)
		if (!strcmp(subsystem, subsystems[i]))
			return true;
	return false;
}

struct unit *devices_update(struct guard *g, struct udev_device *d, property_fn get, void *ctx, struct disk **disk)
{
	const char *subsystem = udev_device_get_subsystem(d), *path;
	struct udev_device *root;
	struct unit *u;
	unsigned kind;
	bool first;

	*disk = NULL;
	if (!concerns_us(subsystem))
		return NULL;
	root = unit_root(g, d, &kind);
	if (!root)
		return NULL;
	path = udev_device_get_syspath(root);
	first = !find_unit(g, path);
	u = make_unit(g, path);
	if (!u)
		return NULL;
	read_seat(g, u, root);
	/* Its facts are read once: descriptors do not change while it is plugged in (a new configuration is told anew).
	 */
	if (first && kind)
		read_other(u, root, kind);
	else if (!kind && (first || (!strcmp(subsystem, "usb") && root == d)) && attribute(root, "idVendor")[0])
		read_usb(u, root); /* what is on its way out tells nothing any more */
	if (!strcmp(subsystem, "block"))
		*disk = update_block(g, u, d, get, ctx);
	else if (!strcmp(subsystem, "net"))
		u->driver_kinds |= 1u << DEVICE_KIND_NETWORK;
	else if (!strcmp(subsystem, "tty"))
		u->driver_kinds |= 1u << DEVICE_KIND_SERIAL;
	else if (strcmp(subsystem, "usb") != 0)
		update_node(u, d);
	u->device.kinds |= u->driver_kinds;
	return u;
}

static void drop_unit(struct guard *g, struct unit *gone)
{
	struct unit **at;

	for (at = &g->units; *at; at = &(*at)->next) {
		if (*at != gone)
			continue;
		if (gone->plug_told)
			tell_unplug(g, gone);
		gone->gone = true;
		judge_releases(g);
		*at = gone->next;
		g->units_n--;
		notify_forget(g->notify, &gone->device);
		unit_free(gone);
		return;
	}
}

/* A device of sysfs within a unit: a disk, a partition of one, a node. */
static bool drop_part(struct unit *u, const char *syspath)
{
	const char *name = strrchr(syspath, '/') ? strrchr(syspath, '/') + 1 : syspath;
	struct disk **d, *gone;
	struct node **n, *node;

	for (d = &u->disks; *d; d = &(*d)->next) {
		medium_gone(*d, name);
		if (strcmp((*d)->name, name) != 0)
			continue;
		gone = *d;
		*d = gone->next;
		u->disks_n--;
		disk_free(gone);
		return true;
	}
	for (n = &u->nodes; *n; n = &(*n)->next) {
		if (strcmp((*n)->name, name) != 0)
			continue;
		node = *n;
		*n = node->next;
		u->nodes_n--;
		free(node);
		return true;
	}
	return false;
}

void devices_remove(struct guard *g, const char *syspath)
{
	struct unit *u = find_unit(g, syspath), *next;
	size_t n;

	if (u) {
		drop_unit(g, u);
		return;
	}
	for (u = g->units; u; u = next) {
		next = u->next;
		n = strlen(u->path);
		if (strncmp(syspath, u->path, n) != 0 || syspath[n] != '/')
			continue;
		/* What is not on USB is nothing without its disk. */
		if (drop_part(u, syspath) && !u->device.usb && !u->disks)
			drop_unit(g, u);
	}
}

static const char *from_database(void *ctx, const char *name)
{
	return udev_device_get_property_value(ctx, name);
}

int devices_scan(struct guard *g)
{
	struct udev_enumerate *e = udev_enumerate_new(g->udev);
	struct udev_list_entry *entry;
	struct disk *disk;
	size_t i;
	int r = e ? 0 : -ENOMEM;

	for (i = 0; !r && i < ARRAY_SIZE(subsystems); i++)
		r = udev_enumerate_add_match_subsystem(e, subsystems[i]);
	if (!r)
		r = udev_enumerate_scan_devices(e);
	udev_list_entry_foreach(entry, r ? NULL : udev_enumerate_get_list_entry(e))
	{
		struct udev_device *d = udev_device_new_from_syspath(g->udev, udev_list_entry_get_name(entry));

		if (!d)
			continue; /* went meanwhile */
		devices_update(g, d, from_database, d, &disk);
		udev_device_unref(d);
	}
	udev_enumerate_unref(e);
	return r < 0 ? r : 0;
}
