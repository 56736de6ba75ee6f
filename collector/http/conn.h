/*
 * What a connection is inside: conn.c watches them, crowd.c makes room among them, request.c takes requests and answers
 * them, server.c starts and ends it all. Nobody else includes this.
 */
#ifndef SEKISHO_HTTP_CONN_H
#define SEKISHO_HTTP_CONN_H

#include "collector/http/server.h"
#include <event2/bufferevent.h>

enum phase {
	PHASE_READING,  /* handshake, or a request that is not whole yet */
	PHASE_HANDLING, /* ours to answer */
	PHASE_WRITING,
	PHASE_IDLE, /* answered; nothing of a next request is there */
};

struct conn {
	TAILQ_ENTRY(conn) link;
	struct server *server;
	struct bufferevent *bev;
	enum phase phase;
	int64_t since_us; /* boot clock: when the phase began */
	uint64_t bytes;   /* PHASE_READING: that came of this request; else: that wait, of the next ones */
	enum { PEER_UNKNOWN, PEER_NONE, PEER_THERE } has_peer;
	struct cert_info peer;
	bool ended;       /* shut down already */
	bool known;       /* by a certificate, or by whoever answers it (ask_known) */
	uint64_t network; /* that it comes from; 0: not looked up yet */
};

/* The next phase begins now. */
void conn_phase(struct conn *c, enum phase to);
/* Ends it, in whatever state it is. */
void conn_end(struct conn *c);
/* Learns who is at the other end, once the handshake is done. */
void conn_find_peer(struct conn *c);
/* It is no stranger's. */
void conn_known(struct conn *c);
/* The connection of a request: NULL at the door, and where it is gone. */
struct conn *conn_of(struct evhttp_request *req);
/* evhttp asks for the bufferevent of a connection that it has accepted. `arg` is the server. */
struct bufferevent *conn_accept(struct event_base *base, void *arg);
/* No further connections for now. */
void conn_pause(struct server *s);
/* A burst of connections was dealt with: the next ones may come. */
void conn_calm(struct server *s);
/* Where strangers have more than their share of the connections, or there is no room left: ends one of theirs. */
void crowd_thin(struct server *s);
/* A whole request; `arg` is the server. */
void request_take(struct evhttp_request *req, void *arg);

#endif
