/*
 * The enrolment token: one line, "SEK1.<id>.<secret>.<fingerprint>" in hex (collector/ingest/PROTOCOL.md).
 */
#ifndef SEKISHO_UPLINK_TOKEN_H
#define SEKISHO_UPLINK_TOKEN_H

#include "policy/base/why.h"
#include "policy/trust/digest.h"
#include "policy/wire/api.h"

struct token {
	char id[2 * API_TOKEN_ID_SIZE + 1];
	char secret[2 * API_TOKEN_SECRET_SIZE + 1];
	struct digest ca; /* SHA-256 of the collector's CA certificate (DER) */
};

/* Surrounding white space is allowed: tokens are pasted. 0 or V_BAD. */
int token_parse(const char *text, struct token *out, struct why *why);

#endif
