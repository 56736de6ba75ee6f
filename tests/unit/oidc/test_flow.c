/* What goes to the provider through the browser; which addresses are taken. */
#include "collector/oidc/oidc.h"
#include "policy/base/text.h"
#include "tests/unit/cm.h"

static void of_one_secret(void **state)
{
	uint8_t secret[32] = {1}, other[32] = {2};
	struct oidc_flow a, b;

	(void)state;
	oidc_flow(secret, &a);
	oidc_flow(secret, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	oidc_flow(other, &b);
	assert_string_not_equal(a.state, b.state);
	assert_string_not_equal(a.state, a.nonce);
	assert_string_not_equal(a.nonce, a.verifier);
}

static void base64url(void **state)
{
	/* RFC 7636, appendix B. */
	static const char verifier[] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	char text[OIDC_HASH_TEXT_SIZE];
	struct digest d;

	(void)state;
	digest_span(&d, SPAN_STR(verifier));
	oidc_hash_text(d.b, DIGEST_SIZE, text);
	assert_string_equal(text, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
	oidc_hash_text((const uint8_t *)"f", 1, text);
	assert_string_equal(text, "Zg");
}

static void the_request(void **state)
{
	static const struct oidc_settings s = {
		.issuer = "https://id.example", .client_id = "a b&c", .acr = "urn:x amr:mfa  urn:y"};
	static const struct oidc_flow f = {
		.state = "s", .nonce = "n", .verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"};
	_cleanup_buf_ struct buf b = BUF_INIT(4096);

	(void)state;
	assert_int_equal(oidc_location("https://id.example/auth?x=1", &s, "https://c:8444/oidc", &f, &b), 0);
	assert_int_equal(buf_put(&b, "", 1), 0);
	assert_string_equal((const char *)b.p,
		"https://id.example/"
		"auth?x=1&response_type=code&scope=openid&client_id=a%20b%26c&redirect_uri=https%3A%2F%2Fc%"
		"3A8444%2Foidc&state=s&nonce=n&code_challenge_method=S256&code_challenge="
		"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&acr_values=urn%3Ax%20urn%3Ay");
	assert_int_equal(oidc_location("http://id.example/auth", &s, "https://c/oidc", &f, &b), V_BAD);
	buf_clear(&b);
	assert_int_equal(oidc_logout_location("https://id.example/end", &s, "https://c:8444/", "0f", &b), 0);
	assert_int_equal(buf_put(&b, "", 1), 0);
	assert_string_equal((const char *)b.p,
		"https://id.example/"
		"end?client_id=a%20b%26c&post_logout_redirect_uri=https%3A%2F%2Fc%3A8444%2F&state=0f");
	assert_int_equal(oidc_logout_location("javascript:alert(1)", &s, "https://c/", "0f", &b), V_BAD);
}

static void subjects(void **state)
{
	char longest[OIDC_SUBJECT_SIZE + 1];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	assert_true(oidc_is_subject(longest, OIDC_SUBJECT_SIZE - 1));
	assert_false(oidc_is_subject(longest, OIDC_SUBJECT_SIZE));
	assert_true(oidc_is_subject("cn=Hanako Yamada", 16));
	assert_false(oidc_is_subject("", 0));
	assert_false(oidc_is_subject(" a", 2));
	assert_false(oidc_is_subject("a ", 2));
	assert_false(oidc_is_subject("a\0b", 3));
	assert_false(oidc_is_subject("a\n", 2));
	assert_false(oidc_is_subject("\xe8\x8a\xb1", 3));
}

static void addresses(void **state)
{
	(void)state;
	assert_true(oidc_is_https("https://id.example"));
	assert_true(oidc_is_https("https://id.example:8443/realms/a?b=c"));
	assert_false(oidc_is_https("https://"));
	assert_false(oidc_is_https("https:///x"));
	assert_false(oidc_is_https("http://id.example"));
	assert_false(oidc_is_https("https://id.example@evil.example/"));
	assert_false(oidc_is_https("https://id.example/#a"));
	assert_false(oidc_is_https("https://id.example/\n"));
	assert_false(oidc_is_https("https://id.example/ "));
	assert_false(oidc_is_https("javascript:alert(1)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_one_secret),
		cmocka_unit_test(base64url),
		cmocka_unit_test(the_request),
		cmocka_unit_test(subjects),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
