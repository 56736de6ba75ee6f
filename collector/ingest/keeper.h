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
	bool loaded;
	uint64_t last_row; /* what the book has learned */
	struct event *timer;
	struct log_limit log;
	struct looked *looked;
	size_t looked_n;
};

/* Channels that expire, and what the settings say of them. */
extern const unsigned keeper_channels[];
#define KEEPER_CHANNELS 6u
uint64_t keeper_setting(const struct config *c, unsigned channel);

/* Of several collectors the one that began the log keeps it. */
bool keeper_is(const struct keeper *k);
/*
 * The book as the committed log has it. 0; V_AGAIN while the index is behind (the book would lack the newest records);
 * -errno.
 */
int keeper_book(struct keeper *k);
/* Commits what was told, and learns it. As keeper_book. */
int keeper_settle(struct keeper *k);
/* The time that is believed: not later than the PCs'. INT64_MIN where they tell none. 0, -errno. */
int keeper_now(struct keeper *k, int64_t *out);
/*
 * Writes the record, and then removes: the one way in which bodies go. `order` may be empty. 0 with *freed; V_AGAIN,
 * and the next round does the rest; -errno.
 */
int keeper_expire(struct keeper *k, const struct store_month *m, unsigned channel, const struct order *order,
	struct span order_bytes, unsigned uid, uint64_t *freed);
/* 0 with the hold, or NULL where nothing holds it; V_AGAIN: it is being looked for, by keeper_look; -errno. */
int keeper_held(struct keeper *k, const struct store_month *m, unsigned channel, const struct retention_hold **out);
/* Goes on with what is being looked for, for some 20 ms. 0: nothing is; V_AGAIN; V_BAD: a pack is damaged; -errno. */
int keeper_look(struct keeper *k);
/* Soon, and not in an hour. */
void keeper_soon(struct keeper *k);

#endif
