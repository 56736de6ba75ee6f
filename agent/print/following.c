/*
 * The daemon's side of the follower: questions to it, and what becomes of its answers. Called by the loop.
 */
#include "agent/print/follow.h"
#include "agent/print/print.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define SOON_US 150000             /* several events of one moment are looked at together */
#define AT_LEAST_US (30 * 1000000) /* where CUPS tells by itself */
#define POLL_US 2000000            /* where it does not */

void follow_ask(struct gate *g, json_t *ask)
{
	char *text = ask ? json_dumps(ask, JSON_COMPACT) : NULL;

	/* Full: it is behind with its work, and the next look asks for the same again. */
	if (text && send(g->follower, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
		gate_fail(g, -errno, "the follower");
	free(text);
	json_decref(ask);
}

void follow_queues(struct gate *g)
{
	follow_ask(g, json_pack("{s:s}", "ask", "queues"));
}

static void look(struct gate *g)
{
	json_t *open = json_array();
	const struct job *j;

	for (j = g->jobs; j; j = j->next)
		if (j->state == JOB_SEEN || j->state == JOB_JUDGED || (j->state == JOB_OVER && j->restarting))
			json_array_append_new(open, json_integer(j->id));
	g->looked_boot_us = clock_boot_us();
	follow_ask(g, json_pack("{s:s, s:i, s:o}", "ask", "look", "since", (int)g->last_id, "open", open));
	follow_queues(g);
}

static int on_look(sd_event_source *source, uint64_t usec, void *ctx)
{
	struct gate *g = ctx;

	(void)source;
	(void)usec;
	g->look_armed = false;
	if (g->cups_up)
		look(g);
	sd_event_source_set_time(g->look, (uint64_t)(clock_boot_us() + (g->cups_pushes ? AT_LEAST_US : POLL_US)));
	sd_event_source_set_enabled(g->look, SD_EVENT_ONESHOT);
	return 0;
}

void follow_look_soon(struct gate *g)
{
	if (g->look_armed)
		return;
	g->look_armed = true;
	sd_event_source_set_time(g->look, (uint64_t)(clock_boot_us() + SOON_US));
	sd_event_source_set_enabled(g->look, SD_EVENT_ONESHOT);
}

/* --- its words --- */

static void on_up(struct gate *g, const json_t *o)
{
	g->cups_up = json_is_true(json_object_get(o, "up"));
	g->cups_pushes = json_is_true(json_object_get(o, "pushed"));
	log_notice("CUPS %s%s", g->cups_up ? "is there" : "cannot be asked",
		!g->cups_up      ? ""
		: g->cups_pushes ? ", and tells what happens"
				 : ", and is asked at intervals: it does not run behind the gate");
	if (!g->cups_up) {
		struct job *j;

		for (j = g->jobs; j; j = j->next)
			j->facts_wait = false;
		jobs_step(g);
		return;
	}
	follow_look_soon(g);
}

static void on_done(const json_t *o)
{
	const char *error = json_string_value(json_object_get(o, "error"));

	if (error)
		log_warning("CUPS refuses to change a job: %s", error);
}

static void hear(struct gate *g, json_t *o)
{
	const json_t *v;

	if ((v = json_object_get(o, "job"))) {
		job_facts(g, (unsigned)job_number(v, "job-id"), o);
		jobs_step(g);
	} else if ((v = json_object_get(o, "gone"))) {
		job_gone(g, (unsigned)json_integer_value(v));
		jobs_step(g);
	} else if ((v = json_object_get(o, "unknown"))) {
		struct job *j = job_find(g, (unsigned)json_integer_value(v));

		if (j)
			j->facts_wait = false;
		jobs_step(g);
	} else if ((v = json_object_get(o, "queue"))) {
		queues_take(g, v);
	} else if ((v = json_object_get(o, "queues"))) {
		if (json_integer_value(v) >= 0)
			queues_end(g, (pid_t)job_number(o, "cupsd"));
	} else if ((v = json_object_get(o, "looked"))) {
		jobs_looked(g, (unsigned)json_integer_value(v));
		if (json_is_true(json_object_get(o, "more")))
			follow_look_soon(g);
	} else if (json_object_get(o, "up")) {
		on_up(g, o);
	} else if (json_object_get(o, "done")) {
		on_done(o);
		follow_look_soon(g);
	}
}

static int on_word(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	static char bytes[FOLLOW_MESSAGE_MAX];
	struct gate *g = ctx;
	ssize_t n;
	json_t *o;

	(void)source;
	(void)events;
	n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		gate_fail(g, -EPIPE, "the follower ended");
		return 0;
	}
	o = json_loadb(bytes, (size_t)n, 0, NULL);
	hear(g, o);
	json_decref(o);
	return 0;
}

int following_start(struct gate *g)
{
	int r = sd_event_add_io(g->event, NULL, g->follower, EPOLLIN, on_word, g);

	if (r >= 0)
		r = sd_event_add_time(
			g->event, &g->look, CLOCK_BOOTTIME, (uint64_t)clock_boot_us() + POLL_US, 1000, on_look, g);
	return r < 0 ? r : 0;
}
