/* COSE_Sign1: the working group's vectors, and what we refuse beyond them. */
#include "policy/base/cbor.h"
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
	unsigned n = 0, good = 0, foreign = 0;

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
		v = key_from_public_der(buf_span(&k), &public, &why);
		assert_int_equal(v, !strcmp(verdict, "foreign") ? V_BAD : 0);
		foreign += v != 0;
		v = cose_parse(buf_span(&m), &c, &why);
		if (!v) {
			assert_int_equal(c.size, m.n);
			v = cose_verify(&c, public ? public : ed, buf_span(&a), &why);
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
	assert_int_equal(n, 11);
	assert_int_equal(good, 2);
	assert_int_equal(foreign, 1);
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
#define LEAST "\x3b\x7f\xff\xff\xff\xff\xff\xff\xff" /* -2^63 */
#define REST "\x41p\x41s"                            /* payload and signature, of a byte each */

static void what_is_not_as_it_should_be_is_refused(void **state)
{
	struct cose_sign1 c;
	static const char good[] = "\xd2\x84\x43\xa1\x01\x27\xa0" REST;
	static const char others[] = "\xd2\x84\x43\xa1\x01\x27\xa3\x61x\x01\x61y\x02" LEAST "\x03" REST;

	(void)state;
	assert_int_equal(cose_parse(SPAN(good, sizeof(good) - 1), &c, NULL), 0);
	assert_int_equal(cose_parse(SPAN(others, sizeof(others) - 1), &c, NULL), 0);
	BAD("\x84\x43\xa1\x01\x27\xa0" REST);                             /* no tag */
	BAD("\xd1\x84\x43\xa1\x01\x27\xa0" REST);                         /* COSE_Mac0 */
	BAD("\xd2\x83\x43\xa1\x01\x27\xa0\x41p");                         /* three parts */
	BAD("\xd2\x84\x40\xa1\x01\x27" REST);                             /* algorithm unprotected */
	BAD("\xd2\x84\x41\xa0\xa0" REST);                                 /* no algorithm */
	BAD("\xd2\x84\x45\xa2\x01\x27\x01\x27\xa0" REST);                 /* twice */
	BAD("\xd2\x84\x43\xa1\x01\x27\xa1\x01\x27" REST);                 /* in both */
	BAD("\xd2\x84\x46\xa2\x01\x27\x02\x81\x04\xa0" REST);             /* crit */
	BAD("\xd2\x84\x44\xa1\x01\x27\x00\xa0" REST);                     /* bytes behind the protected map */
	BAD("\xd2\x84\x43\xa1\x01\x27\xa0\xf6\x41s");                     /* detached payload */
	BAD("\xd2\x84\x44\xbf\x01\x27\xff\xa0" REST);                     /* indefinite lengths: of a map, */
	BAD("\xd2\x9f\x43\xa1\x01\x27\xa0" REST "\xff");                  /* of the array, */
	BAD("\xd2\x84\x5f\x43\xa1\x01\x27\xff\xa0" REST);                 /* of a string, */
	BAD("\xd2\x84\x43\xa1\x01\x27\xbf\xff" REST);                     /* of what is not signed */
	BAD("\xd2\x85\x43\xa1\x01\x27\xa0" REST "\x41s");                 /* five parts */
	BAD("\xd2\x84\x45\xa1\x01\x62\x45\x53\xa0" REST);                 /* algorithm by name */
	BAD("\xd2\x84\x45\xa2\x01\x27\x04\x01\xa0" REST);                 /* kid that is a number */
	BAD("\xd2\x84\x43\xa1\x01\x27\xa1\x3a\x00\x01\x11\x70\x01" REST); /* format unprotected */
	BAD("\xd2\x84\x43\xa1\x01\x27\xa2\x05\x41x\x05\x41x" REST);       /* twice in what is not signed */
	BAD("\xd2\x84\x43\xa1\x01\x27\xb1\xa0" REST);                     /* too many headers */
	/* labels that are text, or the smallest number, are there twice as well */
	BAD("\xd2\x84\x43\xa1\x01\x27\xa2\x61x\x01\x61x\x02" REST);
	BAD("\xd2\x84\x49\xa3\x01\x27\x61x\x01\x61x\x02\xa0" REST);
	BAD("\xd2\x84\x46\xa2\x01\x27\x61x\x01\xa1\x61x\x02" REST);
	BAD("\xd2\x84\x43\xa1\x01\x27\xa2" LEAST "\x01" LEAST "\x02" REST);
	BAD("\xd2\x84\x44\xa1\x01\x38\x07\xa0" REST); /* longer head than needed */
}

/* A message with these protected headers, properly signed: what remains to be judged is what they say. */
static void sign_as(const struct key *k, const char *prot, size_t n, struct buf *out)
{
	_cleanup_buf_ struct buf tbs = BUF_INIT(512);
	uint8_t sig[SIGNATURE_SIZE];

	assert_int_equal(cbor_put_array(&tbs, 4) || cbor_put_text(&tbs, SPAN_STR("Signature1")) ||
				 cbor_put_bytes(&tbs, SPAN(prot, n)) || cbor_put_bytes(&tbs, SPAN_STR("aad")) ||
				 cbor_put_bytes(&tbs, SPAN_STR("payload")) || key_sign(k, buf_span(&tbs), sig),
		0);
	buf_clear(out);
	assert_int_equal(cbor_put_tag(out, 18) || cbor_put_array(out, 4) || cbor_put_bytes(out, SPAN(prot, n)) ||
				 cbor_put_map(out, 0) || cbor_put_bytes(out, SPAN_STR("payload")) ||
				 cbor_put_bytes(out, SPAN(sig, sizeof(sig))),
		0);
}

static void the_algorithm_is_the_keys(void **state)
{
	static const struct {
		const char *prot;
		bool ed, ec;
	} v[] = {
		{"\xa1\x01\x27", true, false},      /* -8, EdDSA */
		{"\xa1\x01\x32", true, false},      /* -19, Ed25519 */
		{"\xa1\x01\x26", false, true},      /* -7, ES256 */
		{"\xa1\x01\x28", false, true},      /* -9, ESP256 */
		{"\xa1\x01\x38\x22", false, false}, /* -35, ES384 */
		{"\xa1\x01\x05", false, false},     /* 5, HMAC: a public key as a secret */
		{"\xa1\x01\x38\x2e", false, false}, /* -47, ES256K */
	};
	_cleanup_buf_ struct buf m = BUF_INIT(1024);
	struct cose_sign1 c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(v); i++) {
		sign_as(ed, v[i].prot, strlen(v[i].prot), &m);
		assert_int_equal(cose_parse(buf_span(&m), &c, NULL), 0);
		assert_int_equal(cose_verify(&c, ed, SPAN_STR("aad"), NULL), v[i].ed ? 0 : V_BAD);
		sign_as(ec, v[i].prot, strlen(v[i].prot), &m);
		assert_int_equal(cose_parse(buf_span(&m), &c, NULL), 0);
		assert_int_equal(cose_verify(&c, ec, SPAN_STR("aad"), NULL), v[i].ec ? 0 : V_BAD);
	}
}

