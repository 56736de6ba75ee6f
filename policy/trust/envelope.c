/*
 * CMS envelopes by OpenSSL. See envelope.h.
 */
#include "policy/trust/envelope.h"
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

struct envelope_readers {
	unsigned n;
	X509 *cert[ENVELOPE_READERS_MAX];
};

struct envelope {
	CMS_ContentInfo *cms;
	BIO *file, *chain; /* chain encrypts and encodes, and writes to file; made with the first part */
};

DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(CMS_ContentInfo *, CMS_ContentInfo_free)

void envelope_readers_free(struct envelope_readers *r)
{
	unsigned i;

	if (!r)
		return;
	for (i = 0; i < r->n; i++)
		X509_free(r->cert[i]);
	free(r);
}

/* A key that can be encrypted to, and is not too short. */
static bool is_good(X509 *cert)
{
	EVP_PKEY *k = X509_get0_pubkey(cert);
	int type = k ? EVP_PKEY_get_base_id(k) : 0;

	return (type == EVP_PKEY_RSA && EVP_PKEY_get_bits(k) >= 2048) ||
	       (type == EVP_PKEY_EC && EVP_PKEY_get_bits(k) >= 256);
}

int envelope_readers_read(struct span pem, struct envelope_readers **out, struct why *why)
{
	_cleanup_(envelope_readers_freep) struct envelope_readers *r = calloc(1, sizeof(*r));
	_cleanup_(BIO_free_allp) BIO *in = pem.n <= INT32_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	X509 *cert;

	if (!r || !in)
		return -ENOMEM;
	while ((cert = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
		if (r->n == ENVELOPE_READERS_MAX || !is_good(cert)) {
			X509_free(cert);
			return r->n == ENVELOPE_READERS_MAX
				       ? why_set(why, V_BAD, "more than %u certificates", ENVELOPE_READERS_MAX)
				       : why_set(why, V_BAD,
						 "certificate %u: neither RSA of 2048 bits nor a curve of 256",
						 r->n + 1);
		}
		r->cert[r->n++] = cert;
	}
	ERR_clear_error(); /* the end is an error to it */
	if (!r->n)
		return why_set(why, V_BAD, "no certificate in PEM");
	*out = STEAL(r);
	return 0;
}

void envelope_free(struct envelope *e)
{
	BIO *next;

	if (!e)
		return;
	/* The chain up to the file, which does not close its descriptor. */
	while (e->chain && e->chain != e->file) {
		next = BIO_pop(e->chain);
		BIO_free(e->chain);
		e->chain = next;
	}
	BIO_free(e->file);
	CMS_ContentInfo_free(e->cms);
	free(e);
}

int envelope_begin(const struct envelope_readers *to, int fd, struct envelope **out)
{
	_cleanup_(envelope_freep) struct envelope *e = calloc(1, sizeof(*e));
	unsigned i;

	if (!e)
		return -ENOMEM;
	/* NULL, then recipients one by one: CMS_PARTIAL says that it is not done yet */
	e->cms = CMS_encrypt(NULL, NULL, EVP_aes_256_gcm(), CMS_STREAM | CMS_BINARY | CMS_PARTIAL);
	e->file = BIO_new_fd(fd, BIO_NOCLOSE);
	if (!e->cms || !e->file)
		return -ENOMEM;
	for (i = 0; i < to->n; i++)
		if (!CMS_add1_recipient_cert(e->cms, to->cert[i], 0))
			return -EINVAL;
	*out = STEAL(e);
	return 0;
}

int envelope_put(struct envelope *e, struct span part)
{
	if (part.n && !e->chain && !(e->chain = BIO_new_CMS(e->file, e->cms)))
		return -ENOMEM;
	while (part.n) {
		int n = part.n > 1 << 20 ? 1 << 20 : (int)part.n, w;

		errno = 0;
		w = BIO_write(e->chain, part.p, n);
		if (w <= 0)
			return errno ? -errno : -EIO;
		part = SPAN(part.p + w, part.n - (size_t)w);
	}
	return 0;
}

int envelope_end(struct envelope *e)
{
	static const char none[] = "";
	_cleanup_(BIO_free_allp) BIO *empty = BIO_new_mem_buf(none, 0);

	errno = 0;
	/* The chain does not know of documents without a byte. */
	if (!e->chain)
		return empty && CMS_final(e->cms, empty, NULL, CMS_BINARY) && i2d_CMS_bio(e->file, e->cms) ? 0
		       : errno                                                                             ? -errno
													   : -EIO;
	if (BIO_flush(e->chain) <= 0)
		return errno ? -errno : -EIO;
	return 0;
}

int envelope_open(struct span envelope, struct span key, struct span certificate, int fd, struct why *why)
{
	_cleanup_(BIO_free_allp) BIO *in =
		envelope.n <= INT32_MAX ? BIO_new_mem_buf(envelope.p, (int)envelope.n) : NULL;
	_cleanup_(BIO_free_allp) BIO *k = BIO_new_mem_buf(key.p, (int)key.n);
	_cleanup_(BIO_free_allp) BIO *c =
		BIO_new_mem_buf(certificate.n ? (const void *)certificate.p : "", (int)certificate.n);
	_cleanup_(BIO_free_allp) BIO *out = BIO_new_fd(fd, BIO_NOCLOSE);
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *private = NULL;
	_cleanup_(X509_freep) X509 *cert = NULL;
	_cleanup_(CMS_ContentInfo_freep) CMS_ContentInfo *cms = NULL;
	static char none[] = "";

	if (!in)
		return why_set(why, V_BAD, "larger than 2 GiB: openssl cms -decrypt opens it");
	if (!k || !c || !out)
		return -ENOMEM;
	private = PEM_read_bio_PrivateKey(k, NULL, NULL, none);
	if (!private)
		return why_set(why, V_BAD, "no private key in PEM without a password");
	if (certificate.n && !(cert = PEM_read_bio_X509(c, NULL, NULL, NULL)))
		return why_set(why, V_BAD, "no certificate in PEM");
	cms = d2i_CMS_bio(in, NULL);
	if (!cms || OBJ_obj2nid(CMS_get0_type(cms)) != NID_id_smime_ct_authEnvelopedData) {
		ERR_clear_error();
		return why_set(why, V_BAD, "no envelope (CMS AuthEnvelopedData)");
	}
	errno = 0;
	if (CMS_decrypt(cms, private, cert, NULL, out, CMS_BINARY) != 1) {
		ERR_clear_error();
		return errno == ENOSPC ? -ENOSPC : why_set(why, V_DENIED, "not for this key, or changed");
	}
	return 0;
}
