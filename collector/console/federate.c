/*
 * Signing in by an OpenID provider. The browser goes there and comes back to the page, which brings what it was given
 * by a request of its own: so this is answered as each other sign-in, errors are told in words, and no cookie has to be
 * sent along by another site. Who is meant is asked of the process with the network (collector/oidc); accounts are
 * bound to issuer and subject by an administrator, and none is made here.
 *
 * What belongs to one try is derived from a cookie and a secret of this process (challenge.h): state, nonce and PKCE's
 * verifier, good once, for this browser.
 */
#include "collector/console/federate_parts.h"
#include "collector/console/sign_in.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"

#define COOKIE "__Host-sekisho-oidc"
#define ENDPOINT_US 600000000 /* so long the provider's address is known */

/* --- answers --- */

void federate_refuse(struct call *x, unsigned cause, const char *text, int status, const char *word, const char *reason)
{
	struct told t = {.kind = KIND_SIGN_IN_REFUSED,
		.cause = cause,
		.account = x->account ? x->account->name : "?",
		.method = FEDERATE_METHOD,
		.text = text};

	x->c->count.sign_in_refused++;
	if (tell_call(x, t))
		reply_error(x, status, word, reason);
}

/* Where to go, and what makes the answer this browser's. */
static void answer_location(struct call *x)
{
	struct federation *f = x->c->federation;
	_cleanup_buf_ struct buf url = BUF_INIT(4 * OIDC_URL_MAX);
	uint8_t secret[PASSKEY_CHALLENGE_SIZE];
	char cookie[CHALLENGE_TEXT_SIZE];
	struct oidc_flow flow;

	if (challenge_new(&f->states, clock_boot_us(), cookie, secret)) {
		reply_error(x, 503, "busy", "no random numbers");
		return;
	}
	oidc_flow(secret, &flow);
	if (oidc_location(f->endpoint, &f->s, f->redirect, &flow, &url)) {
		reply_error(x, 502, "provider", "the provider's address cannot be used");
		return;
	}
	answer_cookie(x, COOKIE, cookie, CHALLENGE_LIFE_US / 1000000);
	reply(x, json_pack("{s:s%}", "location", (const char *)url.p, url.n));
	secret_wipe(&flow, sizeof(flow));
}

bool federate_meant(const struct oidc_logout *what, const struct account *a, const struct began *b)
{
	if (!a || !b->federated || (what->subject[0] && strcmp(what->subject, a->oidc.subject) != 0))
		return false;
	return !what->has_sid || (b->has_sid && digest_eq(&what->sid, &b->sid));
}

/* The provider says who it is. */
void federate_who(struct call *x, const json_t *o, int64_t asked_us)
{
	const char *subject = text_of(o, "subject"), *sid = text_of(o, "sid");
	struct began began = {.federated = true, .assured = json_is_true(json_object_get(o, "assured"))};
	char text[OIDC_SUBJECT_SIZE + 80];

	began.has_sid = strlen(sid) == 2 * DIGEST_SIZE && !hex_decode(sid, began.sid.b, DIGEST_SIZE);
	x->account = account_of_oidc(&x->c->accounts, x->c->federation->s.issuer, subject);
	snprintf(text, sizeof(text), "subject %s", subject);
	if (!x->account) {
		federate_refuse(x, CAUSE_UNBOUND, text, 401, "unbound",
			"no account here is bound to who signed in at the provider");
		return;
	}
	if (x->account->disabled) {
		federate_refuse(x, CAUSE_DISABLED, text, 401, "unbound",
			"no account here is bound to who signed in at the provider");
		return;
	}
	if (backchannel_left(x->c->federation, x->account, &began, asked_us)) {
		federate_refuse(x, CAUSE_PROVIDER_LOGOUT, "signed out by the provider meanwhile", 401, "declined",
			"the provider has signed them out again");
		return;
	}
	x->account->oidc.used_us = clock_wall_us();
	if (!began.assured && account_has_factor(x->account)) {
		second_begin(x, &began);
		return;
	}
	x->began = began;
	sign_in_let_in(x, began.assured ? FEDERATE_METHOD ", two factors" : FEDERATE_METHOD, text);
}

void federate_where(struct call *x, const json_t *o)
{
	struct federation *f = x->c->federation;
	const char *endpoint = json_string_value(json_object_get(o, "endpoint"));

	if (!endpoint || !oidc_is_https(endpoint)) {
		reply_error(x, 502, "provider", "the provider's address is not known");
		return;
	}
	snprintf(f->endpoint, sizeof(f->endpoint), "%s", endpoint);
	snprintf(f->end, sizeof(f->end), "%s", text_of(o, "end"));
	f->names_itself = json_is_true(json_object_get(o, "iss"));
	f->endpoint_us = clock_boot_us();
	answer_location(x);
}

/* --- requests --- */

json_t *federate_json(const struct console *c)
{
	const char *name = c->conf.oidc_name, *host = c->conf.oidc_issuer + sizeof("https://") - 1;

	if (!c->federation)
		return json_null();
	return *name ? json_pack("{s:s}", "name", name) : json_pack("{s:s%}", "name", host, strcspn(host, "/:"));
}

json_t *federated_json(const struct account *a)
{
	if (!a->oidc.subject[0])
		return json_null();
	return json_pack("{s:s, s:s, s:o, s:o}", "issuer", a->oidc.issuer, "subject", a->oidc.subject, "bound",
		time_json(a->oidc.bound_us), "used", time_json(a->oidc.used_us));
}

