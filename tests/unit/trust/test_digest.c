/* SHA-256 by the examples of FIPS 180-4; parts hash as their concatenation; random bytes differ. */
#include "policy/base/text.h"
#include "policy/trust/digest.h"
#include "tests/unit/cm.h"

static void is(const struct span *parts, size_t n, const char *hex)
{
	struct digest d;
	char s[2 * DIGEST_SIZE + 1];

	digest_of(&d, parts, n);
	assert_string_equal(hex_encode(s, d.b, DIGEST_SIZE), hex);
}

static void published_digests(void **state)
{
	static uint8_t million[1000000];
	const struct span abc = SPAN_STR("abc"),
			  two = SPAN_STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
			  many = SPAN(million, sizeof(million));

	(void)state;
	memset(million, 'a', sizeof(million));
	is(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	is(&abc, 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	is(&two, 1, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	is(&many, 1, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void parts_are_one_message(void **state)
{
	const struct span parts[] = {SPAN_STR("a"), SPAN(NULL, 0), SPAN_STR("b"), SPAN_STR("c")};
	struct digest a, b;

	(void)state;
	is(parts, 4, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_span(&a, SPAN_STR("abc"));
	digest_of(&b, parts, 4);
	assert_true(digest_eq(&a, &b));
	b.b[31] ^= 1;
	assert_false(digest_eq(&a, &b));
}

static void random_is_not_constant(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0}, zero[32] = {0};

	(void)state;
	assert_int_equal(random_bytes(a, sizeof(a)), 0);
	assert_int_equal(random_bytes(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, zero, sizeof(a));
	secret_wipe(a, sizeof(a));
	assert_memory_equal(a, zero, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_digests),
		cmocka_unit_test(parts_are_one_message),
		cmocka_unit_test(random_is_not_constant),
	};

	return cmocka_run_group_tests_name("trust/digest", tests, NULL, NULL);
}
