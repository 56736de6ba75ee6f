/*
 * RFC 3161 by OpenSSL. See timestamp.h.
 */
#include "policy/trust/timestamp.h"
#include "policy/base/file.h"
#include "policy/trust/digest.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <time.h>

#define CA_MAX (1u << 20)
#define CA_CERTIFICATES_MAX 64u
#define NONCE_SIZE 8u

struct timestamp_trust {
	X509 *cert[CA_CERTIFICATES_MAX];
	unsigned n;
};

DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(TS_REQ *, TS_REQ_free)
DEFINE_CLEANUP(TS_RESP *, TS_RESP_free)
DEFINE_CLEANUP(TS_MSG_IMPRINT *, TS_MSG_IMPRINT_free)
DEFINE_CLEANUP(TS_VERIFY_CTX *, TS_VERIFY_CTX_free)
DEFINE_CLEANUP(X509_ALGOR *, X509_ALGOR_free)
DEFINE_CLEANUP(X509_STORE *, X509_STORE_free)
DEFINE_CLEANUP(ASN1_INTEGER *, ASN1_INTEGER_free)
DEFINE_CLEANUP(BIGNUM *, BN_free)

void timestamp_trust_free(struct timestamp_trust *t)
{
	unsigned i;

	for (i = 0; t && i < t->n; i++)
		X509_free(t->cert[i]);
	free(t);
}

int timestamp_trust_load(const char *ca_file, struct timestamp_trust **out, struct why *why)
{
	_cleanup_(timestamp_trust_freep) struct timestamp_trust *t = calloc(1, sizeof(*t));
	_cleanup_buf_ struct buf pem = BUF_INIT(CA_MAX);
	_cleanup_(BIO_free_allp) BIO *in = NULL;
	int r = file_read(ca_file, &pem);

	if (r)
		return r;
	in = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (!t || !in)
		return -ENOMEM;
	while (t->n < CA_CERTIFICATES_MAX && (t->cert[t->n] = PEM_read_bio_X509(in, NULL, NULL, NULL)))
		t->n++;
	ERR_clear_error(); /* the end is an error to it */
	if (!t->n)
		return why_set(why, V_BAD, "no certificate in PEM");
	*out = STEAL(t);
	return 0;
}

static TS_MSG_IMPRINT *imprint_of(struct span data)
{
	_cleanup_(TS_MSG_IMPRINT_freep) TS_MSG_IMPRINT *m = TS_MSG_IMPRINT_new();
	_cleanup_(X509_ALGOR_freep) X509_ALGOR *sha256 = X509_ALGOR_new();
	struct digest d;

	digest_span(&d, data);
	if (!m || !sha256 || !X509_ALGOR_set0(sha256, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) ||
		!TS_MSG_IMPRINT_set_algo(m, sha256) || !TS_MSG_IMPRINT_set_msg(m, d.b, DIGEST_SIZE))
		return NULL;
	return STEAL(m);
}

static ASN1_INTEGER *nonce_new(void)
{
	_cleanup_(BN_freep) BIGNUM *n = NULL;
	uint8_t random[NONCE_SIZE];

	if (RAND_bytes(random, sizeof(random)) != 1)
		return NULL;
	n = BN_bin2bn(random, sizeof(random), NULL);
	return n ? BN_to_ASN1_INTEGER(n, NULL) : NULL;
}

int timestamp_request(struct span data, struct buf *request)
{
	_cleanup_(TS_REQ_freep) TS_REQ *req = TS_REQ_new();
	_cleanup_(TS_MSG_IMPRINT_freep) TS_MSG_IMPRINT *imprint = imprint_of(data);
	_cleanup_(ASN1_INTEGER_freep) ASN1_INTEGER *nonce = nonce_new();
	uint8_t *der = NULL;
	int n, r;

	if (!req || !imprint || !nonce || !TS_REQ_set_version(req, 1) || !TS_REQ_set_msg_imprint(req, imprint) ||
		!TS_REQ_set_nonce(req, nonce) || !TS_REQ_set_cert_req(req, 1))
		return -ENOMEM;
	n = i2d_TS_REQ(req, &der);
	if (n <= 0)
		return -ENOMEM;
	r = buf_put(request, der, (size_t)n);
	OPENSSL_free(der);
	return r;
}

/* What it was asked, or else only the data. It owns what it is given. */
static TS_VERIFY_CTX *questions(struct span data, struct span request)
{
	_cleanup_(TS_VERIFY_CTX_freep) TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
	_cleanup_(TS_REQ_freep) TS_REQ *req = NULL;
	const uint8_t *p = request.p;
	BIO *in;

	if (!ctx)
		return NULL;
	if (request.n) {
		req = d2i_TS_REQ(NULL, &p, (long)request.n);
		if (!req || !TS_REQ_to_TS_VERIFY_CTX(req, ctx))
			return NULL;
		TS_VERIFY_CTX_add_flags(ctx, TS_VFY_SIGNATURE);
		return STEAL(ctx);
	}
	in = BIO_new_mem_buf(data.p, (int)data.n);
	if (!in)
		return NULL;
	TS_VERIFY_CTX_set_data(ctx, in);
	TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION | TS_VFY_DATA | TS_VFY_SIGNATURE);
	return STEAL(ctx);
}

/* The authority as it was then. NULL: no memory. */
static X509_STORE *store_at(const struct timestamp_trust *t, time_t at)
{
	_cleanup_(X509_STORE_freep) X509_STORE *s = X509_STORE_new();
	unsigned i;

	for (i = 0; s && i < t->n; i++)
		if (!X509_STORE_add_cert(s, t->cert[i]))
			return NULL;
	if (s)
		X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(s), at);
	return STEAL(s);
}

