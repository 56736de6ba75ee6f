/*
 * Decoded segments, kept in a bounded table. See fetch.h.
 */
#include "collector/store/fetch.h"
#include "policy/wire/body.h"
#include <errno.h>

struct fact {
	unsigned field;
	struct value value;
};

struct decoded {
	uint64_t leaf;
	struct digest host;
	uint8_t *raw;
	struct fact *facts;
	uint32_t *starts; /* n + 1 */
	unsigned n;
	size_t bytes;
};

struct fetch {
	struct store *store;
	struct decoded *slots[FETCH_SLOTS];
	size_t bytes;
	unsigned hand;
	struct buf header, body, raw;
	struct record record;
};

int fetch_new(struct store *s, struct fetch **out)
{
	struct fetch *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->store = s;
	f->header = BUF_INIT(SEGMENT_HEADER_MAX);
	f->body = BUF_INIT(SEGMENT_BODY_MAX);
	f->raw = BUF_INIT(BODY_RAW_MAX);
	*out = f;
	return 0;
}

static void decoded_free(struct decoded *d)
{
	if (!d)
		return;
	free(d->raw);
	free(d->facts);
	free(d->starts);
	free(d);
}

DEFINE_CLEANUP(struct decoded *, decoded_free)

static void drop(struct fetch *f, unsigned slot)
{
	if (f->slots[slot])
		f->bytes -= f->slots[slot]->bytes;
	decoded_free(f->slots[slot]);
	f->slots[slot] = NULL;
}

void fetch_free(struct fetch *f)
{
	unsigned i;

	if (!f)
		return;
	for (i = 0; i < FETCH_SLOTS; i++)
		drop(f, i);
	buf_deinit(&f->header);
	buf_deinit(&f->body);
	buf_deinit(&f->raw);
	free(f);
}

static int grow(void **p, size_t *cap, size_t want, size_t size)
{
	size_t next = *cap ? *cap : 64;
	void *v;

	if (want <= *cap)
		return 0;
	while (next < want)
		next *= 2;
	v = realloc(*p, next * size);
	if (!v)
		return -ENOMEM;
	*p = v;
	*cap = next;
	return 0;
}

static int decode(struct fetch *f, const struct segment *s, struct decoded *d)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	size_t facts_cap = 0, starts_cap = 0, facts = 0;
	unsigned field;
	int r = segment_raw(s, &f->raw, NULL);

	if (r)
		return r;
	d->raw = malloc(f->raw.n ? f->raw.n : 1);
	if (!d->raw)
		return -ENOMEM;
	memcpy(d->raw, f->raw.p, f->raw.n);
	r = body_reader_new(SPAN(d->raw, f->raw.n), &in);
	while (!r && !(r = body_next(in, &f->record, NULL))) {
		r = grow((void **)&d->starts, &starts_cap, d->n + 2, sizeof(*d->starts));
		r = r ? r : grow((void **)&d->facts, &facts_cap, facts + FIELD_MAX, sizeof(*d->facts));
		if (r)
			return r;
		d->starts[d->n++] = (uint32_t)facts;
		for (field = record_next(&f->record, 0); field; field = record_next(&f->record, field))
			d->facts[facts++] = (struct fact){.field = field, .value = f->record.v[field]};
		d->starts[d->n] = (uint32_t)facts;
	}
	d->bytes = sizeof(*d) + f->raw.n + facts_cap * sizeof(*d->facts) + starts_cap * sizeof(*d->starts);
	return r < 0 ? r : 0;
}

static int load(struct fetch *f, uint64_t leaf, struct decoded **out)
{
	_cleanup_(decoded_freep) struct decoded *d = calloc(1, sizeof(*d));
	struct segment s;
	int r;

	if (!d)
		return -ENOMEM;
	buf_clear(&f->header);
	buf_clear(&f->body);
	r = store_read(f->store, leaf, &f->header, &f->body, NULL);
	r = r ? r : header_parse(buf_span(&f->header), &s, NULL);
	s.body = buf_span(&f->body);
	if (!r && !s.body.n)
		r = V_NOT_FOUND;
	r = r ? r : decode(f, &s, d);
	if (r)
		return r < 0 ? r : V_NOT_FOUND;
	d->leaf = leaf;
	d->host = s.header.host;
	*out = STEAL(d);
	return 0;
}

int fetch_record(struct fetch *f, uint64_t leaf, unsigned i, struct record *out, struct digest *host)
{
	unsigned slot = (unsigned)(leaf % FETCH_SLOTS);
	struct decoded *d = f->slots[slot];
	uint32_t k;
	int r;

	if (!d || d->leaf != leaf) {
		r = load(f, leaf, &d);
		if (r)
			return r;
		drop(f, slot);
		f->slots[slot] = d;
		f->bytes += d->bytes;
		/* Makes room, oldest places first; what was just read stays. */
		while (f->bytes > FETCH_BYTES && f->bytes > d->bytes) {
			f->hand = (f->hand + 1) % FETCH_SLOTS;
			if (f->hand != slot)
				drop(f, f->hand);
		}
	}
	if (i >= d->n)
		return V_NOT_FOUND;
	record_reset(out);
	for (k = d->starts[i]; k < d->starts[i + 1]; k++) {
		unsigned field = d->facts[k].field;

		out->v[field] = d->facts[k].value;
		out->have[field >> 6] |= UINT64_C(1) << (field & 63);
	}
	*host = d->host;
	return 0;
}
