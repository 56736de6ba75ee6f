/*
 * HTTPS requests to the collector: libcurl on an sd-event loop (the one place here that knows libcurl, with enrol.c).
 *
 * Each slot carries one request at a time; connections are kept alive between them. TLS 1.3 only, our certificate and
 * the collector's CA and nobody else's, no redirects, no proxy, no resumption. An idle slot wakes nobody.
 */
#ifndef SEKISHO_UPLINK_HTTP_H
#define SEKISHO_UPLINK_HTTP_H

#include "agent/uplink/identity.h"
#include "policy/wire/api.h"
#include <curl/curl.h>
#include <systemd/sd-event.h>

enum http_slot {
	HTTP_SEND, /* segments, and asking how the log stands */
	HTTP_WAIT, /* the request that is held */
	HTTP_RENEW,
	HTTP_POLICY,
	HTTP_SLOTS,
};

struct http_answer {
	const char *failed; /* why there is no answer at all; NULL where there is one */
	bool timed_out;     /* ... that the time allowed was over */
	long status;
	struct span body;
	uint64_t retry_after_us; /* 0: not given */
	int64_t date_us;         /* the peer's clock when it answered, to the second; 0: it did not say */
};

/* Called once for each request that was started and not cancelled. It may start the next one, also on the same slot. */
typedef void (*http_done_fn)(void *ctx, const struct http_answer *a);

struct http;

/* `url` is https://HOST[:PORT], without a path. 0, -errno. */
int http_new(sd_event *event, const char *url, struct http **out);
void http_free(struct http *h);
DEFINE_CLEANUP(struct http *, http_free)

/*
 * Copies what requests need from `id`, but for a key that a keeper holds: `id` has to live until the next call.
 * Requests that run go on as they began. 0, -errno.
 */
int http_identify(struct http *h, const struct identity *id);

struct http_request {
	const char *target; /* path and query */
	struct span body;   /* POST where p is set; borrowed until done or cancelled */
	const char *type;   /* of the body */
	const char *headers[3];
	unsigned headers_n;
	bool anonymous; /* without our certificate */
	bool held;      /* may stay silent: bounded by timeout_s only */
	long timeout_s;
};

/* 0, -errno. The slot must be free. */
int http_start(struct http *h, enum http_slot slot, const struct http_request *rq, http_done_fn done, void *ctx);
bool http_busy(const struct http *h, enum http_slot slot);
void http_cancel(struct http *h, enum http_slot slot);
/*
 * Has this PC still the address that the slot's connection goes out from? True where the slot has none, or nobody
 * knows.
 */
bool http_address_is_ours(const struct http *h, enum http_slot slot);
/* The slot's connection said what it should not have: the next request takes a new one. */
void http_distrust(struct http *h, enum http_slot slot);

/* What all our requests have in common; for enrolment, which has no loop. */
int http_options(CURL *easy);
/* Is it https://HOST[:PORT] and nothing else? 0 or V_BAD. */
int http_check_url(const char *url, struct why *why);

#endif
