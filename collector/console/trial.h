/*
 * A policy tried against the records while that goes on: what trial.c (what is asked, its life) and trial_tell.c (what
 * whom is told of it) share.
 */
#ifndef SEKISHO_CONSOLE_TRIAL_H
#define SEKISHO_CONSOLE_TRIAL_H

#include "collector/console/look.h"
#include "collector/console/outgoing.h"
#include "policy/rule/trial.h"

#define TRIAL_GROUPS_MAX 32u
#define TRIAL_CASES_TOLD 1000u
#define TRIAL_BYTES_TOLD (2u << 20) /* of all cases in an answer */
#define TRIAL_NAMES_TOLD 12u        /* PCs, and people, of a case */

/* What kept it from being whole. */
enum { TRIAL_CUT_RECORDS = 1 << 0, TRIAL_CUT_TIME = 1 << 1, TRIAL_CUT_CASES = 1 << 2, TRIAL_CUT_ANSWER = 1 << 3 };

struct trying {
	struct held held;
	struct trying *next;
	struct console *c;
	struct outgoing by;
	struct policy *policy;
	json_t *groups; /* their names, which `group` borrows */
	const char *group[TRIAL_GROUPS_MAX + 1];
	struct trial *trial;
	struct search search;
	int64_t since_us, until_us; /* the period */
	bool counting;              /* no more are looked at, only counted */
	uint64_t counted;
	int64_t count_us; /* since when */
	bool of_least;    /* there are more than were counted */
	unsigned cut;     /* TRIAL_CUT_* */
};

/*
 * The answer. `reads`: to whoever may read records; else without titles, people and records, and without the PCs and
 * times of print jobs. NULL without memory.
 */
json_t *trial_told(struct trying *t, bool reads);

#endif
