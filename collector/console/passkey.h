/*
 * Passkeys: public-key credentials as browsers make and use them (W3C Web Authentication, level 2 and 3). Pure: bytes
 * that a browser sent are judged against what we asked; who asks, and what is kept, is the callers' (passkeys.c,
 * sign_in.c). Fuzzed by tests/fuzz/console/fuzz_passkey.c.
 *
 * We ask for discoverable credentials with user verification and for no attestation: which make an authenticator is of
 * is not judged here.
 */
#ifndef SEKISHO_CONSOLE_PASSKEY_H
#define SEKISHO_CONSOLE_PASSKEY_H

#include "policy/base/buf.h"
#include "policy/base/why.h"
#include <jansson.h>

#define PASSKEYS_MAX 8u         /* of one account */
#define PASSKEY_NAME_SIZE 129   /* 64 characters are what the page takes */
#define PASSKEY_ID_MAX 1023u    /* WebAuthn, section 4: "credential ID" */
#define PASSKEY_KEY_MAX 259u    /* RSA of 2048 bits, the largest that we ask for */
#define PASSKEY_HANDLE_SIZE 32u /* of an account: random, says nothing of the person */
#define PASSKEY_REF_SIZE 17     /* what the API calls one: 8 bytes of the SHA-256 of its id, in hex */
#define PASSKEY_CHALLENGE_SIZE 32u
#define PASSKEY_CLIENT_DATA_MAX 4096u
#define PASSKEY_ATTESTATION_MAX 16384u

struct passkey {
	char name[PASSKEY_NAME_SIZE]; /* as its owner calls it */
	uint16_t id_n, key_n;
	int32_t alg; /* COSE: ES256 -7, EdDSA -8, RS256 -257 */
	uint8_t id[PASSKEY_ID_MAX];
	uint8_t key[PASSKEY_KEY_MAX]; /* in the form of libfido2: x || y; 32 bytes; n || e */
	uint32_t count;               /* signature counter, the last that was good; 0: it has none */
	int64_t created_us, used_us;
};

/* What we asked. */
struct passkey_question {
	const char *origin, *rp_id;
	uint8_t challenge[PASSKEY_CHALLENGE_SIZE];
	bool verified; /* the person has to be known to the authenticator (PIN, finger), not only be there */
};

/* What came of it, decoded from base64. */
struct passkey_answer {
	struct span client_data, authenticator_data, signature;
};

/*
 * A new one: `attestation` is the attestation object (CBOR). Fills all of *out but name and moments. 0; V_BAD with the
 * reason and *cause (CAUSE_*); -ENOMEM.
 */
int passkey_made(const struct passkey_question *q, struct span client_data, struct span attestation,
	struct passkey *out, unsigned *cause, struct why *why);
/* One that is known signs in. 0 with its counter in *count; V_BAD with the reason and *cause; -ENOMEM. */
int passkey_proves(const struct passkey_question *q, const struct passkey_answer *a, const struct passkey *k,
	uint32_t *count, unsigned *cause, struct why *why);

/* What the API calls it. */
void passkey_ref(const struct passkey *k, char out[PASSKEY_REF_SIZE]);
/* For the accounts' file, and back. False: it is not as we write it. */
json_t *passkey_json(const struct passkey *k);
bool passkey_read(const json_t *o, struct passkey *out);

#endif
