/*
 * The OpenID provider says who signed out there (OpenID Connect Back-Channel Logout 1.0), and their sessions end here.
 * A door for a machine without a session, so anybody knocks at it; what that costs is bounded:
 *
 * - attempts are counted by address, apart from those of sign-ins; the provider has its own back;
 * - what can be seen without a key is looked at first (oidc_logout_look), and nobody is asked about what is no such
 * token;
 * - one question at a time goes to the process with the network, and few wait. It checks the signature, in a child, by
 *   the keys that are kept here for ten minutes; so none of a stranger's bytes meet a key in this process;
 * - keys are fetched where there are none, or none that fits, and not oftener than each half minute, whatever is sent.
 *
 * A token that was good is remembered until it would have run out: it is good once, and a sign-in that was on its way
 * meanwhile is refused. Where the provider hangs up while its token waits, that is judged all the same.
 */
#include "collector/console/federate_parts.h"
#include "collector/console/sign_in.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <strings.h>

#define BODY_MAX 16384u
#define LEAVING_MAX 16u
#define KEYS_US 600000000
#define FETCH_US 30000000
#define INVALID "invalid_request"
#define UNAVAILABLE "temporarily_unavailable"

/* A logout token that waits. */
struct leaving {
	struct held held;
	struct leaving *next;
	struct console *c;
	struct oidc_logout what;
	bool gone;    /* nobody waits for the answer any more */
	bool fetched; /* keys were fetched for it */
	char address[ADDRESS_SIZE];
	char token[];
};

/* --- what was told before --- */

static bool brought_before(const struct federation *f, const struct digest *jti)
{
	int64_t now_s = clock_wall_us() / 1000000;
	unsigned i;

	for (i = 0; i < LEFT_MAX; i++)
		if (f->left[i].at_us && f->left[i].what.until_s >= now_s && digest_eq(&f->left[i].what.jti, jti))
			return true;
	return false;
}

/* The oldest one gives way: strangers cannot push it out, and to end no session would be worse than to end one twice.
 */
static void remember(struct federation *f, const struct oidc_logout *what)
{
	f->left[f->left_next].what = *what;
	f->left[f->left_next].at_us = clock_boot_us();
	f->left_next = (f->left_next + 1) % LEFT_MAX;
}

bool backchannel_left(const struct federation *f, const struct account *a, const struct began *b, int64_t since_us)
{
	unsigned i;

	for (i = 0; i < LEFT_MAX; i++)
		if (f->left[i].at_us && f->left[i].at_us >= since_us && federate_meant(&f->left[i].what, a, b))
			return true;
	return false;
}

/* --- answers --- */

/* What was judged is answered 200 or 400 (section 2.8); 429 and 503 are for what was not even looked at. */
static void say(struct call *x, int status, const char *word)
{
	if (status == 200)
		reply(x, json_object());
	else if (!strcmp(word, INVALID))
		reply_oauth(x, status, word, "no good logout token of this provider for this console");
	else
		reply_oauth(x, status, word, "the token cannot be judged now");
}

/* The first of them is judged. */
static void finish(struct federation *f, int status, const char *word)
{
	struct leaving *k = f->leaving;
	struct ask a = {.owner = k->c, .server = &k->c->server, .conn = k->held.conn};
	struct call x = {.c = k->c, .a = &a};

	f->leaving = k->next;
	f->leaving_n--;
	if (!k->gone) {
		a.req = held_release(&k->held);
		say(&x, status, word);
	}
	free(k);
}

/* Refused either way; one a second is told, in the mean. */
static void tell_refused(struct console *c, const char *address, unsigned cause, const char *text)
{
	struct told t = {.kind = KIND_CONSOLE_REFUSED,
		.cause = cause,
		.address = address,
		.operation = "/api/v1/session/oidc/backchannel",
		.method = FEDERATE_METHOD,
		.text = text};

	c->count.denied++;
	if (log_allowed(&c->federation->refusals) && tell(c, &t) < 0)
		console_fail(c, -EIO, "access log");
}

