/*
 * What people change of their own: the password, codes of an app, recovery codes. Passkeys are passkeys.c's.
 */
#include "collector/console/sign_in.h"
#include "policy/base/clock.h"
#include <errno.h>

#define ISSUER "Sekisho"
#define SECRET_US 900000000 /* so long a secret that was shown may be confirmed */

bool sign_in_attempt(struct call *x)
{
	unsigned wait = attempt_take(x->c->attempts, x->address, x->account->name, true, clock_boot_us());

	if (wait)
		sign_in_too_often(x, wait, x->account->name);
	return !wait;
}

/*
 * A password here is an attempt as any other. The right one costs none, and gives none back: somebody with an account
 * of their own would else have as many as they like at other people's. False: answered.
 */
static bool old_password(struct call *x, const char *password)
{
	struct told t = {.kind = KIND_SIGN_IN_REFUSED,
		.cause = CAUSE_CREDENTIALS,
		.method = "password",
		.text = "for a new password"};

	if (!sign_in_attempt(x))
		return false;
	if (!password_check(password, x->account->password)) {
		attempt_undo(x->c->attempts, x->address, clock_boot_us());
		return true;
	}
	x->c->count.sign_in_refused++;
	if (tell_call(x, t))
		reply_error(x, 401, "credentials", "the present password is wrong");
	return false;
}

bool sign_in_keep(struct call *x, const struct account *before)
{
	int r = accounts_save(&x->c->accounts);

	if (!r)
		return true;
	*x->account = *before;
	log_error("%s: %s", x->c->conf.accounts, strerror(-r));
	reply_error(x, 503, "failed", "the accounts cannot be written");
	return false;
}

/* Else it was answered. */
static bool is_good_enough(struct call *x, const char *password)
{
	switch (password_judge(password, x->account->name, x->c->conf.password_filter)) {
	case PASSWORD_GOOD:
		return true;
	case PASSWORD_SIZE:
		reply_error(x, 400, "password-size", "a password has from 12 to 256 characters");
		break;
	case PASSWORD_NAMED:
		reply_error(x, 400, "password-named", "it holds the account's name");
		break;
	case PASSWORD_KNOWN:
		reply_error(x, 400, "password-known", "it is one of those that others know and try first");
		break;
	case PASSWORD_GUESSED:
		reply_error(x, 400, "password-guessed",
			"it is one piece again and again, a row of letters or keys, or a common word with little more");
		break;
	case PASSWORD_UNJUDGED:
		reply_error(x, 503, "failed", "the list of known passwords cannot be read");
		break;
	}
	return false;
}

void password_post(struct call *x)
{
	static const char *const names[] = {"old", "new", NULL};
	struct told t = {.kind = KIND_CONSOLE_ACCOUNT, .text = "another password", .urgent = true};
	json_t *o = body_object(x, SIGN_IN_BODY_MAX, names);
	const char *old, *new;
	struct account before;
	char hash[PASSWORD_HASH_SIZE];
	int r;

	if (!o)
		return;
	before = *x->account;
	old = body_text(x, o, "old", PASSWORD_MAX);
	new = old ? body_text(x, o, "new", PASSWORD_MAX) : NULL;
	if (!new || !old_password(x, old))
		goto out;
	if (!strcmp(old, new)) {
		reply_error(x, 400, "password-same", "it is the old one");
		goto out;
	}
	if (!is_good_enough(x, new))
		goto out;
	r = password_hash(new, hash);
	if (r) {
		reply_error(x, 503, "busy", "no memory");
		goto out;
	}
	if (!tell_call(x, t))
		goto out;
	memcpy(x->account->password, hash, sizeof(hash));
	x->account->must_password = false;
	if (!sign_in_keep(x, &before))
		goto out;
	x->began = x->session->began;
	session_end_all(x->c->sessions, x->account->name, NULL);
	second_end_all(x->c, x->account->name);
	sign_in_begin(x);
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
	x->session->totp_us = clock_boot_us();
	otp_base32(x->session->totp, secret);
	/* Names of accounts have no character that a URI would have to quote but UTF-8, which apps take as it is. */
	snprintf(uri, sizeof(uri), "otpauth://totp/" ISSUER ":%s?secret=%s&issuer=" ISSUER, x->account->name, secret);
	reply(x, json_pack("{s:s, s:s}", "secret", secret, "uri", uri));
	secret_wipe(secret, sizeof(secret));
	secret_wipe(uri, sizeof(uri));
}

void sign_in_changed(struct call *x)
{
	struct session *s = x->session;

	session_end_all(x->c->sessions, x->account->name, s);
	second_end_all(x->c, x->account->name);
	secret_wipe(s->totp, OTP_SECRET_SIZE);
	s->has_totp = false;
	s->passkey_us = 0;
}

