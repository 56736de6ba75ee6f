/*
 * Connections: evhttp over TLS and over an administrator's UNIX socket, with the guards that evhttp lacks. Routes see a
 * `struct ask` and answer it once, at once or later; nothing here knows what is asked. Used by sekisho-collector and
 * sekisho-console.
 */
#ifndef SEKISHO_HTTP_SERVER_H
#define SEKISHO_HTTP_SERVER_H

#include "collector/http/parse.h"
#include "policy/base/log.h"
#include "policy/trust/cert.h"
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <sys/queue.h>

struct ask;
struct conn;
struct held;

TAILQ_HEAD(conn_list, conn);

struct answer_header {
	const char *name, *value;
};

struct server_options {
	const char *listen; /* an address; "*": all of them */
	uint64_t port;
	const char *door;   /* path of the administrator's socket */
	const char *called; /* "the collector", in answers */
	uint64_t connections, head_us, body_rate, idle_us, memory;
	size_t body_max;     /* of one request */
	size_t stranger_max; /* of one request, without a client certificate */
	bool puts, deletes;  /* PUT, DELETE are taken too */
	void (*route)(struct ask *a);
	void (*stop)(void *owner);           /* SIGTERM came, nothing is accepted any more: what is held is let go */
	unsigned drain_s;                    /* so long what is being answered may take then */
	void *owner;                         /* for route and stop */
	const struct answer_header *headers; /* in every answer to the network; ends with NULL; may be NULL */
};

struct server {
	struct server_options o;
	struct event_base *base;
	struct evhttp *http, *door;
	struct evconnlistener *listeners[8], *door_listener;
	unsigned listeners_n;
	SSL_CTX *tls;
	struct conn_list conns;
	unsigned conns_n, strangers_n; /* all of them; those of nobody who is known */
	bool paused;                   /* as many connections as may be for now: others wait in the kernel's queue */
	bool in_burst;                 /* ... because `burst` were accepted one after the other */
	bool stopping;                 /* and 503 is all that is said */
	bool failed;                   /* the same: the process is about to end */
	unsigned burst;
	struct event *calm;      /* comes when nothing else is to be done */
	uint64_t settled;        /* connections whose handshake is over, or that went during it */
	uint64_t settled_before; /* the last tick */
	uint64_t trimmed_at;     /* so many were settled when memory was given back */
	unsigned rested;         /* seconds of calm since then, behind one that has settled */
	struct event *events[8]; /* of server_every and server_run */
	unsigned events_n;
	uint64_t receiving; /* bytes of requests that are not complete, or wait for the one before */
	struct {
		uint64_t requests, accepted, killed_slow, killed_idle, killed_memory, killed_large, killed_crowd, most;
	} count;
};

enum ask_method { ASK_GET, ASK_POST, ASK_PUT, ASK_DELETE };

/* One request, until it is answered. */
struct ask {
	void *owner;
	struct server *server;
	struct evhttp_request *req;
	struct conn *conn; /* NULL at the administrator's door */
	unsigned uid;      /* there: who asks */
	enum ask_method method;
	char path[512];
	const char *query; /* "" where there is none */
	struct span body;
};

/* A request that is answered later: part of a larger structure of its owner. */
struct held {
	struct conn *conn; /* NULL at the administrator's door */
	struct evhttp_request *req;
	struct event *closed;
	bool drained; /* for stream_drained */
	/* The client went away before it was answered: `h` is to be released, and not to be answered. */
	void (*gone)(struct held *h);
};

/*
 * Binds by s->o, into s->base; needs privilege for low ports and for the door's owner. Nothing is accepted yet. 0,
 * V_BAD, -errno.
 */
int server_bind(struct server *s, struct why *why);
/*
 * Begins to accept, with s->tls. Newcomers come after everything else where s->base has more than two priorities
 * (event_base_priority_init; an event's own is the middle one). 0, -errno.
 */
int server_start(struct server *s);
/* Another certificate for connections from now on; takes `tls` over. */
void server_certify(struct server *s, SSL_CTX *tls);
/* Stops accepting; what is idle is closed, what is being answered may end. */
void server_stop(struct server *s);
void server_free(struct server *s);
/* Once a second (server_run does so): ends what is too slow or idle too long. */
void server_tick(struct server *s);

/* Calls fn with `arg` every `us` microseconds while server_run runs. 0; -ENOMEM; -ENOSPC, more than the server has room
 * for. */
int server_every(struct server *s, int64_t us, event_callback_fn fn, void *arg);
/* Sets a timer of its owner's: in `us`, but not before a tenth of a second and not after a whole one. */
void server_soon(struct event *timer, int64_t us);
/*
 * Runs the loop until the first of SIGTERM and SIGINT, and then until everything is answered, drain_s are over, or the
 * signal comes again; or until somebody breaks it. 0, -errno.
 */
int server_run(struct server *s);
/* Ends all connections whose client showed a certificate: they come again and are judged anew. */
void server_drop_shown(struct server *s);
/* Ends all connections of this PC (its certificate's name). */
void server_drop_host(struct server *s, const struct digest *host);

/* Who is at the other end: V_NOT_FOUND without a certificate. */
int ask_peer(const struct ask *a, struct cert_info *out);
/* What it showed, and what is wrong with that: see tls_shown. */
int ask_shown(const struct ask *a, struct cert_info *out, const char **word, struct why *why);
/* The address at the other end, in text; "" at the door. */
void ask_address(const struct ask *a, char *out, size_t size);
/*
 * Who asks has shown who they are (a session, say): the connection is no stranger's, and is not ended to make room for
 * others. One with a client certificate is so by itself.
 */
void ask_known(const struct ask *a);
/* A header of the request, or NULL. */
const char *ask_header(const struct ask *a, const char *name);

/* Answers. `retry_after` in seconds, 0 for none. Headers of the answer's own are added before. */
void answer_header(struct evhttp_request *req, const char *name, const char *value);
void answer_json(struct evhttp_request *req, int status, json_t *steal);
void answer_error(struct evhttp_request *req, int status, const char *word, const char *reason, unsigned retry_after);
void answer_bytes(struct evhttp_request *req, const char *type, bool immutable, struct span bytes);
/* The same, of bytes that are in `steal` already. */
void answer_buffer(struct evhttp_request *req, int status, const char *type, struct evbuffer *steal);
/* The same as it is, with any status. An empty type: no body. */
void answer_send(struct evhttp_request *req, int status, const char *type, struct span bytes);

/*
 * An answer in pieces, of a request that is held (held_begin) from before the first to behind the last: begin; pieces;
 * once it is drained, finish. What the client has not taken yet is in memory: ask stream_waiting before
 * the next piece.
 */
void stream_begin(struct held *h, const char *type);
int stream_piece(struct held *h, struct span bytes);
size_t stream_waiting(const struct held *h);
/*
 * Has all of it left, and is that known to evhttp too? To be asked in one turn of the loop after another until it is
 * so: evhttp hears of an empty buffer a turn later, and where the end was added meanwhile, takes the end for sent, and
 * never sends it.
 */
bool stream_drained(struct held *h);
/* Releases the request and ends the answer; one that is not whole is broken off, and does not look as if it were. */
void stream_finish(struct held *h, bool whole);

/* Keeps the request for later; it is answered with what held_release gives back, or ends by h->gone. 0, -errno. */
int held_begin(struct ask *a, struct held *h, void (*gone)(struct held *h));
struct evhttp_request *held_release(struct held *h);

#endif
