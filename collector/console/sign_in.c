/*
 * Signing in and out, a person's own password and second factor. Which part of a sign-in was wrong is never told, by
 * word or by time.
 */
#include "collector/console/console.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>

#define BODY_MAX 4096u
#define ISSUER "Sekisho"

static json_t *session_json(const struct call *x)
{
	const struct config *conf = &x->c->conf;
	json_t *must = json_array();

	if (x->account->must_password)
		json_array_append_new(must, json_string("password"));
	if (!x->account->has_totp)
		json_array_append_new(must, json_string("totp"));
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

/* Begins a session for x->account and answers with it. */
static void begin_session(struct call *x)
{
	char cookie[SESSION_TEXT_SIZE];
	int r = session_new(
		x->c->sessions, x->account->name, x->address, clock_boot_us(), clock_wall_us(), cookie, &x->session);

	if (r) {
		reply_error(x, 503, "busy", "too many people are signed in");
		return;
	}
	set_cookie(x, cookie);
	secret_wipe(cookie, sizeof(cookie));
	/* What is behind the sign-in must not be what a page before it left in the browser. */
	answer_header(x->a->req, "Clear-Site-Data", "\"cache\"");
	reply(x, session_json(x));
}

void session_get(struct call *x)
{
	reply(x, session_json(x));
}

/* Six digits, or none at all. False: answered. */
static bool code_of(struct call *x, const json_t *o, bool *has, unsigned *code)
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

static void too_often(struct call *x, unsigned wait, const char *account)
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

/* Judges all of it, whatever is wrong with the first part. */
static bool judge(struct call *x, const char *password, bool has_code, unsigned code, unsigned *cause)
{
	struct account *a = x->account;
	bool good = !password_check(password, a ? a->password : NULL) && a;

	*cause = CAUSE_CREDENTIALS;
	if (a && a->has_totp)
		good = right_code(x, good, has_code, code, cause) && good;
	if (good && a->disabled) {
		*cause = CAUSE_DISABLED;
		good = false;
	}
	return good;
}

void session_post(struct call *x)
{
	static const char *const names[] = {"account", "password", "code", NULL};
	struct told t = {.kind = KIND_SIGN_IN, .urgent = true};
	json_t *o = body_object(x, BODY_MAX, names);
	const char *name, *password;
	unsigned code = 0, wait, cause;
	struct account *a;
	bool has_code;
	int r;

	if (!o)
		return;
	name = body_text(x, o, "account", ACCOUNT_NAME_SIZE - 1);
	password = name ? body_text(x, o, "password", PASSWORD_MAX) : NULL;
	if (!password || !code_of(x, o, &has_code, &code))
		goto out;
	a = account_find(&x->c->accounts, name);
	x->account = a;
	wait = attempt_take(x->c->attempts, x->address, name, is_known(x), clock_boot_us());
	/* A name that is no account's is not told: it may be a password in the wrong place. */
	if (wait) {
		too_often(x, wait, a ? a->name : "?");
		goto out;
	}
	if (!judge(x, password, has_code, code, &cause)) {
		t = (struct told){.kind = KIND_SIGN_IN_REFUSED, .cause = cause, .account = a ? a->name : "?"};
		x->c->count.sign_in_refused++;
		if (tell_call(x, t))
			reply_error(x, 401, "credentials", "name, password or code is wrong");
		goto out;
	}
	attempt_good(x->c->attempts, x->address, clock_boot_us());
	a->signed_in_us = clock_wall_us();
	if (a->has_totp)
		snprintf(a->known, sizeof(a->known), "%s", x->address);
	/* A code must not be good again after a crash. */
	r = accounts_save(&x->c->accounts);
	if (r) {
		console_fail(x->c, r, x->c->conf.accounts);
		reply_error(x, 503, "failed", "the accounts cannot be written");
		goto out;
	}
	if (!tell_call(x, t))
		goto out;
	x->c->count.signed_in++;
	begin_session(x);
out:
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

/*
 * A password here is an attempt as any other. The right one costs none, and gives none back: somebody with an account
 * of their own would else have as many as they like at other people's. False: answered.
 */
static bool right_password(struct call *x, const char *password)
{
	unsigned wait = attempt_take(x->c->attempts, x->address, x->account->name, true, clock_boot_us());
	struct told t = {.kind = KIND_SIGN_IN_REFUSED, .cause = CAUSE_CREDENTIALS, .text = "for a new password"};

	if (wait) {
		too_often(x, wait, x->account->name);
		return false;
	}
	if (!password_check(password, x->account->password)) {
		attempt_undo(x->c->attempts, x->address, clock_boot_us());
		return true;
	}
	x->c->count.sign_in_refused++;
	if (tell_call(x, t))
		reply_error(x, 401, "credentials", "the old password is wrong");
	return false;
}

/* Writes the accounts; where that fails, `before` is what holds. False: answered. */
static bool keep(struct call *x, const struct account *before)
{
	int r = accounts_save(&x->c->accounts);

	if (!r)
		return true;
	*x->account = *before;
	log_error("%s: %s", x->c->conf.accounts, strerror(-r));
	reply_error(x, 503, "failed", "the accounts cannot be written");
	return false;
}

void password_post(struct call *x)
{
	static const char *const names[] = {"old", "new", NULL};
	struct told t = {.kind = KIND_CONSOLE_ACCOUNT, .text = "another password", .urgent = true};
	json_t *o = body_object(x, BODY_MAX, names);
	const char *old, *new;
	struct account before;
	struct why why = {""};
	char hash[PASSWORD_HASH_SIZE];
	int r;

	if (!o)
		return;
	before = *x->account;
	old = body_text(x, o, "old", PASSWORD_MAX);
	new = old ? body_text(x, o, "new", PASSWORD_MAX) : NULL;
	if (!new || !right_password(x, old))
		goto out;
	if (!strcmp(old, new)) {
		reply_error(x, 400, "password", "is the old one");
		goto out;
	}
	if (password_fits(new, x->account->name, &why)) {
		reply_error(x, 400, "password", why.text);
		goto out;
	}
	r = password_hash(new, hash);
	if (r) {
		reply_error(x, 503, "busy", "no memory");
		goto out;
	}
	if (!tell_call(x, t))
		goto out;
	memcpy(x->account->password, hash, sizeof(hash));
	x->account->must_password = false;
	if (!keep(x, &before))
		goto out;
	session_end_all(x->c->sessions, x->account->name, NULL);
	begin_session(x);
out:
	secret_wipe(&before, sizeof(before));
	json_decref(o);
}

static void totp_show(struct call *x)
{
	char secret[OTP_BASE32_SIZE], uri[256];

	if (random_bytes(x->session->totp, OTP_SECRET_SIZE)) {
		reply_error(x, 503, "busy", "no random numbers");
		return;
	}
	x->session->has_totp = true;
	otp_base32(x->session->totp, secret);
	/* Names of accounts have no character that a URI would have to quote but UTF-8, which apps take as it is. */
	snprintf(uri, sizeof(uri), "otpauth://totp/" ISSUER ":%s?secret=%s&issuer=" ISSUER, x->account->name, secret);
	reply(x, json_pack("{s:s, s:s}", "secret", secret, "uri", uri));
	secret_wipe(secret, sizeof(secret));
	secret_wipe(uri, sizeof(uri));
}

void totp_post(struct call *x)
{
	static const char *const names[] = {"code", NULL};
	struct told t = {.kind = KIND_CONSOLE_ACCOUNT, .text = "a second factor", .urgent = true};
	json_t *o = body_object(x, BODY_MAX, names);
	struct account before;
	unsigned code = 0, wait;
	uint64_t used = 0;
	bool has_code;

	if (!o)
		return;
	before = *x->account;
	if (!code_of(x, o, &has_code, &code))
		goto out;
	if (x->account->has_totp) {
		reply_error(x, 409, "totp", "this account has a second factor: an administrator resets it");
		goto out;
	}
	if (!has_code) {
		totp_show(x);
		goto out;
	}
	wait = attempt_take(x->c->attempts, x->address, x->account->name, true, clock_boot_us());
	if (wait) {
		too_often(x, wait, x->account->name);
		goto out;
	}
	if (!x->session->has_totp || otp_check(x->session->totp, code, clock_wall_us() / 1000000, &used)) {
		reply_error(x, 400, "totp", "not the code of the secret that was shown");
		goto out;
	}
	if (!tell_call(x, t))
		goto out;
	memcpy(x->account->totp, x->session->totp, OTP_SECRET_SIZE);
	x->account->has_totp = true;
	x->account->totp_used = used;
	snprintf(x->account->known, sizeof(x->account->known), "%s", x->address);
	if (!keep(x, &before))
		goto out;
	attempt_undo(x->c->attempts, x->address, clock_boot_us());
	session_end_all(x->c->sessions, x->account->name, x->session);
	secret_wipe(x->session->totp, OTP_SECRET_SIZE);
	x->session->has_totp = false;
	reply(x, session_json(x));
out:
	secret_wipe(&before, sizeof(before));
	json_decref(o);
}
