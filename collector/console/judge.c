/*
 * What somebody shows, and whether it is right: at the sign-in, behind a password or a provider, and before they change
 * what they sign in with. Behind a wrong password nothing more is looked at, so that neither words nor time tell what
 * an account has.
 */
#include "collector/console/federate.h"
#include "collector/console/sign_in.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>

#define FRESH_US 300000000 /* who signed in so long ago has shown who they are */

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

bool shown_read(struct call *x, const json_t *o, struct shown *s)
{
	const json_t *passkey = json_object_get(o, "passkey"), *certificate = json_object_get(o, "certificate");
	const json_t *recovery = json_object_get(o, "recovery");

	s->has_passkey = passkey != NULL;
	s->has_certificate = certificate != NULL;
	if (certificate && !json_is_true(certificate)) {
		reply_error(x, 400, "request", "\"certificate\" is true, or not there");
		return false;
	}
	if ((json_object_get(o, "code") != NULL) + (recovery != NULL) + s->has_passkey + s->has_certificate > 1) {
		reply_error(x, 400, "request", "a code, a passkey, the certificate or a recovery code: one of them");
		return false;
	}
	if (recovery) {
		s->recovery = body_text(x, o, "recovery", RECOVERY_TYPED_MAX);
		return s->recovery != NULL;
	}
	return passkey ? shown_passkey_read(x, passkey, &s->passkey) : sign_in_code(x, o, &s->has_code, &s->code);
}

void shown_deinit(struct shown *s)
{
	shown_passkey_deinit(&s->passkey);
}

bool shown_factor(const struct shown *s)
{
	return s->has_code || s->has_passkey || s->has_certificate || s->recovery;
}

/* The owner of an account signed in last from where this is asked. */
bool sign_in_known(const struct call *x)
{
	return x->account && x->account->known[0] && !strcmp(x->account->known, x->address);
}

static const char *factor_of(const struct shown *s)
{
	return s->has_passkey       ? "passkey"
	       : s->has_certificate ? "certificate"
	       : s->has_code        ? "code"
	       : s->recovery        ? "recovery code"
				    : NULL;
}

static void put_method(const struct shown *s, struct judged *j)
{
	const char *first = s->password || (s->first && !s->federated) ? "password" : s->first ? FEDERATE_METHOD : NULL;
	const char *second = factor_of(s);

	snprintf(j->method, sizeof(j->method), "%s%s%s", first ? first : "", first && second ? " and " : "",
		second ? second : "");
}

/* Is it the code, or one of the recovery codes? One that is tried too often is not, and who tries is not told that. */
static bool right_code(struct call *x, const struct shown *s, struct judged *j)
{
	struct account *a = x->account;
	int64_t now = clock_boot_us();
	bool good = false;

	if (!attempt_code(x->c->attempts, a->name, sign_in_known(x), now)) {
		j->cause = CAUSE_TOO_OFTEN;
		return false;
	}
	if (s->has_code) {
		good = a->has_totp && !otp_check(a->totp, s->code, clock_wall_us() / 1000000,
					      (unsigned)x->c->conf.otp_steps, &a->totp_used);
	} else {
		unsigned at = recovery_find(&a->recovery, a->name, s->recovery);

		good = at < a->recovery.n;
		if (good) {
			recovery_use(&a->recovery, at);
			j->recovered = true;
		}
	}
	if (!good)
		attempt_wrong_code(x->c->attempts, a->name, sign_in_known(x), now);
	return good;
}

/* A passkey without anything before it: whose it is says the passkey. */
static bool is_alone(const struct shown *s)
{
	return s->has_passkey && !s->password && !s->first && !s->proof;
}

/* Is it a factor of the account's? Takes down what must not be good again. */
static bool right_factor(struct call *x, const struct shown *s, struct judged *j)
{
	struct passkey *key = NULL;
	struct bound_certificate *certificate = NULL;

	if (s->has_passkey) {
		bool alone = is_alone(s);
		bool verified = alone || (s->proof && !s->password && !s->federated);

		if (!shown_passkey_good(x, alone ? NULL : x->account, verified, &s->passkey, &key, &j->cause, &j->why))
			return false;
		text_copy(j->key, sizeof(j->key), SPAN_STR(key->name));
		return true;
	}
	if (s->has_certificate) {
		j->cause = CAUSE_CERTIFICATE;
		if (!visitor_good(x, x->account, &certificate, &j->why))
			return false;
		text_copy(j->key, sizeof(j->key), SPAN_STR(certificate->name));
		x->began.has_certificate = true;
		x->began.certificate = certificate->fingerprint;
		return true;
	}
	if (!x->account || !account_has_factor(x->account))
		return x->account != NULL;
	return shown_factor(s) && right_code(x, s, j);
}

