/*
 * What release.c and release_keep.c share. Nobody else includes this.
 */
#ifndef SEKISHO_GUARD_RELEASE_PARTS_H
#define SEKISHO_GUARD_RELEASE_PARTS_H

#include "agent/guard/release.h"
#include <limits.h>

#define BLOCK_FIRST_US 60000000ll
#define BLOCK_LAST_US 3600000000ll
#define DAY_US 86400000000ll
#define TIME_MAX_US (1ll << 60) /* no time in the file is later (36,000 years), so sums of two do not overflow */

/*
 * Waits and the daily limit run on a clock of their own, which only ever goes on: with the boot clock while the PC is
 * up; over a boot by what the wall clock moved, a day at most, and never back.
 */
struct release_clock {
	int64_t base_us, boot_us; /* it was base_us when the boot clock was boot_us */
};

struct release {
	char path[PATH_MAX];
	const struct key *device_key;
	struct digest host;
	uint8_t boot[16];
	struct key *theirs; /* owned; the administrator's, as the policy in force names it; NULL: none */
	bool has_secret;
	uint8_t secret[SECRET_SIZE];
	unsigned max_s, per_day;

	/* kept */
	struct release_clock clock;
	bool out; /* a challenge is out */
	struct release_challenge challenge;
	struct digest challenged;
	uint64_t plugging; /* of that device */
	unsigned tries;
	int64_t block_us, blocked_until_us; /* by the clock of its own, as the following */
	unsigned day_n;
	int64_t day_us; /* when the first of them was given */
	unsigned grants_n;
	struct release_grant grants[RELEASE_GRANTS_MAX];
};

/* By the clock of its own; it stops at TIME_MAX_US. */
int64_t release_now(const struct release *r, int64_t now_boot_us);
void release_set_challenge(
	struct release *r, const struct digest *device, uint64_t plugging, const uint8_t nonce[RELEASE_NONCE_SIZE]);

/* Writes it all down. 0, -errno. */
int release_keep(const struct release *r);
/*
 * Reads what was kept. A file that nobody understands is laid aside and told in `why`: nothing is released, and the
 * next challenge waits as long as after the last of many wrong answers. 0, -errno.
 */
int release_load(struct release *r, struct why *why);

#endif
