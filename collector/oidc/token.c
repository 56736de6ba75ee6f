/*
 * ID tokens and logout tokens: JSON Web Tokens in compact form (RFC 7519, RFC 7515), whose bytes come from outside.
 * Neither is ever taken for the other: one has this sign-in's nonce and not the event, the other the event and no
 * nonce. libjose checks the signature, with a key and an algorithm that are chosen here: what the token says of keys is
 * not looked at. The practices of RFC 8725.
 */
#include "collector/oidc/oidc.h"
#include "policy/base/text.h"
#include <errno.h>
#include <jose/b64.h>
#include <jose/jws.h>
#include <strings.h>

#define PART_MAX 16384u
#define KEYS_MAX 64u
#define RSA_MIN 256u /* bytes of the modulus */
#define RSA_MAX 512u
#define LOGOUT_TYPE "logout+jwt"
#define LOGOUT_EVENT "http://schemas.openid.net/event/backchannel-logout"

#define _cleanup_json_ _cleanup_(json_decrefp)

/* The algorithms that are taken, and the kind of key that each belongs to. */
static const struct {
	const char *alg, *kty, *crv;
} algorithms[] = {{"RS256", "RSA", NULL}, {"PS256", "RSA", NULL}, {"ES256", "EC", "P-256"}};

static bool is(const json_t *o, const char *name, const char *want)
{
	const char *s = oidc_text(o, name);

	return s && !strcmp(s, want);
}

/* A part of the token: base64url of a JSON object, without the same name twice. NULL: it is none. */
static json_t *part(struct span s)
{
	_cleanup_free_ char *room = malloc(PART_MAX);
	size_t n = room && s.n ? jose_b64_dec_buf(s.p, s.n, NULL, 0) : SIZE_MAX;
	json_t *o;

	if (n > PART_MAX || jose_b64_dec_buf(s.p, s.n, room, PART_MAX) != n)
		return NULL;
	o = json_loadb(room, n, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(o))
		return o;
	json_decref(o);
	return NULL;
}

/* Three parts between two dots. */
static bool split(struct span token, struct span parts[3])
{
	const uint8_t *p = token.p, *end = token.p + token.n;
	unsigned i;

	if (!token.n || token.n > OIDC_TOKEN_MAX)
		return false;
	for (i = 0; i < 3; i++) {
		const uint8_t *dot = memchr(p, '.', (size_t)(end - p));

		if (!dot != (i == 2))
			return false;
		parts[i] = SPAN(p, (size_t)((dot ? dot : end) - p));
		p = dot ? dot + 1 : end;
	}
	return true;
}

/* Which of the algorithms it is; -1: none of them. `alg` in other letters is another one. */
static int algorithm(const json_t *header, struct why *why)
{
	const char *alg = oidc_text(header, "alg");
	char shown[40];
	size_t i;

	/* Extensions that have to be understood: none is. */
	if (json_object_get(header, "crit") || json_object_get(header, "b64"))
		return why_set(why, -1, "the token wants an extension to be understood");
	for (i = 0; alg && i < ARRAY_SIZE(algorithms); i++)
		if (!strcmp(alg, algorithms[i].alg))
			return (int)i;
	return why_set(why, -1, "the token is signed by \"%s\", which is not taken",
		text_escape_to(shown, sizeof(shown), SPAN_STR(alg ? alg : "")));
}

/* Is it a key for signatures of that algorithm? */
static bool usable(const json_t *key, size_t alg)
{
	const char *use = oidc_text(key, "use"), *bound = oidc_text(key, "alg");
	size_t n = jose_b64_dec(json_object_get(key, "n"), NULL, 0);

	if (!is(key, "kty", algorithms[alg].kty) || (algorithms[alg].crv && !is(key, "crv", algorithms[alg].crv)))
		return false;
	if (!algorithms[alg].crv && (n == SIZE_MAX || n < RSA_MIN || n > RSA_MAX))
		return false;
	return (!use || !strcmp(use, "sig")) && (!bound || !strcmp(bound, algorithms[alg].alg));
}

static bool fits(const json_t *key, const json_t *header, int alg)
{
	const char *kid = oidc_text(header, "kid"), *own = oidc_text(key, "kid");

	return usable(key, (size_t)alg) && (!kid || (own && !strcmp(kid, own)));
}

