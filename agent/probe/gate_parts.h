/*
 * The gate's parts in user space: gate_load.c loads and pins, gate_stock.c takes stock, gate.c is for the guard. Nobody
 * else includes this.
 */
#ifndef SEKISHO_PROBE_GATE_PARTS_H
#define SEKISHO_PROBE_GATE_PARTS_H

#include "agent/probe/gate.h"

/*
 * For udev, beside 01-sekisho.rules: which disks, that would be held where they hang, are the PC's own. In the folder
 * of rules that end with the boot; without a rule where there are none.
 */
#define GATE_OWN_RULES "/run/udev/rules.d/00-sekisho-own.rules"

/*
 * Looks at all block devices and pass-through nodes that are there, and writes into the tables `devices` and `names`
 * (maps' descriptors) what they do not know yet. The disks that / lies on are the PC's own, wherever they hang; `why`
 * says so, and udev is told (GATE_OWN_RULES). 0; V_BAD where sysfs cannot be read; -errno.
 */
int gate_stock(int devices_fd, int names_fd, struct why *why);

/*
 * A child of ours tries to write to /dev/null and asks an ioctl of no meaning while it is the canary: GATE_OPEN,
 * GATE_EROFS and GATE_IOCTL by what it was refused, -errno.
 */
int gate_try(int canary_fd);

#endif
