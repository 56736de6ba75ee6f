/*
 * Logout tokens: those that python3-cryptography made (tests/unit/oidc/data), good and, a letter later, not; and claims
 * that are signed here, each wrong in one thing.
 */
#include "collector/oidc/oidc.h"
#include "policy/base/file.h"
#include "tests/unit/cm.h"
#include <jose/b64.h>
#include <jose/jws.h>
#include <stdlib.h>

/* RFC 7515, appendix A.3.1. */
#define X_ "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y_ "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define D_ "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define EVENT_ "\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"
#define BASE_ "\"iss\":\"https://id.example\",\"aud\":\"the console\",\"iat\":1700000000,\"exp\":1700000120"

static struct why why;
static json_t *jwks, *ours;
static const struct oidc_want good = {.issuer = "https://id.example", .client_id = "the console", .now_s = 1700000100},
			      lenient = {.issuer = "https://id.example",
				      .client_id = "the console",
				      .untyped = true,
				      .now_s = 1700000100};

static int begin(void **state)
{
	(void)state;
	jwks = json_load_file(TEST_DATA "/logout-jwks.json", 0, NULL);
	ours = json_pack("{s:[{s:s, s:s, s:s, s:s}]}", "keys", "kty", "EC", "crv", "P-256", "x", X_, "y", Y_);
	return jwks && ours ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	json_decref(jwks);
	json_decref(ours);
	return 0;
}

static struct buf token(const char *name)
{
	struct buf b = BUF_INIT(65536);
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.jwt", TEST_DATA, name);
	assert_int_equal(file_read(path, &b), 0);
	return b;
}

static struct digest digest_text(const char *s)
{
	struct digest d;

	digest_span(&d, SPAN_STR(s));
	return d;
}

static void each_algorithm_and_whom_it_names(void **state)
{
	static const struct {
		const char *name, *subject;
		bool has_sid;
	} all[] = {{"logout-es256", "hanako-1", true}, {"logout-rs256", "hanako-1", false}, {"logout-ps256", "", true}};
	const struct digest sid = digest_text("s-1"), jti = digest_text("j-1");
	struct oidc_logout l, seen;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct buf b = token(all[i].name);

		/* One of them has no typ. */
		assert_int_equal(oidc_logout_check(buf_span(&b), jwks, &lenient, &l, &why), 0);
		assert_string_equal(l.subject, all[i].subject);
		assert_int_equal(l.has_sid, all[i].has_sid);
		assert_true(!l.has_sid || digest_eq(&l.sid, &sid));
		assert_true(digest_eq(&l.jti, &jti));
		assert_int_equal(l.until_s, 1700000120 + OIDC_LEEWAY_S);
		assert_int_equal(oidc_logout_look(buf_span(&b), &lenient, &seen, &why), 0);
		assert_string_equal(seen.subject, l.subject);
		assert_true(digest_eq(&seen.jti, &jti));
		assert_int_equal(seen.until_s, l.until_s);
		buf_deinit(&b);
	}
}

/* No letter of it can be another one; the last of the signature holds two bits that are nobody's. */
static void each_letter_counts(void **state)
{
	struct buf b = token("logout-es256");
	struct oidc_logout l = {.subject = "untouched"};
	size_t i;

	(void)state;
	for (i = 0; i + 1 < b.n; i++) {
		uint8_t was = b.p[i];

		b.p[i] = was == 'A' ? 'B' : 'A';
		assert_int_not_equal(oidc_logout_check(buf_span(&b), jwks, &good, &l, &why), 0);
		b.p[i] = was;
	}
	b.p[b.n - 5] ^= 1;
	assert_int_equal(oidc_logout_check(buf_span(&b), jwks, &good, &l, &why), V_DENIED);
	assert_string_equal(l.subject, "untouched");
	b.p[b.n - 5] = 0xff;
	assert_int_equal(oidc_logout_look(buf_span(&b), &good, &l, &why), V_BAD);
	buf_deinit(&b);
}

static void keys_that_are_kept(void **state)
{
	struct buf b = token("logout-es256");
	json_t *kept = oidc_keys(jwks), *list = json_object_get(kept, "keys"), *none = oidc_keys(NULL);
	struct oidc_logout l;

	(void)state;
	/* Neither the one for HMAC nor the one without its number, and of the others nothing that is not the key. */
	assert_int_equal(json_array_size(list), 2);
	assert_null(json_object_get(json_array_get(list, 0), "x5c"));
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "kid")), "lr");
	assert_int_equal(oidc_logout_check(buf_span(&b), kept, &good, &l, &why), 0);
	assert_int_equal(oidc_logout_check(buf_span(&b), none, &good, &l, &why), V_DENIED);
	json_decref(kept);
	json_decref(none);
	buf_deinit(&b);
}