/* The app shows the number of the secret that it was given: that holds from now on, instead of one before. */
static void totp_confirm(struct call *x, unsigned code)
{
	struct told t = {.kind = KIND_CONSOLE_ACCOUNT, .urgent = true};
	struct account *a = x->account, before = *a;
	struct session *s = x->session;
	uint64_t used = 0;

	if (!sign_in_attempt(x))
		goto out;
	if (!s->has_totp || clock_boot_us() - s->totp_us > SECRET_US ||
		otp_check(s->totp, code, clock_wall_us() / 1000000, (unsigned)x->c->conf.otp_steps, &used)) {
		reply_error(x, 400, "totp", "not the code of the secret that was shown");
		goto out;
	}
	t.text = a->has_totp ? "a second factor: codes, instead of those before" : "a second factor: codes";
	if (!tell_call(x, t))
		goto out;
	memcpy(a->totp, s->totp, OTP_SECRET_SIZE);
	a->has_totp = true;
	a->totp_used = used;
	snprintf(a->known, sizeof(a->known), "%s", x->address);
	if (!sign_in_keep(x, &before))
		goto out;
	attempt_undo(x->c->attempts, x->address, clock_boot_us());
	sign_in_changed(x);
	reply(x, session_json(x));
out:
	secret_wipe(&before, sizeof(before));
}

void totp_post(struct call *x)
{
	static const char *const names[] = {"code", "proof", NULL};
	json_t *o = body_object(x, SIGN_IN_PASSKEY_MAX, names);
	unsigned code = 0;
	bool has_code;

	if (o && sign_in_code(x, o, &has_code, &code)) {
		if (has_code)
			totp_confirm(x, code);
		else if (sign_in_proof(x, o, "for codes of an app"))
			totp_show(x);
	}
	json_decref(o);
}

void totp_remove_post(struct call *x)
{
	static const char *const names[] = {"proof", NULL};
	struct told t = {.kind = KIND_CONSOLE_ACCOUNT, .text = "second factor removed: codes", .urgent = true};
	json_t *o = body_object(x, SIGN_IN_PASSKEY_MAX, names);
	struct account *a = x->account, before;

	if (!o || !sign_in_proof(x, o, "for removing codes of an app"))
		goto out;
	before = *a;
	if (!a->has_totp)
		reply_error(x, 404, "totp", "this account has no codes of an app");
	else if (account_factors(a) == 1)
		reply_error(x, 409, "last", "it is the only second factor: add another one first");
	else if (tell_call(x, t)) {
		a->has_totp = false;
		a->totp_used = 0;
		secret_wipe(a->totp, OTP_SECRET_SIZE);
		if (sign_in_keep(x, &before)) {
			sign_in_changed(x);
			reply(x, own_json(a));
		}
	}
	secret_wipe(&before, sizeof(before));
out:
	json_decref(o);
}

json_t *recovery_left_json(const struct account *a)
{
	if (!a->recovery.made_us)
		return json_null();
	return json_pack("{s:i, s:i, s:o}", "left", (int)a->recovery.n, "of", (int)RECOVERY_CODES, "made",
		time_json(a->recovery.made_us));
}

void recovery_post(struct call *x)
{
	static const char *const names[] = {"proof", NULL};
	struct told t = {.kind = KIND_CONSOLE_ACCOUNT, .urgent = true};
	json_t *o = body_object(x, SIGN_IN_PASSKEY_MAX, names), *list = NULL;
	char shown[RECOVERY_CODES][RECOVERY_TEXT_SIZE];
	struct account *a = x->account, before;
	unsigned i;

	if (!o)
		goto out;
	/* They stand for a factor that was lost; there has to be one. */
	if (!account_has_factor(a)) {
		reply_error(x, 409, "factor", "a second factor comes first: codes of an app, or a passkey");
		goto out;
	}
	if (!sign_in_proof(x, o, "for recovery codes"))
		goto out;
	before = *a;
	if (recovery_make(a->name, clock_wall_us(), &a->recovery, shown)) {
		reply_error(x, 503, "busy", "no random numbers");
		goto out;
	}
	t.text = before.recovery.made_us ? "recovery codes made, instead of those before" : "recovery codes made";
	if (!tell_call(x, t)) {
		*a = before;
	} else if (sign_in_keep(x, &before)) {
		list = json_array();
		for (i = 0; i < RECOVERY_CODES; i++)
			json_array_append_new(list, json_string(shown[i]));
		reply(x, json_pack("{s:o}", "codes", list));
	}
	secret_wipe(shown, sizeof(shown));
	secret_wipe(&before, sizeof(before));
out:
	json_decref(o);
}
