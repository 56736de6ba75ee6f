/*
 * Keys over OpenSSL's EVP. See key.h for who holds which. Private bytes leave this file only into key files, by
 * key_save.
 */
#include "policy/base/file.h"
#include "policy/trust/key_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#define KEY_FILE_MAX 8192
#define P256_INT 32 /* bytes of a coordinate */

/* What stands before the point in the one form of a P-256 key that we take: named curve, uncompressed (RFC 5480). */
static const uint8_t p256_prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

/* A key has one id: with its parameters spelled out, or its point compressed, the same key would have another. */
static bool has_usual_form(EVP_PKEY *pkey)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(pkey, &der);
	bool usual = n == (int)sizeof(p256_prefix) + 2 * P256_INT && !memcmp(der, p256_prefix, sizeof(p256_prefix));

	OPENSSL_free(der);
	return usual;
}

static int id_of(const struct key *k, struct digest *id)
{
	_cleanup_buf_ struct buf der = BUF_INIT(KEY_FILE_MAX);
	int r = key_public_der(k, &der);

	if (!r)
		digest_span(id, buf_span(&der));
	return r;
}

/* Takes the key over. V_BAD where it is neither of our types. */
int key_wrap(EVP_PKEY *pkey, bool is_private, struct key **out)
{
	enum key_type type;
	struct key *k;
	char group[64];
	size_t n;
	int r;

	if (EVP_PKEY_is_a(pkey, "ED25519")) {
		type = KEY_ED25519;
	} else if (EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof(group), &n) == 1 &&
		   !strcmp(group, "prime256v1") && has_usual_form(pkey)) {
		type = KEY_P256;
	} else {
		EVP_PKEY_free(pkey);
		return V_BAD;
	}
	k = calloc(1, sizeof(*k));
	if (!k) {
		EVP_PKEY_free(pkey);
		return -ENOMEM;
	}
	*k = (struct key){.pkey = pkey, .type = type, .is_private = is_private};
	r = id_of(k, &k->id);
	if (r) {
		key_free(k);
		return r;
	}
	*out = k;
	return 0;
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

DEFINE_CLEANUP(BIO *, BIO_free_all)

int key_save(const struct key *k, const char *path, mode_t mode)
{
	_cleanup_(BIO_free_allp) BIO *bio = BIO_new(BIO_s_secmem());
	const char *pem;
	long n;

	if (!k->is_private)
		return -EINVAL;
	if (!access(path, F_OK))
		return V_EXISTS;
	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return -ENOMEM;
	n = BIO_get_mem_data(bio, &pem);
	return file_replace(path, SPAN(pem, (size_t)n), mode);
}

/* Never asks at a terminal: an encrypted key file is refused. */
static int no_password(char *buf, int size, int rw, void *u)
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
	bio = BIO_new_mem_buf(b.p ? (const void *)b.p : "", (int)b.n);
	if (!bio)
		return -ENOMEM;
	p = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
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

int key_from_public_der(struct span der, struct key **out, struct why *why)
{
	_cleanup_buf_ struct buf again = BUF_INIT(KEY_FILE_MAX);
	_cleanup_(key_freep) struct key *k = NULL;
	const unsigned char *at = der.p;
	EVP_PKEY *p;
	int r;

	if (!der.n || der.n > KEY_FILE_MAX)
		return why_set(why, V_BAD, "public key: %zu bytes", der.n);
	p = d2i_PUBKEY(NULL, &at, (long)der.n);
	ERR_clear_error();
	if (!p)
		return why_set(why, V_BAD, "public key: no SubjectPublicKeyInfo");
	if (at != der.p + der.n) {
		EVP_PKEY_free(p);
		return why_set(why, V_BAD, "public key: bytes behind its end");
	}
	r = key_wrap(p, false, &k);
	if (r)
		return r > 0 ? why_set(why, V_BAD, "public key: neither P-256 nor Ed25519 in its usual form") : r;
	r = key_public_der(k, &again);
	if (r)
		return r;
	/* The id is a hash of these bytes: another way to write the same key would be another id. */
	if (!span_eq(buf_span(&again), der))
		return why_set(why, V_BAD, "public key: not DER");
	*out = STEAL(k);
	return 0;
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
	EVP_PKEY *p;

	if (raw.n != 32)
		return V_BAD;
	p = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw.p, raw.n);
	if (!p)
		return -ENOMEM;
	return key_wrap(p, false, out);
}
