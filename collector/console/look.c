/*
 * See look.h. Called by all operations that read records. Must never hand on a record of a PC outside the account's
 * scope.
 */
#include "collector/console/look.h"
#include "collector/store/month.h"
#include "policy/base/clock.h"
#include "policy/wire/body.h"
#include <errno.h>

/* So that the store goes from the asked end first, instead of finding out all that there is. */
#define LAZY (1u << 30)
/* A PC's clock may be ahead; what it dates later than this is shown where it is asked for, and never before all else.
 */
#define AHEAD_US 86400000000ll
#define SERVERS_EVERY_US 60000000
#define STEP_ROWS 20000u       /* in look_step() */
#define WINDOW_US 3600000000ll /* at first, in look_back() */
#define WINDOW_LEAST_US 60000000ll
#define WINDOW_MOST_US (31 * 24 * WINDOW_US)
#define REST_US 60000000

static const unsigned device_kinds[] = {KIND_PLUG, KIND_UNPLUG, KIND_DECISION, KIND_MEDIUM, KIND_DENIED, KIND_RELEASE,
	KIND_RELEASE_REFUSED, KIND_RELEASE_END, KIND_WRITE_SEEN};

static int64_t time_of(const struct store_row *row)
{
	return record_has(&row->record, F_TIME) ? row->record.v[F_TIME].i : 0;
}

/* Was this row on a page before? Rows of one moment come in the order of their numbers. */
static bool is_before(const struct looking *l, int64_t t, uint64_t row)
{
	const struct search *s = l->search;

	if (!s->has_cursor)
		return false;
	if (t != s->cursor_us)
		return s->filter.newest_first ? t > s->cursor_us : t < s->cursor_us;
	return s->filter.newest_first ? row >= s->cursor_row : row <= s->cursor_row;
}

/* The same, of those that were met. */
static unsigned met_server(const struct console *c, const struct digest *host)
{
	unsigned i;

	for (i = 0; i < c->servers_n; i++)
		if (digest_eq(&c->servers[i].id, host))
			return c->servers[i].producer;
	return 0;
}

unsigned look_server(struct console *c, const struct digest *host)
{
	unsigned producer = met_server(c, host);

	if (producer || !c->store)
		return producer;
	producer = store_server(c->store, host);
	if (producer && c->servers_n < SERVERS_MAX) {
		c->servers[c->servers_n].id = *host;
		c->servers[c->servers_n++].producer = producer;
	}
	return producer;
}

