/*
 * Whole files: bounded reading, durable replacement. All take paths; a NUL byte in a path cannot occur.
 */
#ifndef SEKISHO_BASE_FILE_H
#define SEKISHO_BASE_FILE_H

#include "policy/base/buf.h"
#include "policy/base/why.h"
#include <sys/types.h>

/* Appends the whole file to `out`. 0; V_NOT_FOUND; V_FULL where the file is larger than the bound; -errno. */
int file_read(const char *path, struct buf *out);
int file_read_at(int dirfd, const char *name, struct buf *out);
/*
 * The same of a folder in which somebody else lays things: by no link, of a plain file only, never waiting for anybody;
 * and of `owner` only, where that is not FILE_ANYBODY. V_NOT_FOUND for what is anything else.
 */
#define FILE_ANYBODY ((uid_t)-1)
int file_read_plain_at(int dirfd, const char *name, uid_t owner, struct buf *out);

/*
 * Replaces `path` so that after a crash it holds the old bytes or the new ones: writes path.tmp (a new file, whatever
 * lay there; another name where that cannot be removed), fsync, rename, fsync of the directory. -errno; on failure the
 * old file stays and the .tmp is removed.
 */
int file_replace(const char *path, struct span bytes, mode_t mode);
int file_replace_at(int dirfd, const char *name, struct span bytes, mode_t mode);
/* The same without fsync, for what need not survive a power cut (status files). */
int file_replace_volatile(const char *path, struct span bytes, mode_t mode);

/* write() until all is written. 0, -errno. */
int write_all(int fd, const void *p, size_t n);
/* fsync of a directory, so that its entries last. 0, -errno. */
int dir_sync(const char *path);
/* mkdir -p for one path, names of new directories durable; existing ones keep their mode. 0, -errno. */
int dir_make(const char *path, mode_t mode);

/* The entries of `name` below `dirfd`, which is no link. 0; V_NOT_FOUND; -errno. */
int dir_open_at(int dirfd, const char *name, DIR **out);
/*
 * What lies at `path` below `dirfd`, for reading: no link followed, no mount crossed, never waiting for whoever made
 * it. The descriptor; -errno.
 */
int file_open_below(int dirfd, const char *path);

/*
 * An exclusive lock on `path` (created 0600 where missing), held until the fd is closed or the process ends. 0 with the
 * fd in *out; V_EXISTS where another process holds it; -errno.
 */
int file_lock(const char *path, int *out);

#endif