/* A token with this header and these claims, which is well signed. */
static struct buf made(const char *header, const char *claims)
{
	json_t *key = json_pack("{s:s, s:s, s:s, s:s, s:s}", "kty", "EC", "crv", "P-256", "x", X_, "y", Y_, "d", D_);
	json_t *jws = json_pack("{s:o}", "payload", jose_b64_enc(claims, strlen(claims)));
	json_t *sig = json_pack("{s:o}", "protected", json_loads(header, 0, NULL));
	struct buf b = BUF_INIT(65536);

	assert_true(jose_jws_sig(NULL, jws, sig, key));
	assert_int_equal(buf_putf(&b, "%s.%s.%s", json_string_value(json_object_get(jws, "protected")),
				 json_string_value(json_object_get(jws, "payload")),
				 json_string_value(json_object_get(jws, "signature"))),
		0);
	json_decref(key);
	json_decref(jws);
	json_decref(sig);
	return b;
}

static void judge_by(const struct oidc_want *want, const char *header, const char *claims, const char *words)
{
	struct buf b = made(header, claims);
	struct oidc_logout l = {.subject = ""};
	int r = oidc_logout_check(buf_span(&b), ours, want, &l, &why);

	if (!words && r)
		fail_msg("%s %s: %s", header, claims, why.text);
	if (words && (r != V_BAD || !strstr(why.text, words)))
		fail_msg("%s %s: %d, \"%s\" and not \"%s\"", header, claims, r, why.text, words);
	/* Without the signature the same is seen. */
	assert_int_equal(oidc_logout_look(buf_span(&b), want, &l, &why), r);
	buf_deinit(&b);
}

#define LOGOUT_ "{\"alg\":\"ES256\",\"typ\":\"logout+jwt\"}"
#define UNTYPED_ "{\"alg\":\"ES256\"}"

static void claims_that_are_wrong(void **state)
{
	static const struct {
		const char *claims, *words;
	} all[] = {
		{"{" BASE_ "," EVENT_ ",\"jti\":\"j\",\"sub\":\"a\"}", NULL},
		{"{" BASE_ "," EVENT_ ",\"jti\":\"j\",\"sid\":\"a\",\"more\":1}", NULL},
		{"{" BASE_ ",\"jti\":\"j\",\"sub\":\"a\"}", "no sign-out"},
		{"{" BASE_ ",\"events\":[],\"jti\":\"j\",\"sub\":\"a\"}", "no sign-out"},
		{"{" BASE_ ",\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":true},\"jti\":\"j\","
		 "\"sub\":\"a\"}",
			"no sign-out"},
		{"{" BASE_ ",\"events\":{\"http://schemas.openid.net/event/other\":{}},\"jti\":\"j\",\"sub\":\"a\"}",
			"no sign-out"},
		{"{" BASE_ "," EVENT_ ",\"jti\":\"j\",\"sub\":\"a\",\"nonce\":\"n\"}", "nonce"},
		{"{" BASE_ "," EVENT_ ",\"jti\":\"j\",\"sub\":\"a\",\"nonce\":null}", "nonce"},
		{"{" BASE_ "," EVENT_ ",\"sub\":\"a\"}", "jti"},
		{"{" BASE_ "," EVENT_ ",\"jti\":\"\",\"sub\":\"a\"}", "jti"},
		{"{" BASE_ "," EVENT_ ",\"jti\":1,\"sub\":\"a\"}", "jti"},
		{"{" BASE_ "," EVENT_ ",\"jti\":\"j\"}", "neither"},
		{"{" BASE_ "," EVENT_ ",\"jti\":\"j\",\"sub\":\"a\",\"sid\":1}", "neither"},
		{"{" BASE_ "," EVENT_ ",\"jti\":\"j\",\"sub\":\"a\",\"sid\":\"\"}", "neither"},
		{"{" BASE_ "," EVENT_ ",\"jti\":\"j\",\"sub\":\"\",\"sid\":\"a\"}", "who signed out"},
		{"{" BASE_ "," EVENT_ ",\"jti\":\"j\",\"sub\":\"a \"}", "who signed out"},
		{"{\"iss\":\"https://id.example/\",\"aud\":\"the "
		 "console\",\"iat\":1700000000,\"exp\":1700000120," EVENT_ ",\"jti\":\"j\",\"sub\":\"a\"}",
			"another issuer"},
		{"{\"iss\":\"https://id.example\",\"aud\":[\"the console\",\"b\"],\"iat\":1700000000,\"exp\":"
		 "1700000120," EVENT_ ",\"jti\":\"j\",\"sub\":\"a\"}",
			"another client"},
		{"{\"iss\":\"https://id.example\",\"aud\":\"the console\",\"iat\":1700000000," EVENT_
		 ",\"jti\":\"j\",\"sub\":\"a\"}",
			"its time"},
		{"{\"iss\":\"https://id.example\",\"aud\":\"the console\",\"exp\":1700000120," EVENT_
		 ",\"jti\":\"j\",\"sub\":\"a\"}",
			"its time"},
		{"{\"iss\":\"https://id.example\",\"aud\":\"the console\",\"iat\":1700000000,\"exp\":1700000040," EVENT_
		 ",\"jti\":\"j\",\"sub\":\"a\"}",
			"expired"},
		{"{\"iss\":\"https://id.example\",\"aud\":\"the console\",\"iat\":1600000000,\"exp\":1800000000," EVENT_
		 ",\"jti\":\"j\",\"sub\":\"a\"}",
			"too long ago"},
		{"{\"iss\":\"https://id.example\",\"aud\":\"the "
		 "console\",\"iat\":1700000000,\"exp\":1800000000,\"jti\":"
		 "\"j\",\"jti\":\"k\"," EVENT_ ",\"sub\":\"a\"}",
			"cannot be read"},
		{"[1]", "cannot be read"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++)
		judge_by(&good, LOGOUT_, all[i].claims, all[i].words);
}

