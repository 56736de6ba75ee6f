/*
 * Makes a decision so, by every means that there is: the gate, the read-only flag of the disk, the authorization of
 * interfaces, and what is mounted. Called by judge.c alone, before anything is told.
 *
 * What holds comes before what gives; a means that fails is logged, and never keeps the next one from holding. Nothing
 * is granted here that was not decided for this very device: a grant names the generation that the kernel gave it.
 */
#include "agent/guard/guard.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define RESTARTS_MAX 3u /* of one device while it is plugged in: then it stays out */
#define SETTLE_US 500000
#define HELD_PATH \
	"/run/sekisho/held-" /* and the name of an interface in sysfs: packaging/release-devices gives it back */

static struct log_limit limit = LOG_LIMIT(20);

static void complain(const char *what, const char *name, int r)
{
	char shown[96];

	if (log_allowed(&limit))
		log_warning("%s: %s: %s", text_escape_to(shown, sizeof(shown), SPAN_STR(name)), what, strerror(-r));
}

/* What is really to be so: in a policy that only notes nothing is held. */
static unsigned wanted(const struct decision *d)
{
	return d->note ? ACCESS_READ_WRITE : d->access;
}

static int write_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* --- disks --- */

/* A card's own switch, where there is one: the driver then refuses to write. */
static void set_card(const struct disk *d, bool ro)
{
	char path[DISK_NAME_SIZE + 64];

	snprintf(path, sizeof(path), "/sys/block/%s/force_ro", d->name);
	if (access(path, F_OK) == 0)
		write_file(path, ro ? "1" : "0");
}

/* The flag of the whole disk: since Linux 5.12 its partitions follow, also those that come later. */
static int set_flag(const struct disk *d, bool ro)
{
	char path[DISK_NAME_SIZE + 8];
	_cleanup_close_ int fd = -1;
	int value = ro, is = 0;
	struct stat st;

	snprintf(path, sizeof(path), "/dev/%s", d->name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOMEDIUM || errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) || !S_ISBLK(st.st_mode) || st.st_rdev != d->dev)
		return -ESTALE;
	if (ioctl(fd, BLKROSET, &value) || ioctl(fd, BLKROGET, &is))
		return -errno;
	/* The medium's own switch cannot be overruled: that is no failure. */
	return ro && !is ? -EPERM : 0;
}

void say_changed(const char *name)
{
	char path[DISK_NAME_SIZE + 64];

	snprintf(path, sizeof(path), "/sys/class/block/%s/uevent", name);
	write_file(path, "change");
}

static void open_disk(struct guard *g, struct disk *d)
{
	int r = 0;

	if (g->gate)
		r = gate_grant(g->gate, GATE_BLOCK, d->dev, d->generation, GATE_GRANTED);
	if (r == V_AGAIN) {
		/* Another medium by now: its own event is on its way, and it is held. */
		d->forced = ACCESS_READ_ONLY;
		return;
	}
	if (r < 0)
		complain("the gate cannot be opened", d->name, r);
	set_card(d, false);
	r = set_flag(d, false);
	if (r)
		complain("the read-only flag cannot be cleared", d->name, r);
}

/* Whatever is in use is closed: mounts, or else the device itself. */
static void close_disk(struct guard *g, struct unit *u, struct disk *d, unsigned access, bool was_open)
{
	bool closed;
	int r = g->gate ? gate_hold(g->gate, GATE_BLOCK, d->dev, GATE_HELD_WRITE) : 0;

	if (r)
		complain("the gate cannot be closed", d->name, r);
	closed = mounts_close(d, access == ACCESS_DENY);
	r = set_flag(d, true);
	if (r)
		complain("the read-only flag cannot be set", d->name, r);
	set_card(d, true);
	if (access == ACCESS_DENY && g->gate)
		gate_hold(g->gate, GATE_BLOCK, d->dev, GATE_HELD_ALL);
	d->closed_boot_us = clock_boot_us();
	/* Who has it open is found out beside the loop; where that cannot be, it may be anybody. */
	if (was_open && (!closed || openers_look(g, d)))
		force_restart(g, u);
}

