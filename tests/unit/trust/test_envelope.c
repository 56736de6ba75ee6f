/* Envelopes: what we close `openssl cms` opens, and the other way round; what was changed, or is for another key, does
 * not open. */
#include "policy/trust/envelope.h"
#include "tests/unit/trust/outside.h"
#include <errno.h>
#include <fcntl.h>

#define MAKE_KEYS                                                                                                      \
	"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ec.key -out ec.crt -subj "       \
	"/CN=auditor "                                                                                                 \
	"-days 30 && openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.crt -subj /CN=other -days 30 " \
	"&& "                                                                                                          \
	"openssl req -x509 -newkey rsa:1024 -nodes -keyout weak.key -out weak.crt -subj /CN=weak -days 30 && "         \
	"openssl req -x509 -newkey ed25519 -nodes -keyout ed.key -out ed.crt -subj /CN=ed -days 30 && "                \
	"cat ec.crt rsa.crt >both.crt"

#define ANOTHER 1000 /* open_it: what was opened is an envelope itself */

static const size_t sizes[] = {0, 1, 16, 65536, 3000001};

/* Something that is not all alike. */
static void document(struct buf *b, size_t n)
{
	size_t i;

	buf_clear(b);
	assert_int_equal(buf_reserve(b, n + 1), 0);
	for (i = 0; i < n; i++)
		b->p[i] = (uint8_t)(i * 7 + (i >> 8));
	b->n = n;
}