/* Kinds that are told of a PC, and are that PC's matter. */
static bool is_of_peer(uint64_t kind)
{
	static const unsigned kinds[] = {KIND_GAP, KIND_FORKED, KIND_REJOIN, KIND_REFUSED, KIND_CLOCK, KIND_ENROL,
		KIND_RENEW, KIND_REVOKE, KIND_RETIRE, KIND_WITNESS_ALARM, KIND_ALERT, KIND_ALERT_SEEN,
		KIND_ALERT_UNSENT};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

bool look_sees(struct console *c, const struct account *a, const struct store_row *row)
{
	const struct record *r = &row->record;
	char name[128];

	if (account_sees(a, row->host_name ? row->host_name : ""))
		return true;
	if (!record_has(r, F_KIND) || !is_of_peer(r->v[F_KIND].u) || !record_has(r, F_PEER_NAME) ||
		r->v[F_PEER_NAME].s.n >= sizeof(name) || memchr(r->v[F_PEER_NAME].s.p, 0, r->v[F_PEER_NAME].s.n))
		return false;
	memcpy(name, r->v[F_PEER_NAME].s.p, r->v[F_PEER_NAME].s.n);
	name[r->v[F_PEER_NAME].s.n] = 0;
	return account_sees(a, name) && look_server(c, &row->host);
}

static int on_row(void *ctx, const struct store_row *row)
{
	struct looking *l = ctx;
	int64_t t = time_of(row);
	int r = 0;

	if (is_before(l, t, row->row))
		return 0;
	if (l->slice_us && !l->looked)
		l->end_us = clock_boot_us() + l->slice_us;
	/* One at least: it gets on, however slow the disk is. */
	if (l->looked == l->most || (l->slice_us && l->looked && clock_boot_us() >= l->end_us)) {
		l->more = true;
		return V_END;
	}
	if (l->bare || (look_sees(l->c, l->account, row) && search_fits(l->search, &row->record)))
		r = l->take(l->ctx, row);
	if (r == V_END)
		l->more = true;
	if (r)
		return r;
	l->looked++;
	l->at_us = t;
	l->at_row = row->row;
	return 0;
}

/* Where no end was asked for, and the question has not got beyond it. */
static void bound_ahead(const struct search *s, struct store_filter *f)
{
	int64_t bound = clock_wall_us() + AHEAD_US;

	if (!f->until_us && f->from_us < bound && (!s->has_cursor || s->cursor_us < bound))
		f->until_us = bound;
}

static int meet(void *ctx, const struct store_host *h)
{
	(void)look_server(ctx, &h->id);
	return 0;
}

/* Which hosts are servers, asked of each of them once in a while. */
static int meet_servers(struct console *c)
{
	int64_t now = clock_boot_us();

	if (now < c->servers_due_us)
		return 0;
	c->servers_due_us = now + SERVERS_EVERY_US;
	return store_host_each(c->store, meet, c);
}

/* PCs in the account's scope, and the servers, which tell of them. */
static bool wants(void *ctx, const struct store_host *h)
{
	const struct looking *l = ctx;

	return met_server(l->c, &h->id) || account_sees(l->account, h->name);
}

int look(struct looking *l, struct why *why)
{
	struct store_filter f = l->search->filter;
	const struct search *s = l->search;
	int r = store_of(l->c);

	if (r)
		return r;
	l->looked = 0;
	l->more = false;
	l->at_us = s->cursor_us;
	l->at_row = s->cursor_row;
	f.limit = LAZY;
	f.wanted = l->wanted;
	f.most = l->most < LAZY ? (unsigned)l->most + 1 : 0;
	f.has_place = s->has_cursor;
	f.place_us = s->cursor_us;
	f.place_row = s->cursor_row;
	f.bare = l->bare;
	if (l->account->scope_n) {
		r = meet_servers(l->c);
		if (r)
			return r;
		f.wants = wants;
		f.wants_ctx = l;
	}
	bound_ahead(s, &f);
	if (s->device && !f.kinds_n) {
		memcpy(f.kinds, device_kinds, sizeof(device_kinds));
		f.kinds_n = ARRAY_SIZE(device_kinds);
	}
	if (s->has_cursor && f.newest_first && (!f.until_us || f.until_us > s->cursor_us))
		f.until_us = s->cursor_us + 1;
	if (s->has_cursor && !f.newest_first && (!f.from_us || f.from_us < s->cursor_us))
		f.from_us = s->cursor_us;
	/* The cursor has passed the filter's end. */
	if (f.from_us && f.until_us && f.from_us >= f.until_us)
		return 0;
	return store_query(l->c->store, &f, on_row, l, why);
}

void look_on(const struct looking *l, struct search *s)
{
	s->has_cursor = true;
	s->cursor_us = l->at_us;
	s->cursor_row = l->at_row;
}

int look_step(struct looking *l, bool *done)
{
	int r;

	l->most = STEP_ROWS;
	/* Rare kinds lie one in a segment each, which is unpacked for it: their number says nothing of the time. */
	l->slice_us = LOOK_STEP_US;
	r = look(l, NULL);
	if (l->looked)
		look_on(l, l->search);
	*done = !r && !l->more;
	return r;
}

struct backward {
	struct console *c;
	int (*take)(struct console *c, const struct store_row *row);
};

static int on_old(void *ctx, const struct store_row *row)
{
	const struct backward *b = ctx;

	/* What came since the start was told when it came. */
	return row->row <= traffic_began(b->c) ? b->take(b->c, row) : 0;
}

/* The window behind this one; false: there is none. */
static bool next_window(struct looking_back *b)
{
	struct store_filter *f = &b->search.filter;

	if (b->spent_us < LOOK_STEP_US / 4 && b->window_us < WINDOW_MOST_US)
		b->window_us *= 2;
	else if (b->spent_us > LOOK_STEP_US && b->window_us > WINDOW_LEAST_US)
		b->window_us /= 2;
	b->spent_us = 0;
	b->search.has_cursor = false;
	if (f->from_us <= b->since_us)
		return false;
	f->until_us = f->from_us;
	f->from_us = f->until_us - b->since_us > b->window_us ? f->until_us - b->window_us : b->since_us;
	return true;
}

int look_back(struct console *c, struct looking_back *b, int64_t since_us, const unsigned *kinds, size_t n,
	int (*take)(struct console *c, const struct store_row *row))
{
	static const struct account everybody = {.scope_n = 0};
	struct backward back = {.c = c, .take = take};
	struct looking l = {.c = c, .account = &everybody, .search = &b->search, .take = on_old, .ctx = &back};
	int64_t now = clock_boot_us(), end = now + LOOK_STEP_US, before, wall;
	bool all = false;
	int r = 0;

	if (b->done || now < b->rest_us)
		return 0;
	if (!b->begun) {
		b->begun = true;
		wall = clock_wall_us();
		b->since_us = wall - since_us;
		b->window_us = WINDOW_US;
		/* The first one has no end: a PC's clock may be ahead. */
		b->search.filter.newest_first = true;
		b->search.filter.from_us = wall - (since_us < WINDOW_US ? since_us : WINDOW_US);
		b->search.filter.kinds_n = (unsigned)n;
		memcpy(b->search.filter.kinds, kinds, n * sizeof(*kinds));
	}
	for (before = now; !r && !b->done && now < end; before = now) {
		r = look_step(&l, &all);
		now = clock_boot_us();
		b->spent_us += now - before;
		b->done = !r && all && !next_window(b);
	}
	if (r > 0)
		b->rest_us = clock_boot_us() + REST_US;
	return r;
}

json_t *look_next(const struct looking *l)
{
	char text[SEARCH_CURSOR_SIZE];

	if (!l->more)
		return json_null();
	search_cursor(text, l->at_us, l->at_row);
	return json_string(text);
}

/* --- one record --- */

/* The body's record number `at`. 0; V_NOT_FOUND; V_BAD; -errno. */
static int record_at(const struct segment *s, unsigned at, struct buf *raw, struct body_reader **reader,
	struct record *out, struct why *why)
{
	unsigned i;
	int r = segment_raw(s, raw, why);

	r = r ? r : body_reader_new(buf_span(raw), reader);
	for (i = 0; !r && i <= at; i++)
		r = body_next(*reader, out, why);
	return r == V_END ? V_NOT_FOUND : r;
}

int look_up(struct call *x, uint64_t row, struct looked_up *out, json_t **record, struct why *why)
{
	_cleanup_(body_reader_freep) struct body_reader *reader = NULL;
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX),
				 raw = BUF_INIT(BODY_RAW_MAX);
	_cleanup_free_ struct store_row *found = calloc(1, sizeof(*found));
	unsigned at = (unsigned)(row & ((1u << ROW_BITS) - 1));
	struct store_host host;
	struct segment s;
	int r = store_of(x->c);

	if (!found)
		return -ENOMEM;
	if (!at)
		return V_NOT_FOUND;
	r = r ? r : store_read(x->c->store, row >> ROW_BITS, &header, &body, why);
	/* A body whose time is over: the record is gone, its proof is not. */
	if (!r && !body.n)
		r = V_NOT_FOUND;
	r = r ? r : header_parse(buf_span(&header), &s, why);
	if (r)
		return r;
	s.body = buf_span(&body);
	if (store_host_get(x->c->store, &s.header.host, &host))
		host.name[0] = 0;
	r = record_at(&s, at - 1, &raw, &reader, &found->record, why);
	if (r)
		return r;
	found->row = row;
	found->leaf = row >> ROW_BITS;
	found->host = s.header.host;
	found->host_name = host.name;
	if (!look_sees(x->c, x->account, found))
		return V_NOT_FOUND;
	out->host = s.header.host;
	memcpy(out->host_name, host.name, sizeof(out->host_name));
	out->time_us = time_of(found);
	*record = record_to_json(found);
	return *record ? 0 : -ENOMEM;
}

bool row_of_path(struct call *x, uint64_t *row)
{
	if (!ask_number(x->id, row) && *row <= INT64_MAX)
		return true;
	reply_error(x, 400, "row", "not the number of a record");
	return false;
}
