/*
 * Segment headers and epoch certificates as CBOR: encoding for the sealer, decoding for everybody who is handed one.
 * FORMAT.md and segment.cddl describe them; the numbers here are never reused.
 */
#include "policy/wire/header.h"
#include "policy/base/cbor.h"

enum {
	H_HOST = 1,
	H_PRODUCER = 2,
	H_BOOT = 3,
	H_EPOCH = 4,
	H_SEQ = 5,
	H_PREV = 6,
	H_BODY_HASH = 7,
	H_BODY_LEN = 8,
	H_RAW_LEN = 9,
	H_COUNT = 10,
	H_FIRST = 11,
	H_LAST = 12,
	H_BOOT_TIME = 13,
	H_POLICY = 14,
	H_FLAGS = 15,
	H_SEEN = 16,
	H_LOST = 17,
	H_EPOCH_CERT = 18,
	H_HANDOVER = 19,
	H_MEANS = 20,
};

enum { E_HOST = 1, E_PRODUCER = 2, E_EPOCH = 3, E_KEY = 4, E_BOOT = 5, E_NOT_BEFORE = 6, E_NOT_AFTER = 7, E_SINCE = 8 };

#define EPOCH_FIELDS 7 /* and perhaps since */
#define SKIP_DEPTH 4

static int put_uint(struct buf *b, unsigned key, uint64_t v)
{
	int r = cbor_put_uint(b, key);

	return r ? r : cbor_put_uint(b, v);
}

static int put_int(struct buf *b, unsigned key, int64_t v)
{
	int r = cbor_put_uint(b, key);

	return r ? r : cbor_put_int(b, v);
}

static int put_bytes(struct buf *b, unsigned key, const void *p, size_t n)
{
	int r = cbor_put_uint(b, key);

	return r ? r : cbor_put_bytes(b, SPAN(p, n));
}

int header_encode(const struct header *h, struct buf *b)
{
	unsigned pairs = 12 + h->has_prev + !!h->policy + !!h->flags + !!h->seen_size + !!h->lost_n +
			 !!h->epoch_cert.n + !!h->handover.n + h->has_means;
	unsigned i;
	int r = cbor_put_map(b, pairs);

	r = r ? r : put_bytes(b, H_HOST, h->host.b, DIGEST_SIZE);
	r = r ? r : put_uint(b, H_PRODUCER, h->producer);
	r = r ? r : put_bytes(b, H_BOOT, h->boot, sizeof(h->boot));
	r = r ? r : put_uint(b, H_EPOCH, h->epoch);
	r = r ? r : put_uint(b, H_SEQ, h->seq);
	if (!r && h->has_prev)
		r = put_bytes(b, H_PREV, h->prev.b, DIGEST_SIZE);
	r = r ? r : put_bytes(b, H_BODY_HASH, h->body_hash.b, DIGEST_SIZE);
	r = r ? r : put_uint(b, H_BODY_LEN, h->body_len);
	r = r ? r : put_uint(b, H_RAW_LEN, h->raw_len);
	r = r ? r : put_uint(b, H_COUNT, h->count);
	r = r ? r : put_int(b, H_FIRST, h->first_us);
	r = r ? r : put_int(b, H_LAST, h->last_us);
	r = r ? r : put_int(b, H_BOOT_TIME, h->boot_us);
	if (!r && h->policy)
		r = put_uint(b, H_POLICY, h->policy);
	if (!r && h->flags)
		r = put_uint(b, H_FLAGS, h->flags);
	if (!r && h->seen_size) {
		r = cbor_put_uint(b, H_SEEN);
		r = r ? r : cbor_put_array(b, 2);
		r = r ? r : cbor_put_uint(b, h->seen_size);
		r = r ? r : cbor_put_bytes(b, SPAN(h->seen_root.b, DIGEST_SIZE));
	}
	if (!r && h->lost_n) {
		r = cbor_put_uint(b, H_LOST);
		r = r ? r : cbor_put_map(b, h->lost_n);
		for (i = 0; !r && i < h->lost_n; i++)
			r = put_uint(b, h->lost[i].cause, h->lost[i].n);
	}
	if (!r && h->epoch_cert.n)
		r = put_bytes(b, H_EPOCH_CERT, h->epoch_cert.p, h->epoch_cert.n);
	if (!r && h->handover.n)
		r = put_bytes(b, H_HANDOVER, h->handover.p, h->handover.n);
	if (!r && h->has_means) {
		r = cbor_put_uint(b, H_MEANS);
		r = r ? r : cbor_put_text(b, h->means);
	}
	return r;
}

