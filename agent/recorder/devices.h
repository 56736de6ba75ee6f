/*
 * What a device number is: fixed disk, USB, other removable, network, memory. Read from sysfs and mountinfo, cached,
 * forgotten whenever something is mounted or unmounted: numbers are used again for other sticks.
 */
#ifndef SEKISHO_RECORDER_DEVICES_H
#define SEKISHO_RECORDER_DEVICES_H

#include "policy/base/buf.h"
#include <sys/types.h>

#define DEVICES_MAX 1024u        /* numbers kept */
#define DEVICES_FS_SIZE 32       /* name of a file system type */
#define DEVICES_DRIVES_MAX 64u   /* removable ones whose names are kept; more have a class, and no name */
#define DEVICES_STACK 8u         /* dm on md on loop on ...: looked through this deep */
#define DEVICES_POINTS_MAX 1024u /* mount points kept for devices_at */
#define DEVICES_MOUNTINFO_MAX (4u << 20)

struct devices;

/* `sys` and `mountinfo` are "/sys" and "/proc/self/mountinfo" but in tests; borrowed. 0, -errno. */
int devices_new(const char *sys, const char *mountinfo, struct devices **out);
void devices_free(struct devices *d);

struct disk {
	unsigned class;           /* CLASS_* */
	char fs[DEVICES_FS_SIZE]; /* empty where no mount tells */
	/* Which drive it is, of CLASS_USB and CLASS_REMOVABLE; n 0: unknown. Valid until the next refresh. */
	struct span drive;
};

/* What a drive says of itself, as the guard's records have it. Empty strings: it does not say. */
struct devices_drive {
	const char *usb_id; /* "0951:1666" */
	const char *maker, *product, *serial;
};

/* Takes a drive apart; borrows from `drive`. All are empty where n is 0. */
void devices_drive(struct span drive, struct devices_drive *out);

/* A mount as mountinfo has it; spans are valid during the call. */
struct mount_entry {
	dev_t dev;
	const char *part; /* name of what is mounted, in its file system: "/" is all of it */
	const char *point, *fs, *source;
	const struct disk *device;
};
typedef void (*mount_fn)(void *ctx, const struct mount_entry *m);

/* Forgets all and reads mountinfo anew; tells each mount (`fn` may be NULL). 0; V_FULL where not all was kept; -errno.
 */
int devices_refresh(struct devices *d, mount_fn fn, void *ctx);

/* The device; `fs` (may be NULL) is the type's name where the caller knows it. Never fails: CLASS_OTHER at worst. */
const struct disk *devices_get(struct devices *d, dev_t dev, const char *fs);

/*
 * The device that a path of the host's lies on, by the names of mount points alone: for what is told by name, where the
 * kernel did not say the device. NULL where nobody knows (no absolute path, more mounts than are kept).
 */
const struct disk *devices_at(struct devices *d, struct span path);

/* How many numbers did not fit, since the start; and how many are kept now. */
uint64_t devices_evicted(const struct devices *d);
unsigned devices_kept(const struct devices *d);

/* A view into the kernel rather than a place for files: nobody asks when these were mounted. */
bool devices_is_view(const char *fs);

/* CLASS_* of a file system by its type alone, 0 where the block device below it decides. */
unsigned devices_class_of_fs(const char *fs);

#endif
