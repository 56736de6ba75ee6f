/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel programs that protect the agent itself and user space share. Sizes are fixed and fields aligned, so
 * that both compilers lay them out alike. SHIELD_VERSION changes with them.
 */
#ifndef SEKISHO_PROBE_SHIELD_MAP_H
#define SEKISHO_PROBE_SHIELD_MAP_H

#ifdef __bpf__
typedef __u32 shield_u32;
typedef __u64 shield_u64;
#else
#include <stdint.h>
typedef uint32_t shield_u32;
typedef uint64_t shield_u64;
#endif

#define SHIELD_VERSION 2u
#define SHIELD_FILES_MAX 2048
#define SHIELD_OBJECTS_MAX 1024
#define SHIELD_RING_BYTES (64u << 10)
#define SHIELD_NAME_SIZE 64
#define SHIELD_TICK_NS 10000000 /* USER_HZ is 100 wherever this runs */
#define SHIELD_DEPTH_MAX 24     /* ancestors of a process that are looked at */

enum { SHIELD_OFF = 0, SHIELD_NOTE = 1, SHIELD_REFUSE = 2 };

/* An inode; `dev` as the kernel has it, major << 20 | minor. */
struct shield_key {
	shield_u32 dev, spare;
	shield_u64 ino;
};

/* What an inode is to us. */
enum {
	SHIELD_FILE = 1 << 0,    /* is not removed, renamed, written to, or given other attributes */
	SHIELD_PLACE = 1 << 1,   /* a folder: nothing is mounted upon it, nor it itself unmounted */
	SHIELD_PROGRAM = 1 << 2, /* who runs it, with no login, is one of our processes */
	SHIELD_FOLDER = 1 << 3,  /* a folder that has nothing but ours: is not removed or renamed, nor mounted upon */
	SHIELD_KEY = 1 << 4,     /* what enrolment writes: programs of ours may, whoever runs them */
	SHIELD_CTL = 1 << 5,     /* the program that enrols */
};

/* Kernel objects by the kernel's ids, which are not used again while the PC is up. */
enum { SHIELD_MAP = 1, SHIELD_PROG = 2, SHIELD_LINK = 3 };
struct shield_object {
	shield_u32 kind, id;
};

/* The one page of settings. */
struct shield_control {
	shield_u32 version, mode;
	/* By the clock that stands still while the PC sleeps: nothing is refused from then on, as the guard has not
	 * been there for that long. */
	shield_u64 lease_awake_ns;
	/* The window of the package manager: the process with its descendants, until then. 0: none. */
	shield_u64 open_boot_ns, open_start; /* when it started, in SHIELD_TICK_NS: field 22 of /proc/PID/stat */
	shield_u32 open_pid;
	shield_u32 prover; /* what this process tries with `pin` is refused, counted in `proofs`, and not told */
	shield_u64 proofs;
	shield_u64 known; /* of those, by a process that is known as a service of ours */
	struct shield_key pin;
	shield_u32 mnt_ns; /* the PC's own mount namespace: others hide nothing from us */
	shield_u32 spare;
};

/* What was refused. */
enum {
	SHIELD_UNLINK = 1,
	SHIELD_RENAME,
	SHIELD_SETATTR,
	SHIELD_MOUNT,
	SHIELD_UMOUNT,
	SHIELD_SIGNAL,
	SHIELD_PTRACE,
	SHIELD_LIMIT,
	SHIELD_CGROUP,
	SHIELD_DETACH,
	SHIELD_OBJECT,
};

struct shield_event {
	shield_u64 boot_ns, start_boot_ns;
	shield_u32 pid, uid, loginuid;
	shield_u32 what;           /* SHIELD_UNLINK, ... */
	struct shield_key key;     /* of a file or folder */
	shield_u32 target, detail; /* process, or kernel object; signal, or the object's kind */
	shield_u32 let;            /* SHIELD_NOTE: told, and let through */
	shield_u32 spare;
	char comm[16];
	char name[SHIELD_NAME_SIZE]; /* of the file; of cgroups the folder's; of processes theirs */
};

#endif
