/*
 * See server.h. evhttp parses; this file guards: at most so many connections, a time for handshake and header, a floor
 * under the rate of bodies, an end for idle ones, bounds on what strangers may send and on all memory for requests
 * together, notice of clients that go away while they are held.
 *
 * evhttp tells nothing before a request is whole. So connections are watched from below: the bufferevent's input tells
 * bytes as they come, and the TLS object tells when the connection ends. To end one from here, its socket is shut down:
 * evhttp then finds the end by itself, in whatever state it is.
 */
#include "collector/ingest/ask.h"
#include "collector/ingest/ingest.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/wire/api.h"
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/keyvalq_struct.h>
#include <sys/socket.h>
#include <unistd.h>

#define STRANGER_MAX (128u << 10) /* bytes of a request without a client certificate */
#define HEADERS_MAX 16384
/* Above what evhttp answers with 413: a client that goes on sending meanwhile is to see that answer. */
#define REQUEST_MAX (2 * API_SEGMENTS_BODY_MAX)
#define WRITE_US 60000000 /* an answer that is not taken within this */

enum phase {
	PHASE_READING,  /* handshake, or a request that is not whole yet */
	PHASE_HANDLING, /* ours to answer */
	PHASE_WRITING,
	PHASE_IDLE, /* answered; nothing of a next request is there */
};

struct conn {
	TAILQ_ENTRY(conn) link;
	struct ingest *in;
	struct bufferevent *bev;
	enum phase phase;
	int64_t since_us; /* boot clock: when the phase began */
	uint64_t bytes;   /* of this request */
	enum { PEER_UNKNOWN, PEER_NONE, PEER_THERE } has_peer;
	struct cert_info peer;
	struct held *held;
	bool ended; /* shut down already */
};

/* --- one connection --- */

static void phase(struct conn *c, enum phase to)
{
	if (c->phase == PHASE_READING)
		c->in->server.receiving -= c->bytes;
	c->phase = to;
	c->since_us = clock_boot_us();
	c->bytes = 0;
}

static void conn_end(struct conn *c)
{
	evutil_socket_t fd = bufferevent_getfd(c->bev);

	if (!c->ended && fd >= 0)
		shutdown(fd, SHUT_RDWR);
	c->ended = true;
}

static void listen_again(struct server *s)
{
	unsigned i;

	if (!s->paused || s->stopping)
		return;
	s->paused = false;
	for (i = 0; i < s->listeners_n; i++)
		evconnlistener_enable(s->listeners[i]);
}

static void listen_pause(struct server *s)
{
	unsigned i;

	if (s->paused)
		return;
	s->paused = true;
	for (i = 0; i < s->listeners_n; i++)
		evconnlistener_disable(s->listeners[i]);
}

/* The TLS object is released, and with it the connection. */
static void on_gone(void *arg)
{
	struct conn *c = arg;
	struct server *s = &c->in->server;

	if (c->phase == PHASE_READING)
		s->receiving -= c->bytes;
	TAILQ_REMOVE(&s->conns, c, link);
	s->conns_n--;
	if (s->conns_n < c->in->conf.connections)
		listen_again(s);
	free(c);
}

static void find_peer(struct conn *c)
{
	if (c->has_peer == PEER_UNKNOWN)
		c->has_peer = tls_peer(bufferevent_openssl_get_ssl(c->bev), &c->peer) ? PEER_NONE : PEER_THERE;
}

static void on_input(struct evbuffer *b, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *c = arg;
	struct ingest *in = c->in;

	(void)b;
	if (!info->n_added)
		return;
	if (c->phase == PHASE_IDLE)
		phase(c, PHASE_READING);
	if (c->phase != PHASE_READING)
		return;
	find_peer(c);
	c->bytes += info->n_added;
	in->server.receiving += info->n_added;
	if (c->bytes > (c->has_peer == PEER_THERE ? REQUEST_MAX : STRANGER_MAX)) {
		in->server.count.killed_large++;
		conn_end(c);
	} else if (in->server.receiving > in->conf.memory) {
		in->server.count.killed_memory++;
		conn_end(c);
	}
}

