/* One-time passwords: the vectors of RFC 4226 appendix D and RFC 6238 appendix B, once only, base32 of RFC 4648. */
#include "policy/base/why.h"
#include "policy/trust/otp.h"
#include "tests/unit/cm.h"

static const uint8_t secret[OTP_SECRET_SIZE] = "12345678901234567890";

static void published(void **state)
{
	static const unsigned hotp[] = {755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489};
	/* Of the eight digits in RFC 6238 the last six. */
	static const struct {
		int64_t at;
		unsigned code;
	} totp[] = {{59, 287082}, {1111111109, 81804}, {1111111111, 50471}, {1234567890, 5924}, {2000000000, 279037},
		{20000000000, 353130}};
	unsigned code, i;

	(void)state;
	for (i = 0; i < sizeof(hotp) / sizeof(hotp[0]); i++) {
		assert_int_equal(otp_code(secret, i, &code), 0);
		assert_int_equal(code, hotp[i]);
	}
	for (i = 0; i < sizeof(totp) / sizeof(totp[0]); i++) {
		uint64_t used = 0;

		assert_int_equal(otp_check(secret, totp[i].code, totp[i].at, 0, &used), 0);
		assert_int_equal(used, totp[i].at / OTP_STEP_S);
	}
}

static void once(void **state)
{
	uint64_t used = 0;
	unsigned before;

	(void)state;
	assert_int_equal(otp_check(secret, 279037, 2000000000, 1, &used), 0);
	assert_int_equal(otp_check(secret, 279037, 2000000000, 1, &used), V_DENIED);
	assert_int_equal(otp_check(secret, 279037, 2000000029, 1, &used), V_DENIED);
	/* One that is older than one that was used is over, too. */
	assert_int_equal(otp_code(secret, 2000000000 / 30 - 1, &before), 0);
	assert_int_equal(otp_check(secret, before, 2000000000, 1, &used), V_DENIED);
}

/* The step of 2000000000 begins 20 s before. */
static void in_its_time(void **state)
{
	static const struct {
		int64_t at;
		unsigned late;
		int verdict;
	} all[] = {{1999999979, 0, V_DENIED}, {1999999979, 1, V_DENIED}, {1999999980, 0, 0}, {2000000009, 0, 0},
		{2000000010, 0, V_DENIED}, {2000000010, 1, 0}, {2000000039, 1, 0}, {2000000040, 1, V_DENIED},
		{-5, 1, V_DENIED}};
	uint64_t used;
	unsigned i, first;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		used = 0;
		assert_int_equal(otp_check(secret, 279037, all[i].at, all[i].late, &used), all[i].verdict);
		assert_int_equal(used, all[i].verdict ? 0 : 2000000000 / OTP_STEP_S);
	}
	/* There is none before the first. */
	used = 0;
	assert_int_equal(otp_code(secret, 1, &first), 0);
	assert_int_equal(otp_check(secret, first, 31, 1, &used), 0);
	assert_int_equal(otp_check(secret, first, 5, 1, &used), V_DENIED);
}

static void base32(void **state)
{
	uint8_t back[OTP_SECRET_SIZE];
	char text[OTP_BASE32_SIZE];

	(void)state;
	otp_base32(secret, text);
	assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
	assert_int_equal(otp_base32_read(text, back), 0);
	assert_memory_equal(back, secret, sizeof(back));
	assert_int_equal(otp_base32_read("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ", back), V_BAD);
	assert_int_equal(otp_base32_read("gEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", back), V_BAD);
	assert_int_equal(otp_base32_read("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1", back), V_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published),
		cmocka_unit_test(once),
		cmocka_unit_test(in_its_time),
		cmocka_unit_test(base32),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