static int token_time(TS_RESP *resp, time_t *out)
{
	TS_TST_INFO *info = TS_RESP_get_tst_info(resp);
	const ASN1_GENERALIZEDTIME *t = info ? TS_TST_INFO_get_time(info) : NULL;
	struct tm tm;

	if (!t || !ASN1_TIME_to_tm(t, &tm))
		return V_BAD;
	*out = timegm(&tm);
	return *out < 0 ? V_BAD : 0;
}

static void who_signed(TS_RESP *resp, char *out, size_t size)
{
	STACK_OF(X509) *signers = PKCS7_get0_signers(TS_RESP_get_token(resp), NULL, 0);
	_cleanup_(BIO_free_allp) BIO *text = BIO_new(BIO_s_mem());
	int n = 0;

	if (signers && sk_X509_num(signers) && text &&
		X509_NAME_print_ex(text, X509_get_subject_name(sk_X509_value(signers, 0)), 0,
			XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		n = BIO_read(text, out, (int)size - 1);
	out[n > 0 ? n : 0] = 0;
	sk_X509_free(signers);
}

static int bad(struct why *why)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;
	int r = why_set(why, V_BAD, "%s", reason ? reason : "not verified");

	ERR_clear_error();
	return r;
}

static int64_t number(const ASN1_INTEGER *n)
{
	int64_t v = 0;

	return n && ASN1_INTEGER_get_int64(&v, n) == 1 && v >= 0 && v < INT32_MAX ? v : 0;
}

/* All but the time. */
static void describe(TS_RESP *resp, struct timestamp *out)
{
	TS_TST_INFO *info = TS_RESP_get_tst_info(resp);
	TS_ACCURACY *near = TS_TST_INFO_get_accuracy(info);
	const ASN1_INTEGER *serial = TS_TST_INFO_get_serial(info);
	_cleanup_(BN_freep) BIGNUM *n = serial ? ASN1_INTEGER_to_BN(serial, NULL) : NULL;
	char *hex = n ? BN_bn2hex(n) : NULL;

	who_signed(resp, out->signer, sizeof(out->signer));
	if (OBJ_obj2txt(out->policy, sizeof(out->policy), TS_TST_INFO_get_policy_id(info), 1) <= 0)
		out->policy[0] = 0;
	snprintf(out->serial, sizeof(out->serial), "%.40s", hex ? hex : "");
	OPENSSL_free(hex);
	out->accuracy_us = near ? number(TS_ACCURACY_get_seconds(near)) * 1000000 +
					   number(TS_ACCURACY_get_millis(near)) * 1000 +
					   number(TS_ACCURACY_get_micros(near))
				: -1;
}

static int read_reply(struct span reply, struct span data, TS_RESP **out, struct why *why)
{
	const uint8_t *p = reply.p;
	TS_RESP *resp;

	if (!reply.n || reply.n > TIMESTAMP_MAX || data.n > INT32_MAX)
		return why_set(why, V_BAD, "of a size that it cannot have");
	resp = d2i_TS_RESP(NULL, &p, (long)reply.n);
	if (!resp || p != reply.p + reply.n) {
		TS_RESP_free(resp);
		ERR_clear_error();
		return why_set(why, V_BAD, "no reply of a timestamp authority (RFC 3161)");
	}
	*out = resp;
	return 0;
}

int timestamp_read(struct span reply, struct span data, struct timestamp *out, struct why *why)
{
	_cleanup_(TS_VERIFY_CTX_freep) TS_VERIFY_CTX *ctx = NULL;
	_cleanup_(TS_RESP_freep) TS_RESP *resp = NULL;
	struct timestamp got = {.accuracy_us = -1};
	int r = read_reply(reply, data, &resp, why);
	time_t at;

	if (r)
		return r;
	ctx = questions(data, SPAN(NULL, 0));
	if (!ctx)
		return -ENOMEM;
	TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION | TS_VFY_DATA);
	if (TS_RESP_verify_response(ctx, resp) != 1)
		return bad(why);
	if (token_time(resp, &at))
		return why_set(why, V_BAD, "the token has no time");
	got.time_us = (int64_t)at * 1000000;
	describe(resp, &got);
	*out = got;
	return 0;
}

int timestamp_verify(const struct timestamp_trust *trust, struct span reply, struct span data, struct span request,
	struct timestamp *out, struct why *why)
{
	_cleanup_(TS_VERIFY_CTX_freep) TS_VERIFY_CTX *ctx = NULL;
	_cleanup_(TS_RESP_freep) TS_RESP *resp = NULL;
	X509_STORE *store;
	time_t at;
	int r;

	if (request.n > TIMESTAMP_MAX)
		return why_set(why, V_BAD, "of a size that it cannot have");
	r = read_reply(reply, data, &resp, why);
	if (r)
		return r;
	ctx = questions(data, request);
	if (!ctx)
		return -ENOMEM;
	if (token_time(resp, &at)) {
		/* No token: the authority refused, which is told by its status. */
		TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION);
		if (TS_RESP_verify_response(ctx, resp) != 1)
			return bad(why);
		return why_set(why, V_BAD, "the token has no time");
	}
	store = store_at(trust, at);
	if (!store)
		return -ENOMEM;
	TS_VERIFY_CTX_set_store(ctx, store);
	if (TS_RESP_verify_response(ctx, resp) != 1)
		return bad(why);
	out->time_us = (int64_t)at * 1000000;
	describe(resp, out);
	return 0;
}
