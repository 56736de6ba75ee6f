/*
 * libcurl's multi interface driven by sd-event: its sockets are event sources, its timer is one timer. See http.h. Must
 * never send anything to a peer whose chain does not end in the collector's CA.
 */
#include "agent/uplink/http.h"
#include "policy/base/buf.h"
#include "policy/wire/bundle.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_S 30L
#define STALL_S 60L           /* a transfer that moves nothing for so long is given up, unless it is held */
#define USER_TIMEOUT_MS 90000 /* sent bytes that nobody acknowledges for so long end the connection */
#define IDLE_CONN_S 300L
#define PROBE_IDLE_S 60L /* TCP keep-alive, by the kernel: notices a dead peer without waking us */
#define PROBE_EVERY_S 15L

/*
 * Each slot has a multi handle, and with it one connection, of its own: where an answer came twice or late, it can be
 * taken for the answer to the next request on the same connection, but never for that of another kind of request.
 */
struct slot {
	struct http *http;
	CURLM *multi;
	sd_event_source *timer;
	CURL *easy;
	struct curl_slist *headers;
	struct buf answer;
	char error[CURL_ERROR_SIZE];
	bool busy;
	bool fresh; /* the next request takes a new connection */
	http_done_fn done;
	void *ctx;
};

struct http {
	sd_event *event;
	struct slot slots[HTTP_SLOTS];
	char url[512];
	struct buf key, cert, ca;
	const struct key *held; /* the identity's: where libcurl cannot have the key */
};

int http_check_url(const char *url, struct why *why)
{
	const char *host = url + 8, *p;

	if (strncmp(url, "https://", 8) != 0)
		return why_set(why, V_BAD, "the collector's URL does not begin with https://");
	for (p = host; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(".-:[]", *p))
			return why_set(why, V_BAD, "the collector's URL is not https://HOST[:PORT]");
	return *host ? 0 : why_set(why, V_BAD, "the collector's URL names no host");
}

/* Date (RFC 9110 section 6.6.1). */
static int64_t date_of(CURL *easy)
{
	struct curl_header *h;
	time_t t = -1;

	if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &h) == CURLHE_OK)
		t = curl_getdate(h->value, NULL);
	return t > 0 ? (int64_t)t * 1000000 : 0;
}

static void on_done(struct slot *s)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(s->multi, &left))) {
		struct http_answer a = {.failed = NULL};
		char why[CURL_ERROR_SIZE + 64];
		curl_off_t wait = 0;
		CURLcode code;

		if (m->msg != CURLMSG_DONE)
			continue;
		code = m->data.result;
		curl_multi_remove_handle(s->multi, s->easy); /* `m` is gone now */
		s->busy = false;
		if (code != CURLE_OK) {
			snprintf(why, sizeof(why), "%s", s->error[0] ? s->error : curl_easy_strerror(code));
			a.failed = why;
			a.timed_out = code == CURLE_OPERATION_TIMEDOUT;
		} else {
			curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &a.status);
			if (!curl_easy_getinfo(s->easy, CURLINFO_RETRY_AFTER, &wait) && wait > 0)
				a.retry_after_us = wait > 1000000 ? 1000000000000ull : (uint64_t)wait * 1000000;
			a.date_us = date_of(s->easy);
			a.body = buf_span(&s->answer);
		}
		/* The body belongs to this answer, also where the callback starts the next request on the slot. */
		struct buf body = s->answer;

		s->answer = BUF_INIT(body.max);
		s->done(s->ctx, &a);
		buf_deinit(&body);
	}
}

static int on_io(sd_event_source *src, int fd, uint32_t revents, void *userdata)
{
	struct slot *s = userdata;
	int what = 0, running;

	(void)src;
	if (revents & EPOLLIN)
		what |= CURL_CSELECT_IN;
	if (revents & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (revents & (EPOLLERR | EPOLLHUP))
		what |= CURL_CSELECT_ERR;
	curl_multi_socket_action(s->multi, fd, what, &running);
	on_done(s);
	return 0;
}

static int on_timer(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct slot *s = userdata;
	int running;

	(void)src;
	(void)usec;
	curl_multi_socket_action(s->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	on_done(s);
	return 0;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *userp, void *socketp)
{
	struct slot *s = userp;
	sd_event_source *src = socketp;
	uint32_t events = 0;
	int r;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		sd_event_source_disable_unref(src);
		return 0;
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= EPOLLOUT;
	if (src)
		return sd_event_source_set_io_events(src, events) < 0 ? -1 : 0;
	r = sd_event_add_io(s->http->event, &src, fd, events, on_io, s);
	if (r < 0)
		return -1;
	curl_multi_assign(s->multi, fd, src);
	return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *userp)
{
	struct slot *s = userp;

	(void)multi;
	if (timeout_ms < 0)
		return sd_event_source_set_enabled(s->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
	if (sd_event_source_set_time_relative(s->timer, (uint64_t)timeout_ms * 1000) < 0)
		return -1;
	return sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT) < 0 ? -1 : 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *userdata)
{
	struct slot *s = userdata;

	return buf_put(&s->answer, p, size * n) ? 0 : size * n;
}

static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	unsigned ms = USER_TIMEOUT_MS;

	(void)ctx;
	(void)purpose;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms)); /* fails on a kernel without: as before */
	return CURL_SOCKOPT_OK;
}

