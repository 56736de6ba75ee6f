/*
 * TLS 1.3 contexts over the collector's own CA. Called by the collector (server) and by clients of ours; libcurl makes
 * its own contexts and takes tls_pin_ca for enrolment. Must never let a peer in whose chain ends anywhere else.
 */
#include "policy/trust/cert_parts.h"
#include "policy/trust/key_parts.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

DEFINE_CLEANUP(SSL_CTX *, SSL_CTX_free)

static int begin(const SSL_METHOD *method, const char *cert_path, const char *key_path, const char *ca_path,
	SSL_CTX **out, struct why *why)
{
	_cleanup_(SSL_CTX_freep) SSL_CTX *c = SSL_CTX_new(method);

	if (!c || !SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) ||
		!SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION))
		return -ENOMEM;
	SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	if (ca_path && SSL_CTX_load_verify_file(c, ca_path) != 1)
		return cert_why(why, ca_path);
	if (cert_path && SSL_CTX_use_certificate_chain_file(c, cert_path) != 1)
		return cert_why(why, cert_path);
	if (cert_path && SSL_CTX_use_PrivateKey_file(c, key_path, SSL_FILETYPE_PEM) != 1)
		return cert_why(why, key_path);
	if (cert_path && SSL_CTX_check_private_key(c) != 1)
		return cert_why(why, key_path);
	*out = STEAL(c);
	return 0;
}

int tls_server(const char *cert_path, const char *key_path, const char *ca_path, SSL_CTX **out, struct why *why)
{
	STACK_OF(X509_NAME) * names;
	SSL_CTX *c = NULL;
	int r = begin(TLS_server_method(), cert_path, key_path, ca_path, &c, why);

	if (r)
		return r;
	names = SSL_load_client_CA_file(ca_path);
	if (!names) {
		SSL_CTX_free(c);
		return cert_why(why, ca_path);
	}
	SSL_CTX_set_client_CA_list(c, names);
	/*
	 * Asked for, not demanded: a PC that enrols has none yet. The chain that the server sends ends in the CA itself
	 * (OpenSSL completes it from the trusted file), so that a client can pin it.
	 */
	SSL_CTX_set_num_tickets(c, 0);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	*out = c;
	return 0;
}

/*
 * Judges what a visitor shows, and lets the handshake end well whatever comes of it: a browser would show its own page
 * of a broken connection else, and nobody could be told why. The verdict stays with the connection.
 */
static int judge_visitor(X509_STORE_CTX *ctx, void *arg)
{
	(void)arg;
	if (X509_verify_cert(ctx) != 1 && X509_STORE_CTX_get_error(ctx) == X509_V_OK)
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_UNSPECIFIED);
	ERR_clear_error();
	return 1;
}

/* Whom visitors' certificates have to be of, and which of those are revoked. */
static int ask_visitors(SSL_CTX *c, const char *ca, const char *crl, struct why *why)
{
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca);
	X509_LOOKUP *file;

	if (!names || SSL_CTX_load_verify_file(c, ca) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return cert_why(why, ca);
	}
	/* Browsers offer what is of these only, and nothing where they have none. */
	SSL_CTX_set_client_CA_list(c, names);
	if (crl) {
		file = X509_STORE_add_lookup(SSL_CTX_get_cert_store(c), X509_LOOKUP_file());
		if (!file || X509_load_crl_file(file, crl, X509_FILETYPE_PEM) < 1)
			return cert_why(why, crl);
		X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(c), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	}
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(c, judge_visitor, NULL);
	return 0;
}

int tls_site(const char *cert_path, const char *key_path, const char *client_ca, const char *client_crl, SSL_CTX **out,
	struct why *why)
{
	_cleanup_(SSL_CTX_freep) SSL_CTX *c = NULL;
	int r = begin(TLS_server_method(), cert_path, key_path, NULL, &c, why);

