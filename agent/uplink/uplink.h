/*
 * The daemon's parts and what they share. One process, one loop, one thread (libcurl resolves names in another).
 *
 *   sender   segments to the collector; decides when the link is up (sender.c), what answers mean (settle.c)
 *   wait     the request that is held: somebody follows this PC, newer policy (wait.c)
 *   cosign   this PC's word for a checkpoint of the log (cosign.c, cosign_key.c)
 *   renew    the certificate (renew.c)
 *   network  hints that trying again is worth while (network.c)
 *   status   /run/sekisho/uplink.json (status.c)
 */
#ifndef SEKISHO_UPLINK_UPLINK_H
#define SEKISHO_UPLINK_UPLINK_H

#include "agent/uplink/backoff.h"
#include "agent/uplink/batch.h"
#include "agent/uplink/cosign.h"
#include "agent/uplink/http.h"
#include "agent/uplink/network.h"
#include "agent/uplink/witness.h"
#include "policy/wire/agent_conf.h"

#define PRODUCERS_MAX 16 /* distinct producers of a PC: numbers 1 to 15, see policy/wire/segment.h */
#define TIDY_EVERY_US (600ull * 1000000)

/* What is known of one producer's spool. */
struct queue {
	unsigned producer; /* 0: this one is not there */
	sd_event_source *watch;
	uint64_t from;          /* look at segments from this one on */
	bool gap_lost;          /* the next request says that what comes before `lost_seq` is gone */
	uint64_t lost_seq;      /* ... when it begins with this one */
	unsigned gap_rounds;    /* gaps in a row without anything new being taken */
	uint64_t one_by_one_to; /* up to this sequence (excluded), one segment a request */
	bool has_suspect; /* a segment with which the request was turned away; is it the segment, or the collector? */
	struct spool_entry suspect;
	bool others_pass; /* what comes after the suspect is taken */
	bool has_acked;
	uint64_t acked_seq; /* highest since start */
	int64_t acked_wall_us;
	uint64_t stored, known, refused, gaps;
};

enum link_state {
	LINK_DOWN,    /* waiting to try again; timer */
	LINK_PROBING, /* asking how the log stands */
	LINK_SPREAD,  /* back after a long outage: waiting at random; timer */
	LINK_UP,
	LINK_PACED, /* the collector asked for a pause; timer */
};

struct sender {
	enum link_state state;
	sd_event_source *timer; /* of the state */
	sd_event_source *rest;  /* ends a pause between requests of a long backlog */
	sd_event_source *root;  /* watches for new producers */
	struct backoff backoff;
	int64_t down_since_us;  /* boot clock; 0: not down */
	int64_t retry_boot_us;  /* boot clock of the timer */
	int64_t asked_until_us; /* boot clock until which the collector asked for a pause */
	int64_t fresh_us;       /* boot clock of the last time that a hint began the pauses anew */
	struct queue queues[PRODUCERS_MAX];
	unsigned turn; /* whose segments go next */
	struct queue *sending;
	struct batch batch;
	int64_t sent_boot_us, next_boot_us; /* pacing by `rate` */
	int64_t tidied_boot_us;
	uint64_t requests, failures;
	char last_error[256];
	int64_t last_error_wall_us, last_good_wall_us;
	bool has_ahead;
	int64_t ahead_us;     /* this PC's clock before the collector's, when that answered last */
	struct answer answer; /* large: kept here, not on the stack */
};

struct wait {
	sd_event_source *timer;
	struct backoff backoff;
	int64_t follow_until_us; /* boot clock */
	uint64_t policy;
	bool answered; /* ever */
	int64_t asked_boot_us;
	unsigned hasty; /* answers in a row that came at once */
};

struct renew {
	sd_event_source *timer;
	struct backoff backoff;
	struct buf body;
};

/* The newest signed policy, fetched for the guard, which alone judges it (policy.c). */
struct policy_fetch {
	sd_event_source *timer;
	struct backoff backoff;
	uint64_t laid, offered; /* versions, as claimed: into the inbox last, by the collector */
	int64_t fetched_us;     /* last, by the boot clock */
};

