/*
 * COSE_Sign1 (RFC 9052 section 4.2), tagged (18), with the payload inside.
 *
 * `aad` is the external_aad of the Sig_structure. Each kind of message has its own, a purpose string, so that a
 * signature over one thing can never pass as a signature over another. The algorithm is fixed by the key, never by the
 * message.
 */
#ifndef SEKISHO_TRUST_COSE_H
#define SEKISHO_TRUST_COSE_H

#include "policy/trust/key.h"

/* What our own protected headers hold: {1: alg, 4: kid, COSE_LABEL_FORMAT: format}. */
#define COSE_KID_SIZE 8
/* Private-use label (below -65536): the format number of what is signed. An unknown one is refused, not guessed. */
#define COSE_LABEL_FORMAT (-70001)

struct cose_sign1 {
	struct span protected_bytes; /* as received: what was signed */
	struct span payload;
	struct span signature;
	int64_t alg;
	struct span kid; /* empty where there is none */
	uint64_t format; /* 0 where there is none */
	size_t size;     /* bytes of the whole message, so that more may follow */
};

/* kid of a key: the first 8 bytes of key_id. */
int cose_kid(const struct key *k, uint8_t kid[COSE_KID_SIZE]);

/* Appends a COSE_Sign1 over `payload`. 0, V_FULL, -errno. */
int cose_sign(const struct key *k, uint64_t format, struct span aad, struct span payload, struct buf *out);

/*
 * Takes a message apart without judging its signature. Spans borrow from `in`. Bytes behind the message are allowed and
 * not counted in `size`. Refuses (V_BAD): no tag 18, unprotected alg, duplicate labels, `crit`, detached payload.
 */
int cose_parse(struct span in, struct cose_sign1 *out, struct why *why);

/* Judges it: alg must be the key's own, signature over received bytes. 0 or V_BAD. Never decodes and re-encodes. */
int cose_verify(const struct cose_sign1 *m, const struct key *k, struct span aad, struct why *why);

#endif