json_t *federate_out(const struct call *x)
{
	const struct federation *f = x->c->federation;
	_cleanup_buf_ struct buf url = BUF_INIT(4 * OIDC_URL_MAX);
	uint8_t random[32];
	char state[65];

	/* Where it is was asked when they signed in. */
	if (!x->c->conf.oidc_logout || !x->session->began.federated || !f || !f->end[0] ||
		random_bytes(random, sizeof(random)))
		return NULL;
	hex_encode(state, random, sizeof(random));
	if (oidc_logout_location(f->end, &f->s, f->out, state, &url))
		return NULL;
	return json_pack("{s:s%, s:s}", "location", (const char *)url.p, url.n, "state", state);
}

/* False: there is no provider, and it is answered. */
static bool possible(struct call *x)
{
	if (!x->c->federation)
		reply_error(x, 409, "oidc", "there is no OpenID provider: set oidc_issuer in collector.conf");
	return x->c->federation;
}

/* Whoever asks makes us ask the provider: an attempt. False: answered. */
static bool may_ask(struct call *x)
{
	unsigned wait = attempt_take(x->c->attempts, x->address, "", true, clock_boot_us());

	if (wait)
		sign_in_too_often(x, wait, "?");
	return !wait;
}

void oidc_post(struct call *x)
{
	static const char *const names[] = {NULL};
	json_t *o = body_object(x, SIGN_IN_BODY_MAX, names);
	struct federation *f = x->c->federation;

	json_decref(o);
	if (!o || !possible(x))
		return;
	if (f->endpoint_us && clock_boot_us() - f->endpoint_us < ENDPOINT_US)
		answer_location(x);
	else if (may_ask(x))
		federate_ask(x, json_pack("{s:s}", "ask", "where"), false);
}

static bool same(const char *a, const char *b)
{
	struct digest x, y;

	/* Comparing hashes tells nothing, however long it takes. */
	digest_span(&x, SPAN_STR(a));
	digest_span(&y, SPAN_STR(b));
	return digest_eq(&x, &y);
}

/* Is it the answer to what this browser was sent there with? That counts once. */
static bool right_state(struct call *x, const char *state, struct oidc_flow *out, struct why *why)
{
	const char *header = ask_header(x->a, "Cookie");
	uint8_t secret[PASSKEY_CHALLENGE_SIZE];
	char cookie[CHALLENGE_TEXT_SIZE];

	if (!header || cookie_hex(header, COOKIE, sizeof(cookie), cookie))
		return !why_set(why, 1, "this browser was not sent to the provider");
	switch (challenge_take(&x->c->federation->states, cookie, clock_boot_us(), secret)) {
	case 0:
		break;
	case V_EXISTS:
		return !why_set(why, 1, "the provider's answer was brought before");
	case V_END:
		return !why_set(why, 1, "the provider's answer came too late");
	default:
		return !why_set(why, 1, "the cookie is none of ours");
	}
	oidc_flow(secret, out);
	return same(state, out->state) || !why_set(why, 1, "the provider's answer is to another question (state)");
}

/* Is it of the provider that was asked (RFC 9207 section 2.4)? */
static bool right_issuer(const struct call *x, const json_t *o)
{
	const json_t *iss = json_object_get(o, "iss");
	const struct federation *f = x->c->federation;

	return iss ? json_string_value(iss) && !strcmp(json_string_value(iss), f->s.issuer) : !f->names_itself;
}

/* The provider's answer is this browser's and its own; then who it is has to be asked. */
static void bring(struct call *x, const json_t *o, const char *state, const char *code)
{
	const char *error = json_string_value(json_object_get(o, "error"));
	struct oidc_flow flow;
	struct why why = {""};
	char text[200], shown[100];

	if (!right_state(x, state, &flow, &why)) {
		federate_refuse(x, CAUSE_CHALLENGE, why.text, 401, "state",
			"not the answer to what this browser asked: begin again");
	} else if (!right_issuer(x, o)) {
		federate_refuse(x, CAUSE_PROVIDER, "the answer is of another issuer, or does not say of which", 401,
			"token", "the answer is of another provider");
	} else if (!code) {
		snprintf(text, sizeof(text), "the provider said: %s",
			text_escape_to(shown, sizeof(shown), SPAN_STR(error ? error : "")));
		federate_refuse(x, CAUSE_PROVIDER, text, 401, "declined", "nobody signed in at the provider");
	} else {
		federate_ask(x,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "ask", "who", "code", code, "verifier", flow.verifier,
				"nonce", flow.nonce, "redirect", x->c->federation->redirect),
			true);
		secret_wipe(&flow, sizeof(flow));
	}
}

void oidc_return_post(struct call *x)
{
	static const char *const names[] = {"state", "code", "error", "iss", NULL};
	json_t *o = body_object(x, SIGN_IN_PASSKEY_MAX, names);
	const char *state, *code = NULL;

	if (!o || !possible(x))
		goto out;
	state = body_text(x, o, "state", 128);
	if (!state || (json_object_get(o, "error") && !body_text(x, o, "error", 200)))
		goto out;
	if (!json_object_get(o, "error"))
		code = body_text(x, o, "code", OIDC_CODE_MAX);
	if ((json_object_get(o, "error") || code) && may_ask(x))
		bring(x, o, state, code);
out:
	json_decref(o);
}
