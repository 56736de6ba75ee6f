/* Sealed files' tails and orders to open them: what openers and administrators made is taken, what anybody else made or
 * changed is not. */
#include "policy/wire/sealed.h"
#include "tests/unit/trust/outside.h"
#include <fcntl.h>

#define DAY_US 86400000000ll
#define NOW_US 1795650302000000ll

static struct buf certificate = BUF_INIT(1 << 16), own = BUF_INIT(1 << 16), other = BUF_INIT(1 << 16);
static struct key *admin;
static struct admins admins;

static struct sealed_secret secret(void)
{
	struct sealed_secret s = {.bytes = 12345678901, .sealed_us = NOW_US};

	memset(s.key, 'k', sizeof(s.key));
	memset(s.hash.b, 'h', sizeof(s.hash.b));
	return s;
}

static void an_opener_has_what_is_in_the_tail_and_nobody_else(void **state)
{
	_cleanup_(envelope_readers_freep) struct envelope_readers *to = NULL;
	_cleanup_close_ int fd = open(outside("sealed"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	_cleanup_buf_ struct buf file = BUF_INIT(1 << 20);
	struct sealed_secret s = secret(), got = {.bytes = 0};
	struct span envelope, capsule;
	struct why why = {""};
	size_t i;

	(void)state;
	assert_int_equal(envelope_readers_read(buf_span(&certificate), &to, NULL), 0);
	assert_int_equal(write_all(fd, "envelope", 8), 0);
	assert_int_equal(sealed_tail_write(to, &s, fd), 0);
	outside_get("sealed", &file);
	assert_int_equal(sealed_tail_find(buf_span(&file), &envelope, &capsule, &why), 0);
	assert_true(span_eq(envelope, SPAN_STR("envelope")));
	assert_int_equal(sealed_secret_open(capsule, buf_span(&other), SPAN("", 0), &got, &why), V_DENIED);
	assert_int_equal(sealed_secret_open(capsule, buf_span(&own), SPAN("", 0), &got, &why), 0);
	assert_memory_equal(got.key, s.key, sizeof(s.key));
	assert_true(digest_eq(&got.hash, &s.hash) && got.bytes == s.bytes && got.sealed_us == s.sealed_us);
	/* Its end alone is enough; what is cut off at the end is none. */
	assert_int_equal(sealed_tail_find(SPAN(file.p + 8, file.n - 8), &envelope, &capsule, &why), 0);
	assert_int_equal(envelope.n, 0);
	assert_int_equal(sealed_tail_find(SPAN(file.p + 9, file.n - 9), &envelope, &capsule, &why), V_BAD);
	for (i = 0; i < file.n; i++)
		assert_int_equal(sealed_tail_find(SPAN(file.p, i), &envelope, &capsule, &why), V_BAD);
}

static int make(struct buf *out, const char *reason, int64_t issued_us, int64_t not_after_us)
{
	struct sealed_order o = {.secret = secret(), .issued_us = issued_us, .not_after_us = not_after_us};
	struct why why = {""};

	buf_clear(out);
	snprintf(o.reason, sizeof(o.reason), "%s", reason);
	return sealed_order_sign(admin, &o, out, &why);
}

static void an_order_is_an_administrators_and_has_its_time(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SEALED_ORDER_MAX);
	const struct admins nobody = {.n = 0};
	struct sealed_order o;
	struct why why = {""};
	size_t i;

	(void)state;
	assert_int_equal(make(&b, "", NOW_US, NOW_US + DAY_US), V_BAD);
	assert_int_equal(make(&b, "why", NOW_US, NOW_US), V_BAD);
	assert_int_equal(make(&b, "why", NOW_US, NOW_US + 32 * DAY_US), V_BAD);
	assert_int_equal(make(&b, "\xff", NOW_US, NOW_US + DAY_US), V_BAD);
	assert_int_equal(make(&b, "税務署へ", NOW_US, NOW_US + DAY_US), 0);
	assert_int_equal(sealed_order_open(buf_span(&b), &nobody, NOW_US, &o, &why), V_DENIED);
	assert_int_equal(sealed_order_open(buf_span(&b), &admins, NOW_US + DAY_US, &o, &why), V_DENIED);
	assert_int_equal(sealed_order_open(buf_span(&b), &admins, NOW_US - 3600000000ll, &o, &why), V_DENIED);
	assert_int_equal(sealed_order_open(buf_span(&b), &admins, NOW_US, &o, &why), 0);
	assert_string_equal(o.reason, "税務署へ");
	assert_string_equal(o.signer, "office");
	assert_memory_equal(o.secret.key, secret().key, sizeof(o.secret.key));
	assert_int_equal(o.secret.bytes, 12345678901);
	for (i = 0; i < b.n; i++) {
		b.p[i] ^= 1;
		assert_int_not_equal(sealed_order_open(buf_span(&b), &admins, NOW_US, &o, &why), 0);
		b.p[i] ^= 1;
		assert_int_not_equal(sealed_order_open(SPAN(b.p, i), &admins, NOW_US, &o, &why), 0);
	}
	assert_int_equal(buf_put(&b, "x", 1), 0);
	assert_int_equal(sealed_order_open(buf_span(&b), &admins, NOW_US, &o, &why), V_BAD);
}

static int begin(void **state)
{
	(void)state;
	outside_begin();
	assert_int_equal(outside_run("for n in a b; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
				     "-nodes -keyout $n.key -out $n.crt -subj /CN=$n -days 30 || exit 1; done"),
		0);
	outside_get("a.crt", &certificate);
	outside_get("a.key", &own);
	outside_get("b.key", &other);
	assert_int_equal(key_new(KEY_ED25519, &admin), 0);
	assert_int_equal(key_new(KEY_ED25519, &admins.v[0].key), 0);
	snprintf(admins.v[0].name, sizeof(admins.v[0].name), "mallory");
	admins.v[1].key = admin;
	snprintf(admins.v[1].name, sizeof(admins.v[1].name), "office");
	admins.n = 2;
	return 0;
}

static int finish(void **state)
{
	(void)state;
	key_free(admins.v[0].key);
	key_free(admin);
	buf_deinit(&certificate);
	buf_deinit(&own);
	buf_deinit(&other);
	outside_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_opener_has_what_is_in_the_tail_and_nobody_else),
		cmocka_unit_test(an_order_is_an_administrators_and_has_its_time),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
