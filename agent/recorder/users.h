/*
 * User names by number, cached. NSS may ask a daemon or a directory server: an answer is kept, so that nobody waits
 * for it at every event.
 */
#ifndef SEKISHO_RECORDER_USERS_H
#define SEKISHO_RECORDER_USERS_H

#include <stdint.h>

#define USERS_MAX 1024u    /* names kept; a new one takes the place of one that collides with it */
#define USERS_NAME_SIZE 64 /* longer names are cut */
#define USERS_UNSET UINT32_MAX
#define USERS_GROUPS_MAX 64

struct users;

/* Also looks up one user, so that NSS loads its modules while that is still allowed. 0, -errno. */
int users_new(struct users **out);
void users_free(struct users *u);

/* The name, or NULL where the number has none (asked again a minute later) or is unset. Valid until the next call. */
const char *users_name(struct users *u, uint32_t uid, int64_t now_boot_us);
/* The user's groups by name, NULL at the end (USERS_GROUPS_MAX of them at most). As long valid. */
const char *const *users_groups(struct users *u, uint32_t uid, int64_t now_boot_us);

#endif
