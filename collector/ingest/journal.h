/*
 * The collector's own records, in the same log as everybody's: sealed by a producer of its own (its device key, its
 * spool), put into the store in this process. What outsiders can cause is counted and told at most once a minute per
 * PC and cause.
 */
#ifndef SEKISHO_INGEST_JOURNAL_H
#define SEKISHO_INGEST_JOURNAL_H

#include "collector/ingest/keys.h"
#include "collector/store/store.h"

struct journal;

/*
 * Before the first: where the log has more of the collector's own chain than its spool knows of (a restore), the spool
 * learns it from there. 0; V_BAD where that segment cannot be read; -errno.
 */
int journal_regain(const struct config *c, const struct keys *k, struct store *s, struct why *why);
/* 0; V_EXISTS where another collector runs; -errno. */
int journal_new(const struct config *c, const struct keys *k, struct store *s, struct journal **out, struct why *why);
void journal_free(struct journal *j);
DEFINE_CLEANUP(struct journal *, journal_free)

/*
 * What a record is about. Everything but `kind` may be left out. What an administrator does and what changes who is
 * known is `urgent`: it is on the disk when journal_put returns.
 */
struct entry {
	unsigned kind;
	const struct store_host *host; /* PEER, PEER_NAME */
	const struct digest *peer;     /* PEER where there is no host */
	bool with_key;                 /* KEY: the host's device key */
	const struct digest *hash;
	unsigned cause;
	bool has_range, has_uid, urgent;
	uint64_t from_seq, to_seq, count;
	unsigned uid;
	const char *text;
	const struct kept *kept; /* of retention; NULL: nothing */
};

/* What records of retention say (collector/store/RETENTION.md). What is NULL, empty or 0 is left out. */
struct kept {
	unsigned channel;
	const char *month, *rule, *hold, *person, *signer;
	uint64_t months; /* 0, or RETENTION_FOREVER: left out */
	bool has_leaves;
	uint64_t from_leaf, to_leaf, bytes;
	struct span order;
	bool decided, follows; /* it is one that counts by its place: in own_leaf, behind that of after_leaf, if any */
	uint64_t own_leaf, after_leaf;
};
/* 0 (also where the spool was full: that is counted, and told by the next segment); -errno. */
int journal_put(struct journal *j, const struct entry *e);

/* A refusal: told at once where it is the first of its kind within a minute, else counted. 0, -errno. */
int journal_refused(struct journal *j, const struct store_host *host, const struct digest *peer, unsigned cause,
	const struct digest *header_hash, uint64_t seq, const char *text);
/* How often segments were refused since the start. */
uint64_t journal_refusals(const struct journal *j, unsigned cause);

/* Boot clock, us, when journal_run wants to be called. */
int64_t journal_due(const struct journal *j);
/* Seals what is due, tells what was counted. 0, -errno. */
int journal_run(struct journal *j, int64_t now_boot_us);
/* Appends sealed segments to the store: *n of them are new. They are in the log with the next commit. 0, -errno. */
int journal_drain(struct journal *j, unsigned *n);
/*
 * Which segment is drained next, and how many records found no room since the start: who asks before and behind a
 * record knows whether it was drained, alone.
 */
uint64_t journal_next(const struct journal *j);
uint64_t journal_dropped(const struct journal *j);
/* The store has committed: what was drained before is done with. 0, -errno. */
int journal_settled(struct journal *j);
/* The store was lost and is back: what was drained and is not settled is drained again. */
void journal_again(struct journal *j);
/* The last segment, when the process ends. 0, -errno. */
int journal_last(struct journal *j);

#endif
