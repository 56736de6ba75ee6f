/* Device classes from a sysfs and a mountinfo made for the test. */
#include "agent/recorder/devices.h"
#include "policy/base/file.h"
#include "policy/wire/record.h"
#include "tests/unit/cm.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static char root[64], sys[80], mountinfo[80];

static void put(const char *name, const char *text)
{
	char path[512], *slash;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	slash = strrchr(path, '/');
	*slash = 0;
	assert_int_equal(dir_make(path, 0755), 0);
	*slash = '/';
	assert_int_equal(file_replace_volatile(path, SPAN_STR(text), 0644), 0);
}

/* A disk at `where` below sys/devices, with its number. */
static void disk(const char *number, const char *where, const char *removable)
{
	char path[512], target[512];

	snprintf(path, sizeof(path), "sys/devices/%s/dev", where);
	put(path, number);
	snprintf(path, sizeof(path), "sys/devices/%s/removable", where);
	put(path, removable);
	snprintf(path, sizeof(path), "%s/sys/dev/block/%s", root, number);
	snprintf(target, sizeof(target), "../../devices/%s", where);
	assert_int_equal(symlink(target, path), 0);
}

static void partition(const char *number, const char *where)
{
	char path[512];

	disk(number, where, "0");
	snprintf(path, sizeof(path), "%s/sys/devices/%s/removable", root, where);
	unlink(path);
	snprintf(path, sizeof(path), "sys/devices/%s/partition", where);
	put(path, "1\n");
}

static void slave(const char *of, const char *where)
{
	char path[512], target[600], name[64];

	snprintf(path, sizeof(path), "%s/sys/devices/%s/slaves", root, of);
	assert_int_equal(dir_make(path, 0755), 0);
	snprintf(name, sizeof(name), "%s", strrchr(where, '/') + 1);
	snprintf(target, sizeof(target), "%s/sys/devices/%s", root, where);
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s", name);
	assert_int_equal(symlink(target, path), 0);
}

#define SATA "pci0000:00/ata1/host0/target0/block/sda"
#define STICK "pci0000:00/usb1/1-2/host6/target6/block/sdb"
#define DM0 "virtual/block/dm-0"
#define DM1 "virtual/block/dm-1"

