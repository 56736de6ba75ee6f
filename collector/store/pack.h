/*
 * Packs: append-only files of a month, and a table of where each leaf lies.
 *
 *   packs/2026-11.headers          frames of leaves: u32 length, u32 CRC-32C (both big-endian), bytes
 *   packs/2026-11.CHANNEL.bodies   frames of the bodies of one channel (producer), in the same order
 *   packs/2026-11.offsets          for each leaf two u64, big-endian: where its frame begins in the headers; the
 *                                  channel (upper 8 bits), and where the frame begins in its bodies
 *
 * A channel's bodies of a month are a file of their own, so that their time can end without a byte of the others' being
 * touched (RETENTION.md). The offsets are derived: where they are missing or do not fit, they are made again from the
 * headers. Used by store.c, log.c and the index. Nothing here knows trees or signatures.
 */
#ifndef SEKISHO_STORE_PACK_H
#define SEKISHO_STORE_PACK_H

#include "policy/wire/segment.h"
#include <limits.h>

#define PACKS_MAX 1200u /* months */
#define PACK_OPEN_MAX 6u
#define FRAME_HEAD 8u
#define PLACE_SIZE 16u
#define PACK_CHANNELS CHANNELS_MAX
#define PACK_BUFFER (8u << 20)    /* bodies of a channel that wait in memory before they are written */
#define PACK_HEADERS (64u << 20)  /* headers that wait for one commit */
#define PACK_GROUP_MAX (1u << 17) /* leaves in one commit */

struct pack {
	char month[8];         /* "2026-11" */
	uint64_t first, count; /* its leaves */
	uint64_t header_end, body_end[PACK_CHANNELS];
	int headers, offsets, bodies[PACK_CHANNELS]; /* -1: not open */
	uint64_t used;                               /* when last asked for */
};

/* Bodies of one channel that wait for the next commit. */
struct pack_out {
	struct buf waiting;
	uint64_t written; /* bytes that are in the file already */
};

struct packs {
	char dir[PATH_MAX];
	bool writable;
	struct pack *v;
	unsigned n, open;
	uint64_t clock;

	/* What waits for the next commit; it all belongs to the last pack. */
	struct buf headers, offsets;
	struct pack_out out[PACK_CHANNELS];
	struct digest *leaves; /* of each waiting header, as they were when they came in */
	uint32_t *lengths;
	unsigned waiting;
	bool fresh; /* files were made by this group: the directory is synced too */
};

/* PACKS_FILL: for writing what another store has; bodies that expired there are missing also in the last month. */
enum packs_how { PACKS_READ, PACKS_WRITE, PACKS_FILL };
/*
 * Lists the packs of DIR/packs. For writing: makes the folder, cuts off what lies behind leaf `size` (it was never
 * acknowledged). 0; V_BAD where fewer than `size` leaves are there or a frame before is damaged (file and offset in
 * `why`); -errno.
 */
int packs_open(struct packs *p, const char *dir, enum packs_how how, uint64_t size, struct why *why);
void packs_close(struct packs *p);
/* How many leaves there are: for reading, those that the newest offsets tell. */
uint64_t packs_size(const struct packs *p);

/* Is there room for it in the group that waits? */
bool packs_room(const struct packs *p, const struct segment *s);
/*
 * Appends to what waits; `month` begins a new pack where it is later than the last one's. Without a body (PACKS_FILL):
 * the channel's bodies have expired, also those of the month that are there; none of them may wait. 0, V_FULL, -errno.
 */
int packs_append(struct packs *p, const char *month, const struct segment *s);
/*
 * Writes, syncs, reads the headers back and compares: what waited is durable. On failure nothing is counted and the
 * files may be cut by packs_undo. 0; -errno; -EIO where the bytes read back are not those that were written.
 */
int packs_sync(struct packs *p);
/* Takes what packs_sync wrote as there. */
void packs_done(struct packs *p);
/* Forgets what waits and cuts the files back. 0, -errno. */
int packs_undo(struct packs *p);

/* Makes the offsets of all packs again; `size` leaves must be whole. 0; V_BAD with file and offset; -errno. */
int packs_offsets(struct packs *p, uint64_t size, struct why *why);

/* The pack that holds this leaf, or NULL. */
struct pack *packs_find(struct packs *p, uint64_t leaf);
/*
 * Reads a leaf and its body, appended to `header` and `body` (either may be NULL). Where the body alone is damaged, the
 * header is appended all the same. 0; V_NOT_FOUND; V_BAD with file and offset; -errno.
 */
int packs_read(struct packs *p, uint64_t leaf, struct buf *header, struct buf *body, struct why *why);
/* Bytes of all packs. */
void packs_bytes(const struct packs *p, uint64_t *headers, uint64_t *bodies);

/* --- retention --- */

/* Are the channel's bodies there? Sets *bytes of their file. */
bool packs_have(const struct packs *p, const struct pack *k, unsigned channel, uint64_t *bytes);
/* How many leaves of each channel the pack has. 0; V_BAD; -errno. */
int packs_count(struct packs *p, struct pack *k, uint64_t count[PACK_CHANNELS]);
/* The pack of this month, or NULL. */
struct pack *packs_month(struct packs *p, const char *month);
/*
 * Removes a channel's bodies of a month that is over, durably. *freed: bytes; 0 where they were gone before. V_DENIED
 * for the month that is still being written; -errno.
 */
int packs_expire(struct packs *p, struct pack *k, unsigned channel, uint64_t *freed);

#endif
