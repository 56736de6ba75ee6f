/*
 * A TPM by OpenSSL's provider. See tpm.h. Must never take a private key that is not the TPM's: operations are fetched
 * from its provider by name.
 */
#include "policy/trust/tpm.h"
#include "policy/trust/agree.h"
#include "policy/trust/key_parts.h"
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>

#define OF_TPM "provider=tpm2"
#define DER_MAX 80
#define P256_INT 32

DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free)

/* What the TPM said stands first in OpenSSL's queue; what its callers made of it, behind. */
static int refused(struct why *why, int verdict, const char *what)
{
	const char *data = NULL;
	int flags = 0;
	unsigned long e = ERR_peek_error_all(NULL, NULL, NULL, &data, &flags);
	const char *reason = e && ERR_reason_error_string(e) ? ERR_reason_error_string(e) : "no reason";

	why_set(why, verdict, "%s: %.150s", what, flags & ERR_TXT_STRING && data && data[0] ? data : reason);
	ERR_clear_error();
	return verdict;
}

int tpm_open(const char *device, struct why *why)
{
	char what[128];

	if (setenv("TPM2OPENSSL_TCTI", device, 0) || setenv("TSS2_LOG", "all+NONE", 0))
		return -errno;
	if (!OSSL_PROVIDER_load(NULL, "default"))
		return refused(why, V_AGAIN, "OpenSSL");
	if (OSSL_PROVIDER_load(NULL, "tpm2"))
		return 0;
	if (ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_DSO || ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_SYS)
		return refused(why, V_AGAIN, "OpenSSL has no provider tpm2 here (package tpm2-openssl)");
	snprintf(what, sizeof(what), "no TPM answers at %.80s", getenv("TPM2OPENSSL_TCTI"));
	return refused(why, V_AGAIN, what);
}

static int put_bio(BIO *bio, struct buf *out)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	return n <= 0 ? -ENOMEM : buf_put(out, p, (size_t)n);
}

int tpm_make(struct buf *file, struct why *why)
{
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *p = EVP_PKEY_Q_keygen(NULL, OF_TPM, "EC", "P-256");
	_cleanup_(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());

	if (!p)
		return refused(why, V_AGAIN, "the TPM makes no key");
	if (!bio || PEM_write_bio_PUBKEY(bio, p) != 1 ||
		PEM_write_bio_PrivateKey_ex(bio, p, NULL, NULL, 0, NULL, NULL, NULL, OF_TPM) != 1)
		return refused(why, V_AGAIN, "the TPM's key cannot be written");
	return put_bio(bio, file);
}

/*
 * A TPM whose owner has set a password since, or that is out of order, makes no new key either: this one may still be
 * its own. Which of the provider's reasons says so is written down nowhere.
 */
static int not_loaded(struct why *why)
{
	int r = refused(why, V_BAD,
		"this TPM does not take the key: it was cleared, or is another PC's; the PC has to be enrolled anew");
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, OF_TPM, "EC", "P-256");

	return other ? r
		     : refused(why, V_AGAIN,
			       "the TPM opens no key now, neither this one nor a new one (has its owner set a "
			       "password?)");
}

static int load(struct span file, EVP_PKEY **out, struct why *why)
{
	_cleanup_(BIO_free_allp) BIO *bio = BIO_new_mem_buf(file.p, (int)file.n), *again = NULL;
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *p = NULL, *told = NULL;

	if (!bio)
		return -ENOMEM;
	p = PEM_read_bio_PrivateKey_ex(bio, NULL, key_no_password, NULL, NULL, OF_TPM);
	if (!p)
		return not_loaded(why);
	again = BIO_new_mem_buf(file.p, (int)file.n);
	told = again ? PEM_read_bio_PUBKEY(again, NULL, NULL, NULL) : NULL;
	if (!told || EVP_PKEY_eq(told, p) != 1) {
		ERR_clear_error();
		return why_set(why, V_BAD, "the key's file names another public key than the TPM's");
	}
	*out = STEAL(p);
	return 0;
}

static int sign(EVP_PKEY *p, struct span digest, struct buf *out, struct why *why)
{
	_cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, p, OF_TPM);
	_cleanup_(ECDSA_SIG_freep) ECDSA_SIG *s = NULL;
	uint8_t der[DER_MAX], raw[SIGNATURE_SIZE];
	const uint8_t *at = der;
	size_t n = sizeof(der);

	if (!ctx || EVP_PKEY_sign_init(ctx) != 1 || EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1 ||
		EVP_PKEY_sign(ctx, der, &n, digest.p, digest.n) != 1)
		return refused(why, V_AGAIN, "the TPM does not sign");
	s = d2i_ECDSA_SIG(NULL, &at, (long)n);
	if (!s || BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, P256_INT) != P256_INT ||
		BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + P256_INT, P256_INT) != P256_INT)
		return refused(why, V_AGAIN, "the TPM's signature cannot be read");
	return buf_put(out, raw, sizeof(raw));
}

static int agree(EVP_PKEY *p, struct span point, struct buf *out, struct why *why)
{
	_cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL, *make = NULL;
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *theirs = NULL;
	char group[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.p, point.n),
		OSSL_PARAM_construct_end(),
	};
	uint8_t secret[SECRET_SIZE];
	size_t n = sizeof(secret);
	int r;

	make = EVP_PKEY_CTX_new_from_name(NULL, "EC", "provider=default");
	if (!make || EVP_PKEY_fromdata_init(make) != 1 ||
		EVP_PKEY_fromdata(make, &theirs, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		ERR_clear_error();
		return why_set(why, V_BAD, "no point of P-256");
	}
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, p, OF_TPM);
	if (!ctx || EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, theirs) != 1 ||
		EVP_PKEY_derive(ctx, secret, &n) != 1 || n != sizeof(secret))
		return refused(why, V_AGAIN, "the TPM does not agree on a secret");
	r = buf_put(out, secret, sizeof(secret));
	secret_wipe(secret, sizeof(secret));
	return r;
}

int tpm_use(const struct keeper_request *q, struct buf *out, struct why *why)
{
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *p = NULL;
	int r = load(q->file, &p, why);

	if (r)
		return r;
	return q->what == KEEPER_SIGN ? sign(p, q->input, out, why) : agree(p, q->input, out, why);
}
