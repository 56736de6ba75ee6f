/*
 * Words between the agent's programs, one datagram (unix(7), SOCK_DGRAM) each, to a socket that only its receiver's
 * place in the file system and its mode guard. Nobody waits: what does not arrive is the sender's to know.
 */
#ifndef SEKISHO_SERVICE_WORD_H
#define SEKISHO_SERVICE_WORD_H

#include "policy/base/buf.h"
#include <stdbool.h>
#include <sys/types.h>

/* For sending: *out is the caller's, non-blocking. 0, -errno. */
int word_sender(int *out);
/* 0; V_NOT_FOUND: neither root nor we ourselves listen at `path`; V_FULL: who listens has no room; -errno. */
int word_send(int fd, const char *path, struct span word);
/* Somebody to whom words are sent listens at `path`; asked by connecting, which tells him nothing. */
bool word_heard(const char *path);
/*
 * Listens at `path` in place of what was there: root may send, and the group `gid`; with (gid_t)-1 root alone. *out is
 * the caller's, non-blocking. 0, -errno.
 */
int word_listen(const char *path, gid_t gid, int *out);
/* Who sends from now on is told that nobody listens; what was sent can still be received. */
void word_unname(const char *path);
/* The same, and the socket is closed; one that is none (-1) has no name to take. */
void word_unlisten(const char *path, int *fd);

#endif