#define TRY(expr)                       \
	do {                            \
		if ((expr) != 0)        \
			return -EINVAL; \
	} while (0)

int http_options(CURL *e)
{
	TRY(curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https"));
	TRY(curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1));
	TRY(curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)(CURL_SSLVERSION_TLSv1_3 | CURL_SSLVERSION_MAX_TLSv1_3)));
	TRY(curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L));
	TRY(curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L));
	TRY(curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L));
	TRY(curl_easy_setopt(e, CURLOPT_CAPATH, NULL));
	TRY(curl_easy_setopt(e, CURLOPT_CAINFO, NULL));
	TRY(curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L));
	TRY(curl_easy_setopt(e, CURLOPT_PROXY, ""));
	TRY(curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L));
	TRY(curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S));
	TRY(curl_easy_setopt(e, CURLOPT_USERAGENT, "sekisho-uplink/" SEKISHO_VERSION));
	TRY(curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket));
	TRY(curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L));
	TRY(curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L));
	TRY(curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, PROBE_IDLE_S));
	TRY(curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, PROBE_EVERY_S));
	TRY(curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, IDLE_CONN_S));
	return 0;
}

static int set_blob(CURL *e, CURLoption what, const struct buf *pem)
{
	struct curl_blob blob = {.data = pem->p, .len = pem->n, .flags = CURL_BLOB_COPY};

	TRY(curl_easy_setopt(e, what, &blob));
	return 0;
}

static int add_header(struct slot *s, const char *line)
{
	struct curl_slist *more = curl_slist_append(s->headers, line);

	if (!more)
		return -ENOMEM;
	s->headers = more;
	return 0;
}

static CURLcode on_context(CURL *curl, void *ctx, void *userptr)
{
	const struct http *h = userptr;

	(void)curl;
	return tls_identify(ctx, buf_span(&h->cert), h->held, NULL) ? CURLE_SSL_CERTPROBLEM : CURLE_OK;
}

static int show_identity(struct http *h, struct slot *s)
{
	int r;

	if (h->held) {
		TRY(curl_easy_setopt(s->easy, CURLOPT_SSL_CTX_FUNCTION, on_context));
		TRY(curl_easy_setopt(s->easy, CURLOPT_SSL_CTX_DATA, h));
		return 0;
	}
	r = set_blob(s->easy, CURLOPT_SSLCERT_BLOB, &h->cert);
	return r ? r : set_blob(s->easy, CURLOPT_SSLKEY_BLOB, &h->key);
}

static int prepare(struct http *h, struct slot *s, const struct http_request *rq)
{
	char url[1024], type[128];
	unsigned i;
	int r;

	curl_easy_reset(s->easy);
	curl_slist_free_all(s->headers);
	s->headers = NULL;
	s->error[0] = 0;
	buf_clear(&s->answer);
	if ((size_t)snprintf(url, sizeof(url), "%s%s", h->url, rq->target) >= sizeof(url))
		return -ENAMETOOLONG;
	r = http_options(s->easy);
	if (!r)
		r = set_blob(s->easy, CURLOPT_CAINFO_BLOB, &h->ca);
	if (!r && !rq->anonymous)
		r = show_identity(h, s);
	for (i = 0; !r && i < rq->headers_n; i++)
		r = add_header(s, rq->headers[i]);
	if (!r && rq->body.p) {
		snprintf(type, sizeof(type), "Content-Type: %s", rq->type);
		r = add_header(s, type);
		if (!r)
			r = add_header(s, "Expect:");
	}
	if (r)
		return r;
	if (rq->body.p) {
		TRY(curl_easy_setopt(s->easy, CURLOPT_POST, 1L));
		TRY(curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, rq->body.p));
		TRY(curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body.n));
	}
	if (!rq->held) {
		TRY(curl_easy_setopt(s->easy, CURLOPT_LOW_SPEED_LIMIT, 1L));
		TRY(curl_easy_setopt(s->easy, CURLOPT_LOW_SPEED_TIME, STALL_S));
	}
	TRY(curl_easy_setopt(s->easy, CURLOPT_URL, url));
	TRY(curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->headers));
	TRY(curl_easy_setopt(s->easy, CURLOPT_TIMEOUT, rq->timeout_s));
	TRY(curl_easy_setopt(s->easy, CURLOPT_ERRORBUFFER, s->error));
	TRY(curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, on_body));
	TRY(curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, s));
	TRY(curl_easy_setopt(s->easy, CURLOPT_FRESH_CONNECT, s->fresh ? 1L : 0L));
	return 0;
}

