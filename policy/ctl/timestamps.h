/*
 * Timestamps of the log (collector/store/stamps.h) and of bundles, judged: for verify. And [timestamp] of
 * collector.conf(5).
 */
#ifndef SEKISHO_CTL_TIMESTAMPS_H
#define SEKISHO_CTL_TIMESTAMPS_H

#include "collector/store/stamps.h"
#include "policy/ctl/ctl.h"
#include "policy/trust/digest.h"
#include "policy/trust/timestamp.h"

struct timestamp_settings {
	char url[1024];    /* of the authority; empty: none is asked */
	char ca[PATH_MAX]; /* PEM; who may say who the authority is */
	char folder[PATH_MAX];
};

/* [timestamp] of collector.conf(5); defaults where there is none. `path` NULL: the usual place. 0; V_BAD; V_NOT_FOUND
 * where a named file is not there; -errno. */
int timestamp_settings_load(const char *path, struct timestamp_settings *out, struct why *why);

struct report;
struct store;

/* What verify judges, and what it found. */
struct timestamps {
	char folder[PATH_MAX];         /* empty: none is looked at */
	struct timestamp_trust *trust; /* NULL: nobody said who may be an authority */
	unsigned good, unjudged;       /* unjudged: nobody said who may be an authority */
	uint64_t size;                 /* of the newest good one */
	struct timestamp newest;
};

/*
 * --timestamps and --tsa-ca; without them, for this machine's own store, what the settings say. A copy of a store
 * that lies elsewhere is not judged by this machine's folder. EXIT_*, said.
 */
int timestamps_options(struct report *r);
/* --tsa-ca alone: for a bundle, which brings its own. EXIT_*, said. */
int timestamps_trust(struct report *r, const char *ca);
/*
 * Judges all of them: each checkpoint is the log's, the log of `size` and `root` extends it, and its token is over it.
 * What is wrong is told; a token has to be there for each checkpoint but the newest. 0, -errno.
 */
int timestamps_judge(struct report *r, struct store *s, uint64_t size, const struct digest *root);
/* A line for people, where there is something to say. */
void timestamps_say(const struct report *r);
void timestamps_deinit(struct timestamps *t);

#endif
