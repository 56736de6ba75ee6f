/*
 * Bodies that are not there: did their time end, or did somebody take them away? For verify_store.c and
 * verify_gone.c (bundles); what is judged is in collector/store/RETENTION.md.
 */
#ifndef SEKISHO_CTL_EXPIRED_H
#define SEKISHO_CTL_EXPIRED_H

#include "policy/ctl/verify.h"
#include "policy/wire/retention.h"

struct absence;

struct expired {
	struct retention book;
	struct absence *runs; /* leaves without body, by channel */
	size_t runs_n;
	size_t open[CHANNELS_MAX]; /* the run that may go on, from 1 */
	bool *used;                /* beside book.expiries, from the first question on: see expired_by */
	bool has_stranger;         /* somebody who is no collector of the log tells of retention: first in this leaf */
	uint64_t stranger;
	struct admins admins;
	bool has_admins;
	struct digest fleet;
	bool has_fleet;
	struct buf raw;
	struct record record;
};

/*
 * The administrators' keys: --admins, or what lies beside the store; neither: orders are not judged. EXIT_*, said. The
 * log's key is in `r` by then.
 */
int expired_begin(struct expired *e, const struct report *r, const char *store);
void expired_deinit(struct expired *e);
/* A leaf, in the order of the log; `s->bytes` is empty where its body is not there. 0, -errno. */
int expired_take(struct expired *e, uint64_t leaf, const struct segment *s);
/*
 * The record by which the body of a leaf expired, which is then among those that expired_end tells; *by NULL: none. All
 * of the collector's records have come by. 0, -ENOMEM.
 */
int expired_by(struct expired *e, unsigned channel, uint64_t leaf, const struct retention_expiry **by);
/* A body is not there, and no record that came by says that it expired. */
bool expired_unsaid(const struct expired *e);
/*
 * All have come by: tells what expired by which record, and what is wrong with it, as far as the leaves that came say;
 * where expired_by was asked, of those records alone that it named. 0, -errno.
 */
int expired_end(struct expired *e, const struct report *r);

#endif
