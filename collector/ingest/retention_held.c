/*
 * Does a hold keep a channel of a month? Months are told by name, PCs by headers, people by bodies. Called by
 * retention.c for what is due, and for orders.
 */
#include "collector/ingest/keeper.h"
#include "policy/wire/body.h"
#include <errno.h>

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

static int look_through(
	struct keeper *k, const struct store_month *m, unsigned channel, const struct retention_hold *h, bool *yes)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX),
				 raw = BUF_INIT(BODY_RAW_MAX);
	struct why why = {""};
	struct segment s;
	uint64_t i;
	int r = 0;

	*yes = false;
	for (i = m->first; !r && !*yes && i < m->first + m->count; i++) {
		bool own;

		buf_clear(&header);
		buf_clear(&body);
		r = store_read(k->in->store, i, &header, NULL, &why);
		r = r ? r : header_parse(buf_span(&header), &s, &why);
		if (r || s.header.producer != channel)
			continue;
		own = !h->has_peer || digest_eq(&s.header.host, &h->peer);
		if (own && !h->person[0]) {
			*yes = true;
		} else if (own || channel >= PRODUCER_CONSOLE) {
			/* Of a person; or what servers tell of a PC. */
			buf_clear(&header);
			r = store_read(k->in->store, i, &header, &body, &why);
			s.body = buf_span(&body);
			r = r || !body.n ? r : in_body(&s, h, &raw, yes);
		}
	}
	return r;
}

static int remember(struct keeper *k, const struct store_month *m, unsigned channel, const struct retention_hold *h)
{
	struct found_held *v = realloc(k->held, (k->held_n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	k->held = v;
	v += k->held_n++;
	memcpy(v->month, m->month, sizeof(v->month));
	memcpy(v->hold, h->id, sizeof(v->hold));
	v->channel = channel;
	return 0;
}

static bool known(const struct keeper *k, const struct store_month *m, unsigned channel, const struct retention_hold *h)
{
	size_t i;

	for (i = 0; i < k->held_n; i++)
		if (k->held[i].channel == channel && !strcmp(k->held[i].month, m->month) &&
			!strcmp(k->held[i].hold, h->id))
			return true;
	return false;
}

int keeper_held(struct keeper *k, const struct store_month *m, unsigned channel, const struct retention_hold **out)
{
	size_t i;
	int r = 0;

	*out = retention_held(&k->book, m->month, UINT64_MAX);
	for (i = 0; !r && !*out && i < k->book.holds_n; i++) {
		const struct retention_hold *h = &k->book.holds[i];
		bool yes;

		if (h->lifted_leaf != UINT64_MAX || (h->month[0] && strcmp(h->month, m->month) != 0))
			continue;
		yes = known(k, m, channel, h);
		if (!yes) {
			r = look_through(k, m, channel, h, &yes);
			r = r || !yes ? r : remember(k, m, channel, h);
		}
		if (!r && yes)
			*out = h;
	}
	return r;
}
