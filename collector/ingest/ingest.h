/*
 * The collector's process: what all routes share. One thread, one loop.
 */
#ifndef SEKISHO_INGEST_INGEST_H
#define SEKISHO_INGEST_INGEST_H

#include "collector/http/server.h"
#include "collector/ingest/config.h"
#include "collector/ingest/journal.h"
#include "collector/ingest/judge.h"
#include "collector/ingest/keys.h"
#include "collector/ingest/shelf.h"

struct ingest {
	struct config conf;
	struct keys keys;
	struct store *store;
	struct judge *judge;
	struct journal *journal;
	struct desks *desks;
	struct keeper *keeper;
	struct cosigning *cosigning;

	/* shared.c */
	struct sharing *sharing; /* NULL: no other collector is at this log */
	struct digest first;     /* the collector that began it */
	bool older;              /* one that knows only that one's decisions runs beside this one */
	struct shelf tokens, renewals;

	struct server server;

	/* commit.c */
	struct pending *pending; /* requests whose segments wait for the commit, oldest last */
	struct event *commit_timer, *index_timer;
	bool commit_armed;
	struct log_limit waits_log;
	int64_t waits_since_us; /* wall clock: the store waits for others (store_waits); 0: it does not */
	int64_t commit_took_us;
	uint64_t index_lag;      /* what the last slice left over */
	uint64_t index_waits;    /* commits since then, whose slice is at the end of this second */
	int64_t index_second_us; /* boot clock: begin of the second whose slices are counted */
	unsigned index_slices;

	/* hosts.c */
	struct peer *peers; /* by id, in memory: what is known of PCs while the process runs */
	unsigned peers_n, peers_cap;

	/* policy.c: the newest signed policy; 0: there is none */
	uint64_t policy_version;
	struct buf policy;
	/* How the answer to who waits for it ends: one copy, whoever is sent it. NULL: everybody fetches it. */
	struct evbuffer *policy_handed;
	char policy_signer[NOTE_NAME_MAX];

	/* main.c */
	struct event *journal_timer;
	int64_t started_wall_us;
	bool old_copy; /* a PC has shown that this log is one: nothing is committed any more, and the process ends */
	int failed;    /* -errno with which the process has to end */

	/* again.c */
	bool lost; /* the store's database, or room on a disk: nothing is judged, stored or asked of it */
	struct event *again_timer;
	int64_t lost_since_us; /* wall clock */
	bool lost_full;        /* it was lost last because there is no room ... */
	bool lost_here;        /* ... on this machine, and not at the database's server */
	bool full_rests;       /* and is let be for a while */
	struct log_limit again_log;
	struct why again_why; /* said last: what is new is said at once */

	struct log_limit refused_log;

	struct {
		uint64_t segments_stored, segments_known, segments_gap, segments_refused, records, bytes;
		uint64_t enrolled, renewed, enrol_denied, commits, turned_away, slowed, losses;
	} count;
};

/*
 * Something failed. Where that is the store's database, or room on a disk, it is waited for (again.c). Else the machine
 * failed us: no answer is given any more, the loop ends, the process with it.
 */
void ingest_fail(struct ingest *in, int r, const char *what);
/* The same, whatever it was. */
void ingest_end(struct ingest *in, int r, const char *what);
/* Puts a record of the collector's into the journal, and what is sealed into the store. Failure ends the process. */
void ingest_tell(struct ingest *in, const struct entry *e);

/* --- process.c --- */
/* Opens all, tells that it has started. 0; V_BAD, V_EXISTS with the reason; -errno. */
int ingest_open(struct ingest *in, struct why *why);
/* Binds and begins with another certificate: what the server is told of the settings. */
int ingest_bind(struct ingest *in, struct why *why);
int ingest_certify(struct ingest *in, struct why *why);
/* Closes all; `well`: the last records are sealed and committed before. */
void ingest_close(struct ingest *in, bool well);

/* --- segments.c --- */
void segments_post(struct ingest *in, struct ask *a);
/* Less free space than the floor: nothing may be taken in. */
bool disk_is_full(struct ingest *in);

/* What judging found beside the verdict: told by records of the collector. */
void tell_found(struct ingest *in, const struct store_host *h, const struct segment *s, const struct judgement *j);

