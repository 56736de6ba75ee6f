/*
 * The server's start and end: evhttp over the sockets that bind.c made, with its bounds. See server.h.
 */
#include "collector/http/conn.h"
#include <errno.h>

#define HEADERS_MAX 16384

static void guard(struct evhttp *http, struct server *s)
{
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | (s->o.puts ? EVHTTP_REQ_PUT : 0) |
						 (s->o.deletes ? EVHTTP_REQ_DELETE : 0));
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, (ssize_t)s->o.body_max);
	evhttp_set_default_content_type(http, NULL);
	evhttp_set_gencb(http, request_take, s);
}

/* No descriptor is left, say: the listeners rest until the next second. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
	static struct log_limit limit = LOG_LIMIT(10);

	(void)l;
	if (log_allowed(&limit))
		log_warning("a connection could not be accepted: %s", strerror(errno));
	conn_pause(arg);
}

static void on_calm(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	conn_calm(arg);
}

int server_start(struct server *s)
{
	unsigned i;

	s->http = evhttp_new(s->base);
	s->door = evhttp_new(s->base);
	s->calm = event_new(s->base, -1, 0, on_calm, s);
	if (!s->http || !s->door || !s->calm || event_priority_set(s->calm, event_base_get_npriorities(s->base) - 1))
		return -ENOMEM;
	guard(s->http, s);
	guard(s->door, s);
	evhttp_set_flags(s->http, EVHTTP_SERVER_LINGERING_CLOSE);
	evhttp_set_bevcb(s->http, conn_accept, s);
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

void server_certify(struct server *s, SSL_CTX *tls)
{
	tls_free(s->tls);
	s->tls = tls;
}

void server_stop(struct server *s)
{
	struct conn *c;

	s->stopping = true;
	conn_pause(s);
	evconnlistener_disable(s->door_listener);
	for (c = TAILQ_FIRST(&s->conns); c; c = TAILQ_NEXT(c, link)) {
		if (c->phase == PHASE_IDLE || (c->phase == PHASE_READING && !c->bytes))
			conn_end(c);
	}
}

void server_free(struct server *s)
{
	/* They own their listeners and connections; connections that end now must not touch the listeners. */
	s->stopping = true;
	if (s->http)
		evhttp_free(s->http);
	if (s->door)
		evhttp_free(s->door);
	if (s->calm)
		event_free(s->calm);
	tls_free(s->tls);
	s->http = s->door = NULL;
	s->calm = NULL;
	s->tls = NULL;
}
