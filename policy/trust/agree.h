/*
 * A secret that two owners of P-256 keys have in common without ever having met (ECDH, NIST SP 800-56A), and HMAC
 * (RFC 2104) with SHA-256. Used for release codes, which are too short for a signature.
 */
#ifndef SEKISHO_TRUST_AGREE_H
#define SEKISHO_TRUST_AGREE_H

#include "policy/trust/key.h"

#define SECRET_SIZE 32

/* HMAC-SHA256(x-coordinate of the common point, purpose). 0; V_BAD where the keys are no P-256 pair; V_AGAIN
 * as in key_sign; -errno. */
int key_agree(const struct key *mine, const struct key *theirs, const char *purpose, uint8_t out[SECRET_SIZE]);

int hmac_sha256(struct span key, struct span message, uint8_t out[SECRET_SIZE]);

#endif
