/* Certificates and TLS: what the CA issued gets in, everything else does not. */
#include "policy/base/clock.h"
#include "policy/trust/cert.h"
#include "tests/unit/trust/outside.h"
#include <openssl/ssl.h>

#define HOST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct key *ca_key, *other_ca_key, *server_key, *client_key;
static struct buf ca = BUF_INIT(8192), other_ca = BUF_INIT(8192), server = BUF_INIT(8192), client = BUF_INIT(8192),
		  stray = BUF_INIT(8192);

static void save(const char *name, const struct buf *b)
{
	outside_put(name, buf_span(b));
}

static int setup(void **state)
{
	struct why why = {""};

	(void)state;
	outside_begin();
	assert_int_equal(key_new(KEY_P256, &ca_key), 0);
	assert_int_equal(key_new(KEY_P256, &other_ca_key), 0);
	assert_int_equal(key_new(KEY_P256, &server_key), 0);
	assert_int_equal(key_new(KEY_P256, &client_key), 0);
	assert_int_equal(cert_make_ca(ca_key, "test CA", 10, &ca), 0);
	assert_int_equal(cert_make_ca(other_ca_key, "test CA", 10, &other_ca), 0);
	assert_int_equal(cert_issue(ca_key, buf_span(&ca), server_key, "collector", "localhost,127.0.0.1,::1",
				 CERT_SERVER, 10, &server, &why),
		0);
	assert_int_equal(cert_issue(ca_key, buf_span(&ca), client_key, HOST, NULL, CERT_CLIENT, 90, &client, &why), 0);
	assert_int_equal(
		cert_issue(other_ca_key, buf_span(&other_ca), client_key, HOST, NULL, CERT_CLIENT, 90, &stray, &why),
		0);
	save("ca.crt", &ca);
	save("other.crt", &other_ca);
	save("server.crt", &server);
	save("client.crt", &client);
	save("stray.crt", &stray);
	assert_int_equal(key_save(server_key, outside("server.key"), 0600), 0);
	assert_int_equal(key_save(client_key, outside("client.key"), 0600), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	key_free(ca_key);
	key_free(other_ca_key);
	key_free(server_key);
	key_free(client_key);
	buf_deinit(&ca);
	buf_deinit(&other_ca);
	buf_deinit(&server);
	buf_deinit(&client);
	buf_deinit(&stray);
	outside_end();
	return 0;
}

/* --- requests and certificates --- */

static void says_what_was_issued(void **state)
{
	struct cert_info i;
	struct digest id;
	int64_t now = clock_wall_us();

	(void)state;
	assert_int_equal(cert_read(buf_span(&client), &i, NULL), 0);
	assert_string_equal(i.cn, HOST);
	assert_int_equal(key_id(client_key, &id), 0);
	assert_memory_equal(i.key_id.b, id.b, DIGEST_SIZE);
	assert_true(i.not_before_us < now && i.not_before_us > now - 3700000000);
	assert_true(i.not_after_us > now + 89 * 86400000000 && i.not_after_us < now + 91 * 86400000000);
}

static void refuses_a_foreign_ca_key_and_bad_names(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT(8192);
	struct why why;

	(void)state;
	assert_int_equal(
		cert_issue(other_ca_key, buf_span(&ca), client_key, HOST, NULL, CERT_CLIENT, 9, &out, &why), V_BAD);
	assert_int_equal(cert_issue(ca_key, SPAN_STR("no"), client_key, HOST, NULL, CERT_CLIENT, 9, &out, &why), V_BAD);
	assert_int_equal(cert_issue(ca_key, buf_span(&ca), client_key, "c", "a,,b", CERT_SERVER, 9, &out, &why), V_BAD);
	assert_int_equal(cert_issue(ca_key, buf_span(&ca), client_key, "c", "a\nb", CERT_SERVER, 9, &out, &why), V_BAD);
	assert_int_equal(out.n, 0);
}

static void requests_prove_their_key(void **state)
{
	_cleanup_(key_freep) struct key *got = NULL;
	_cleanup_buf_ struct buf rq = BUF_INIT(8192);
	struct digest a, b;
	struct why why;
	size_t i, bad = 0;

	(void)state;
	assert_int_equal(cert_request(client_key, HOST, &rq), 0);
	assert_int_equal(cert_request_key(buf_span(&rq), &got, &why), 0);
	assert_false(key_is_private(got));
	assert_int_equal(key_id(got, &a), 0);
	assert_int_equal(key_id(client_key, &b), 0);
	assert_memory_equal(a.b, b.b, DIGEST_SIZE);
	/* any change of a character within the base64 is noticed */
	for (i = 40; i < rq.n - 40; i++) {
		struct key *k = NULL;
		uint8_t was = rq.p[i];

		if (was == '\n' || was == '=')
			continue;
		rq.p[i] = was == 'A' ? 'B' : 'A';
		if (cert_request_key(buf_span(&rq), &k, &why) == V_BAD)
			bad++;
		else
			key_free(k), fail();
		rq.p[i] = was;
	}
	assert_true(bad > 200);
	for (i = 0; i + 1 < rq.n; i += 7)
		assert_int_equal(cert_request_key(SPAN(rq.p, i), &got, &why), V_BAD);
}

static void requests_of_others(void **state)
{
	static const struct {
		const char *command;
		int verdict;
	} v[] = {
		{"openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=x -out rq",
			0},
		{"openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout k -subj /CN=x -out rq",
			V_BAD},
		{"openssl req -new -newkey ed25519 -nodes -keyout k -subj /CN=x -out rq", V_BAD},
		{"openssl req -new -newkey rsa:2048 -nodes -keyout k -subj /CN=x -out rq", V_BAD},
		{"cp client.crt rq", V_BAD},
	};
	_cleanup_buf_ struct buf rq = BUF_INIT(8192);
	struct why why;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(v); i++) {
		_cleanup_(key_freep) struct key *k = NULL;

		assert_int_equal(outside_run(v[i].command), 0);
		outside_get("rq", &rq);
		if (cert_request_key(buf_span(&rq), &k, &why) != v[i].verdict)
			fail_msg("%s: judged otherwise", v[i].command);
	}
	buf_clear(&rq);
	assert_int_equal(cert_request(client_key, HOST, &rq), 0);
	save("rq", &rq);
	assert_int_equal(outside_run("openssl req -in rq -verify -noout -subject"), 0);
	assert_int_equal(outside_run("openssl req -in rq -verify -noout -subject | grep -q " HOST), 0);
}

