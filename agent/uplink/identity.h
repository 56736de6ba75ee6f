/*
 * What the network side of this PC holds: TLS key, certificate, the collector's CA, and where they lie. The device key
 * is not here: the process with the network cannot sign evidence.
 *
 * Key and certificate are two files, so renewal goes in steps, each of which a crash may follow:
 *   tls.key.next is made; the new certificate replaces tls.crt; tls.key.next is renamed to tls.key.
 * identity_load finishes what was begun: where the certificate is of the next key, the rename is what lacked.
 */
#ifndef SEKISHO_UPLINK_IDENTITY_H
#define SEKISHO_UPLINK_IDENTITY_H

#include "policy/trust/cert.h"
#include <limits.h>

#define IDENTITY_PEM_MAX 65536

struct identity {
	char dir[PATH_MAX];
	struct buf key, cert, ca; /* PEM */
	struct key *held;         /* owned; the TLS key where a keeper holds it and `key` only names it; else NULL */
	struct cert_info info;
};

/* 0; V_NOT_FOUND where the PC is not enrolled; V_BAD where the files are not a pair or cannot be read; -errno. */
int identity_load(struct identity *id, const char *dir, struct why *why);
void identity_deinit(struct identity *id);

/* The moment when two thirds of the certificate's life are over. */
int64_t identity_renew_at_us(const struct identity *id);

/* Loads `name` in dir, or makes it: a TLS key, 0600; with `held`, by the keeper. 0, V_BAD, V_AGAIN, -errno. */
int identity_key(const char *dir, const char *name, bool held, struct key **out, struct why *why);
/*
 * A request for the next key, and its proof by the current one: what /v1/renew takes, as JSON. 0, V_BAD, V_AGAIN,
 * -errno.
 */
int identity_renewal(const struct identity *id, bool held, struct buf *json, struct why *why);
/* Takes the new certificate in: it must be for the next key and this host. 0, V_BAD, -errno. `id` is the new one then.
 */
int identity_renewed(struct identity *id, const char *certificate, struct why *why);

/* Signs purpose, NUL, [id, NUL,] and CSR: the proofs of enrolment and renewal. Appends base64. */
int identity_proof(const struct key *k, const char *purpose, const char *token_id, struct span csr, struct buf *out);

#endif
