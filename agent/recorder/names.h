/*
 * Strings kept once, counted by their users: program paths, control groups. All memory is taken at the start; what
 * does not fit is absent and counted.
 */
#ifndef SEKISHO_RECORDER_NAMES_H
#define SEKISHO_RECORDER_NAMES_H

#include "policy/base/buf.h"

#define NAMES_SHORT 64u /* room of the four sizes of slots ... */
#define NAMES_MIDDLE 256u
#define NAMES_LONG 1024u
#define NAMES_WHOLE 4096u
#define NAMES_SHORT_N 8192u /* ... and how many there are of each */
#define NAMES_MIDDLE_N 4096u
#define NAMES_LONG_N 512u
#define NAMES_WHOLE_N 64u
#define NAMES_MAX (NAMES_SHORT_N + NAMES_MIDDLE_N + NAMES_LONG_N + NAMES_WHOLE_N)

struct names;

/* 0, -errno. */
int names_new(struct names **out);
void names_free(struct names *n);

/* Keeps `s` (cut to NAMES_WHOLE bytes) and counts one user of it. Its id, or 0 where it is empty or does not fit. */
uint32_t names_put(struct names *n, struct span s);
/* One more user; one less (at none the slot is free again). Id 0 is fine. */
uint32_t names_ref(struct names *n, uint32_t id);
void names_unref(struct names *n, uint32_t id);
/* The string; empty for 0. Valid while it has a user. */
struct span names_get(const struct names *n, uint32_t id);

/* How many are kept, and how many did not fit since the start. */
unsigned names_kept(const struct names *n);
uint64_t names_refused(const struct names *n);

#endif
