/*
 * Sessions: in memory, by the SHA-256 of what the cookie holds. Pure but for random bytes: the caller says what time it
 * is.
 */
#ifndef SEKISHO_CONSOLE_SESSION_H
#define SEKISHO_CONSOLE_SESSION_H

#include "collector/console/account.h"

#define SESSIONS_MAX 1024u
#define SESSIONS_EACH 16u /* of one account: the oldest gives way */
#define SESSION_ID_SIZE 32
#define SESSION_TEXT_SIZE (2 * SESSION_ID_SIZE + 1)
#define SESSION_REF_SIZE 33
#define SESSION_COOKIE "__Host-sekisho"
#define SESSION_VIEWS 32u

/* By what a session began: it ends with that. */
struct began {
	bool has_certificate;
	struct digest certificate; /* SHA-256 of the one that was shown: every request has to show it */
	bool federated;            /* by an OpenID provider: no password was asked for */
	bool assured;              /* which says that it was by two factors */
	bool has_sid;
	struct digest sid; /* SHA-256 of what the provider calls its own session */
};

struct session {
	bool used;
	struct began began;
	struct digest id; /* of the cookie's value */
	char csrf[SESSION_TEXT_SIZE];
	char account[ACCOUNT_NAME_SIZE];
	char address[ADDRESS_SIZE];
	int64_t created_us, seen_us; /* boot clock */
	int64_t created_wall_us;
	uint8_t totp[OTP_SECRET_SIZE]; /* shown, not confirmed yet */
	bool has_totp;
	int64_t totp_us;                         /* when it was shown */
	uint8_t passkey[PASSKEY_CHALLENGE_SIZE]; /* challenge of a new one */
	int64_t passkey_us;                      /* when it was given; 0: there is none */
	unsigned streams;
	/* What was told to the access log lately. */
	struct {
		struct digest what;
		int64_t at_us;
	} views[SESSION_VIEWS];
};

struct sessions {
	struct session v[SESSIONS_MAX];
	uint64_t idle_us, life_us;
};

/* A new one; `cookie` gets what the browser keeps. 0; V_FULL; -errno. */
int session_new(struct sessions *s, const char *account, const char *address, int64_t now_us, int64_t wall_us,
	char cookie[SESSION_TEXT_SIZE], struct session **out);
/* The one with this cookie, if it is not over; or NULL. */
struct session *session_find(struct sessions *s, const char *cookie, int64_t now_us);
/* The one with this id, over or not; or NULL. */
struct session *session_by_id(struct sessions *s, const struct digest *id);
bool session_over(const struct sessions *s, const struct session *x, int64_t now_us);
void session_end(struct session *x);
/* An account's next session that is not over, from place *at on (begin with 0), which moves behind it; NULL: no more.
 */
struct session *session_next(struct sessions *s, const char *account, int64_t now_us, unsigned *at);
/* How one is named to its owner: the beginning of its id, of which nobody can make the cookie. */
void session_ref(const struct session *x, char out[SESSION_REF_SIZE]);
/* All of an account but one (may be NULL). */
void session_end_all(struct sessions *s, const char *account, const struct session *but);

/*
 * The value of the cookie `name` in a Cookie header, which has `size` - 1 hexadecimal digits. 0; V_NOT_FOUND; V_BAD
 * where it is there twice or is none of ours.
 */
int cookie_hex(const char *header, const char *name, size_t size, char *out);
/* The value of our cookie in a Cookie header. 0; V_NOT_FOUND; V_BAD where it is there twice or is none of ours. */
int session_cookie(const char *header, char out[SESSION_TEXT_SIZE]);

#endif
