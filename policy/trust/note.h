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
#define NOTE_KEY_HASH 4

/* What a verifier key is for: the type byte in front of it (signed-note.md). */
enum note_type {
	NOTE_LOG = 0x01,     /* Ed25519 over the note's text */
	NOTE_WITNESS = 0x04, /* Ed25519 with a time: cosignature/v1 (cosign.h) */
};

struct checkpoint {
	char origin[NOTE_NAME_MAX];
	uint64_t size;
	struct digest root;
};

/* A log's public key, or a witness's, with its name. */
struct verifier {
	char name[NOTE_NAME_MAX];
	uint8_t hash[NOTE_KEY_HASH]; /* SHA-256(name || "\n" || type || key)[:4] */
	struct key *key;             /* owned */
};

/* "name+hex+base64(0x01 || key)" of an Ed25519 key, appended without a newline; and back (surrounding space allowed).
 */
int verifier_encode(const char *name, const struct key *k, struct buf *out);
int verifier_decode(struct span text, struct verifier *out, struct why *why);
/* The same of a key of another type. */
int verifier_encode_as(enum note_type type, const char *name, const struct key *k, struct buf *out);
int verifier_decode_as(enum note_type type, struct span text, struct verifier *out, struct why *why);
void verifier_deinit(struct verifier *v);

/* Appends the signed note of a checkpoint. The note's name is the origin. */
int checkpoint_sign(const struct checkpoint *c, const struct key *k, struct buf *out);
/*
 * Reads a note and checks that its origin is the verifier's name and that one signature is the verifier's. Unknown
 * signatures are passed over, as the specification asks. 0 or V_BAD.
 */
int checkpoint_verify(struct span note, const struct verifier *v, struct checkpoint *out, struct why *why);

/*
 * The parts of a note: its text with the newline at its end, and its signature lines. Borrowed. 0; V_BAD where the note
 * is too large, not UTF-8, or without signatures.
 */
int note_split(struct span note, struct span *text, struct span *lines, struct why *why);
/*
 * The next signature line: its name (borrowed), and key hash and signature in `sig` (cleared first). 0; V_END behind
 * the last; V_BAD; -ENOMEM.
 */
int note_line(struct span *lines, struct span *name, struct buf *sig, struct why *why);

#endif
