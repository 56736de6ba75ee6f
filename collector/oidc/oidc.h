/*
 * Signing in by an OpenID provider (OpenID Connect Core 1.0; RFC 6749, RFC 7636, RFC 9207, RFC 9700): the console as a
 * relying party, authorization code flow with PKCE; and being signed out by it (Back-Channel Logout 1.0). Used by
 * sekisho-console.
 *
 * Three parts: what goes into and comes out of the browser (flow.c, pure); whether an ID token or a logout token is
 * good (token.c, pure, fuzzed by tests/fuzz/oidc); a process with the network (child.c, provider.c). The console itself
 * has no port out: it asks that process over a socket pair, and is told who signed in, or why nobody did. The process
 * has a user of its own, can read none of the console's files, and does each question in a child that ends with it. Who
 * takes it over can say that somebody signed in at the provider; not with a second factor of the console's.
 */
#ifndef SEKISHO_OIDC_OIDC_H
#define SEKISHO_OIDC_OIDC_H

#include "policy/base/buf.h"
#include "policy/base/why.h"
#include "policy/trust/digest.h"
#include <jansson.h>
#include <sys/types.h>

#define OIDC_URL_MAX 1024u
#define OIDC_SUBJECT_SIZE 256 /* Core section 2: sub has at most 255 ASCII characters */
#define OIDC_CODE_MAX 2048u
#define OIDC_MESSAGE_MAX 32768u
#define OIDC_TOKEN_MAX 32768u
#define OIDC_LOGOUT_MAX 8192u /* bytes of a logout token: it names one person or session, and anybody may send it */
#define OIDC_KEYS_MAX 16384u  /* bytes of a provider's keys that are kept: with a logout token they are one message */
#define OIDC_LEEWAY_S 60      /* by how much clocks may differ */
#define OIDC_AGE_S 600        /* an ID token that was made longer ago is none of this sign-in */
#define OIDC_TIME_S 20        /* of one question */
#define OIDC_AT_ONCE 4u       /* questions; others wait */

struct oidc_settings {
	const char *issuer, *client_id;
	const char *secret_file, *ca_file; /* may be empty: a public client; the machine's own CAs */
	const char *acr;                   /* what counts as two factors, separated by blanks; empty: nothing does */
	bool untyped;                      /* its logout tokens may leave out what they are */
};

/* --- flow.c --- */

/* What one sign-in is known by; all of it comes from 32 bytes that only the console has. */
struct oidc_flow {
	char state[65], nonce[65], verifier[65];
};
void oidc_flow(const uint8_t secret[32], struct oidc_flow *out);
/*
 * Where the browser goes: the provider's authorization endpoint with the request (Core section 3.1.2.1). 0; V_BAD where
 * the endpoint is no https address; V_FULL; -ENOMEM.
 */
int oidc_location(const char *endpoint, const struct oidc_settings *s, const char *redirect, const struct oidc_flow *f,
	struct buf *out);
/* Is `url` an https address without fragment, of printable ASCII? */
bool oidc_is_https(const char *url);
/*
 * Where the browser goes to sign out there as well (RP-Initiated Logout 1.0 section 2), and comes back from with the
 * state. The client is named by its id, so that no ID token has to be kept here or to stand in an address; the provider
 * asks the person. 0; V_BAD where the endpoint is no https address; V_FULL; -ENOMEM.
 */
int oidc_logout_location(
	const char *endpoint, const struct oidc_settings *s, const char *redirect, const char *state, struct buf *out);
/* base64url without padding (RFC 7515 section 2), of a SHA-256. */
#define OIDC_HASH_TEXT_SIZE 44
void oidc_hash_text(const uint8_t *p, size_t n, char out[OIDC_HASH_TEXT_SIZE]);
/* Is it one of the words, which are separated by blanks? */
bool oidc_has_word(const char *words, const char *word);

/*
 * Is it a subject that people can be bound by: 1 to 255 characters of ASCII (Core section 2), none of them hidden, no
 * blank at an end, where nobody sees it? One rule for what is bound and for what a token says.
 */
bool oidc_is_subject(const char *s, size_t n);

/* A string of an object from outside; NULL where it is none, or has a NUL in it. */
const char *oidc_text(const json_t *o, const char *name);

