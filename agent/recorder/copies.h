/*
 * Which file was made from which: the copies among the kernel's events. What the kernel itself carried from one file to
 * the other is exact; of what a program read and wrote it is inferred, with a certainty and a reason. README.md says
 * what counts as what.
 *
 * Called for every event; allocates nothing after copies_new(). What gives way is counted.
 */
#ifndef SEKISHO_RECORDER_COPIES_H
#define SEKISHO_RECORDER_COPIES_H

#include "agent/recorder/decode.h"

#define COPIES_ROWS 32u           /* reads are kept in rows, by process: one that reads much pushes out its own */
#define COPIES_ROW 256u           /* in each */
#define COPIES_TEXT (2u << 20)    /* bytes of their paths */
#define COPIES_DRAFTS 4096u       /* files that were written, and wait for their source and their last name */
#define COPIES_HOLD_US 1000000    /* so long */
#define COPIES_WINDOW_US 10000000 /* between reading the one and writing the other */
#define COPIES_SMALL 4096u        /* below that, files of one size are no rare thing */

/* A copy. Borrowed during the call. */
struct copy {
	struct seen seen;    /* of KIND_COPY; who made it; path: the copy, path2: its source, object: the copy's */
	struct span program; /* that wrote it */
	unsigned certainty, reason; /* CERTAINTY_*, REASON_* */
	uint32_t from_major, from_minor;
	uint64_t from_inode;
	uint64_t bytes;  /* how many of the source's are known to have moved; 0: unknown */
	uint32_t rivals; /* times that another file was read which may as well be the source */
};

/* 0, or -errno: passed up. */
typedef int (*copy_fn)(void *ctx, const struct copy *c);

struct copies_stats {
	uint64_t told;
	uint64_t reads_evicted;  /* that were pushed out within the time in which they could have been a source */
	uint64_t drafts_evicted; /* that were pushed out before their time: told as far as they were known by then */
	uint64_t names_refused;
};

struct copies;

/* 0, -errno. */
int copies_new(copy_fn fn, void *ctx, struct copies **out);
void copies_free(struct copies *c);

/*
 * Takes an event (KIND_COPY, KIND_FILE, KIND_RENAME; others are passed over) of a process that runs `program` when it
 * is told. Paths are tidied already. 0, -errno of the callback.
 */
int copies_event(struct copies *c, const struct seen *s, struct span program);
/* Tells what has waited long enough at `now_us` (CLOCK_BOOTTIME; where events come in, the last one's time). */
int copies_run(struct copies *c, int64_t now_us);
/* Tells all that waits, also what is still being written. */
int copies_flush(struct copies *c);
/* When copies_run has something to do; INT64_MAX: never. */
int64_t copies_due(const struct copies *c);
void copies_stats(const struct copies *c, struct copies_stats *out);

#endif
