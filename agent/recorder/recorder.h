/*
 * The recorder's own state, shared by its parts: main.c takes what needs privilege, loop.c meets the events. Nobody
 * else includes this.
 */
#ifndef SEKISHO_RECORDER_RECORDER_H
#define SEKISHO_RECORDER_RECORDER_H

#include "agent/probe/probe.h"
#include "agent/recorder/engine.h"
#include "agent/recorder/status.h"
#include "policy/wire/agent_conf.h"
#include <limits.h>

struct recorder {
	struct agent_conf conf;
	char spool[224], inbox[PATH_MAX], status_path[PATH_MAX], filter_path[PATH_MAX], utmp[PATH_MAX];
	char seen_path[256];
	int status_fd; /* the status file, where its folder is not ours to write; else -1 */

	struct probe *probe;
	struct key *device;
	struct verifier log;
	bool has_log;
	struct filter *filter;
	struct why filter_why; /* why a newer one is not in force */
	char filter_note[128]; /* what of it the kernel does not hold */
	struct names *names;
	struct processes *processes;
	struct devices *devices;
	struct users *users;
	struct sealer *sealer;
	struct engine engine;

	sd_event *event;
	struct utmp_watch *utmp_watch;
	struct logind_watch *logind;
	sd_event_source *retry; /* looks for logind again */
	bool logind_gone, stopping;
	int failed; /* -errno of a sink or a seal: the program ends */

	int64_t since_wall_us;
	int64_t losses_read_us; /* boot clock */
	uint64_t losses_seen[PROBE_LOSSES];
	struct {
		int64_t boot_us;
		uint64_t segments, events;
	} status_last;
};

/* Everything after the power was given up, until a signal ends it. 0, -errno. */
int loop_run(struct recorder *r);

/* filter.c: loads the filter and tells the kernel its half. At start; and again, where a bad file changes nothing. */
int filter_start(struct recorder *r, struct why *why);
void filter_again(struct recorder *r);

#endif