static void openssl_agrees(void **state)
{
	static const char *const good[] = {
		"openssl verify -x509_strict -CAfile ca.crt -purpose sslserver -verify_hostname localhost server.crt",
		"openssl verify -x509_strict -CAfile ca.crt -purpose sslserver -verify_ip 127.0.0.1 server.crt",
		"openssl verify -x509_strict -CAfile ca.crt -purpose sslserver -verify_ip ::1 server.crt",
		"openssl verify -x509_strict -CAfile ca.crt -purpose sslclient client.crt",
		"openssl x509 -in ca.crt -noout -ext basicConstraints | grep -q 'CA:TRUE, pathlen:0'",
		"openssl x509 -in ca.crt -noout -ext keyUsage | grep -q 'Certificate Sign, CRL Sign'",
		"openssl x509 -in client.crt -noout -ext keyUsage | grep -qx ' *Digital Signature'",
		"openssl x509 -in client.crt -noout -ext extendedKeyUsage | grep -qx ' *TLS Web Client Authentication'",
	};
	static const char *const bad[] = {
		"openssl verify -CAfile ca.crt -purpose sslserver -verify_hostname example.com server.crt",
		"openssl verify -CAfile ca.crt -purpose sslclient server.crt",
		"openssl verify -CAfile ca.crt -purpose sslserver client.crt",
		"openssl verify -CAfile ca.crt stray.crt",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++)
		if (outside_run(good[i]))
			fail_msg("refused: %s", good[i]);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (!outside_run(bad[i]))
			fail_msg("taken: %s", bad[i]);
}

static void judged_outside_of_a_handshake(void **state)
{
	_cleanup_buf_ struct buf expired = BUF_INIT(8192);
	_cleanup_(key_freep) struct key *k = NULL;
	struct span by = buf_span(&ca);
	struct cert_info i;
	struct digest a, b;
	struct why why;
	size_t at, taken = 0;

	(void)state;
	assert_int_equal(cert_check(buf_span(&client), by, CERT_CLIENT, &k, &why), 0);
	assert_int_equal(key_id(k, &a), 0);
	assert_int_equal(key_id(client_key, &b), 0);
	assert_true(digest_eq(&a, &b));
	assert_int_equal(cert_check(buf_span(&server), by, CERT_SERVER, NULL, &why), 0);
	assert_int_equal(cert_check(buf_span(&server), by, CERT_CLIENT, NULL, &why), V_BAD);
	assert_int_equal(cert_check(buf_span(&client), by, CERT_SERVER, NULL, &why), V_BAD);
	assert_int_equal(cert_check(buf_span(&stray), by, CERT_CLIENT, NULL, &why), V_BAD);
	assert_int_equal(cert_check(by, by, CERT_CLIENT, NULL, &why), V_BAD);
	assert_int_equal(cert_check(SPAN_STR("none"), by, CERT_CLIENT, NULL, &why), V_BAD);
	for (at = 40; at < client.n - 40; at += 5) {
		uint8_t was = client.p[at];

		if (was == '\n' || was == '=')
			continue;
		client.p[at] = was == 'A' ? 'B' : 'A';
		taken += !cert_check(buf_span(&client), by, CERT_CLIENT, NULL, &why);
		client.p[at] = was;
	}
	assert_int_equal(taken, 0);
	/* Time is the caller's to judge: an expired one is recognised, for renewal. */
	assert_int_equal(cert_issue(ca_key, by, client_key, HOST, NULL, CERT_CLIENT, 0, &expired, &why), 0);
	assert_int_equal(cert_check(buf_span(&expired), by, CERT_CLIENT, NULL, &why), 0);
	assert_int_equal(cert_read(buf_span(&expired), &i, &why), 0);
	assert_true(i.not_after_us <= clock_wall_us());
	save("expired.crt", &expired);
}

