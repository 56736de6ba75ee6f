/*
 * The recorder's own state, shared by its parts: main.c takes what needs privilege, loop.c meets the events. Nobody
 * else includes this.
 */
#ifndef SEKISHO_RECORDER_RECORDER_H
#define SEKISHO_RECORDER_RECORDER_H

#include "agent/probe/probe.h"
#include "agent/recorder/arguments.h"
#include "agent/recorder/engine.h"
#include "agent/recorder/parts.h"
#include "agent/recorder/status.h"
#include "policy/wire/producer.h"
#include <limits.h>

#define STEER_HOMES_MAX 128u
#define STEER_MOUNTS_MAX 1024u /* with the places of areas */

struct recorder {
	struct agent_conf conf;
	char spool[224], inbox[PATH_MAX], status_path[PATH_MAX], filter_path[PATH_MAX], utmp[PATH_MAX];
	char seen_path[256];
	struct clouds *clouds;
	int cloud;     /* to the guard: what came into cloud folders */
	int look;      /* from the guard: what it looked into */
	int status_fd; /* the status file, where its folder is not ours to write; else -1 */

	struct probe *probe;
	struct producer_keys keys;
	struct filter *filter;
	struct areas *areas;
	struct purposes purposes;
	char areas_path[256];  /* the policy's text, as the guard lays it */
	struct why filter_why; /* why a newer one is not in force */
	char filter_note[128]; /* what of it the kernel does not hold */
	struct parts parts;    /* valid until the mounts are read anew */
	unsigned homes_n, mounts_n, mounts_left_out;
	char home[STEER_HOMES_MAX][FILTER_PATH_SIZE];
	struct {
		char path[FILTER_PATH_SIZE];
		uint8_t level;
	} mount[STEER_MOUNTS_MAX];
	struct arguments arguments; /* until recording has begun */
	struct names *names;
	struct processes *processes;
	struct devices *devices;
	struct users *users;
	struct copies *copies;
	struct sealer *sealer;
	struct engine engine;

	sd_event *event;
	struct utmp_watch *utmp_watch;
	struct logind_watch *logind;
	sd_event_source *retry; /* looks for logind again */
	uint64_t retry_us;
	bool logind_gone, stopping;
	struct stop_asked asked; /* why */
	int64_t sweep_due_us;    /* boot clock; INT64_MAX: nothing to sweep for */
	int64_t swept_us, follow_until_us;
	int failed; /* -errno of a sink or a seal: the program ends */

	int64_t since_wall_us;
	uint64_t malformed_seen;
	struct {
		int64_t boot_us;
		uint64_t segments, events;
	} status_last;
	int64_t status_due_us; /* boot clock: what was sealed too soon behind the last one is told; INT64_MAX: nothing
				*/
};

/* Everything after the power was given up, until a signal ends it. 0, -errno. */
int loop_run(struct recorder *r);

/* report.c: the status file. ENFORCE_* of what runs; writes it now; writes it where something was sealed. */
unsigned report_enforce(const struct recorder *r);
void report_write(struct recorder *r, int64_t now_boot_us);
void report_if_sealed(struct recorder *r, int64_t now_boot_us);

/* steer.c: the filter. Homes are listed while name services may still be asked; start before the power is given up. */
void steer_homes(struct recorder *r);
int steer_start(struct recorder *r, struct why *why);
/* Reads it again: a bad file changes nothing but filter_why. */
void steer_again(struct recorder *r);
/* The guard laid another policy. */
void steer_areas(struct recorder *r);
/* Something was mounted or unmounted: the kernel's half follows. */
void steer_mounts(struct recorder *r);

#endif
