/*
 * What the sender hears of its surroundings: addresses, routes and carriers that change, name servers that change, the
 * PC that wakes up. Only hints: whether the collector is there, a request tells.
 */
#ifndef SEKISHO_UPLINK_NETWORK_H
#define SEKISHO_UPLINK_NETWORK_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct uplink;

#define NETWORK_SETTLE_US 1000000ull /* a network comes up in many steps: looked at when they are done, .. */
#define NETWORK_SPREAD_US 2000000ull /* .. and not by all PCs of a switch at once */
#define NETWORK_GAP_US 10000000      /* attempts that hints cause are at least so far apart */
#define NETWORK_ASLEEP_US 30000000   /* who slept for longer trusts no connection any more */

struct network {
	int fd; /* rtnetlink; -1: none */
	sd_event_source *changes, *names, *names_real, *clock_set, *timer;
	int clock_fd;
	int64_t asleep_us; /* how long the PC has slept since it was started, when last looked */
	int64_t tried_us;  /* boot clock of the last attempt that a hint caused; 0: none */
	uint64_t hints;    /* all of them */
	bool slept;
};

/* What cannot be watched is logged, and done without. 0, -errno. */
int network_start(struct uplink *u);
void network_stop(struct uplink *u);

#endif
