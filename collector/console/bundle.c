/*
 * A search as an evidence bundle: one file that proves itself. Made and streamed a piece at a time, beside everything
 * else; the access log says that it begins before anything is read, and what went out (bytes, SHA-256) when it ends,
 * however that is.
 *
 * Other people's records are in the segments as well: only for accounts that see all PCs.
 */
#include "collector/console/bundle_parts.h"
#include "collector/console/outgoing.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <stddef.h>

#define BUNDLES_MAX 2u
#define PATH_ "/api/v1/bundle"

static void bundling_free(struct bundling *b)
{
	struct buf *bufs[] = {&b->note, &b->list, &b->page_rows, &b->out, &b->run, &b->header, &b->body, &b->text};
	struct bundling **at;
	size_t i;

	for (at = &b->c->bundles; *at && *at != b; at = &(*at)->next)
		;
	if (*at) {
		*at = b->next;
		b->c->bundles_n--;
	}
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		buf_deinit(bufs[i]);
	exhibit_writer_free(b->writer);
	digesting_end(b->digest, NULL);
	store_close(b->store);
	secret_wipe(&b->by, sizeof(b->by));
	free(b->chains);
	free(b->epochs);
	free(b->claim.hosts);
	free(b->claim.chains);
	free(b->rows);
	free(b->own);
	free(b->own_hosts);
	free(b);
}

/* What went out, in the access log. */
static void told_end(struct bundling *b, const char *how)
{
	struct told t = {.account = b->by.account.name,
		.address = b->address,
		.operation = PATH_,
		.text = how,
		.count = b->claim.records};

	outgoing_told(b->c, t, &b->digest);
}

static void on_gone(struct held *h)
{
	struct bundling *b = (struct bundling *)((char *)h - offsetof(struct bundling, held));

	told_end(b, "the client went away");
	bundling_free(b);
}

static int take_bytes(void *ctx, struct span bytes)
{
	struct bundling *b = ctx;

	return buf_put_span(&b->out, bytes);
}

static int send_out(struct bundling *b)
{
	return outgoing_send(&b->held, b->digest, &b->out);
}

static void begin_stream(struct bundling *b)
{
	b->streaming = true;
	answer_header(b->held.req, "Cache-Control", "no-store");
	answer_header(b->held.req, "Content-Disposition", "attachment; filename=\"sekisho-evidence.zip\"");
	stream_begin(&b->held, "application/zip");
}

/* 0; V_END: that was the last; V_* with the reason; -errno. */
static int one_step(struct bundling *b)
{
	static int (*const steps[])(struct bundling *) = {[BUNDLE_SURVEY] = bundle_survey,
		[BUNDLE_CHAINS] = bundle_expired,
		[BUNDLE_SEARCH] = bundle_search,
		[BUNDLE_LIST] = bundle_list,
		[BUNDLE_HEAD] = bundle_head,
		[BUNDLE_RETENTION] = bundle_retention,
		[BUNDLE_SEGMENTS] = bundle_segments,
		[BUNDLE_RUN] = bundle_run};
	int r;

	if (b->step == BUNDLE_HEAD && !b->streaming)
		begin_stream(b);
	if (b->step == BUNDLE_DRAIN)
		return stream_drained(&b->held) ? V_END : 0;
	if (b->step == BUNDLE_END) {
		b->step = BUNDLE_DRAIN;
		r = exhibit_writer_end(b->writer);
		return r ? r : send_out(b);
	}
	r = steps[b->step](b);
	if (r == V_END) {
		b->step++;
		r = 0;
	}
	return r ? r : b->streaming ? send_out(b) : 0;
}

/* It cannot be made: said as an answer where nothing has left yet. */
static void give_up(struct bundling *b, int r, const char *how)
{
	struct evhttp_request *req;

	told_end(b, how);
	if (b->streaming) {
		stream_finish(&b->held, false);
		bundling_free(b);
		return;
	}
	req = held_release(&b->held);
	if (r == V_FULL || r == V_NOT_FOUND)
		answer_error(req, r == V_FULL ? 400 : 404, r == V_FULL ? "large" : "empty", b->why.text, 0);
	else if (r == V_DENIED)
		answer_error(req, 401, "session", "sign in first", 0);
	else if (r == V_BAD && !strncmp(b->why.text, "filter", 6))
		answer_error(req, 400, "filter", b->why.text, 0);
	else
		answer_error(req, 503, "store", "the collector's store cannot be read now", 5);
	bundling_free(b);
}

/* Goes on with one. False: it is over, and released. */
static bool go_on(struct bundling *b)
{
	const char *over = outgoing_over(b->c, &b->by, clock_boot_us());
	int r = over ? V_DENIED : b->streaming && stream_waiting(&b->held) >= OUTGOING_WAITING_MAX ? 0 : one_step(b);

	if (!r)
		return true;
	if (r != V_END) {
		if (r < 0 && log_allowed(&b->c->limit))
			log_error("evidence bundle: %s", strerror(-r));
		give_up(b, r, over ? over : "not made");
		return false;
	}
	told_end(b, "whole");
	stream_finish(&b->held, true);
	bundling_free(b);
	return false;
}

