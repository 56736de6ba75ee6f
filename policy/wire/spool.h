/*
 * The spool: where a producer leaves sealed segments, and the uplink takes them.
 *
 *   DIR/<producer>.own/open      records not yet sealed, raw (a crash leaves it; the next start seals it as recovered)
 *   DIR/<producer>.own/held-NNN  the same, of before: sealed first, when the device key can be used again
 *   DIR/<producer>.own/chain     where the chain stands: sequence, header hash, epoch number
 *   DIR/<producer>/NNN.seg       sealed, not yet acknowledged; NNN is the sequence, 20 digits
 *   DIR/<producer>/acked/NNN.seg acknowledged; kept for a day or until space is needed
 *   DIR/<producer>/refused/NNN.seg  refused by the collector; kept for a person to look at
 *
 * The producer (sealer) is the only writer of everything but the moves to acked/ and refused/, which the uplink makes.
 * For them the uplink may write to DIR/<producer>, and so may whoever took it over: there, whatever is not a plain file
 * of the producer's own user is not the producer's, and what lies in the way of a new segment is put aside. Nobody else
 * comes into <producer>.own.
 */
#ifndef SEKISHO_WIRE_SPOOL_H
#define SEKISHO_WIRE_SPOOL_H

#include "policy/wire/body.h"
#include "policy/wire/segment.h"

/* --- the producer's side: the sealer --- */

enum spool_yield {
	SPOOL_DROP_NEW, /* full: new ordinary records are not taken, and counted; the chain stays whole (default) */
	SPOOL_DROP_OLD, /* full: the oldest unacknowledged ordinary segments go, and are counted as a range */
};

struct sealer_options {
	const char *spool_dir; /* /var/spool/sekisho */
	unsigned producer;
	const struct key *device;   /* certifies the epoch keys; borrowed */
	uint64_t policy;            /* version in force */
	const char *seen_path;      /* checkpoint note that the uplink keeps, or NULL */
	const struct verifier *log; /* the log's key, to check that note; NULL to leave it out */
	uint64_t bound;             /* bytes of the whole directory; 512 MiB by default where 0 */
	uint64_t floor;             /* free bytes to leave on the file system; 1 GiB where 0 */
	enum spool_yield yield;
	uint64_t idle_us;  /* heartbeat; 15 min where 0 */
	uint64_t seal_us;  /* ordinary records wait at most this long; 15 s where 0 */
	uint64_t epoch_us; /* life of a sealing key; 24 h where 0 */
};

struct sealer;

/*
 * Opens (or makes) the producer's spool, takes its lock, recovers an open segment, begins a new epoch. 0; V_EXISTS
 * where another process holds it; V_BAD where the chain file is damaged (the chain is begun anew, flagged, and the
 * reason is in `why`; the sealer is usable: *out is set), or where <producer>.own is not the caller's alone (it is
 * not); -errno.
 */
int sealer_new(const struct sealer_options *o, struct sealer **out, struct why *why);
void sealer_free(struct sealer *s);
DEFINE_CLEANUP(struct sealer *, sealer_free)

/* Takes a record. `urgent` seals at once. 0; V_FULL where it was dropped (and counted); -errno. */
int sealer_put(struct sealer *s, const struct record *r, bool urgent);
/* Is all that was put signed and durable? An urgent record may have to wait: for room, or for the day's key. */
bool sealer_sealed(const struct sealer *s);
/* Counts losses by cause; they go into the next header, and make one due. */
void sealer_lost(struct sealer *s, unsigned cause, uint64_t n);
/* The version of the policy that is in force from now on: headers say it. */
void sealer_policy(struct sealer *s, uint64_t version);
/* By which means devices are held, from now on: headers, so heartbeats too, say it. Names with commas; cut where too
 * long. */
void sealer_means(struct sealer *s, const char *names);
/* While `until_boot_us` is ahead, records wait at most 1 s: somebody follows this PC. */
void sealer_follow(struct sealer *s, int64_t until_boot_us);

/*
 * Tells at once what a producer has to tell of its own process and PC: a clock that was set, a system call that was
 * refused. Every other call does so too; this one is for who hears of it (service_watch_clock). 0, -errno.
 */
int sealer_look(struct sealer *s);
/* Boot clock, us, when sealer_run wants to be called next. */
int64_t sealer_due(const struct sealer *s);
/* Writes the open segment through; seals it, hands over the epoch, beats, tidies: what is due at `now`. 0, -errno. */
int sealer_run(struct sealer *s, int64_t now_boot_us);
/* Seals all that there is, whatever is due (`last`: the producer stops; flags SF_LAST). 0, -errno. */
int sealer_flush(struct sealer *s, bool last);

struct sealer_stats {
	uint64_t seq, epoch, records, segments, sealed_bytes, dropped;
	uint64_t spool_bytes, spool_segments; /* not yet acknowledged */
	int64_t last_seal_wall_us;
	bool full;                /* the spool is at its bound: new records are dropped, and counted */
	bool cut;                 /* the last run ended without a word: what it had not sealed may be lost */
	enum key_place key_place; /* of the device key */
	bool key_waits;           /* it could not be used when it was last asked: what is open waits */
	bool unprotected;         /* no room for the open segment on disk: a crash would lose what is not sealed */
	unsigned lost_n;          /* all losses since start, by cause */
	struct loss lost[SEGMENT_CAUSES_MAX];
};
void sealer_stats(struct sealer *s, struct sealer_stats *out);

/* --- the uplink's side --- */

struct spool_entry {
	unsigned producer;
	uint64_t seq;
	uint64_t size;
	char path[256];
};

/* The sequence in the name of a segment's file; false for every other name. */
bool spool_name_parse(const char *name, uint64_t *seq);
/* Oldest unacknowledged segment of `producer` with a sequence of at least `from`. 0; V_END. */
int spool_oldest(const char *spool_dir, unsigned producer, uint64_t from, struct spool_entry *out);
/* The segment `seq`, acknowledged or not. 0; V_NOT_FOUND. */
int spool_find(const char *spool_dir, unsigned producer, uint64_t seq, struct spool_entry *out);
int spool_acked(const char *spool_dir, const struct spool_entry *e);
int spool_refused(const char *spool_dir, const struct spool_entry *e);
/* Makes all acknowledged segments from `from` on unacknowledged again: a restored collector asks for them. */
int spool_resend(const char *spool_dir, unsigned producer, uint64_t from, uint64_t *n);
/* Removes acknowledged segments that are older than `keep_us`. */
int spool_tidy(const char *spool_dir, unsigned producer, uint64_t keep_us);
/* How much waits. */
int spool_depth(const char *spool_dir, unsigned producer, uint64_t *segments, uint64_t *bytes);

#endif
