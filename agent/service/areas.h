/*
 * Areas of protected files: which one a file lies in, by the policy in force. The guard verifies a policy and lays its
 * text where the recorder may read it; the recorder follows the file, and so does who has the kernel refuse
 * (agent/guard/refuse.h). Without one there are no areas.
 */
#ifndef SEKISHO_SERVICE_AREAS_H
#define SEKISHO_SERVICE_AREAS_H

#include "policy/base/buf.h"
#include "policy/base/why.h"
#include "policy/rule/protected.h"
#include <stdbool.h>

#define AREAS_MOUNTS_MAX 256u /* mount points of shares that areas name */
#define AREAS_PATH_SIZE 256u

struct areas;

/* 0, -ENOMEM. */
int areas_new(struct areas **out);
void areas_free(struct areas *a);

/*
 * Takes the policy's text from `path`; where there is no file, no policy. *changed: it is another one than before. 0;
 * V_BAD: it cannot be read, and what was in force stays; -errno.
 */
int areas_load(struct areas *a, const char *path, bool *changed, struct why *why);

/* Where shares are mounted: told anew, in any order, whenever something was mounted. */
void areas_mounts_begin(struct areas *a);
void areas_mount(struct areas *a, const char *point, const char *source);

/* Is there any? */
bool areas_any(const struct areas *a);
/* The policy; NULL where there is none. */
const struct policy *areas_policy(const struct areas *a);
/* The area of a path of the PC's own mounts; -1: it is in none. */
int areas_of(const struct areas *a, struct span path);

/*
 * What the kernel must tell of whatever record.yaml says: calls `fn` for each folder below which an area lies, or may.
 */
typedef void (*areas_place_fn)(void *ctx, const char *path);
void areas_places(const struct areas *a, areas_place_fn fn, void *ctx);

#endif