/* evhttp asks for the bufferevent of a connection that it has accepted. NULL would make it go on without TLS. */
static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
	struct ingest *in = arg;
	struct server *s = &in->server;
	struct conn *c = calloc(1, sizeof(*c));
	SSL *ssl = NULL;

	if (!c || tls_accept(s->tls, on_gone, c, &ssl)) {
		free(c);
		log_error("no memory for a connection");
		abort();
	}
	c->in = in;
	c->since_us = clock_boot_us();
	TAILQ_INSERT_TAIL(&s->conns, c, link);
	s->conns_n++;
	s->count.accepted++;
	if (s->conns_n > s->count.most)
		s->count.most = s->conns_n;
	if (s->conns_n >= in->conf.connections)
		listen_pause(s);
	c->bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev || !evbuffer_add_cb(bufferevent_get_input(c->bev), on_input, c)) {
		log_error("no memory for a connection");
		abort();
	}
	bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
	return c->bev;
}

void server_tick(struct ingest *in)
{
	struct server *s = &in->server;
	int64_t now = clock_boot_us();
	struct conn *c;

	TAILQ_FOREACH(c, &s->conns, link)
	{
		int64_t age = now - c->since_us;

		switch (c->phase) {
		case PHASE_READING:
			if (age <= (int64_t)in->conf.head_us + (int64_t)(c->bytes * 1000000ull / in->conf.body_rate))
				continue;
			s->count.killed_slow += !c->ended;
			break;
		case PHASE_HANDLING:
			continue;
		case PHASE_WRITING:
			if (age <= WRITE_US)
				continue;
			s->count.killed_slow += !c->ended;
			break;
		case PHASE_IDLE:
			if (age <= (int64_t)in->conf.idle_us && !s->stopping)
				continue;
			s->count.killed_idle += !c->ended;
			break;
		}
		conn_end(c);
	}
	/* After a lack of descriptors (on_accept_error) there may be some again. */
	if (s->conns_n < in->conf.connections)
		listen_again(s);
}

void server_drop_host(struct ingest *in, const struct digest *host)
{
	char hex[2 * DIGEST_SIZE + 1];
	struct conn *c;

	hex_encode(hex, host->b, DIGEST_SIZE);
	TAILQ_FOREACH(c, &in->server.conns, link)
	{
		if (c->has_peer == PEER_THERE && !strcmp(c->peer.cn, hex) && c->phase != PHASE_WRITING)
			conn_end(c);
	}
}

/* --- requests --- */

static void on_complete(struct evhttp_request *req, void *arg)
{
	(void)req;
	phase(arg, PHASE_IDLE);
}

/* Things that no client of ours sends, and that two readers could understand differently. NULL where all is well. */
static const char *strange(struct evhttp_request *req)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	struct evkeyval *h;
	unsigned lengths = 0, hosts = 0;
	uint64_t v;

	TAILQ_FOREACH(h, headers, next)
	{
		if (!evutil_ascii_strcasecmp(h->key, "Transfer-Encoding") ||
			!evutil_ascii_strcasecmp(h->key, "Trailer"))
			return "transfer encodings are not taken";
		if (!evutil_ascii_strcasecmp(h->key, "Content-Encoding"))
			return "content encodings are not taken";
		if (!evutil_ascii_strcasecmp(h->key, "Content-Length")) {
			lengths++;
			if (ask_number(h->value, &v))
				return "Content-Length is no number";
		}
		hosts += !evutil_ascii_strcasecmp(h->key, "Host");
	}
	if (lengths > 1 || hosts > 1)
		return "a header is there twice";
	if (evhttp_request_get_command(req) == EVHTTP_REQ_POST && !lengths)
		return "Content-Length is required";
	return NULL;
}

