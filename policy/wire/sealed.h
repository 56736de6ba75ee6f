/*
 * Sealed files: what the policy's word `quarantine` makes of a file on a removable drive. Written by the guard, which
 * cannot open it again; opened by whoever has the private key of one of the openers' certificates, with `sekishoctl
 * evidence open` or with nothing of ours (`openssl cms -decrypt`, see policy/trust/envelope.h), or by a guard with an
 * order.
 *
 *   sealed file = envelope (CMS AuthEnvelopedData) to the openers and to a random key of this one file
 *                 capsule (CMS AuthEnvelopedData) to the openers: {key[32], SHA-256 of the file[32], its size[8],
 * when[8]} size of the capsule[4], SEALED_MAGIC[8]                                 numbers are big-endian order       =
 * COSE_Sign1 (Ed25519, SEALED_AAD) over the CBOR map {1: key, 2: SHA-256, 3: size, 4: issued us, 5: not-after us, 6:
 * reason}
 *
 * The capsule is what an opener needs of a file that is far away: small enough to be sent by mail, and of no use to
 * anybody else. Who has the order and the file has the file's content: an order is the release.
 */
#ifndef SEKISHO_WIRE_SEALED_H
#define SEKISHO_WIRE_SEALED_H

#include "policy/trust/envelope.h"
#include "policy/wire/bundle.h"

#define SEALED_SUFFIX ".sekisho"
#define SEALED_MAGIC "SKSEAL1\n"
#define SEALED_FOOT_SIZE 12u
#define SEALED_CAPSULE_MAX 16384u /* eight openers with long keys */
#define SEALED_FORMAT 1
#define SEALED_AAD "sekisho unseal 1"
#define SEALED_ORDER_MAX 2048u
#define SEALED_REASON_MAX 512u
#define SEALED_VALID_MAX_US (31ll * 86400 * 1000000)

/* What a capsule holds. */
struct sealed_secret {
	uint8_t key[ENVELOPE_KEY_SIZE];
	struct digest hash; /* of the file as it was */
	uint64_t bytes;     /* of it */
	int64_t sealed_us;  /* by the PC's clock */
};

/* Behind the envelope, where `fd` stands: the capsule and its size. 0, -errno. */
int sealed_tail_write(const struct envelope_readers *openers, const struct sealed_secret *s, int fd);
/* Where the two are in a whole file, or in its end. 0; V_BAD: that is no sealed file. */
int sealed_tail_find(struct span file, struct span *envelope, struct span *capsule, struct why *why);
/* Opens a capsule (keys as in envelope_open). 0; V_BAD; V_DENIED; -errno. */
int sealed_secret_open(
	struct span capsule, struct span key, struct span certificate, struct sealed_secret *out, struct why *why);

struct sealed_order {
	struct sealed_secret secret; /* without sealed_us */
	int64_t issued_us, not_after_us;
	char reason[SEALED_REASON_MAX + 1];
	char signer[NOTE_NAME_MAX]; /* sealed_order_open: name of the key that signed */
};

/* Appends the signed order. 0; V_BAD where it says something that no order can; -errno. */
int sealed_order_sign(const struct key *admin, const struct sealed_order *o, struct buf *out, struct why *why);
/*
 * Verifies the signature first, reads after; then its time. 0; V_DENIED: signed by none of the keys, or not valid at
 * `now_us`; V_BAD.
 */
int sealed_order_open(
	struct span bytes, const struct admins *admins, int64_t now_us, struct sealed_order *out, struct why *why);

#endif
