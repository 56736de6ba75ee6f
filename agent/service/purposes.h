/*
 * Purposes that people have stated for areas of protected files (policy.yaml(5), `purpose_minutes`), until when each
 * holds. The guard hears and keeps them (agent/guard/reasons.c); who has the kernel refuse and the recorder read them
 * where an area asks: the file is looked at again whenever one is missing, so that a purpose holds from the moment at
 * which the guard has answered.
 *
 *   <boot id, hex>
 *   <until: boot clock, microseconds> <uid> <area>     a line each
 *
 * Whose it is: the user who signed in, else the user of the process, as for who opens a file. Times are of the boot
 * clock: a purpose ends with the boot, and no clock that is set makes it longer.
 */
#ifndef SEKISHO_SERVICE_PURPOSES_H
#define SEKISHO_SERVICE_PURPOSES_H

#include "policy/rule/protected.h"
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define PURPOSES_MAX 256u         /* at a time, on one PC */
#define PURPOSES_FILE "/purposes" /* in SERVICE_ORDERS */

struct purpose {
	int64_t until_boot_us;
	uint32_t uid;
	char area[POLICY_NAME_SIZE];
};

struct purposes {
	char path[PATH_MAX];
	struct stat seen; /* st_ino 0: the file was not there */
	unsigned n;
	struct purpose v[PURPOSES_MAX];
};

/* Those that are kept beside the policy's text at `policy`; nothing is read. */
void purposes_init(struct purposes *p, const char *policy);
/*
 * Until when one holds that `uid` has stated for the area, boot clock, microseconds; 0: none does at `now`. Reads the
 * file anew where there is none and it is another one than before.
 */
int64_t purposes_until(struct purposes *p, const char *area, uint32_t uid, int64_t now);
/* Does area `i` of the policy ask `uid` for a purpose that he has not stated? */
bool purposes_lack(struct purposes *p, const struct policy *policy, unsigned i, uint32_t uid, int64_t now);
/*
 * May one more be added at `now`: those whose time is over make room, and one takes the place of the same person's for
 * the same area. To be asked before anything is told of it. 0; V_FULL.
 */
int purposes_room(struct purposes *p, const char *area, uint32_t uid, int64_t now);
/*
 * Adds one, in the place of the same person's for the same area, and keeps all: readers that ask behind this have it.
 * 0; V_FULL; -errno, and then nothing holds that did not before.
 */
int purposes_add(struct purposes *p, const char *area, uint32_t uid, int64_t until, int64_t now);

#endif
