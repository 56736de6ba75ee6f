/*
 * Connections and their guards, which evhttp lacks: at most so many, a time for handshake and header, a floor under the
 * rate of bodies, an end for idle ones, bounds on what strangers may send and on all memory for requests together,
 * notice of clients that go away while they are held. See conn.h.
 *
 * Thousands that come at once are taken a few at a time: the next ones when nothing else is to be done, those meanwhile
 * wait in the kernel's queue. Else all handshakes would be begun and none would end in its time.
 *
 * evhttp tells nothing before a request is whole. So connections are watched from below: the bufferevent's input tells
 * bytes as they come, and the TLS object tells when the connection ends. To end one from here, its socket is shut down:
 * evhttp then finds the end by itself, in whatever state it is.
 */
#include "collector/http/conn.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <malloc.h>
#include <sys/socket.h>

#define WRITE_US 60000000 /* an answer that is not taken within this */
#define AHEAD_MAX 65536u  /* of next requests, while one is answered: what waits there is nobody's yet */
#define BURST_MAX 64u     /* connections that are accepted before what the others want is done */
#define TRIM_AFTER 256u   /* so many connections leave holes in memory worth closing */
#define TRIM_CALM 16u     /* in a second: the crowd is over */
#define TRIM_REST 60u     /* seconds of calm: then also what fewer have left */

/* --- one connection --- */

/* So many bytes are the connection's own now. */
static void count_bytes(struct conn *c, uint64_t n)
{
	c->server->receiving += n - c->bytes;
	c->bytes = n;
}

void conn_phase(struct conn *c, enum phase to)
{
	c->phase = to;
	c->since_us = clock_boot_us();
	/* What is there of a next request came already, and waits. */
	count_bytes(c, evbuffer_get_length(bufferevent_get_input(c->bev)));
}

void conn_end(struct conn *c)
{
	evutil_socket_t fd = bufferevent_getfd(c->bev);

	if (!c->ended && fd >= 0)
		shutdown(fd, SHUT_RDWR);
	c->ended = true;
}

static void listen_again(struct server *s)
{
	unsigned i;

	if (!s->paused || s->stopping || s->in_burst)
		return;
	s->paused = false;
	for (i = 0; i < s->listeners_n; i++)
		evconnlistener_enable(s->listeners[i]);
}

void conn_pause(struct server *s)
{
	unsigned i;

	if (s->paused)
		return;
	s->paused = true;
	for (i = 0; i < s->listeners_n; i++)
		evconnlistener_disable(s->listeners[i]);
}

void conn_calm(struct server *s)
{
	s->burst = 0;
	s->in_burst = false;
	if (s->conns_n < s->o.connections)
		listen_again(s);
}

/* The TLS object is released, and with it the connection. */
static void on_gone(void *arg)
{
	struct conn *c = arg;
	struct server *s = c->server;

	count_bytes(c, 0);
	s->strangers_n -= !c->known;
	s->settled += c->has_peer == PEER_UNKNOWN;
	TAILQ_REMOVE(&s->conns, c, link);
	s->conns_n--;
	if (s->conns_n < s->o.connections)
		listen_again(s);
	free(c);
}

void conn_known(struct conn *c)
{
	c->server->strangers_n -= !c->known;
	c->known = true;
}

void conn_find_peer(struct conn *c)
{
	if (c->has_peer == PEER_UNKNOWN) {
		c->has_peer = tls_peer(bufferevent_openssl_get_ssl(c->bev), &c->peer) ? PEER_NONE : PEER_THERE;
		c->server->settled++;
	}
	if (c->has_peer == PEER_THERE)
		conn_known(c);
}

/* As much as a connection may send. Above what evhttp answers with 413: a client that goes on sending meanwhile is to
 * see that answer. */
static uint64_t most_of(const struct conn *c)
{
	const struct server_options *o = &c->server->o;

	/* evhttp reads on while it writes: who sends and takes no answer would be given all memory. */
	if (c->phase != PHASE_READING)
		return AHEAD_MAX;
	return c->has_peer == PEER_THERE ? 2 * o->body_max : o->stranger_max;
}

static void on_input(struct evbuffer *b, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *c = arg;
	struct server *s = c->server;

	if (!info->n_added)
		return;
	if (c->phase == PHASE_IDLE)
		conn_phase(c, PHASE_READING);
	else
		count_bytes(c, c->phase == PHASE_READING ? c->bytes + info->n_added : evbuffer_get_length(b));
	if (c->phase == PHASE_READING)
		conn_find_peer(c);
	if (c->ended)
		return;
	if (c->bytes > most_of(c)) {
		s->count.killed_large++;
		conn_end(c);
	} else if (s->receiving > s->o.memory) {
		s->count.killed_memory++;
		conn_end(c);
	}
}

