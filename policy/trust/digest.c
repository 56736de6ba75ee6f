/*
 * SHA-256, fetched once for the life of the process, and random bytes. Used by everything that hashes; never by hand.
 */
#include "policy/trust/digest.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

/* The algorithm and a context: made at the first call, kept for ever. One thread per process, so nothing guards them.
 */
static EVP_MD *sha256;
static EVP_MD_CTX *context;

static void prepare(void)
{
	if (sha256)
		return;
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	context = EVP_MD_CTX_new();
	/* Without SHA-256 nothing that we would say could be believed. */
	if (!sha256 || !context)
		abort();
}

void digest_of(struct digest *out, const struct span *parts, size_t n)
{
	size_t i;

	prepare();
	if (EVP_DigestInit_ex2(context, sha256, NULL) != 1)
		abort();
	for (i = 0; i < n; i++)
		if (parts[i].n && EVP_DigestUpdate(context, parts[i].p, parts[i].n) != 1)
			abort();
	if (EVP_DigestFinal_ex(context, out->b, NULL) != 1)
		abort();
}

struct digesting {
	EVP_MD_CTX *ctx;
};

int digesting_new(struct digesting **out)
{
	struct digesting *d = calloc(1, sizeof(*d));

	prepare();
	if (!d)
		return -ENOMEM;
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx || EVP_DigestInit_ex2(d->ctx, sha256, NULL) != 1) {
		digesting_end(d, NULL);
		return -ENOMEM;
	}
	*out = d;
	return 0;
}

void digesting_put(struct digesting *d, struct span s)
{
	if (s.n && EVP_DigestUpdate(d->ctx, s.p, s.n) != 1)
		abort();
}

void digesting_end(struct digesting *d, struct digest *out)
{
	if (!d)
		return;
	if (out && EVP_DigestFinal_ex(d->ctx, out->b, NULL) != 1)
		abort();
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

int random_bytes(void *out, size_t n)
{
	if (n > INT32_MAX)
		return -EINVAL;
	return RAND_bytes(out, (int)n) == 1 ? 0 : -EIO;
}

void secret_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}
