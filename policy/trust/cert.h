/*
 * X.509 (RFC 5280): the collector's own certificate authority, requests (PKCS#10, RFC 2986), and TLS 1.3 contexts.
 *
 * All keys here are P-256. A PC's client certificate has the subject CN = host id in hex; the TLS key is another key
 * than the device key, so that the process with the network holds none that could sign evidence.
 */
#ifndef SEKISHO_TRUST_CERT_H
#define SEKISHO_TRUST_CERT_H

#include "policy/trust/key.h"
#include <openssl/types.h>

/* Room outside trust never looks inside an OpenSSL object; it carries SSL_CTX to libevent and libcurl. */

/* Makes a self-signed CA certificate (PEM appended to `out`), valid `days`. */
int cert_make_ca(const struct key *k, const char *name, unsigned days, struct buf *out);

enum cert_use { CERT_SERVER, CERT_CLIENT };

/*
 * Issues a certificate for the public key `subject_key` with CN = cn. For servers `names` holds DNS names and addresses
 * for subjectAltName, separated by commas. Valid from an hour ago for `days`. `ca_pem` and the result are PEM.
 */
int cert_issue(const struct key *ca_key, struct span ca_pem, const struct key *subject_key, const char *cn,
	const char *names, enum cert_use use, unsigned days, struct buf *out, struct why *why);

/* A PKCS#10 request in PEM for the private key `k`; and its public key, after its self-signature was checked. */
int cert_request(const struct key *k, const char *cn, struct buf *out);
int cert_request_key(struct span pem, struct key **out, struct why *why);

struct cert_info {
	char cn[128];
	struct digest key_id;      /* SHA-256 of the SubjectPublicKeyInfo */
	struct digest fingerprint; /* SHA-256 of the certificate (DER) */
	int64_t not_before_us, not_after_us;
};

/* What a certificate (PEM, the first in it) says, unverified. 0 or V_BAD. */
int cert_read(struct span pem, struct cert_info *out, struct why *why);

/*
 * Did the CA issue this certificate (the first in `pem`) for this use? Its time is not judged: cert_read tells it. *key
 * (may be NULL) becomes its public key. 0 or V_BAD.
 */
int cert_check(struct span pem, struct span ca_pem, enum cert_use use, struct key **key, struct why *why);

/*
 * A TLS 1.3 server context: certificate and key from files; clients are asked for a certificate and, where they show
 * one, it must chain to `ca_path` with clientAuth. A client without one is let in (enrolment): callers check tls_peer.
 * No session tickets, no session cache (revocation is checked at each request), buffers released when idle.
 */
int tls_server(const char *cert_path, const char *key_path, const char *ca_path, SSL_CTX **out, struct why *why);
/*
 * A TLS 1.3 server context for browsers: certificate and key may be anybody's; the chain is what the file holds. Where
 * `client_ca` is not NULL visitors are asked for a certificate: one that chains to a root in that file, is for
 * clientAuth (RFC 5280 section 4.2.1.12) and in its time is verified; where `client_crl` is not NULL, each CA of the
 * chain also needs a list of revoked ones there that is in its own time, and none of the chain may be on it. The
 * handshake ends well whatever a visitor shows: callers ask tls_peer or tls_shown.
 */
int tls_site(const char *cert_path, const char *key_path, const char *client_ca, const char *client_crl, SSL_CTX **out,
	struct why *why);
/* The same for a client of ours that does not use libcurl (tests, benchmarks). cert_path may be NULL. */
int tls_client(const char *cert_path, const char *key_path, const char *ca_path, SSL_CTX **out, struct why *why);
void tls_free(SSL_CTX *ctx);
/* Makes a client's context show this certificate (the first in `pem`), proven by `k`. 0, V_BAD, -errno. */
int tls_identify(SSL_CTX *ctx, struct span pem, const struct key *k, struct why *why);
/*
 * Makes a client's context trust exactly the CA with this fingerprint, which the server sends at the end of its chain;
 * for enrolment, where the PC has the fingerprint and not yet the certificate. `fingerprint` is copied. 0, -errno.
 */
int tls_pin_ca(SSL_CTX *ctx, const struct digest *fingerprint);

/*
 * One connection of a server's context, for an event loop that owns it from then on (SSL_free by bufferevent). `gone`
 * (may be NULL) is called with `arg` when it is released; tls_arg gives `arg` back. 0, -ENOMEM.
 */
int tls_accept(SSL_CTX *ctx, void (*gone)(void *arg), void *arg, SSL **out);
void *tls_arg(const SSL *ssl);

/* Who is at the other end of an established connection. 0; V_NOT_FOUND where it showed no (verified) certificate. */
int tls_peer(SSL *ssl, struct cert_info *out);

/*
 * The same where callers tell what is wrong with one that was shown. 0; V_NOT_FOUND: none was shown; V_DENIED with
 * *word ("revoked", "expired", "early", "foreign", "purpose", "list" or "bad"), the reason in OpenSSL's words, and
 * *out, which nobody vouches for.
 */
int tls_shown(SSL *ssl, struct cert_info *out, const char **word, struct why *why);

#endif