void force_medium(struct guard *g, const struct disk *d)
{
	struct gate_entry e;

	/* Nothing to do where it is the one that was decided: its event was quicker than the kernel's word. */
	if (gate_look(g->gate, GATE_BLOCK, d->dev, &e) || e.generation == d->generation)
		return;
	set_flag(d, true);
	set_card(d, true);
}

void force_disk(struct guard *g, struct unit *u, struct disk *d)
{
	unsigned want = wanted(&d->decided), was = d->forced;

	if (was == want && d->forced_generation == d->generation)
		return;
	d->forced = want;
	d->forced_generation = d->generation;
	if (want == ACCESS_READ_WRITE)
		open_disk(g, d);
	else
		close_disk(g, u, d, want, was == ACCESS_READ_WRITE || !was);
	if (!was || was == d->forced)
		return;       /* its first event is being processed: who hears of it hears how it is */
	say_changed(d->name); /* whoever keeps what udev said of it (udisks) looks again */
	if (d->forced == ACCESS_READ_WRITE)
		mounts_open(d);
}

/* --- pass-through --- */

static bool all_writable(const struct unit *u)
{
	const struct disk *d;
	unsigned kind;

	for (d = u->disks; d; d = d->next)
		if (d->forced != ACCESS_READ_WRITE)
			return false;
	for (kind = 1; kind < DEVICE_KINDS; kind++)
		if (u->device.kinds >> kind & 1 && wanted(&u->decided[kind]) != ACCESS_READ_WRITE &&
			!(u->disks && kind == DEVICE_KIND_STORAGE))
			return false;
	return true;
}

static unsigned force_node(struct guard *g, dev_t dev, unsigned was, unsigned want)
{
	struct gate_entry e;
	int r;

	if (!g->gate || was == want || gate_look(g->gate, GATE_CHAR, dev, &e))
		return was;
	r = want == GATE_GRANTED ? gate_grant(g->gate, GATE_CHAR, dev, e.generation, want)
				 : gate_hold(g->gate, GATE_CHAR, dev, want);
	return r ? was : want;
}

/* Commands that go past the disk write as well: they are let through where all of the device may be written. */
void force_nodes(struct guard *g, struct unit *u)
{
	bool open = all_writable(u);
	struct node *n;

	for (n = u->nodes; n; n = n->next)
		n->forced = force_node(g, n->dev, n->forced, open ? GATE_GRANTED : GATE_HELD_ALL);
	if (u->usbfs)
		u->usbfs_forced = force_node(g, u->usbfs, u->usbfs_forced, open ? GATE_GRANTED : GATE_HELD_WRITE);
}

/* --- interfaces --- */

/* May this interface have its driver? By the kinds that all of its alternate settings stand for. */
static bool interface_allowed(const struct unit *u, unsigned number)
{
	uint64_t kinds = 0;
	unsigned i, kind;

	for (i = 0; i < u->device.interfaces_n; i++) {
		const struct device_interface *f = &u->device.interface[i];

		if (f->number != number)
			continue;
		kinds |= device_kinds_of(f);
		/* The data of a network or modem goes where the interface that describes it goes: drivers take either.
		 */
		if (f->class == 0x0a)
			kinds |= u->device.kinds & (1u << DEVICE_KIND_NETWORK | 1u << DEVICE_KIND_SERIAL);
		/* What its driver, or the device itself, made of a vendor's own interface. */
		if (f->class == 0xff)
			kinds |= u->driver_kinds | (u->device.kinds & 1u << DEVICE_KIND_PHONE);
	}
	for (kind = 1; kind < DEVICE_KINDS; kind++)
		if (kinds >> kind & 1 && wanted(&u->decided[kind]) == ACCESS_DENY)
			return false;
	return true;
}

