/*
 * Judging a segment before it is stored: whose it is, who sealed it, what it continues. Called for each segment of each
 * request; the only way into the store for what comes from outside.
 *
 * The rules of a chain (host, producer):
 *  - a header is verified with the key of its epoch; an epoch begins with the certificate in its first header, signed
 * by the PC's device key, and with the predecessor's key where the producer went on;
 *  - seq is the predecessor's plus one; the epoch never goes back, and goes on only with a certificate that was not
 * seen before, so that nobody puts an old segment in again under a newer key;
 *  - a predecessor that is not known is a gap: taken only where the PC says that it is lost, and told;
 *  - a predecessor that has a successor already is a fork: taken, and told (both sides are evidence).
 * A body that was signed but does not hold what its header says is taken, and told: it is evidence, too. So is one in
 * which a PC says what only servers say: to refuse it would be a hole in the PC's chain, made by whoever sent it.
 */
#ifndef SEKISHO_INGEST_JUDGE_H
#define SEKISHO_INGEST_JUDGE_H

#include "collector/store/store.h"

enum judged { JUDGED_STORED, JUDGED_KNOWN, JUDGED_GAP, JUDGED_REFUSED };

enum {
	FOUND_GAP = 1 << 0,    /* gap_from..gap_to are lost */
	FOUND_FORK = 1 << 1,   /* the history has two ends now */
	FOUND_REJOIN = 1 << 2, /* the producer lost its chain's state and began anew */
	FOUND_BODY = 1 << 3,   /* stored, but `why` says what is wrong with its body */
	FOUND_POSING = 1 << 4, /* stored, but it holds a record of `posing`, a kind that only servers tell of */
};

struct judgement {
	enum judged as;
	unsigned cause; /* JUDGED_REFUSED: CAUSE_* */
	struct why why;
	uint64_t index;    /* JUDGED_STORED and JUDGED_KNOWN */
	uint64_t expected; /* JUDGED_GAP */
	unsigned found;
	uint64_t posing;
	uint64_t gap_from, gap_to;
};

struct judge;

int judge_new(struct store *s, struct judge **out);
void judge_free(struct judge *j);
DEFINE_CLEANUP(struct judge *, judge_free)

/* The store was lost and is back: what was appended behind its last commit may have gone, and others be in its place.
 */
void judge_forget(struct judge *j);

/*
 * Judges one segment that came from the PC `host` (its device key is `device`), and appends it to the store where it is
 * good. *gap_lost: the PC says that what is before is lost; cleared when that was needed. 0 with *out; V_AGAIN: the
 * store waits (store_waits), nothing was judged; -errno (then the store may be in disorder, and the process must end;
 * -ENOSPC and -EDQUOT included).
 */
int judge_segment(struct judge *j, const struct segment *s, const struct store_host *host, const struct key *device,
	bool *gap_lost, struct judgement *out);

#endif
