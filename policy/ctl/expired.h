/*
 * Bodies that are not there: did their time end, or did somebody take them away? For verify_store.c; what
 * is judged is in collector/store/RETENTION.md.
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
	struct digest own;         /* the collector of this log */
	bool has_own;
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
 * All have come by: tells what expired by which record, and what is wrong with it, as far as the leaves that came say.
 * 0, -errno.
 */
int expired_end(struct expired *e, const struct report *r);

#endif
