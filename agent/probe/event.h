/*
 * What the kernel programs tell user space: one event per thing that happened, in a ring buffer. Included by the BPF
 * programs and by the recorder, so: fixed-width integers only, no pointers, no padding that is not named.
 *
 * An event is a head and, behind it, its strings, one behind the other, in the order of the lengths. kind, flags and
 * cause are the numbers of the record table (policy/wire/enums.def, record.h).
 */
#ifndef SEKISHO_PROBE_EVENT_H
#define SEKISHO_PROBE_EVENT_H

#ifndef __bpf__
#include <stdint.h>
#endif

#define EVENT_VERSION 2
#define EVENT_PATH_MAX 4096 /* of one path; a longer one keeps its tail, and RF_PATH_CUT */
#define EVENT_ARGS_MAX 2048 /* of all arguments, NULs between; longer ones keep their head, and RF_ARGS_CUT */
#define EVENT_COMM 16
#define EVENT_TAIL_MAX (2 * EVENT_PATH_MAX + EVENT_ARGS_MAX + 512)

/* Strings of an event, by place. */
enum {
	EVENT_PATH = 0,    /* the object; for exec, the script where there is one */
	EVENT_PATH2 = 1,   /* new name, link target, source of a copy or mount */
	EVENT_PROGRAM = 2, /* exec, running: path of the program */
	EVENT_ARGS = 3,    /* exec, running: arguments */
	EVENT_CWD = 4,     /* exec, running: working directory */
	EVENT_FS = 5,      /* type of the file system */
	EVENT_STRINGS = 6,
};

/* What of the numbers is set (0 may be a value). */
enum {
	EH_OBJECT = 1 << 0, /* dev, inode */
	EH_MODE = 1 << 1,
	EH_OWNER = 1 << 2,
	EH_SIZE = 1 << 3,
	EH_OPEN_FLAGS = 1 << 4,
	EH_RELATIVE =
		1 << 5, /* path is "folder//rest as the caller wrote it": to be tidied, symbolic links unresolved */
	EH_RELATIVE2 = 1 << 6, /* the same for path2 */
};

struct event {
	uint32_t size;      /* of head and strings */
	uint16_t version;   /* EVENT_VERSION */
	uint16_t kind;      /* KIND_* */
	uint32_t flags;     /* RF_* */
	uint32_t has;       /* EH_* */
	uint64_t boot_ns;   /* when: CLOCK_BOOTTIME; for folded ones, the end */
	uint64_t first_ns;  /* when it began, for what lasts; else 0 */
	uint64_t start_ns;  /* of the process: with pid, its identity */
	uint64_t pstart_ns; /* of its parent */
	uint32_t pid, ppid; /* thread groups, initial namespace */
	uint32_t uid, real_uid;
	uint32_t login_uid, session; /* (uint32_t)-1: never signed in */
	uint32_t mnt_ns;             /* inode of the mount namespace */
	uint32_t dev;                /* the kernel's own encoding: major << 20 | minor */
	uint64_t inode;
	uint64_t file_size;
	uint64_t bytes_read, bytes_written;
	int32_t result;
	uint32_t mode;
	uint32_t new_uid, new_gid;
	uint32_t open_flags;
	uint32_t count;
	uint32_t exit_code, signal;
	uint32_t fs_magic;
	uint32_t how; /* KIND_COPY, KIND_FILE: by what means bytes came from another file, REASON_*; 0: none did */
	uint64_t from_inode; /* that file: of several the last one */
	uint64_t copied;     /* KIND_FILE: how many bytes of it */
	uint32_t from_dev;
	uint32_t reserved;
	char comm[EVENT_COMM];
	uint16_t len[EVENT_STRINGS]; /* without a NUL */
	uint16_t refused; /* KIND_FILE_REFUSED: KIND_* of what it would have been, or REFUSED_*; 0: an open */
	uint16_t reserved2;
};

/* What can be refused and is no kind of record: above all kinds. */
#define REFUSED_SETXATTR 254u
#define REFUSED_REMOVEXATTR 255u

#define PROBE_SKIP_PIDS_MAX 4u

/* A page that user space maps and writes: how the kernel programs behave. */
struct probe_control {
	uint32_t sleeping;    /* 1: the reader waits in poll(2), wake it with the next event */
	uint32_t active;      /* 0: nothing is recorded (before the filter is set) */
	uint64_t generation;  /* raised with each change of the filter: what was remembered of files is worth nothing */
	uint32_t level_max;   /* the highest level that the filter has anywhere */
	uint32_t level_all;   /* level of what no prefix names, in bits 0..7 */
	uint64_t hold_ns;     /* a file in use for longer than this is told about (RF_HELD_OPEN) at a sweep */
	uint64_t kinds;       /* bit per KIND_*: recorded at all */
	uint32_t version;     /* EVENT_VERSION of the programs that are loaded */
	uint32_t set;         /* PROBE_SET_* of the record table */
	uint32_t enforce;     /* ENFORCE_*: was a denied open really denied? */
	uint32_t host_mnt_ns; /* inode of the PC's own mount namespace; 0: unknown */
	uint32_t skip_pid[PROBE_SKIP_PIDS_MAX]; /* whose own use of files is left out; 0: nobody */
	uint64_t told[16];                      /* losses that a reader has been told of, by cause */
};

#define PROBE_FILES_MAX 16384u /* open files that are folded at a time */
#define PROBE_PREFIXES_MAX 4096u

/* The value of a prefix: a level; and where the filter names something in this very folder, that and the key's bits. */
#define PROBE_LEVEL_BITS 0xffu
#define PROBE_LEVEL_CLOSER 0x100u

/*
 * Where a part of a file system is mounted in the PC's own mount namespace. The key, for the kernel's longest-prefix
 * match: the file system's number, and the name that the part has in it with a slash behind ("/" is all of it). `bits`
 * is 32 and 8 times the name's length.
 */
#define PROBE_POINTS_MAX 256u
#define PROBE_PART_MAX 124u
#define PROBE_POINT_SIZE 248u
struct probe_part {
	uint32_t bits;
	uint32_t dev; /* the kernel's own encoding: major << 20 | minor */
	char path[PROBE_PART_MAX];
};
struct probe_point {
	uint32_t part_len; /* of the part's name, which gives way to the point; 0 for "/" */
	uint32_t len;      /* 0 for "/" */
	char path[PROBE_POINT_SIZE];
};

/* Losses: one counter per CPU and cause in a page that user space maps. */
#define PROBE_CPUS_MAX 512u
#define PROBE_CAUSES 16u /* CAUSE_* below this number come from the kernel */

/* A prefix of whole path components for the kernel's longest-prefix match. `bits` is 8 times the length used. */
#define PROBE_PREFIX_MAX 256
struct probe_prefix {
	uint32_t bits;
	char path[PROBE_PREFIX_MAX];
};

#endif
