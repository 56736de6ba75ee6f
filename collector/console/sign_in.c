/*
 * Signing in and out, a person's own password and second factor. Which part of a sign-in was wrong is never told, by
 * word or by time.
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
	return json_pack("{s:s, s:o, s:o, s:o, s:s, s:I, s:o}", "account", x->account->name, "roles",
		roles_json(x->account->roles), "scope", scope_json(x->account), "must", must, "csrf", x->session->csrf,
		"idle_seconds", (json_int_t)(conf->idle_us / 1000000), "expires",
		time_json(x->session->created_wall_us + (int64_t)conf->session_us));
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

bool sign_in_code(struct call *x, const json_t *o, bool *has, unsigned *code)
{
	const json_t *v = json_object_get(o, "code");
	const char *s = json_string_value(v);

	*has = v != NULL;
	if (!v)
		return true;
	if (!s || strlen(s) != 6 || strspn(s, "0123456789") != 6) {
		reply_error(x, 400, "request", "\"code\" is six digits");
		return false;
	}
	*code = (unsigned)strtoul(s, NULL, 10);
	return true;
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

/* The owner of an account signed in last from where this is asked. */
static bool is_known(const struct call *x)
{
	return x->account && x->account->known[0] && !strcmp(x->account->known, x->address);
}

/* Is it the code? One that is tried too often is not, and who tries is not told that. */
static bool right_code(struct call *x, bool right_password, bool has_code, unsigned code, unsigned *cause)
{
	struct account *a = x->account;
	int64_t now = clock_boot_us();
	bool may = attempt_code(x->c->attempts, a->name, is_known(x), now);
	bool good = has_code && may && !otp_check(a->totp, code, clock_wall_us() / 1000000, &a->totp_used);

	if (right_password && !may)
		*cause = CAUSE_TOO_OFTEN;
	if (right_password && has_code && !good)
		attempt_wrong_code(x->c->attempts, a->name, is_known(x), now);
	return good;
}

/* What somebody shows who signs in. */
struct shown {
	const char *account, *password; /* both, or neither */
	bool oidc;                      /* instead of both: a moment ago, at the provider */
	bool has_code, has_passkey, has_certificate;
	unsigned code;
	struct shown_passkey passkey;
};

/* How it went. */
struct judged {
	bool good;
	unsigned cause;
	const char *method;
	struct why why; /* of a passkey or a certificate */
	char key[PASSKEY_NAME_SIZE];
};

static const char *method_of(const struct shown *s)
{
	if (s->has_passkey)
		return s->oidc ? "OpenID Connect and passkey" : s->password ? "password and passkey" : "passkey";
	if (s->has_certificate)
		return s->oidc ? "OpenID Connect and certificate" : "password and certificate";
	if (s->has_code)
		return s->oidc ? "OpenID Connect and code" : "password and code";
	return s->oidc ? "OpenID Connect" : "password";
}

/* Judges all of it, whatever is wrong with the first part. */
static void judge(struct call *x, const struct shown *s, struct judged *j)
{
	struct account *a = x->account, before;
	struct passkey *key = NULL;
	struct bound_certificate *certificate = NULL;
	unsigned cause = CAUSE_CREDENTIALS;
	bool factor = true;

	j->cause = CAUSE_CREDENTIALS;
	j->method = method_of(s);
	j->good = !s->password || (!password_check(s->password, a ? a->password : NULL) && a);
	if (a)
		before = *a;
	if (s->has_passkey)
		factor = shown_passkey_good(x, a, !s->password && !s->oidc, &s->passkey, &key, &cause, &j->why);
	else if (s->has_certificate) {
		cause = CAUSE_CERTIFICATE;
		factor = visitor_good(x, a, &certificate, &j->why);
	} else if (a && a->has_totp)
		factor = right_code(x, j->good, s->has_code, s->code, &cause);
	else if (a)
		factor = !account_has_factor(a);
	if (key && factor && j->good)
		text_copy(j->key, sizeof(j->key), SPAN_STR(key->name));
	if (certificate && j->good) {
		text_copy(j->key, sizeof(j->key), SPAN_STR(certificate->name));
		x->began.has_certificate = true;
		x->began.certificate = certificate->fingerprint;
	}
	/* Behind a wrong password nothing of a passkey or a certificate is taken down. */
	if ((key || certificate) && a && !j->good)
		*a = before;
	if (a)
		secret_wipe(&before, sizeof(before));
	if (j->good && !factor)
		j->cause = cause;
	a = x->account;
	j->good = j->good && factor && a;
	if (j->good && a->disabled) {
		j->cause = CAUSE_DISABLED;
		j->good = false;
	}
}

