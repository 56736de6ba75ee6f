/*
 * What the process with the network asks an OpenID provider: its configuration (OpenID Connect Discovery 1.0), its
 * token endpoint (RFC 6749 section 4.1.3), its keys (RFC 7517). A sign-in fetches all that it needs: nothing of a
 * provider is kept, so keys that it changed are known at once. A logout token, which anybody may send, is checked by
 * the keys that the console has kept, and brings with it. By libcurl, whose verification of TLS stays as it is.
 */
#include "collector/oidc/oidc.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <curl/curl.h>
#include <errno.h>

#define DOCUMENT_MAX (256u << 10)
#define CONNECT_S 8L
#define REQUEST_S 15L
#define DISCOVERY "/.well-known/openid-configuration"

DEFINE_CLEANUP(CURL *, curl_easy_cleanup)
#define _cleanup_json_ _cleanup_(json_decrefp)

static size_t take(char *p, size_t size, size_t n, void *arg)
{
	return buf_put(arg, p, size * n) ? 0 : size * n;
}

static CURL *begin(const struct oidc_client *c, const char *url, struct buf *got, char error[CURL_ERROR_SIZE])
{
	struct curl_blob ca = {.data = c->ca.p, .len = c->ca.n, .flags = CURL_BLOB_NOCOPY};
	CURL *e = curl_easy_init();

	if (!e)
		return NULL;
	error[0] = 0;
	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(e, CURLOPT_TIMEOUT, REQUEST_S);
	curl_easy_setopt(e, CURLOPT_MAXFILESIZE, (long)DOCUMENT_MAX);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &ca);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "sekisho-console/" SEKISHO_VERSION);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, got);
	return e;
}

/* Performs it: an object, whatever the status is. V_BAD with the reason: "what: ...". */
static int perform(
	CURL *e, struct buf *got, const char *what, const char *error, long *status, json_t **out, struct why *why)
{
	CURLcode code = curl_easy_perform(e);
	char shown[160];
	json_t *o;

	if (code)
		return why_set(why, V_BAD, "%s: %s", what,
			text_escape_to(shown, sizeof(shown), SPAN_STR(*error ? error : curl_easy_strerror(code))));
	curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, status);
	o = json_loadb((const char *)got->p, got->n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(o)) {
		json_decref(o);
		return why_set(why, V_BAD, "%s: answered %ld, and no JSON object", what, *status);
	}
	*out = o;
	return 0;
}

static int fetch(const struct oidc_client *c, const char *url, const char *what, json_t **out, struct why *why)
{
	_cleanup_buf_ struct buf got = BUF_INIT(DOCUMENT_MAX);
	_cleanup_json_ json_t *o = NULL;
	char error[CURL_ERROR_SIZE];
	_cleanup_(curl_easy_cleanupp) CURL *e = begin(c, url, &got, error);
	long status = 0;
	int r = e ? perform(e, &got, what, error, &status, &o, why) : why_set(why, V_BAD, "no memory");

	if (r)
		return r;
	if (status != 200)
		return why_set(why, V_BAD, "%s: answered %ld", what, status);
	*out = STEAL(o);
	return 0;
}

/* The provider's configuration, which has to be of the issuer that we asked (Discovery section 4.3). */
static int discover(const struct oidc_client *c, json_t **out, struct why *why)
{
	static const char *const endpoints[] = {"authorization_endpoint", "token_endpoint", "jwks_uri"};
	_cleanup_json_ json_t *o = NULL;
	char url[OIDC_URL_MAX + sizeof(DISCOVERY)];
	const char *issuer;
	size_t i, n = strlen(c->s.issuer);
	int r;

	n -= n && c->s.issuer[n - 1] == '/';
	snprintf(url, sizeof(url), "%.*s" DISCOVERY, (int)n, c->s.issuer);
	r = fetch(c, url, "configuration", &o, why);
	if (r)
		return r;
	issuer = oidc_text(o, "issuer");
	if (!issuer || strcmp(issuer, c->s.issuer) != 0)
		return why_set(why, V_BAD, "configuration: of another issuer");
	for (i = 0; i < ARRAY_SIZE(endpoints); i++) {
		const char *s = oidc_text(o, endpoints[i]);

		if (!s || !oidc_is_https(s))
			return why_set(why, V_BAD, "configuration: %s is no https address", endpoints[i]);
	}
	*out = STEAL(o);
	return 0;
}

