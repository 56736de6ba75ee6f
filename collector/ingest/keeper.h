/*
 * What retention.c (when, and how a month goes), retention_held.c (what holds it) and retention_desk.c (who asks)
 * share.
 */
#ifndef SEKISHO_INGEST_KEEPER_H
#define SEKISHO_INGEST_KEEPER_H

#include "collector/ingest/ingest.h"
#include "policy/wire/retention.h"

/* A month and channel that was found to be held: not looked through again while the hold is in force. */
struct found_held {
	char month[8], hold[20];
	unsigned channel;
};

struct keeper {
	struct ingest *in;
	struct retention book;
	bool loaded;
	uint64_t last_row; /* what the book has learned */
	struct event *timer;
	struct log_limit log;
	struct found_held *held;
	size_t held_n;
};

/* Channels that expire, and what the settings say of them. */
extern const unsigned keeper_channels[];
#define KEEPER_CHANNELS 5u
uint64_t keeper_setting(const struct config *c, unsigned channel);

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
/* 0 with the hold, or NULL where nothing holds it; -errno. */
int keeper_held(struct keeper *k, const struct store_month *m, unsigned channel, const struct retention_hold **out);

#endif
