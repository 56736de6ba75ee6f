/*
 * What seal_file.c and seal_open.c share. Nobody else includes this.
 */
#ifndef SEKISHO_GUARD_SEAL_PARTS_H
#define SEKISHO_GUARD_SEAL_PARTS_H

#include "agent/guard/seal.h"
#include <sys/stat.h>

/*
 * While a lease is held, whoever wants to write waits (45 s at most), and seal_wanted tells that somebody does.
 * seal_lease: 0 it is held; V_AGAIN: somebody has the file open for writing; V_NOT_FOUND: there are no leases here.
 */
int seal_lease(int fd);
bool seal_wanted(int fd);
void seal_unlease(int fd);

/* The same file, and as it was. */
bool seal_same(const struct stat *a, const struct stat *b);

/* A new file "COPY.tmp" of the folder, which has room for `size` more bytes. 0; V_FULL; -errno. */
int seal_copy_begin(const struct seal_work *w, uint64_t size, int *out);
/* Durable, under the copy's own name. 0, -errno. */
int seal_copy_keep(const struct seal_work *w, int copy);
/* One that was kept, for reading. V_NOT_FOUND, -errno. */
int seal_copy_open(const struct seal_work *w, int *out);
/* It goes, whatever its name is by now. */
void seal_copy_drop(const struct seal_work *w);

/* Durable before it returns. 0, -errno. */
int seal_note_write(int folder, const char *copy, const struct seal_note *note);
/* Its medium holds it: durable before the copy goes. */
void seal_note_done(int folder, const char *copy);

/* The inode of `fd`, open for writing by another descriptor. -errno. */
int seal_writable(int fd);
/* Bytes of `from` to the same places in `to`. 0; -errno (EIO, too, where `from` is shorter). */
int seal_move(int from, int to, uint64_t at, uint64_t end);
/* Zeros in these places. 0, -errno. */
int seal_blank(int fd, uint64_t at, uint64_t end);
/* As the medium has it, not memory. 0, -errno. */
int seal_hash(int fd, uint64_t size, bool from_medium, struct digest *out);

/*
 * Another name in the same folder: with SEALED_SUFFIX behind it, or without. Only where `path` is that very file; what
 * is there already is not replaced. out->renamed, out->name.
 */
void seal_rename(int fd, const char *path, bool sealed, struct seal_result *out);

/* The last step: which file it was, as it is now. `fd` below 0: it was not touched. */
void seal_end(int fd, struct seal_result *out);

__attribute__((format(printf, 3, 4))) void seal_say(
	struct seal_result *out, enum seal_verdict verdict, const char *fmt, ...);

#endif
