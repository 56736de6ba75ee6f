/* Enrolment tokens: taken as they are pasted, refused when anything is missing, never shown in a reason. */
#include "agent/uplink/token.h"
#include "policy/base/text.h"
#include "tests/unit/cm.h"

#define ID "0123456789abcdef"
#define SECRET "00112233445566778899aabbccddeeff"
#define CA "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define GOOD "SEK1." ID "." SECRET "." CA

static void takes_a_good_one(void **state)
{
	static const char *const forms[] = {GOOD, GOOD "\n", "  " GOOD "\r\n ", "\t" GOOD};
	char hex[2 * DIGEST_SIZE + 1];
	struct token t;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		assert_int_equal(token_parse(forms[i], &t, NULL), 0);
		assert_string_equal(t.id, ID);
		assert_string_equal(t.secret, SECRET);
		assert_string_equal(hex_encode(hex, t.ca.b, DIGEST_SIZE), CA);
	}
}

static void refuses_every_cut_and_every_foreign_digit(void **state)
{
	char text[sizeof(GOOD)];
	struct why why;
	struct token t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(GOOD) - 1; i++) {
		memcpy(text, GOOD, sizeof(GOOD));
		text[i] = 0;
		assert_int_equal(token_parse(text, &t, &why), V_BAD);
		assert_null(strstr(why.text, "00112233"));
		memcpy(text, GOOD, sizeof(GOOD));
		text[i] = 'x';
		assert_int_equal(token_parse(text, &t, &why), V_BAD);
		assert_null(strstr(why.text, "00112233"));
	}
	assert_int_equal(token_parse(GOOD "0", &t, &why), V_BAD);
	assert_int_equal(token_parse("", &t, &why), V_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_good_one),
		cmocka_unit_test(refuses_every_cut_and_every_foreign_digit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
