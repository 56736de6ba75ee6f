/*
 * Keys over OpenSSL's EVP. See key.h for who holds which. Private bytes leave this file only into key files, by
 * key_save.
 */
#include "policy/base/file.h"
#include "policy/trust/keeper.h"
#include "policy/trust/key_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#define KEY_FILE_MAX 8192
#define P256_INT 32 /* bytes of a coordinate */
#define ED25519_RAW 32

/*
 * What stands before the point in the one form of a P-256 key that we take (named curve, uncompressed; RFC 5480), and
 * before the bytes of an Ed25519 one (RFC 8410).
 */
static const uint8_t p256_prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
static const uint8_t ed25519_prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

#define P256_DER (sizeof(p256_prefix) + 2 * P256_INT)
#define ED25519_DER (sizeof(ed25519_prefix) + ED25519_RAW)

/* A key has one id: with its parameters spelled out, or its point compressed, the same key would have another. */
static bool is_p256(struct span der)
{
	return der.n == P256_DER && !memcmp(der.p, p256_prefix, sizeof(p256_prefix));
}

static bool is_ed25519(struct span der)
{
	return der.n == ED25519_DER && !memcmp(der.p, ed25519_prefix, sizeof(ed25519_prefix));
}

/* Takes the key over, whose public half is `der`. V_BAD where that is of neither of our types. */
static int wrap(EVP_PKEY *pkey, bool is_private, struct span der, struct key **out)
{
	bool p256 = is_p256(der);
	struct key *k = p256 || is_ed25519(der) ? calloc(1, sizeof(*k)) : NULL;

	if (!k) {
		EVP_PKEY_free(pkey);
		return p256 || is_ed25519(der) ? -ENOMEM : V_BAD;
	}
	*k = (struct key){.pkey = pkey, .type = p256 ? KEY_P256 : KEY_ED25519, .is_private = is_private};
	digest_span(&k->id, der);
	*out = k;
	return 0;
}

int key_wrap(EVP_PKEY *pkey, bool is_private, struct key **out)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(pkey, &der), r;

	r = wrap(pkey, is_private, SPAN(der, n > 0 ? (size_t)n : 0), out);
	OPENSSL_free(der);
	return r;
}

int key_new(enum key_type type, struct key **out)
{
	EVP_PKEY *p = type == KEY_P256 ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	if (!p)
		return -EIO;
	return key_wrap(p, true, out);
}

void key_free(struct key *k)
{
	if (!k)
		return;
	/* EVP_PKEY_free clears private parts before it gives the memory back. */
	EVP_PKEY_free(k->pkey);
	free(k);
}

enum key_type key_type(const struct key *k)
{
	return k->type;
}

bool key_is_private(const struct key *k)
{
	return k->is_private;
}

enum key_place key_place(const struct key *k)
{
	return k->place;
}

const char *key_place_name(enum key_place place)
{
	static const char *const names[] = {[KEY_IN_FILE] = "file", [KEY_IN_TPM] = "tpm", [KEY_IN_TOKEN] = "pkcs11"};

	return names[place];
}

DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)

int key_save(const struct key *k, const char *path, mode_t mode)
{
	_cleanup_(BIO_free_allp) BIO *bio = BIO_new(BIO_s_secmem());
	const char *pem;
	long n;

	if (!k->is_private || k->place != KEY_IN_FILE)
		return -EINVAL;
	if (!access(path, F_OK))
		return V_EXISTS;
	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return -ENOMEM;
	n = BIO_get_mem_data(bio, &pem);
	return file_replace(path, SPAN(pem, (size_t)n), mode);
}

int key_no_password(char *buf, int size, int rw, void *u)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)u;
	return -1;
}

int key_load(const char *path, struct key **out, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(KEY_FILE_MAX);
	_cleanup_(BIO_free_allp) BIO *bio = NULL;
	EVP_PKEY *p;
	int r = file_read(path, &b);

	if (r == V_NOT_FOUND)
		return why_set(why, r, "%s: no such file", path);
	if (r == V_FULL)
		return why_set(why, V_BAD, "%s: too large for a key", path);
	if (r)
		return r;
	if (b.n && key_place_of(buf_span(&b)) != KEY_IN_FILE) {
		r = key_read_held(buf_span(&b), out);
		return r > 0 ? why_set(why, V_BAD, "%s: names no P-256 key that a keeper holds", path) : r;
	}
	bio = BIO_new_mem_buf(b.p ? (const void *)b.p : "", (int)b.n);
	if (!bio)
		return -ENOMEM;
	p = PEM_read_bio_PrivateKey(bio, NULL, key_no_password, NULL);
	secret_wipe(b.p ? b.p : (uint8_t *)"", b.p ? b.n : 0);
	ERR_clear_error();
	if (!p)
		return why_set(why, V_BAD, "%s: no private key in PEM", path);
	r = key_wrap(p, true, out);
	return r > 0 ? why_set(why, V_BAD, "%s: neither a P-256 nor an Ed25519 key", path) : r;
}

int key_public_der(const struct key *k, struct buf *out)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(k->pkey, &der), r;

	if (n < 0)
		return -ENOMEM;
	r = buf_put(out, der, (size_t)n);
	OPENSSL_free(der);
	return r;
}

/* NULL where it is no point of the curve. */
static EVP_PKEY *p256_of(struct span point)
{
	_cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *p = NULL;
	char group[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.p, point.n),
		OSSL_PARAM_construct_end(),
	};

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &p, EVP_PKEY_PUBLIC_KEY, params) != 1)
		p = NULL;
	ERR_clear_error();
	return p;
}

/*
 * The id is a hash of these bytes: another way to write the same key would be another id, and only the usual one is
 * taken. That it is known spares OpenSSL's search for a decoder, which takes longer than to judge a signature.
 */
int key_from_public_der(struct span der, struct key **out, struct why *why)
{
	EVP_PKEY *pkey;

	if (is_ed25519(der))
		return key_from_public_raw(SPAN(der.p + sizeof(ed25519_prefix), ED25519_RAW), out);
	if (!is_p256(der))
		return why_set(
			why, V_BAD, "public key: neither P-256 nor Ed25519 in its usual form, in %zu bytes", der.n);
	/* The prefix ends with the point's own first byte: that it is not compressed. */
	pkey = p256_of(SPAN(der.p + sizeof(p256_prefix) - 1, 2 * P256_INT + 1));
	if (!pkey)
		return why_set(why, V_BAD, "public key: no point of P-256");
	return wrap(pkey, false, der, out);
}

int key_id(const struct key *k, struct digest *id)
{
	*id = k->id;
	return 0;
}

int key_public_raw(const struct key *k, uint8_t raw[32])
{
	uint8_t b[32];
	size_t n = sizeof(b);

	if (k->type != KEY_ED25519)
		return V_BAD;
	if (EVP_PKEY_get_raw_public_key(k->pkey, b, &n) != 1 || n != sizeof(b))
		return -EIO;
	memcpy(raw, b, sizeof(b));
	return 0;
}

int key_from_public_raw(struct span raw, struct key **out)
{
	uint8_t der[ED25519_DER];
	EVP_PKEY *p;

	if (raw.n != ED25519_RAW)
		return V_BAD;
	memcpy(der, ed25519_prefix, sizeof(ed25519_prefix));
	memcpy(der + sizeof(ed25519_prefix), raw.p, raw.n);
	p = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw.p, raw.n);
	if (!p)
		return -ENOMEM;
	return wrap(p, false, SPAN(der, sizeof(der)), out);
}
