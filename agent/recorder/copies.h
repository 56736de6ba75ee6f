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
#include "agent/recorder/devices.h"
#include "agent/service/look.h"

#define COPIES_ROWS 32u           /* reads are kept in rows, by process: one that reads much pushes out its own */
#define COPIES_ROW 256u           /* in each */
#define COPIES_TEXT (2u << 20)    /* bytes of their paths */
#define COPIES_DRAFTS 4096u       /* files that were written, and wait for their source and their last name */
#define COPIES_HOLD_US 1000000    /* so long */
#define COPIES_WINDOW_US 10000000 /* between reading the one and writing the other */
#define COPIES_SMALL 4096u        /* below that, files of one size are no rare thing */
#define COPIES_LOOKS 256u         /* of the guard's, that are remembered */
/* For the guard's look at a copy, since that was closed: what has its turn has it by then (written.c). */
#define COPIES_LOOK_US 30000000
#define COPIES_PARKED 1024u    /* that wait for it, as many as wait for the guard; ... */
#define COPIES_PARKED_LONG 64u /* of them with long paths, for which there is less room */
#define COPIES_VAIN                                                                                      \
	8u /* so many in vain on one device: no others wait there, until the guard tells of a file on it \
	    */

/* Where a copy and its source lay when it was settled. */
struct copy_places {
	unsigned class, from_class; /* CLASS_*; 0: not known */
	char fs[DEVICES_FS_SIZE];   /* type of the copy's file system; "": not known */
};

/* A copy. Borrowed during the call. */
struct copy {
	struct seen seen;    /* of KIND_COPY; who made it; path: the copy, path2: its source, object: the copy's */
	struct span program; /* that wrote it */
	unsigned certainty, reason; /* CERTAINTY_*, REASON_* */
	uint32_t from_major, from_minor;
	uint64_t from_inode;
	uint64_t bytes;    /* how many of the source's are known to have moved; 0: unknown */
	uint32_t rivals;   /* times that another file was read which may as well be the source */
	struct span drive; /* that it lies on, as copies_event was told (devices.h); n 0: none is known */
	const struct copy_places *places; /* as copies_awaits_fn told; NULL: as it is now */
	const struct digest *hash;        /* SHA-256 of the bytes that the guard read of it; NULL: not known */
};

/* 0, or -errno: passed up. */
typedef int (*copy_fn)(void *ctx, const struct copy *c);
/* Will the guard look into this copy, as far as is known? Then it is told when that was done, with these places. */
typedef bool (*copies_awaits_fn)(void *ctx, const struct copy *c, struct copy_places *places);

struct copies_stats {
	uint64_t told;
	uint64_t reads_evicted;  /* that were pushed out within the time in which they could have been a source */
	uint64_t drafts_evicted; /* that were pushed out before their time: told as far as they were known by then */
	uint64_t hashed;         /* of those that were told: with a hash */
	uint64_t unlooked;       /* for which a look was awaited in vain */
	uint64_t names_refused;
};

struct copies;

/* 0, -errno. */
int copies_new(copy_fn fn, void *ctx, struct copies **out);
void copies_free(struct copies *c);
/* From now on copies of which `fn` (with the context of copies_new) says so wait for copies_looked, a bounded time. */
void copies_await(struct copies *c, copies_awaits_fn fn);

/*
 * Takes an event (KIND_COPY, KIND_FILE, KIND_RENAME, KIND_TRUNCATE; others are passed over) of a process that runs
 * `program` when it is told, on that drive (n 0: on none). Paths are tidied already. 0, -errno of the callback.
 */
int copies_event(struct copies *c, const struct seen *s, struct span program, struct span drive);
/*
 * The guard looked into a file, or will not. A look counts for a copy where it began behind its last close, the size is
 * the copy's, and nobody wrote to the file in between; what it says is used by copies_run, once the events from before
 * the look were told.
 */
void copies_looked(struct copies *c, const struct look_word *w);
/* Tells what has waited long enough at `now_us` (CLOCK_BOOTTIME; where events come in, the last one's time). */
int copies_run(struct copies *c, int64_t now_us);
/* Tells all that waits, also what is still being written. */
int copies_flush(struct copies *c);
/* When copies_run has something to do; INT64_MAX: never. */
int64_t copies_due(const struct copies *c);
void copies_stats(const struct copies *c, struct copies_stats *out);

#endif
