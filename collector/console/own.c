/*
 * What people change of their own: the password, the second factor by codes. Passkeys are passkeys.c's.
 */
#include "collector/console/sign_in.h"
#include "policy/base/clock.h"
#include <errno.h>

#define ISSUER "Sekisho"

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
bool sign_in_password(struct call *x, const char *password, const char *what)
{
	struct told t = {.kind = KIND_SIGN_IN_REFUSED, .cause = CAUSE_CREDENTIALS, .method = "password", .text = what};

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

void password_post(struct call *x)
{
	static const char *const names[] = {"old", "new", NULL};
	struct told t = {.kind = KIND_CONSOLE_ACCOUNT, .text = "another password", .urgent = true};
	json_t *o = body_object(x, SIGN_IN_BODY_MAX, names);
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
	if (!new || !sign_in_password(x, old, "for a new password"))
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
	if (!sign_in_keep(x, &before))
		goto out;
	x->began = x->session->began;
	session_end_all(x->c->sessions, x->account->name, NULL);
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
	struct told t = {.kind = KIND_CONSOLE_ACCOUNT, .text = "a second factor: codes", .urgent = true};
	json_t *o = body_object(x, SIGN_IN_BODY_MAX, names);
	struct account before;
	unsigned code = 0;
	uint64_t used = 0;
	bool has_code;

	if (!o)
		return;
	before = *x->account;
	if (!sign_in_code(x, o, &has_code, &code))
		goto out;
	if (account_has_factor(x->account)) {
		reply_error(x, 409, "totp", "this account has a second factor: an administrator resets it");
		goto out;
	}
	if (!has_code) {
		totp_show(x);
		goto out;
	}
	if (!sign_in_attempt(x))
		goto out;
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
	if (!sign_in_keep(x, &before))
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
