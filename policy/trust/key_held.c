/*
 * Keys that a keeper holds, as OpenSSL sees them: a P-256 key whose public half is here, and whose private operations
 * ask the keeper each time. So everything that takes a key takes these too: COSE, certificate requests, TLS, agreement.
 * Called by key_load for files that name such a key, and by who makes one.
 *
 * OpenSSL's way for that in a program is EC_KEY_METHOD, as libp11 uses it; a provider of our own would be four times
 * the code for the same two functions. Must never wait longer than keeper_ask does.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/trust/agree.h"
#include "policy/trust/keeper.h"
#include "policy/trust/key_parts.h"
#include <errno.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

#define P256_INT 32
#define TPM_BEGIN "-----BEGIN TSS2 PRIVATE KEY-----"
#define TOKEN_NAME "SEKISHO PKCS11 KEY"
#define TOKEN_BEGIN "-----BEGIN " TOKEN_NAME "-----"

DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(EC_KEY *, EC_KEY_free)
DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free)

static int held_index = -1;

/* Where the key's own file text is kept, for as long as OpenSSL has the key. */
static void free_held(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	struct buf *file = ptr;

	(void)parent;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	if (!file)
		return;
	buf_deinit(file);
	free(file);
}

/* Tells a new trouble once: each producer asks again and again until the holder is back. */
static void tell(int r, const struct why *why)
{
	static char last[WHY_SIZE];

	if (!r && last[0])
		log_notice("this PC's key answers again");
	if (r > 0 && strcmp(last, why->text) != 0)
		log_warning("this PC's key: %s", why->text);
	snprintf(last, sizeof(last), "%.*s", (int)sizeof(last) - 1, r > 0 ? why->text : "");
}

static int ask(const EC_KEY *key, enum keeper_what what, struct span input, uint8_t *out, size_t n)
{
	_cleanup_buf_ struct buf made = BUF_INIT(n);
	const struct buf *file = EC_KEY_get_ex_data(key, held_index);
	struct keeper_request q = {.what = what, .input = input};
	struct why why = {""};
	int r;

	if (!file)
		return -EINVAL;
	q.file = buf_span(file);
	r = keeper_ask(&q, &made, &why);
	tell(r, &why);
	if (!r)
		memcpy(out, made.p, n);
	if (made.p)
		secret_wipe(made.p, made.cap);
	return r;
}

static ECDSA_SIG *sign(const unsigned char *dgst, int n, const BIGNUM *kinv, const BIGNUM *rp, EC_KEY *key)
{
	_cleanup_(ECDSA_SIG_freep) ECDSA_SIG *s = ECDSA_SIG_new();
	uint8_t raw[SIGNATURE_SIZE];
	BIGNUM *a, *b;

	(void)kinv;
	(void)rp;
	if (!s || n != DIGEST_SIZE || ask(key, KEEPER_SIGN, SPAN(dgst, DIGEST_SIZE), raw, sizeof(raw)))
		return NULL;
	a = BN_bin2bn(raw, P256_INT, NULL);
	b = BN_bin2bn(raw + P256_INT, P256_INT, NULL);
	if (!a || !b || ECDSA_SIG_set0(s, a, b) != 1) {
		BN_free(a);
		BN_free(b);
		return NULL;
	}
	return STEAL(s);
}

static int sign_der(int type, const unsigned char *dgst, int n, unsigned char *sig, unsigned *sig_n, const BIGNUM *kinv,
	const BIGNUM *r, EC_KEY *key)
{
	_cleanup_(ECDSA_SIG_freep) ECDSA_SIG *s = sign(dgst, n, kinv, r, key);
	int size = s ? i2d_ECDSA_SIG(s, &sig) : 0;

	(void)type;
	*sig_n = size > 0 ? (unsigned)size : 0;
	return size > 0;
}

static int agree(unsigned char **secret, size_t *n, const EC_POINT *theirs, const EC_KEY *key)
{
	uint8_t point[KEEPER_POINT_SIZE];
	unsigned char *out = OPENSSL_malloc(SECRET_SIZE);

	if (!out ||
		EC_POINT_point2oct(EC_KEY_get0_group(key), theirs, POINT_CONVERSION_UNCOMPRESSED, point, sizeof(point),
			NULL) != sizeof(point) ||
		ask(key, KEEPER_AGREE, SPAN(point, sizeof(point)), out, SECRET_SIZE)) {
		OPENSSL_free(out);
		return 0;
	}
	*secret = out;
	*n = SECRET_SIZE;
	return 1;
}

static const EC_KEY_METHOD *method(void)
{
	static EC_KEY_METHOD *made;

	if (made)
		return made;
	if (held_index < 0)
		held_index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, free_held);
	made = held_index < 0 ? NULL : EC_KEY_METHOD_new(EC_KEY_OpenSSL());
	if (made) {
		EC_KEY_METHOD_set_sign(made, sign_der, NULL, sign);
		EC_KEY_METHOD_set_compute_key(made, agree);
	}
	return made;
}

/* The public half that the file begins with. */
static EVP_PKEY *public_of(struct span file)
{
	_cleanup_(BIO_free_allp) BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
	EVP_PKEY *p = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

	ERR_clear_error();
	return p;
}

