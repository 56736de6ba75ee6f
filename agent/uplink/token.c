/*
 * Taking a token apart. See token.h. Called by enrolment; must never show the secret in a reason.
 */
#include "agent/uplink/token.h"
#include "policy/base/text.h"
#include <ctype.h>

#define PREFIX_LEN (sizeof(API_TOKEN_PREFIX) - 1)
#define TOKEN_LEN (PREFIX_LEN + 1 + 2 * API_TOKEN_ID_SIZE + 1 + 2 * API_TOKEN_SECRET_SIZE + 1 + 2 * DIGEST_SIZE)

static int part(const char **at, size_t bytes, char *hex, uint8_t *raw)
{
	if (**at != '.')
		return V_BAD;
	memcpy(hex, *at + 1, 2 * bytes);
	hex[2 * bytes] = 0;
	*at += 1 + 2 * bytes;
	return hex_decode(hex, raw, bytes);
}

int token_parse(const char *text, struct token *out, struct why *why)
{
	char fingerprint[2 * DIGEST_SIZE + 1];
	uint8_t raw[DIGEST_SIZE];
	struct token t;
	size_t n;

	while (isspace((unsigned char)*text))
		text++;
	n = strlen(text);
	while (n && isspace((unsigned char)text[n - 1]))
		n--;
	if (n < PREFIX_LEN || memcmp(text, API_TOKEN_PREFIX, PREFIX_LEN) != 0)
		return why_set(why, V_BAD, "this is no enrolment token (it would begin with " API_TOKEN_PREFIX ".)");
	if (n != TOKEN_LEN)
		return why_set(why, V_BAD, "the token has %zu characters where %zu belong: was it cut?", n, TOKEN_LEN);
	text += PREFIX_LEN;
	if (part(&text, API_TOKEN_ID_SIZE, t.id, raw) || part(&text, API_TOKEN_SECRET_SIZE, t.secret, raw) ||
		part(&text, DIGEST_SIZE, fingerprint, t.ca.b))
		return why_set(why, V_BAD, "the token is damaged: not groups of hexadecimal digits");
	*out = t;
	return 0;
}
