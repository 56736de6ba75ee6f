/*
 * An evidence bundle while it is made: what bundle.c (its steps, its answer), bundle_survey.c (what belongs into it)
 * and bundle_fill.c (its entries) share.
 */
#ifndef SEKISHO_CONSOLE_BUNDLE_PARTS_H
#define SEKISHO_CONSOLE_BUNDLE_PARTS_H

#include "collector/console/look.h"
#include "collector/console/outgoing.h"
#include "policy/exhibit/exhibit.h"

#define BUNDLE_BYTES_MAX (1024ull << 20)
#define BUNDLE_RUN_LEAVES 65536u
#define BUNDLE_EPOCHS_MAX 100000u

/* A sealing key as the survey met it. */
struct met_epoch {
	struct digest host;
	unsigned producer;
	uint64_t number, first, last; /* leaves under it */
	uint8_t kid[COSE_KID_SIZE];
};

/* A chain as the survey walks it. */
struct met_chain {
	struct exhibit_chain k;
	bool fits, known, has_start, started; /* known: some leaf of it came by */
	uint64_t newest, start;               /* its last leaf; the first that is not older than the range */
	bool has_start_before;
	uint64_t start_before;
	uint64_t waiting_n, waiting_bytes, n, bytes; /* from the start on; of them up to k.last */
	uint64_t waiting_gone, gone;                 /* of these, whose bodies are not there any more */
	size_t epoch;                                /* the newest of it, + 1 */
};

struct bundling {
	struct held held;
	struct bundling *next;
	struct console *c;
	struct outgoing by;
	char address[ADDRESS_SIZE];
	struct search search;
	struct digesting *digest;
	enum {
		BUNDLE_SURVEY,
		BUNDLE_CHAINS,
		BUNDLE_SEARCH,
		BUNDLE_LIST,
		BUNDLE_HEAD,
		BUNDLE_RETENTION,
		BUNDLE_SEGMENTS,
		BUNDLE_RUN,
		BUNDLE_END,
		BUNDLE_DRAIN
	} step;
	bool streaming;

	struct store *store; /* its own: the log as it stood at the beginning */
	struct buf note;
	uint64_t at; /* the next leaf */
	struct met_chain *chains;
	size_t chains_n, chains_cap;
	struct met_epoch *epochs;
	size_t epochs_n, epochs_cap;
	struct exhibit_claim claim;
	uint64_t last;                      /* leaf that is carried */
	uint64_t carried_n, gone, gone_put; /* segments of the range; of them without bodies; of these, put */
	/* The collectors' own chains: carried where bodies are gone, up to what they say last of that. */
	uint64_t *own;
	size_t own_n, own_cap, own_at;
	struct digest *own_hosts; /* whose they are, ascending: all there ever were */
	size_t own_hosts_n;
	struct {
		bool there;
		uint64_t until;
	} bodies[CHANNELS_MAX]; /* of each channel, where `at` is: see store_bodies_there */

	uint64_t *rows; /* records of the search */
	size_t rows_n, rows_cap, row_at;
	struct buf list, page_rows;

	struct exhibit_writer *writer;
	struct buf out, run, header, body, text;
	struct why why;
};

/* --- bundle_survey.c --- */

/* Goes on with the survey. 0; V_END: it is over and the claim stands; V_FULL with the reason; -errno. */
int bundle_survey(struct bundling *b);
/* How far the collectors' chains have to go, once it is known whether bodies are gone. As above. */
int bundle_expired(struct bundling *b);
/* Is this leaf carried, and whole? */
bool bundle_carries(const struct bundling *b, const struct segment *s, uint64_t leaf, bool *whole);

/* --- bundle_fill.c --- */

/* One leaf of the log; its body too, where that is there. 0; V_*; -errno. */
int bundle_read(struct bundling *b, uint64_t leaf, bool body, struct segment *s);
/* Each: 0; V_END: it is done; V_* with the reason; -errno. */
int bundle_search(struct bundling *b);
int bundle_list(struct bundling *b);
int bundle_head(struct bundling *b);
int bundle_retention(struct bundling *b);
int bundle_segments(struct bundling *b);
int bundle_run(struct bundling *b);

#endif
