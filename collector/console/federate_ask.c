/*
 * The console's side of the process with the network (collector/oidc): its start, questions, answers, its end. See
 * federate_parts.h.
 */
#include "collector/console/federate_parts.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <sys/socket.h>

#define USER "sekisho-oidc"
#define ASKING_MAX 16u

static void drop(struct federation *f, struct asking *k)
{
	struct asking **p = &f->all;

	while (*p && *p != k)
		p = &(*p)->next;
	if (*p) {
		*p = k->next;
		f->n--;
	}
	free(k);
}

static void on_gone(struct held *h)
{
	struct asking *k = (struct asking *)((char *)h - offsetof(struct asking, held));

	drop(k->c->federation, k);
}

json_int_t federate_send(struct federation *f, json_t *question)
{
	json_int_t id = f->last + 1;
	char *text = NULL;
	bool sent;

	if (!json_object_set_new(question, "id", json_integer(id)))
		text = json_dumps(question, JSON_COMPACT);
	json_decref(question);
	sent = text && strlen(text) <= OIDC_MESSAGE_MAX && send(f->fd, text, strlen(text), MSG_NOSIGNAL) >= 0;
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
	if (sent)
		f->last = id;
	return sent ? id : 0;
}

void federate_ask(struct call *x, json_t *question, bool who)
{
	struct federation *f = x->c->federation;
	struct asking *k = f->n < ASKING_MAX ? calloc(1, sizeof(*k)) : NULL;

	if (k)
		k->id = federate_send(f, question);
	else
		json_decref(question);
	if (!k || !k->id || held_begin(x->a, &k->held, on_gone)) {
		reply_error(x, 503, "busy", "too many people sign in by the provider now");
		free(k);
		return;
	}
	k->c = x->c;
	k->who = who;
	k->since_us = clock_boot_us();
	snprintf(k->address, sizeof(k->address), "%s", x->address);
	k->next = f->all;
	f->all = k;
	f->n++;
}

/* Answers a request that waited; `o` NULL: nothing was heard. */
static void answer(struct asking *k, const json_t *o)
{
	struct ask a = {.owner = k->c, .server = &k->c->server, .conn = k->held.conn};
	struct call x = {.c = k->c, .a = &a};
	const char *refused = json_string_value(json_object_get(o, "refused"));
	const char *reason = json_string_value(json_object_get(o, "reason"));
	int64_t since_us = k->since_us;
	bool who = k->who;

	snprintf(x.address, sizeof(x.address), "%s", k->address);
	a.req = held_release(&k->held);
	drop(k->c->federation, k);
	if (o && !refused && who && *text_of(o, "subject"))
		federate_who(&x, o, since_us);
	else if (o && !refused && !who)
		federate_where(&x, o);
	else if (refused && !strcmp(refused, "token"))
		federate_refuse(&x, CAUSE_PROVIDER, reason, 401, "token",
			"what the provider said of who signed in is not good");
	else
		federate_refuse(&x, CAUSE_PROVIDER, reason ? reason : "no answer", 502, "provider",
			"the provider cannot be asked now");
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	static char room[OIDC_MESSAGE_MAX];
	struct console *c = arg;
	struct asking *k;
	json_t *o = NULL;
	ssize_t n = recv(fd, room, sizeof(room), MSG_DONTWAIT);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		event_del(c->federation->event);
		console_fail(c, -ECHILD, "the process that asks the OpenID provider has ended");
		return;
	}
	o = json_loadb(room, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
	if (backchannel_answer(c, o)) {
		json_decref(o);
		return;
	}
	for (k = c->federation->all; k && k->id != json_integer_value(json_object_get(o, "id")); k = k->next)
		;
	/* None: whoever asked went away. */
	if (k)
		answer(k, o);
	json_decref(o);
}

void federate_tick(struct console *c)
{
	struct asking *k, *next;
	int64_t now = clock_boot_us();

	for (k = c->federation ? c->federation->all : NULL; k; k = next) {
		next = k->next;
		if (now - k->since_us > FEDERATE_ANSWER_US)
			answer(k, NULL);
	}
	if (c->federation)
		backchannel_tick(c);
}

int federate_start(struct console *c, struct why *why)
{
	const struct config *conf = &c->conf;
	struct federation *f;
	int r;

	if (!conf->oidc_issuer[0])
		return 0;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->s = (struct oidc_settings){.issuer = conf->oidc_issuer,
		.client_id = conf->oidc_client_id,
		.secret_file = conf->oidc_secret,
		.ca_file = conf->oidc_ca,
		.acr = conf->oidc_acr,
		.untyped = conf->oidc_logout_untyped};
	f->refusals = (struct log_limit)LOG_LIMIT(60);
	snprintf(f->redirect, sizeof(f->redirect), "%s/oidc", conf->origin);
	snprintf(f->out, sizeof(f->out), "%s/", conf->origin);
	r = oidc_start(&f->s, USER, &f->fd, why);
	if (r)
		free(f);
	else
		c->federation = f;
	return r;
}

int federate_listen(struct console *c)
{
	struct federation *f = c->federation;

	if (!f)
		return 0;
	f->event = event_new(c->server.base, f->fd, EV_READ | EV_PERSIST, on_answer, c);
	return f->event && !event_add(f->event, NULL) ? 0 : -ENOMEM;
}

void federate_free(struct console *c)
{
	struct federation *f = c->federation;

	if (!f)
		return;
	if (f->event)
		event_free(f->event);
	close(f->fd);
	backchannel_free(f);
	secret_wipe(f, sizeof(*f));
	free(f);
	c->federation = NULL;
}
