/*
 * Server-sent events (WHATWG HTML, "Server-sent events"): that something new has come, and of which kinds. Never what
 * it is: the page asks for that, with its rights.
 */
#include "collector/console/look.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <stddef.h>

#define STREAMS_MAX 128u
#define STREAMS_EACH 4u
#define KINDS 256u
#define EVERY_US 1000000
#define COMMENT_US 15000000
#define WAITING_MAX (64u << 10)

struct live {
	struct held held;
	struct live *next;
	struct console *c;
	struct digest session;
	struct account account; /* its scope */
	uint32_t n[KINDS];
	bool any;
	int64_t told_us;
};

static void live_free(struct live *l)
{
	struct live **at;

	for (at = &l->c->lives; *at && *at != l; at = &(*at)->next)
		;
	if (*at)
		*at = l->next;
	secret_wipe(&l->account, sizeof(l->account));
	free(l);
}

static void on_gone(struct held *h)
{
	live_free((struct live *)((char *)h - offsetof(struct live, held)));
}

void live_row(struct console *c, const struct store_row *row)
{
	uint64_t kind = record_has(&row->record, F_KIND) ? row->record.v[F_KIND].u : 0;
	struct live *l;

	for (l = c->lives; l && kind < KINDS; l = l->next) {
		if (!look_sees(c, &l->account, row))
			continue;
		l->n[kind]++;
		l->any = true;
	}
}

static int tell_kinds(struct live *l)
{
	json_t *kinds = json_object(), *o;
	_cleanup_buf_ struct buf out = BUF_INIT(WAITING_MAX);
	char *text;
	unsigned k;
	int r;

	for (k = 1; k < KINDS; k++) {
		const struct enum_info *e = l->n[k] ? enum_by_value(F_KIND, k) : NULL;

		if (e)
			json_object_set_new(kinds, e->name, json_integer(l->n[k]));
	}
	memset(l->n, 0, sizeof(l->n));
	l->any = false;
	o = json_pack("{s:o}", "kinds", kinds);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	r = text ? buf_putf(&out, "event: records\ndata: %s\n\n", text) : -ENOMEM;
	free(text);
	return r ? r : stream_piece(&l->held, buf_span(&out));
}

/* Ends it; the client asks again by itself where it wants to. */
static void end(struct live *l, const char *last)
{

	if (last && stream_waiting(&l->held) < WAITING_MAX)
		(void)stream_piece(&l->held, SPAN_STR(last));
	stream_finish(&l->held, true);
	live_free(l);
}

void live_tick(struct console *c)
{
	int64_t now = clock_boot_us();
	struct live *l = c->lives, *next;
	int r;

	for (; l; l = next) {
		const struct session *s = session_by_id(c->sessions, &l->session);

		next = l->next;
		if (!s || session_over(c->sessions, s, now)) {
			end(l, "event: end\ndata: {}\n\n");
			continue;
		}
		/* One that does not read is told again when it does. */
		if (stream_waiting(&l->held) >= WAITING_MAX)
			continue;
		if (l->any && now - l->told_us >= EVERY_US)
			r = tell_kinds(l);
		else if (now - l->told_us >= COMMENT_US)
			r = stream_piece(&l->held, SPAN_STR(": here\n\n"));
		else
			continue;
		l->told_us = now;
		if (r)
			end(l, NULL);
	}
}

void live_stop(struct console *c)
{
	while (c->lives)
		end(c->lives, NULL);
}

void live_get(struct call *x)
{
	unsigned all = 0, own = 0;
	struct live *l;

	for (l = x->c->lives; l; l = l->next) {
		all++;
		own += digest_eq(&l->session, &x->session->id);
	}
	if (all >= STREAMS_MAX || own >= STREAMS_EACH) {
		answer_header(x->a->req, "Retry-After", "30");
		reply_error(x, 429, "busy", "too many streams");
		return;
	}
	l = calloc(1, sizeof(*l));
	if (l && !tell_view(x, KIND_CONSOLE_VIEW, NULL, 0)) {
		free(l);
		return;
	}
	if (!l || held_begin(x->a, &l->held, on_gone)) {
		free(l);
		reply_error(x, 503, "busy", "no memory");
		return;
	}
	l->c = x->c;
	l->session = x->session->id;
	l->account = *x->account;
	l->told_us = clock_boot_us();
	l->next = x->c->lives;
	x->c->lives = l;
	answer_header(x->a->req, "Cache-Control", "no-store");
	stream_begin(&l->held, "text/event-stream");
	if (stream_piece(&l->held, SPAN_STR(": here\n\n")))
		end(l, NULL);
}