static bool lists(const json_t *o, const char *name, const char *want)
{
	const json_t *list = json_object_get(o, name);
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));

		if (s && !strcmp(s, want))
			return true;
	}
	return false;
}

static int put(CURL *e, struct buf *out, const char *name, const char *value)
{
	char *escaped = curl_easy_escape(e, value, 0);
	int r = escaped ? buf_putf(out, "%s%s=%s", out->n ? "&" : "", name, escaped) : -ENOMEM;

	curl_free(escaped);
	return r;
}

/* How we show who we are (RFC 6749 section 2.3.1): by the header, which every provider has to take, where it does not
 * say that it takes the body only. */
static int show_client(CURL *e, const struct oidc_client *c, const json_t *conf, struct buf *body)
{
	bool in_body = lists(conf, "token_endpoint_auth_methods_supported", "client_secret_post") &&
		       !lists(conf, "token_endpoint_auth_methods_supported", "client_secret_basic");
	char *id = NULL, *secret = NULL;
	int r;

	if (!c->secret.n)
		return put(e, body, "client_id", c->s.client_id);
	if (in_body) {
		r = put(e, body, "client_id", c->s.client_id);
		return r ? r : put(e, body, "client_secret", (const char *)c->secret.p);
	}
	id = curl_easy_escape(e, c->s.client_id, 0);
	secret = curl_easy_escape(e, (const char *)c->secret.p, 0);
	r = id && secret && !curl_easy_setopt(e, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) &&
			    !curl_easy_setopt(e, CURLOPT_USERNAME, id) && !curl_easy_setopt(e, CURLOPT_PASSWORD, secret)
		    ? 0
		    : -ENOMEM;
	curl_free(id);
	curl_free(secret);
	return r;
}

/* Changes the code for tokens. */
static int redeem(const struct oidc_client *c, const json_t *conf, const json_t *q, json_t **out, struct why *why)
{
	_cleanup_buf_ struct buf got = BUF_INIT(DOCUMENT_MAX), body = BUF_INIT(4 * OIDC_MESSAGE_MAX);
	_cleanup_json_ json_t *o = NULL;
	char error[CURL_ERROR_SIZE], shown[80];
	_cleanup_(curl_easy_cleanupp) CURL *e = begin(c, oidc_text(conf, "token_endpoint"), &got, error);
	const char *said;
	long status = 0;
	int r = e ? put(e, &body, "grant_type", "authorization_code") : -ENOMEM;

	r = r ? r : put(e, &body, "code", oidc_text(q, "code"));
	r = r ? r : put(e, &body, "redirect_uri", oidc_text(q, "redirect"));
	r = r ? r : put(e, &body, "code_verifier", oidc_text(q, "verifier"));
	r = r ? r : show_client(e, c, conf, &body);
	if (r)
		return why_set(why, V_BAD, "no memory");
	curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	curl_easy_setopt(e, CURLOPT_POSTFIELDS, (const char *)body.p);
	r = perform(e, &got, "token endpoint", error, &status, &o, why);
	secret_wipe(body.p, body.n);
	if (r)
		return r;
	said = oidc_text(o, "error");
	if (status != 200 || said)
		return why_set(why, V_BAD, "token endpoint: answered %ld: %s", status,
			text_escape_to(shown, sizeof(shown), SPAN_STR(said ? said : "")));
	if (!oidc_text(o, "id_token"))
		return why_set(why, V_BAD, "token endpoint: gave no ID token");
	*out = STEAL(o);
	return 0;
}

static json_t *refused(const char *word, const struct why *why)
{
	return json_pack("{s:s, s:s}", "refused", word, "reason", why->text);
}

