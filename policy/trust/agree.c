/*
 * Key agreement. See agree.h.
 */
#include "policy/trust/agree.h"
#include "policy/trust/key_parts.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/hmac.h>

DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)

int hmac_sha256(struct span key, struct span message, uint8_t out[SECRET_SIZE])
{
	unsigned n = SECRET_SIZE;

	if (key.n > INT32_MAX || !HMAC(EVP_sha256(), key.p, (int)key.n, message.p, message.n, out, &n) ||
		n != SECRET_SIZE)
		return -EIO;
	return 0;
}

int key_agree(const struct key *mine, const struct key *theirs, const char *purpose, uint8_t out[SECRET_SIZE])
{
	_cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL;
	uint8_t secret[SECRET_SIZE];
	size_t n = sizeof(secret);
	int r;

	if (mine->type != KEY_P256 || theirs->type != KEY_P256 || !mine->is_private)
		return V_BAD;
	ctx = EVP_PKEY_CTX_new(mine->pkey, NULL);
	if (!ctx || EVP_PKEY_derive_init(ctx) <= 0)
		return -EIO;
	/* Checks that the other point is on the curve. */
	if (EVP_PKEY_derive_set_peer(ctx, theirs->pkey) <= 0)
		return V_BAD;
	if (EVP_PKEY_derive(ctx, secret, &n) <= 0 || n != sizeof(secret)) {
		ERR_clear_error();
		return mine->place == KEY_IN_FILE ? V_BAD : V_AGAIN;
	}
	r = hmac_sha256(SPAN(secret, sizeof(secret)), SPAN_STR(purpose), out);
	secret_wipe(secret, sizeof(secret));
	return r;
}
