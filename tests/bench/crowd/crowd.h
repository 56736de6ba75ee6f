/*
 * Very many PCs in one process, as a collector sees them: a TLS connection with its own certificate and key each, HTTP
 * over it, and the uplink's own back-off where it breaks. Shared by bench_herd, whose PCs wait, and bench_fleet, whose
 * PCs also post. What fails that may not ends the program.
 */
#ifndef SEKISHO_BENCH_CROWD_H
#define SEKISHO_BENCH_CROWD_H

#include "agent/uplink/backoff.h"
#include "collector/store/store.h"
#include "policy/base/buf.h"
#include "policy/trust/cert.h"
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define CROWD_MAX 20000u /* PCs */

/* Ends the program with `what` where it is not so. */
void need(bool ok, const char *what);

/* --- roster.c: who they are --- */

/* A collector's folder that stands still, to enrol PCs in. */
struct roster {
	const char *folder; /* where their keys and certificates go */
	struct store *store;
	struct key *ca, *log;
	struct buf ca_pem;
	char dir[4096], origin[256];
};

/* `place`: of its store; NULL: STATE/store. */
void roster_open(struct roster *r, const char *state, const char *place, const char *folder);
/*
 * Enrols PC number `n`: a TLS key (P-256) of its own and a certificate of the collector's CA for it, as FOLDER/N.key
 * and FOLDER/N.crt, and `h` with that key in the table of PCs. Set h->id, h->spki, h->name.
 */
void roster_enrol(struct roster *r, unsigned n, struct store_host *h);
void roster_close(struct roster *r);

/* --- line.c: their connections --- */

struct line;

struct crowd {
	struct event_base *base;
	SSL_CTX *tls;
	struct sockaddr_in to;
	unsigned at_once;    /* so many are in their handshake at a time; 0: all that want to */
	unsigned connecting; /* that are */
	STAILQ_HEAD(, line) turns;
	uint64_t handshakes; /* that ended well */
};

struct line {
	struct crowd *crowd;
	X509 *cert;
	EVP_PKEY *key;
	/* The connection is there. */
	void (*up)(struct line *l);
	/* An answer, the body of which is valid during the call. */
	void (*answered)(struct line *l, int status, const char *head, struct span body);
	/* It is lost, or (`was_up` false) was never there. What comes of that is the owner's: line_connect, line_retry.
	 */
	void (*lost)(struct line *l, bool was_up);
	void *owner;
	struct bufferevent *bev; /* NULL: there is none */
	struct event *timer;
	struct backoff backoff;
	bool is_up, connects;
	bool coming; /* it waits for its turn, for its time, or is in its handshake */
	STAILQ_ENTRY(line) turn;
};

/* `ca`: the collector's certificate. `files`: so many may be open. */
void crowd_open(
	struct crowd *c, const char *address, const char *port, const char *ca, unsigned at_once, unsigned files);
/* The key and certificate of PC number `n` in `folder`. */
void line_identify(struct line *l, const char *folder, unsigned n);
/* Two lines of one PC have one key and certificate. */
void line_identify_as(struct line *l, const struct line *other);
/* l->crowd, callbacks and identity are set; l->timer is made. */
void line_ready(struct line *l);
/* Connects, when it is its turn. */
void line_connect(struct line *l);
/* Lets the connection go, without a word to its owner. */
void line_drop(struct line *l);
/* Connects after the uplink's back-off: `asked_us` at least (Retry-After), 0 where nothing was asked. */
void line_retry(struct line *l, uint64_t asked_us);
/* How long the uplink would wait now; counts a failure. */
uint64_t line_delay(struct line *l, uint64_t asked_us);
void line_get(struct line *l, const char *target);
/* `headers`: each ended by CR LF. */
void line_post(struct line *l, const char *target, const char *headers, struct span body);

#endif