/* --- token.c --- */

struct oidc_want {
	const char *issuer, *client_id, *nonce, *acr;
	const char *access_token; /* which came with it; NULL: none */
	bool untyped;             /* a logout token without typ, or of the type JWT, is one as well */
	int64_t now_s;
};
struct oidc_claims {
	char subject[OIDC_SUBJECT_SIZE];
	bool assured;      /* by two factors, as acr asks */
	bool has_sid;      /* the provider names its session (Back-Channel Logout section 2.1) */
	struct digest sid; /* SHA-256 of that name */
};
/*
 * Is this ID token good (Core section 3.1.3.7)? Signed by one of `jwks` (RFC 7517) with RS256, PS256 or ES256, and by
 * nothing else; of this issuer, for this client alone, of this sign-in, in its time. 0; V_BAD with the reason.
 */
int oidc_token_check(
	struct span token, const json_t *jwks, const struct oidc_want *want, struct oidc_claims *out, struct why *why);

/* What a logout token asks (OpenID Connect Back-Channel Logout 1.0 section 2.4): a person, a session, or both. */
struct oidc_logout {
	char subject[OIDC_SUBJECT_SIZE]; /* empty: not named */
	bool has_sid;
	struct digest sid, jti; /* SHA-256 of each */
	int64_t until_s;        /* wall clock: from then on it is not good any more, whoever brings it */
};
/*
 * Could this be a logout token for us (section 2.6)? All but its signature, so that what cannot be one costs nobody
 * anything: of an algorithm that is taken, said to be a logout token (typ, as section 2.4 recommends and RFC 8725
 * section 3.11 wants; with want->untyped, said to be no other kind), of this issuer, for this client alone, in its
 * time, with the event and a jti, without nonce, and with sub, sid or both. Of `want`, issuer, client_id, untyped and
 * now_s count. 0; V_BAD with the reason.
 */
int oidc_logout_look(struct span token, const struct oidc_want *want, struct oidc_logout *out, struct why *why);
/* The same, and signed by one of `jwks`, as oidc_token_check wants it; V_DENIED where that alone is wrong. */
int oidc_logout_check(
	struct span token, const json_t *jwks, const struct oidc_want *want, struct oidc_logout *out, struct why *why);
/*
 * A set with those of `jwks` that can sign for us, and of each what makes it that key: for keeping. The checks say the
 * same of both. The caller's; NULL without memory.
 */
json_t *oidc_keys(const json_t *jwks);

/* --- provider.c: what the child does --- */

struct oidc_client {
	struct oidc_settings s;
	struct buf secret, ca;
};
/* Answers one question of the console's. Never NULL but without memory. */
json_t *oidc_answer(const struct oidc_client *c, const json_t *question);

/* --- child.c --- */

/*
 * Starts the process with the network, as `user`, before the caller gives its own power up; it ends when *fd (a
 * SOCK_SEQPACKET of the caller's, which does not block) is closed. 0; V_BAD, V_NOT_FOUND with the reason; -errno.
 *
 * Messages are JSON objects, at most OIDC_MESSAGE_MAX bytes. Questions:
 *   {"id": n, "ask": "where"}
 *   {"id": n, "ask": "who", "code": s, "verifier": s, "nonce": s, "redirect": s}
 *   {"id": n, "ask": "leave", "token": s, "keys": o}    is this logout token good? By these keys; where there are none
 * they are fetched
 * Answers, in any order, one for each:
 *   {"id": n, "endpoint": s, "iss": b, "end": s}    authorization endpoint; does the provider name itself in its
 * answers (RFC 9207)? Its end_session_endpoint, "" where it has none
 *   {"id": n, "subject": s, "assured": b, "sid": s}    SHA-256 of the provider's name for its session, in hexadecimal
 * digits; "" where it has none
 *   {"id": n, "leave": true, "keys": o}    with the keys, to be kept, where they were fetched
 *   {"id": n, "refused": "provider" | "token" | "signature", "reason": s, "keys": o}    "signature": of a logout token,
 * which is good but for that
 */
int oidc_start(const struct oidc_settings *s, const char *user, int *fd, struct why *why);

#endif
