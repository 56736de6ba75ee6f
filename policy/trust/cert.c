/*
 * X.509 by OpenSSL: what we write: the collector's own certificate authority, what it issues, and requests to it.
 * Called by the collector (issues) and the uplink (asks). Must never issue for a key whose owner did not prove it:
 * cert_request_key comes before cert_issue. What others wrote is read in cert_read.c.
 */
#include "policy/trust/cert.h"
#include "policy/trust/cert_parts.h"
#include "policy/trust/key_parts.h"
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

#define SERIAL_BITS 127 /* positive, and 16 bytes (RFC 5280 section 4.1.2.2) */
#define BACKDATE_S 3600 /* for clocks that are a little slow */
#define NAMES_MAX 16

DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(BIGNUM *, BN_free)
DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(X509_REQ *, X509_REQ_free)

/* OpenSSL refused what only lack of memory, or a mistake of ours, can make it refuse. */
static int ours(void)
{
	ERR_clear_error();
	return -ENOMEM;
}

static int put_bio(BIO *b, struct buf *out)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);

	return n <= 0 ? -ENOMEM : buf_put(out, p, (size_t)n);
}

static int put_cert(X509 *x, struct buf *out)
{
	_cleanup_(BIO_free_allp) BIO *b = BIO_new(BIO_s_mem());

	return b && PEM_write_bio_X509(b, x) ? put_bio(b, out) : ours();
}

/* --- making certificates --- */

static int set_serial(X509 *x)
{
	_cleanup_(BN_freep) BIGNUM *n = BN_new();

	return n && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
			       BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x))
		       ? 0
		       : ours();
}

static int set_name(X509_NAME *name, const char *cn)
{
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) ? 0 : V_BAD;
}

static int add_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;
	int ok;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (!e)
		return ours();
	ok = X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	return ok ? 0 : ours();
}

static GENERAL_NAME *one_name(const char *name)
{
	unsigned char ip[16];
	GENERAL_NAME *g = GENERAL_NAME_new();
	bool four = inet_pton(AF_INET, name, ip) == 1, six = !four && inet_pton(AF_INET6, name, ip) == 1;
	ASN1_STRING *s = four || six ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();

	if (!g || !s || !ASN1_STRING_set(s, four || six ? (const void *)ip : name, four ? 4 : six ? 16 : -1)) {
		GENERAL_NAME_free(g);
		ASN1_STRING_free(s);
		return NULL;
	}
	GENERAL_NAME_set0_value(g, four || six ? GEN_IPADD : GEN_DNS, s);
	return g;
}

/* Built from objects: a name from outside never passes through OpenSSL's configuration syntax. */
static int add_names(X509 *x, const char *names, struct why *why)
{
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	char name[256];
	int r = all ? 0 : ours();

	while (!r && *names) {
		size_t n = strcspn(names, ","), i;
		GENERAL_NAME *g;

		if (!n || n >= sizeof(name) || sk_GENERAL_NAME_num(all) >= NAMES_MAX) {
			r = why_set(why, V_BAD, "names of the server: an empty, too long, or %dth one", NAMES_MAX + 1);
			break;
		}
		memcpy(name, names, n);
		name[n] = 0;
		for (i = 0; i < n; i++)
			if (name[i] <= ' ' || name[i] >= 127)
				r = why_set(why, V_BAD, "names of the server: not letters, digits, dots and colons");
		g = r ? NULL : one_name(name);
		if (!r && (!g || !sk_GENERAL_NAME_push(all, g))) {
			GENERAL_NAME_free(g);
			r = ours();
		}
		names += n;
		names += *names == ',';
	}
	if (!r && sk_GENERAL_NAME_num(all) && X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0, 0) != 1)
		r = ours();
	GENERAL_NAMES_free(all);
	return r;
}

static int begin(const struct key *subject, unsigned days, X509 **out)
{
	_cleanup_(X509_freep) X509 *x = X509_new();
	time_t now = time(NULL);
	int r;

	if (!x || !X509_set_version(x, X509_VERSION_3))
		return ours();
	r = set_serial(x);
	if (r)
		return r;
	now -= BACKDATE_S;
	if (!X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &now) ||
		!X509_time_adj_ex(X509_getm_notAfter(x), (int)days, BACKDATE_S, &now) ||
		!X509_set_pubkey(x, subject->pkey))
		return ours();
	*out = STEAL(x);
	return 0;
}

int cert_make_ca(const struct key *k, const char *name, unsigned days, struct buf *out)
{
	_cleanup_(X509_freep) X509 *x = NULL;
	int r = begin(k, days, &x);

	if (!r)
		r = set_name(X509_get_subject_name(x), name) ? -EINVAL : 0;
	if (!r && !X509_set_issuer_name(x, X509_get_subject_name(x)))
		r = ours();
	if (!r)
		r = add_ext(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	if (!r)
		r = add_ext(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
	if (!r)
		r = add_ext(x, x, NID_subject_key_identifier, "hash");
	if (!r && !X509_sign(x, k->pkey, EVP_sha256()))
		r = ours();
	return r ? r : put_cert(x, out);
}

int cert_issue(const struct key *ca_key, struct span ca_pem, const struct key *subject_key, const char *cn,
	const char *names, enum cert_use use, unsigned days, struct buf *out, struct why *why)
{
	_cleanup_(X509_freep) X509 *ca = NULL, *x = NULL;
	int r = cert_pem(ca_pem, &ca, why);

	if (!r && EVP_PKEY_eq(X509_get0_pubkey(ca), ca_key->pkey) != 1)
		r = why_set(why, V_BAD, "the CA's key is not that of its certificate");
	if (!r)
		r = begin(subject_key, days, &x);
	if (!r && set_name(X509_get_subject_name(x), cn))
		r = cert_why(why, "name of the certificate");
	if (!r && !X509_set_issuer_name(x, X509_get_subject_name(ca)))
		r = ours();
	if (!r)
		r = add_ext(x, ca, NID_basic_constraints, "critical,CA:FALSE");
	if (!r)
		r = add_ext(x, ca, NID_key_usage, "critical,digitalSignature");
	if (!r)
		r = add_ext(x, ca, NID_ext_key_usage, use == CERT_SERVER ? "serverAuth" : "clientAuth");
	if (!r)
		r = add_ext(x, ca, NID_subject_key_identifier, "hash");
	if (!r)
		r = add_ext(x, ca, NID_authority_key_identifier, "keyid:always");
	if (!r && use == CERT_SERVER && names)
		r = add_names(x, names, why);
	if (!r && !X509_sign(x, ca_key->pkey, EVP_sha256()))
		r = ours();
	return r ? r : put_cert(x, out);
}

/* --- requests --- */

int cert_request(const struct key *k, const char *cn, struct buf *out)
{
	_cleanup_(X509_REQ_freep) X509_REQ *rq = X509_REQ_new();
	_cleanup_(BIO_free_allp) BIO *b = BIO_new(BIO_s_mem());

	if (!rq || !b || set_name(X509_REQ_get_subject_name(rq), cn) || !X509_REQ_set_pubkey(rq, k->pkey) ||
		!X509_REQ_sign(rq, k->pkey, EVP_sha256()) || !PEM_write_bio_X509_REQ(b, rq))
		return ours();
	return put_bio(b, out);
}
