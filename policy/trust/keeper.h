/*
 * Keys that are not in files: a TPM or a PKCS#11 token holds them, and sekisho-keeper alone speaks to it. What lies
 * where a key's file would be is its public half and how its holder finds the private one; who wants a signature or a
 * common secret asks the keeper, by one request on a socket of this machine.
 *
 * A request is one CBOR array (RFC 8949): [version, what, the key's file, what to work on]; an answer is
 * [verdict, bytes, words]. Both sides read them here. Must never carry a private key in the clear.
 */
#ifndef SEKISHO_TRUST_KEEPER_H
#define SEKISHO_TRUST_KEEPER_H

#include "policy/trust/key.h"

#define KEEPER_SOCKET "/run/sekisho/keeper.sock" /* behind SEKISHO_ROOT, where a test sets it */
#define KEEPER_VERSION 1
#define KEEPER_FILE_MAX 4096u /* a key's file */
#define KEEPER_MESSAGE_MAX 8192u
#define KEEPER_POINT_SIZE 65u /* a point of P-256, uncompressed (SEC 1) */
#define KEEPER_ID_SIZE 16u    /* by which a PKCS#11 token finds a key (CKA_ID) */
#define KEEPER_WAIT_S 8       /* a holder that takes longer is taken for one that is not there */

enum keeper_what {
	KEEPER_MAKE = 1, /* a new P-256 key where agent.conf says; answered by what its file is to be */
	KEEPER_SIGN = 2, /* of a SHA-256; answered by r || s */
	KEEPER_AGREE = 3 /* with a point; answered by the x-coordinate of the common one (SECRET_SIZE) */
};

struct keeper_request {
	enum keeper_what what;
	struct span file, input; /* borrowed */
};

/* The key that a file's text names, where a keeper holds it. 0; V_BAD; -ENOMEM. */
int key_read_held(struct span file, struct key **out);

/*
 * The file of a key in a PKCS#11 token: its public half (PEM, RFC 5480) and the id by which the token finds the private
 * one (PEM "SEKISHO PKCS11 KEY"), which is worth nothing without the token; and back. 0; V_BAD; -ENOMEM.
 */
int keeper_token_write(const uint8_t point[KEEPER_POINT_SIZE], const uint8_t id[KEEPER_ID_SIZE], struct buf *file);
int keeper_token_read(struct span file, uint8_t point[KEEPER_POINT_SIZE], uint8_t id[KEEPER_ID_SIZE]);

/* One request's bytes, and back: sizes are those of its kind, and nothing follows. 0; V_BAD; V_FULL; -ENOMEM. */
int keeper_request_write(const struct keeper_request *q, struct buf *out);
int keeper_request_read(struct span bytes, struct keeper_request *out, struct why *why);

/* An answer: 0 with bytes, or a verdict with words. Reading returns the verdict, or V_BAD. */
int keeper_answer_write(int verdict, struct span bytes, const char *words, struct buf *out);
int keeper_answer_read(struct span bytes, struct buf *out, struct why *why);

/*
 * Asks the keeper and appends what it answers. 0; V_AGAIN where there is no keeper, its holder is not there, or took
 * too long; V_DENIED; V_BAD where the key is not the holder's (any more). `why` says it for a person.
 */
int keeper_ask(const struct keeper_request *q, struct buf *out, struct why *why);

#endif
