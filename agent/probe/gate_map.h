/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the gate's kernel programs and user space share. Sizes are fixed and fields aligned, so that both compilers lay
 * them out alike. GATE_VERSION changes with them.
 */
#ifndef SEKISHO_PROBE_GATE_MAP_H
#define SEKISHO_PROBE_GATE_MAP_H

#ifdef __bpf__
typedef __u32 gate_u32;
typedef __u64 gate_u64;
#else
#include <stdint.h>
typedef uint32_t gate_u32;
typedef uint64_t gate_u64;
#endif

#define GATE_VERSION 2u
#define GATE_DEVICES_MAX 8192u
#define GATE_RING_BYTES (256u << 10)
#define GATE_PATH_MAX 512u
#define GATE_NAME_MAX 32u                /* of a block device, as super_block.s_id has it */
#define GATE_TELL_EVERY_NS 1000000000ull /* of one kind, by one process, on one device */

enum { GATE_BLOCK = 1, GATE_CHAR = 2 };

/* How a device is held. Everything above GATE_HELD_ALL lets something through. */
enum {
	GATE_HELD_ALL = 1,   /* no open at all: sg, bsg, tapes, denied disks */
	GATE_HELD_WRITE = 2, /* reading only */
	GATE_GRANTED = 3,    /* by the guard */
	GATE_OWN = 4,        /* the PC's own disk: never held */
};

/* Why the kernel looks at it: where it hangs, and what it is. */
enum {
	GATE_ON_USB = 1 << 0,
	GATE_ON_CARD = 1 << 1,     /* mmc, memstick */
	GATE_ON_EXTERNAL = 1 << 2, /* external PCI (Thunderbolt), FireWire */
	GATE_OPTICAL = 1 << 3,
	GATE_PASS_THROUGH = 1 << 4, /* sg, bsg, tape, usbfs */
	GATE_PARTITION = 1 << 5,    /* `whole` is another device */
	GATE_BY_STOCK = 1 << 6,     /* was there when the gate was loaded */
	GATE_BY_GUARD = 1 << 7,     /* held by the guard, not by the kernel's own look */
};

struct gate_key {
	gate_u32 type; /* GATE_BLOCK, GATE_CHAR */
	gate_u32 dev;  /* major << 20 | minor, as the kernel has it */
};

struct gate_entry {
	gate_u32 state;
	gate_u32 flags;
	gate_u32 whole; /* of a partition: dev of its disk, whose state counts */
	gate_u32 spare;
	gate_u64 generation; /* another one for every device and every medium; grants name it */
};

/*
 * What the guard decided of a device: counts as long as the device is the one of that generation, instead of what the
 * kernel thought itself.
 */
struct gate_verdict {
	gate_u64 generation;
	gate_u32 state;
	gate_u32 spare;
};

/* How the gate was loaded. */
struct gate_control {
	gate_u32 version, layers, dry_run;
	gate_u32 pin;    /* inode of this page where it is pinned; 0: the loader did not say */
	gate_u64 denied; /* since the gate was loaded, also what was not told one by one */
};

/* Who may set flags and remount: the guard. And what its policy asks for beside devices. */
struct gate_exempt {
	gate_u32 tgid;
	gate_u32 no_overlays; /* 1: nobody mounts an overlay in a user namespace of his own */
	gate_u64 start_boot_ns;
};

/* What was told lately, so that a program that tries in a loop fills no spool: see gate_rest. */
#define GATE_TOLD_MAX 1024
struct gate_told_key {
	gate_u32 tgid, dev, kind, op;
};
struct gate_told {
	gate_u64 at_ns, more; /* when it was told; how many came since that were not */
	gate_u64 start_boot_ns, cgroup;
	gate_u32 flags, type, whole, tid, uid, loginuid;
	char comm[16];
};

/* By the canary only: what a held device must refuse. */
#define GATE_CANARY_IOCTL 0x5347u

enum {
	GATE_EVENT_DENIED_OPEN = 1,
	GATE_EVENT_DENIED_IOCTL = 2,
	GATE_EVENT_DENIED_MOUNT = 3,
	GATE_EVENT_WRITE_SEEN = 4,     /* a write bio for a held device */
	GATE_EVENT_REFUSED = 5,        /* a read-only file system said no: `path` as the caller wrote it */
	GATE_EVENT_MEDIUM_CHANGED = 6, /* a grant ended in the kernel */
	GATE_EVENT_DENIED_OVERLAY = 7, /* about no device: see no_overlays */
};

enum { GATE_EVENT_DRY_RUN = 1 << 0 /* would have been denied */ };

struct gate_event {
	gate_u32 kind, flags;
	gate_u32 type, dev, whole;
	gate_u32 pid, tid, uid;
	gate_u32 loginuid, op; /* op: ioctl command, open access, bio operation */
	gate_u64 boot_ns;
	gate_u64 start_boot_ns; /* of the process */
	gate_u64 cgroup;
	gate_u64 count; /* how many like it this one stands for */
	char comm[16];
	char path[GATE_PATH_MAX]; /* where known, ended by NUL */
};

#endif
