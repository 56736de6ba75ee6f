/*
 * Logout tokens come from anybody, with what they claim; the keys from the provider. The first byte says which: 't', a
 * token, against a key that is right; 'c', claims, which are signed here, so that what is behind the signature is met
 * too; 'k', keys, a newline, a token. What is signed for is seen without the signature as well, no such token is an ID
 * token, and keys that are kept say what those say that they were made of.
 */
#include "collector/oidc/oidc.h"
#include <jose/b64.h>
#include <jose/jws.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 7515, appendix A.3.1. */
#define X_ "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y_ "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define D_ "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"

static void check(struct span token, const json_t *keys)
{
	static const struct oidc_want want = {.issuer = "https://id.example",
		.client_id = "the console",
		.nonce = "the nonce",
		.acr = "",
		.untyped = true,
		.now_s = 1700000100};
	struct oidc_want strict = want;
	struct oidc_logout seen = {.subject = ""}, got = {.subject = ""};
	struct oidc_claims claims;
	struct why why = {""}, ignored = {""};
	json_t *kept = oidc_keys(keys);
	int looked = oidc_logout_look(token, &want, &seen, &ignored);
	int r = oidc_logout_check(token, keys, &want, &got, &why);

	if (!kept || json_array_size(json_object_get(kept, "keys")) > json_array_size(json_object_get(keys, "keys")))
		abort();
	if (r ? !why.text[0] || got.subject[0] || got.has_sid : !got.subject[0] && !got.has_sid)
		abort();
	if (looked ? r != looked || !ignored.text[0] : r && r != V_DENIED)
		abort();
	if (!r &&
		(strcmp(seen.subject, got.subject) || seen.has_sid != got.has_sid || !digest_eq(&seen.sid, &got.sid) ||
			!digest_eq(&seen.jti, &got.jti) || seen.until_s != got.until_s || got.until_s <= want.now_s))
		abort();
	if (!r && !oidc_token_check(token, keys, &want, &claims, &ignored))
		abort();
	if (oidc_logout_check(token, kept, &want, &got, &ignored) != r)
		abort();
	/* Where their type is asked for, fewer are taken and no others. */
	strict.untyped = false;
	looked = oidc_logout_check(token, keys, &strict, &got, &ignored);
	if (looked != r && looked != V_BAD)
		abort();
	json_decref(kept);
}

static void check_claims(struct span claims, const json_t *keys)
{
	json_t *key = json_pack("{s:s, s:s, s:s, s:s, s:s}", "kty", "EC", "crv", "P-256", "x", X_, "y", Y_, "d", D_);
	json_t *jws = json_pack("{s:o}", "payload", jose_b64_enc(claims.p, claims.n));
	json_t *sig = json_pack("{s:{s:s}}", "protected", "alg", "ES256");
	_cleanup_buf_ struct buf token = BUF_INIT(1u << 20);

	if (!jose_jws_sig(NULL, jws, sig, key) ||
		buf_putf(&token, "%s.%s.%s", json_string_value(json_object_get(jws, "protected")),
			json_string_value(json_object_get(jws, "payload")),
			json_string_value(json_object_get(jws, "signature"))))
		abort();
	check(buf_span(&token), keys);
	json_decref(key);
	json_decref(jws);
	json_decref(sig);
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
	if (*data == 'k' && end) {
		keys = json_loadb((const char *)data + 1, (size_t)(end - data - 1), JSON_REJECT_DUPLICATES, NULL);
		check(SPAN(end + 1, size - (size_t)(end - data) - 1), keys);
		json_decref(keys);
	} else if (*data == 't' || *data == 'c') {
		keys = json_loads(known, 0, NULL);
		if (*data == 't')
			check(SPAN(data + 1, size - 1), keys);
		else
			check_claims(SPAN(data + 1, size - 1), keys);
		json_decref(keys);
	}
	return 0;
}
