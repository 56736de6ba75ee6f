/*
 * Does a hold keep a channel of a month? Months are told by name, PCs by headers, people by bodies. Called by
 * retention.c for what is due, and for orders.
 */
#include "collector/ingest/keeper.h"
#include "policy/base/clock.h"
#include "policy/wire/body.h"
#include <errno.h>

#define SLICE_US 20000

/* Facts that name a person. */
static const unsigned people[] = {F_USER, F_JOB_USER, F_TARGET_USER, F_PERSON};

static bool names(const struct record *r, const struct retention_hold *h)
{
	size_t i;

	if (h->has_peer && record_has(r, F_PEER) && span_eq(r->v[F_PEER].s, SPAN(h->peer.b, DIGEST_SIZE)))
		return true;
	for (i = 0; h->person[0] && i < ARRAY_SIZE(people); i++)
		if (record_has(r, people[i]) && span_eq(r->v[people[i]].s, SPAN_STR(h->person)))
			return true;
	return false;
}

/* Is anything in the body of a held PC or person? What cannot be read is kept. 0; -errno. */
static int in_body(struct segment *s, const struct retention_hold *h, struct buf *raw, bool *yes)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	static struct record rec;
	int r = segment_raw(s, raw, NULL);

	r = r ? r : body_reader_new(buf_span(raw), &in);
	while (!r && !*yes && !(r = body_next(in, &rec, NULL)))
		*yes = names(&rec, h);
	*yes |= r > 0 && r != V_END;
	return r < 0 ? r : 0;
}

/* One segment. */
static int look_at(struct keeper *k, struct looked *l, const struct retention_hold *h, struct buf *header,
	struct buf *body, struct buf *raw)
{
	struct why why = {""};
	struct segment s;
	bool own;
	int r;

	buf_clear(header);
	buf_clear(body);
	r = store_read(k->in->store, l->next, header, NULL, &why);
	r = r ? r : header_parse(buf_span(header), &s, &why);
	if (r || s.header.producer != l->channel)
		return r;
	own = !h->has_peer || digest_eq(&s.header.host, &h->peer);
	if (own && !h->person[0]) {
		l->held = true;
	} else if (own || l->channel >= PRODUCER_CONSOLE) {
		/* Of a person; or what servers tell of a PC. */
		buf_clear(header);
		r = store_read(k->in->store, l->next, header, body, &why);
		s.body = buf_span(body);
		r = r || !body->n ? r : in_body(&s, h, raw, &l->held);
	}
	return r;
}

static int look_on(struct keeper *k, struct looked *l, int64_t until)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX),
				 raw = BUF_INIT(BODY_RAW_MAX);
	const struct retention_hold *h = retention_hold_of(&k->book, l->hold);
	int r = 0;

	/* Lifted meanwhile: nobody asks any more. */
	if (!h) {
		l->done = true;
		return 0;
	}
	while (!r && !l->held && l->next < l->end) {
		r = look_at(k, l, h, &header, &body, &raw);
		l->next += !r;
		if (!r && clock_boot_us() >= until)
			break;
	}
	l->done = !r && (l->held || l->next == l->end);
	return r;
}

int keeper_look(struct keeper *k)
{
	int64_t until = clock_boot_us() + SLICE_US;
	size_t i;
	int r = 0;

	for (i = 0; !r && i < k->looked_n && clock_boot_us() < until; i++)
		if (!k->looked[i].done)
			r = look_on(k, &k->looked[i], until);
	for (i = 0; !r && i < k->looked_n; i++)
		if (!k->looked[i].done)
			return V_AGAIN;
	return r;
}

/* What is known of it; begun where nothing is. NULL: no memory. */
static struct looked *looked_at(
	struct keeper *k, const struct store_month *m, unsigned channel, const struct retention_hold *h)
{
	struct looked *l;
	size_t i;

	for (i = 0; i < k->looked_n; i++) {
		l = &k->looked[i];
		if (l->channel == channel && !strcmp(l->month, m->month) && !strcmp(l->hold, h->id))
			return l;
	}
	l = reallocarray(k->looked, k->looked_n + 1, sizeof(*l));
	if (!l)
		return NULL;
	k->looked = l;
	l += k->looked_n++;
	*l = (struct looked){.channel = channel, .next = m->first, .end = m->first + m->count};
	memcpy(l->month, m->month, sizeof(l->month));
	memcpy(l->hold, h->id, sizeof(l->hold));
	return l;
}

int keeper_held(struct keeper *k, const struct store_month *m, unsigned channel, const struct retention_hold **out)
{
	bool open = false;
	size_t i;

	*out = retention_held(&k->book, m->month, UINT64_MAX);
	for (i = 0; !*out && i < k->book.holds_n; i++) {
		const struct retention_hold *h = &k->book.holds[i];
		struct looked *l;

		if (h->lifted_leaf != UINT64_MAX || (h->month[0] && strcmp(h->month, m->month) != 0))
			continue;
		l = looked_at(k, m, channel, h);
		if (!l)
			return -ENOMEM;
		open |= !l->done;
		if (l->held)
			*out = h;
	}
	if (*out || !open)
		return 0;
	keeper_soon(k);
	return V_AGAIN;
}
