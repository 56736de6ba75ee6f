/*
 * /run/sekisho/recorder.json: what the recorder says of itself, read by sekishoctl status. About us, never about users.
 */
#ifndef SEKISHO_RECORDER_STATUS_H
#define SEKISHO_RECORDER_STATUS_H

#include "agent/recorder/copies.h"
#include "policy/wire/spool.h"

struct status {
	unsigned probe_set, enforce; /* PROBE_SET_*, ENFORCE_* */
	bool running;                /* false in the last one, written at stop */
	int64_t since_wall_us, now_wall_us;
	struct sealer_stats sealer;
	uint64_t events, filtered; /* taken from the kernel; of these left out by the filter */
	double events_per_s;       /* since the status before this one */
	uint64_t malformed;        /* events that could not be read */
	unsigned processes, names, devices;
	uint64_t processes_evicted, names_refused, devices_evicted, sessions_refused;
	struct copies_stats copies;
	const char *sessions;    /* where sign-ins come from: "logind", "utmp", "none" */
	const char *filter_why;  /* why a newer filter is not in force; NULL where it is */
	const char *filter_note; /* what of the filter does not fit into the kernel; NULL: nothing */
};

/* Appends the JSON text. 0, V_FULL, -ENOMEM. */
int status_json(const struct status *s, struct buf *out);

#endif
