/*
 * Cosignatures of a checkpoint (C2SP tlog-cosignature, Ed25519: cosignature/v1): a witness says that, at this time,
 * this was the largest tree of the log that it saw, and that it extends every one that it saw before.
 *
 *   "— " name " " base64(hash || time (8 bytes, big-endian, seconds) || signature) "\n"
 *
 * The signature is over "cosignature/v1\ntime N\n" and the note's text. And the keys of our witnesses: each PC has one,
 * and its device key says so.
 */
#ifndef SEKISHO_TRUST_COSIGN_H
#define SEKISHO_TRUST_COSIGN_H

#include "policy/trust/note.h"

#define COSIGNATURES_MAX (NOTE_SIGNATURES_MAX - 1) /* beside the log's own */
#define COSIGNATURE_SIZE (8 + SIGNATURE_SIZE)
#define COSIGNATURE_LINE_MAX 512
#define WITNESS_NAME "sekisho/pc/" /* and the PC's id */
#define WITNESS_LINE_MAX 1024
#define WITNESSES_MAX (NOTE_SIGNATURES_MAX * WITNESS_LINE_MAX) /* the lines of those that signed one note */

/* Appends the line of `k`, a witness of this name, over the text of `note`. 0, V_BAD, -errno. */
int cosignature_sign(struct span note, const char *name, const struct key *k, uint64_t time_s, struct buf *line);

/* Lines of a note that are not the log's own; without the log's key, all of them. */
struct cosignatures {
	struct span text; /* of the note; borrowed */
	unsigned n;
	struct cosignature {
		char name[NOTE_NAME_MAX];
		uint8_t hash[NOTE_KEY_HASH];
		uint8_t bytes[COSIGNATURE_SIZE];
		size_t size; /* of what stands there, also where it is none of ours */
	} at[NOTE_SIGNATURES_MAX];
};

/* Reads them, also where nobody knows the signers (`log` may be NULL). More than NOTE_SIGNATURES_MAX lines are V_BAD.
 * 0, -ENOMEM. */
int cosignatures_read(struct span note, const struct verifier *log, struct cosignatures *out, struct why *why);
/*
 * Is number `i` this witness's? 0 with its time; V_NOT_FOUND where it is another's; V_BAD where it bears this witness's
 * name and key hash and does not match (another tree, another time, no time, forged).
 */
int cosignature_check(const struct cosignatures *c, unsigned i, const struct verifier *w, uint64_t *time_s);

/*
 * "vkey base64(SPKI of the device key) base64(proof)": that this witness key is the PC's. The proof is the device key's
 * signature over "sekisho witness 1" 0x00 vkey. Appended without a newline. 0, -errno.
 */
int witness_declare(const struct key *device, const struct key *witness, struct buf *out);
/*
 * Reads one and checks it whole: name, SPKI and proof belong together. It shows whose key it is; whether that is a PC
 * of a fleet, the log says. 0; V_BAD.
 */
int witness_read(struct span line, struct digest *host, struct verifier *out, struct why *why);

#endif
