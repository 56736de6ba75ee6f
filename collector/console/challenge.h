/*
 * Challenges for people who are not signed in yet. A challenge belongs to the browser that asked (a cookie of its own),
 * is good for five minutes and once, and nothing is kept of one that nobody answers: however many are asked for, none
 * is pushed out.
 */
#ifndef SEKISHO_CONSOLE_CHALLENGE_H
#define SEKISHO_CONSOLE_CHALLENGE_H

#include "collector/console/passkey.h"
#include "policy/trust/digest.h"

#define CHALLENGE_COOKIE "__Host-sekisho-challenge"
#define CHALLENGE_TEXT_SIZE 81
#define CHALLENGE_LIFE_US 300000000u
/* All that may be answered within that time, since attempts of everybody are bounded (attempt.c: ten a second). */
#define CHALLENGES_USED 4096u

struct challenges {
	uint8_t secret[32];
	bool begun;
	struct {
		struct digest what;
		int64_t at_us;
	} used[CHALLENGES_USED];
	unsigned next;
};

/* A new one, and what the browser keeps. 0, -errno. */
int challenge_new(
	struct challenges *c, int64_t now_us, char cookie[CHALLENGE_TEXT_SIZE], uint8_t out[PASSKEY_CHALLENGE_SIZE]);
/*
 * The one of this cookie; it is used from then on. 0; V_BAD where the cookie is none of ours; V_END where its time is
 * over; V_EXISTS where it was used before.
 */
int challenge_take(struct challenges *c, const char *cookie, int64_t now_us, uint8_t out[PASSKEY_CHALLENGE_SIZE]);

#endif