static bool take_target(struct ask *a)
{
	const char *uri = evhttp_request_get_uri(a->req);
	size_t n = uri ? strcspn(uri, "?") : 0;
	size_t i;

	if (!n || n >= sizeof(a->path) || uri[0] != '/')
		return false;
	for (i = 0; i < n; i++)
		if (uri[i] <= 0x20 || uri[i] == '%' || uri[i] == '#' || uri[i] == 0x7f)
			return false;
	memcpy(a->path, uri, n);
	a->path[n] = 0;
	a->query = uri[n] ? uri + n + 1 : "";
	return true;
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct ask a = {.in = arg, .req = req};
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
	struct evbuffer *input = evhttp_request_get_input_buffer(req);
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	struct ucred cred = {.uid = (uid_t)-1};
	socklen_t len = sizeof(cred);
	const char *why = strange(req);

	if (ssl) {
		a.conn = tls_arg(ssl);
		phase(a.conn, PHASE_HANDLING);
		find_peer(a.conn);
		evhttp_request_set_on_complete_cb(req, on_complete, a.conn);
	} else if (getsockopt(bufferevent_getfd(bev), SOL_SOCKET, SO_PEERCRED, &cred, &len)) {
		answer_error(req, 403, "peer", "the other end is not known", 0);
		return;
	}
	a.uid = cred.uid;
	a.in->count.requests++;
	if (a.in->server.stopping || why)
		evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
	a.post = evhttp_request_get_command(req) == EVHTTP_REQ_POST;
	a.body = SPAN(evbuffer_pullup(input, -1), evbuffer_get_length(input));
	if (why)
		answer_error(req, 400, "request", why, 0);
	else if (a.in->server.stopping || a.in->failed)
		answer_error(req, 503, "stopping", "the collector stops", 5);
	else if (!take_target(&a))
		answer_error(req, 400, "path", "no path of ours", 0);
	else
		route(&a);
}

int ask_peer(const struct ask *a, struct cert_info *out)
{
	if (!a->conn || a->conn->has_peer != PEER_THERE)
		return V_NOT_FOUND;
	*out = a->conn->peer;
	return 0;
}

const char *ask_header(const struct ask *a, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(a->req), name);
}

/* --- answers --- */

/* The connection of a request that is about to be answered. */
static void begin_answer(struct evhttp_request *req)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	SSL *ssl = evcon ? bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(evcon)) : NULL;
	struct conn *c = ssl ? tls_arg(ssl) : NULL;

	if (!c)
		return;
	phase(c, PHASE_WRITING);
	if (c->in->server.stopping)
		evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
}

static void send_answer(struct evhttp_request *req, int status, const char *type, struct span bytes)
{
	struct evbuffer *out = evbuffer_new();

	if (!out || evbuffer_add(out, bytes.p, bytes.n)) {
		log_error("no memory for an answer");
		abort();
	}
	begin_answer(req);
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", type);
	evhttp_send_reply(req, status, status == 200 ? "OK" : "Refused", out);
	evbuffer_free(out);
}

void answer_json(struct evhttp_request *req, int status, json_t *steal)
{
	_cleanup_free_ char *text = steal ? json_dumps(steal, JSON_COMPACT) : NULL;

	json_decref(steal);
	if (text)
		send_answer(req, status, "application/json", SPAN_STR(text));
	else
		send_answer(req, 503, "application/json", SPAN_STR("{\"error\":\"failed\"}"));
}

void answer_error(struct evhttp_request *req, int status, const char *word, const char *reason, unsigned retry_after)
{
	char text[16], shown[300];

	if (retry_after) {
		snprintf(text, sizeof(text), "%u", retry_after);
		evhttp_add_header(evhttp_request_get_output_headers(req), "Retry-After", text);
	}
	/* Reasons are cut by bytes: what they quote may end in half a character, which JSON does not take. */
	text_escape_to(shown, sizeof(shown), SPAN_STR(reason));
	answer_json(req, status, json_pack("{s:s, s:s}", "error", word, "reason", shown));
}

void answer_bytes(struct evhttp_request *req, const char *type, bool immutable, struct span bytes)
{
	evhttp_add_header(evhttp_request_get_output_headers(req), "Cache-Control",
		immutable ? "public, max-age=31536000, immutable" : "no-cache");
	send_answer(req, 200, type, bytes);
}

/* --- requests that are answered later --- */

static void held_forget(struct held *h)
{
	if (h->closed)
		event_free(h->closed);
	h->closed = NULL;
	h->conn->held = NULL;
	h->conn = NULL;
	h->req = NULL;
}

/*
 * Something came from a client whose request is ours: the end of the connection (evhttp does not read meanwhile, and
 * would not notice), or a next request, which waits.
 */
static void on_closed(evutil_socket_t fd, short what, void *arg)
{
	struct held *h = arg;
	ssize_t n;
	char byte;

	if (!(what & EV_CLOSED)) {
		n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
		if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
			return;
	}
	evhttp_connection_free(evhttp_request_get_connection(h->req));
}

