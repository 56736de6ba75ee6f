/*
 * Documents for an auditor's eyes: CMS AuthEnvelopedData (RFC 5083, 5652) with AES-256-GCM, to the key of one or more
 * certificates. Written by the print daemon, which cannot read it again; opened by whoever has the private key, with
 * `sekishoctl evidence open` or with nothing of ours:
 *
 *   openssl cms -decrypt -binary -inform DER -in FILE -recip CERTIFICATE -inkey KEY -out DOCUMENT
 *
 * For two people's eyes: an envelope to the second group of certificates inside one to the first. One of each group
 * opens it, the first what was written, the second what the first got; alone neither has anything but an envelope for
 * the other.
 *
 * CMS and not HPKE, because a stock tool opens it. Anybody can write an envelope to a public key: who wrote it, and
 * that it is the one, is what the signed record of the copy says (its name, SHA-256 of the document).
 */
#ifndef SEKISHO_TRUST_ENVELOPE_H
#define SEKISHO_TRUST_ENVELOPE_H

#include "policy/base/why.h"
#include "policy/trust/digest.h"

#define ENVELOPE_READERS_MAX 8u

/* Certificates of those who can open. */
struct envelope_readers;

/*
 * Certificates in PEM, one after the other; RSA of 2,048 bits or more, or an elliptic curve of 256 or more. Their time
 * is not judged: a document for an auditor is better kept for an old key than not at all. 0; V_BAD; -ENOMEM.
 */
int envelope_readers_read(struct span pem, struct envelope_readers **out, struct why *why);
void envelope_readers_free(struct envelope_readers *r);
DEFINE_CLEANUP(struct envelope_readers *, envelope_readers_free)

/* One key is in both: whoever has it would be two people. */
bool envelope_readers_meet(const struct envelope_readers *a, const struct envelope_readers *b);

struct envelope;

/*
 * Begins an envelope on `fd`, which stays the caller's; where `then` is not NULL, what is opened by `to` is one more,
 * to those. The outer one's content type says so (RFC 5083: id-ct-authEnvelopedData). 0, -errno.
 */
int envelope_begin(
	const struct envelope_readers *to, const struct envelope_readers *then, int fd, struct envelope **out);
/*
 * Whoever has this key opens it, too (KEKRecipientInfo, RFC 5652 section 6.2.3, by AES key wrap; its id is
 * ENVELOPE_KEY_ID). Behind envelope_begin without `then`, before the first part. 0, -errno.
 */
#define ENVELOPE_KEY_SIZE 32u
#define ENVELOPE_KEY_ID "sekisho"
int envelope_add_key(struct envelope *e, const uint8_t key[ENVELOPE_KEY_SIZE]);
/* The next part of the document; any size, nothing is kept. 0; -errno (ENOSPC, EIO). */
int envelope_put(struct envelope *e, struct span part);
/* The last part was put: closes the envelope with its tag. 0; -errno. */
int envelope_end(struct envelope *e);
/* One that was not ended is of no use to anybody. NULL is fine. */
void envelope_free(struct envelope *e);
DEFINE_CLEANUP(struct envelope *, envelope_free)

/*
 * Opens one with a private key (PEM, without password): all of the document is on `fd` when 0 is returned; before, and
 * otherwise, what is there is not proven and must be thrown away. The envelope is held in memory. `certificate` (PEM)
 * may be empty where the envelope has one reader. `*another`: what is on `fd` is an envelope itself, for somebody else.
 * V_BAD: no envelope; V_DENIED: not for this key, or changed; -errno.
 */
int envelope_open(
	struct span envelope, struct span key, struct span certificate, int fd, bool *another, struct why *why);
/*
 * The same with the key of envelope_add_key; bytes behind the envelope are not looked at. `fd` below 0: the document is
 * not written, only proven. *hash: SHA-256 of the document. V_BAD, V_DENIED, -errno as above.
 */
int envelope_open_key(
	struct span envelope, const uint8_t key[ENVELOPE_KEY_SIZE], int fd, struct digest *hash, struct why *why);

#endif
