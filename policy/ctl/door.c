/*
 * See door.h. Answers are bounded and parsed strictly: what listens at a path may be anybody.
 */
#include "policy/ctl/door.h"
#include "policy/base/text.h"
#include "policy/trust/digest.h"
#include "policy/wire/api.h"
#include <curl/curl.h>
#include <errno.h>
#include <limits.h>

#define TIMEOUT_S 30L
#define BUSY_TRIES 300u /* a second each: what takes the collector longer is asked for again by whoever wants it */

DEFINE_CLEANUP(CURL *, curl_easy_cleanup)
DEFINE_CLEANUP(struct curl_slist *, curl_slist_free_all)

#define DESK "/desk/" /* the console's door, not the collector's */

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
	return buf_put(ctx, p, size * n) ? 0 : size * n;
}

static int judge(CURL *curl, struct buf *got, json_t **answer, struct why *why)
{
	_cleanup_json_ json_t *o = json_loadb((const char *)got->p, got->n, JSON_REJECT_DUPLICATES, NULL);
	char text[128];
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		const char *reason = json_string_value(json_object_get(o, "reason"));
		const char *error = json_string_value(json_object_get(o, "error"));

		if (status == 503 && reason && error && !strcmp(error, "busy"))
			return why_set(why, V_AGAIN, "%s", text_escape_to(text, sizeof(text), SPAN_STR(reason)));
		reason = reason ? reason : json_string_value(json_object_get(o, "error"));
		return reason ? why_set(why, V_DENIED, "%s", text_escape_to(text, sizeof(text), SPAN_STR(reason)))
			      : why_set(why, V_DENIED, "HTTP %ld", status);
	}
	if (!json_is_object(o))
		return why_set(why, V_BAD, "the answer is not a JSON object");
	*answer = STEAL(o);
	return 0;
}

static int send_once(
	const struct ctl *c, const char *target, const char *type, struct span body, json_t **answer, struct why *why)
{
	_cleanup_(curl_slist_free_allp) struct curl_slist *headers = NULL;
	_cleanup_(curl_easy_cleanupp) CURL *curl = curl_easy_init();
	_cleanup_buf_ struct buf got = BUF_INIT(API_ANSWER_MAX);
	char room[PATH_MAX], url[256], kind[128];
	const char *socket_path = option_value(c, OPT_SOCKET);
	CURLcode r;

	if (!socket_path) {
		layout_path(room, sizeof(room),
			strncmp(target, DESK, sizeof(DESK) - 1) ? SOCKET_PATH : CONSOLE_SOCKET_PATH);
		socket_path = room;
	}
	if (!curl)
		return -ENOMEM;
	/* The name is for the Host line alone. */
	snprintf(url, sizeof(url), "http://localhost%s", target);
	snprintf(kind, sizeof(kind), "Content-Type: %s", type);
	headers = curl_slist_append(NULL, kind);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &got);
	if (body.p) {
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body.p);
	}
	r = curl_easy_perform(curl);
	if (r == CURLE_COULDNT_CONNECT) {
		long e = 0;

		curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &e);
		if (e == EACCES || e == EPERM)
			return -(int)e;
		return why_set(why, V_NOT_FOUND, "nobody listens at %s", socket_path);
	}
	if (r)
		return why_set(why, V_BAD, "%s", curl_easy_strerror(r));
	return judge(curl, &got, answer, why);
}

int door_send(
	const struct ctl *c, const char *target, const char *type, struct span body, json_t **answer, struct why *why)
{
	unsigned i;
	int r;

	for (i = 0; (r = send_once(c, target, type, body, answer, why)) == V_AGAIN && i < BUSY_TRIES; i++) {
		if (!i)
			fprintf(stderr, SAY(c, "collector: %s; waiting\n", "コレクター: %s。待っています\n"),
				why->text);
		sleep(1);
	}
	return r == V_AGAIN ? V_DENIED : r;
}

int door_ask(const struct ctl *c, const char *target, const json_t *body, json_t **answer, struct why *why)
{
	_cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	if (body && !text)
		return -ENOMEM;
	return door_send(c, target, "application/json", text ? SPAN_STR(text) : SPAN(NULL, 0), answer, why);
}

int door(const struct ctl *c, const char *target, const json_t *body, json_t **answer)
{
	struct why why = {""};
	int r = door_ask(c, target, body, answer, &why);

	if (r == V_NOT_FOUND)
		return complain(EXIT_MACHINE,
			SAY(c, "the collector does not run here, or its door is elsewhere (--socket): %s",
				"コレクターが動作していないか、ソケットが別の場所にあります(--socket): %s"),
			why.text);
	return r ? complain_of(c, SAY(c, "collector", "コレクター"), r, &why) : EXIT_GOOD;
}

int door_hosts(const struct ctl *c, json_t **answer)
{
	_cleanup_json_ json_t *all = json_pack("{s:[]}", "hosts");
	char target[64 + sizeof(API_ADMIN_HOSTS) + 2 * DIGEST_SIZE] = API_ADMIN_HOSTS "?limit=1000";
	int r = all ? EXIT_GOOD : complain_of(c, SAY(c, "collector", "コレクター"), -ENOMEM, NULL);

	while (!r && target[0]) {
		_cleanup_json_ json_t *page = NULL;
		const char *next;

		r = door(c, target, NULL, &page);
		if (r)
			return r;
		next = json_string_value(json_object_get(page, "next"));
		if (json_array_extend(json_object_get(all, "hosts"), json_object_get(page, "hosts")))
			return complain_of(c, SAY(c, "collector", "コレクター"), V_BAD, NULL);
		if (next && (strlen(next) != 2 * DIGEST_SIZE || !json_array_size(json_object_get(page, "hosts"))))
			return complain_of(c, SAY(c, "collector", "コレクター"), V_BAD, NULL);
		if (next)
			snprintf(target, sizeof(target), API_ADMIN_HOSTS "?limit=1000&after=%s", next);
		else
			target[0] = 0;
	}
	if (!r)
		*answer = STEAL(all);
	return r;
}

const char *door_text(char out[SHOWN_MAX], const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	if (json_is_string(v) && json_string_length(v))
		return text_escape_to(out, SHOWN_MAX, SPAN(json_string_value(v), json_string_length(v)));
	if (json_is_integer(v))
		snprintf(out, SHOWN_MAX, "%lld", (long long)json_integer_value(v));
	else
		snprintf(out, SHOWN_MAX, "-");
	return out;
}

const char *door_reason(const struct ctl *c, char out[SHOWN_MAX], const json_t *object)
{
	const char *ja = json_string_value(json_object_get(object, "reason_ja"));

	if (c->lang == LANG_JA && ja && *ja)
		return door_text(out, object, "reason_ja");
	return door_text(out, object, json_object_get(object, "reason") ? "reason" : "error");
}

const char *door_time(char *out, const json_t *object, const char *key)
{
	json_int_t t = json_integer_value(json_object_get(object, key));

	return t > 0 ? text_time_local(out, t) : "-";
}
