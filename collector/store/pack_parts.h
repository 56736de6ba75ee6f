/*
 * What pack.c and pack_open.c share. Others use pack.h.
 */
#ifndef SEKISHO_STORE_PACK_PARTS_H
#define SEKISHO_STORE_PACK_PARTS_H

#include "collector/store/pack.h"

int pack_path(const struct packs *p, const struct pack *k, const char *what, char *out, size_t size);
/* Opens the pack's files; with `make`, creates them. A bodies file that is gone makes it an expired pack. */
int pack_files(struct packs *p, struct pack *k, bool make);
void pack_shut(struct packs *p, struct pack *k);
/* 0; V_END where the file ends before; -errno. */
int pack_read_at(int fd, void *bytes, size_t n, uint64_t at);
/* Appends the bytes of the frame at `at`. 0; V_BAD with file and offset; -errno. */
int pack_frame(
	const struct pack *k, const char *what, int fd, uint64_t at, uint32_t max, struct buf *out, struct why *why);
int pack_damaged(struct why *why, const struct pack *k, const char *what, uint64_t at, const char *how);

#endif
