/*
 * What a server with its own event loop needs of TLS: one connection's object, with a notice of its end. Called by the
 * collector. Must never tell of an end twice, nor of one whose beginning failed.
 */
#include "policy/trust/cert.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

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
