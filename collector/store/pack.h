/*
 * Packs: one pair of append-only files a month, and a table of where each leaf lies.
 *
 *   packs/2026-11.headers   frames of leaves: u32 length, u32 CRC-32C (both big-endian), bytes
 *   packs/2026-11.bodies    frames of bodies, in the same order
 *   packs/2026-11.offsets   for each leaf two u64, big-endian: where its frame begins in either file
 *
 * The offsets are derived: where they are missing or do not fit, they are made again from the headers.
 * Used by store.c, log.c and the index. Nothing here knows trees or signatures.
 */
#ifndef SEKISHO_STORE_PACK_H
#define SEKISHO_STORE_PACK_H

#include "policy/wire/segment.h"
#include <limits.h>

#define PACKS_MAX 1200u /* months */
#define PACK_OPEN_MAX 6u
#define FRAME_HEAD 8u
#define PLACE_SIZE 16u
#define PACK_BUFFER (8u << 20)    /* bodies that wait in memory before they are written */
#define PACK_HEADERS (64u << 20)  /* headers that wait for one commit */
#define PACK_GROUP_MAX (1u << 17) /* leaves in one commit */

struct pack {
	char month[8];         /* "2026-11" */
	uint64_t first, count; /* its leaves */
	uint64_t header_end, body_end;
	int headers, bodies, offsets; /* -1: not open */
	bool expired;                 /* no bodies any more */
	uint64_t used;                /* when last asked for */
};

struct packs {
	char dir[PATH_MAX];
	bool writable;
	struct pack *v;
	unsigned n, open;
	uint64_t clock;

	/* What waits for the next commit; it all belongs to the last pack. */
	struct buf headers, bodies, offsets;
	struct digest *leaves; /* of each waiting header, as they were when they came in */
	uint32_t *lengths;
	unsigned waiting;
	uint64_t bodies_written; /* bytes of waiting bodies that are in the file already */
	bool fresh;              /* the files were made by this group: the directory is synced too */
};

/*
 * Lists the packs of DIR/packs. For writing: makes the folder, cuts off what lies behind leaf `size` (it was never
 * acknowledged). 0; V_BAD where fewer than `size` leaves are there or a frame before is damaged (file and offset in
 * `why`); -errno.
 */
int packs_open(struct packs *p, const char *dir, bool writable, uint64_t size, struct why *why);
void packs_close(struct packs *p);
/* How many leaves there are: for reading, those that the newest offsets tell. */
uint64_t packs_size(const struct packs *p);

/* Is there room for it in the group that waits? */
bool packs_room(const struct packs *p, const struct segment *s);
/* Appends to what waits; `month` begins a new pack where it is later than the last one's. 0, V_FULL, -errno. */
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

#endif