/*
 * That an interface is held by us, and not by somebody else's rule: what is removed with us gives back no other (those
 * that udev's rule took first are marked there).
 */
static void mark_held(const char *name, bool held)
{
	char path[PATH_MAX], mark[UNIT_PATH_SIZE + sizeof(HELD_PATH)];
	int fd;

	snprintf(mark, sizeof(mark), HELD_PATH "%s", name);
	if (agent_path(path, sizeof(path), mark))
		return;
	if (!held) {
		unlink(path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		complain("what is held could not be noted: it is given back when it is plugged in anew", name, -errno);
	else
		close(fd);
}

/* True where it may have a driver from now on. */
static bool force_interface(struct unit *u, const char *name, unsigned number)
{
	char path[2 * UNIT_PATH_SIZE], now = 0;
	bool allowed = interface_allowed(u, number);
	_cleanup_close_ int fd = -1;
	int r;

	snprintf(path, sizeof(path), "%s/%s/authorized", u->path, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, &now, 1) != 1)
		return false;
	if ((now == '1') == allowed) {
		/* What was held here before may be another device by now. */
		if (allowed)
			mark_held(name, false);
		return false;
	}
	r = write_file(path, allowed ? "1" : "0");
	if (r)
		complain("the interface cannot be authorized or held", name, r);
	else
		mark_held(name, !allowed);
	return !r && allowed;
}

static bool find_driver(struct unit *u, const char *name, unsigned number)
{
	if (!interface_allowed(u, number))
		return false;
	write_file("/sys/bus/usb/drivers_probe", name);
	return true;
}

/* Calls `fn` for each interface of the device, and says whether it was true for any. */
static bool each_interface(struct unit *u, bool (*fn)(struct unit *u, const char *name, unsigned number))
{
	_cleanup_closedir_ DIR *dir = opendir(u->path);
	const char *port = strrchr(u->path, '/') + 1;
	size_t n = strlen(port);
	unsigned configuration, number;
	struct dirent *e;
	bool any = false;
	int end;

	while (dir && (e = readdir(dir))) {
		if (strncmp(e->d_name, port, n) != 0 || e->d_name[n] != ':')
			continue;
		end = 0;
		if (sscanf(e->d_name + n + 1, "%u.%u%n", &configuration, &number, &end) == 2 && !e->d_name[n + 1 + end])
			any |= fn(u, e->d_name, number);
	}
	return any;
}

void force_interfaces(struct guard *g, struct unit *u)
{
	(void)g;
	if (!u->device.usb || u->root_hub || u->own || !strchr(u->path, '/'))
		return;
	/*
	 * Authorized alone gives it no driver (Documentation/usb/authorization.rst); and the driver of a modem or
	 * network takes two interfaces, of which the kernel refuses it the one that is not authorized yet: first all of
	 * them.
	 */
	if (each_interface(u, force_interface))
		each_interface(u, find_driver);
}

void force_restart(struct guard *g, struct unit *u)
{
	char path[UNIT_PATH_SIZE + 16];
	int r;

	if (u->own)
		return;
	if (!u->device.usb) {
		complain("in use, and cannot be pulled: writes to it are refused and told", u->path, -EBUSY);
		return;
	}
	snprintf(path, sizeof(path), "%s/authorized", u->path);
	r = write_file(path, "0");
	if (r) {
		complain("in use, and cannot be deauthorized", u->path, r);
		return;
	}
	log_notice("device %u was in use when it was to be held: pulled", u->id);
	if (++u->restarts > RESTARTS_MAX) {
		tell_release(
			g, KIND_DECISION, u, "pulled", ACCESS_DENY, 0, "was written to again and again while held");
		return;
	}
	/* It comes back as if it were plugged in now: held from its first moment. */
	r = write_file(path, "1");
	if (r)
		complain("cannot be authorized again: plug it in anew", u->path, r);
}
