/* Keys: published signatures, what other programs sign and verify, the one form of a key, key files. */
#include "policy/base/text.h"
#include "policy/trust/key.h"
#include "tests/unit/trust/outside.h"
#include <errno.h>
#include <sys/stat.h>

#define SPKI_P256 "3059301306072a8648ce3d020106082a8648ce3d03010703420004"

static struct key *ed, *ec;

static struct span unhex(const char *hex, uint8_t *out, size_t size)
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= size);
	assert_int_equal(hex_decode(hex, out, n), 0);
	return SPAN(out, n);
}

/* RFC 8032 section 7.1, tests 1 and 2. */
static void published_ed25519(void **state)
{
	static const char *const v[][3] = {
		{"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b4"
			"6bd25bf5f0595bbe24655141438e7a100b"},
		{"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d"
			"8c387b2eaeb4302aeeb00d291612bb0c00"},
	};
	/* The order of the group, little-endian: s + order is the same number to a careless verifier. */
	static const char order[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
	uint8_t raw[32], again[32], msg[4], sig[64], l[32];
	size_t i, k;

	(void)state;
	unhex(order, l, sizeof(l));
	for (i = 0; i < ARRAY_SIZE(v); i++) {
		_cleanup_(key_freep) struct key *key = NULL;
		struct span m, s;
		unsigned carry = 0;

		assert_int_equal(key_from_public_raw(unhex(v[i][0], raw, sizeof(raw)), &key), 0);
		assert_int_equal(key_type(key), KEY_ED25519);
		assert_false(key_is_private(key));
		assert_int_equal(key_public_raw(key, again), 0);
		assert_memory_equal(raw, again, sizeof(raw));
		m = unhex(v[i][1], msg, sizeof(msg));
		s = unhex(v[i][2], sig, sizeof(sig));
		assert_int_equal(key_verify(key, m, s), 0);
		assert_int_equal(key_verify(key, SPAN_STR("r!"), s), V_BAD);
		assert_int_equal(key_verify(key, m, SPAN(sig, 63)), V_BAD);
		assert_int_equal(key_verify(key, m, SPAN(NULL, 0)), V_BAD);
		for (k = 0; k < 32; k++) {
			carry += (unsigned)sig[32 + k] + l[k];
			sig[32 + k] = (uint8_t)carry;
			carry >>= 8;
		}
		assert_int_equal(key_verify(key, m, s), V_BAD);
		assert_int_equal(key_sign(key, m, sig), -EINVAL);
	}
}

/* RFC 6979 section A.2.5, P-256 with SHA-256, "sample". */
static void published_p256(void **state)
{
	static const char spki[] = SPKI_P256 "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
					     "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
	static const char good[] = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
				   "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
	_cleanup_(key_freep) struct key *key = NULL;
	uint8_t der[91], sig[64], swapped[64], raw[32];
	struct why why;

	(void)state;
	assert_int_equal(key_from_public_der(unhex(spki, der, sizeof(der)), &key, &why), 0);
	assert_int_equal(key_type(key), KEY_P256);
	unhex(good, sig, sizeof(sig));
	assert_int_equal(key_verify(key, SPAN_STR("sample"), SPAN(sig, 64)), 0);
	assert_int_equal(key_verify(key, SPAN_STR("Sample"), SPAN(sig, 64)), V_BAD);
	memcpy(swapped, sig + 32, 32);
	memcpy(swapped + 32, sig, 32);
	assert_int_equal(key_verify(key, SPAN_STR("sample"), SPAN(swapped, 64)), V_BAD);
	memset(sig, 0, 32);
	assert_int_equal(key_verify(key, SPAN_STR("sample"), SPAN(sig, 64)), V_BAD);
	memset(sig, 0, 64);
	assert_int_equal(key_verify(key, SPAN_STR("sample"), SPAN(sig, 64)), V_BAD);
	memset(sig, 0xff, 64);
	assert_int_equal(key_verify(key, SPAN_STR("sample"), SPAN(sig, 64)), V_BAD);
	assert_int_equal(key_public_raw(key, raw), V_BAD);
	/* a point that is not on the curve */
	der[90] ^= 1;
	key_free(STEAL(key));
	assert_int_equal(key_from_public_der(SPAN(der, 91), &key, &why), V_BAD);
	assert_null(key);
}

static void another_program_agrees(void **state)
{
	static const char text[] = "who, what, when";
	struct key *keys[] = {ed, ec};
	static const char *const names[] = {"ed.key", "ec.key"};
	size_t i;

	(void)state;
	outside_put("message", SPAN_STR(text));
	outside_put("other", SPAN_STR("who, what, then"));
	for (i = 0; i < 2; i++) {
		_cleanup_buf_ struct buf theirs = BUF_INIT(64);
		uint8_t sig[SIGNATURE_SIZE];
		char line[256];
		unsigned round;

		/* Several: r or s of ECDSA may begin with zeros. */
		for (round = 0; round < 3; round++) {
			assert_int_equal(key_sign(keys[i], SPAN_STR(text), sig), 0);
			assert_int_equal(key_verify(keys[i], SPAN_STR(text), SPAN(sig, sizeof(sig))), 0);
			assert_int_equal(key_verify(keys[!i], SPAN_STR(text), SPAN(sig, sizeof(sig))), V_BAD);
		}
		outside_put("signature", SPAN(sig, sizeof(sig)));
		snprintf(line, sizeof(line), "%s verify %s message signature", ORACLE, names[i]);
		assert_int_equal(outside_run(line), 0);
		snprintf(line, sizeof(line), "%s verify %s other signature", ORACLE, names[i]);
		assert_int_equal(outside_run(line), 1);
		snprintf(line, sizeof(line), "%s sign %s message theirs", ORACLE, names[i]);
		assert_int_equal(outside_run(line), 0);
		outside_get("theirs", &theirs);
		assert_int_equal(key_verify(keys[i], SPAN_STR(text), buf_span(&theirs)), 0);
		theirs.p[17] ^= 8;
		assert_int_equal(key_verify(keys[i], SPAN_STR(text), buf_span(&theirs)), V_BAD);
	}
}

/* r or s as an INTEGER of DER: no zeros in front but the one that keeps it positive. Its size. */
static size_t der_integer(const uint8_t *v, uint8_t *out)
{
	size_t skip = 0, pad;

	while (skip < 31 && !v[skip])
		skip++;
	pad = v[skip] >> 7;
	out[0] = 0x02;
	out[1] = (uint8_t)(32 - skip + pad);
	out[2] = 0;
	memcpy(out + 2 + pad, v + skip, 32 - skip);
	return 2 + pad + 32 - skip;
}

static void the_openssl_command_agrees(void **state)
{
	static const char text[] = "who, what, when";
	static const char ed_line[] = "openssl pkeyutl -verify -inkey ed.key -rawin -in %s -sigfile ed.sig";
	static const char ec_line[] = "openssl pkey -in ec.key -pubout -out ec.pub && "
				      "openssl dgst -sha256 -verify ec.pub -signature ec.sig %s";
	uint8_t sig[SIGNATURE_SIZE], der[2 + 2 * 35] = {0x30};
	char line[256];
	size_t i, n;

	(void)state;
	outside_put("message", SPAN_STR(text));
	outside_put("other", SPAN_STR("who, what, then"));
	assert_int_equal(key_sign(ed, SPAN_STR(text), sig), 0);
	outside_put("ed.sig", SPAN(sig, sizeof(sig)));
	assert_int_equal(key_sign(ec, SPAN_STR(text), sig), 0);
	n = der_integer(sig, der + 2);
	n += der_integer(sig + 32, der + 2 + n);
	der[1] = (uint8_t)n;
	outside_put("ec.sig", SPAN(der, 2 + n));
	for (i = 0; i < 2; i++) {
		snprintf(line, sizeof(line), i ? ec_line : ed_line, "message");
		assert_int_equal(outside_run(line), 0);
		snprintf(line, sizeof(line), i ? ec_line : ed_line, "other");
		assert_int_equal(outside_run(line), 1);
	}
}

/* The id is a hash of the encoding: another encoding of the same key must not be another id. */
static void a_key_has_one_form(void **state)
{
	static const char *const commands[] = {
		"openssl ec -in ec.key -pubout -outform DER -conv_form compressed -out form",
		"openssl ec -in ec.key -pubout -outform DER -param_enc explicit -out form",
		"openssl pkey -in ed.key -pubout -outform DER -out form; printf x >>form",
		"openssl ecparam -name secp384r1 -genkey -noout | openssl ec -pubout -outform DER -out form",
		"openssl genrsa 2048 | openssl rsa -pubout -outform DER -out form",
		/* a length of two bytes where one does: BER, not DER */
		"{ printf '\\060\\201\\131'; openssl pkey -in ec.key -pubout -outform DER | tail -c +3; } >form",
		": >form",
	};
	_cleanup_buf_ struct buf form = BUF_INIT(8192), ours = BUF_INIT(8192);
	_cleanup_(key_freep) struct key *key = NULL;
	struct digest a, b;
	struct why why;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		assert_int_equal(outside_run(commands[i]), 0);
		outside_get("form", &form);
		if (key_from_public_der(buf_span(&form), &key, &why) != V_BAD)
			fail_msg("taken: %s", commands[i]);
	}
	assert_int_equal(outside_run("openssl pkey -in ec.key -pubout -outform DER -out form"), 0);
	outside_get("form", &form);
	assert_int_equal(key_public_der(ec, &ours), 0);
	assert_true(span_eq(buf_span(&form), buf_span(&ours)));
	assert_int_equal(key_from_public_der(buf_span(&form), &key, &why), 0);
	assert_int_equal(key_id(key, &a), 0);
	assert_int_equal(key_id(ec, &b), 0);
	assert_true(digest_eq(&a, &b));
	digest_span(&a, buf_span(&form));
	assert_true(digest_eq(&a, &b));
}

