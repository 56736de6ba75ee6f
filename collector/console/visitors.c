/*
 * The certificates that people show: TLS for browsers, the files that these are judged by, and what a browser showed.
 * Policy/trust verifies; here is whose it is. Called by sign-in and by each request of a session that began so.
 *
 * A certificate is one factor (possession: NIST SP 800-63B section 3.1.6 and 3.1.7; nothing tells the console whether
 * its key was unlocked by its holder), so it stands behind the password, and never alone.
 */
#include "collector/console/sign_in.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <sys/stat.h>

/* The files, as they were when they were read. */
struct visitors {
	struct stat ca, crl;
};

static void look(const char *path, struct stat *st)
{
	if (!*path || stat(path, st))
		memset(st, 0, sizeof(*st));
}

static bool differs(const struct stat *a, const struct stat *b)
{
	return a->st_ino != b->st_ino || a->st_size != b->st_size || a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
	       a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

/* What the files are like before they are read: one that is replaced meanwhile differs, and is read again. */
static int read_files(struct console *c, SSL_CTX **out, struct why *why)
{
	const struct config *conf = &c->conf;

	if (c->visitors) {
		look(conf->client_ca, &c->visitors->ca);
		look(conf->client_crl, &c->visitors->crl);
	}
	return tls_site(conf->tls_crt, conf->tls_key, conf->client_ca[0] ? conf->client_ca : NULL,
		conf->client_crl[0] ? conf->client_crl : NULL, out, why);
}

int visitors_open(struct console *c, struct why *why)
{
	SSL_CTX *tls = NULL;
	int r;

	if (c->conf.client_ca[0]) {
		c->visitors = calloc(1, sizeof(*c->visitors));
		if (!c->visitors)
			return -ENOMEM;
	}
	r = read_files(c, &tls, why);
	if (!r)
		server_certify(&c->server, tls);
	return r;
}

void visitors_close(struct console *c)
{
	free(c->visitors);
	c->visitors = NULL;
}

void visitors_tick(struct console *c)
{
	struct why why = {""};
	struct stat ca, crl;
	SSL_CTX *tls = NULL;
	int r;

	if (!c->visitors)
		return;
	look(c->conf.client_ca, &ca);
	look(c->conf.client_crl, &crl);
	if (!differs(&ca, &c->visitors->ca) && !differs(&crl, &c->visitors->crl))
		return;
	r = read_files(c, &tls, &why);
	if (r) {
		/* Lists that are not renewed run out, and then nobody comes in by a certificate: that is safe. */
		log_warning("client certificates: %s: what was read before still counts",
			why.text[0] ? why.text : strerror(-r));
		return;
	}
	server_certify(&c->server, tls);
	server_drop_shown(&c->server);
	log_notice("client certificates: %s and %s were read again", c->conf.client_ca,
		c->conf.client_crl[0] ? c->conf.client_crl : "no list of revoked ones");
}

/* What is shown, verified and in its time now. As tls_shown. */
static int shown(const struct ask *a, struct cert_info *out, const char **word, struct why *why)
{
	int r = ask_shown(a, out, word, why);

	/* The handshake may be hours ago. */
	if (!r && out->not_after_us < clock_wall_us()) {
		*word = "expired";
		return why_set(why, V_DENIED, "certificate has expired");
	}
	return r;
}

json_t *visitor_json(const struct call *x)
{
	struct cert_info info;
	struct why why = {""};
	const char *word = NULL;
	char name[4 * sizeof(info.cn)];

	if (!x->c->visitors || shown(x->a, &info, &word, &why) == V_NOT_FOUND)
		return json_null();
	return json_pack("{s:s, s:s?}", "name", text_escape_to(name, sizeof(name), SPAN_STR(info.cn)), "refused", word);
}

bool visitor_good(struct call *x, struct account *a, struct bound_certificate **key, struct why *why)
{
	char hex[2 * DIGEST_SIZE + 1], name[160];
	struct bound_certificate *b;
	struct cert_info info;
	struct why said = {""};
	const char *word = NULL;
	int r = x->c->visitors ? shown(x->a, &info, &word, &said) : V_NOT_FOUND;

	if (r == V_NOT_FOUND) {
		why_set(why, V_BAD, "no certificate was shown");
		return false;
	}
	text_escape_to(name, sizeof(name), SPAN_STR(info.cn));
	hex_encode(hex, info.fingerprint.b, DIGEST_SIZE);
	if (r) {
		why_set(why, V_BAD, "%s: %s (%s, SHA-256 %.16s)", word, said.text, name, hex);
		return false;
	}
	if (!a || account_of_certificate(&x->c->accounts, &info.fingerprint, &b) != a) {
		why_set(why, V_BAD, "a certificate that is not bound to this account (%s, SHA-256 %.16s)", name, hex);
		return false;
	}
	b->used_us = clock_wall_us();
	*key = b;
	return true;
}

bool visitor_same(const struct call *x)
{
	const struct began *began = &x->session->began;
	struct cert_info info;
	struct why why = {""};
	const char *word;

	return !began->has_certificate ||
	       (!shown(x->a, &info, &word, &why) && digest_eq(&info.fingerprint, &began->certificate));
}

json_t *certificates_json(const struct account *a)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < a->certificates_n; i++) {
		const struct bound_certificate *b = &a->certificates[i];

		json_array_append_new(
			list, json_pack("{s:o, s:s, s:o, s:o, s:o}", "fingerprint", digest_json(&b->fingerprint),
				      "name", b->name, "not_after", time_json(b->not_after_us), "bound",
				      time_json(b->bound_us), "used", time_json(b->used_us)));
	}
	return list;
}