/* --- handshakes --- */

struct ends {
	SSL *s, *c;
};

/* Runs a handshake in memory. 0 where both ends are content. */
static int shake(SSL_CTX *server_ctx, SSL_CTX *client_ctx, struct ends *e)
{
	BIO *a, *b;
	unsigned i;
	int x = 0, y = 0;
	char c;

	assert_int_equal(BIO_new_bio_pair(&a, 65536, &b, 65536), 1);
	e->s = SSL_new(server_ctx);
	e->c = SSL_new(client_ctx);
	SSL_set_bio(e->s, a, a);
	SSL_set_bio(e->c, b, b);
	for (i = 0; i < 20; i++) {
		if (y != 1)
			y = SSL_connect(e->c);
		if (x != 1)
			x = SSL_accept(e->s);
		if ((y != 1 && SSL_get_error(e->c, y) == SSL_ERROR_SSL) ||
			(x != 1 && SSL_get_error(e->s, x) == SSL_ERROR_SSL))
			return V_DENIED;
	}
	/* The server's last word on the client's certificate comes with the first read. */
	y = SSL_read(e->c, &c, 1);
	return x == 1 && SSL_get_error(e->c, y) == SSL_ERROR_WANT_READ ? 0 : V_DENIED;
}

static void done(struct ends *e)
{
	SSL_free(e->s);
	SSL_free(e->c);
}

static SSL_CTX *serve(void)
{
	SSL_CTX *c;
	struct why why = {""};

	assert_int_equal(tls_server(outside("server.crt"), outside("server.key"), outside("ca.crt"), &c, &why), 0);
	return c;
}

static int visit(SSL_CTX *s, const char *cert, const char *key, const char *trusted, struct cert_info *peer)
{
	struct why why = {""};
	struct ends e;
	SSL_CTX *c;
	int r;

	assert_int_equal(
		tls_client(cert ? outside(cert) : NULL, key ? outside(key) : NULL, outside(trusted), &c, &why), 0);
	r = shake(s, c, &e);
	if (!r)
		r = tls_peer(e.s, peer);
	done(&e);
	tls_free(c);
	return r;
}

static void lets_in_whom_the_ca_knows(void **state)
{
	SSL_CTX *s = serve();
	struct cert_info peer = {.cn = "nobody"};

	(void)state;
	assert_int_equal(visit(s, "client.crt", "client.key", "ca.crt", &peer), 0);
	assert_string_equal(peer.cn, HOST);
	peer.cn[0] = 0;
	/* without a certificate: in, but nobody */
	assert_int_equal(visit(s, NULL, NULL, "ca.crt", &peer), V_NOT_FOUND);
	assert_string_equal(peer.cn, "");
	/* of another CA by the same name; a server's certificate shown as a client's; a server of another CA */
	assert_int_equal(visit(s, "stray.crt", "client.key", "ca.crt", &peer), V_DENIED);
	assert_int_equal(visit(s, "server.crt", "server.key", "ca.crt", &peer), V_DENIED);
	assert_int_equal(visit(s, "client.crt", "client.key", "other.crt", &peer), V_DENIED);
	/* of the right CA, and no longer good: renewal shows it in its message, never in a handshake */
	assert_int_equal(visit(s, "expired.crt", "client.key", "ca.crt", &peer), V_DENIED);
	tls_free(s);
}

static void count_end(void *arg)
{
	++*(int *)arg;
}

static void the_end_of_a_connection_is_told_once(void **state)
{
	SSL_CTX *s = serve();
	SSL *ssl = NULL;
	int ends = 0;

	(void)state;
	assert_int_equal(tls_accept(s, count_end, &ends, &ssl), 0);
	assert_ptr_equal(tls_arg(ssl), &ends);
	assert_int_equal(ends, 0);
	SSL_free(ssl);
	assert_int_equal(ends, 1);
	assert_int_equal(tls_accept(s, NULL, NULL, &ssl), 0);
	assert_null(tls_arg(ssl));
	SSL_free(ssl);
	tls_free(s);
}

