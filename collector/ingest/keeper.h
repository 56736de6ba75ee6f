/*
 * What retention.c (when, and how a month goes), retention_held.c (what holds it) and retention_desk.c (who asks)
 * share.
 */
#ifndef SEKISHO_INGEST_KEEPER_H
#define SEKISHO_INGEST_KEEPER_H

#include "collector/ingest/ingest.h"
#include "policy/wire/retention.h"

/*
 * A channel of a month that is over, looked through for what a hold on a PC or a person keeps: a part at a time, for
 * there may be a million segments in it. What was found holds as long as the hold: nothing comes to a month that is
 * over.
 */
struct looked {
	char month[8], hold[20];
	unsigned channel;
	uint64_t next, end; /* the leaf to go on with, and the first of another month */
	bool held, done;
};

struct keeper {
	struct ingest *in;
	struct retention book;
	uint64_t known, upto; /* leaves that the book knows; that it will, by what is unread */
	uint64_t *unread;     /* leaves of which the index says that they may have decisions, ascending */
	size_t unread_n, unread_at;
	uint64_t next; /* in a turn: the leaf in which the next decision stands */
	uint64_t seq;  /* the segment of our own that it is in */
	uint64_t dropped;
	bool waits;       /* it is in a commit that waits for others: with that, it counts */
	bool told;        /* the settings, since the start */
	size_t going;     /* of the expiries, the one to go on with */
	bool left;        /* there is more of it, for which others are let in between */
	char counting[8]; /* a month whose segments somebody waits for to be counted */
	bool counts;      /* somebody has asked for all of them */
	bool later;       /* somebody reads what is to go: not at once again */
	struct event *timer;
	struct log_limit log;
	struct looked *looked;
	size_t looked_n;
};

/* Channels that expire, and what the settings say of them. */
extern const unsigned keeper_channels[];
#define KEEPER_CHANNELS 6u
uint64_t keeper_setting(const struct config *c, unsigned channel);

/*
 * The book as the committed log has it. 0; V_AGAIN while there is much to learn, or the index behind that says what;
 * V_BAD: a pack is damaged, or a decision names one before it that is not there; -errno.
 */
int keeper_book(struct keeper *k);
/*
 * Takes the turn at the log to decide something: commits what waits, and the book is what the log says until
 * keeper_settle, or keeper_rest where nothing is decided after all. As keeper_book; V_DENIED: the log does not say that
 * this is one of its collectors; V_EXISTS: one of an older version runs beside it.
 */
int keeper_turn(struct keeper *k);
void keeper_rest(struct keeper *k);
/*
 * A month that is over, counted: before a turn, which others wait for. 0; V_AGAIN: it is being counted, ask again;
 * V_NOT_FOUND; V_BAD; -errno.
 */
int keeper_month(struct keeper *k, const char *month, struct store_month *out);
/* In a turn: a decision, into the journal. `e` has a kept. */
void keeper_tell(struct keeper *k, struct entry *e, struct kept *kept);
/*
 * Commits what was told, and learns it; so ends the turn. As keeper_book; V_AGAIN also where it does not count, and may
 * be decided again, or (keeper_waits) where the commit waits for a standby: then it must not be, for it will count.
 */
int keeper_settle(struct keeper *k);
/* What keeper_turn or keeper_settle has just returned: is that so? */
bool keeper_waits(const struct keeper *k, int r);
/*
 * Answers who asked for a decision, by what keeper_settle returned: now, or (keeper_waits) with the commit that it
 * waits for. `steal` is the answer where it counts.
 */
void keeper_answer(struct ingest *in, struct ask *a, int r, json_t *steal, const char *what);
/* The time that is believed: not later than the PCs'. INT64_MIN where they tell none. 0, -errno. */
int keeper_now(struct keeper *k, int64_t *out);
/*
 * In a turn, which it ends: writes the record, and then removes: the one way in which bodies go. `order` may be empty.
 * 0 with *freed; V_AGAIN, and the next round does the rest (also where keeper_waits); -errno.
 */
int keeper_expire(struct keeper *k, const struct store_month *m, unsigned channel, const struct order *order,
	struct span order_bytes, unsigned uid, uint64_t *freed);
/* 0 with the hold, or NULL where nothing holds it; V_AGAIN: it is being looked for, by keeper_look; -errno. */
int keeper_held(struct keeper *k, const struct store_month *m, unsigned channel, const struct retention_hold **out);
/* Goes on with what is being looked for, for some 20 ms. 0: nothing is; V_AGAIN; V_BAD: a pack is damaged; -errno. */
int keeper_look(struct keeper *k);
/* Answers who asked, where one of these was not 0; what is this machine's failure ends the process. */
void keeper_failed(struct ingest *in, struct ask *a, int r, const char *what);
/* Soon, and not in an hour. */
void keeper_soon(struct keeper *k);

#endif