static void what_it_is_said_to_be(void **state)
{
	static const char claims[] = "{" BASE_ "," EVENT_ ",\"jti\":\"j\",\"sub\":\"a\"}";
	static const struct {
		const char *header, *words, *lenient;
	} all[] = {
		{LOGOUT_, NULL, NULL},
		{"{\"alg\":\"ES256\",\"typ\":\"application/Logout+JWT\"}", NULL, NULL},
		{UNTYPED_, "not said", NULL},
		{"{\"alg\":\"ES256\",\"typ\":\"JWT\"}", "not said", NULL},
		{"{\"alg\":\"ES256\",\"typ\":\"application/jwt\"}", "not said", NULL},
		{"{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", "another kind", "another kind"},
		{"{\"alg\":\"ES256\",\"typ\":\"logout+jwt2\"}", "another kind", "another kind"},
		{"{\"alg\":\"ES256\",\"typ\":\"\"}", "another kind", "another kind"},
		{"{\"alg\":\"ES256\",\"typ\":null}", "another kind", "another kind"},
		{"{\"alg\":\"ES256\",\"typ\":1}", "another kind", "another kind"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		judge_by(&good, all[i].header, claims, all[i].words);
		judge_by(&lenient, all[i].header, claims, all[i].lenient);
	}
}

/* An ID token that is good is no logout token; nor the other way round, whatever else it claims. */
static void one_is_never_the_other(void **state)
{
	static const struct oidc_want want = {.issuer = "https://id.example",
		.client_id = "the console",
		.nonce = "n",
		.acr = "",
		.now_s = 1700000100};
	static const char id[] = "{" BASE_ ",\"jti\":\"j\",\"sub\":\"a\",\"sid\":\"s-1\",\"nonce\":\"n\"}",
			  both[] = "{" BASE_ "," EVENT_ ",\"jti\":\"j\",\"sub\":\"a\",\"nonce\":\"n\"}";
	const struct digest sid = digest_text("s-1");
	struct oidc_claims c;
	struct buf b = made("{\"alg\":\"ES256\"}", id);

	(void)state;
	assert_int_equal(oidc_token_check(buf_span(&b), ours, &want, &c, &why), 0);
	assert_true(c.has_sid && digest_eq(&c.sid, &sid));
	buf_deinit(&b);
	judge_by(&good, UNTYPED_, id, "not said");
	judge_by(&lenient, UNTYPED_, id, "no sign-out");
	judge_by(&lenient, UNTYPED_, both, "nonce");
	b = made("{\"alg\":\"ES256\"}", both);
	assert_int_equal(oidc_token_check(buf_span(&b), ours, &want, &c, &why), V_BAD);
	assert_non_null(strstr(why.text, "no ID token"));
	buf_deinit(&b);
	b = made("{\"alg\":\"ES256\",\"typ\":\"logout+jwt\"}", id);
	assert_int_equal(oidc_token_check(buf_span(&b), ours, &want, &c, &why), V_BAD);
	assert_non_null(strstr(why.text, "no ID token"));
	buf_deinit(&b);
}

static void too_long(void **state)
{
	char claims[OIDC_LOGOUT_MAX];
	struct oidc_logout l;
	struct buf b;

	(void)state;
	snprintf(claims, sizeof(claims), "{" BASE_ "," EVENT_ ",\"jti\":\"j\",\"sub\":\"a\",\"more\":\"%07000d\"}", 0);
	b = made(LOGOUT_, claims);
	assert_true(b.n > OIDC_LOGOUT_MAX);
	assert_int_equal(oidc_logout_look(buf_span(&b), &good, &l, &why), V_BAD);
	buf_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_algorithm_and_whom_it_names),
		cmocka_unit_test(each_letter_counts),
		cmocka_unit_test(keys_that_are_kept),
		cmocka_unit_test(claims_that_are_wrong),
		cmocka_unit_test(what_it_is_said_to_be),
		cmocka_unit_test(one_is_never_the_other),
		cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
