/*
 * Programs of ours that are installed beside this one, and units that are started anew: for the commands that are
 * fronts for a program (setup.c, store_move.c).
 */
#ifndef SEKISHO_CTL_SETUP_H
#define SEKISHO_CTL_SETUP_H

#include "policy/ctl/ctl.h"
#include <limits.h>

/* Where it was installed beside this program: in the same folder (as it is built), or in sbin. false, said. */
bool setup_find(struct ctl *c, const char *name, char out[PATH_MAX]);
/* The words that run the collector's program for one of its errands, with the settings that are given; the room is the
 * caller's. false, said. */
bool setup_collector(struct ctl *c, const char *errand, char path[PATH_MAX], const char *args[5]);
/* Runs it to its end, with `input` as its standard input (NULL: our own). Its exit status, or -errno. */
int setup_run(const char *const *args, const char *input);
/*
 * Runs it to its end, and gives each line of its standard output to `fn`, which ends it by anything but 0; what it logs
 * is thrown away: the caller says it, in the user's language. Its exit status; what `fn` returned; or -errno.
 */
int setup_follow(const char *const *args, int (*fn)(void *ctx, const char *line), void *ctx);
/* Does systemd run the services here? Never in a test (SEKISHO_ROOT). */
bool setup_has_systemd(void);

#endif
