/*
 * One store's log into another one, of either engine, while a collector goes on with it: `sekisho-collector --move-to`;
 * the same into a copy that no collector opens (`--backup-to`), and back out of it (`--restore-from`).
 *
 * 1. What the source has is copied, group by group, durably, and read back out of the target: each body against the
 *    hash in its signed header, each header into a tree of its own. Again, until both are level. The collector goes on.
 * 2. The source is held (store_hold), which waits until the collector has ended, and the rest is copied and read back.
 * 3. Leaves, root, months, bodies that are there: the target's must be the source's, and the root the one in the
 *    source's signed checkpoint. Then the source is barred, then the target's bar is taken away: at no moment may a
 *    collector append to both.
 *
 * Cut off anywhere, it goes on where it was when it is called again: what the target has must be a beginning of the
 * source's log, which is proven first. The source is written nothing but its bar, at the very end. The target signs
 * checkpoints with the log's key as it is filled: over the same leaves, so no other log than the source's, and nobody
 * is shown them. Index, chains and tiles are made by the target itself; a way back is the same call, the other way.
 */
#ifndef SEKISHO_STORE_MOVE_H
#define SEKISHO_STORE_MOVE_H

#include "collector/store/store.h"

enum move_as {
	MOVE_OVER,    /* as above */
	MOVE_BACKUP,  /* the first step alone: the target stays barred, as a copy, and has more each time */
	MOVE_RESTORE, /* out of a copy, which stays what it is; no collector runs */
};

struct move {
	enum move_as as;
	const char *from, *to; /* places, as store_options.dir */
	const char *to_state;  /* as store_options.state_dir, of the target */
	const struct key *log_key;
	const char *origin;
	/* How far it is. */
	void (*told)(void *ctx, uint64_t done, uint64_t of);
	/*
	 * Level, and a collector still has the source open. Called again and again; waits a moment, and returns 0 to go
	 * on; anything else ends the move, and is returned.
	 */
	int (*level)(void *ctx, uint64_t leaves);
	void *ctx;
	/* Checkpoints, notes signed with the log's key, that others have seen: the source must lead on from each. */
	const struct span *seen;
	unsigned seen_n;
};

struct moved {
	uint64_t leaves, bodies; /* bodies: that were read back and compared */
	struct digest root;
	int64_t held_us; /* for how long nobody could append to either */
};

/*
 * 0: the target is the log now. V_BAD: the stores do not fit together, or something is damaged; V_EXISTS: a collector
 * has the target open (or the copy that is to be restored); V_FULL: its disk is full; what `level` returned; -errno.
 * Where it is not 0, the source is what it was, and the target stays barred.
 */
int store_move(const struct move *m, struct moved *out, struct why *why);

#endif
