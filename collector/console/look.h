/*
 * Going through the logs for somebody: in order, from where a cursor stands, no further than a bound, and past whatever
 * is not theirs to see. All that shows records to people goes through here.
 */
#ifndef SEKISHO_CONSOLE_LOOK_H
#define SEKISHO_CONSOLE_LOOK_H

#include "collector/console/console.h"
#include "collector/console/search.h"

struct looking {
	struct console *c;
	const struct account *account; /* whose scope holds */
	struct search *search;
	uint64_t most; /* records to look at */
	unsigned
		wanted; /* about so many will be taken; 0: nobody knows. What is common needs no lists of where it is */
	/* Takes a record that fits. 0; V_END: it is not taken, and none behind it; -errno. */
	store_row_fn take;
	void *ctx;
	/* Nothing is read out of the packs: `take` gets each record's number and moment alone, and nobody looks whose
	 * it is. For counting, and for accounts that see all PCs. */
	bool bare;
	/* So long after the first record it ends behind the one at hand, as if that were the last of `most`: what it
	 * takes to find the first one is spent once for all of them. 0: it does not. */
	int64_t slice_us;

	/* Where it ended. */
	uint64_t looked;
	int64_t end_us; /* boot clock: of its slice */
	bool more;      /* there may be others behind the cursor */
	int64_t at_us;  /* the last record that was taken or passed over */
	uint64_t at_row;
};

/* 0; V_BAD, V_FULL with the reason; V_NOT_FOUND where there is no store; -errno. */
int look(struct looking *l, struct why *why);
/* The search goes on behind what was looked at. */
void look_on(const struct looking *l, struct search *s);
/*
 * A piece of what is asked behind people's own questions, which wait for it: 50 ms behind the first record, or 20,000
 * records, and the search goes on behind it, also where it broke off. Sets `most` and `slice_us`. *done: nothing is
 * left. 0; what look() returns.
 */
int look_step(struct looking *l, bool *done);
#define LOOK_STEP_US 50000
/*
 * The same for what was there before the process began, of `kinds` and of the last `since_us`, from the newest back; of
 * all PCs, what came since then left out. A window of time is asked for after the other: a search over all of it would
 * sort a thousand PCs' segments anew at each step. Windows get longer where little is, and shorter where much is. Zero
 * at first. After a refusal of the store it rests for a minute.
 */
struct looking_back {
	struct search search; /* of the window at hand */
	bool begun, done;
	int64_t since_us, window_us,
		spent_us; /* the first moment; how long a window is; what the one at hand has taken */
	int64_t rest_us;  /* boot clock: until then nothing is asked */
};
int look_back(struct console *c, struct looking_back *b, int64_t since_us, const unsigned *kinds, size_t n,
	int (*take)(struct console *c, const struct store_row *row));
/* A cursor to go on with, or null. */
json_t *look_next(const struct looking *l);

/*
 * Whose records the host's are, where it is no PC: PRODUCER_COLLECTOR, _CONSOLE, _HERALD, which the collector takes
 * from nobody else. 0 for PCs.
 */
unsigned look_server(struct console *c, const struct digest *host);
/* May the account see it? Records of PCs in its scope, and what the servers tell of these PCs. */
bool look_sees(struct console *c, const struct account *a, const struct store_row *row);

/* The number of a record, in a path. False: answered. */
bool row_of_path(struct call *x, uint64_t *row);

struct looked_up {
	struct digest host;
	char host_name[128];
	int64_t time_us;
};
/* A record by its number. 0 with its JSON; V_NOT_FOUND, also where this account may not see it; V_BAD; -errno. */
int look_up(struct call *x, uint64_t row, struct looked_up *out, json_t **record, struct why *why);

#endif
