/*
 * Asking the collector at its door: HTTP over a UNIX socket, by libcurl. The loop waits for the answer, so the time is
 * short; after a failure the collector is left alone for a moment, or everybody would wait again and again.
 */
#include "collector/console/console.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/wire/api.h"
#include <curl/curl.h>
#include <errno.h>

#define TIMEOUT_MS 3000L
#define REST_US 5000000
#define ANSWER_MAX (64u << 20)

DEFINE_CLEANUP(CURL *, curl_easy_cleanup)
DEFINE_CLEANUP(struct curl_slist *, curl_slist_free_all)

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
	return buf_put(ctx, p, size * n) ? 0 : size * n;
}

static int judge(CURL *curl, struct buf *got, json_t **answer, int *status, struct why *why)
{
	json_t *o = json_loadb((const char *)got->p, got->n, JSON_REJECT_DUPLICATES, NULL);
	const char *reason, *word;
	char text[200];
	long code = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
	*status = (int)code;
	if (code == 200 && json_is_object(o)) {
		*answer = o;
		return 0;
	}
	word = json_string_value(json_object_get(o, "error"));
	reason = json_string_value(json_object_get(o, "reason"));
	/* "word: reason": callers show both apart. */
	why_set(why, 0, "%.40s: %s", word ? word : "failed",
		text_escape_to(text, sizeof(text), SPAN_STR(reason ? reason : "the collector gave no reason")));
	json_decref(o);
	return code == 200 ? V_AGAIN : V_DENIED;
}

int door_ask(struct console *c, const char *target, const char *type, struct span body, json_t **answer, int *status,
	struct why *why)
{
	_cleanup_(curl_slist_free_allp) struct curl_slist *headers = NULL;
	_cleanup_buf_ struct buf got = BUF_INIT(ANSWER_MAX);
	_cleanup_(curl_easy_cleanupp) CURL *curl = NULL;
	char url[256], line[128];
	CURLcode r;

	*status = 503;
	if (c->door_failed_us && clock_boot_us() - c->door_failed_us < REST_US)
		return why_set(why, V_AGAIN, "collector: does not answer");
	curl = curl_easy_init();
	if (!curl)
		return -ENOMEM;
	/* The name is for the Host line alone. */
	snprintf(url, sizeof(url), "http://localhost%s", target);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, c->conf.collector_door);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &got);
	if (type) {
		snprintf(line, sizeof(line), "Content-Type: %s", type);
		headers = curl_slist_append(NULL, line);
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body.p);
	}
	r = curl_easy_perform(curl);
	if (r) {
		c->door_failed_us = clock_boot_us();
		if (log_allowed(&c->limit))
			log_warning("%s: %s", c->conf.collector_door, curl_easy_strerror(r));
		return why_set(why, V_AGAIN, "collector: does not answer");
	}
	c->door_failed_us = 0;
	return judge(curl, &got, answer, status, why);
}

bool door_call(struct call *x, const char *target, const char *type, struct span body, json_t **answer)
{
	struct why why = {""};
	char word[48];
	int status, r = door_ask(x->c, target, type, body, answer, &status, &why);
	const char *colon = strstr(why.text, ": ");

	if (!r)
		return true;
	if (r < 0) {
		reply_error(x, 503, "busy", "no memory");
		return false;
	}
	snprintf(word, sizeof(word), "%.*s", colon ? (int)(colon - why.text) : 0, why.text);
	reply_error(x,
		r == V_DENIED && (status == 400 || status == 404 || status == 409 || status == 429) ? status : 503,
		word[0] ? word : "collector", colon ? colon + 2 : why.text);
	return false;
}
