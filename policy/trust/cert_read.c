/*
 * X.509 by OpenSSL: what others wrote: certificates, and requests for them (PKCS#10). Called by the collector, the
 * uplink and the administrator's command. All of it is from outside: a verdict at most, and nothing that a handshake
 * did not verify is believed before cert_check.
 */
#include "policy/base/text.h"
#include "policy/trust/cert_parts.h"
#include "policy/trust/key_parts.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

#define PEM_MAX 65536

DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(X509_REQ *, X509_REQ_free)

int cert_why(struct why *why, const char *what)
{
	char shown[160] = "no reason given";
	unsigned long first = ERR_peek_error(), e = ERR_peek_last_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;

	/* Of a file that could not be opened the last error is "system lib", and the first one says why. */
	if (ERR_SYSTEM_ERROR(first))
		reason = strerror(ERR_GET_REASON(first));
	if (reason)
		text_escape_to(shown, sizeof(shown), SPAN_STR(reason));
	ERR_clear_error();
	return why_set(why, V_BAD, "%s: %s", what, shown);
}

static BIO *reader(struct span pem)
{
	return pem.n && pem.n <= PEM_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
}

int cert_pem(struct span pem, X509 **out, struct why *why)
{
	_cleanup_(BIO_free_allp) BIO *b = reader(pem);

	if (!b)
		return why_set(why, V_BAD, "certificate: %zu bytes", pem.n);
	*out = PEM_read_bio_X509(b, NULL, NULL, (void *)"");
	return *out ? 0 : cert_why(why, "certificate");
}

int cert_request_key(struct span pem, struct key **out, struct why *why)
{
	_cleanup_(BIO_free_allp) BIO *b = reader(pem);
	_cleanup_(X509_REQ_freep) X509_REQ *rq = b ? PEM_read_bio_X509_REQ(b, NULL, NULL, (void *)"") : NULL;
	_cleanup_(key_freep) struct key *k = NULL;
	EVP_PKEY *pkey = rq ? X509_REQ_get_pubkey(rq) : NULL;
	int r;

	if (!pkey)
		return cert_why(why, "certificate request");
	/* The kind of key first: checking a signature by a huge RSA key would cost whoever asks nothing, and us much.
	 */
	r = key_wrap(pkey, false, &k);
	if (r < 0)
		return r;
	if (r || key_type(k) != KEY_P256)
		return why_set(why, V_BAD, "certificate request: not for a P-256 key");
	if (X509_REQ_verify(rq, k->pkey) != 1)
		return cert_why(why, "certificate request: its own signature");
	*out = STEAL(k);
	return 0;
}

static int time_us(const ASN1_TIME *t, int64_t *out)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(t, &tm))
		return V_BAD;
	*out = (int64_t)timegm(&tm) * 1000000;
	return 0;
}

int cert_info_of(X509 *x, struct cert_info *out)
{
	struct cert_info i = {.cn = ""};
	unsigned char *der = NULL;
	unsigned n = DIGEST_SIZE;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

	if (len <= 0)
		return -ENOMEM;
	digest_span(&i.key_id, SPAN(der, len));
	OPENSSL_free(der);
	if (!X509_digest(x, EVP_sha256(), i.fingerprint.b, &n))
		return -ENOMEM;
	/* A name that does not fit, or holds a NUL, is none: it never passes as its own beginning. */
	len = X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, i.cn, sizeof(i.cn));
	if (len < 0 || (size_t)len != strlen(i.cn) || (size_t)len >= sizeof(i.cn) - 1)
		i.cn[0] = 0;
	if (time_us(X509_get0_notBefore(x), &i.not_before_us) || time_us(X509_get0_notAfter(x), &i.not_after_us))
		return V_BAD;
	*out = i;
	return 0;
}

int cert_read(struct span pem, struct cert_info *out, struct why *why)
{
	_cleanup_(X509_freep) X509 *x = NULL;
	int r = cert_pem(pem, &x, why);

	if (!r)
		r = cert_info_of(x, out);
	return r == V_BAD ? cert_why(why, "certificate") : r;
}

int cert_check(struct span pem, struct span ca_pem, enum cert_use use, struct key **key, struct why *why)
{
	_cleanup_(X509_freep) X509 *cert = NULL, *ca = NULL;
	int purpose = use == CERT_SERVER ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT;
	int r = cert_pem(pem, &cert, why);
	EVP_PKEY *pkey;

	r = r ? r : cert_pem(ca_pem, &ca, why);
	if (!r && (X509_check_issued(ca, cert) != X509_V_OK || X509_verify(cert, X509_get0_pubkey(ca)) != 1))
		r = why_set(why, V_BAD, "the certificate is not of this CA");
	if (!r && X509_check_purpose(cert, purpose, 0) != 1)
		r = why_set(why, V_BAD, "the certificate is for another use");
	ERR_clear_error();
	if (r || !key)
		return r;
	pkey = X509_get_pubkey(cert);
	r = pkey ? key_wrap(pkey, false, key) : V_BAD;
	ERR_clear_error();
	return r > 0 ? why_set(why, V_BAD, "the certificate's key is of another kind") : r;
}