static void no_session_is_resumed(void **state)
{
	SSL_CTX *s = serve();

	(void)state;
	assert_true(SSL_CTX_get_options(s) & SSL_OP_NO_TICKET);
	assert_int_equal(SSL_CTX_get_num_tickets(s), 0);
	assert_int_equal(SSL_CTX_get_session_cache_mode(s), SSL_SESS_CACHE_OFF);
	assert_int_equal(SSL_CTX_get_max_early_data(s), 0);
	assert_true(SSL_CTX_get_mode(s) & SSL_MODE_RELEASE_BUFFERS);
	assert_int_equal(SSL_CTX_get_verify_mode(s), SSL_VERIFY_PEER);
	tls_free(s);
}

static void tls_1_3_only(void **state)
{
	SSL_CTX *s = serve(), *c = SSL_CTX_new(TLS_client_method());
	struct ends e;

	(void)state;
	assert_int_equal(SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION), 1);
	assert_int_equal(shake(s, c, &e), V_DENIED);
	done(&e);
	tls_free(c);
	tls_free(s);
}

static int pinned(SSL_CTX *s, const struct digest *fingerprint)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	struct digest copy = *fingerprint;
	struct ends e;
	int r;

	assert_int_equal(tls_pin_ca(c, &copy), 0);
	memset(&copy, 0, sizeof(copy));
	r = shake(s, c, &e);
	done(&e);
	tls_free(c);
	return r;
}

static void the_pin_is_the_ca_and_nothing_else(void **state)
{
	SSL_CTX *s = serve();
	struct cert_info i;

	(void)state;
	assert_int_equal(cert_read(buf_span(&ca), &i, NULL), 0);
	assert_int_equal(pinned(s, &i.fingerprint), 0);
	i.fingerprint.b[31] ^= 1;
	assert_int_equal(pinned(s, &i.fingerprint), V_DENIED);
	assert_int_equal(cert_read(buf_span(&other_ca), &i, NULL), 0);
	assert_int_equal(pinned(s, &i.fingerprint), V_DENIED);
	/* the server's own certificate is no CA */
	assert_int_equal(cert_read(buf_span(&server), &i, NULL), 0);
	assert_int_equal(pinned(s, &i.fingerprint), V_DENIED);
	tls_free(s);
}

/* A server that shows the pinned CA beside a certificate which that CA did not issue. */
static void the_pinned_ca_must_have_issued_the_server(void **state)
{
	_cleanup_buf_ struct buf chain = BUF_INIT(16384);
	struct cert_info i;
	struct why why = {""};
	SSL_CTX *s;

	(void)state;
	assert_int_equal(cert_issue(other_ca_key, buf_span(&other_ca), server_key, "collector", "localhost",
				 CERT_SERVER, 9, &chain, &why),
		0);
	assert_int_equal(buf_put_span(&chain, buf_span(&ca)), 0);
	save("forged.crt", &chain);
	assert_int_equal(tls_server(outside("forged.crt"), outside("server.key"), outside("ca.crt"), &s, &why), 0);
	assert_int_equal(cert_read(buf_span(&ca), &i, NULL), 0);
	assert_int_equal(pinned(s, &i.fingerprint), V_DENIED);
	tls_free(s);
}

static void bad_files_are_named(void **state)
{
	struct why why = {""};
	SSL_CTX *c = NULL;

	(void)state;
	assert_int_equal(tls_server(outside("none.crt"), outside("server.key"), outside("ca.crt"), &c, &why), V_BAD);
	assert_non_null(strstr(why.text, "none.crt"));
	assert_int_equal(tls_server(outside("server.crt"), outside("client.key"), outside("ca.crt"), &c, &why), V_BAD);
	assert_non_null(strstr(why.text, "client.key"));
	assert_int_equal(tls_client(NULL, NULL, outside("server.key"), &c, &why), V_BAD);
	assert_null(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_was_issued),
		cmocka_unit_test(refuses_a_foreign_ca_key_and_bad_names),
		cmocka_unit_test(requests_prove_their_key),
		cmocka_unit_test(requests_of_others),
		cmocka_unit_test(openssl_agrees),
		cmocka_unit_test(judged_outside_of_a_handshake),
		cmocka_unit_test(lets_in_whom_the_ca_knows),
		cmocka_unit_test(the_end_of_a_connection_is_told_once),
		cmocka_unit_test(no_session_is_resumed),
		cmocka_unit_test(tls_1_3_only),
		cmocka_unit_test(the_pin_is_the_ca_and_nothing_else),
		cmocka_unit_test(the_pinned_ca_must_have_issued_the_server),
		cmocka_unit_test(bad_files_are_named),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