	if (r)
		return r;
	SSL_CTX_set_num_tickets(c, 0);
	/* What visitors are judged by is not to complete our own chain. */
	SSL_CTX_set_mode(c, SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
	r = client_ca ? ask_visitors(c, client_ca, client_crl, why) : 0;
	if (!r)
		*out = STEAL(c);
	return r;
}

int tls_client(const char *cert_path, const char *key_path, const char *ca_path, SSL_CTX **out, struct why *why)
{
	SSL_CTX *c = NULL;
	int r = begin(TLS_client_method(), cert_path, key_path, ca_path, &c, why);

	if (r)
		return r;
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	*out = c;
	return 0;
}

int tls_identify(SSL_CTX *ctx, struct span pem, const struct key *k, struct why *why)
{
	X509 *x = NULL;
	int r = cert_pem(pem, &x, why);

	if (r)
		return r;
	if (SSL_CTX_use_certificate(ctx, x) != 1 || SSL_CTX_use_PrivateKey(ctx, k->pkey) != 1 ||
		SSL_CTX_check_private_key(ctx) != 1)
		r = cert_why(why, "certificate and key");
	X509_free(x);
	return r;
}

void tls_free(SSL_CTX *ctx)
{
	SSL_CTX_free(ctx);
}

int tls_peer(SSL *ssl, struct cert_info *out)
{
	X509 *x = SSL_get0_peer_certificate(ssl);

	if (!x || SSL_get_verify_result(ssl) != X509_V_OK || cert_info_of(x, out))
		return V_NOT_FOUND;
	return 0;
}

static const char *refusal(long error)
{
	switch (error) {
	case X509_V_ERR_CERT_REVOKED:
		return "revoked";
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "expired";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "early";
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return "foreign";
	case X509_V_ERR_INVALID_PURPOSE:
		return "purpose";
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
		return "list";
	default:
		return "bad";
	}
}

int tls_shown(SSL *ssl, struct cert_info *out, const char **word, struct why *why)
{
	X509 *x = SSL_get0_peer_certificate(ssl);
	struct cert_info info = {.cn = ""};
	long error = SSL_get_verify_result(ssl);
	int r;

	if (!x)
		return V_NOT_FOUND;
	r = cert_info_of(x, &info);
	if (!r && error == X509_V_OK) {
		*out = info;
		return 0;
	}
	*out = info;
	*word = r ? "bad" : refusal(error);
	return why_set(why, V_DENIED, "%s", r ? "it cannot be read" : X509_verify_cert_error_string(error));
}

/* --- pinning --- */

static int pin_index = -1;

static void free_pin(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	(void)parent;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	free(ptr);
}

/* The one certificate with the pinned fingerprint becomes the only trusted one; then the chain is judged as always. */
static int verify_pinned(X509_STORE_CTX *ctx, void *arg)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct digest *want = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), pin_index);
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx), *trusted = sk_X509_new_null();
	struct digest got;
	unsigned n;
	int i, ok = 0;

	(void)arg;
	for (i = 0; trusted && i < sk_X509_num(sent); i++) {
		X509 *x = sk_X509_value(sent, i);

		n = DIGEST_SIZE;
		if (X509_check_ca(x) == 1 && X509_digest(x, EVP_sha256(), got.b, &n) && digest_eq(&got, want))
			ok = sk_X509_push(trusted, x) > 0;
	}
	if (ok) {
		X509_STORE_CTX_set0_trusted_stack(ctx, trusted);
		ok = X509_verify_cert(ctx) == 1;
		X509_STORE_CTX_set0_trusted_stack(ctx, NULL);
	} else {
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
	}
	sk_X509_free(trusted);
	return ok;
}

int tls_pin_ca(SSL_CTX *ctx, const struct digest *fingerprint)
{
	struct digest *copy;

	if (pin_index < 0)
		pin_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_pin);
	copy = pin_index < 0 ? NULL : malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *fingerprint;
	if (!SSL_CTX_set_ex_data(ctx, pin_index, copy)) {
		free(copy);
		return -ENOMEM;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify_pinned, NULL);
	return 0;
}