/* --- desk.c: what the console and the herald on this machine tell --- */
int desks_new(struct ingest *in, struct desks **out);
void desks_free(struct desks *d);
/* Judges what lies in their spools, and appends what is good: *n are new. 0, -errno. */
int desks_drain(struct desks *d, unsigned *n);
/* Is it one of them? */
bool desks_has(const struct desks *d, const struct digest *host);
/* The store has committed: what was drained before is done with. 0, -errno. */
int desks_settled(struct desks *d);
/* The store was lost and is back: what was drained and is not settled is drained again. */
void desks_again(struct desks *d);

/* --- again.c: the store's database goes away and comes back --- */
int again_start(struct ingest *in);
void again_stop(struct ingest *in);
/* It is gone: from the loop's next round on it is tried again, until it is back. */
/* ... because of `r`, negative. */
void again_begin(struct ingest *in, int r, const char *what);
/* Is that error one of a disk that is full? */
bool again_no_room(int r);

/* --- commit.c: the group commit, the index --- */
int commit_start(struct ingest *in);
void commit_stop(struct ingest *in);
/* There is something for the log: commit soon. */
void commit_soon(struct ingest *in);
/*
 * Commits now, and answers who waits. 0; V_AGAIN: others are waited for (store_waits), and it goes on by itself;
 * -errno.
 */
int commit_now(struct ingest *in);
/* Answers who cannot be served before that: 503. And sees to it that it goes on. */
void commit_wait(struct ingest *in, struct ask *a);
/* 200, with what is taken over: once what was written for it is as durable as the log. */
void commit_reply(struct ingest *in, struct ask *a, json_t *steal);
/* The store was lost: who waits is told so, and sends again. And it is back: commits and indexes what waits. */
void commit_lost(struct ingest *in);
void commit_again(struct ingest *in);
/* Segments that the index has not taken in, as far as a slice knows; a commit whose slice waits counts as one. */
uint64_t commit_index_lag(const struct ingest *in);

/* --- hosts.c: who asks --- */

struct waiter;

/* What a PC has sent today (UTC), since the collector started. */
struct share {
	int64_t day; /* since 1970 */
	uint64_t records, bytes;
	int64_t next_us; /* over it: not before this, by the boot clock */
};

struct peer {
	struct digest id;
	bool used;
	int64_t follow_until_us; /* boot clock */
	int64_t seen_us;         /* wall clock; the store knows an older one */
	int64_t renewed_us;      /* boot clock */
	int64_t elsewhere_us;    /* boot clock: when it was last told that it waits at another collector; 0: never */
	int64_t retire_us;       /* boot clock: when it was asked for what it has, before it retires; 0: it was not */
	struct waiter *waiters;
	struct share share;
	struct digest witness;  /* SHA-256 of the line that declares its witness key; zero: none is known */
	uint8_t ahead_boot[16]; /* for which it was told that its clock is ahead */
	uint64_t policy;        /* in force there, as its guard's newest header says; 0: none, or not known */
	bool policy_sought;     /* in the store, where it has not told since the start */
	char means[SEGMENT_MEANS_MAX +
		   1]; /* by which devices are held there, as the same header says; empty: not known */
	struct {
		uint8_t last[16], before[16]; /* boots of which segments came */
		bool told;
	} boots[4];
};

/* Never NULL but without memory. */
struct peer *peer_of(struct ingest *in, const struct digest *id);
/* The one whose id begins so (16 bytes); NULL where none is known. */
struct peer *peer_like(struct ingest *in, struct span id);
/* Does it wait for something, here or at another collector? */
bool peer_waits(const struct peer *p);
/*
 * Who asks? 0 with the PC, where its certificate names one that is enrolled and active, and its key is the enrolled
 * one. Else the request is answered (403) and V_DENIED returned.
 */
int host_of(struct ingest *in, struct ask *a, struct store_host *out);
/* By name or id. 0; V_NOT_FOUND; V_EXISTS where several have that name; -errno. */
int host_find(struct ingest *in, const char *name_or_id, struct store_host *out);
/* A PC has shown itself: remembered, and every few minutes on the disk. */
void host_seen(struct ingest *in, const struct store_host *h);

