/*
 * Keys. P-256 keys live in files, in a TPM or in a PKCS#11 token, and say who a PC is; Ed25519 keys seal and sign, and
 * the sealing ones live in memory only.
 *
 * A host's id is the SHA-256 of its device key's SubjectPublicKeyInfo (DER, RFC 5480): not of anything that a cloned
 * disk or a virtual machine shares by accident.
 */
#ifndef SEKISHO_TRUST_KEY_H
#define SEKISHO_TRUST_KEY_H

#include "policy/base/why.h"
#include "policy/trust/digest.h"
#include <sys/types.h>

struct key; /* a private key with its public half, or a public key alone */

enum key_type {
	KEY_P256,    /* ECDSA with SHA-256: COSE ES256 (-7; -9 of RFC 9864 accepted) */
	KEY_ED25519, /* EdDSA: COSE -8 (-19 of RFC 9864 accepted) */
};

/* A new key pair in memory. 0, -errno. */
int key_new(enum key_type type, struct key **out);
/* Wipes and releases. NULL is fine. */
void key_free(struct key *k);
DEFINE_CLEANUP(struct key *, key_free)

/* Where the private half lives. What is not in a file is used through the keeper (keeper.h). */
enum key_place { KEY_IN_FILE, KEY_IN_TPM, KEY_IN_TOKEN };

enum key_type key_type(const struct key *k);
enum key_place key_place(const struct key *k);
/* "file", "tpm" or "pkcs11": as in agent.conf. */
const char *key_place_name(enum key_place place);
bool key_is_private(const struct key *k);

/*
 * PEM (PKCS#8) private key files; written by rename with `mode`, never replacing one. A file may also name a key that
 * a keeper holds; loading it asks nobody. V_EXISTS; V_NOT_FOUND; V_BAD.
 */
int key_save(const struct key *k, const char *path, mode_t mode);
int key_load(const char *path, struct key **out, struct why *why);
/*
 * A new P-256 key, made by the keeper where agent.conf says, and the file that names it. 0; V_EXISTS; V_AGAIN, V_DENIED
 * or V_BAD where the keeper says no; -errno.
 */
int key_make_held(const char *path, mode_t mode, struct key **out, struct why *why);

/* The public half: SubjectPublicKeyInfo in DER, appended to `out`; and back. */
int key_public_der(const struct key *k, struct buf *out);
int key_from_public_der(struct span der, struct key **out, struct why *why);
/* SHA-256 of that DER. */
int key_id(const struct key *k, struct digest *id);

/* Ed25519 only: the raw 32 bytes (RFC 8032), and back. V_BAD for another type or size. */
int key_public_raw(const struct key *k, uint8_t raw[32]);
int key_from_public_raw(struct span raw, struct key **out);

/*
 * Signs `msg`; 64 bytes both: Ed25519's own, or r || s for P-256 (RFC 9053 section 2.1). 0; V_AGAIN where a keeper
 * holds the key and cannot use it now (the log says why); -errno.
 */
#define SIGNATURE_SIZE 64
int key_sign(const struct key *k, struct span msg, uint8_t sig[SIGNATURE_SIZE]);
/* 0, or V_BAD where the signature is not this key's over these bytes. */
int key_verify(const struct key *k, struct span msg, struct span sig);

#endif
