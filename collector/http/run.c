/*
 * The server's loop: its owner's timers, and an end that lets what is being answered be answered. See server.h.
 */
#include "collector/http/server.h"
#include <errno.h>
#include <signal.h>

int server_every(struct server *s, int64_t us, event_callback_fn fn, void *arg)
{
	struct timeval tv = {us / 1000000, us % 1000000};
	struct event *ev;

	if (s->events_n == ARRAY_SIZE(s->events))
		return -ENOSPC;
	ev = event_new(s->base, -1, EV_PERSIST, fn, arg);
	if (!ev)
		return -ENOMEM;
	s->events[s->events_n++] = ev;
	return event_add(ev, &tv) ? -ENOMEM : 0;
}

void server_soon(struct event *timer, int64_t us)
{
	struct timeval tv;

	us = us < 100000 ? 100000 : us > 1000000 ? 1000000 : us;
	tv = (struct timeval){us / 1000000, us % 1000000};
	event_add(timer, &tv);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(s->base);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	struct timeval deadline = {s->o.drain_s, 0};

	(void)fd;
	(void)what;
	if (s->stopping) {
		event_base_loopbreak(s->base);
		return;
	}
	log_notice("stopping: %u connections", s->conns_n);
	server_stop(s);
	s->o.stop(s->o.owner);
	event_base_once(s->base, -1, EV_TIMEOUT, on_deadline, s, &deadline);
	if (!s->conns_n)
		event_base_loopbreak(s->base);
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	server_tick(s);
	if (s->stopping && !s->conns_n)
		event_base_loopbreak(s->base);
}

static int add_signal(struct server *s, int number)
{
	struct event *ev;

	if (s->events_n == ARRAY_SIZE(s->events))
		return -ENOSPC;
	ev = evsignal_new(s->base, number, on_signal, s);
	if (!ev)
		return -ENOMEM;
	s->events[s->events_n++] = ev;
	return event_add(ev, NULL) ? -ENOMEM : 0;
}

int server_run(struct server *s)
{
	int r = add_signal(s, SIGTERM);

	r = r ? r : add_signal(s, SIGINT);
	r = r ? r : server_every(s, 1000000, on_second, s);
	if (!r && event_base_dispatch(s->base) < 0)
		r = -EIO;
	while (s->events_n)
		event_free(s->events[--s->events_n]);
	return r;
}
