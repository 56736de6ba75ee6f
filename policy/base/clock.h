/*
 * The two clocks of a record: wall (what people mean; may jump) and boot (monotone, counts suspend; orders events). And
 * the one by which work is given its time: what slept with the PC was not slow.
 */
#ifndef SEKISHO_BASE_CLOCK_H
#define SEKISHO_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_us(void);  /* CLOCK_REALTIME, microseconds since 1970 */
int64_t clock_boot_us(void);  /* CLOCK_BOOTTIME, microseconds */
int64_t clock_awake_us(void); /* CLOCK_MONOTONIC, microseconds: does not count suspend */

/* The kernel's random id of this boot (/proc/sys/kernel/random/boot_id), 16 bytes. 0, -errno. */
int clock_boot_id(uint8_t id[16]);

#endif
