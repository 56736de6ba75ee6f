/* The common secret: NIST's vectors of ECDH on P-256, RFC 4231's of HMAC; keys that are no pair are refused. */
#include "policy/base/text.h"
#include "policy/trust/agree.h"
#include "tests/unit/cm.h"
#include <stdio.h>
#include <unistd.h>

/* SEC 1 private key in DER and PEM's base64 of it would need a writer: PKCS #8 around the scalar is fixed for P-256. */
static struct key *private_key(const char *scalar, const char *x, const char *y)
{
	char hex[512], path[] = "/tmp/sekisho-agree-XXXXXX";
	uint8_t der[138];
	struct buf pem = BUF_INIT(1024);
	struct key *key = NULL;
	struct why why = {""};
	int fd = mkstemp(path);

	snprintf(hex, sizeof(hex),
		"308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420%sa14403420004%s%s", scalar, x,
		y);
	assert_int_equal(hex_decode(hex, der, sizeof(der)), 0);
	assert_int_equal(buf_puts(&pem, "-----BEGIN PRIVATE KEY-----\n"), 0);
	assert_int_equal(base64_encode(&pem, SPAN(der, sizeof(der))), 0);
	assert_int_equal(buf_puts(&pem, "\n-----END PRIVATE KEY-----\n"), 0);
	assert_true(fd >= 0 && write(fd, pem.p, pem.n) == (ssize_t)pem.n);
	close(fd);
	if (key_load(path, &key, &why))
		fail_msg("%s", why.text);
	unlink(path);
	buf_deinit(&pem);
	return key;
}

static struct key *public_key(const char *x, const char *y)
{
	char hex[512];
	uint8_t der[91];
	struct key *key = NULL;
	struct why why = {""};

	snprintf(hex, sizeof(hex), "3059301306072a8648ce3d020106082a8648ce3d03010703420004%s%s", x, y);
	assert_int_equal(hex_decode(hex, der, sizeof(der)), 0);
	if (key_from_public_der(SPAN(der, sizeof(der)), &key, &why))
		fail_msg("%s", why.text);
	return key;
}

/* NIST CAVP, KAS_ECC_CDH_PrimitiveTest.txt, [P-256], COUNT = 0 and 1 */
static const struct {
	const char *qx, *qy, *d, *dx, *dy, *z;
} vectors[] = {
	{"700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287",
		"db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac",
		"7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534",
		"ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b230",
		"28af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141",
		"46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b"},
	{"809f04289c64348c01515eb03d5ce7ac1a8cb9498f5caa50197e58d43a86a7ae",
		"b29d84e811197f25eba8f5194092cb6ff440e26d4421011372461f579271cda3",
		"38f65d6dce47676044d58ce5139582d568f64bb16098d179dbab07741dd5caf5",
		"119f2f047902782ab0c9e27a54aff5eb9b964829ca99c06b02ddba95b0a3f6d0",
		"8f52b726664cac366fc98ac7a012b2682cbd962e5acb544671d41b9445704d1d",
		"057d636096cb80b67a8c038c890e887d1adfa4195e9b3ce241c8a778c59cda67"},
};

static void ecdh_is_nists(void **state)
{
	uint8_t z[32], want[SECRET_SIZE], got[SECRET_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		_cleanup_(key_freep) struct key *mine = private_key(vectors[i].d, vectors[i].dx, vectors[i].dy);
		_cleanup_(key_freep) struct key *theirs = public_key(vectors[i].qx, vectors[i].qy);

		assert_int_equal(hex_decode(vectors[i].z, z, sizeof(z)), 0);
		assert_int_equal(hmac_sha256(SPAN(z, sizeof(z)), SPAN_STR("a purpose"), want), 0);
		assert_int_equal(key_agree(mine, theirs, "a purpose", got), 0);
		assert_memory_equal(got, want, sizeof(want));
		assert_int_equal(key_agree(mine, theirs, "another", got), 0);
		assert_memory_not_equal(got, want, sizeof(want));
	}
}

static void hmac_is_rfc_4231s(void **state)
{
	uint8_t key[131], got[SECRET_SIZE], want[SECRET_SIZE];

	(void)state;
	memset(key, 0x0b, 20);
	assert_int_equal(hmac_sha256(SPAN(key, 20), SPAN_STR("Hi There"), got), 0);
	assert_int_equal(
		hex_decode("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", want, sizeof(want)), 0);
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(hmac_sha256(SPAN_STR("Jefe"), SPAN_STR("what do ya want for nothing?"), got), 0);
	assert_int_equal(
		hex_decode("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", want, sizeof(want)), 0);
	assert_memory_equal(got, want, sizeof(want));
	memset(key, 0xaa, sizeof(key));
	assert_int_equal(hmac_sha256(SPAN(key, sizeof(key)),
				 SPAN_STR("Test Using Larger Than Block-Size Key - Hash Key First"), got),
		0);
	assert_int_equal(
		hex_decode("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", want, sizeof(want)), 0);
	assert_memory_equal(got, want, sizeof(want));
}

static void what_is_no_pair_is_refused(void **state)
{
	_cleanup_(key_freep) struct key *p256 = NULL, *ed = NULL, *theirs = NULL;
	uint8_t out[SECRET_SIZE];

	(void)state;
	assert_int_equal(key_new(KEY_P256, &p256), 0);
	assert_int_equal(key_new(KEY_ED25519, &ed), 0);
	theirs = public_key(vectors[0].qx, vectors[0].qy);
	assert_int_equal(key_agree(p256, ed, "x", out), V_BAD);
	assert_int_equal(key_agree(ed, p256, "x", out), V_BAD);
	assert_int_equal(key_agree(theirs, p256, "x", out), V_BAD);
	assert_int_equal(key_agree(p256, theirs, "x", out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ecdh_is_nists),
		cmocka_unit_test(hmac_is_rfc_4231s),
		cmocka_unit_test(what_is_no_pair_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
