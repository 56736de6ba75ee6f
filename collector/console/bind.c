/*
 * Binding what people sign in with to their accounts, at the console's own door: client certificates, people of the
 * OpenID provider. That is for administrators of the machine alone, as making accounts is: nobody binds anything to
 * their own.
 */
#include "collector/console/desk.h"
#include "collector/oidc/oidc.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"

/* The certificate that a request holds, or the fingerprint of one. False: answered. */
static bool read_certificate(struct ask *a, const json_t *o, struct cert_info *out)
{
	const json_t *pem = json_object_get(o, "certificate");
	const char *hex = json_string_value(json_object_get(o, "fingerprint"));
	struct why why = {""};

	if (pem && cert_read(SPAN(json_string_value(pem), json_string_length(pem)), out, &why)) {
		answer_error(a->req, 400, "certificate", why.text[0] ? why.text : "no certificate in PEM", 0);
		return false;
	}
	if (!pem && (!hex || strlen(hex) != 2 * DIGEST_SIZE || hex_decode(hex, out->fingerprint.b, DIGEST_SIZE))) {
		answer_error(a->req, 400, "request", "\"certificate\" or \"fingerprint\" belongs there", 0);
		return false;
	}
	return true;
}

/* May it be bound? False: answered. */
static bool may_bind(struct console *c, struct ask *a, const struct account *x, const struct cert_info *info)
{
	struct bound_certificate *other;
	int64_t now = clock_wall_us();

	if (!c->visitors)
		answer_error(
			a->req, 409, "client_ca", "collector.conf names no client_ca: no browser is asked for one", 0);
	else if (info->not_after_us <= now)
		answer_error(a->req, 400, "certificate", "the certificate has expired", 0);
	else if (account_of_certificate(&c->accounts, &info->fingerprint, &other))
		answer_error(a->req, 409, "known", "the certificate is bound to an account already", 0);
	else if (x->certificates_n == CERTIFICATES_MAX)
		answer_error(
			a->req, 409, "full", "this account has as many certificates as can be: unbind one first", 0);
	else
		return true;
	return false;
}

/* May this person of the provider be bound to the account? False: answered. */
static bool may_bind_person(struct console *c, struct ask *a, const json_t *subject, const struct account *x)
{
	if (!c->federation)
		answer_error(a->req, 409, "oidc", "collector.conf names no oidc_issuer", 0);
	else if (!json_is_string(subject) || !oidc_is_subject(json_string_value(subject), json_string_length(subject)))
		answer_error(a->req, 400, "request",
			"a subject is 1 to 255 visible characters of ASCII, without a blank at an end", 0);
	else if (account_of_oidc(&c->accounts, c->conf.oidc_issuer, json_string_value(subject)))
		answer_error(a->req, 409, "known", "that person of the provider is bound to an account already", 0);
	else if (x->oidc.subject[0])
		answer_error(
			a->req, 409, "full", "somebody of the provider is bound to this account: unbind them first", 0);
	else
		return true;
	return false;
}

static void bind_person(struct console *c, struct ask *a, const json_t *subject, struct account *x)
{
	struct bound_oidc before = x->oidc;
	char what[sizeof(before.issuer) + sizeof(before.subject) + 40];

	if (!may_bind_person(c, a, subject, x))
		return;
	snprintf(x->oidc.issuer, sizeof(x->oidc.issuer), "%s", c->conf.oidc_issuer);
	snprintf(x->oidc.subject, sizeof(x->oidc.subject), "%s", json_string_value(subject));
	x->oidc.bound_us = clock_wall_us();
	x->oidc.used_us = 0;
	snprintf(what, sizeof(what), "OpenID subject bound: %s at %s", x->oidc.subject, x->oidc.issuer);
	if (desk_keep(c, a, what, x->name))
		answer_json(a->req, 200, json_pack("{s:s, s:s}", "issuer", x->oidc.issuer, "subject", x->oidc.subject));
	else
		x->oidc = before;
}

