/*
 * C2SP signed notes and checkpoints (signed-note.md, tlog-checkpoint.md): what the collector signs of its whole log,
 * and the keys to check it ("verifier keys": name+hash+base64).
 *
 *   origin "\n" size "\n" base64(root) "\n" "\n" "— " name " " base64(hash || signature) "\n"
 */
#ifndef SEKISHO_TRUST_NOTE_H
#define SEKISHO_TRUST_NOTE_H

#include "policy/trust/key.h"

#define NOTE_NAME_MAX 128
#define NOTE_SIZE_MAX 16384
#define NOTE_SIGNATURES_MAX 16 /* verifiers refuse more */

struct checkpoint {
	char origin[NOTE_NAME_MAX];
	uint64_t size;
	struct digest root;
};

/* A log's public key with its name. */
struct verifier {
	char name[NOTE_NAME_MAX];
	uint8_t hash[4]; /* SHA-256(name || "\n" || 0x01 || key)[:4] */
	struct key *key; /* owned */
};

/* "name+hex+base64(0x01 || key)" of an Ed25519 key, appended without a newline; and back (surrounding space allowed).
 */
int verifier_encode(const char *name, const struct key *k, struct buf *out);
int verifier_decode(struct span text, struct verifier *out, struct why *why);
void verifier_deinit(struct verifier *v);

/* Appends the signed note of a checkpoint. The note's name is the origin. */
int checkpoint_sign(const struct checkpoint *c, const struct key *k, struct buf *out);
/*
 * Reads a note and checks that its origin is the verifier's name and that one signature is the verifier's. Unknown
 * signatures are passed over, as the specification asks. 0 or V_BAD.
 */
int checkpoint_verify(struct span note, const struct verifier *v, struct checkpoint *out, struct why *why);

#endif
