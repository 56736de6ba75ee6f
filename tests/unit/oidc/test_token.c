/* ID tokens that python3-cryptography made (tests/unit/oidc/data), good and, a letter later, not. */
#include "collector/oidc/oidc.h"
#include "policy/base/file.h"
#include "tests/unit/cm.h"
#include <stdlib.h>

static struct why why;
static json_t *jwks;
static const struct oidc_want good = {.issuer = "https://id.example",
	.client_id = "the console",
	.nonce = "the nonce",
	.acr = "urn:two amr:mfa",
	.access_token = "an access token",
	.now_s = 1700000100};

static int begin(void **state)
{
	(void)state;
	jwks = json_load_file(TEST_DATA "/jwks.json", 0, NULL);
	return jwks ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	json_decref(jwks);
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

static void each_algorithm(void **state)
{
	static const char *const names[] = {"rs256", "ps256", "es256", "amr"};
	struct oidc_claims c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct buf b = token(names[i]);

		assert_int_equal(oidc_token_check(buf_span(&b), jwks, &good, &c, &why), 0);
		assert_string_equal(c.subject, "hanako-1");
		assert_true(c.assured);
		buf_deinit(&b);
	}
}

static void check(struct oidc_want w, const char *words)
{
	struct buf b = token("es256");
	struct oidc_claims c = {.subject = "untouched"};

	assert_int_equal(oidc_token_check(buf_span(&b), jwks, &w, &c, &why), V_BAD);
	assert_non_null(strstr(why.text, words));
	assert_string_equal(c.subject, "untouched");
	buf_deinit(&b);
}

static void not_what_is_wanted(void **state)
{
	struct oidc_want w = good;

	(void)state;
	w.issuer = "https://id.example/";
	check(w, "another issuer");
	w = good;
	w.client_id = "another";
	check(w, "another client");
	w = good;
	w.nonce = "another";
	check(w, "nonce");
	w = good;
	w.access_token = NULL;
	check(w, "at_hash");
	w = good;
	w.now_s = 1700000300 + OIDC_LEEWAY_S;
	check(w, "expired");
	w.now_s = 1700000000 - OIDC_LEEWAY_S - 1;
	check(w, "future");
}

static void two_factors_only_where_it_says_so(void **state)
{
	static const char *const not [] = {"", "urn:tw", "urn:two2", "amr:urn:two", "x y"};
	struct oidc_want w = good;
	struct buf b = token("es256");
	struct oidc_claims c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(not ); i++) {
		w.acr = not [i];
		assert_int_equal(oidc_token_check(buf_span(&b), jwks, &w, &c, &why), 0);
		assert_false(c.assured);
	}
	w.acr = "a urn:two b";
	assert_int_equal(oidc_token_check(buf_span(&b), jwks, &w, &c, &why), 0);
	assert_true(c.assured);
	buf_deinit(&b);
}

/* No letter of it can be another one; the last of the signature holds two bits that are nobody's. */
static void each_letter_counts(void **state)
{
	struct buf b = token("es256");
	struct oidc_claims c;
	size_t i;

	(void)state;
	for (i = 0; i + 1 < b.n; i++) {
		uint8_t was = b.p[i];

		b.p[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(oidc_token_check(buf_span(&b), jwks, &good, &c, &why), V_BAD);
		b.p[i] = was;
	}
	for (i = 0; i < b.n; i += 7)
		assert_int_equal(oidc_token_check(SPAN(b.p, i), jwks, &good, &c, &why), V_BAD);
	buf_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_algorithm),
		cmocka_unit_test(not_what_is_wanted),
		cmocka_unit_test(two_factors_only_where_it_says_so),
		cmocka_unit_test(each_letter_counts),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
