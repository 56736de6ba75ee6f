/* Drives as records tell of them: what is one, what is the same one, what cannot be told for certain. */
#include "policy/rule/sighting.h"
#include "tests/unit/cm.h"

static struct record plug(const char *id, const char *serial, const char *interfaces, const uint8_t *print)
{
	struct record r;

	record_reset(&r);
	record_set_text(&r, F_USB_ID, id);
	record_set_text(&r, F_SERIAL, serial);
	record_set_text(&r, F_INTERFACES, interfaces);
	if (print)
		record_set_span(&r, F_FINGERPRINT, SPAN(print, DIGEST_SIZE));
	return r;
}

static void test_read(void **state)
{
	static const uint8_t print[DIGEST_SIZE] = {7};
	struct record r = plug("0951:1666", "0123456789", "08:06:50,03:01:01", print);
	struct sighting s;

	(void)state;
	assert_true(sighting_read(&s, &r));
	assert_int_equal(s.vendor, 0x0951);
	assert_int_equal(s.product, 0x1666);
	assert_string_equal(s.serial, "0123456789");
	assert_int_equal(s.times, 1);
	assert_true(s.has_fingerprint && !s.twice);
	assert_int_equal(sighting_doubt(&s), SIGHTING_CERTAIN);
	r = plug("0951:1666", "0123456789", "03:01:01", print);
	assert_false(sighting_read(&s, &r));
	r = plug(NULL, "0123456789", "08:06:50", print);
	assert_false(sighting_read(&s, &r));
}

static void test_fold(void **state)
{
	static const uint8_t one[DIGEST_SIZE] = {1}, two[DIGEST_SIZE] = {2};
	struct record r = plug("0951:1666", "0123456789", "08:06:50", one);
	struct sighting known, again;
	struct device d;

	(void)state;
	assert_true(sighting_read(&known, &r));
	r = plug("0951:1666", "0123456789", "08:06:50", NULL);
	assert_true(sighting_read(&again, &r));
	assert_true(sighting_same(&known, &again));
	sighting_fold(&known, &again);
	assert_true(known.has_fingerprint && !known.twice);
	assert_int_equal(known.times, 2);
	r = plug("0951:1666", "0123456789", "08:06:50", two);
	assert_true(sighting_read(&again, &r));
	sighting_fold(&known, &again);
	assert_true(known.twice);
	assert_int_equal(known.times, 3);
	assert_int_equal(sighting_doubt(&known), SIGHTING_TWO_FINGERPRINTS);
	d = sighting_device(&known);
	assert_int_equal(d.fingerprint.b[0], 2);
	r = plug("0951:1666", "0123456780", "08:06:50", one);
	assert_true(sighting_read(&again, &r));
	assert_false(sighting_same(&known, &again));
}

static void test_doubt(void **state)
{
	struct record r = plug("0951:1666", NULL, "08:06:50", NULL);
	struct sighting s;

	(void)state;
	assert_true(sighting_read(&s, &r));
	assert_int_equal(sighting_doubt(&s), SIGHTING_NO_SERIAL);
	r = plug("0951:1666", "0000001", "08:06:50", NULL);
	assert_true(sighting_read(&s, &r));
	assert_int_equal(sighting_doubt(&s), SIGHTING_SHORT_SERIAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read), cmocka_unit_test(test_fold), cmocka_unit_test(test_doubt)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
