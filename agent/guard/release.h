/*
 * Releases by code (policy/wire/RELEASE.md): what challenge is out, how often it was answered wrongly, what is released
 * and until when. Kept in the guard's folder, so that neither a restart nor a crash makes a code good twice. Called by
 * desk.c and judge.c.
 *
 * A release is for one device as it is plugged in now: it ends with its time, with the boot, or when the device is
 * unplugged. What it is plugged in as is a number of the kernel's (struct unit, `plugging`) that no other device and no
 * other plugging has: a device without a serial number is no exception. The wall clock is never asked for how long
 * something lasts.
 */
#ifndef SEKISHO_GUARD_RELEASE_H
#define SEKISHO_GUARD_RELEASE_H

#include "policy/rule/device.h"
#include "policy/wire/release_code.h"

#define RELEASE_GRANTS_MAX 16u
#define RELEASE_TRIES_MAX 5u

struct release;

struct release_grant {
	struct digest device;                  /* of what it says of itself */
	uint64_t plugging;                     /* and which one of those that say so */
	unsigned access;                       /* ACCESS_* */
	int64_t until_boot_us;                 /* boot clock */
	char code[2 * RELEASE_NONCE_SIZE + 1]; /* the challenge's nonce, for records */
};

/*
 * Reads what was kept in `folder`. A file that cannot be read is laid aside and told in `why`: nothing is released, and
 * the next challenge waits. 0, -errno.
 */
int release_new(const char *folder, const struct key *device, struct release **out, struct why *why);
void release_free(struct release *r);

/* The policy's part: base64 of the release key ("" for none), bounds. 0; V_BAD where the key is none. */
int release_policy(struct release *r, const char *key_base64, unsigned max_s, unsigned per_day, struct why *why);

/* Appends the challenge for this device; one is out at a time. 0; V_NOT_FOUND without a key; V_AGAIN while blocked. */
int release_challenge(struct release *r, const struct device *d, uint64_t plugging, int64_t now_boot_us,
	struct buf *out, struct why *why);
/* 0 with what is released; V_BAD misheard; RELEASE_WRONG; V_NOT_FOUND no challenge; V_AGAIN
 * too many devices are released; V_FULL the day's are used up, and so is this challenge; -errno. */
int release_answer(
	struct release *r, const char *text, int64_t now_boot_us, struct release_grant *out, struct why *why);

/* 0 where this device is released now; V_NOT_FOUND. */
int release_active(const struct release *r, const struct device *d, uint64_t plugging, int64_t now_boot_us,
	struct release_grant *out);
bool release_is_for(const struct release_grant *g, const struct device *d, uint64_t plugging);
/*
 * Ends what has had its time, and what is not plugged in any more (`here`); a challenge for what is gone is void. Calls
 * `fn` for each release that ended. Returns when the next one ends; INT64_MAX.
 */
typedef bool (*release_here_fn)(void *ctx, uint64_t plugging);
typedef void (*release_end_fn)(void *ctx, const struct release_grant *g, bool is_here);
int64_t release_expire(struct release *r, int64_t now_boot_us, release_here_fn here, release_end_fn fn, void *ctx);

#endif