/* What of a key makes the key, and nothing of what else it may say. */
static json_t *bare(const json_t *key, int alg)
{
	return algorithms[alg].crv ? json_pack("{s:s, s:s, s:O, s:O}", "kty", "EC", "crv", algorithms[alg].crv, "x",
					     json_object_get(key, "x"), "y", json_object_get(key, "y"))
				   : json_pack("{s:s, s:O, s:O}", "kty", "RSA", "n", json_object_get(key, "n"), "e",
					     json_object_get(key, "e"));
}

/* The same, with what says for which tokens it is. */
static json_t *kept(const json_t *key, int alg)
{
	static const char *const names[] = {"kid", "use", "alg"};
	json_t *o = bare(key, alg);
	size_t i;

	for (i = 0; o && i < ARRAY_SIZE(names); i++) {
		const char *s = oidc_text(key, names[i]);

		if (s && json_object_set_new(o, names[i], json_string(s))) {
			json_decref(o);
			o = NULL;
		}
	}
	return o;
}

json_t *oidc_keys(const json_t *jwks)
{
	_cleanup_json_ json_t *out = json_array();
	const json_t *list = json_object_get(jwks, "keys");
	size_t i, a;

	for (i = 0; out && i < json_array_size(list) && i < KEYS_MAX; i++) {
		const json_t *key = json_array_get(list, i);
		json_t *o;

		for (a = 0; a < ARRAY_SIZE(algorithms) && !usable(key, a); a++)
			;
		if (a == ARRAY_SIZE(algorithms))
			continue;
		o = kept(key, (int)a);
		/* One whose parts are missing checks nothing. */
		if (o && json_array_append_new(out, o))
			return NULL;
	}
	return out ? json_pack("{s:O}", "keys", out) : NULL;
}

static int check_signature(
	const struct span parts[3], const json_t *jwks, const json_t *header, int alg, struct why *why)
{
	_cleanup_json_ json_t *jws = json_pack("{s:s%, s:s%, s:s%}", "protected", (const char *)parts[0].p, parts[0].n,
		"payload", (const char *)parts[1].p, parts[1].n, "signature", (const char *)parts[2].p, parts[2].n);
	const json_t *list = json_object_get(jwks, "keys");
	size_t i, n = json_array_size(list), tried = 0;

	if (!jws)
		return why_set(why, V_BAD, "the token is no text");
	for (i = 0; i < n && i < KEYS_MAX; i++) {
		_cleanup_json_ json_t *key = NULL;

		if (!fits(json_array_get(list, i), header, alg))
			continue;
		key = bare(json_array_get(list, i), alg);
		tried++;
		if (key && jose_jws_ver(NULL, jws, NULL, key, false))
			return 0;
	}
	return why_set(why, V_BAD,
		tried ? "the token's signature is not the provider's"
		      : "the provider has no key of the kind that the token is signed with");
}

/* This client and nobody else (Core section 3.1.3.7, 3 to 5). */
static bool for_us(const json_t *claims, const char *client_id)
{
	const json_t *aud = json_object_get(claims, "aud");

	if (json_object_get(claims, "azp") && !is(claims, "azp", client_id))
		return false;
	if (json_is_array(aud)) {
		const char *one = json_string_value(json_array_get(aud, 0));

		return json_array_size(aud) == 1 && one && !strcmp(one, client_id) &&
		       strlen(one) == json_string_length(json_array_get(aud, 0));
	}
	return is(claims, "aud", client_id);
}

/* Of this issuer, for this client. */
static int check_ends(const json_t *claims, const struct oidc_want *want, struct why *why)
{
	if (!is(claims, "iss", want->issuer))
		return why_set(why, V_BAD, "the token is of another issuer");
	if (!for_us(claims, want->client_id))
		return why_set(why, V_BAD, "the token is for another client, or not for us alone");
	return 0;
}

/* Whole seconds, as providers write them: some as a number with a point. */
static bool seconds(const json_t *claims, const char *name, int64_t *out)
{
	const json_t *v = json_object_get(claims, name);
	double d = json_number_value(v);

	if (!json_is_number(v) || !(d > 0 && d < 1e11))
		return false;
	*out = (int64_t)d;
	return true;
}