enum key_place key_place_of(struct span file)
{
	if (memmem(file.p, file.n, TPM_BEGIN, strlen(TPM_BEGIN)))
		return KEY_IN_TPM;
	return memmem(file.p, file.n, TOKEN_BEGIN, strlen(TOKEN_BEGIN)) ? KEY_IN_TOKEN : KEY_IN_FILE;
}

int keeper_token_write(const uint8_t point[KEEPER_POINT_SIZE], const uint8_t id[KEEPER_ID_SIZE], struct buf *file)
{
	_cleanup_(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
	_cleanup_(EC_KEY_freep) EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
	char *text;
	long n;

	if (!bio || !ec)
		return -ENOMEM;
	if (EC_KEY_oct2key(ec, point, KEEPER_POINT_SIZE, NULL) != 1) {
		ERR_clear_error();
		return V_BAD;
	}
	if (PEM_write_bio_EC_PUBKEY(bio, ec) != 1 || PEM_write_bio(bio, TOKEN_NAME, "", id, KEEPER_ID_SIZE) <= 0)
		return -ENOMEM;
	n = BIO_get_mem_data(bio, &text);
	return n <= 0 ? -ENOMEM : buf_put(file, text, (size_t)n);
}

int keeper_token_read(struct span file, uint8_t point[KEEPER_POINT_SIZE], uint8_t id[KEEPER_ID_SIZE])
{
	_cleanup_(BIO_free_allp) BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *public = NULL;
	const EC_KEY *ec;
	unsigned char *data = NULL;
	char *name = NULL, *header = NULL;
	long n = 0;
	int r = V_BAD;

	if (!bio)
		return -ENOMEM;
	public = PEM_read_bio_PUBKEY(bio, NULL, key_no_password, NULL);
	ec = public && EVP_PKEY_is_a(public, "EC") ? EVP_PKEY_get0_EC_KEY(public) : NULL;
	if (ec && PEM_read_bio(bio, &name, &header, &data, &n) == 1 && !strcmp(name, TOKEN_NAME) && !header[0] &&
		n == KEEPER_ID_SIZE &&
		EC_POINT_point2oct(EC_KEY_get0_group(ec), EC_KEY_get0_public_key(ec), POINT_CONVERSION_UNCOMPRESSED,
			point, KEEPER_POINT_SIZE, NULL) == KEEPER_POINT_SIZE) {
		memcpy(id, data, KEEPER_ID_SIZE);
		r = 0;
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	ERR_clear_error();
	return r;
}

static int make_ec(const EVP_PKEY *public, struct span file, EC_KEY **out)
{
	_cleanup_(EC_KEY_freep) EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
	const EC_KEY *theirs = EVP_PKEY_get0_EC_KEY(public);
	const EC_POINT *point = theirs ? EC_KEY_get0_public_key(theirs) : NULL;
	const EC_KEY_METHOD *how = method();
	struct buf *text;
	int r;

	if (!point)
		return V_BAD;
	if (!ec || !how || EC_KEY_set_public_key(ec, point) != 1 || EC_KEY_set_method(ec, how) != 1)
		return -ENOMEM;
	text = calloc(1, sizeof(*text));
	if (!text)
		return -ENOMEM;
	*text = BUF_INIT(KEEPER_FILE_MAX);
	r = buf_put_span(text, file);
	if (!r && EC_KEY_set_ex_data(ec, held_index, text) != 1)
		r = -ENOMEM;
	if (r) {
		free_held(NULL, text, NULL, 0, 0, NULL);
		return r;
	}
	*out = STEAL(ec);
	return 0;
}

int key_read_held(struct span file, struct key **out)
{
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *public = file.n <= KEEPER_FILE_MAX ? public_of(file) : NULL, *p = NULL;
	_cleanup_(EC_KEY_freep) EC_KEY *ec = NULL;
	int r;

	if (!public || !EVP_PKEY_is_a(public, "EC"))
		return V_BAD;
	r = make_ec(public, file, &ec);
	if (r)
		return r;
	p = EVP_PKEY_new();
	if (!p || EVP_PKEY_assign_EC_KEY(p, ec) != 1)
		return -ENOMEM;
	ec = NULL;
	r = key_wrap(STEAL(p), true, out);
	if (!r)
		(*out)->place = key_place_of(file);
	return r;
}

int key_make_held(const char *path, mode_t mode, struct key **out, struct why *why)
{
	_cleanup_buf_ struct buf file = BUF_INIT(KEEPER_FILE_MAX);
	_cleanup_(key_freep) struct key *k = NULL;
	struct keeper_request q = {.what = KEEPER_MAKE};
	int r;

	if (!access(path, F_OK))
		return why_set(why, V_EXISTS, "%s: is there already", path);
	r = keeper_ask(&q, &file, why);
	r = r ? r : key_read_held(buf_span(&file), &k);
	if (r == V_BAD && why && !why->text[0])
		why_set(why, r, "the keeper of keys made no P-256 key");
	r = r ? r : file_replace(path, buf_span(&file), mode);
	if (!r)
		*out = STEAL(k);
	return r;
}
