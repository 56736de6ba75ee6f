/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel programs at the way to printers and user space share. Sizes are fixed and fields aligned, so that
 * both compilers lay them out alike. EGRESS_VERSION changes with them.
 */
#ifndef SEKISHO_PROBE_EGRESS_MAP_H
#define SEKISHO_PROBE_EGRESS_MAP_H

#ifdef __bpf__
typedef __u16 egress_u16;
typedef __u32 egress_u32;
typedef __u64 egress_u64;
typedef __u8 egress_u8;
#else
#include <stdint.h>
typedef uint16_t egress_u16;
typedef uint32_t egress_u32;
typedef uint64_t egress_u64;
typedef uint8_t egress_u8;
#endif

#define EGRESS_VERSION 1u
#define EGRESS_RANGES_MAX 16
#define EGRESS_UNITS_MAX 8
#define EGRESS_UNIT_SIZE 64
#define EGRESS_RING_BYTES (128u << 10)

enum { EGRESS_OFF = 0, EGRESS_NOTE = 1, EGRESS_REFUSE = 2 };

/* Ports from..to, on other machines or (loopback) on this one: ipp-usb and printer applications listen there. */
struct egress_range {
	egress_u16 from, to;
	egress_u32 loopback;
};

/* The one page of settings. */
struct egress_control {
	egress_u32 version;
	egress_u32 mode;
	egress_u64 base; /* id of the control group below which system.slice is */
	egress_u32 ranges, units;
	struct egress_range range[EGRESS_RANGES_MAX];
	char unit[EGRESS_UNITS_MAX][EGRESS_UNIT_SIZE]; /* services of system.slice whose connections are right */
};

struct egress_event {
	egress_u64 boot_ns, start_boot_ns;
	egress_u32 pid, uid, loginuid;
	egress_u32 refused;
	egress_u16 family; /* AF_INET, AF_INET6 */
	egress_u16 port;
	egress_u8 address[16]; /* network order; the first four of AF_INET */
	char comm[16];
	egress_u32 spare;
};

#endif
