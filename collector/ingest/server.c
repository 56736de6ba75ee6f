/*
 * The server's start and end: evhttp over the sockets that bind.c made, with its bounds. See server.h.
 */
#include "collector/ingest/conn.h"
#include "policy/wire/api.h"
#include <errno.h>

#define HEADERS_MAX 16384

static void guard(struct evhttp *http, struct ingest *in)
{
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, API_SEGMENTS_BODY_MAX);
	evhttp_set_default_content_type(http, NULL);
	evhttp_set_gencb(http, request_take, in);
}

/* No descriptor is left, say: the listeners rest until the next second. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
	struct ingest *in = arg;

	(void)l;
	if (log_allowed(&in->refused_log))
		log_warning("a connection could not be accepted: %s", strerror(errno));
	conn_pause(&in->server);
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
	evhttp_set_bevcb(s->http, conn_accept, in);
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
	conn_pause(s);
	evconnlistener_disable(s->door_listener);
	for (c = TAILQ_FIRST(&s->conns); c; c = TAILQ_NEXT(c, link)) {
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