int http_start(struct http *h, enum http_slot slot, const struct http_request *rq, http_done_fn done, void *ctx)
{
	struct slot *s = &h->slots[slot];
	int r;

	if (s->busy)
		return -EBUSY;
	r = prepare(h, s, rq);
	if (r)
		return r;
	s->done = done;
	s->ctx = ctx;
	if (curl_multi_add_handle(s->multi, s->easy))
		return -ENOMEM;
	s->busy = true;
	s->fresh = false;
	return 0;
}

void http_distrust(struct http *h, enum http_slot slot)
{
	h->slots[slot].fresh = true;
}

bool http_busy(const struct http *h, enum http_slot slot)
{
	return h->slots[slot].busy;
}

/* An address that is not there cannot be bound to. */
static bool can_bind(int family, const void *addr, socklen_t n)
{
	_cleanup_close_ int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 || !bind(fd, addr, n) || errno != EADDRNOTAVAIL;
}

bool http_address_is_ours(const struct http *h, enum http_slot slot)
{
	const struct slot *s = &h->slots[slot];
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const char *ip = NULL;

	if (!s->busy || curl_easy_getinfo(s->easy, CURLINFO_LOCAL_IP, &ip) || !ip)
		return true;
	if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1)
		return can_bind(AF_INET, &v4, sizeof(v4));
	if (inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1)
		return can_bind(AF_INET6, &v6, sizeof(v6));
	return true;
}

void http_cancel(struct http *h, enum http_slot slot)
{
	struct slot *s = &h->slots[slot];

	if (!s->busy)
		return;
	curl_multi_remove_handle(s->multi, s->easy);
	s->busy = false;
}

static int copy(struct buf *to, const struct buf *from)
{
	buf_clear(to);
	return buf_put_span(to, buf_span(from));
}

int http_identify(struct http *h, const struct identity *id)
{
	int r = copy(&h->key, &id->key);
	unsigned i;

	/* libcurl does not see what a context shows: a connection of before would be taken for one of now. */
	h->held = id->held;
	for (i = 0; i < HTTP_SLOTS; i++)
		h->slots[i].fresh = true;
	if (!r)
		r = copy(&h->cert, &id->cert);
	return r ? r : copy(&h->ca, &id->ca);
}

static int slot_init(struct http *h, struct slot *s)
{
	int r;

	s->http = h;
	/* A signed policy may be larger than what else is answered. */
	s->answer = BUF_INIT(s == &h->slots[HTTP_POLICY] ? BUNDLE_MAX : API_ANSWER_MAX);
	s->easy = curl_easy_init();
	s->multi = curl_multi_init();
	if (!s->easy || !s->multi)
		return -ENOMEM;
	r = sd_event_add_time_relative(h->event, &s->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, s);
	if (r >= 0)
		r = sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	if (r < 0)
		return r;
	TRY(curl_multi_setopt(s->multi, CURLMOPT_SOCKETFUNCTION, set_socket));
	TRY(curl_multi_setopt(s->multi, CURLMOPT_SOCKETDATA, s));
	TRY(curl_multi_setopt(s->multi, CURLMOPT_TIMERFUNCTION, set_timer));
	TRY(curl_multi_setopt(s->multi, CURLMOPT_TIMERDATA, s));
	TRY(curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, 1L));
	return 0;
}

int http_new(sd_event *event, const char *url, struct http **out)
{
	_cleanup_(http_freep) struct http *h = calloc(1, sizeof(*h));
	unsigned i;
	int r;

	if (!h)
		return -ENOMEM;
	r = (size_t)snprintf(h->url, sizeof(h->url), "%s", url) < sizeof(h->url) ? 0 : -ENAMETOOLONG;
	h->key = h->cert = h->ca = BUF_INIT(IDENTITY_PEM_MAX);
	h->event = sd_event_ref(event);
	for (i = 0; !r && i < HTTP_SLOTS; i++)
		r = slot_init(h, &h->slots[i]);
	if (!r)
		*out = STEAL(h);
	return r;
}

void http_free(struct http *h)
{
	unsigned i;

	if (!h)
		return;
	for (i = 0; i < HTTP_SLOTS; i++) {
		struct slot *s = &h->slots[i];

		http_cancel(h, i);
		curl_easy_cleanup(s->easy);
		if (s->multi)
			curl_multi_cleanup(s->multi);
		sd_event_source_disable_unref(s->timer);
		curl_slist_free_all(s->headers);
		buf_deinit(&s->answer);
	}
	sd_event_unref(h->event);
	if (h->key.p)
		secret_wipe(h->key.p, h->key.cap);
	buf_deinit(&h->key);
	buf_deinit(&h->cert);
	buf_deinit(&h->ca);
	free(h);
}
