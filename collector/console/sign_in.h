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
/* What has to be done before anything else: a password of their own; a second factor. */
bool sign_in_due_password(const struct call *x);
bool sign_in_due_factor(const struct call *x);
/* Six digits, or none at all. False: answered. */
bool sign_in_code(struct call *x, const json_t *o, bool *has, unsigned *code);
/* Answers that there were too many attempts, and tells it. */
void sign_in_too_often(struct call *x, unsigned wait, const char *account);
/* An attempt at the address of whoever is signed in. False: answered. */
bool sign_in_attempt(struct call *x);
/* The present password, of whoever is signed in and changes something of their own; `what` is for the access log.
 * False: answered. */
bool sign_in_password(struct call *x, const char *password, const char *what);
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

#endif