static int check_time(const json_t *claims, int64_t now_s, struct why *why)
{
	int64_t made, end, from;

	if (!seconds(claims, "iat", &made) || !seconds(claims, "exp", &end))
		return why_set(why, V_BAD, "the token does not say its time");
	if (end + OIDC_LEEWAY_S <= now_s)
		return why_set(why, V_BAD, "the token has expired");
	if (made > now_s + OIDC_LEEWAY_S)
		return why_set(why, V_BAD, "the token is of the future: a clock is wrong");
	if (made + OIDC_AGE_S < now_s)
		return why_set(why, V_BAD, "the token was made too long ago");
	if (json_object_get(claims, "nbf") && (!seconds(claims, "nbf", &from) || from > now_s + OIDC_LEEWAY_S))
		return why_set(why, V_BAD, "the token is not valid yet");
	return 0;
}

/* The left half of the SHA-256 of the access token (Core section 3.1.3.6), where the claim is there. */
static bool right_at_hash(const json_t *claims, const char *access_token)
{
	char want[OIDC_HASH_TEXT_SIZE];
	struct digest d;

	if (!json_object_get(claims, "at_hash"))
		return true;
	if (!access_token)
		return false;
	digest_span(&d, SPAN_STR(access_token));
	oidc_hash_text(d.b, DIGEST_SIZE / 2, want);
	return is(claims, "at_hash", want);
}

static bool assured(const json_t *claims, const char *acr)
{
	const json_t *amr = json_object_get(claims, "amr");
	const char *got = oidc_text(claims, "acr");
	char word[128];
	size_t i;

	if (got && strncmp(got, "amr:", 4) != 0 && oidc_has_word(acr, got))
		return true;
	for (i = 0; i < json_array_size(amr); i++) {
		const char *s = json_string_value(json_array_get(amr, i));

		if (s && (size_t)snprintf(word, sizeof(word), "amr:%s", s) < sizeof(word) && oidc_has_word(acr, word))
			return true;
	}
	return false;
}

static bool read_subject(const json_t *claims, char out[OIDC_SUBJECT_SIZE])
{
	const char *s = oidc_text(claims, "sub");

	if (!s || !oidc_is_subject(s, strlen(s)))
		return false;
	text_copy(out, OIDC_SUBJECT_SIZE, SPAN_STR(s));
	return true;
}

/* What the token is said to be, if anything is said (RFC 7515 section 4.1.9): a media type, in letters of any kind. */
static bool has_type(const json_t *header, const char *want)
{
	static const char prefix[] = "application/";
	const char *s = oidc_text(header, "typ");

	if (s && !strncasecmp(s, prefix, sizeof(prefix) - 1))
		s += sizeof(prefix) - 1;
	return s && !strcasecmp(s, want);
}

static bool has_event(const json_t *claims)
{
	return json_is_object(json_object_get(json_object_get(claims, "events"), LOGOUT_EVENT));
}

/* The provider's name for its session. False: it is there, and is no name. */
static bool read_sid(const json_t *claims, bool *has, struct digest *out)
{
	const char *s = oidc_text(claims, "sid");

	*has = s && *s;
	if (*has)
		digest_span(out, SPAN_STR(s));
	return *has || !json_object_get(claims, "sid");
}

int oidc_token_check(
	struct span token, const json_t *jwks, const struct oidc_want *want, struct oidc_claims *out, struct why *why)
{
	_cleanup_json_ json_t *header = NULL, *claims = NULL;
	struct oidc_claims got = {.subject = ""};
	struct span parts[3];
	int alg, r;

	if (!split(token, parts))
		return why_set(why, V_BAD, "the token is no signed JSON Web Token");
	header = part(parts[0]);
	if (!header)
		return why_set(why, V_BAD, "the token's header cannot be read");
	alg = algorithm(header, why);
	if (alg < 0)
		return V_BAD;
	if (has_type(header, LOGOUT_TYPE))
		return why_set(why, V_BAD, "the token is a logout token, and no ID token");
	/* The signature first: nothing of what nobody signed is looked at. */
	r = check_signature(parts, jwks, header, alg, why);
	if (r)
		return r;
	claims = part(parts[1]);
	if (!claims)
		return why_set(why, V_BAD, "the token's claims cannot be read");
	r = check_ends(claims, want, why);
	if (r)
		return r;
	if (has_event(claims))
		return why_set(why, V_BAD, "the token tells of a sign-out: it is no ID token");
	if (!is(claims, "nonce", want->nonce))
		return why_set(why, V_BAD, "the token is of another sign-in (nonce)");
	r = check_time(claims, want->now_s, why);
	if (r)
		return r;
	if (!right_at_hash(claims, want->access_token))
		return why_set(why, V_BAD, "the token came with another access token (at_hash)");
	if (!read_subject(claims, got.subject))
		return why_set(why, V_BAD, "the token does not say who signed in");
	(void)read_sid(claims, &got.has_sid, &got.sid);
	got.assured = assured(claims, want->acr);
	*out = got;
	return 0;
}