/* The next TLS key of a PC whose certificate was renewed, until it uses it. */
int renewal_get(struct ingest *in, const struct digest *host, struct digest *key);
int renewal_put(struct ingest *in, const struct digest *host, const struct digest *key);
int renewal_done(struct ingest *in, const struct digest *host);

/* --- enrol.c --- */
void enrol_post(struct ingest *in, struct ask *a);
void renew_post(struct ingest *in, struct ask *a);

/* --- wait.c --- */
void wait_get(struct ingest *in, struct ask *a);
/* Answers every waiting request of this PC (NULL: of all). */
void wait_wake(struct ingest *in, struct peer *p);
/* Asks a PC that waits for its cosignature. False where none of it waits. */
bool wait_cosign(struct peer *p);
/* Answers all that do not know of this policy yet. */
void wait_wake_policy(struct ingest *in);
/* Answers those that waited long enough, and those whose being followed ended. */
void wait_tick(struct ingest *in);
/* 503 to all: the process ends. */
void wait_stop(struct ingest *in);
unsigned wait_count(const struct ingest *in);

/* --- policy.c: the signed policy on its way to the PCs --- */
/* Reads the newest one that was stored. 0 also where there is none; -errno. */
int policy_open(struct ingest *in);
/* Another collector may have taken a newer one: it is handed out here, too. 0, -errno. */
int policy_heard(struct ingest *in);
/* The database was lost and is back, perhaps without the newest one: it is put there again. 0, -errno. */
int policy_again(struct ingest *in);
void policy_get(struct ingest *in, struct ask *a); /* a PC fetches it */
/* What a guard's header says of the policy in force and of its means. */
void policy_note(struct peer *p, const struct header *h);
void policy_post(struct ingest *in, struct ask *a); /* an administrator pushes it */
void policy_status_get(struct ingest *in, struct ask *a);
/* Text of admin.keys for PCs that enrol; cleared where there is none. 0, -errno. */
int policy_admins(struct ingest *in, struct buf *out);

/* --- retention.c: what expires, and when --- */
int keeper_new(struct ingest *in, struct keeper **out);
void keeper_free(struct keeper *k);
/* Begins: once the index has caught up, then every hour. */
int keeper_start(struct keeper *k);

/* --- retention_desk.c: the same at the administrator's door --- */
void retention_get(struct ingest *in, struct ask *a);
void retention_hold_post(struct ingest *in, struct ask *a);
void retention_lift_post(struct ingest *in, struct ask *a);
void retention_order_post(struct ingest *in, struct ask *a);

/* --- policy.c and proof.c, for them --- */
/* Which log this is: its fleet_id. 0, -errno. */
int fleet_of(const struct ingest *in, struct digest *out);

/* --- proof.c: the log for everybody --- */
void checkpoint_get(struct ingest *in, struct ask *a);
void consistency_get(struct ingest *in, struct ask *a);
void tile_get(struct ingest *in, struct ask *a);
/*
 * Has the log so many leaves, as far as anybody knows? Others may have appended since this process looked. 0; V_END: it
 * has not; -errno.
 */
int proof_reaches(struct ingest *in, uint64_t size);
/* {"error": "behind", "checkpoint": ...} */
void answer_behind(struct ingest *in, struct ask *a);
/* JSON parts: an array of hashes in base64; the newest checkpoint. NULL without memory. */
json_t *proof_json(const struct merkle_proof *p);
/*
 * Does this log lead on from what had that size and root? 0; V_DENIED: it does not, or is smaller; V_BAD, V_NOT_FOUND,
 * -errno: it cannot be told. `log`: this log's verifier.
 */
int proof_leads_on(
	struct ingest *in, const struct verifier *log, uint64_t size, const struct digest *root, struct why *why);
json_t *checkpoint_json(struct ingest *in);

/* --- admin.c --- */
void admin(struct ingest *in, struct ask *a);

/* --- status.c --- */
json_t *status_json(struct ingest *in);
/* Replaces the status file. */
void status_write(struct ingest *in, bool running);

/* --- route.c --- */
void route(struct ask *a);

#endif
