/*
 * A policy tried against many records: what it would have decided (replay.h), folded into cases. Alike are decisions on
 * the same device, printer, drive, or protected area with the same program, that were decided alike then, and would be
 * decided alike now by the same rule for the same reason. People and PCs do not tell cases apart: they are counted, and
 * named as far as there is room.
 *
 * For sekishoctl `policy replay` and for the console, which show the same cases. Pure.
 */
#ifndef SEKISHO_RULE_TRIAL_H
#define SEKISHO_RULE_TRIAL_H

#include "policy/base/distinct.h"
#include "policy/rule/replay.h"

#define TRIAL_CHANGED_MAX 5000u       /* cases that would be decided otherwise */
#define TRIAL_SAME_MAX 1000u          /* ... and the same */
#define TRIAL_WORDS_MAX 1000u         /* PCs, and people, of a case */
#define TRIAL_WORDS_BYTES (16u << 20) /* all of them together */
#define TRIAL_LATEST 5u

enum trial_effect { TRIAL_STRICTER = 1, TRIAL_LOOSER, TRIAL_SAME };
/* "stricter", "looser", "same". */
const char *trial_effect_name(enum trial_effect e);

struct trial_case {
	/* What makes it one. Strings are from outside, cut at their room. */
	enum trial_effect effect;
	struct replay decided;                     /* then and now, by which rule and why */
	unsigned kind;                             /* of a device: DEVICE_KIND_* */
	char usb_id[16], serial[DEVICE_TEXT_SIZE]; /* also of the drive that a file was written to */
	char printer[256];                         /* of a print job */
	char program[256];                         /* of a protected file: with which it was opened */

	uint64_t times, pages; /* pages: of print jobs, once, before copies */
	struct distinct hosts, users;
	int64_t last_us;
	char product[DEVICE_TEXT_SIZE], title[256]; /* of the last one; of a file its path */
	/* The last ones, newest first: `row` is the number by which the caller finds the record again. */
	struct trial_seen {
		uint64_t row;
		int64_t at_us;
	} latest[TRIAL_LATEST];
	unsigned latest_n;
};

struct trial_counts {
	uint64_t looked; /* records */
	uint64_t stricter, looser, same;
	uint64_t not_compared; /* no policy's text had decided them, or they say too little */
	uint64_t left_out;     /* compared and counted, but in no case: there were too many cases */
};

struct trial;

/* `p` and `groups` (which end with NULL: everybody is taken to be in them) are borrowed until the end. 0, -ENOMEM. */
int trial_new(const struct policy *p, const char *const *groups, struct trial **out);
/*
 * From here on nothing that is told depends on who a record is of (replay.h, `blind`): for whoever may not read
 * records. A rule that names a person would be a question about that person.
 */
void trial_blind(struct trial *t);
void trial_free(struct trial *t);
DEFINE_CLEANUP(struct trial *, trial_free)

/* One record more, in any order of time; `host` is the name of its PC, or NULL. 0, -ENOMEM. */
int trial_add(struct trial *t, const struct record *r, const char *host, uint64_t row);

const struct trial_counts *trial_counts(const struct trial *t);
/* The cases, stricter ones first, then looser ones, then the same; of each, the most frequent first. */
const struct trial_case *const *trial_cases(struct trial *t, size_t *n);

#endif
