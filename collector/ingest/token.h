/*
 * Enrolment tokens: by id on a shelf (a file each, or a row of the database that collectors share), with the hash of
 * the secret, never the secret. A token belongs to the first PC that uses it, at whichever collector, so that a PC
 * whose answer was lost can ask again (with the same keys) and nobody else can.
 */
#ifndef SEKISHO_INGEST_TOKEN_H
#define SEKISHO_INGEST_TOKEN_H

#include "collector/ingest/shelf.h"
#include "policy/base/why.h"
#include "policy/trust/digest.h"
#include "policy/wire/api.h"

#define TOKENS_MAX 10000u
#define TOKEN_FILE_MAX 1024u
#define TOKEN_NAME_MAX 128u
#define TOKEN_TEXT_SIZE \
	(sizeof(API_TOKEN_PREFIX) + 3 + 2 * API_TOKEN_ID_SIZE + 2 * API_TOKEN_SECRET_SIZE + 2 * DIGEST_SIZE)

struct token {
	char id[2 * API_TOKEN_ID_SIZE + 1];
	char name[TOKEN_NAME_MAX]; /* empty: any */
	struct digest secret;      /* its hash */
	int64_t expires_us;
	bool used;
	struct digest used_by; /* a PC's id */
};

/* A PC's name: UTF-8 without control characters, 1 to 127 bytes, not 64 hexadecimal digits. */
bool name_fits(const char *name);

/* Makes one; `text` is the line to hand out. 0; V_FULL where TOKENS_MAX are open; -errno. */
int token_create(const struct shelf *on, const char *name, int64_t expires_us, const struct digest *ca,
	char text[TOKEN_TEXT_SIZE], char id[2 * API_TOKEN_ID_SIZE + 1]);
/*
 * Is "<id>.<secret>" good for the PC `host` under `name`? 0; V_DENIED with the reason (unknown, expired, used by
 * another, for another name); -errno.
 */
int token_check(const struct shelf *on, const char *presented, const char *name, const struct digest *host,
	int64_t now_us, struct token *out, struct why *why);
/* Binds it to the PC, durably. 0; V_DENIED with the reason where another has come before, a moment ago; -errno. */
int token_use(const struct shelf *on, const struct token *t, const struct digest *host, struct why *why);
/* Tells every token that can still be used. Removes those that have expired. 0, -errno, or what `fn` returned. */
int token_each(const struct shelf *on, int64_t now_us, int (*fn)(void *ctx, const struct token *t), void *ctx);

#endif