/* Ends what the provider means; each is in the log before it ends. 0; V_FULL; -errno. */
static int leave(struct console *c, const struct oidc_logout *what, const char *address)
{
	char text[ADDRESS_SIZE + 64];
	unsigned i;
	int r = seconds_leave(c, what, address);

	for (i = 0; i < SESSIONS_MAX && !r; i++) {
		struct session *s = &c->sessions->v[i];
		struct told t = {.kind = KIND_SIGN_OUT,
			.cause = CAUSE_PROVIDER_LOGOUT,
			.account = s->account,
			.address = address,
			.method = FEDERATE_METHOD,
			.text = text,
			.urgent = true};

		if (!s->used || !federate_meant(what, account_find(&c->accounts, s->account), &s->began))
			continue;
		snprintf(text, sizeof(text), "signed out by the provider; it began at %s", s->address);
		r = tell(c, &t);
		if (!r)
			session_end(s);
	}
	if (r < 0)
		console_fail(c, r, "access log");
	return r;
}

/* --- the process with the network --- */

static bool has_keys(const struct federation *f, int64_t now_us)
{
	return f->keys && now_us - f->keys_us < KEYS_US;
}

static bool may_fetch(const struct federation *f, int64_t now_us)
{
	return !f->fetched_us || now_us - f->fetched_us >= FETCH_US;
}

/* Asks about the first of them, by keys that are to be fetched or by those that are here. False: it cannot be asked. */
static bool ask(struct federation *f, bool fetch, int64_t now_us)
{
	json_t *q = json_pack("{s:s, s:s}", "ask", "leave", "token", f->leaving->token);

	if (!fetch)
		json_object_set(q, "keys", f->keys);
	f->leaving_id = federate_send(f, q);
	f->leaving_us = now_us;
	if (fetch && f->leaving_id) {
		f->fetched_us = now_us;
		f->leaving->fetched = true;
	}
	return f->leaving_id;
}

/* The next one's turn, where none is asked about. */
static void go_on(struct federation *f)
{
	int64_t now = clock_boot_us();

	while (f->leaving && !f->leaving_id) {
		bool here = has_keys(f, now);

		if ((!here && !may_fetch(f, now)) || !ask(f, !here, now))
			finish(f, 400, UNAVAILABLE);
	}
}

/* The process with the network has judged the first of them; `o` NULL: it has not. False: it is asked once more. */
static bool judged(struct console *c, const json_t *o)
{
	struct federation *f = c->federation;
	struct leaving *k = f->leaving;
	const char *refused = text_of(o, "refused"), *reason = text_of(o, "reason");
	int64_t now = clock_boot_us();

	if (json_is_true(json_object_get(o, "leave"))) {
		if (brought_before(f, &k->what.jti)) {
			tell_refused(c, k->address, CAUSE_PROVIDER, "the token was brought before");
			finish(f, 400, INVALID);
		} else if (leave(c, &k->what, k->address)) {
			finish(f, 400, UNAVAILABLE);
		} else {
			remember(f, &k->what);
			attempt_good_message(c->attempts, k->address, now);
			finish(f, 200, NULL);
		}
		return true;
	}
	/* By keys that it may have changed since. */
	if (!strcmp(refused, "signature") && !k->fetched && may_fetch(f, now) && ask(f, true, now))
		return false;
	tell_refused(c, k->address, CAUSE_PROVIDER, *reason ? reason : "no answer");
	if (!strcmp(refused, "token") || !strcmp(refused, "signature"))
		finish(f, 400, INVALID);
	else
		finish(f, 400, UNAVAILABLE);
	return true;
}

