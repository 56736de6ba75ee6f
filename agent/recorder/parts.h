/*
 * What a file in a container is called on the PC: where the PC has mounted which part of a file system. Of what is
 * mounted several times the largest part counts, and of that the first place: so bind mounts do not count beside what
 * they show, and subvolumes of a btrfs do. Views are nobody's files; what an overlay adds up to has the container's
 * names, unless the PC itself stands on it.
 */
#ifndef SEKISHO_RECORDER_PARTS_H
#define SEKISHO_RECORDER_PARTS_H

#include "agent/probe/probe.h"
#include "agent/recorder/devices.h"

struct parts {
	unsigned n;
	struct probe_mount at[PROBE_POINTS_MAX]; /* names are those of the mounts: valid until they are read anew */
};

/* One more mount of the PC's, in the order of mountinfo. What does not fit is left out. */
void parts_add(struct parts *p, const struct mount_entry *m);

#endif
