/*
 * Connections: evhttp over TLS and over the administrator's UNIX socket, with the guards that evhttp lacks. Routes see
 * a `struct ask` and answer it once; nothing here knows what is asked.
 */
#ifndef SEKISHO_INGEST_SERVER_H
#define SEKISHO_INGEST_SERVER_H

#include "collector/ingest/config.h"
#include "policy/base/buf.h"
#include "policy/trust/cert.h"
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <jansson.h>
#include <sys/queue.h>

struct ingest;
struct conn;
struct held;

TAILQ_HEAD(conn_list, conn);

struct server {
	struct event_base *base;
	struct evhttp *http, *door;
	struct evconnlistener *listeners[8], *door_listener;
	unsigned listeners_n;
	SSL_CTX *tls;
	struct conn_list conns;
	unsigned conns_n;
	bool paused; /* as many connections as may be: others wait in the kernel's queue */
	bool stopping;
	uint64_t receiving; /* bytes of requests that are not complete */
	struct {
		uint64_t accepted, killed_slow, killed_idle, killed_memory, killed_large, most;
	} count;
};

/* One request, until it is answered. */
struct ask {
	struct ingest *in;
	struct evhttp_request *req;
	struct conn *conn; /* NULL at the administrator's door */
	unsigned uid;      /* there: who asks */
	bool post;
	char path[512];
	const char *query; /* "" where there is none */
	struct span body;
};

/* A request that is answered later: part of a larger structure of its owner. */
struct held {
	struct conn *conn;
	struct evhttp_request *req;
	struct event *closed;
	/* The client went away before it was answered: `h` is to be released, and not to be answered. */
	void (*gone)(struct held *h);
};

/* Binds; needs privilege for low ports and for the door's owner. Nothing is accepted yet. 0, V_BAD, -errno. */
int server_bind(struct ingest *in, struct why *why);
/* Begins to accept. 0, -errno. */
int server_start(struct ingest *in);
/* Another certificate for connections from now on. */
int server_reload(struct ingest *in, struct why *why);
/* Stops accepting; what is idle is closed, what is being answered may end. */
void server_stop(struct ingest *in);
void server_free(struct ingest *in);
/* Once a second: ends what is too slow or idle too long. */
void server_tick(struct ingest *in);
/* Ends all connections of this PC (its certificate's name). */
void server_drop_host(struct ingest *in, const struct digest *host);

/* Who is at the other end: V_NOT_FOUND without a certificate. */
int ask_peer(const struct ask *a, struct cert_info *out);
/* A header of the request, or NULL. */
const char *ask_header(const struct ask *a, const char *name);

/* Answers. `retry_after` in seconds, 0 for none. */
void answer_json(struct evhttp_request *req, int status, json_t *steal);
void answer_error(struct evhttp_request *req, int status, const char *word, const char *reason, unsigned retry_after);
void answer_bytes(struct evhttp_request *req, const char *type, bool immutable, struct span bytes);

/* Keeps the request for later; it is answered with what held_release gives back, or ends by h->gone. 0, -errno. */
int held_begin(struct ask *a, struct held *h, void (*gone)(struct held *h));
struct evhttp_request *held_release(struct held *h);

#endif
