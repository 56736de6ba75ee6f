/*
 * The book of retention: what the collectors' own records say of periods, of what expired, of holds, and of who is a
 * collector of the log. Whoever has them keeps it: collectors, which act on nothing else, and verifiers, who judge what
 * these did. What the records mean, and which of them count, is in collector/store/RETENTION.md.
 *
 * Used by ingest and sekishoctl.
 */
#ifndef SEKISHO_WIRE_RETENTION_H
#define SEKISHO_WIRE_RETENTION_H

#include "policy/wire/order.h"
#include "policy/wire/record.h"
#include "policy/wire/segment.h"

#define RETENTION_FOREVER UINT64_MAX
#define RETENTION_FLOOR 12u /* months; less is refused, and suspected */
#define RETENTION_LONGEST 1200u
#define RETENTION_ENTRIES_MAX 65536u /* of each kind */
#define RETENTION_COLLECTORS_MAX 64u /* at a time */

struct retention_setting {
	unsigned channel;
	uint64_t months; /* or RETENTION_FOREVER */
	int64_t when_us;
	uint64_t leaf;
};

struct retention_expiry {
	unsigned channel;
	char month[8];
	uint64_t from, to; /* leaves */
	uint64_t count, bytes, months;
	int64_t when_us;
	uint64_t leaf; /* where the record stands; n: its place in the segment, from 1 */
	unsigned n;
	char rule[96];
	uint8_t *order; /* NULL: its time was over */
	size_t order_n;
};

struct retention_hold {
	char id[20];
	char month[8]; /* "": any */
	bool has_peer;
	struct digest peer;
	char peer_name[128], person[256], reason[512];
	int64_t when_us, lifted_us; /* 0: in force */
	uint64_t leaf, lifted_leaf; /* UINT64_MAX: in force */
};

struct retention {
	struct retention_setting *settings;
	struct retention_expiry *expiries;
	struct retention_hold *holds;
	struct retention_month *months; /* in which month the log was, from which leaf on */
	size_t settings_n, expiries_n, holds_n, months_n;
	struct digest collectors[RETENTION_COLLECTORS_MAX]; /* who decides, the one that began the log first */
	size_t collectors_n;
	uint64_t last, before; /* leaf of the newest decision, and of the one before that leaf, + 1; 0: none */
	bool begun, named;     /* who began it is known; a decision has named its leaf: from there on all do */
};

void retention_deinit(struct retention *t);

/* The collector that began the log; nothing where that is known. */
void retention_begin(struct retention *t, const struct digest *host);
/* Is it a collector of the log, as far as the book goes? */
bool retention_decides(const struct retention *t, const struct digest *host);
/*
 * Takes a record out of a segment of producer collector, of that host, in the order of the log; those of other kinds,
 * those that do not count, and such that say nothing that can be used, are passed over. 0; V_DENIED: of retention, by
 * no collector of the log; V_BAD: passed over, and it names a decision before it that the book does not have; V_FULL;
 * -ENOMEM.
 */
int retention_learn(struct retention *t, const struct digest *host, uint64_t leaf, unsigned n, const struct record *r);
/* Such a segment, sealed then: for judging; the first one is of who began the log. 0; V_FULL; -ENOMEM. */
int retention_seen(struct retention *t, const struct digest *host, uint64_t leaf, int64_t last_us);

/* The longest period in force since the month began, by the records before `leaf`; the floor where there are none. */
uint64_t retention_period(const struct retention *t, unsigned channel, const char *month, uint64_t leaf);
/* The newest one. False where none is known. */
bool retention_newest(const struct retention *t, unsigned channel, uint64_t *months);
/* When the month is over by so many months; INT64_MAX: never. */
int64_t retention_due(const char *month, uint64_t months);
/* "2026-11" of a time; "" where there is none such. */
const char *retention_month(int64_t wall_us, char out[8]);

/* The record by which these bodies expired; NULL. */
const struct retention_expiry *retention_of(const struct retention *t, unsigned channel, const char *month);
/* The record by which the body of a leaf expired; NULL. */
const struct retention_expiry *retention_cover(const struct retention *t, unsigned channel, uint64_t leaf);
/* Was this order used before? */
bool retention_used(const struct retention *t, struct span order);
/* The hold of that name that is in force; NULL: none. */
const struct retention_hold *retention_hold_of(const struct retention *t, const char *id);
/* A hold on the whole month (of no PC or person) at `leaf`, where UINT64_MAX is now; NULL. */
const struct retention_hold *retention_held(const struct retention *t, const char *month, uint64_t leaf);

/* --- retention_judge.c --- */

/*
 * Was it right that this expired? `admins` NULL: an order's signatures are not judged, *unproven is set. `fleet` NULL:
 * nor which log it is for. 0; V_BAD with the reason; -errno.
 */
int retention_judge(const struct retention *t, const struct retention_expiry *e, const struct admins *admins,
	const struct digest *fleet, bool *unproven, struct order *order, struct why *why);

#endif