/* evhttp asks for the bufferevent of a connection that it has accepted. NULL would make it go on without TLS. */
struct bufferevent *conn_accept(struct event_base *base, void *arg)
{
	struct server *s = arg;
	struct conn *c = calloc(1, sizeof(*c));
	SSL *ssl = NULL;

	if (!c || tls_accept(s->tls, on_gone, c, &ssl)) {
		free(c);
		log_error("no memory for a connection");
		abort();
	}
	c->server = s;
	c->since_us = clock_boot_us();
	TAILQ_INSERT_TAIL(&s->conns, c, link);
	s->conns_n++;
	s->strangers_n++;
	s->count.accepted++;
	if (s->conns_n > s->count.most)
		s->count.most = s->conns_n;
	if (s->conns_n >= s->o.connections)
		conn_pause(s);
	if (++s->burst >= BURST_MAX && s->calm) {
		s->in_burst = true;
		conn_pause(s);
		event_active(s->calm, 0, 0);
	}
	c->bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev || !evbuffer_add_cb(bufferevent_get_input(c->bev), on_input, c)) {
		log_error("no memory for a connection");
		abort();
	}
	bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
	crowd_thin(s);
	return c->bev;
}

/*
 * A crowd of handshakes leaves holes of 16 KiB all over the heap: once it is over, their pages go back. Not once all
 * are accepted: those that came at the same moment end theirs one after the other. The last ones of a crowd, or a few
 * that came by themselves, are waited behind for longer, and not for ever.
 */
static void trim(struct server *s)
{
	uint64_t lately = s->settled - s->settled_before, left = s->settled - s->trimmed_at;

	s->settled_before = s->settled;
	s->rested = left && lately <= TRIM_CALM ? s->rested + 1 : 0;
	if (!s->rested || (left < TRIM_AFTER && s->rested < TRIM_REST))
		return;
	s->rested = 0;
	s->trimmed_at = s->settled;
	malloc_trim(0);
}

void server_tick(struct server *s)
{
	int64_t now = clock_boot_us();
	struct conn *c;

	for (c = TAILQ_FIRST(&s->conns); c; c = TAILQ_NEXT(c, link)) {
		int64_t age = now - c->since_us;

		switch (c->phase) {
		case PHASE_READING:
			if (age <= (int64_t)s->o.head_us + (int64_t)(c->bytes * 1000000ull / s->o.body_rate))
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
			if (age <= (int64_t)s->o.idle_us && !s->stopping)
				continue;
			s->count.killed_idle += !c->ended;
			break;
		}
		conn_end(c);
	}
	/*
	 * After a lack of descriptors (on_accept_error) there may be some again; and where there is always something to
	 * do, newcomers get their turn all the same.
	 */
	conn_calm(s);
	crowd_thin(s);
	trim(s);
}

void server_drop_shown(struct server *s)
{
	struct cert_info info;
	struct why why = {""};
	const char *word;
	struct conn *c;

	for (c = TAILQ_FIRST(&s->conns); c; c = TAILQ_NEXT(c, link)) {
		if (c->phase != PHASE_WRITING &&
			tls_shown(bufferevent_openssl_get_ssl(c->bev), &info, &word, &why) != V_NOT_FOUND)
			conn_end(c);
	}
}

void server_drop_host(struct server *s, const struct digest *host)
{
	char hex[2 * DIGEST_SIZE + 1];
	struct conn *c;

	hex_encode(hex, host->b, DIGEST_SIZE);
	for (c = TAILQ_FIRST(&s->conns); c; c = TAILQ_NEXT(c, link)) {
		if (c->has_peer == PEER_THERE && !strcmp(c->peer.cn, hex) && c->phase != PHASE_WRITING)
			conn_end(c);
	}
}

struct conn *conn_of(struct evhttp_request *req)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	SSL *ssl = evcon ? bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(evcon)) : NULL;

	return ssl ? tls_arg(ssl) : NULL;
}

/* --- requests that are answered later --- */

static void held_forget(struct held *h)
{
	if (h->closed)
		event_free(h->closed);
	h->closed = NULL;
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
	struct held *h = arg;

	(void)evcon;
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
	h->closed = event_new(a->server->base, bufferevent_getfd(evhttp_connection_get_bufferevent(evcon)),
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
	h->drained = false;
	evhttp_connection_set_closecb(evcon, on_evcon_close, h);
	return 0;
}

struct evhttp_request *held_release(struct held *h)
{
	struct evhttp_request *req = h->req;

	evhttp_connection_set_closecb(evhttp_request_get_connection(req), NULL, NULL);
	held_forget(h);
	return req;
}