void judge(struct call *x, const struct shown *s, struct judged *j)
{
	struct account before = {.name = ""};

	put_method(s, j);
	j->cause = CAUSE_CREDENTIALS;
	if (s->password && password_check(s->password, x->account ? x->account->password : NULL)) {
		if (s->has_passkey)
			shown_passkey_drop(x);
		return;
	}
	if (!x->account && !is_alone(s))
		return;
	if (s->password && !s->proof && !shown_factor(s) && account_has_factor(x->account)) {
		j->due = !x->account->disabled;
		j->cause = j->due ? 0 : CAUSE_DISABLED;
		return;
	}
	if (x->account)
		before = *x->account;
	j->good = right_factor(x, s, j) && x->account;
	if (j->good && x->account->disabled) {
		j->cause = CAUSE_DISABLED;
		j->good = false;
		j->recovered = false;
		/* With a passkey alone the account was not known before; then nothing is written of it either. */
		if (!s->has_passkey)
			*x->account = before;
	}
	secret_wipe(&before, sizeof(before));
}

bool sign_in_recovered(struct call *x, const struct judged *j)
{
	struct told t = {.kind = KIND_CONSOLE_ACCOUNT, .urgent = true};
	char text[64];

	if (!j->recovered)
		return true;
	snprintf(text, sizeof(text), "a recovery code was used: %u left", x->account->recovery.n);
	t.text = text;
	return tell_call(x, t);
}

/* --- before a change --- */

/* The first factor of an account, or one of somebody for whom a provider vouches: nothing here could be shown yet. */
static bool may_begin(struct call *x)
{
	if (sign_in_due_password(x)) {
		reply_error(x, 403, "must", "another password comes first");
		return false;
	}
	if (!sign_in_due_factor(x) && clock_boot_us() - x->session->created_us > FRESH_US) {
		reply_error(x, 403, "fresh", "sign in again first: it was too long ago");
		return false;
	}
	return true;
}

/* Reads the member "proof". False: answered. */
static bool read_proof(struct call *x, const json_t *o, struct shown *s)
{
	static const char *const names[] = {"password", "code", "passkey", "certificate", "recovery"};
	size_t i, known = 0;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		known += json_object_get(o, names[i]) != NULL;
	if (!json_is_object(o) || known != json_object_size(o)) {
		reply_error(x, 400, "request", "\"proof\" holds password, and code, passkey, certificate or recovery");
		return false;
	}
	if (!shown_read(x, o, s))
		return false;
	if (!shown_factor(s)) {
		reply_error(x, 400, "proof", "a second factor of this account belongs there");
		return false;
	}
	s->federated = x->session->began.federated;
	if (!json_object_get(o, "password"))
		s->password = NULL;
	else if (!(s->password = body_text(x, o, "password", PASSWORD_MAX)))
		return false;
	/* A passkey that knows its person is two factors. Who came by a provider may have no password here. */
	if (!s->password && !s->federated && !s->has_passkey) {
		reply_error(x, 400, "proof", "the present password belongs there");
		return false;
	}
	/* A browser shows a certificate without asking anybody: alone it does not say that its owner is there. */
	if (s->has_certificate && !s->password && clock_boot_us() - x->session->created_us > FRESH_US) {
		reply_error(x, 403, "fresh", "sign in again first: it was too long ago");
		return false;
	}
	return true;
}

bool sign_in_proof(struct call *x, const json_t *body, const char *what)
{
	struct told t = {.kind = KIND_SIGN_IN_REFUSED, .text = what};
	struct shown s = {.proof = true};
	struct judged j = {.why = {""}};
	struct account before;
	bool good = false;

	if (!account_has_factor(x->account))
		return may_begin(x);
	before = *x->account;
	if (!read_proof(x, json_object_get(body, "proof"), &s) || !sign_in_attempt(x))
		goto out;
	judge(x, &s, &j);
	if (!j.good) {
		t.cause = j.cause;
		t.method = j.method;
		x->c->count.sign_in_refused++;
		if (tell_call(x, t))
			reply_error(x, 401, "credentials", "the password or the second factor is wrong");
		goto out;
	}
	/* An attempt as any other. The right one costs none, and gives none back: somebody with an account of their own
	 * would else have as many as they like at other people's. */
	attempt_undo(x->c->attempts, x->address, clock_boot_us());
	/* What was shown must not be good again, whatever comes of the change. */
	good = sign_in_recovered(x, &j);
	if (!good)
		*x->account = before;
	good = good && sign_in_keep(x, &before);
out:
	shown_deinit(&s);
	secret_wipe(&before, sizeof(before));
	return good;
}