static int read_int(struct cbor_reader *r, const char *what, int64_t *out, struct why *why)
{
	struct cbor_item item;
	size_t at = r->at;
	int v = cbor_next(r, &item, why);

	if (v == V_BAD)
		return v;
	if (v || (item.kind != CBOR_UINT && item.kind != CBOR_NINT) || item.u > INT64_MAX)
		return why_set(why, V_BAD, "%s: not an integer at offset %zu", what, at);
	*out = item.kind == CBOR_UINT ? (int64_t)item.u : -1 - (int64_t)item.u;
	return 0;
}

static int read_bounded(struct cbor_reader *r, const char *what, uint64_t max, uint32_t *out, struct why *why)
{
	uint64_t u = 0;
	int v = cbor_expect_uint(r, what, &u, why);

	if (v)
		return v;
	if (u > max)
		return why_set(
			why, V_BAD, "%s: %llu is more than %llu", what, (unsigned long long)u, (unsigned long long)max);
	*out = (uint32_t)u;
	return 0;
}

static int read_lost(struct cbor_reader *r, struct header *h, struct why *why)
{
	struct cbor_item map;
	uint64_t i, cause = 0, last = 0;
	int v = cbor_expect(r, CBOR_MAP, "header: losses", &map, why);

	if (v)
		return v;
	if (map.u > SEGMENT_CAUSES_MAX)
		return why_set(why, V_BAD, "header: more than %u causes of loss", SEGMENT_CAUSES_MAX);
	for (i = 0; i < map.u; i++) {
		v = cbor_expect_uint(r, "header: cause of loss", &cause, why);
		if (!v && ((i && cause <= last) || cause > 65535))
			v = why_set(why, V_BAD, "header: causes of loss out of order");
		last = cause;
		h->lost[i].cause = (unsigned)cause;
		v = v ? v : cbor_expect_uint(r, "header: number lost", &h->lost[i].n, why);
		if (v)
			return v;
	}
	h->lost_n = (unsigned)map.u;
	return 0;
}

static int read_span(struct cbor_reader *r, const char *what, struct span *out, struct why *why)
{
	struct cbor_item item;
	int v = cbor_expect(r, CBOR_BYTES, what, &item, why);

	if (!v)
		*out = item.s;
	return v;
}

/* Names of lower case letters: nothing in it needs to be escaped by who shows it. */
static int read_means(struct cbor_reader *r, struct header *h, struct why *why)
{
	struct cbor_item item;
	size_t i;
	int v = cbor_expect(r, CBOR_TEXT, "header: means", &item, why);

	if (v)
		return v;
	if (item.s.n > SEGMENT_MEANS_MAX)
		return why_set(why, V_BAD, "header: means of more than %u bytes", SEGMENT_MEANS_MAX);
	for (i = 0; i < item.s.n; i++)
		if ((item.s.p[i] < 'a' || item.s.p[i] > 'z') && item.s.p[i] != ',' && item.s.p[i] != '-')
			return why_set(why, V_BAD, "header: means are no list of names");
	h->has_means = true;
	h->means = item.s;
	return 0;
}

