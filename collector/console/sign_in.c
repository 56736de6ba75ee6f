/*
 * Signing in and out. Name and password are judged together: neither words nor time tell which one was wrong, nor what
 * an account has beside it. Whoever has both is told which second factors there are; one is asked for (second.c), or it
 * came along. What is right is judge.c's.
 */
#include "collector/console/sign_in.h"
#include "collector/console/federate.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>

bool sign_in_due_password(const struct call *x)
{
	/* Who came by a provider may have none that they know, and needs none. */
	return x->account->must_password && !x->session->began.federated;
}

bool sign_in_due_factor(const struct call *x)
{
	return !account_has_factor(x->account) && !x->session->began.assured;
}

json_t *session_json(const struct call *x)
{
	const struct config *conf = &x->c->conf;
	json_t *must = json_array();

	if (sign_in_due_password(x))
		json_array_append_new(must, json_string("password"));
	if (sign_in_due_factor(x))
		json_array_append_new(must, json_string("factor"));
	return json_pack("{s:s, s:o, s:o, s:o, s:s, s:b, s:I, s:o}", "account", x->account->name, "roles",
		roles_json(x->account->roles), "scope", scope_json(x->account), "must", must, "csrf", x->session->csrf,
		"federated", x->session->began.federated, "idle_seconds", (json_int_t)(conf->idle_us / 1000000),
		"expires", time_json(x->session->created_wall_us + (int64_t)conf->session_us));
}

void answer_cookie(struct call *x, const char *name, const char *value, unsigned seconds)
{
	char text[256];

	snprintf(text, sizeof(text), "%s=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%u", name, value,
		seconds);
	answer_header(x->a->req, "Set-Cookie", text);
	secret_wipe(text, sizeof(text));
}

static void set_cookie(struct call *x, const char *value)
{
	char text[SESSION_TEXT_SIZE + 128];

	snprintf(text, sizeof(text), SESSION_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s", value,
		*value ? "" : "; Max-Age=0");
	answer_header(x->a->req, "Set-Cookie", text);
	secret_wipe(text, sizeof(text));
}

void sign_in_begin(struct call *x)
{
	char cookie[SESSION_TEXT_SIZE];
	int r = session_new(
		x->c->sessions, x->account->name, x->address, clock_boot_us(), clock_wall_us(), cookie, &x->session);

	if (r) {
		reply_error(x, 503, "busy", "too many people are signed in");
		return;
	}
	x->session->began = x->began;
	set_cookie(x, cookie);
	secret_wipe(cookie, sizeof(cookie));
	/* What is behind the sign-in must not be what a page before it left in the browser. */
	answer_header(x->a->req, "Clear-Site-Data", "\"cache\"");
	reply(x, session_json(x));
}

void ways_get(struct call *x)
{
	const struct config *conf = &x->c->conf;

	reply(x, json_pack("{s:s?, s:b, s:b, s:o, s:o}", "origin", conf->origin[0] ? conf->origin : NULL, "passkeys",
			 conf->rp_id[0] != 0, "certificates", x->c->visitors != NULL, "certificate", visitor_json(x),
			 "oidc", federate_json(x->c)));
}

void session_get(struct call *x)
{
	reply(x, session_json(x));
}

void sign_in_too_often(struct call *x, unsigned wait, const char *account)
{
	struct told t = {.kind = KIND_SIGN_IN_REFUSED, .cause = CAUSE_TOO_OFTEN, .account = account};
	char reason[80], text[16];

	x->c->count.sign_in_refused++;
	/* One record a second at most: somebody who tries a thousand times is not told a thousand times. */
	if (log_allowed(&x->c->limit) && !tell_call(x, t))
		return;
	snprintf(text, sizeof(text), "%u", wait);
	snprintf(reason, sizeof(reason), "too many attempts: wait %u seconds", wait);
	answer_header(x->a->req, "Retry-After", text);
	reply_error(x, 429, "wait", reason);
}

/* Reads what was sent. False: answered. */
static bool read_sign_in(struct call *x, const json_t *o, struct shown *s, bool *second)
{
	bool named = json_object_get(o, "account") || json_object_get(o, "password");

	*second = json_object_get(o, "second") != NULL;
	if (*second && (named || !json_is_true(json_object_get(o, "second")))) {
		reply_error(x, 400, "request", "\"second\" is true, and without account and password");
		return false;
	}
	if (named || (!*second && !json_object_get(o, "passkey"))) {
		s->account = body_text(x, o, "account", ACCOUNT_NAME_SIZE - 1);
		s->password = s->account ? body_text(x, o, "password", PASSWORD_MAX) : NULL;
		if (!s->password)
			return false;
	}
	return shown_read(x, o, s);
}