void bundle_tick(struct console *c)
{
	struct bundling *b = c->bundles, *next;

	for (; b; b = next) {
		next = b->next;
		go_on(b);
	}
}

void bundle_stop(struct console *c)
{
	while (c->bundles) {
		struct bundling *b = c->bundles;

		told_end(b, "the console stops");
		stream_finish(&b->held, false);
		bundling_free(b);
	}
}

/* The log as it stands now, in a store of its own: others may refresh the console's meanwhile. */
static int open_log(struct bundling *b)
{
	struct store_options o = {.dir = b->c->conf.store, .shows = true};
	struct checkpoint head = {.size = 0};
	int r = store_of(b->c);

	r = r ? r : store_open(&o, &b->store, &b->why);
	if (!r && !b->c->has_log)
		r = why_set(&b->why, V_BAD, "the log's key is not there");
	r = r ? r : checkpoint_verify(store_checkpoint(b->store), &b->c->log, &head, &b->why);
	r = r ? r : buf_put_span(&b->note, store_checkpoint(b->store));
	b->claim.size = head.size;
	return r ? r : head.size ? 0 : V_NOT_FOUND;
}

static void begin_claim(struct bundling *b, const char *query, int64_t now)
{
	struct exhibit_claim *c = &b->claim;
	struct store_filter *f = &b->search.filter;

	c->made_us = now;
	snprintf(c->by, sizeof(c->by), "%s", b->by.account.name);
	snprintf(c->search, sizeof(c->search), "%s", query);
	c->all = !f->host;
	c->has_since = f->from_us != 0;
	c->since_us = f->from_us;
	/* What is recorded while the bundle is made is not of it. */
	if (!f->until_us)
		f->until_us = now;
	c->until_us = f->until_us;
	f->newest_first = false;
}

static struct bundling *bundling_new(struct call *x)
{
	struct bundling *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->c = x->c;
	outgoing_begin(&b->by, x);
	memcpy(b->address, x->address, sizeof(b->address));
	b->note = BUF_INIT(NOTE_SIZE_MAX);
	b->list = BUF_INIT(EXHIBIT_LIST_SIZE);
	b->page_rows = BUF_INIT(EXHIBIT_PAGE_SIZE - (4u << 20));
	b->out = BUF_INIT(2u * EXHIBIT_LIST_SIZE + EXHIBIT_PAGE_SIZE);
	b->run = BUF_INIT(BUNDLE_RUN_LEAVES * (4u + SEGMENT_HEADER_MAX));
	b->header = BUF_INIT(SEGMENT_HEADER_MAX);
	b->body = BUF_INIT(SEGMENT_BODY_MAX);
	b->text = BUF_INIT(EXHIBIT_PAGE_SIZE);
	return b;
}

void bundle_get(struct call *x)
{
	struct told t = {.kind = KIND_CONSOLE_EXPORT, .operation = PATH_, .text = x->a->query, .urgent = true};
	int64_t now = clock_wall_us();
	struct bundling *b;
	int r;

	if (x->account->scope_n) {
		reply_error(x, 403, "role", "an evidence bundle is for accounts that see all PCs");
		return;
	}
	for (b = x->c->bundles; b && !digest_eq(&b->by.session, &x->session->id); b = b->next)
		;
	if (b || x->c->bundles_n == BUNDLES_MAX) {
		answer_header(x->a->req, "Retry-After", "10");
		reply_error(x, 429, "busy", "too many evidence bundles at once");
		return;
	}
	b = bundling_new(x);
	if (!b || digesting_new(&b->digest) || exhibit_writer_new(take_bytes, b, now, &b->writer)) {
		if (b)
			bundling_free(b);
		reply_error(x, 503, "busy", "no memory");
		return;
	}
	r = search_parse(x->a->query, SEARCH_FILTER, now, &b->search, &b->why);
	if (r || strlen(x->a->query) > EXHIBIT_TEXT_MAX) {
		reply_error(x, 400, "filter", b->why.text[0] ? b->why.text : "the query is too long");
		bundling_free(b);
		return;
	}
	begin_claim(b, x->a->query, now);
	if (b->claim.has_since && b->claim.since_us >= b->claim.until_us) {
		r = V_BAD;
		reply_error(x, 400, "filter", "the time has not begun yet");
	} else if ((r = open_log(b))) {
		store_failed(x, r, &b->why);
	} else if (!tell_call(x, t)) {
		r = V_FULL;
	} else if ((r = held_begin(x->a, &b->held, on_gone))) {
		reply_error(x, 503, "busy", "no memory");
	}
	if (r) {
		bundling_free(b);
		return;
	}
	b->next = x->c->bundles;
	x->c->bundles = b;
	x->c->bundles_n++;
	x->c->count.exports++;
	go_on(b);
}
