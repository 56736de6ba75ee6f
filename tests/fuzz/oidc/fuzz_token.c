/*
 * ID tokens, their claims and the provider's keys come from outside. The first byte says which: 't', a token, against
 * keys that are right; 'c', claims, which are signed here, so that what is behind the signature is met too; 'k', keys,
 * a newline, a token.
 */
#include "collector/oidc/oidc.h"
#include <jose/b64.h>
#include <jose/jws.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 7515, appendix A.3.1. */
#define X_ "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y_ "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define D_ "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"

static json_t *sign(struct span claims)
{
	json_t *key = json_pack("{s:s, s:s, s:s, s:s, s:s}", "kty", "EC", "crv", "P-256", "x", X_, "y", Y_, "d", D_);
	json_t *jws = json_pack("{s:o}", "payload", jose_b64_enc(claims.p, claims.n));
	json_t *sig = json_pack("{s:{s:s}}", "protected", "alg", "ES256");

	if (!jose_jws_sig(NULL, jws, sig, key))
		abort();
	json_decref(key);
	json_decref(sig);
	return jws;
}

static void check(struct span token, const json_t *keys)
{
	static const struct oidc_want want = {.issuer = "https://id.example",
		.client_id = "the console",
		.nonce = "the nonce",
		.acr = "urn:two amr:mfa",
		.access_token = "an access token",
		.now_s = 1700000100};
	struct oidc_claims claims = {.subject = ""};
	struct why why = {""};
	int r = oidc_token_check(token, keys, &want, &claims, &why);

	if (r ? r != V_BAD || !why.text[0] || claims.subject[0] : !claims.subject[0] || strlen(claims.subject) > 255)
		abort();
}

static void check_claims(struct span claims)
{
	json_t *keys = json_pack("{s:[{s:s, s:s, s:s, s:s}]}", "keys", "kty", "EC", "crv", "P-256", "x", X_, "y", Y_);
	json_t *jws = sign(claims);
	_cleanup_buf_ struct buf token = BUF_INIT(1u << 20);

	if (buf_putf(&token, "%s.%s.%s", json_string_value(json_object_get(jws, "protected")),
		    json_string_value(json_object_get(jws, "payload")),
		    json_string_value(json_object_get(jws, "signature"))))
		abort();
	check(buf_span(&token), keys);
	json_decref(jws);
	json_decref(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char known[] =
		"{\"keys\": [{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"" X_ "\", \"y\": \"" Y_ "\"}]}";
	const uint8_t *end;
	json_t *keys;

	if (!size || size > 65536)
		return 0;
	end = memchr(data, '\n', size);
	if (*data == 'c') {
		check_claims(SPAN(data + 1, size - 1));
	} else if (*data == 'k' && end) {
		keys = json_loadb((const char *)data + 1, (size_t)(end - data - 1), JSON_REJECT_DUPLICATES, NULL);
		check(SPAN(end + 1, size - (size_t)(end - data) - 1), keys);
		json_decref(keys);
	} else if (*data == 't') {
		keys = json_loads(known, 0, NULL);
		check(SPAN(data + 1, size - 1), keys);
		json_decref(keys);
	}
	return 0;
}
