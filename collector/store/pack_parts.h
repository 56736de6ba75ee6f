/*
 * What pack.c and pack_open.c share. Others use pack.h.
 */
#ifndef SEKISHO_STORE_PACK_PARTS_H
#define SEKISHO_STORE_PACK_PARTS_H

#include "collector/store/pack.h"

#define PACK_NONE                                                                          \
	{                                                                                  \
		.headers = -1, .offsets = -1, .bodies = { [0 ... PACK_CHANNELS - 1] = -1 } \
	}

int pack_path(const struct packs *p, const struct pack *k, const char *what, char *out, size_t size);
/* Opens headers and offsets; with `make`, creates them. */
int pack_files(struct packs *p, struct pack *k, bool make);
/* Opens the bodies of a channel. 0 with *fd, which stays the pack's; V_NOT_FOUND where they have expired; -errno. */
int pack_bodies(struct packs *p, struct pack *k, unsigned channel, bool make, int *fd);
/* "recorder.bodies", for messages and paths. */
const char *pack_bodies_name(unsigned channel, char out[32]);
/* The second number of a place, taken apart. False for one that cannot be. */
bool pack_place(uint64_t code, unsigned *channel, uint64_t *at);
uint64_t pack_place_code(unsigned channel, uint64_t at);
void pack_shut(struct packs *p, struct pack *k);
/* 0; V_END where the file ends before; -errno. */
int pack_read_at(int fd, void *bytes, size_t n, uint64_t at);
/* Appends the bytes of the frame at `at`. 0; V_BAD with file and offset; -errno. */
int pack_frame(
	const struct pack *k, const char *what, int fd, uint64_t at, uint32_t max, struct buf *out, struct why *why);
int pack_damaged(struct why *why, const struct pack *k, const char *what, uint64_t at, const char *how);

/* --- pack_split.c --- */

/* Does the month lie in the former layout: the bodies of all channels in one file? */
bool pack_former(const struct packs *p, const struct pack *k);
/*
 * Takes a month of that layout over into this one; nothing where it is not. `size` is the checkpoint's. The pack is
 * not open. 0; V_BAD where a leaf under the checkpoint is not whole, with the reason: nothing was changed; -errno.
 */
int pack_split(struct packs *p, const struct pack *k, uint64_t size, struct why *why);

#endif
