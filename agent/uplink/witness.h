/*
 * This PC as a witness of the collector's log: it keeps the last checkpoint that it saw, and takes a new one only where
 * the log's key signed it and it is proven to extend the old one. What is refused raises an alarm, which is a file.
 *
 * A log that went back (a collector restored from a copy) is refused as well, although nobody may have meant harm: were
 * it taken, what it signs from then on would contradict what it signed before, and a thief of the collector could drop
 * the newest evidence by playing an old copy back. The restored collector has to open a new log, under a new name, and
 * an administrator of each PC has to say so (`sekisho-uplink enrol --again`); acknowledged segments, which stay in the
 * spool for that, then refill it through `gap`.
 */
#ifndef SEKISHO_UPLINK_WITNESS_H
#define SEKISHO_UPLINK_WITNESS_H

#include "agent/uplink/answer.h"
#include <limits.h>

#define WITNESS_EVIDENCE_MAX 64 /* files of past alarms; the first ones stay */

struct witness {
	struct verifier log;
	char dir[PATH_MAX];     /* the inbox */
	struct checkpoint last; /* size 0: none seen */
	char note[NOTE_SIZE_MAX + 1];
	char alarm[256]; /* why; empty: none */
	int64_t alarm_since_us;
	uint64_t alarms; /* how many since the start */
};

/*
 * Reads the log's key and the last checkpoint. 0; V_NOT_FOUND without a key (not enrolled); V_BAD for a bad key;
 * -errno. A checkpoint file that is damaged, or not of this log, is moved aside and raises an alarm, which the first
 * good answer ends.
 */
int witness_open(struct witness *w, const char *vkey_path, const char *inbox, struct why *why);
void witness_close(struct witness *w);

/*
 * Does this state of the log extend what was seen? 0 with the checkpoint (size 0 where the log is empty, and nothing
 * was seen either); V_DENIED with the reason, which is an alarm's.
 */
int witness_judge(const struct witness *w, const struct log_state *s, struct checkpoint *out, struct why *why);
/* Keeps a checkpoint that was judged good, durably, and ends an alarm. 0, -errno (-ENOSPC: nothing changed). */
int witness_keep(struct witness *w, const struct log_state *s, const struct checkpoint *c);
/* Raises the alarm, with the offered note (may be empty) as evidence. 0, -errno. */
int witness_alarm(struct witness *w, const char *reason, const char *offered);
/* Ends it: the log is what it should be again. Its evidence stays. 0, -errno. */
int witness_calm(struct witness *w);

#endif