bool backchannel_answer(struct console *c, const json_t *o)
{
	struct federation *f = c->federation;
	json_t *keys = json_object_get(o, "keys");

	if (!f->leaving_id || json_integer_value(json_object_get(o, "id")) != f->leaving_id)
		return false;
	f->leaving_id = 0;
	if (json_is_object(keys)) {
		json_decref(f->keys);
		f->keys = json_incref(keys);
		f->keys_us = clock_boot_us();
	}
	if (judged(c, o))
		go_on(f);
	return true;
}

void backchannel_tick(struct console *c)
{
	struct federation *f = c->federation;

	if (!f->leaving_id || clock_boot_us() - f->leaving_us <= FEDERATE_ANSWER_US)
		return;
	f->leaving_id = 0;
	if (judged(c, NULL))
		go_on(f);
}

void backchannel_free(struct federation *f)
{
	while (f->leaving) {
		struct leaving *k = f->leaving;

		f->leaving = k->next;
		free(k);
	}
	json_decref(f->keys);
}

/* --- the door --- */

static void on_gone(struct held *h)
{
	struct leaving *k = (struct leaving *)((char *)h - offsetof(struct leaving, held));

	k->gone = true;
}

static bool is_form(const struct ask *a)
{
	static const char form[] = "application/x-www-form-urlencoded";
	const char *type = ask_header(a, "Content-Type");
	size_t n = type ? strcspn(type, "; ") : 0;

	return n == sizeof(form) - 1 && !strncasecmp(type, form, n);
}

static void too_often(struct call *x, unsigned wait)
{
	char text[16];

	tell_refused(x->c, x->address, CAUSE_TOO_OFTEN, "logout tokens");
	snprintf(text, sizeof(text), "%u", wait);
	answer_header(x->a->req, "Retry-After", text);
	say(x, 429, UNAVAILABLE);
}

/* It waits for its turn, which may be now. */
static void take(struct call *x, const char *token, const struct oidc_logout *what)
{
	struct federation *f = x->c->federation;
	size_t n = strlen(token) + 1;
	struct leaving *k = f->leaving_n < LEAVING_MAX ? calloc(1, sizeof(*k) + n) : NULL, **end = &f->leaving;

	if (!k || held_begin(x->a, &k->held, on_gone)) {
		free(k);
		answer_header(x->a->req, "Retry-After", "5");
		say(x, 503, UNAVAILABLE);
		return;
	}
	k->c = x->c;
	k->what = *what;
	memcpy(k->token, token, n);
	snprintf(k->address, sizeof(k->address), "%s", x->address);
	while (*end)
		end = &(*end)->next;
	*end = k;
	f->leaving_n++;
	go_on(f);
}

void oidc_backchannel_post(struct call *x)
{
	const struct config *conf = &x->c->conf;
	const struct oidc_want want = {.issuer = conf->oidc_issuer,
		.client_id = conf->oidc_client_id,
		.untyped = conf->oidc_logout_untyped,
		.now_s = clock_wall_us() / 1000000};
	char token[OIDC_LOGOUT_MAX + 1];
	struct oidc_logout what;
	struct why why = {""};
	unsigned wait;

	if (!conf->oidc_backchannel) {
		reply_error(x, 404, "path", "no such path");
		return;
	}
	wait = attempt_message(x->c->attempts, x->address, clock_boot_us());
	if (wait) {
		too_often(x, wait);
		return;
	}
	if (!is_form(x->a) || x->a->body.n > BODY_MAX || ask_form(x->a->body, "logout_token", token, sizeof(token))) {
		say(x, 400, INVALID);
		return;
	}
	if (!oidc_logout_look(SPAN_STR(token), &want, &what, &why) && brought_before(x->c->federation, &what.jti))
		why_set(&why, V_BAD, "the token was brought before");
	if (why.text[0]) {
		tell_refused(x->c, x->address, CAUSE_PROVIDER, why.text);
		say(x, 400, INVALID);
	} else {
		take(x, token, &what);
	}
}