static void refuse(struct call *x, const struct judged *j)
{
	struct told t = {.kind = KIND_SIGN_IN_REFUSED,
		.cause = j->cause,
		.account = x->account ? x->account->name : "?",
		.method = j->method,
		.text = j->why.text};

	x->c->count.sign_in_refused++;
	if (tell_call(x, t))
		reply_error(x, 401, "credentials", "name, password or second factor is wrong");
}

void sign_in_let_in(struct call *x, const char *method, const char *text)
{
	struct told t = {.kind = KIND_SIGN_IN, .urgent = true, .method = method, .text = text};
	struct account *a = x->account;
	int r;

	attempt_good(x->c->attempts, x->address, clock_boot_us());
	a->signed_in_us = clock_wall_us();
	if (account_has_factor(a))
		snprintf(a->known, sizeof(a->known), "%s", x->address);
	/* A code must not be good again after a crash, nor a counter stand where it stood. */
	r = accounts_save(&x->c->accounts);
	if (r) {
		console_fail(x->c, r, x->c->conf.accounts);
		reply_error(x, 503, "failed", "the accounts cannot be written");
		return;
	}
	if (!tell_call(x, t))
		return;
	x->c->count.signed_in++;
	second_end(x);
	sign_in_begin(x);
}

/* Who shows the second factor: they have shown the first one a moment ago. */
static void find_second(struct call *x, struct shown *s)
{
	const struct second *p = second_of(x);

	x->account = p ? account_find(&x->c->accounts, p->account) : NULL;
	if (!x->account)
		return;
	s->first = true;
	s->federated = p->began.federated;
	x->began = p->began;
}

void session_post(struct call *x)
{
	static const char *const names[] = {
		"account", "password", "code", "passkey", "certificate", "recovery", "second", NULL};
	json_t *o = body_object(x, SIGN_IN_PASSKEY_MAX, names);
	struct shown s = {.account = NULL};
	struct judged j = {.why = {""}};
	bool second;
	unsigned wait;

	if (!o)
		return;
	if (!read_sign_in(x, o, &s, &second))
		goto out;
	if (second)
		find_second(x, &s);
	else
		x->account = s.account ? account_find(&x->c->accounts, s.account) : NULL;
	/* A passkey cannot be guessed: no stranger's tries at an account are counted against it. */
	wait = attempt_take(x->c->attempts, x->address, s.account ? s.account : "", !s.account || sign_in_known(x),
		clock_boot_us());
	/* A name that is no account's is not told: it may be a password in the wrong place. */
	if (wait) {
		sign_in_too_often(x, wait, x->account ? x->account->name : "?");
		goto out;
	}
	if (second && !x->account) {
		reply_error(x, 401, "session", "nobody showed a first factor with this browser, or it is too long ago");
		goto out;
	}
	judge(x, &s, &j);
	if (j.due)
		second_begin(x, &(struct began){.federated = false});
	else if (!j.good)
		refuse(x, &j);
	else if (sign_in_recovered(x, &j))
		sign_in_let_in(x, j.method, j.key);
out:
	shown_deinit(&s);
	json_decref(o);
}

void session_delete(struct call *x)
{
	struct told t = {.kind = KIND_SIGN_OUT, .text = "signed out", .urgent = true};
	json_t *out = federate_out(x);

	if (out)
		t.text = "signed out, and sent to the provider to sign out there";
	if (!tell_call(x, t)) {
		json_decref(out);
		return;
	}
	session_end(x->session);
	set_cookie(x, "");
	answer_header(x->a->req, "Clear-Site-Data", "\"cache\", \"storage\"");
	if (out)
		reply(x, out);
	else
		reply_none(x);
}

void sessions_tick(struct console *c)
{
	int64_t now = clock_boot_us();
	unsigned i;

	for (i = 0; i < SESSIONS_MAX; i++) {
		struct session *s = &c->sessions->v[i];
		struct told t = {.kind = KIND_SIGN_OUT, .account = s->account, .address = s->address};
		const struct account *a;

		if (!s->used)
			continue;
		a = account_find(&c->accounts, s->account);
		if (a && !a->disabled && !session_over(c->sessions, s, now))
			continue;
		t.text = a && !a->disabled ? "timed out" : "account is gone or disabled";
		if (tell(c, &t) < 0)
			console_fail(c, -EIO, "access log");
		session_end(s);
	}
}