static void refused(const char *name)
{
	struct key *key = NULL;
	struct why why = {""};

	assert_int_equal(key_load(outside(name), &key, &why), V_BAD);
	assert_non_null(strstr(why.text, name));
	assert_null(key);
}

static void key_files(void **state)
{
	_cleanup_(key_freep) struct key *again = NULL, *none = NULL;
	_cleanup_buf_ struct buf before = BUF_INIT(8192), after = BUF_INIT(8192);
	uint8_t sig[SIGNATURE_SIZE];
	struct stat st;
	struct why why;
	uint8_t raw[32];

	(void)state;
	assert_int_equal(stat(outside("ed.key"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(outside("ec.key"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	/* never replaced */
	outside_get("ed.key", &before);
	assert_int_equal(key_save(ec, outside("ed.key"), 0600), V_EXISTS);
	outside_get("ed.key", &after);
	assert_true(span_eq(buf_span(&before), buf_span(&after)));
	assert_int_equal(key_load(outside("ed.key"), &again, &why), 0);
	assert_true(key_is_private(again));
	assert_int_equal(key_sign(again, SPAN_STR("x"), sig), 0);
	assert_int_equal(key_verify(ed, SPAN_STR("x"), SPAN(sig, sizeof(sig))), 0);
	/* a public key has nothing to save */
	assert_int_equal(key_public_raw(ed, raw), 0);
	assert_int_equal(key_from_public_raw(SPAN(raw, 32), &none), 0);
	assert_int_equal(key_save(none, outside("public.key"), 0600), -EINVAL);
	assert_int_not_equal(access(outside("public.key"), F_OK), 0);
	key_free(STEAL(none));

	assert_int_equal(key_load(outside("nowhere.key"), &none, &why), V_NOT_FOUND);
	assert_int_equal(outside_run("openssl pkey -in ec.key -aes256 -passout pass:x -out locked.key"), 0);
	refused("locked.key");
	assert_int_equal(outside_run("openssl genrsa -out rsa.key 2048"), 0);
	refused("rsa.key");
	assert_int_equal(outside_run("openssl pkey -in ec.key -pubout -out pub.key"), 0);
	refused("pub.key");
	assert_int_equal(
		outside_run("head -c 100 ec.key >cut.key; head -c 9000 /dev/zero >large.key; : >empty.key"), 0);
	refused("cut.key");
	refused("large.key");
	refused("empty.key");
	assert_int_equal(key_from_public_raw(SPAN(raw, 31), &none), V_BAD);
	key_free(NULL);
}

static int begin(void **state)
{
	(void)state;
	outside_begin();
	return key_new(KEY_ED25519, &ed) || key_new(KEY_P256, &ec) || key_save(ed, outside("ed.key"), 0600) ||
	       key_save(ec, outside("ec.key"), 0640);
}

static int end(void **state)
{
	(void)state;
	key_free(ed);
	key_free(ec);
	outside_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_ed25519),
		cmocka_unit_test(published_p256),
		cmocka_unit_test(another_program_agrees),
		cmocka_unit_test(the_openssl_command_agrees),
		cmocka_unit_test(a_key_has_one_form),
		cmocka_unit_test(key_files),
	};

	return cmocka_run_group_tests_name("trust/key", tests, begin, end);
}
