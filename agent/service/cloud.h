/*
 * What the recorder tells the guard of files in cloud folders (record.yaml's `cloud`): that one was written, or came
 * there by a rename or a link. One datagram (unix(7), SOCK_DGRAM) each; the guard's socket is for root and the
 * recorder's group. Nobody waits: where the guard is not there, or has no room, the recorder counts it.
 *
 * The recorder has it from the kernel, whoever wrote and in whatever way; a mark of fanotify(7) on a whole home would
 * wake the guard for each file of each program, and does not tell what is moved into a folder. The guard asks for
 * nothing but which file it is: device, inode and name, and looks for itself whether that file still lies there.
 */
#ifndef SEKISHO_SERVICE_CLOUD_H
#define SEKISHO_SERVICE_CLOUD_H

#include "policy/base/buf.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CLOUD_PATH "/run/sekisho/cloud.sock"
#define CLOUD_WORD_MAX 8704u /* bytes: the numbers, a path and a program of 4096 each at most */

struct cloud_word {
	uint32_t dev_major,
		dev_minor;            /* of the file system, as the kernel has it (super_block.s_dev); 0:0: not known */
	uint64_t inode;               /* 0: not known */
	uint32_t pid, uid, login_uid; /* UINT32_MAX: not known */
	bool moved;                   /* came there by its name: it may be a folder with all that is in it */
	struct span path, program;    /* path: from the root; program: may be empty */
};

/* `out` is emptied first. 0; V_BAD: a path is longer than 4096 bytes or not from the root; -ENOMEM. */
int cloud_put(const struct cloud_word *w, struct buf *out);
/* Borrows from `bytes`. 0; V_BAD: it is no such word, whole. */
int cloud_get(struct span bytes, struct cloud_word *out);

/* For sending: *out is the caller's, non-blocking. 0, -errno. */
int cloud_sender(int *out);
/* 0; V_NOT_FOUND: nobody listens; V_FULL: who listens has no room; V_BAD as cloud_put; -errno. */
int cloud_send(int fd, const struct cloud_word *w);
/* Somebody listens, as far as can be seen without a word to him. */
bool cloud_heard(void);
/* Listens in place of what was there, for root and the group `gid`. *out is the caller's, non-blocking. 0, -errno. */
int cloud_listen(gid_t gid, int *out);
/* Who sends from now on is told that nobody listens; what was sent can still be received. */
void cloud_unname(void);
/* Nobody listens any more. */
void cloud_unlisten(int *fd);

#endif
