/* Timestamps: `openssl ts` is the authority for what is good, `openssl cms` for what no authority would sign. */
#include "policy/trust/timestamp.h"
#include "tests/unit/trust/outside.h"

#define TSA(cert, out) \
	"openssl ts -reply -config tsa.conf -section t -queryfile q -signer " cert ".crt -inkey tsa.key -out " out

static struct timestamp_trust *trust;
static const struct span checkpoint = {(const uint8_t *)"a checkpoint\n", 13};

/* A request, where openssl finds it. */
static void ask(struct buf *request)
{
	buf_clear(request);
	assert_int_equal(timestamp_request(checkpoint, request), 0);
	outside_put("q", buf_span(request));
}

static int judge_with(const struct timestamp_trust *t, const char *reply, struct span data, struct span request,
	struct timestamp *out, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);

	outside_get(reply, &b);
	*why = (struct why){""};
	return timestamp_verify(t, buf_span(&b), data, request, out, why);
}

static int judge(const char *reply, struct span data, struct span request, struct timestamp *out, struct why *why)
{
	return judge_with(trust, reply, data, request, out, why);
}

static void an_authority_answers(void **state)
{
	_cleanup_buf_ struct buf request = BUF_INIT(1 << 12), other = BUF_INIT(1 << 12);
	struct timestamp t;
	struct why why;

	(void)state;
	ask(&request);
	/* what we ask is what others read */
	assert_int_equal(
		outside_run("openssl ts -query -in q -text | grep -q 'Certificate required: yes' && "
			    "printf 'a checkpoint\n' >data && openssl ts -query -data data -sha256 -no_nonce -text | "
			    "grep 00 >want && openssl ts -query -in q -text | grep '^    00' >got && cmp want got"),
		0);
	assert_int_equal(outside_run(TSA("tsa", "r")), 0);
	if (judge("r", checkpoint, buf_span(&request), &t, &why))
		fail_msg("%s", why.text);
	assert_string_equal(t.signer, "CN=tsa,O=時刻認証局");
	assert_true(t.time_us > INT64_C(1700000000000000) && t.time_us % 1000000 == 0);
	/* years later, when nobody has the request any more */
	assert_int_equal(judge("r", checkpoint, SPAN(NULL, 0), &t, &why), 0);
	/* and by others */
	assert_int_equal(outside_run("openssl ts -verify -in r -data data -CAfile ca.crt"), 0);
	/* of something else; of another question */
	assert_int_equal(judge("r", SPAN_STR("another one\n"), SPAN(NULL, 0), &t, &why), V_BAD);
	assert_int_equal(timestamp_request(checkpoint, &other), 0);
	assert_int_equal(judge("r", checkpoint, buf_span(&other), &t, &why), V_BAD);
	assert_non_null(strstr(why.text, "nonce"));
}

static void who_is_no_authority(void **state)
{
	static const char wrap[] =
		"import sys; t = open('token', 'rb').read(); n = len(t) + 5; "
		"open('noeku.r', 'wb').write(b'\\x30\\x82' + n.to_bytes(2, 'big') + bytes([48, 3, 2, 1, 0]) + t)";
	_cleanup_buf_ struct buf request = BUF_INIT(1 << 12);
	struct timestamp_trust *foreign = NULL;
	struct timestamp t;
	struct why why;
	char line[900];

	(void)state;
	ask(&request);
	assert_int_equal(outside_run(TSA("tsa", "r")), 0);
	assert_int_equal(timestamp_trust_load(outside("foreign.crt"), &foreign, &why), 0);
	assert_int_equal(judge_with(foreign, "r", checkpoint, buf_span(&request), &t, &why), V_BAD);
	timestamp_trust_free(foreign);
	/* its certificate was over when it signed */
	assert_int_equal(outside_run(TSA("old", "old.r")), 0);
	assert_int_equal(judge("old.r", checkpoint, buf_span(&request), &t, &why), V_BAD);
	/* the same content, signed by somebody of the same CA whose certificate is for something else */
	snprintf(line, sizeof(line),
		"openssl ts -reply -in r -token_out -out t && openssl cms -verify -noverify -inform DER -in t -out tst "
		"&& "
		"openssl cms -sign -binary -nodetach -cades -econtent_type 1.2.840.113549.1.9.16.1.4 -in tst -signer "
		"noeku.crt "
		"-inkey tsa.key -outform DER -out token && python3 -c \"%s\"",
		wrap);
	assert_int_equal(outside_run(line), 0);
	assert_int_equal(outside_run("openssl ts -reply -in noeku.r -text | grep -q 'Status: Granted'"), 0);
	assert_int_equal(judge("noeku.r", checkpoint, SPAN(NULL, 0), &t, &why), V_BAD);
	/* and the same by the authority: so it is the purpose that was missing */
	assert_int_equal(
		outside_run("openssl cms -sign -binary -nodetach -cades "
			    "-econtent_type 1.2.840.113549.1.9.16.1.4 -in tst -signer tsa.crt -inkey tsa.key -outform "
			    "DER -out token"),
		0);
	snprintf(line, sizeof(line), "python3 -c \"%s\"", wrap);
	assert_int_equal(outside_run(line), 0);
	if (judge("noeku.r", checkpoint, SPAN(NULL, 0), &t, &why))
		fail_msg("%s", why.text);
}