static void another_kid_is_another_message(void **state)
{
	_cleanup_buf_ struct buf m = BUF_INIT(1024);
	uint8_t kid[COSE_KID_SIZE];
	struct cose_sign1 c;

	(void)state;
	assert_int_equal(cose_sign(ed, 1, SPAN_STR("aad"), SPAN_STR("payload"), &m), 0);
	assert_int_equal(cose_parse(buf_span(&m), &c, NULL), 0);
	assert_int_equal(cose_kid(ec, kid), 0);
	memcpy(m.p + (c.kid.p - m.p), kid, sizeof(kid));
	assert_int_equal(cose_parse(buf_span(&m), &c, NULL), 0);
	assert_int_equal(cose_verify(&c, ed, SPAN_STR("aad"), NULL), V_BAD);
	assert_int_equal(cose_verify(&c, ec, SPAN_STR("aad"), NULL), V_BAD);
}

static void what_does_not_fit_leaves_nothing(void **state)
{
	_cleanup_buf_ struct buf m = BUF_INIT(60);

	(void)state;
	assert_int_equal(buf_puts(&m, "before"), 0);
	assert_int_equal(cose_sign(ed, 1, SPAN_STR("aad"), SPAN_STR("payload"), &m), V_FULL);
	assert_int_equal(m.n, 6);
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
		cmocka_unit_test(the_algorithm_is_the_keys),
		cmocka_unit_test(another_kid_is_another_message),
		cmocka_unit_test(what_does_not_fit_leaves_nothing),
		cmocka_unit_test(what_is_not_as_it_should_be_is_refused),
	};

	return cmocka_run_group_tests_name("trust/cose", tests, begin, end);
}
