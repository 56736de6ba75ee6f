/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel programs that watch over print jobs and user space share. Sizes are fixed and fields aligned, so that
 * both compilers lay them out alike. PAPER_VERSION changes with them,
 * and with the programs.
 */
#ifndef SEKISHO_PROBE_PAPER_MAP_H
#define SEKISHO_PROBE_PAPER_MAP_H

#ifdef __bpf__
typedef __u16 paper_u16;
typedef __u32 paper_u32;
typedef __u64 paper_u64;
#else
#include <stdint.h>
typedef uint16_t paper_u16;
typedef uint32_t paper_u32;
typedef uint64_t paper_u64;
#endif

#define PAPER_VERSION 5u
#define PAPER_WATCHED_MAX 4096u        /* a process has the place of its number's last twelve bits */
#define PAPER_SOCKET "cups/cups.sock"  /* how the path of CUPS's socket ends */
#define PAPER_GATE "sekisho/cups/gate" /* ... and of the one at which the gate's wrappers ask */
#define PAPER_SOCKET_MAX 108
#define PAPER_ARGS_MAX 1024
#define PAPER_RING_BYTES (512u << 10)
#define PAPER_PORTS_MAX 8
#define PAPER_PORT 631

enum { PAPER_ENDED = 1, PAPER_CAME = 2, PAPER_ASKED = 3, PAPER_SENT = 4 };

/* One page of counters and settings, that user space maps. */
struct paper_control {
	paper_u32 version;
	paper_u32 cupsd;                  /* process that serves CUPS's socket, as it was last seen to; 0: not yet */
	paper_u64 lost;                   /* events that did not fit into the ring */
	paper_u16 ports[PAPER_PORTS_MAX]; /* at which CUPS listens on this machine's own addresses; 0: none */
};

struct paper_event {
	paper_u32 what; /* PAPER_* */
	paper_u32 pid;  /* of the process, as the initial namespace has it */
	paper_u64 boot_ns, start_boot_ns;
	paper_u64 exec_id; /* another one with each program that the process becomes */
	/* PAPER_ENDED: as wait(2) has it. Ends before args. */
	paper_u32 status;
	/*
	 * PAPER_CAME: who connects to CUPS. PAPER_ASKED: a child of cupsd that asks the gate; its end is told as well.
	 * PAPER_SENT: who connected that by which a document of a job came: pid and uid by the socket, as they were
	 * when it was connected; net and port by TCP from this machine; none of them from another one. Ends before
	 * args.
	 */
	paper_u32 uid;
	paper_u64 exe_inode; /* of the program's file */
	paper_u32 net;       /* by TCP: the name space of networks in which; 0: by the socket */
	paper_u32 port;      /* ... and the port of who connects; 0: not known */
	char comm[16];       /* PAPER_SENT: name of the document's file, as "d00012-001" */
	paper_u32 args_n;    /* bytes of args: strings, each with its NUL; cut where that many are there */
	paper_u32 loginuid;
	char args[PAPER_ARGS_MAX];
};

#endif