static void what_was_changed_or_refused(void **state)
{
	_cleanup_buf_ struct buf request = BUF_INIT(1 << 12), reply = BUF_INIT(1 << 16);
	struct timestamp t;
	struct why why;
	size_t at, good = 0;

	(void)state;
	ask(&request);
	assert_int_equal(outside_run(TSA("tsa", "r")), 0);
	outside_get("r", &reply);
	for (at = 0; at < reply.n; at += 7) {
		reply.p[at] ^= 0x10;
		good += !timestamp_verify(trust, buf_span(&reply), checkpoint, buf_span(&request), &t, &why);
		reply.p[at] ^= 0x10;
	}
	/* The text of the status is signed by nobody; nothing else may change. */
	assert_true(good <= 8);
	for (at = 0; at < reply.n; at += 13)
		assert_int_equal(
			timestamp_verify(trust, SPAN(reply.p, at), checkpoint, buf_span(&request), &t, &why), V_BAD);
	assert_int_equal(buf_put(&reply, "x", 1), 0);
	assert_int_equal(timestamp_verify(trust, buf_span(&reply), checkpoint, buf_span(&request), &t, &why), V_BAD);
	/* an authority that does not take SHA-256 says so, in a reply without a token */
	assert_int_equal(
		outside_run(
			"sed s/sha256/sha512/ tsa.conf >other.conf && openssl ts -reply -config other.conf -section t "
			"-queryfile q -signer tsa.crt -inkey tsa.key -out refused"),
		0);
	assert_int_equal(judge("refused", checkpoint, buf_span(&request), &t, &why), V_BAD);
	assert_true(why.text[0]);
}

static int setup(void **state)
{
	struct why why = {""};

	(void)state;
	outside_begin();
	outside_put(
		"ext", SPAN_STR("[tsa]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n"
				"[mail]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection\n"));
	outside_put("tsa.conf",
		SPAN_STR("[t]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256\n"
			 "accuracy=secs:1\ness_cert_id_alg=sha256\n"));
	if (outside_run("echo 01 >serial; for n in ca foreign; do openssl req -x509 -newkey ec -pkeyopt "
			"ec_paramgen_curve:P-256 "
			"-nodes -keyout $n.key -out $n.crt -subj '/CN=TSA CA' -days 30 || exit 1; done; "
			"openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tsa.key -out csr -utf8 "
			"-subj "
			"/O=時刻認証局/CN=tsa") ||
		outside_run(
			"sign() { openssl x509 -req -in csr -CA ca.crt -CAkey ca.key -CAcreateserial -days $2 -extfile "
			"ext "
			"-extensions $3 -out $1.crt; }; sign tsa 20 tsa && sign old -1 tsa && sign noeku 20 mail") ||
		timestamp_trust_load(outside("ca.crt"), &trust, &why))
		return -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	timestamp_trust_free(trust);
	outside_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_authority_answers),
		cmocka_unit_test(who_is_no_authority),
		cmocka_unit_test(what_was_changed_or_refused),
	};

	return cmocka_run_group_tests_name("trust/timestamp", tests, setup, teardown);
}
