/*
 * What the guard tells the recorder of a file that it looked into, on a drive or in a cloud folder: which bytes lay
 * there, so that the record of a copy has them. One datagram (word.h) each; the recorder's socket is for root alone.
 * The guard waits for nothing: where the recorder is not there, or has no room, its own record of the file has the
 * hash all the same.
 */
#ifndef SEKISHO_SERVICE_LOOK_H
#define SEKISHO_SERVICE_LOOK_H

#include "policy/trust/digest.h"
#include <stdbool.h>
#include <stdint.h>

#define LOOK_PATH "/run/sekisho/look.sock"
#define LOOK_WORD_SIZE 80u

struct look_word {
	uint32_t dev_major, dev_minor; /* of the file system, as the kernel has it (super_block.s_dev) */
	uint64_t inode, size;
	int64_t begun_us;   /* CLOCK_BOOTTIME: when reading began; of a file that was not read: when that was decided */
	int64_t ended_us;   /* when it ended */
	bool has_hash;      /* all of it was read, and neither size nor times changed meanwhile */
	struct digest hash; /* SHA-256 */
};

void look_put(const struct look_word *w, uint8_t out[LOOK_WORD_SIZE]);
/* 0; V_BAD: it is no such word. */
int look_get(struct span bytes, struct look_word *out);

/* As word_send, word_listen. */
int look_send(int fd, const struct look_word *w);
int look_listen(int *out);
void look_unlisten(int *fd);

#endif
