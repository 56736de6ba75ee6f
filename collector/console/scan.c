/*
 * See scan.h. The whole of it has SCAN_S seconds.
 */
#include "collector/console/scan.h"
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#define SCAN_S 30
#define PART (64u << 10)

struct scan {
	struct bufferevent *bev; /* NULL: clamd is not there */
	struct event *timer;
	scan_done *done;
	void *ctx;
	int missing; /* errno of why it is not there */
	struct span bytes;
	size_t sent;
	uint8_t answer[CLAMD_ANSWER_MAX + 1];
	size_t got;
};

void scan_free(struct scan *s)
{
	if (!s)
		return;
	if (s->timer)
		event_free(s->timer);
	if (s->bev)
		bufferevent_free(s->bev);
	free(s);
}

static void finish(struct scan *s, enum clamd_verdict verdict, const char *name)
{
	scan_done *done = s->done;
	void *ctx = s->ctx;

	scan_free(s);
	done(ctx, verdict, name);
}

static void judge(struct scan *s)
{
	char name[CLAMD_NAME_MAX];
	enum clamd_verdict verdict = clamd_answer(SPAN(s->answer, s->got), name);

	if (verdict == CLAMD_NONE)
		snprintf(name, sizeof(name), "clamd gave no answer");
	finish(s, verdict, name);
}

/* clamd may have enough before the end: what it says is what counts. */
static void on_read(struct bufferevent *bev, void *ctx)
{
	struct scan *s = ctx;

	s->got += bufferevent_read(bev, s->answer + s->got, sizeof(s->answer) - s->got);
	if (s->got == sizeof(s->answer) || (s->got && !s->answer[s->got - 1]))
		judge(s);
}

static int send_part(struct scan *s, struct span part)
{
	struct evbuffer *out = bufferevent_get_output(s->bev);
	uint8_t head[CLAMD_PART_HEAD];

	clamd_part(head, (uint32_t)part.n);
	return evbuffer_add(out, head, sizeof(head)) ||
			       (part.n && evbuffer_add_reference(out, part.p, part.n, NULL, NULL))
		       ? -ENOMEM
		       : 0;
}

/* All that was written has left: the next part, or the end, which is written once. */
static void on_written(struct bufferevent *bev, void *ctx)
{
	struct scan *s = ctx;
	size_t n = s->bytes.n - s->sent < PART ? s->bytes.n - s->sent : PART;

	if (s->sent > s->bytes.n)
		return;
	if (send_part(s, SPAN(s->bytes.p + s->sent, n))) {
		finish(s, CLAMD_NONE, "no memory");
		return;
	}
	s->sent += n ? n : 1;
	(void)bev;
}

/* It hung up, which it does too where it has said all. */
static void on_event(struct bufferevent *bev, short what, void *ctx)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		judge(ctx);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct scan *s = ctx;
	char text[CLAMD_NAME_MAX];

	(void)fd;
	(void)what;
	if (s->bev)
		snprintf(text, sizeof(text), "clamd took longer than %d s", SCAN_S);
	else
		snprintf(text, sizeof(text), "clamd is not there: %s", strerror(s->missing));
	finish(s, CLAMD_NONE, text);
}

int scan_begin(
	struct event_base *base, const char *path, struct span bytes, scan_done *done, void *ctx, struct scan **out)
{
	static const struct timeval soon = {0, 0}, later = {SCAN_S, 0};
	struct scan *s = calloc(1, sizeof(*s));
	int fd;

	if (!s)
		return -ENOMEM;
	s->done = done;
	s->ctx = ctx;
	s->bytes = bytes;
	s->timer = evtimer_new(base, on_timer, s);
	fd = clamd_connect(path);
	if (fd < 0)
		s->missing = -fd;
	else if (!(s->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE)))
		close(fd);
	if (!s->timer || (fd >= 0 && !s->bev) || evtimer_add(s->timer, s->bev ? &later : &soon)) {
		scan_free(s);
		return -ENOMEM;
	}
	if (s->bev) {
		bufferevent_setcb(s->bev, on_read, on_written, on_event, s);
		if (bufferevent_write(s->bev, CLAMD_COMMAND, sizeof(CLAMD_COMMAND)) ||
			bufferevent_enable(s->bev, EV_READ | EV_WRITE)) {
			scan_free(s);
			return -ENOMEM;
		}
	}
	*out = s;
	return 0;
}