/* Cosignatures (cosign.c). */
struct cosigning {
	struct cosigner own;
	bool asked, busy;       /* busy: a request of it is on its way */
	uint64_t signing, size; /* leaves in what is being signed; in the last that the collector took */
	uint64_t count;
	struct buf body;
};

struct uplink {
	sd_event *event;
	struct agent_conf conf;
	char url[AGENT_URL_MAX], spool[PATH_MAX], inbox[PATH_MAX], status_path[PATH_MAX], guard_status_path[PATH_MAX];
	struct identity id;
	struct witness witness;
	struct http *http;
	struct sender sender;
	struct wait wait;
	struct renew renew;
	struct cosigning cosign;
	struct policy_fetch policy;
	struct network network;
	sd_event_source *status_timer;
	int64_t status_boot_us;
	int failed; /* -errno of our own machine: the program ends */
};

/* Our own machine failed: ends the loop with this error. */
void uplink_fail(struct uplink *u, int r, const char *what);
uint64_t uplink_random(void);
/* (Re)arms a one-shot timer on the boot clock, made at its first use. */
int uplink_arm(struct uplink *u, sd_event_source **timer, uint64_t delay_us, sd_event_time_handler_t fn);
void uplink_disarm(sd_event_source *timer);

/* sender.c */
int sender_start(struct uplink *u);
void sender_stop(struct uplink *u);
void sender_drain(struct uplink *u); /* sends what waits, where the link is up and nothing is on its way */
void sender_kick(struct uplink *u);  /* tries now instead of when the back-off ends */
/* The connection, or what came over it, was bad: begin again after a pause, by asking how the log stands. */
void sender_down(struct uplink *u, uint64_t asked_us, const char *why);
/*
 * Reads what a refusal says. One with a checkpoint (409) says that the log is smaller than what this PC saw, which is
 * judged: false where all that is needed was done (settle_log).
 */
bool sender_refused(struct uplink *u, const struct http_answer *a, struct error_answer *out);
/* The collector answers, but not now: go on after a pause. */
void sender_pause(struct uplink *u, uint64_t asked_us, const char *why);
/*
 * Something changed around this PC: asks the collector now instead of when the pause ends, unless it was the collector
 * that asked for one. Where the link is up it is given up first, for the reason `why`; NULL leaves it alone.
 */
void sender_again(struct uplink *u, const char *why);
/* Somebody waits for what this PC has: no spreading now. */
void sender_hurry(struct uplink *u);
/* The collector's log does not extend what was seen. */
void sender_alarm(struct uplink *u, const char *why, const char *offered);

/* settle.c: the answer to the batch that is on its way. */
void settle(struct uplink *u, const struct http_answer *a);
/* Judges a state of the log, and keeps it. True where all is well; else everything needed was done. */
bool settle_log(struct uplink *u, const struct log_state *s, struct checkpoint *out);
/* Moves a segment aside for good, counted and logged. */
void settle_aside(
	struct uplink *u, struct queue *q, const struct spool_entry *e, const char *cause, const char *reason);
/* Frees space where the disk is full: acknowledged segments go at once. */
void settle_make_room(struct uplink *u);

/* cosign.c */
void cosign_asked(struct uplink *u); /* the collector asks for a cosignature: at the next turn */
bool cosign_turn(struct uplink *u);  /* where it was asked for, its request is on its way then: true */
void cosign_stop(struct uplink *u);  /* what was on its way was cancelled */

/* wait.c */
void wait_start(struct uplink *u);
void wait_stop(struct uplink *u);

/* policy.c */
int policy_start(struct uplink *u); /* what lies in the inbox already */
void policy_offered(struct uplink *u, uint64_t version);
void policy_handed(struct uplink *u, uint64_t version, struct span bytes); /* offered, and there it is */
uint64_t policy_in_force(const struct uplink *u);
void policy_stop(struct uplink *u);

/* renew.c */
int renew_start(struct uplink *u);
void renew_stop(struct uplink *u);

/* status.c */
void status_changed(struct uplink *u); /* writes the file, at most once a second */
void status_write(struct uplink *u);
void status_stop(struct uplink *u);

#endif