static int read_field(struct cbor_reader *r, uint64_t key, struct header *h, struct why *why)
{
	struct cbor_item item;
	uint64_t u;
	int v;

	switch (key) {
	case H_HOST:
		return cbor_expect_bytes_n(r, "header: host", h->host.b, DIGEST_SIZE, why);
	case H_PRODUCER:
		return read_bounded(r, "header: producer", 255, &h->producer, why);
	case H_BOOT:
		return cbor_expect_bytes_n(r, "header: boot", h->boot, sizeof(h->boot), why);
	case H_EPOCH:
		return cbor_expect_uint(r, "header: epoch", &h->epoch, why);
	case H_SEQ:
		v = cbor_expect_uint(r, "header: sequence", &u, why);
		if (!v && u > INT64_MAX - 1)
			return why_set(why, V_BAD, "header: sequence out of range");
		if (!v)
			h->seq = u;
		return v;
	case H_PREV:
		h->has_prev = true;
		return cbor_expect_bytes_n(r, "header: previous", h->prev.b, DIGEST_SIZE, why);
	case H_BODY_HASH:
		return cbor_expect_bytes_n(r, "header: body hash", h->body_hash.b, DIGEST_SIZE, why);
	case H_BODY_LEN:
		return read_bounded(r, "header: body length", SEGMENT_BODY_MAX, &h->body_len, why);
	case H_RAW_LEN:
		return read_bounded(r, "header: raw length", BODY_RAW_MAX, &h->raw_len, why);
	case H_COUNT:
		return read_bounded(r, "header: count", BODY_RECORDS_MAX, &h->count, why);
	case H_FIRST:
		return read_int(r, "header: first time", &h->first_us, why);
	case H_LAST:
		return read_int(r, "header: last time", &h->last_us, why);
	case H_BOOT_TIME:
		return read_int(r, "header: boot time", &h->boot_us, why);
	case H_POLICY:
		return cbor_expect_uint(r, "header: policy", &h->policy, why);
	case H_FLAGS:
		return cbor_expect_uint(r, "header: flags", &h->flags, why);
	case H_SEEN:
		v = cbor_expect(r, CBOR_ARRAY, "header: checkpoint seen", &item, why);
		if (!v && item.u != 2)
			v = why_set(why, V_BAD, "header: checkpoint seen is not a size and a root");
		v = v ? v : cbor_expect_uint(r, "header: size seen", &h->seen_size, why);
		return v ? v : cbor_expect_bytes_n(r, "header: root seen", h->seen_root.b, DIGEST_SIZE, why);
	case H_LOST:
		return read_lost(r, h, why);
	case H_EPOCH_CERT:
		return read_span(r, "header: epoch certificate", &h->epoch_cert, why);
	case H_HANDOVER:
		return read_span(r, "header: handover", &h->handover, why);
	case H_MEANS:
		return read_means(r, h, why);
	default:
		v = cbor_skip(r, SKIP_DEPTH, why);
		return v == V_END ? why_set(why, V_BAD, "header: cut off") : v;
	}
}

/* A map with ascending integer keys: calls `field` for each. Says in *seen which of the keys below 64 were there. */
typedef int (*field_fn)(struct cbor_reader *r, uint64_t key, void *into, struct why *why);

static int read_map(struct span in, const char *what, field_fn field, void *into, uint64_t *seen, struct why *why)
{
	struct cbor_reader r = cbor_reader(in);
	struct cbor_item map;
	uint64_t i, key = 0, last = 0;
	int v = cbor_expect(&r, CBOR_MAP, what, &map, why);

	*seen = 0;
	for (i = 0; !v && i < map.u; i++) {
		v = cbor_expect_uint(&r, what, &key, why);
		if (!v && i && key <= last)
			v = why_set(why, V_BAD, "%s: key %llu out of order", what, (unsigned long long)key);
		if (v)
			return v;
		last = key;
		if (key < 64)
			*seen |= 1ull << key;
		v = field(&r, key, into, why);
	}
	if (!v && !cbor_at_end(&r))
		v = why_set(why, V_BAD, "%s: bytes behind its end", what);
	return v;
}

static int header_field(struct cbor_reader *r, uint64_t key, void *into, struct why *why)
{
	return read_field(r, key, into, why);
}