static int setup(void **state)
{
	char path[128];

	(void)state;
	snprintf(root, sizeof(root), "/tmp/sekisho-devices-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(sys, sizeof(sys), "%s/sys", root);
	snprintf(mountinfo, sizeof(mountinfo), "%s/mountinfo", root);
	snprintf(path, sizeof(path), "%s/dev/block", sys);
	if (dir_make(path, 0755))
		return -1;
	disk("8:0", SATA, "0");
	partition("8:1", SATA "/sda1");
	disk("8:16", STICK, "1");
	partition("8:17", STICK "/sdb1");
	disk("253:0", DM0, "0");
	slave(DM0, SATA "/sda1");
	disk("253:1", DM1, "0");
	slave(DM1, DM0);
	slave(DM1, STICK "/sdb1");
	disk("7:0", "virtual/block/loop0", "0");
	put("sys/devices/virtual/block/loop0/loop/backing_file", "/media/stick/image\n");
	disk("7:1", "virtual/block/loop1", "0");
	put("sys/devices/virtual/block/loop1/loop/backing_file", "/media/sticky\n");
	disk("11:0", "pci0000:00/ata2/host1/block/sr0", "1");
	disk("43:0", "virtual/block/nbd0", "0");
	disk("252:0", "virtual/block/zram0", "0");
	disk("179:0", "platform/mmc0/mmc0:1/block/mmcblk0", "0");
	put("sys/devices/platform/mmc0/mmc0:1/block/mmcblk0/device/type", "SD\n");
	disk("259:0", "pci0000:00/0000:07:00.0/nvme/nvme0/nvme0n1", "0");
	put("sys/devices/pci0000:00/0000:07:00.0/removable", "removable\n");
	put("mountinfo", "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
			 "27 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
			 "28 27 0:40 / /tmp rw shared:1 - tmpfs tmpfs rw\n"
			 "29 27 0:41 / /srv/a\\040b rw master:2 - nfs4 server:/x rw\n"
			 "30 27 8:17 / /media/stick rw - vfat /dev/sdb1 rw\n"
			 "31 27 0:42 / /mnt rw - fuse.sshfs me@host:/ rw\n"
			 "a line of another kind\n");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static unsigned class_of(struct devices *d, unsigned major, unsigned minor)
{
	return devices_get(d, makedev(major, minor), NULL)->class;
}

static void block_devices_by_their_place(void **state)
{
	struct devices *d;

	(void)state;
	assert_int_equal(devices_new(sys, mountinfo, &d), 0);
	assert_int_equal(class_of(d, 8, 0), CLASS_FIXED);
	assert_int_equal(class_of(d, 8, 1), CLASS_FIXED);
	assert_int_equal(class_of(d, 8, 16), CLASS_USB);
	assert_int_equal(class_of(d, 8, 17), CLASS_USB);
	assert_int_equal(class_of(d, 11, 0), CLASS_REMOVABLE);
	assert_int_equal(class_of(d, 43, 0), CLASS_NETWORK);
	assert_int_equal(class_of(d, 252, 0), CLASS_MEMORY);
	assert_int_equal(class_of(d, 179, 0), CLASS_REMOVABLE);
	assert_int_equal(class_of(d, 259, 0), CLASS_REMOVABLE);
	assert_int_equal(class_of(d, 99, 9), CLASS_OTHER);
	devices_free(d);
}

static void drive_is(struct devices *d, unsigned major, unsigned minor, const char *id, const char *maker,
	const char *product, const char *serial)
{
	struct devices_drive got;

	devices_drive(devices_get(d, makedev(major, minor), NULL)->drive, &got);
	assert_string_equal(got.usb_id, id);
	assert_string_equal(got.maker, maker);
	assert_string_equal(got.product, product);
	assert_string_equal(got.serial, serial);
}

/* By what the device above the disk says of itself, and none where there is no drive. */
static void a_drive_says_which_it_is(void **state)
{
	struct devices *d;
	char serial[200], name[64];
	unsigned i;

	(void)state;
	put("sys/devices/pci0000:00/usb1/idVendor", "1d6b\n");
	put("sys/devices/pci0000:00/usb1/idProduct", "0002\n");
	put("sys/devices/pci0000:00/usb1/serial", "of the hub\n");
	put("sys/devices/pci0000:00/usb1/1-2/idVendor", "0951\n");
	put("sys/devices/pci0000:00/usb1/1-2/idProduct", "1666\n");
	put("sys/devices/pci0000:00/usb1/1-2/manufacturer", "Kingston\n");
	put("sys/devices/pci0000:00/usb1/1-2/product", "DataTraveler\n");
	put("sys/devices/pci0000:00/usb1/1-2/serial", "  60A4 4C \n");
	put("sys/devices/platform/mmc0/mmc0:1/block/mmcblk0/device/cid", "1b534d\n");
	put("sys/devices/platform/mmc0/mmc0:1/block/mmcblk0/device/name", "EB1QT\n");
	put("sys/devices/platform/mmc0/mmc0:1/block/mmcblk0/device/manfid", "0x00001b\n");
	assert_int_equal(devices_new(sys, mountinfo, &d), 0);
	for (i = 0; i < 2; i++) {
		drive_is(d, 8, 17, "0951:1666", "Kingston", "DataTraveler", "60A4 4C");
		drive_is(d, 179, 0, "", "0x00001b", "EB1QT", "1b534d");
		drive_is(d, 8, 1, "", "", "", "");
		/* a container on the stick, and one on the PC's own disk */
		drive_is(d, 253, 1, "0951:1666", "Kingston", "DataTraveler", "60A4 4C");
		drive_is(d, 253, 0, "", "", "", "");
		assert_int_equal(devices_refresh(d, NULL, NULL), 0);
	}
	/* nothing that it says is too long, and more than are kept have none */
	memset(serial, 'x', sizeof(serial) - 1);
	serial[sizeof(serial) - 1] = 0;
	put("sys/devices/pci0000:00/usb1/1-2/serial", serial);
	assert_int_equal(devices_refresh(d, NULL, NULL), 0);
	serial[127] = 0;
	drive_is(d, 8, 17, "0951:1666", "Kingston", "DataTraveler", serial);
	for (i = 0; i < DEVICES_DRIVES_MAX + 5; i++) {
		snprintf(name, sizeof(name), "S%u", i);
		put("sys/devices/pci0000:00/usb1/1-2/serial", name);
		snprintf(name, sizeof(name), "8:%u", 100 + i);
		disk(name, "pci0000:00/usb1/1-2/host6/target6/block/sdc", "1");
		assert_int_equal(devices_get(d, makedev(8, 100 + i), NULL)->class, CLASS_USB);
	}
	drive_is(d, 8, 100 + DEVICES_DRIVES_MAX + 4, "", "", "", "");
	/* one drive with as many numbers is one */
	put("sys/devices/pci0000:00/usb1/1-2/serial", "S0");
	assert_int_equal(devices_refresh(d, NULL, NULL), 0);
	for (i = 0; i < DEVICES_DRIVES_MAX + 5; i++)
		drive_is(d, 8, 100 + i, "0951:1666", "Kingston", "DataTraveler", "S0");
	put("sys/devices/pci0000:00/usb1/1-2/serial", "60A4\n");
	devices_free(d);
}

static void a_stack_is_as_its_most_portable_part(void **state)
{
	struct devices *d;

	(void)state;
	assert_int_equal(devices_new(sys, mountinfo, &d), 0);
	assert_int_equal(class_of(d, 253, 0), CLASS_FIXED);
	assert_int_equal(class_of(d, 253, 1), CLASS_USB);
	assert_int_equal(class_of(d, 7, 0), CLASS_USB);
	assert_int_equal(class_of(d, 7, 1), CLASS_FIXED);
	devices_free(d);
}

struct seen {
	unsigned n;
	bool network_by_name;
};

static void count(void *ctx, const struct mount_entry *m)
{
	struct seen *s = ctx;

	s->n++;
	if (strcmp(m->point, "/srv/a b") == 0 && m->device->class == CLASS_NETWORK && strcmp(m->fs, "nfs4") == 0)
		s->network_by_name = true;
}

static void mounts_tell_of_file_systems(void **state)
{
	struct devices *d;
	struct seen seen = {0};

	(void)state;
	assert_int_equal(devices_new(sys, mountinfo, &d), 0);
	assert_int_equal(devices_refresh(d, count, &seen), 0);
	assert_int_equal(seen.n, 6);
	assert_true(seen.network_by_name);
	assert_int_equal(class_of(d, 0, 40), CLASS_MEMORY);
	assert_int_equal(class_of(d, 0, 41), CLASS_NETWORK);
	assert_int_equal(class_of(d, 0, 42), CLASS_NETWORK);
	assert_int_equal(class_of(d, 8, 17), CLASS_USB);
	assert_string_equal(devices_get(d, makedev(8, 17), NULL)->fs, "vfat");
	assert_int_equal(devices_kept(d), 6);
	devices_free(d);
}

static unsigned class_at(struct devices *d, const char *path)
{
	const struct disk *at = devices_at(d, SPAN_STR(path));

	return at ? at->class : 0;
}

static void a_name_tells_where_it_lies(void **state)
{
	struct devices *d;

	(void)state;
	assert_int_equal(devices_new(sys, mountinfo, &d), 0);
	assert_int_equal(class_at(d, "/srv/a b/c"), 0); /* nothing was read yet */
	assert_int_equal(devices_refresh(d, NULL, NULL), 0);
	assert_int_equal(class_at(d, "/srv/a b/c"), CLASS_NETWORK);
	assert_int_equal(class_at(d, "/srv/a b"), CLASS_NETWORK);
	assert_int_not_equal(class_at(d, "/srv/a b2"), CLASS_NETWORK);
	assert_int_equal(class_at(d, "relative"), 0);
	assert_int_equal(class_at(d, ""), 0);
	devices_free(d);
}

static void a_number_used_again_is_read_again(void **state)
{
	struct devices *d;
	char path[256];

	(void)state;
	assert_int_equal(devices_new(sys, mountinfo, &d), 0);
	assert_int_equal(class_of(d, 8, 16), CLASS_USB);
	snprintf(path, sizeof(path), "%s/dev/block/8:16", sys);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("../../devices/" SATA, path), 0);
	assert_int_equal(class_of(d, 8, 16), CLASS_USB);
	assert_int_equal(devices_refresh(d, NULL, NULL), 0);
	assert_int_equal(class_of(d, 8, 16), CLASS_FIXED);
	devices_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(block_devices_by_their_place, setup, teardown),
		cmocka_unit_test_setup_teardown(a_drive_says_which_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stack_is_as_its_most_portable_part, setup, teardown),
		cmocka_unit_test_setup_teardown(mounts_tell_of_file_systems, setup, teardown),
		cmocka_unit_test_setup_teardown(a_name_tells_where_it_lies, setup, teardown),
		cmocka_unit_test_setup_teardown(a_number_used_again_is_read_again, setup, teardown),
	};

	return cmocka_run_group_tests_name("recorder/devices", tests, NULL, NULL);
}
