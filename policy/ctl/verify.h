/*
 * The halves of `sekishoctl verify`: on a collector's store, and on files carried away. Both feed one audit and one
 * report.
 */
#ifndef SEKISHO_CTL_VERIFY_H
#define SEKISHO_CTL_VERIFY_H

#include "policy/ctl/audit.h"
#include "policy/ctl/heads.h"
#include "policy/ctl/timestamps.h"
#include "policy/ctl/witnesses.h"

struct report {
	const struct ctl *ctl;
	struct audit *audit;
	struct heads *heads; /* trees of the log that were shown, by anybody */
	struct verifier log; /* key NULL: not given */
	struct witnesses witnesses;
	struct timestamps timestamps;
	const char *(*place)(void *ctx, uint64_t place);
	void *place_ctx;
	int64_t began_us, shown_us; /* progress */
	bool operands_only;         /* files, not a store: its checkpoints are those of --checkpoint */
	bool progress;              /* a line of it stands on the terminal */
};

/* "done of all", where it takes longer than two seconds and a person looks on. */
void report_progress(struct report *r, uint64_t done, uint64_t of);
void report_clear(struct report *r);

/* The tree of `size` has `root`, says `place`: tells where somebody said otherwise. 0, -ENOMEM. */
int report_head(struct report *r, uint64_t size, const struct digest *root, const char *place, const struct header *h);

/* The log's key into `log`: --log-key, or for a store the one that lies beside it. EXIT_*, said. */
int verify_log_key(struct report *r, const char *store);
/* What an audit calls: `ctx` is the report. */
void verify_finding(void *ctx, const struct finding *f);
const char *verify_place(void *ctx, uint64_t place);
/* The sums, at the end. EXIT_*. */
int verify_summary(struct report *r);

/* Judge everything; findings are told on the way. 0; EXIT_* after saying why it cannot be done. */
int verify_files(struct report *r, char **paths); /* ends with NULL */
int verify_store(struct report *r, const char *dir);

#endif
