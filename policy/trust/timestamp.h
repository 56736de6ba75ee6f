/*
 * Timestamps by an authority that is not ours (RFC 3161, by OpenSSL): what was there at the latest at that time. A
 * token is over the SHA-256 of the data, and is verified by the authority's CA alone, also by `openssl ts -verify`:
 *
 *   openssl ts -verify -in FILE.tsr -data FILE -CAfile CA
 *
 * The authority's certificate has to be good at the token's own time, not now: a token is for years.
 */
#ifndef SEKISHO_TRUST_TIMESTAMP_H
#define SEKISHO_TRUST_TIMESTAMP_H

#include "policy/base/buf.h"
#include "policy/base/why.h"

#define TIMESTAMP_REQUEST_TYPE "application/timestamp-query" /* RFC 3161 section 3.4 */
#define TIMESTAMP_REPLY_TYPE "application/timestamp-reply"
#define TIMESTAMP_MAX (64u << 10) /* bytes of a reply */

struct timestamp {
	int64_t time_us;     /* the token's time; whole seconds */
	char signer[160];    /* who signed it: the certificate's subject (RFC 2253), cut where it is longer */
	char policy[96];     /* under which policy: its OID in dots */
	char serial[48];     /* the token's own number, in hexadecimal digits */
	int64_t accuracy_us; /* by how much its time may be off; -1: it does not say */
};

/* Certificates that are trusted to say who an authority is. */
struct timestamp_trust;
/* From a file in PEM. 0; V_NOT_FOUND; V_BAD; -errno. */
int timestamp_trust_load(const char *ca_file, struct timestamp_trust **out, struct why *why);
void timestamp_trust_free(struct timestamp_trust *t);
DEFINE_CLEANUP(struct timestamp_trust *, timestamp_trust_free)

/* A request for `data` (DER, appended), with a random nonce, which asks for the authority's certificate. 0; -errno. */
int timestamp_request(struct span data, struct buf *request);
/*
 * Is `reply` (DER, a TimeStampResp) a granted token over `data`, and, where `request` is not empty, the answer to it
 * (nonce)? 0; V_BAD with the reason; -ENOMEM.
 */
int timestamp_verify(const struct timestamp_trust *trust, struct span reply, struct span data, struct span request,
	struct timestamp *out, struct why *why);

/*
 * What a granted token over `data` says of itself. The imprint is checked, and nobody's signature: for showing, beside
 * what timestamp_verify says, or where nobody has said who may be an authority. 0; V_BAD with the reason; -ENOMEM.
 */
int timestamp_read(struct span reply, struct span data, struct timestamp *out, struct why *why);

#endif