/* Reads what was sent. False: answered. */
static bool read_shown(struct call *x, const json_t *o, struct shown *s)
{
	const json_t *passkey = json_object_get(o, "passkey");

	s->oidc = json_is_true(json_object_get(o, "oidc"));
	if ((passkey || s->oidc) && !json_object_get(o, "account") && !json_object_get(o, "password")) {
		s->has_passkey = passkey != NULL;
	} else if (json_object_get(o, "oidc")) {
		reply_error(x, 400, "request", "\"oidc\" is true, and without account and password");
		return false;
	} else {
		s->account = body_text(x, o, "account", ACCOUNT_NAME_SIZE - 1);
		s->password = s->account ? body_text(x, o, "password", PASSWORD_MAX) : NULL;
		if (!s->password)
			return false;
		s->has_passkey = passkey != NULL;
	}
	s->has_certificate = json_object_get(o, "certificate") != NULL;
	if (s->has_certificate && !json_is_true(json_object_get(o, "certificate"))) {
		reply_error(x, 400, "request", "\"certificate\" is true, or not there");
		return false;
	}
	if ((json_object_get(o, "code") != NULL) + s->has_passkey + s->has_certificate > 1) {
		reply_error(x, 400, "request", "a code, a passkey or the certificate: one of them");
		return false;
	}
	return s->has_passkey ? shown_passkey_read(x, passkey, &s->passkey)
			      : sign_in_code(x, o, &s->has_code, &s->code);
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
		reply_error(x, 401, "credentials", "name, password, code, passkey or certificate is wrong");
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
	sign_in_begin(x);
}

void session_post(struct call *x)
{
	static const char *const names[] = {"account", "password", "code", "passkey", "certificate", "oidc", NULL};
	json_t *o = body_object(x, SIGN_IN_PASSKEY_MAX, names);
	struct shown s = {.account = NULL};
	struct judged j = {.why = {""}};
	unsigned wait;

	if (!o)
		return;
	if (!read_shown(x, o, &s))
		goto out;
	x->account = s.oidc ? federate_person(x) : s.account ? account_find(&x->c->accounts, s.account) : NULL;
	/* A passkey cannot be guessed: no stranger's tries at an account are counted against it. */
	wait = attempt_take(
		x->c->attempts, x->address, s.account ? s.account : "", !s.account || is_known(x), clock_boot_us());
	/* A name that is no account's is not told: it may be a password in the wrong place. */
	if (wait) {
		sign_in_too_often(x, wait, x->account ? x->account->name : "?");
		goto out;
	}
	if (s.oidc && !x->account) {
		reply_error(
			x, 401, "session", "nobody signed in at the provider with this browser, or it is too long ago");
		goto out;
	}
	judge(x, &s, &j);
	if (j.good && s.oidc) {
		x->began.federated = true;
		federate_forget(x);
	}
	if (j.good)
		sign_in_let_in(x, j.method, j.key);
	else
		refuse(x, &j);
out:
	shown_passkey_deinit(&s.passkey);
	json_decref(o);
}

void session_delete(struct call *x)
{
	struct told t = {.kind = KIND_SIGN_OUT, .text = "signed out", .urgent = true};

	if (!tell_call(x, t))
		return;
	session_end(x->session);
	set_cookie(x, "");
	answer_header(x->a->req, "Clear-Site-Data", "\"cache\", \"storage\"");
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
