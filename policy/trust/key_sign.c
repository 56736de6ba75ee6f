/*
 * Signatures by the keys of key.c, in the form that COSE wants them. Called by everything that signs or judges; must
 * never say 0 of a signature that OpenSSL did not call good.
 */
#include "policy/trust/key_parts.h"
#include <errno.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#define P256_INT 32
#define ECDSA_DER_MAX 80

DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)
DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free)

/* ECDSA's DER form to r || s, and back (RFC 9053 section 2.1). */
static int der_to_raw(const uint8_t *der, size_t n, uint8_t sig[SIGNATURE_SIZE])
{
	const unsigned char *at = der;
	_cleanup_(ECDSA_SIG_freep) ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &at, (long)n);

	if (!s || BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, P256_INT) != P256_INT ||
		BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + P256_INT, P256_INT) != P256_INT)
		return -EIO;
	return 0;
}

static int raw_to_der(const uint8_t *sig, uint8_t *der, size_t *n)
{
	_cleanup_(ECDSA_SIG_freep) ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(sig, P256_INT, NULL), *t = BN_bin2bn(sig + P256_INT, P256_INT, NULL);
	int len;

	if (!s || !r || !t || ECDSA_SIG_set0(s, r, t) != 1) {
		BN_free(r);
		BN_free(t);
		return -ENOMEM;
	}
	len = i2d_ECDSA_SIG(s, NULL);
	if (len < 0 || (size_t)len > *n)
		return -EIO;
	*n = (size_t)i2d_ECDSA_SIG(s, &der);
	return 0;
}

static const char *digest_name(const struct key *k)
{
	return k->type == KEY_P256 ? "SHA256" : NULL;
}

int key_sign(const struct key *k, struct span msg, uint8_t sig[SIGNATURE_SIZE])
{
	_cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t out[ECDSA_DER_MAX];
	size_t n = sizeof(out);

	if (!k->is_private)
		return -EINVAL;
	if (!ctx || EVP_DigestSignInit_ex(ctx, NULL, digest_name(k), NULL, NULL, k->pkey, NULL) != 1 ||
		EVP_DigestSign(ctx, out, &n, msg.p, msg.n) != 1) {
		ERR_clear_error();
		return k->place == KEY_IN_FILE ? -EIO : V_AGAIN;
	}
	if (k->type == KEY_P256)
		return der_to_raw(out, n, sig);
	if (n != SIGNATURE_SIZE)
		return -EIO;
	memcpy(sig, out, SIGNATURE_SIZE);
	return 0;
}

int key_verify(const struct key *k, struct span msg, struct span sig)
{
	_cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[ECDSA_DER_MAX];
	size_t n = sizeof(der);
	int r;

	if (sig.n != SIGNATURE_SIZE)
		return V_BAD;
	if (!ctx || EVP_DigestVerifyInit_ex(ctx, NULL, digest_name(k), NULL, NULL, k->pkey, NULL) != 1)
		return -ENOMEM;
	if (k->type == KEY_P256) {
		r = raw_to_der(sig.p, der, &n);
		if (r)
			return r;
		r = EVP_DigestVerify(ctx, der, n, msg.p, msg.n);
	} else {
		r = EVP_DigestVerify(ctx, sig.p, sig.n, msg.p, msg.n);
	}
	ERR_clear_error();
	return r == 1 ? 0 : V_BAD;
}
