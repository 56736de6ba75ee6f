/*
 * SHA-256 (FIPS 180-4), fetched once (OpenSSL's implicit fetch costs a third of the speed), and random bytes.
 */
#ifndef SEKISHO_TRUST_DIGEST_H
#define SEKISHO_TRUST_DIGEST_H

#include "policy/base/buf.h"

#define DIGEST_SIZE 32

struct digest {
	uint8_t b[DIGEST_SIZE];
};

static inline bool digest_eq(const struct digest *a, const struct digest *b)
{
	return memcmp(a->b, b->b, DIGEST_SIZE) == 0;
}

/* SHA-256 of the concatenation of `n` spans. Cannot fail once the first call of the process worked; aborts otherwise.
 */
void digest_of(struct digest *out, const struct span *parts, size_t n);

static inline void digest_span(struct digest *out, struct span s)
{
	digest_of(out, &s, 1);
}

/* The same in pieces. The last call frees. */
struct digesting;
int digesting_new(struct digesting **out); /* 0, -ENOMEM */
void digesting_put(struct digesting *d, struct span s);
void digesting_end(struct digesting *d, struct digest *out); /* out may be NULL; d too */

/* Cryptographically strong random bytes. 0, -errno. */
int random_bytes(void *out, size_t n);
/* Overwrites a secret in a way that the compiler keeps. */
void secret_wipe(void *p, size_t n);

#endif