static void close_for(const char *readers, const char *second, struct span doc, const char *name)
{
	_cleanup_(envelope_readers_freep) struct envelope_readers *to = NULL, *then = NULL;
	_cleanup_(envelope_freep) struct envelope *e = NULL;
	_cleanup_buf_ struct buf pem = BUF_INIT(1 << 16);
	_cleanup_close_ int fd = open(outside(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t at, part;

	assert_true(fd >= 0);
	outside_get(readers, &pem);
	assert_int_equal(envelope_readers_read(buf_span(&pem), &to, NULL), 0);
	if (second) {
		outside_get(second, &pem);
		assert_int_equal(envelope_readers_read(buf_span(&pem), &then, NULL), 0);
	}
	assert_int_equal(envelope_begin(to, then, fd, &e), 0);
	/* in parts of every size */
	for (at = 0, part = 1; at < doc.n; at += part, part = part * 3 + 1) {
		size_t n = doc.n - at < part ? doc.n - at : part;

		assert_int_equal(envelope_put(e, SPAN(doc.p + at, n)), 0);
	}
	assert_int_equal(envelope_end(e), 0);
}

static void close_it(const char *readers, struct span doc, const char *name)
{
	close_for(readers, NULL, doc, name);
}

static int open_it(const char *name, const char *key, const char *cert, struct buf *out, struct why *why)
{
	_cleanup_buf_ struct buf envelope = BUF_INIT(16 << 20), k = BUF_INIT(1 << 16), c = BUF_INIT(1 << 16);
	_cleanup_close_ int fd = open(outside("opened"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool another = true;
	int r;

	assert_true(fd >= 0);
	outside_get(name, &envelope);
	outside_get(key, &k);
	if (cert)
		outside_get(cert, &c);
	r = envelope_open(buf_span(&envelope), buf_span(&k), buf_span(&c), fd, &another, why);
	if (r)
		return r;
	outside_get("opened", out);
	return another ? ANOTHER : 0;
}

static void openssl_opens_ours(void **state)
{
	_cleanup_buf_ struct buf doc = BUF_INIT(16 << 20), out = BUF_INIT(16 << 20);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		document(&doc, sizes[i]);
		close_it("both.crt", buf_span(&doc), "ours");
		assert_int_equal(
			outside_run("openssl cms -decrypt -binary -inform DER -in ours -recip ec.crt -inkey ec.key "
				    "-out plain"),
			0);
		outside_get("plain", &out);
		assert_true(span_eq(buf_span(&doc), buf_span(&out)));
		assert_int_equal(
			outside_run("openssl cms -decrypt -binary -inform DER -in ours -recip rsa.crt -inkey rsa.key "
				    "-out plain"),
			0);
		outside_get("plain", &out);
		assert_true(span_eq(buf_span(&doc), buf_span(&out)));
		assert_int_equal(open_it("ours", "ec.key", "ec.crt", &out, NULL), 0);
		assert_true(span_eq(buf_span(&doc), buf_span(&out)));
	}
	/* what it says it is */
	assert_int_equal(outside_run("openssl cms -cmsout -print -inform DER -in ours"), 0);
	outside_get("out", &out);
	assert_non_null(strstr(buf_str(&out), "id-smime-ct-authEnvelopedData"));
	assert_non_null(strstr((const char *)out.p, "aes-256-gcm"));
}

static void two_people_open_it_together(void **state)
{
	_cleanup_buf_ struct buf doc = BUF_INIT(16 << 20), out = BUF_INIT(16 << 20), half = BUF_INIT(16 << 20);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		document(&doc, sizes[i]);
		close_for("ec.crt", "rsa.crt", buf_span(&doc), "ours");
		/* by stock tools, one after the other */
		assert_int_equal(
			outside_run("openssl cms -decrypt -binary -inform DER -in ours -recip ec.crt -inkey ec.key "
				    "-out half && openssl cms -decrypt -binary -inform DER -in half -recip rsa.crt "
				    "-inkey rsa.key -out plain"),
			0);
		outside_get("plain", &out);
		assert_true(span_eq(buf_span(&doc), buf_span(&out)));
		/* by ours, which says that there is another one */
		assert_int_equal(open_it("ours", "ec.key", NULL, &half, NULL), ANOTHER);
		outside_put("half", buf_span(&half));
		assert_int_equal(open_it("half", "rsa.key", NULL, &out, NULL), 0);
		assert_true(span_eq(buf_span(&doc), buf_span(&out)));
		/* neither of them alone, in whichever order */
		assert_int_equal(open_it("ours", "rsa.key", NULL, &out, NULL), V_DENIED);
		assert_int_equal(open_it("half", "ec.key", NULL, &out, NULL), V_DENIED);
	}
}

/* Of two lists of certificates. */
static bool meet(const char *a, const char *b)
{
	_cleanup_(envelope_readers_freep) struct envelope_readers *first = NULL, *second = NULL;
	_cleanup_buf_ struct buf pem = BUF_INIT(1 << 16);

	outside_get(a, &pem);
	assert_int_equal(envelope_readers_read(buf_span(&pem), &first, NULL), 0);
	outside_get(b, &pem);
	assert_int_equal(envelope_readers_read(buf_span(&pem), &second, NULL), 0);
	return envelope_readers_meet(first, second);
}

static void one_key_is_not_two_people(void **state)
{
	(void)state;
	assert_false(meet("ec.crt", "rsa.crt"));
	assert_true(meet("both.crt", "rsa.crt"));
	/* another certificate of the same key */
	assert_int_equal(
		outside_run("openssl req -x509 -new -key ec.key -out again.crt -subj /CN=somebody -days 30"), 0);
	assert_true(meet("again.crt", "both.crt"));
}

static void we_open_openssls(void **state)
{
	_cleanup_buf_ struct buf doc = BUF_INIT(16 << 20), out = BUF_INIT(16 << 20);

	(void)state;
	document(&doc, 100000);
	outside_put("plain", buf_span(&doc));
	assert_int_equal(
		outside_run("openssl cms -encrypt -binary -aes-256-gcm -outform DER -in plain -out theirs ec.crt"), 0);
	assert_int_equal(open_it("theirs", "ec.key", NULL, &out, NULL), 0);
	assert_true(span_eq(buf_span(&doc), buf_span(&out)));
}

static void what_was_changed_does_not_open(void **state)
{
	_cleanup_buf_ struct buf doc = BUF_INIT(1 << 20), whole = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
	struct why why;
	size_t at;

	(void)state;
	document(&doc, 5000);
	close_it("ec.crt", buf_span(&doc), "ours");
	outside_get("ours", &whole);
	for (at = 5; at < whole.n; at += 61) {
		int r;

		whole.p[at] ^= 1;
		outside_put("changed", buf_span(&whole));
		whole.p[at] ^= 1;
		r = open_it("changed", "ec.key", "ec.crt", &out, &why);
		/* some bits mean nothing (names in the certificate's reference): then it is the same document */
		if (!r)
			assert_true(span_eq(buf_span(&doc), buf_span(&out)));
		else
			assert_true(r == V_BAD || r == V_DENIED);
	}
	for (at = 0; at < whole.n; at += 97) {
		outside_put("cut", SPAN(whole.p, at));
		assert_int_not_equal(open_it("cut", "ec.key", "ec.crt", &out, &why), 0);
	}
	assert_int_equal(open_it("ours", "rsa.key", "rsa.crt", &out, &why), V_DENIED);
	assert_int_equal(open_it("ours", "ec.crt", "ec.crt", &out, &why), V_BAD);
	assert_int_equal(open_it("plain", "ec.key", "ec.crt", &out, &why), V_BAD);
}

static void keys_that_are_none(void **state)
{
	static const char *const bad[] = {"weak.crt", "ed.crt", "ec.key"};
	_cleanup_(envelope_readers_freep) struct envelope_readers *to = NULL;
	_cleanup_buf_ struct buf pem = BUF_INIT(1 << 16);
	struct why why;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		outside_get(bad[i], &pem);
		assert_int_equal(envelope_readers_read(buf_span(&pem), &to, &why), V_BAD);
	}
	assert_int_equal(envelope_readers_read(SPAN("", 0), &to, &why), V_BAD);
	assert_null(to);
}

static void a_full_disk_is_said(void **state)
{
	_cleanup_(envelope_readers_freep) struct envelope_readers *to = NULL;
	_cleanup_(envelope_freep) struct envelope *e = NULL;
	_cleanup_buf_ struct buf pem = BUF_INIT(1 << 16), doc = BUF_INIT(1 << 20);
	_cleanup_close_ int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int r;

	(void)state;
	outside_get("ec.crt", &pem);
	document(&doc, 1 << 19);
	assert_int_equal(envelope_readers_read(buf_span(&pem), &to, NULL), 0);
	assert_int_equal(envelope_begin(to, NULL, full, &e), 0);
	r = envelope_put(e, buf_span(&doc));
	r = r ? r : envelope_end(e);
	assert_int_equal(r, -ENOSPC);
}

static int setup(void **state)
{
	(void)state;
	outside_begin();
	return outside_run(MAKE_KEYS);
}

static int teardown(void **state)
{
	(void)state;
	outside_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_opens_ours),
		cmocka_unit_test(two_people_open_it_together),
		cmocka_unit_test(one_key_is_not_two_people),
		cmocka_unit_test(we_open_openssls),
		cmocka_unit_test(what_was_changed_does_not_open),
		cmocka_unit_test(keys_that_are_none),
		cmocka_unit_test(a_full_disk_is_said),
	};

	return cmocka_run_group_tests_name("trust/envelope", tests, setup, teardown);
}
