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
	CMS_ContentInfo *outer, *inner; /* inner: NULL where one person opens it */
	BIO *file, *chain;              /* chain encrypts and encodes, and writes to file; made with the first part */
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

bool envelope_readers_meet(const struct envelope_readers *a, const struct envelope_readers *b)
{
	unsigned i, j;

	for (i = 0; i < a->n; i++)
		for (j = 0; j < b->n; j++)
			if (EVP_PKEY_eq(X509_get0_pubkey(a->cert[i]), X509_get0_pubkey(b->cert[j])) == 1)
				return true;
	return false;
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
	CMS_ContentInfo_free(e->inner);
	CMS_ContentInfo_free(e->outer);
	free(e);
}

static int to_readers(const struct envelope_readers *to, CMS_ContentInfo **out)
{
	unsigned i;

	/* NULL, then recipients one by one: CMS_PARTIAL says that it is not done yet */
	*out = CMS_encrypt(NULL, NULL, EVP_aes_256_gcm(), CMS_STREAM | CMS_BINARY | CMS_PARTIAL);
	if (!*out)
		return -ENOMEM;
	for (i = 0; i < to->n; i++)
		if (!CMS_add1_recipient_cert(*out, to->cert[i], 0))
			return -EINVAL;
	return 0;
}

int envelope_begin(
	const struct envelope_readers *to, const struct envelope_readers *then, int fd, struct envelope **out)
{
	_cleanup_(envelope_freep) struct envelope *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->file = BIO_new_fd(fd, BIO_NOCLOSE);
	if (!e->file)
		return -ENOMEM;
	r = to_readers(to, &e->outer);
	if (!r && then)
		r = to_readers(then, &e->inner);
	if (!r && then && !CMS_set1_eContentType(e->outer, OBJ_nid2obj(NID_id_smime_ct_authEnvelopedData)))
		r = -ENOMEM;
	if (!r)
		*out = STEAL(e);
	return r;
}

int envelope_add_key(struct envelope *e, const uint8_t key[ENVELOPE_KEY_SIZE])
{
	unsigned char *k = OPENSSL_memdup(key, ENVELOPE_KEY_SIZE);
	unsigned char *id = OPENSSL_memdup(ENVELOPE_KEY_ID, strlen(ENVELOPE_KEY_ID));

	/* Both are the envelope's where it worked. */
	if (k && id &&
		CMS_add0_recipient_key(
			e->outer, NID_undef, k, ENVELOPE_KEY_SIZE, id, strlen(ENVELOPE_KEY_ID), NULL, NULL, NULL))
		return 0;
	OPENSSL_clear_free(k, k ? ENVELOPE_KEY_SIZE : 0);
	OPENSSL_free(id);
	ERR_clear_error();
	return -ENOMEM;
}

/* One that is written into another: its end, by BIO_flush, is the other's, too. */
static int chain(struct envelope *e)
{
	BIO *inner;

	e->chain = BIO_new_CMS(e->file, e->outer);
	if (!e->chain)
		return -ENOMEM;
	if (!e->inner)
		return 0;
	inner = BIO_new_CMS(e->chain, e->inner);
	if (!inner)
		return -ENOMEM;
	e->chain = inner;
	return 0;
}

int envelope_put(struct envelope *e, struct span part)
{
	int r = part.n && !e->chain ? chain(e) : 0;

	if (r)
		return r;
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

/* A document without a byte, of which the chain does not know. */
static bool end_empty(struct envelope *e)
{
	static const char none[] = "";
	_cleanup_(BIO_free_allp) BIO *empty = BIO_new_mem_buf(none, 0);
	_cleanup_(BIO_free_allp) BIO *between = e->inner ? BIO_new(BIO_s_mem()) : NULL;

	if (!empty || (e->inner && (!between || !CMS_final(e->inner, empty, NULL, CMS_BINARY) ||
					   !i2d_CMS_bio(between, e->inner))))
		return false;
	return CMS_final(e->outer, between ? between : empty, NULL, CMS_BINARY) && i2d_CMS_bio(e->file, e->outer);
}

int envelope_end(struct envelope *e)
{
	errno = 0;
	if (e->chain ? BIO_flush(e->chain) > 0 : end_empty(e))
		return 0;
	return errno ? -errno : -EIO;
}

#define TOO_LARGE "larger than 2 GiB: openssl cms -decrypt opens it"

static int parse(BIO *in, CMS_ContentInfo **out, struct why *why)
{
	*out = d2i_CMS_bio(in, NULL);
	if (*out && OBJ_obj2nid(CMS_get0_type(*out)) == NID_id_smime_ct_authEnvelopedData)
		return 0;
	ERR_clear_error();
	return why_set(why, V_BAD, "no envelope (CMS AuthEnvelopedData)");
}

int envelope_open(
	struct span envelope, struct span key, struct span certificate, int fd, bool *another, struct why *why)
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
	int r;

	if (!in)
		return why_set(why, V_BAD, TOO_LARGE);
	if (!k || !c || !out)
		return -ENOMEM;
	private = PEM_read_bio_PrivateKey(k, NULL, NULL, none);
	if (!private)
		return why_set(why, V_BAD, "no private key in PEM without a password");
	if (certificate.n && !(cert = PEM_read_bio_X509(c, NULL, NULL, NULL)))
		return why_set(why, V_BAD, "no certificate in PEM");
	r = parse(in, &cms, why);
	if (r)
		return r;
	errno = 0;
	if (CMS_decrypt(cms, private, cert, NULL, out, CMS_BINARY) != 1) {
		ERR_clear_error();
		return errno == ENOSPC ? -ENOSPC : why_set(why, V_DENIED, "not for this key, or changed");
	}
	*another = OBJ_obj2nid(CMS_get0_eContentType(cms)) == NID_id_smime_ct_authEnvelopedData;
	return 0;
}

int envelope_open_key(
	struct span envelope, const uint8_t key[ENVELOPE_KEY_SIZE], int fd, struct digest *hash, struct why *why)
{
	_cleanup_(BIO_free_allp) BIO *in =
		envelope.n <= INT32_MAX ? BIO_new_mem_buf(envelope.p, (int)envelope.n) : NULL;
	_cleanup_(BIO_free_allp) BIO *out = BIO_new(BIO_f_md());
	_cleanup_(CMS_ContentInfo_freep) CMS_ContentInfo *cms = NULL;
	unsigned char k[ENVELOPE_KEY_SIZE], id[] = ENVELOPE_KEY_ID;
	BIO *end = fd < 0 ? BIO_new(BIO_s_null()) : BIO_new_fd(fd, BIO_NOCLOSE);
	bool good;
	int r;

	if (!in || !out || !end || BIO_set_md(out, EVP_sha256()) <= 0) {
		BIO_free(end);
		return in ? -ENOMEM : why_set(why, V_BAD, TOO_LARGE);
	}
	BIO_push(out, end);
	r = parse(in, &cms, why);
	if (r)
		return r;
	memcpy(k, key, sizeof(k));
	errno = 0;
	good = CMS_decrypt_set1_key(cms, k, sizeof(k), id, strlen(ENVELOPE_KEY_ID)) == 1 &&
	       CMS_decrypt(cms, NULL, NULL, NULL, out, CMS_BINARY) == 1;
	secret_wipe(k, sizeof(k));
	ERR_clear_error();
	if (!good)
		return errno ? -errno : why_set(why, V_DENIED, "not for this key, or changed");
	return BIO_gets(out, (char *)hash->b, DIGEST_SIZE) == DIGEST_SIZE ? 0 : -EIO;
}