static void unbind_person(struct console *c, struct ask *a, const json_t *subject, struct account *x)
{
	struct bound_oidc before = x->oidc;
	char what[sizeof(before.issuer) + sizeof(before.subject) + 40];

	if (!json_is_string(subject) || !before.subject[0] || strcmp(json_string_value(subject), before.subject) != 0) {
		answer_error(a->req, 404, "oidc", "that person of the provider is not bound to this account", 0);
		return;
	}
	snprintf(what, sizeof(what), "OpenID subject unbound: %s at %s", before.subject, before.issuer);
	memset(&x->oidc, 0, sizeof(x->oidc));
	if (desk_keep(c, a, what, x->name)) {
		desk_ends(c, x);
		answer_json(a->req, 200,
			json_pack(
				"{s:s, s:s, s:b}", "issuer", before.issuer, "subject", before.subject, "disabled", 0));
	} else {
		x->oidc = before;
	}
}

void bind_post(struct console *c, struct ask *a)
{
	char hex[2 * DIGEST_SIZE + 1], name[160], what[256];
	json_t *o = desk_object(a);
	struct account *x = o ? desk_named(c, a, o) : NULL;
	struct bound_certificate *b;
	struct cert_info info = {.cn = ""};

	if (!x)
		goto out;
	if (json_object_get(o, "oidc")) {
		bind_person(c, a, json_object_get(o, "oidc"), x);
		goto out;
	}
	if (!json_object_get(o, "certificate")) {
		answer_error(a->req, 400, "request", "\"certificate\" belongs there", 0);
		goto out;
	}
	if (!read_certificate(a, o, &info) || !may_bind(c, a, x, &info))
		goto out;
	b = &x->certificates[x->certificates_n++];
	b->fingerprint = info.fingerprint;
	text_escape_to(b->name, sizeof(b->name), SPAN_STR(info.cn));
	b->not_after_us = info.not_after_us;
	b->bound_us = clock_wall_us();
	hex_encode(hex, info.fingerprint.b, DIGEST_SIZE);
	snprintf(what, sizeof(what), "certificate bound: %s, SHA-256 %s",
		text_escape_to(name, sizeof(name), SPAN_STR(b->name)), hex);
	if (!desk_keep(c, a, what, x->name))
		account_drop_certificate(x, b);
	else
		answer_json(a->req, 200, json_pack("{s:s, s:s}", "fingerprint", hex, "name", b->name));
out:
	json_decref(o);
}

void unbind_post(struct console *c, struct ask *a)
{
	char hex[2 * DIGEST_SIZE + 1], what[160];
	json_t *o = desk_object(a);
	struct account *x = o ? desk_named(c, a, o) : NULL, before;
	struct bound_certificate *b;
	struct cert_info info = {.cn = ""};
	bool last;

	if (x && json_object_get(o, "oidc")) {
		unbind_person(c, a, json_object_get(o, "oidc"), x);
		goto out;
	}
	if (!x || !read_certificate(a, o, &info))
		goto out;
	if (account_of_certificate(&c->accounts, &info.fingerprint, &b) != x) {
		answer_error(a->req, 404, "certificate", "this certificate is not bound to that account", 0);
		goto out;
	}
	before = *x;
	/* Without a factor the password alone would do. */
	last = account_factors(x) == 1;
	snprintf(what, sizeof(what), "certificate unbound%s: SHA-256 %s", last ? ", account disabled" : "",
		hex_encode(hex, info.fingerprint.b, DIGEST_SIZE));
	account_drop_certificate(x, b);
	x->disabled = x->disabled || last;
	if (desk_keep(c, a, what, x->name)) {
		desk_ends(c, x);
		answer_json(a->req, 200, json_pack("{s:s, s:b}", "fingerprint", hex, "disabled", x->disabled));
	} else {
		*x = before;
	}
	secret_wipe(&before, sizeof(before));
out:
	json_decref(o);
}