static json_t *where(const struct oidc_client *c)
{
	_cleanup_json_ json_t *conf = NULL;
	struct why why = {""};
	const char *end;

	if (discover(c, &conf, &why))
		return refused("provider", &why);
	end = oidc_text(conf, "end_session_endpoint");
	return json_pack("{s:s, s:b, s:s}", "endpoint", oidc_text(conf, "authorization_endpoint"), "iss",
		json_is_true(json_object_get(conf, "authorization_response_iss_parameter_supported")), "end",
		end && oidc_is_https(end) ? end : "");
}

static json_t *who(const struct oidc_client *c, const json_t *q)
{
	_cleanup_json_ json_t *conf = NULL, *tokens = NULL, *keys = NULL;
	struct oidc_want want = {.issuer = c->s.issuer,
		.client_id = c->s.client_id,
		.nonce = oidc_text(q, "nonce"),
		.acr = c->s.acr,
		.now_s = clock_wall_us() / 1000000};
	char sid[2 * DIGEST_SIZE + 1] = "";
	struct oidc_claims claims;
	struct why why = {""};
	int r = want.nonce && oidc_text(q, "code") && oidc_text(q, "verifier") && oidc_text(q, "redirect")
			? 0
			: why_set(&why, V_BAD, "not asked as it should be");

	r = r ? r : discover(c, &conf, &why);
	r = r ? r : redeem(c, conf, q, &tokens, &why);
	r = r ? r : fetch(c, oidc_text(conf, "jwks_uri"), "keys", &keys, &why);
	if (r)
		return refused("provider", &why);
	want.access_token = oidc_text(tokens, "access_token");
	if (oidc_token_check(SPAN_STR(oidc_text(tokens, "id_token")), keys, &want, &claims, &why))
		return refused("token", &why);
	if (claims.has_sid)
		hex_encode(sid, claims.sid.b, DIGEST_SIZE);
	return json_pack("{s:s, s:b, s:s}", "subject", claims.subject, "assured", claims.assured, "sid", sid);
}

/* The provider's keys, as far as they are kept. */
static int keys_to_keep(const struct oidc_client *c, json_t **out, struct why *why)
{
	_cleanup_json_ json_t *conf = NULL, *all = NULL, *keys = NULL;
	int r = discover(c, &conf, why);

	r = r ? r : fetch(c, oidc_text(conf, "jwks_uri"), "keys", &all, why);
	if (r)
		return r;
	keys = oidc_keys(all);
	if (!keys || json_dumpb(keys, NULL, 0, JSON_COMPACT) > OIDC_KEYS_MAX)
		return why_set(why, V_BAD, "keys: too many");
	*out = STEAL(keys);
	return 0;
}

static json_t *leave(const struct oidc_client *c, const json_t *q)
{
	_cleanup_json_ json_t *fetched = NULL;
	const json_t *keys = json_object_get(q, "keys");
	const char *token = oidc_text(q, "token");
	const struct oidc_want want = {.issuer = c->s.issuer,
		.client_id = c->s.client_id,
		.untyped = c->s.untyped,
		.now_s = clock_wall_us() / 1000000};
	struct oidc_logout out;
	struct why why = {""};
	json_t *o;
	int r;

	if (!token) {
		why_set(&why, V_BAD, "not asked as it should be");
		return refused("token", &why);
	}
	if (!keys && keys_to_keep(c, &fetched, &why))
		return refused("provider", &why);
	r = oidc_logout_check(SPAN_STR(token), keys ? keys : fetched, &want, &out, &why);
	o = r ? refused(r == V_DENIED ? "signature" : "token", &why) : json_pack("{s:b}", "leave", 1);
	if (o && fetched)
		json_object_set(o, "keys", fetched);
	return o;
}

json_t *oidc_answer(const struct oidc_client *c, const json_t *question)
{
	const char *ask = oidc_text(question, "ask");
	json_t *o;

	if (ask && !strcmp(ask, "where"))
		o = where(c);
	else if (ask && !strcmp(ask, "leave"))
		o = leave(c, question);
	else
		o = who(c, question);
	if (o)
		json_object_set(o, "id", json_object_get(question, "id"));
	return o;
}
