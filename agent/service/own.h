/*
 * What is ours on this PC, and whether it is still as it was: programs, units, rules, settings and keys by their
 * SHA-256, owner and mode, and the objects that are pinned in the kernel's file system. Used by the guard, which is
 * root and runs all the time; what it finds are records (kinds own-file and own-files). It tells, and stops nobody:
 * root can change all of this, and stop the guard, but not without a signed record before, or silence.
 *
 * What is known is kept in a file, so that what changes while nobody looks is told at the next start. Who changes that
 * file too changes the hash of the whole list, which is in a record of every start.
 */
#ifndef SEKISHO_SERVICE_OWN_H
#define SEKISHO_SERVICE_OWN_H

#include "agent/service/manifest.h"
#include "policy/wire/record.h"
#include <sys/types.h>

#define OWN_ENTRIES_MAX 1024u /* more are not looked at, which is told */

struct own;

/*
 * `state`: the file that is kept. `root` is put before every path that is looked at (NULL: nothing). A file that is not
 * there, or is none of ours, is a beginning. 0, -errno.
 */
int own_new(const char *state, const char *root, struct own **out);
void own_free(struct own *o);

/*
 * Looks at all of it: a file that looks as it did by size, times and place is not read again. Each difference is a
 * record that is given to `put`, and so is the list as a whole at the first look and after every difference; the spans
 * are good until it returns. What is new is known from then on, also where `put` fails: 0, -errno, or what `put` said.
 */
typedef int (*own_put_fn)(void *ctx, const struct record *r);
int own_look(struct own *o, own_put_fn put, void *ctx);

/*
 * The same at the end of a maintenance window, in which a package manager may have changed what is ours. What was
 * changed, added or taken away as the manifests say is not told one by one, but counted in `fitting`; what does not fit
 * is told as ever, and counted in `others`. Kernel objects that were all replaced are the loader's work.
 */
struct own_change {
	const struct manifest *before, *now; /* when the window was opened; and as they lie there */
	unsigned fitting, others;
};
int own_settle(struct own *o, struct own_change *c, own_put_fn put, void *ctx);

/*
 * Calls `fn` for each file that a package installed, each key of this PC and each pin, of the last look: path as in the
 * records, and what stat(2) said of it. Settings in /etc are the administrator's, and left out.
 */
typedef void (*own_each_fn)(void *ctx, const char *path, dev_t dev, ino_t ino);
void own_each_kept(const struct own *o, own_each_fn fn, void *ctx);

#endif