/* --- logout tokens --- */

static int read_logout(const json_t *claims, const struct oidc_want *want, struct oidc_logout *out, struct why *why)
{
	const char *jti = oidc_text(claims, "jti");
	int64_t made = 0, end = 0;
	int r = check_ends(claims, want, why);

	if (r)
		return r;

	if (!has_event(claims))
		return why_set(why, V_BAD, "the token tells of no sign-out (events)");
	if (json_object_get(claims, "nonce"))
		return why_set(why, V_BAD, "the token has a nonce: it is no logout token");
	r = check_time(claims, want->now_s, why);
	if (r)
		return r;
	if (!jti || !*jti)
		return why_set(why, V_BAD, "the token has no name of its own (jti)");
	digest_span(&out->jti, SPAN_STR(jti));
	if (json_object_get(claims, "sub") && !read_subject(claims, out->subject))
		return why_set(why, V_BAD, "the token does not say who signed out");
	if (!read_sid(claims, &out->has_sid, &out->sid) || (!out->has_sid && !out->subject[0]))
		return why_set(why, V_BAD, "the token names neither a person nor a session (sub, sid)");
	(void)seconds(claims, "iat", &made);
	(void)seconds(claims, "exp", &end);
	out->until_s = (end < made + OIDC_AGE_S ? end : made + OIDC_AGE_S) + OIDC_LEEWAY_S;
	return 0;
}

/* Nothing but base64url and dots, in the signature too: it goes on as text. */
static bool is_compact(struct span token)
{
	size_t i;

	for (i = 0; i < token.n; i++) {
		uint8_t c = token.p[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' &&
			c != '_' && c != '.')
			return false;
	}
	return true;
}

/* Its parts, header and algorithm besides. */
static int look(struct span token, const struct oidc_want *want, struct span parts[3], json_t **header, int *alg,
	struct oidc_logout *out, struct why *why)
{
	_cleanup_json_ json_t *claims = NULL;
	struct oidc_logout got = {.subject = ""};
	bool typed;
	int r;

	if (token.n > OIDC_LOGOUT_MAX || !is_compact(token) || !split(token, parts))
		return why_set(why, V_BAD, "the token is no signed JSON Web Token");
	*header = part(parts[0]);
	if (!*header)
		return why_set(why, V_BAD, "the token's header cannot be read");
	*alg = algorithm(*header, why);
	if (*alg < 0)
		return V_BAD;
	typed = json_object_get(*header, "typ") && !has_type(*header, "JWT");
	if (typed && !has_type(*header, LOGOUT_TYPE))
		return why_set(why, V_BAD, "the token is said to be of another kind (typ)");
	if (!typed && !want->untyped)
		return why_set(why, V_BAD, "the token is not said to be a logout token (typ)");
	claims = part(parts[1]);
	if (!claims)
		return why_set(why, V_BAD, "the token's claims cannot be read");
	r = read_logout(claims, want, &got, why);
	if (!r)
		*out = got;
	return r;
}

int oidc_logout_look(struct span token, const struct oidc_want *want, struct oidc_logout *out, struct why *why)
{
	_cleanup_json_ json_t *header = NULL;
	struct span parts[3];
	int alg;

	return look(token, want, parts, &header, &alg, out, why);
}

int oidc_logout_check(
	struct span token, const json_t *jwks, const struct oidc_want *want, struct oidc_logout *out, struct why *why)
{
	_cleanup_json_ json_t *header = NULL;
	struct oidc_logout got;
	struct span parts[3];
	int alg, r = look(token, want, parts, &header, &alg, &got, why);

	if (r)
		return r;
	if (check_signature(parts, jwks, header, alg, why))
		return V_DENIED;
	*out = got;
	return 0;
}
