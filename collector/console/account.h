/*
 * Who may sign in: a file of the console's own (accounts.json, 0600), read at the start and replaced durably at each
 * change. Changed by sekishoctl through the console's door, and by people for themselves.
 */
#ifndef SEKISHO_CONSOLE_ACCOUNT_H
#define SEKISHO_CONSOLE_ACCOUNT_H

#include "collector/console/bound.h"
#include "collector/console/passkey.h"
#include "collector/console/recovery.h"
#include "policy/trust/otp.h"
#include <jansson.h>

#define ACCOUNTS_MAX 500u
#define ACCOUNT_NAME_SIZE 65
#define SCOPE_MAX 32u
#define SCOPE_SIZE 128
#define PASSWORD_HASH_SIZE 128
#define PASSWORD_MIN 12u
#define PASSWORD_MAX 256u
#define ADDRESS_SIZE 64

enum { ROLE_ADMINISTRATOR = 1 << 0, ROLE_AUDITOR = 1 << 1, ROLE_VIEWER = 1 << 2 };
#define ROLES_ALL (ROLE_ADMINISTRATOR | ROLE_AUDITOR | ROLE_VIEWER)

struct account {
	char name[ACCOUNT_NAME_SIZE];
	unsigned roles;
	unsigned scope_n; /* 0: all PCs */
	char scope[SCOPE_MAX][SCOPE_SIZE];
	bool disabled;
	bool must_password;                /* the password is one that somebody else knows */
	char password[PASSWORD_HASH_SIZE]; /* PHC string, Argon2id */
	bool has_totp;
	uint8_t totp[OTP_SECRET_SIZE];
	uint64_t totp_used;                  /* the last step that was good */
	uint8_t handle[PASSKEY_HANDLE_SIZE]; /* what authenticators know the account by; zeros: none yet */
	unsigned passkeys_n;
	struct passkey passkeys[PASSKEYS_MAX];
	unsigned certificates_n;
	struct bound_certificate certificates[CERTIFICATES_MAX];
	struct bound_oidc oidc;
	struct recovery recovery; /* no factor: what stands for one that was lost */
	char known[ADDRESS_SIZE]; /* where its owner signed in from last */
	int64_t created_us, signed_in_us;
};

struct accounts {
	char path[600];
	struct account *v;
	unsigned n;
};

/* 0, also where there is no file yet; V_BAD with what is wrong; -errno. */
int accounts_load(const char *path, struct accounts *out, struct why *why);
void accounts_deinit(struct accounts *a);
/* Replaces the file, durably. 0, -errno. */
int accounts_save(const struct accounts *a);

struct account *account_find(struct accounts *a, const char *name);
/* Has it anything besides the password? How many of them? */
bool account_has_factor(const struct account *a);
unsigned account_factors(const struct account *a);
/* Whose certificate has this fingerprint: NULL where nobody's has. */
struct account *account_of_certificate(
	struct accounts *a, const struct digest *fingerprint, struct bound_certificate **out);
/* Whose this person of an OpenID provider is: NULL where nobody's. */
struct account *account_of_oidc(struct accounts *a, const char *issuer, const char *subject);
void account_drop_certificate(struct account *a, struct bound_certificate *b);
/* What everybody may see of them who may see that they are there. */
json_t *certificates_json(const struct account *a);
/* Whose passkey has this id: NULL where nobody's is. */
struct account *account_of_passkey(struct accounts *a, struct span id, struct passkey **key);
/* The passkey that the API calls so, or NULL. */
struct passkey *account_passkey(struct account *a, const char *ref);
void account_drop_passkey(struct account *a, struct passkey *k);
/* What everybody may see of recovery codes: {left, of, made}; null where none were made. */
json_t *recovery_left_json(const struct account *a);
/* What everybody may see of them who may see that they are there: {id, name, created, used}. */
json_t *passkeys_json(const struct account *a);
/* 0 with the new one, which is in no file yet; V_EXISTS; V_FULL; V_BAD where that is no name. */
int account_add(struct accounts *a, const char *name, struct account **out);
/* Letters, digits, '.', '-', '_', '@'; UTF-8 letters too; no control characters. */
bool account_name_fits(const char *name);

/* "administrator" and so on: 0 where it is none. */
unsigned role_by_name(const char *name);
json_t *roles_json(unsigned roles);
json_t *scope_json(const struct account *a);
/* May this account see that PC (name; "" where it is not known)? */
bool account_sees(const struct account *a, const char *host_name);

/* --- password.c --- */

/* Hashes into a PHC string. 0, -errno. */
int password_hash(const char *password, char out[PASSWORD_HASH_SIZE]);
/* 0; V_DENIED. As long for an account that is not there (hash NULL). */
int password_check(const char *password, const char *hash);
/* `groups` groups of four letters of 31, with dashes between: 5 * groups characters with the NUL. 0, -errno. */
int password_groups(char *out, unsigned groups);
/* A password that nobody could guess, for one sign-in: 5 groups of 4. 0, -errno. */
int password_make(char out[32]);

/* Why a password is not good enough. */
enum password_verdict {
	PASSWORD_GOOD,
	PASSWORD_SIZE,     /* not UTF-8, or not of PASSWORD_MIN characters to PASSWORD_MAX bytes */
	PASSWORD_NAMED,    /* holds the account's name */
	PASSWORD_KNOWN,    /* of those that are tried first, or in the office's filter */
	PASSWORD_GUESSED,  /* pieces, rows, words with little more: libpasswdqc, passwdqc_check(3) */
	PASSWORD_UNJUDGED, /* the filter cannot be read now; the log says why */
};
/* `filter`: a file of pwqfilter(1), read at each call (two places of it); "": none. */
enum password_verdict password_judge(const char *password, const char *account, const char *filter);
/* Can the filter be read ("": there is none)? 0; V_BAD with the reason; -errno. */
int password_filter_check(const char *filter, struct why *why);
/* Is it, in small letters, one that is tried first (password_known.c)? */
bool password_is_known(const char *lower);

#endif
