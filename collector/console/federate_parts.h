/*
 * What the parts of signing in by an OpenID provider share: federate.c takes requests and judges, federate_ask.c speaks
 * with the process that has the network.
 */
#ifndef SEKISHO_CONSOLE_FEDERATE_PARTS_H
#define SEKISHO_CONSOLE_FEDERATE_PARTS_H

#include "collector/console/federate.h"
#include "collector/oidc/oidc.h"

#define FEDERATE_METHOD "OpenID Connect"

/* A request that waits for the process with the network. */
struct asking {
	struct held held;
	struct asking *next;
	struct console *c;
	json_int_t id;
	bool who; /* else: where */
	int64_t since_us;
	char address[ADDRESS_SIZE];
};

struct federation {
	struct oidc_settings s;
	char redirect[CONFIG_ORIGIN_SIZE + 8], out[CONFIG_ORIGIN_SIZE + 8];
	int fd;
	struct event *event;
	char endpoint[OIDC_URL_MAX + 1];
	char end[OIDC_URL_MAX + 1]; /* where people sign out there; empty: nowhere */
	bool names_itself;          /* the provider's answers hold its issuer (RFC 9207) */
	int64_t endpoint_us;
	json_int_t last;
	struct asking *all;
	unsigned n;
	struct challenges states;
};

/* Tells that nobody was let in, and why, and answers so. */
void federate_refuse(
	struct call *x, unsigned cause, const char *text, int status, const char *word, const char *reason);
/* The process with the network has said where the provider is; who it is. */
void federate_where(struct call *x, const json_t *o);
void federate_who(struct call *x, const char *subject, bool assured);
/* Asks that process, and keeps the request until it is answered. Steals `question`. */
void federate_ask(struct call *x, json_t *question, bool who);

#endif
