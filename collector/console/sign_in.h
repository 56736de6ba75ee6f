/*
 * What signing in, a person's own password and their second factors share. See sign_in.c, own.c, passkeys.c.
 */
#ifndef SEKISHO_CONSOLE_SIGN_IN_H
#define SEKISHO_CONSOLE_SIGN_IN_H

#include "collector/console/console.h"

#define SIGN_IN_BODY_MAX 4096u
/* What a browser sends of a passkey, in base64 inside of JSON. */
#define SIGN_IN_PASSKEY_MAX 49152u

/* Begins a session for x->account and answers with it. */
void sign_in_begin(struct call *x);
json_t *session_json(const struct call *x);
/* Somebody is who they say: remembers it, tells it by its method and what more there is to say, begins the session. */
void sign_in_let_in(struct call *x, const char *method, const char *text);
/* Sets a cookie of a sign-in's that is not done yet; 0 seconds take it back. */
void answer_cookie(struct call *x, const char *name, const char *value, unsigned seconds);
/* What has to be done before anything else: a password of their own; a second factor. */
bool sign_in_due_password(const struct call *x);
bool sign_in_due_factor(const struct call *x);
/* Answers that there were too many attempts, and tells it. */
void sign_in_too_often(struct call *x, unsigned wait, const char *account);
/* An attempt at the address of whoever is signed in. False: answered. */
bool sign_in_attempt(struct call *x);
/* What somebody signs in with is another: all other sessions of theirs end, and what was begun is over. */
void sign_in_changed(struct call *x);
/* What an account signs in with, beside its password, for its owner. */
json_t *own_json(const struct account *a);
/* Writes the accounts; where that fails, `before` is what x->account is again. False: answered. */
bool sign_in_keep(struct call *x, const struct account *before);

/* --- passkeys.c --- */

/* A passkey that was shown at the sign-in: the member "passkey" of the body. */
struct shown_passkey {
	struct buf id, client_data, authenticator_data, signature, user_handle;
};
/* Reads it. False: answered. */
bool shown_passkey_read(struct call *x, const json_t *o, struct shown_passkey *out);
void shown_passkey_deinit(struct shown_passkey *s);
/*
 * Is it one of this account's (NULL: of anybody's; the account is then x->account), and does it prove so now? Takes the
 * challenge of this browser, whatever comes of it. Where it is good its counter is set, and *key is it; else *cause and
 * the reason say what was wrong.
 */
bool shown_passkey_good(struct call *x, struct account *only, bool verified, const struct shown_passkey *s,
	struct passkey **key, unsigned *cause, struct why *why);
/* Behind a wrong password it is not looked at; its challenge is used all the same. */
void shown_passkey_drop(struct call *x);

/* --- judge.c --- */

/* What somebody shows, at the sign-in or before a change. */
struct shown {
	const char *account, *password; /* both, or neither; before a change the password alone */
	bool first;                     /* instead of both: the first factor was shown a moment ago (second.c) */
	bool federated;                 /* which was a sign-in at the provider; no password is asked for */
	bool proof;                     /* of who is signed in, before a change */
	bool has_code, has_passkey, has_certificate;
	unsigned code;
	const char *recovery;
	struct shown_passkey passkey;
};

/* How it went. */
struct judged {
	bool good;
	bool due;       /* name and password are right, and no second factor came along */
	bool recovered; /* by a recovery code, which is used */
	unsigned cause;
	char method[40];
	struct why why; /* of a passkey or a certificate */
	char key[PASSKEY_NAME_SIZE];
};

/* Six digits, or none at all. False: answered. */
bool sign_in_code(struct call *x, const json_t *o, bool *has, unsigned *code);
/* The second factor of an object: code, passkey, certificate or recovery, or none. False: answered. */
bool shown_read(struct call *x, const json_t *o, struct shown *s);
void shown_deinit(struct shown *s);
/* Is there one? */
bool shown_factor(const struct shown *s);
/* Is all that is shown right, of x->account (NULL: nobody's; a passkey alone finds it)? Nothing is written or told. */
void judge(struct call *x, const struct shown *s, struct judged *j);
/* Did the owner of x->account sign in last from where this is asked? */
bool sign_in_known(const struct call *x);
/* Tells that a recovery code was used, where one was. False: answered. */
bool sign_in_recovered(struct call *x, const struct judged *j);
/*
 * Before somebody changes what they sign in with: who they are is shown again (OWASP ASVS 5.0.0, 7.5.1), by the member
 * "proof" of the body: the password, where they signed in with one, and a second factor; or a passkey that knows its
 * person. Where there is no factor yet the sign-in itself has to be that proof. `what` is for the access log. False:
 * answered.
 */
bool sign_in_proof(struct call *x, const json_t *body, const char *what);

/* --- second.c --- */

/* The first factor is shown, by which a session will begin: tells which second ones there are, and waits for one.
 * Answers. */
void second_begin(struct call *x, const struct began *began);
/* Who has shown the first factor with this browser; NULL: nobody, or it is too long ago. */
struct second *second_of(struct call *x);
/* They are in: it counts no more. */
void second_end(struct call *x);
/* Nor for anybody of this account, whose factors have changed. */
void second_end_all(struct console *c, const char *account);
struct oidc_logout;
/*
 * Nor for whom the provider has signed out, asked so from `address`: each is told before it is over. 0; V_FULL where it
 * cannot be recorded; -errno.
 */
int seconds_leave(struct console *c, const struct oidc_logout *what, const char *address);

#endif
