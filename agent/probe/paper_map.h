/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel programs that watch over print jobs and user space share. Sizes are fixed and fields aligned, so that
 * both compilers lay them out alike. PAPER_VERSION changes with them,
 * and with the programs.
 */
#ifndef SEKISHO_PROBE_PAPER_MAP_H
#define SEKISHO_PROBE_PAPER_MAP_H

#ifdef __bpf__
typedef __u32 paper_u32;
typedef __u64 paper_u64;
#else
#include <stdint.h>
typedef uint32_t paper_u32;
typedef uint64_t paper_u64;
#endif

#define PAPER_VERSION 1u
#define PAPER_WATCHED_MAX 4096u       /* a process has the place of its number's last twelve bits */
#define PAPER_SOCKET "cups/cups.sock" /* how the path of CUPS's socket ends */
#define PAPER_SOCKET_MAX 108
#define PAPER_ARGS_MAX 1024
#define PAPER_RING_BYTES (256u << 10)

enum { PAPER_ENDED = 1, PAPER_CAME = 2 };

/* One page of counters and settings, that user space maps. */
struct paper_control {
	paper_u32 version;
	paper_u32 spare;
	paper_u64 lost; /* events that did not fit into the ring */
};

struct paper_event {
	paper_u32 what; /* PAPER_* */
	paper_u32 pid;  /* of the process, as the initial namespace has it */
	paper_u64 boot_ns, start_boot_ns;
	/* PAPER_ENDED: as wait(2) has it. */
	paper_u32 status;
	/* PAPER_CAME: who connects to CUPS. */
	paper_u32 uid;
	char comm[16];
	paper_u32 args_n; /* bytes of args: strings, each with its NUL; cut where that many are there */
	paper_u32 loginuid;
	char args[PAPER_ARGS_MAX];
};

#endif
