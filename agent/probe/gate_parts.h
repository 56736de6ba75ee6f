/*
 * The gate's parts in user space: gate_load.c loads and pins, gate_stock.c takes stock, gate.c is for the guard. Nobody
 * else includes this.
 */
#ifndef SEKISHO_PROBE_GATE_PARTS_H
#define SEKISHO_PROBE_GATE_PARTS_H

#include "agent/probe/gate.h"
#include <sys/sysmacros.h>

/* A device number as the kernel has it. */
static inline gate_u32 gate_dev_of(dev_t dev)
{
	return (gate_u32)major(dev) << 20 | (gate_u32)minor(dev);
}

/*
 * Looks at all block devices and pass-through nodes that are there, and writes into the table `devices` (a map's
 * descriptor) what it does not know yet. The disks that / lies on are the PC's own, wherever they hang; `why` says so.
 * 0; V_BAD where sysfs cannot be read; -errno.
 */
int gate_stock(int devices_fd, struct why *why);

/*
 * A child of ours tries to write to /dev/null and asks an ioctl of no meaning while it is the canary: GATE_OPEN,
 * GATE_EROFS and GATE_IOCTL by what it was refused, -errno.
 */
int gate_try(int canary_fd);

#endif
