/*
 * User names by number. See users.h. Called for every record: a hit costs one comparison; a miss asks NSS (passwd file,
 * or whatever nsswitch.conf names), which may allocate and take long, hence the cache for answers of both kinds.
 */
#include "agent/recorder/users.h"
#include "policy/base/cleanup.h"
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>

#define KEEP_US (600ll * 1000000)        /* a user may be renamed */
#define KEEP_UNKNOWN_US (60ll * 1000000) /* a user may be made */
#define NSS_BUFFER 4096

struct entry {
	uint32_t uid;
	bool used, known;
	int64_t until_us;
	char name[USERS_NAME_SIZE];
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
	free(u);
}

static void ask(struct entry *e, uint32_t uid, int64_t now)
{
	char buffer[NSS_BUFFER];
	struct passwd pw, *got = NULL;
	int r = getpwuid_r(uid, &pw, buffer, sizeof(buffer), &got);

	e->uid = uid;
	e->used = true;
	e->known = r == 0 && got && got->pw_name[0];
	e->until_us = now + (e->known ? KEEP_US : KEEP_UNKNOWN_US);
	if (e->known) {
		size_t n = strnlen(got->pw_name, USERS_NAME_SIZE - 1);

		memcpy(e->name, got->pw_name, n);
		e->name[n] = 0;
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
