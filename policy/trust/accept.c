/*
 * What a server with its own event loop needs of TLS and of certificates that peers show outside a handshake: one
 * connection's object with a notice of its end, and the judgement of a certificate against our CA. See cert.h.
 */
#include "policy/trust/cert.h"
#include "policy/trust/key_parts.h"
#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

struct accepted {
	void (*gone)(void *arg);
	void *arg;
};

static void on_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int at, long argl, void *argp)
{
	struct accepted *a = ptr;

	(void)parent;
	(void)ad;
	(void)at;
	(void)argl;
	(void)argp;
	if (!a)
		return;
	if (a->gone)
		a->gone(a->arg);
	free(a);
}

static int slot(void)
{
	static int at = -1;

	if (at < 0)
		at = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_free);
	return at;
}

int tls_accept(SSL_CTX *ctx, void (*gone)(void *arg), void *arg, SSL **out)
{
	struct accepted *a = calloc(1, sizeof(*a));
	SSL *ssl = SSL_new(ctx);

	if (!a || !ssl || slot() < 0 || SSL_set_ex_data(ssl, slot(), a) != 1) {
		SSL_free(ssl);
		free(a);
		ERR_clear_error();
		return -ENOMEM;
	}
	/* Only now: had it failed above, nobody would have to be told. */
	a->gone = gone;
	a->arg = arg;
	*out = ssl;
	return 0;
}

void *tls_arg(const SSL *ssl)
{
	struct accepted *a = SSL_get_ex_data(ssl, slot());

	return a ? a->arg : NULL;
}

DEFINE_CLEANUP(BIO *, BIO_free)
DEFINE_CLEANUP(X509 *, X509_free)

static X509 *read_one(struct span pem)
{
	_cleanup_(BIO_freep) BIO *bio = pem.n <= INT_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;

	return bio ? PEM_read_bio_X509(bio, NULL, NULL, (void *)"") : NULL;
}

int cert_check(struct span pem, struct span ca_pem, enum cert_use use, struct key **key, struct why *why)
{
	_cleanup_(X509_freep) X509 *cert = read_one(pem);
	_cleanup_(X509_freep) X509 *ca = read_one(ca_pem);
	int purpose = use == CERT_SERVER ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT, r = 0;
	EVP_PKEY *pkey;

	if (!cert || !ca)
		r = why_set(why, V_BAD, "no certificate");
	else if (X509_check_issued(ca, cert) != X509_V_OK || X509_verify(cert, X509_get0_pubkey(ca)) != 1)
		r = why_set(why, V_BAD, "the certificate is not of this CA");
	else if (X509_check_purpose(cert, purpose, 0) != 1)
		r = why_set(why, V_BAD, "the certificate is for another use");
	ERR_clear_error();
	if (r || !key)
		return r;
	pkey = X509_get_pubkey(cert);
	r = pkey ? key_wrap(pkey, false, key) : V_BAD;
	ERR_clear_error();
	return r > 0 ? why_set(why, V_BAD, "the certificate's key is of another kind") : r;
}
