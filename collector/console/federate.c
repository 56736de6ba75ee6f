/*
 * Signing in by an OpenID provider. The browser goes there and comes back to the page, which brings what it was given
 * by a request of its own: so this is answered as each other sign-in, errors are told in words, and no cookie has to be
 * sent along by another site. Who is meant is asked of the process with the network (collector/oidc); accounts are
 * bound to issuer and subject by an administrator, and none is made here.
 *
 * What belongs to one try is derived from a cookie and a secret of this process (challenge.h): state, nonce and PKCE's
 * verifier, good once, for this browser.
 */
#include "collector/console/federate.h"
#include "collector/console/sign_in.h"
#include "collector/oidc/oidc.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <sys/socket.h>

#define COOKIE "__Host-sekisho-oidc"
#define PERSON_COOKIE "__Host-sekisho-oidc-person"
#define USER "sekisho-oidc"
#define METHOD "OpenID Connect"
#define ASKING_MAX 16u
#define PEOPLE_MAX 64u /* who signed in at the provider, and have the second factor before them */
#define PERSON_US 300000000
#define ENDPOINT_US 600000000 /* so long the provider's address is known */
#define ANSWER_US ((int64_t)(OIDC_TIME_S + 20) * 1000000)

/* A request that waits for the process with the network. */
struct asking {
	struct held held;
	struct asking *next;
	struct console *c;
	json_int_t id;
	bool who; /* else: where */
	int64_t since_us;
	char address[ADDRESS_SIZE];
};

struct federation {
	struct oidc_settings s;
	char redirect[CONFIG_ORIGIN_SIZE + 8];
	int fd;
	struct event *event;
	char endpoint[OIDC_URL_MAX + 1];
	bool names_itself; /* the provider's answers hold its issuer (RFC 9207) */
	int64_t endpoint_us;
	json_int_t last;
	struct asking *all;
	unsigned n;
	struct challenges states;
	struct {
		struct digest id; /* of the cookie */
		char account[ACCOUNT_NAME_SIZE];
		int64_t at_us; /* 0: nobody */
	} people[PEOPLE_MAX];
	unsigned next;
};

/* --- answers --- */

static void cookie_set(struct call *x, const char *name, const char *value, unsigned seconds)
{
	char text[256];

	snprintf(text, sizeof(text), "%s=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%u", name, value,
		seconds);
	answer_header(x->a->req, "Set-Cookie", text);
	secret_wipe(text, sizeof(text));
}

