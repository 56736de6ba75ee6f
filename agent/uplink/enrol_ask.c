/*
 * The enrolment request and its answer. Called by enrol.c. Must never send the token's secret to a server whose chain
 * does not end in the CA that the token names.
 */
#include "agent/uplink/enrol.h"
#include "agent/uplink/enrol_parts.h"
#include "agent/uplink/http.h"
#include "policy/base/text.h"
#include "policy/wire/agent_conf.h"
#include <jansson.h>

#define TIMEOUT_S 60L

DEFINE_CLEANUP(CURL *, curl_easy_cleanup)
DEFINE_CLEANUP(struct curl_slist *, curl_slist_free_all)

int enrol_say(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("sekisho-uplink: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	return code;
}

static int request(struct enrol *e, struct buf *out)
{
	_cleanup_buf_ struct buf csr = BUF_INIT(16384), proof = BUF_INIT(256), der = BUF_INIT(1024),
				 key = BUF_INIT(2048);
	json_auto_t *o = NULL;
	_cleanup_free_ char *text = NULL;
	char token[sizeof(e->token.id) + sizeof(e->token.secret)];
	int r = cert_request(e->tls_key, e->host, &csr);

	if (!r)
		r = identity_proof(e->device_key, API_ENROL_AAD, e->token.id, buf_span(&csr), &proof);
	if (!r)
		r = key_public_der(e->device_key, &der);
	if (!r)
		r = base64_encode(&key, buf_span(&der));
	if (r)
		return enrol_say(ENROL_FAILED, "the request cannot be made");
	snprintf(token, sizeof(token), "%s.%s", e->token.id, e->token.secret);
	o = json_pack("{s:s, s:s, s:s%, s:s%, s:s%}", "token", token, "name", e->name, "device_key", key.p, key.n,
		"csr", csr.p, csr.n, "proof", proof.p, proof.n);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (!text || buf_puts(out, text))
		return enrol_say(ENROL_FAILED, "the request cannot be made: is the name of this PC valid UTF-8?");
	secret_wipe(token, sizeof(token));
	return 0;
}

static CURLcode pin(CURL *curl, void *ctx, void *userptr)
{
	const struct token *t = userptr;

	(void)curl;
	return tls_pin_ca(ctx, &t->ca) ? CURLE_SSL_CERTPROBLEM : CURLE_OK;
}

static size_t on_body(char *p, size_t size, size_t n, void *userdata)
{
	return buf_put(userdata, p, size * n) ? 0 : size * n;
}

static int refused(long status, struct span body)
{
	struct error_answer a;

	answer_error(body, &a);
	if (status == 403 && !strcmp(a.error, "token"))
		return enrol_say(ENROL_REFUSED,
			"the collector refuses the token: unknown, used already, expired, or for another name (%s). "
			"Ask its administrator for a new one: sekishoctl token create",
			a.reason);
	if (status == 409)
		return enrol_say(ENROL_REFUSED,
			"the collector knows this PC already, under another name, or has revoked it (%s)", a.reason);
	if (status == 429 || status == 503)
		return enrol_say(ENROL_NO_CONTACT, "the collector is busy (%ld): try again in a minute", status);
	return enrol_say(ENROL_REFUSED, "the collector answers %ld %s %s", status, a.error, a.reason);
}

#define SET(opt, value)                                                                           \
	do {                                                                                      \
		if (curl_easy_setopt(c, opt, value))                                              \
			return enrol_say(ENROL_FAILED, "libcurl lacks an option that is needed"); \
	} while (0)

static int post(struct enrol *e, struct enrol_answer *out)
{
	_cleanup_(curl_easy_cleanupp) CURL *c = curl_easy_init();
	_cleanup_(curl_slist_free_allp) struct curl_slist *headers = NULL;
	_cleanup_buf_ struct buf body = BUF_INIT(65536), answer = BUF_INIT(API_ANSWER_MAX);
	char target[AGENT_URL_MAX + 32], error[CURL_ERROR_SIZE] = "";
	struct why why = {""};
	long status = 0;
	CURLcode code;
	int r = request(e, &body);

	if (r)
		return r;
	headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (!c || !headers || http_options(c))
		return enrol_say(ENROL_FAILED, "libcurl cannot be used");
	snprintf(target, sizeof(target), "%s" API_ENROL, e->url);
	SET(CURLOPT_URL, target);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_POSTFIELDS, body.p);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	SET(CURLOPT_TIMEOUT, TIMEOUT_S);
	SET(CURLOPT_ERRORBUFFER, error);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, &answer);
	SET(CURLOPT_SSL_CTX_FUNCTION, pin);
	SET(CURLOPT_SSL_CTX_DATA, &e->token);
	code = curl_easy_perform(c);
	secret_wipe(body.p, body.n);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return enrol_say(ENROL_REFUSED,
			"%s is not the collector that the token names (%s). The token was not sent", e->url,
			error[0] ? error : curl_easy_strerror(code));
	if (code != CURLE_OK)
		return enrol_say(ENROL_NO_CONTACT, "%s: %s", e->url, error[0] ? error : curl_easy_strerror(code));
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return refused(status, buf_span(&answer));
	return answer_enrol(buf_span(&answer), out, &why) ? enrol_say(ENROL_REFUSED, "%s", why.text) : 0;
}

static int check(const struct enrol *e, const struct enrol_answer *a)
{
	struct verifier v = {.key = NULL};
	struct cert_info cert, ca;
	struct why why = {""};
	struct digest key;

	if (strcmp(a->host, e->host) != 0)
		return enrol_say(ENROL_REFUSED, "the collector enrolled another PC than this one");
	if (cert_read(SPAN_STR(a->certificate), &cert, &why) || cert_read(SPAN_STR(a->ca), &ca, &why))
		return enrol_say(ENROL_REFUSED, "the collector's answer: %s", why.text);
	if (key_id(e->tls_key, &key) || !digest_eq(&cert.key_id, &key) || strcmp(cert.cn, e->host) != 0)
		return enrol_say(ENROL_REFUSED, "the certificate is not for this PC's key");
	if (!digest_eq(&ca.fingerprint, &e->token.ca))
		return enrol_say(ENROL_REFUSED, "the CA that came is not the one that the token names");
	if (verifier_decode(SPAN_STR(a->log), &v, &why))
		return enrol_say(ENROL_REFUSED, "the log's key: %s", why.text);
	verifier_deinit(&v);
	return 0;
}

int enrol_ask(struct enrol *e, struct enrol_answer *out)
{
	int r = post(e, out);

	return r ? r : check(e, out);
}