/* evhttp gives the connection up, by itself or by on_closed. */
static void on_evcon_close(struct evhttp_connection *evcon, void *arg)
{
	struct conn *c = arg;
	struct held *h = c->held;

	(void)evcon;
	if (!h)
		return;
	/* It has let go of the request already where it came upon the end by itself; else it frees it next. */
	if (!evhttp_request_get_connection(h->req))
		evhttp_request_free(h->req);
	held_forget(h);
	h->gone(h);
}

int held_begin(struct ask *a, struct held *h, void (*gone)(struct held *h))
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(a->req);

	/* Told once of each thing that comes: what is not read would be told for ever. A reset is told as EV_READ
	 * alone. */
	h->closed = event_new(a->in->server.base, bufferevent_getfd(a->conn->bev),
		EV_READ | EV_CLOSED | EV_PERSIST | EV_ET, on_closed, h);
	if (!h->closed || event_add(h->closed, NULL)) {
		if (h->closed)
			event_free(h->closed);
		h->closed = NULL;
		return -ENOMEM;
	}
	h->conn = a->conn;
	h->req = a->req;
	h->gone = gone;
	a->conn->held = h;
	evhttp_connection_set_closecb(evcon, on_evcon_close, a->conn);
	return 0;
}

struct evhttp_request *held_release(struct held *h)
{
	struct evhttp_request *req = h->req;

	evhttp_connection_set_closecb(evhttp_request_get_connection(req), NULL, NULL);
	held_forget(h);
	return req;
}

/* --- start and end --- */

static void guard(struct evhttp *http, struct ingest *in)
{
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, API_SEGMENTS_BODY_MAX);
	evhttp_set_default_content_type(http, NULL);
	evhttp_set_gencb(http, on_request, in);
}

/* No descriptor is left, say: the listeners rest until the next second. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
	struct ingest *in = arg;

	(void)l;
	if (log_allowed(&in->refused_log))
		log_warning("a connection could not be accepted: %s", strerror(errno));
	listen_pause(&in->server);
}

int server_start(struct ingest *in)
{
	struct server *s = &in->server;
	unsigned i;

	s->http = evhttp_new(s->base);
	s->door = evhttp_new(s->base);
	if (!s->http || !s->door)
		return -ENOMEM;
	guard(s->http, in);
	guard(s->door, in);
	evhttp_set_flags(s->http, EVHTTP_SERVER_LINGERING_CLOSE);
	evhttp_set_bevcb(s->http, on_accept, in);
	evhttp_set_timeout(s->door, 30);
	for (i = 0; i < s->listeners_n; i++) {
		if (!evhttp_bind_listener(s->http, s->listeners[i]))
			return -ENOMEM;
		evconnlistener_set_error_cb(s->listeners[i], on_accept_error);
		evconnlistener_enable(s->listeners[i]);
	}
	if (!evhttp_bind_listener(s->door, s->door_listener))
		return -ENOMEM;
	evconnlistener_enable(s->door_listener);
	return 0;
}

int server_reload(struct ingest *in, struct why *why)
{
	SSL_CTX *ctx = NULL;
	int r = tls_server(in->conf.server_crt, in->conf.server_key, in->conf.ca_crt, &ctx, why);

	if (r)
		return r;
	tls_free(in->server.tls);
	in->server.tls = ctx;
	return 0;
}

void server_stop(struct ingest *in)
{
	struct server *s = &in->server;
	struct conn *c;

	s->stopping = true;
	listen_pause(s);
	evconnlistener_disable(s->door_listener);
	TAILQ_FOREACH(c, &s->conns, link)
	{
		if (c->phase == PHASE_IDLE || (c->phase == PHASE_READING && !c->bytes))
			conn_end(c);
	}
}

void server_free(struct ingest *in)
{
	struct server *s = &in->server;

	/* They own their listeners and connections; connections that end now must not touch the listeners. */
	s->stopping = true;
	if (s->http)
		evhttp_free(s->http);
	if (s->door)
		evhttp_free(s->door);
	tls_free(s->tls);
	s->http = s->door = NULL;
	s->tls = NULL;
}
