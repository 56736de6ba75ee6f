/*
 * Judging an evidence bundle: what verify_bundle.c (entries), verify_carried.c (segments and proofs), verify_range.c
 * (is anything of the range left out?), verify_gone.c (bodies that are not there), verify_cosigned.c, verify_stamped.c
 * and verify_list.c share. ../exhibit/EVIDENCE.md says what is judged.
 */
#ifndef SEKISHO_CTL_VERIFY_BUNDLE_H
#define SEKISHO_CTL_VERIFY_BUNDLE_H

#include "policy/ctl/expired.h"
#include "policy/ctl/verify.h"
#include "policy/exhibit/exhibit.h"
#include "policy/trust/merkle.h"

/* A chain of the claim while its segments come by. */
struct chain_state {
	bool any;
	uint64_t newest; /* its last leaf so far */
	bool at_first, at_last, at_before, at_after;
	int64_t until_us; /* the latest time in what was carried */
};

struct judged {
	struct report *report;
	struct exhibit_claim *claim;           /* NULL before bundle.json */
	struct checkpoint head, seen, stamped; /* seen: what was cosigned */
	struct buf entry, note, cosigned, stamped_note, list, rows, page, made, body;
	char name[EXHIBIT_NAME_SIZE], last[EXHIBIT_NAME_SIZE];
	int rank; /* of the entry before */
	size_t list_at;
	uint64_t listed;
	struct chain_state *chains; /* beside claim->chains */
	uint64_t *leaves;           /* what is carried, ascending */
	size_t leaves_n;
	struct digest left[64]; /* the tree before the run, from the largest part to the smallest */
	unsigned left_n;
	struct segment pending; /* waits for its proof */
	struct digest pending_leaf;
	uint64_t pending_index;
	bool own; /* what comes by is of a collector's own chain */
	bool has_pending, pending_own, has_run;
	uint64_t open_ends;
	struct expired expired; /* what collectors say of bodies that are gone; below, their chains */
	struct {
		struct digest host, hash; /* its last header so far */
	} * owns;
	size_t owns_n;
	uint64_t own_n, own_last;
	uint64_t gone; /* segments of the range without their bodies */
};

/* The last leaf that is carried. */
uint64_t bundle_last(const struct judged *j);
/* Something is wrong with the bundle as such. */
void bundle_tell(struct judged *j, const char *word, const struct header *h, const char *text);

/* --- verify_carried.c --- */

/* A segment, a header, or a proof. 0; V_BAD: nothing behind it can be judged (told); -errno. */
int carried_take(struct judged *j);

/* --- verify_range.c --- */

/* A segment or header of a chain, in the order of the log: is it where the claim says, and of the time it says?
 * 0; -errno. */
int range_take(struct judged *j, uint64_t leaf, const struct segment *s);
/* The proof of the first leaf of the run: what stands before it in the tree. */
void range_left(struct judged *j, uint64_t index, uint64_t size, const struct merkle_proof *p);
/* run.headers: all leaves from claim->run to the end. 0; -errno. */
int range_run(struct judged *j, struct span run);
/* Everything has come by. */
void range_end(struct judged *j);

/* --- verify_gone.c --- */

/* A segment of a collector's own chain, good by itself: is it the next one? What it says of retention. 0; -errno. */
int gone_take(struct judged *j, uint64_t leaf, const struct segment *s);
/* A segment of the range, with its body or without: is that what the collector's records say? 0; -errno. */
int gone_judge(struct judged *j, uint64_t leaf, const struct segment *s);
/* Everything has come by: tells by which records, and judges these. 0; -errno. */
int gone_end(struct judged *j);

/* --- verify_cosigned.c --- */

/* A checkpoint of the same log, not larger than the bundle's, of size 0 where it is not good (told). 0; -errno. */
int earlier_take(struct judged *j, struct checkpoint *out);
/* That `checkpoint` extends it. As above. */
int earlier_prove(struct judged *j, struct checkpoint *of);
/* The entries of what was cosigned: its note, that `checkpoint` extends it, whose keys. 0; -errno. */
int cosigned_take(struct judged *j);
int cosigned_prove(struct judged *j);
int cosigned_judge(struct judged *j);
/* Everything has come by: does it cover what is carried, and is it enough? */
void cosigned_end(struct judged *j);

/* --- verify_stamped.c --- */

/* The entries of what was stamped: its note, that `checkpoint` extends it, the token. 0; -errno. */
int stamped_take(struct judged *j);
int stamped_prove(struct judged *j);
int stamped_judge(struct judged *j);
/* Everything has come by: where --tsa-ca is given, a good token has to cover it. */
void stamped_end(struct judged *j);

/* --- verify_list.c --- */

/* The lines of the list that are of this segment: each says what its record says. 0; -errno. */
int list_segment(struct judged *j, uint64_t leaf, const struct segment *s);
/* Everything has come by: nothing is left of the list, and the page is the one that is made from it. 0; -errno. */
int list_end(struct judged *j);
/* Says which range and which PCs were proven. */
void list_scope(const struct judged *j);

#endif