static void refuse(struct call *x, unsigned cause, const char *text, int status, const char *word, const char *reason)
{
	struct told t = {.kind = KIND_SIGN_IN_REFUSED,
		.cause = cause,
		.account = x->account ? x->account->name : "?",
		.method = METHOD,
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
	cookie_set(x, COOKIE, cookie, CHALLENGE_LIFE_US / 1000000);
	reply(x, json_pack("{s:s%}", "location", (const char *)url.p, url.n));
	secret_wipe(&flow, sizeof(flow));
}

static json_t *factors_json(const struct account *a)
{
	json_t *list = json_array();

	if (a->has_totp)
		json_array_append_new(list, json_string("code"));
	if (a->passkeys_n)
		json_array_append_new(list, json_string("passkey"));
	if (a->certificates_n)
		json_array_append_new(list, json_string("certificate"));
	return list;
}

/* They have signed in there; here, the second factor is still to be shown. */
static void answer_factor(struct call *x)
{
	struct federation *f = x->c->federation;
	uint8_t random[32];
	char cookie[65];

	if (random_bytes(random, sizeof(random))) {
		reply_error(x, 503, "busy", "no random numbers");
		return;
	}
	hex_encode(cookie, random, sizeof(random));
	digest_span(&f->people[f->next].id, SPAN_STR(cookie));
	snprintf(f->people[f->next].account, ACCOUNT_NAME_SIZE, "%s", x->account->name);
	f->people[f->next].at_us = clock_boot_us();
	f->next = (f->next + 1) % PEOPLE_MAX;
	cookie_set(x, PERSON_COOKIE, cookie, PERSON_US / 1000000);
	secret_wipe(cookie, sizeof(cookie));
	reply(x, json_pack("{s:s, s:o}", "account", x->account->name, "factors", factors_json(x->account)));
}

/* The provider says who it is. */
static void answer_who(struct call *x, const char *subject, bool assured)
{
	char text[OIDC_SUBJECT_SIZE + 80];

	x->account = account_of_oidc(&x->c->accounts, x->c->federation->s.issuer, subject);
	snprintf(text, sizeof(text), "subject %s", subject);
	if (!x->account) {
		refuse(x, CAUSE_UNBOUND, text, 401, "unbound",
			"no account here is bound to who signed in at the provider");
		return;
	}
	if (x->account->disabled) {
		refuse(x, CAUSE_DISABLED, text, 401, "unbound",
			"no account here is bound to who signed in at the provider");
		return;
	}
	x->account->oidc.used_us = clock_wall_us();
	if (!assured && account_has_factor(x->account)) {
		answer_factor(x);
		return;
	}
	x->began = (struct began){.federated = true, .assured = assured};
	sign_in_let_in(x, assured ? METHOD ", two factors" : METHOD, text);
}

/* --- the process with the network --- */

static void drop(struct federation *f, struct asking *k)
{
	struct asking **p = &f->all;

	while (*p && *p != k)
		p = &(*p)->next;
	if (*p) {
		*p = k->next;
		f->n--;
	}
	free(k);
}

static void on_gone(struct held *h)
{
	struct asking *k = (struct asking *)((char *)h - offsetof(struct asking, held));

	drop(k->c->federation, k);
}

/* Asks, and keeps the request until it is answered. Steals `question`. */
static void ask(struct call *x, json_t *question, bool who)
{
	struct federation *f = x->c->federation;
	struct asking *k = f->n < ASKING_MAX ? calloc(1, sizeof(*k)) : NULL;
	char *text = NULL;

	if (k) {
		json_object_set_new(question, "id", json_integer(++f->last));
		text = json_dumps(question, JSON_COMPACT);
	}
	json_decref(question);
	if (!text || send(f->fd, text, strlen(text), MSG_NOSIGNAL) < 0 || held_begin(x->a, &k->held, on_gone)) {
		reply_error(x, 503, "busy", "too many people sign in by the provider now");
		free(k);
	} else {
		k->c = x->c;
		k->id = f->last;
		k->who = who;
		k->since_us = clock_boot_us();
		snprintf(k->address, sizeof(k->address), "%s", x->address);
		k->next = f->all;
		f->all = k;
		f->n++;
	}
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
}

static void take_where(struct call *x, const json_t *o)
{
	struct federation *f = x->c->federation;
	const char *endpoint = json_string_value(json_object_get(o, "endpoint"));

	if (!endpoint || !oidc_is_https(endpoint)) {
		reply_error(x, 502, "provider", "the provider's address is not known");
		return;
	}
	snprintf(f->endpoint, sizeof(f->endpoint), "%s", endpoint);
	f->names_itself = json_is_true(json_object_get(o, "iss"));
	f->endpoint_us = clock_boot_us();
	answer_location(x);
}

/* Answers a request that waited; `o` NULL: nothing was heard. */
static void answer(struct asking *k, const json_t *o)
{
	struct ask a = {.owner = k->c, .server = &k->c->server, .conn = k->held.conn};
	struct call x = {.c = k->c, .a = &a};
	const char *subject = json_string_value(json_object_get(o, "subject"));
	const char *refused = json_string_value(json_object_get(o, "refused"));
	const char *reason = json_string_value(json_object_get(o, "reason"));
	bool who = k->who;

	snprintf(x.address, sizeof(x.address), "%s", k->address);
	a.req = held_release(&k->held);
	drop(k->c->federation, k);
	if (o && !refused && who && subject)
		answer_who(&x, subject, json_is_true(json_object_get(o, "assured")));
	else if (o && !refused && !who)
		take_where(&x, o);
	else if (refused && !strcmp(refused, "token"))
		refuse(&x, CAUSE_PROVIDER, reason, 401, "token", "what the provider said of who signed in is not good");
	else
		refuse(&x, CAUSE_PROVIDER, reason ? reason : "no answer", 502, "provider",
			"the provider cannot be asked now");
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	static char room[OIDC_MESSAGE_MAX];
	struct console *c = arg;
	struct asking *k;
	json_t *o = NULL;
	ssize_t n = recv(fd, room, sizeof(room), MSG_DONTWAIT);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		event_del(c->federation->event);
		console_fail(c, -ECHILD, "the process that asks the OpenID provider has ended");
		return;
	}
	o = json_loadb(room, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
	for (k = c->federation->all; k && k->id != json_integer_value(json_object_get(o, "id")); k = k->next)
		;
	/* None: whoever asked went away. */
	if (k)
		answer(k, o);
	json_decref(o);
}

void federate_tick(struct console *c)
{
	struct asking *k, *next;
	int64_t now = clock_boot_us();

	for (k = c->federation ? c->federation->all : NULL; k; k = next) {
		next = k->next;
		if (now - k->since_us > ANSWER_US)
			answer(k, NULL);
	}
}

int federate_start(struct console *c, struct why *why)
{
	const struct config *conf = &c->conf;
	struct federation *f;
	int r;

	if (!conf->oidc_issuer[0])
		return 0;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->s = (struct oidc_settings){.issuer = conf->oidc_issuer,
		.client_id = conf->oidc_client_id,
		.secret_file = conf->oidc_secret,
		.ca_file = conf->oidc_ca,
		.acr = conf->oidc_acr};
	snprintf(f->redirect, sizeof(f->redirect), "%s/oidc", conf->origin);
	r = oidc_start(&f->s, USER, &f->fd, why);
	if (r)
		free(f);
	else
		c->federation = f;
	return r;
}

int federate_listen(struct console *c)
{
	struct federation *f = c->federation;

	if (!f)
		return 0;
	f->event = event_new(c->server.base, f->fd, EV_READ | EV_PERSIST, on_answer, c);
	return f->event && !event_add(f->event, NULL) ? 0 : -ENOMEM;
}

void federate_free(struct console *c)
{
	struct federation *f = c->federation;

	if (!f)
		return;
	if (f->event)
		event_free(f->event);
	close(f->fd);
	secret_wipe(f, sizeof(*f));
	free(f);
	c->federation = NULL;
}

/* --- requests --- */

json_t *federate_json(const struct console *c)
{
	const char *name = c->conf.oidc_name, *host = c->conf.oidc_issuer + sizeof("https://") - 1;

	if (!c->federation)
		return json_null();
	return *name ? json_pack("{s:s}", "name", name) : json_pack("{s:s%}", "name", host, strcspn(host, "/:"));
}

/* False: there is no provider, and it is answered. */
static bool possible(struct call *x)
{
	if (!x->c->federation)
		reply_error(x, 409, "oidc", "there is no OpenID provider: set oidc_issuer in console.conf");
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
		ask(x, json_pack("{s:s}", "ask", "where"), false);
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
		refuse(x, CAUSE_CHALLENGE, why.text, 401, "state",
			"not the answer to what this browser asked: begin again");
	} else if (!right_issuer(x, o)) {
		refuse(x, CAUSE_PROVIDER, "the answer is of another issuer, or does not say of which", 401, "token",
			"the answer is of another provider");
	} else if (!code) {
		snprintf(text, sizeof(text), "the provider said: %s",
			text_escape_to(shown, sizeof(shown), SPAN_STR(error ? error : "")));
		refuse(x, CAUSE_PROVIDER, text, 401, "declined", "nobody signed in at the provider");
	} else {
		ask(x,
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

/* --- the second factor --- */

/* The place of this browser's person; PEOPLE_MAX: nobody's. */
static unsigned person(const struct call *x)
{
	const char *header = ask_header(x->a, "Cookie");
	const struct federation *f = x->c->federation;
	int64_t now = clock_boot_us();
	struct digest id;
	char cookie[65];
	unsigned i;

	if (!f || !header || cookie_hex(header, PERSON_COOKIE, sizeof(cookie), cookie))
		return PEOPLE_MAX;
	digest_span(&id, SPAN_STR(cookie));
	for (i = 0; i < PEOPLE_MAX; i++)
		if (f->people[i].at_us && now - f->people[i].at_us < PERSON_US && digest_eq(&f->people[i].id, &id))
			return i;
	return PEOPLE_MAX;
}

struct account *federate_person(struct call *x)
{
	unsigned i = person(x);
	struct account *a = i < PEOPLE_MAX ? account_find(&x->c->accounts, x->c->federation->people[i].account) : NULL;

	/* What was bound then may be no more. */
	return a && a->oidc.subject[0] ? a : NULL;
}

void federate_forget(struct call *x)
{
	unsigned i = person(x);

	if (i < PEOPLE_MAX)
		x->c->federation->people[i].at_us = 0;
	cookie_set(x, PERSON_COOKIE, "", 0);
}

json_t *federated_json(const struct account *a)
{
	if (!a->oidc.subject[0])
		return json_null();
	return json_pack("{s:s, s:s, s:o, s:o}", "issuer", a->oidc.issuer, "subject", a->oidc.subject, "bound",
		time_json(a->oidc.bound_us), "used", time_json(a->oidc.used_us));
}
