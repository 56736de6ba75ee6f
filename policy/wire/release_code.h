/*
 * Release codes: words over the phone by which an administrator allows one device on one PC for a while, away from any
 * network. The PC shows a challenge, the administrator computes the answer, both alike by this module (RELEASE.md has
 * the protocol and what it withstands). Used by the guard and by `sekishoctl release`.
 *
 * Crockford's base32 in groups of four and a check symbol: a slip is told with its group.
 */
#ifndef SEKISHO_WIRE_RELEASE_CODE_H
#define SEKISHO_WIRE_RELEASE_CODE_H

#include "policy/trust/agree.h"
#include "policy/trust/digest.h"

#define RELEASE_HOST_SIZE 5   /* first bytes of the PC's id */
#define RELEASE_DEVICE_SIZE 3 /* of a hash of what the device says of itself */
#define RELEASE_NONCE_SIZE 4
#define RELEASE_CHALLENGE_SIZE 12
#define RELEASE_UNIT_S 900u /* a release lasts a number of quarters of an hour ... */
#define RELEASE_UNITS_MAX 96u
#define RELEASE_TEXT_SIZE 64

struct release_challenge {
	uint8_t host[RELEASE_HOST_SIZE], device[RELEASE_DEVICE_SIZE], nonce[RELEASE_NONCE_SIZE];
};

/* "ABCD7 EFGH2 ..." */
void release_challenge_text(const struct release_challenge *c, char out[RELEASE_TEXT_SIZE]);
/* 0; V_BAD with the group that was misheard. Spaces, dashes and case are of no meaning; O is 0, I and L are 1. */
int release_challenge_parse(const char *text, struct release_challenge *out, struct why *why);

struct release_terms {
	bool write;     /* else reading only */
	unsigned units; /* of RELEASE_UNIT_S, 1..RELEASE_UNITS_MAX */
};

/* The secret of a PC's device key and the administrators' release key: one of them private. 0; V_BAD; -errno. */
int release_secret(const struct key *mine, const struct key *theirs, uint8_t out[SECRET_SIZE]);

/* The answer's text. `host` is the PC's whole id. 0; V_BAD for terms out of bounds; -errno. */
int release_answer_text(const uint8_t secret[SECRET_SIZE], const struct digest *host, const struct release_challenge *c,
	const struct release_terms *terms, char out[RELEASE_TEXT_SIZE]);

enum { RELEASE_WRONG = 16 }; /* well-formed, but not the answer to this challenge */

/* 0; V_BAD with the group that was misheard; RELEASE_WRONG; -errno. */
int release_answer_check(const uint8_t secret[SECRET_SIZE], const struct digest *host,
	const struct release_challenge *c, const char *text, struct release_terms *out, struct why *why);

#endif
