/*
 * What the parts of signing in by an OpenID provider share: federate.c takes requests and judges, backchannel.c is told
 * by the provider who signed out there, federate_ask.c speaks with the process that has the network.
 */
#ifndef SEKISHO_CONSOLE_FEDERATE_PARTS_H
#define SEKISHO_CONSOLE_FEDERATE_PARTS_H

#include "collector/console/federate.h"
#include "collector/oidc/oidc.h"

#define FEDERATE_ANSWER_US ((int64_t)(OIDC_TIME_S + 20) * 1000000) /* so long an answer of that process may take */
#define LEFT_MAX 512u

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
	/* Of backchannel.c. */
	json_t *keys;                /* the provider's; NULL: not known */
	int64_t keys_us, fetched_us; /* boot clock: since when they are known; when they were asked for last, or 0 */
	struct leaving *leaving;     /* logout tokens that wait, oldest first */
	unsigned leaving_n;
	json_int_t leaving_id; /* the question about the first of them; 0: it is not asked */
	int64_t leaving_us;
	struct {
		struct oidc_logout what;
		int64_t at_us; /* boot clock; 0: nothing */
	} left[LEFT_MAX];
	unsigned left_next;
	struct log_limit refusals; /* of those that are told: strangers must not fill the log */
};

/* Tells that nobody was let in, and why, and answers so. */
void federate_refuse(
	struct call *x, unsigned cause, const char *text, int status, const char *word, const char *reason);
/* The process with the network has said where the provider is; who it is. */
void federate_where(struct call *x, const json_t *o);
void federate_who(struct call *x, const json_t *o, int64_t asked_us);
/* Asks that process, and keeps the request until it is answered. Steals `question`. */
void federate_ask(struct call *x, json_t *question, bool who);
/* Sends it. Its id; 0: it cannot be asked now. Steals `question`. */
json_int_t federate_send(struct federation *f, json_t *question);

/* --- backchannel.c --- */

/* Is this the answer about a logout token? Then it is dealt with. */
bool backchannel_answer(struct console *c, const json_t *o);
void backchannel_tick(struct console *c);
void backchannel_free(struct federation *f);
/* Has the provider signed them out since? What it says of who they are was said before that. */
bool backchannel_left(const struct federation *f, const struct account *a, const struct began *b, int64_t since_us);

#endif