int header_decode(struct span payload, struct header *out, struct why *why)
{
	const uint64_t needed = 1ull << H_HOST | 1ull << H_PRODUCER | 1ull << H_BOOT | 1ull << H_EPOCH | 1ull << H_SEQ |
				1ull << H_BODY_HASH | 1ull << H_BODY_LEN | 1ull << H_RAW_LEN | 1ull << H_COUNT |
				1ull << H_FIRST | 1ull << H_LAST | 1ull << H_BOOT_TIME;
	struct header h = {0};
	uint64_t seen;
	int v = read_map(payload, "header", header_field, &h, &seen, why);

	if (v)
		return v;
	if ((seen & needed) != needed)
		return why_set(why, V_BAD, "header: key %d is missing", __builtin_ctzll(needed & ~seen));
	if (!producer_name(h.producer))
		return why_set(why, V_BAD, "header: unknown producer %u", h.producer);
	if (h.has_prev != (h.seq != 0))
		return why_set(why, V_BAD,
			h.seq ? "header: sequence %llu without a predecessor"
			      : "header: sequence %llu with a predecessor",
			(unsigned long long)h.seq);
	if (h.body_len < SEGMENT_SALT)
		return why_set(why, V_BAD, "header: body too short for its salt");
	*out = h;
	return 0;
}

int epoch_encode(const struct epoch *e, struct buf *b)
{
	int r = cbor_put_map(b, EPOCH_FIELDS + e->has_since);

	r = r ? r : put_bytes(b, E_HOST, e->host.b, DIGEST_SIZE);
	r = r ? r : put_uint(b, E_PRODUCER, e->producer);
	r = r ? r : put_uint(b, E_EPOCH, e->number);
	r = r ? r : put_bytes(b, E_KEY, e->public_key, sizeof(e->public_key));
	r = r ? r : put_bytes(b, E_BOOT, e->boot, sizeof(e->boot));
	r = r ? r : put_int(b, E_NOT_BEFORE, e->not_before_us);
	r = r ? r : put_int(b, E_NOT_AFTER, e->not_after_us);
	return r || !e->has_since ? r : put_int(b, E_SINCE, e->since_us);
}

static int epoch_field(struct cbor_reader *r, uint64_t key, void *into, struct why *why)
{
	struct epoch *e = into;
	int v;

	switch (key) {
	case E_HOST:
		return cbor_expect_bytes_n(r, "epoch: host", e->host.b, DIGEST_SIZE, why);
	case E_PRODUCER:
		return read_bounded(r, "epoch: producer", 255, &e->producer, why);
	case E_EPOCH:
		return cbor_expect_uint(r, "epoch: number", &e->number, why);
	case E_KEY:
		return cbor_expect_bytes_n(r, "epoch: key", e->public_key, sizeof(e->public_key), why);
	case E_BOOT:
		return cbor_expect_bytes_n(r, "epoch: boot", e->boot, sizeof(e->boot), why);
	case E_NOT_BEFORE:
		return read_int(r, "epoch: not before", &e->not_before_us, why);
	case E_NOT_AFTER:
		return read_int(r, "epoch: not after", &e->not_after_us, why);
	case E_SINCE:
		e->has_since = true;
		return read_int(r, "epoch: since", &e->since_us, why);
	default:
		v = cbor_skip(r, SKIP_DEPTH, why);
		return v == V_END ? why_set(why, V_BAD, "epoch: cut off") : v;
	}
}

int epoch_decode(struct span payload, struct epoch *out, struct why *why)
{
	struct epoch e = {.number = 0};
	uint64_t seen;
	int v = read_map(payload, "epoch", epoch_field, &e, &seen, why);

	if (v)
		return v;
	if ((seen & 0xfe) != 0xfe)
		return why_set(why, V_BAD, "epoch: a field is missing");
	if (e.has_since && (e.since_us < 0 || e.not_after_us < e.not_before_us))
		return why_set(why, V_BAD, "epoch: ends before it begins");
	*out = e;
	return 0;
}
