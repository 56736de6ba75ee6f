/* COSE_Sign1: the working group's vectors, and what we refuse beyond them. */
#include "policy/base/text.h"
#include "policy/trust/cose.h"
#include "tests/unit/cm.h"

static struct key *ed, *ec;

static void unhex(const char *hex, struct buf *out)
{
	size_t n = strcmp(hex, "-") ? strlen(hex) / 2 : 0;

	assert_int_equal(buf_reserve(out, n + 1), 0);
	if (n)
		assert_int_equal(hex_decode(hex, out->p, n), 0);
	out->n = n;
}

static void the_working_groups_vectors(void **state)
{
	_cleanup_fclose_ FILE *f = fopen(TEST_DATA "/cose/vectors.txt", "re");
	char name[64], verdict[16], key[1024], aad[256], message[4096];
	unsigned n = 0, good = 0;

	(void)state;
	assert_non_null(f);
	while (fscanf(f, "%63s %15s %1023s %255s %4095s", name, verdict, key, aad, message) == 5) {
		_cleanup_buf_ struct buf k = BUF_INIT(2048), a = BUF_INIT(256), m = BUF_INIT(4096);
		_cleanup_(key_freep) struct key *public = NULL;
		struct cose_sign1 c;
		struct why why = {""};
		int v;

		unhex(key, &k);
		unhex(aad, &a);
		unhex(message, &m);
		assert_int_equal(key_from_public_der(buf_span(&k), &public, &why), 0);
		v = cose_parse(buf_span(&m), &c, &why);
		if (!v) {
			assert_int_equal(c.size, m.n);
			v = cose_verify(&c, public, buf_span(&a), &why);
		}
		if (!strcmp(verdict, "good")) {
			if (v)
				fail_msg("%s: %s", name, why.text);
			good++;
		} else if (v != V_BAD) {
			fail_msg("%s was taken", name);
		}
		n++;
	}
	assert_int_equal(n, 10);
	assert_int_equal(good, 2);
}

static void both_key_types_sign_and_no_other_verifies(void **state)
{
	struct key *keys[] = {ed, ec};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		_cleanup_buf_ struct buf m = BUF_INIT(4096);
		struct cose_sign1 c;
		uint8_t kid[COSE_KID_SIZE];
		size_t at;

		assert_int_equal(cose_sign(keys[i], 7, SPAN_STR("purpose"), SPAN_STR("payload"), &m), 0);
		assert_int_equal(buf_puts(&m, "behind"), 0);
		assert_int_equal(cose_parse(buf_span(&m), &c, NULL), 0);
		assert_int_equal(c.size, m.n - 6);
		assert_int_equal(c.format, 7);
		assert_true(span_eq(c.payload, SPAN_STR("payload")));
		assert_int_equal(cose_kid(keys[i], kid), 0);
		assert_true(span_eq(c.kid, SPAN(kid, sizeof(kid))));
		assert_int_equal(cose_verify(&c, keys[i], SPAN_STR("purpose"), NULL), 0);
		assert_int_equal(cose_verify(&c, keys[i], SPAN_STR("another"), NULL), V_BAD);
		assert_int_equal(cose_verify(&c, keys[!i], SPAN_STR("purpose"), NULL), V_BAD);
		for (at = 0; at < c.size; at++) {
			struct cose_sign1 d;

			m.p[at] ^= 1u << (at % 8);
			if (!cose_parse(buf_span(&m), &d, NULL))
				assert_int_equal(cose_verify(&d, keys[i], SPAN_STR("purpose"), NULL), V_BAD);
			m.p[at] ^= 1u << (at % 8);
		}
	}
}

#define BAD(s) assert_int_equal(cose_parse(SPAN(s, sizeof(s) - 1), &c, NULL), V_BAD)
#define REST "\x41p\x41s" /* payload and signature, of a byte each */

static void what_is_not_as_it_should_be_is_refused(void **state)
{
	struct cose_sign1 c;
	static const char good[] = "\xd2\x84\x43\xa1\x01\x27\xa0" REST;

	(void)state;
	assert_int_equal(cose_parse(SPAN(good, sizeof(good) - 1), &c, NULL), 0);
	BAD("\x84\x43\xa1\x01\x27\xa0" REST);                 /* no tag */
	BAD("\xd1\x84\x43\xa1\x01\x27\xa0" REST);             /* COSE_Mac0 */
	BAD("\xd2\x83\x43\xa1\x01\x27\xa0\x41p");             /* three parts */
	BAD("\xd2\x84\x40\xa1\x01\x27" REST);                 /* algorithm unprotected */
	BAD("\xd2\x84\x41\xa0\xa0" REST);                     /* no algorithm */
	BAD("\xd2\x84\x45\xa2\x01\x27\x01\x27\xa0" REST);     /* twice */
	BAD("\xd2\x84\x43\xa1\x01\x27\xa1\x01\x27" REST);     /* in both */
	BAD("\xd2\x84\x46\xa2\x01\x27\x02\x81\x04\xa0" REST); /* crit */
	BAD("\xd2\x84\x44\xa1\x01\x27\x00\xa0" REST);         /* bytes behind the protected map */
	BAD("\xd2\x84\x43\xa1\x01\x27\xa0\xf6\x41s");         /* detached payload */
	BAD("\xd2\x84\x43\xbf\x01\x27\xa0" REST);             /* indefinite length */
	BAD("\xd2\x84\x44\xa1\x01\x38\x07\xa0" REST);         /* longer head than needed */
}

static int begin(void **state)
{
	(void)state;
	return key_new(KEY_ED25519, &ed) || key_new(KEY_P256, &ec);
}

static int end(void **state)
{
	(void)state;
	key_free(ed);
	key_free(ec);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_working_groups_vectors),
		cmocka_unit_test(both_key_types_sign_and_no_other_verifies),
		cmocka_unit_test(what_is_not_as_it_should_be_is_refused),
	};

	return cmocka_run_group_tests_name("trust/cose", tests, begin, end);
}
