/*
 * User names by number. See users.h. Called for every record: a hit costs one comparison; a miss asks NSS (passwd file,
 * or whatever nsswitch.conf names), which may allocate and take long, hence the cache for answers of both kinds.
 */
#include "agent/recorder/users.h"
#include "policy/base/cleanup.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define KEEP_US (600ll * 1000000)        /* a user may be renamed */
#define KEEP_UNKNOWN_US (60ll * 1000000) /* a user may be made */
#define NSS_BUFFER 4096

struct entry {
	uint32_t uid;
	bool used, known;
	int64_t until_us;
	gid_t gid;
	char name[USERS_NAME_SIZE];
	char **groups; /* asked for when first needed; in one piece of memory */
};

struct users {
	struct entry entry[USERS_MAX];
};

int users_new(struct users **out)
{
	struct users *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	users_name(u, 0, 0);
	*out = u;
	return 0;
}

void users_free(struct users *u)
{
	unsigned i;

	for (i = 0; u && i < USERS_MAX; i++)
		free(u->entry[i].groups);
	free(u);
}

static void ask(struct entry *e, uint32_t uid, int64_t now)
{
	char buffer[NSS_BUFFER];
	struct passwd pw, *got = NULL;
	int r = getpwuid_r(uid, &pw, buffer, sizeof(buffer), &got);

	free(STEAL(e->groups));
	e->uid = uid;
	e->used = true;
	e->known = r == 0 && got && got->pw_name[0];
	e->until_us = now + (e->known ? KEEP_US : KEEP_UNKNOWN_US);
	if (e->known) {
		size_t n = strnlen(got->pw_name, USERS_NAME_SIZE - 1);

		memcpy(e->name, got->pw_name, n);
		e->name[n] = 0;
		e->gid = got->pw_gid;
	}
}

/* A group without a name is known by its number. */
static void group_name(gid_t gid, char out[USERS_NAME_SIZE])
{
	char buffer[NSS_BUFFER * 4];
	struct group gr, *got = NULL;

	if (getgrgid_r(gid, &gr, buffer, sizeof(buffer), &got) == 0 && got && got->gr_name[0])
		snprintf(out, USERS_NAME_SIZE, "%s", got->gr_name);
	else
		snprintf(out, USERS_NAME_SIZE, "%u", gid);
}

static void ask_groups(struct entry *e)
{
	gid_t gids[USERS_GROUPS_MAX];
	int n = USERS_GROUPS_MAX, i;
	char *at;

	if (getgrouplist(e->name, e->gid, gids, &n) < 0)
		n = USERS_GROUPS_MAX;
	e->groups = calloc(1, (size_t)(n + 1) * sizeof(char *) + (size_t)n * USERS_NAME_SIZE);
	if (!e->groups)
		return;
	at = (char *)(e->groups + n + 1);
	for (i = 0; i < n; i++, at += USERS_NAME_SIZE) {
		e->groups[i] = at;
		group_name(gids[i], at);
	}
}

const char *users_name(struct users *u, uint32_t uid, int64_t now)
{
	struct entry *e = &u->entry[uid * 2654435761u % USERS_MAX];

	if (uid == USERS_UNSET)
		return NULL;
	if (!e->used || e->uid != uid || now >= e->until_us)
		ask(e, uid, now);
	return e->known ? e->name : NULL;
}

const char *const *users_groups(struct users *u, uint32_t uid, int64_t now)
{
	static const char *const none[] = {NULL};
	struct entry *e = &u->entry[uid * 2654435761u % USERS_MAX];

	if (!users_name(u, uid, now))
		return none;
	if (!e->groups)
		ask_groups(e);
	return e->groups ? (const char *const *)e->groups : none;
}
