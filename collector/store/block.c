/*
 * Blocks to bytes and back. Read by every query for each segment that may hold a match: no call in the inner loop.
 */
#include "collector/store/block.h"

#define BLOCK_VERSION 1

static inline uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static inline int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline uint8_t *put(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static uint8_t *put_column(uint8_t *p, const int64_t *v, unsigned n, bool differences)
{
	int64_t before = 0;
	unsigned i;

	for (i = 0; i < n; i++) {
		if (differences) {
			p = put(p, zigzag((int64_t)((uint64_t)v[i] - (uint64_t)before)));
			before = v[i];
		} else {
			p = put(p, (uint64_t)v[i]);
		}
	}
	return p;
}

int block_encode(const struct block *b, struct buf *out)
{
	int r = buf_reserve(out, b->n * 50u + 16u);
	uint8_t *p;

	if (r)
		return r;
	p = out->p + out->n;
	*p++ = BLOCK_VERSION;
	p = put(p, b->n);
	p = put_column(p, b->time, b->n, true);
	p = put_column(p, b->combo, b->n, false);
	p = put_column(p, b->path, b->n, true);
	p = put_column(p, b->path2, b->n, false);
	p = put_column(p, b->args, b->n, false);
	out->n = (size_t)(p - out->p);
	return 0;
}

static inline const uint8_t *get(const uint8_t *p, const uint8_t *end, uint64_t *out)
{
	uint64_t v = 0;
	unsigned shift = 0;

	while (p && p < end && shift < 64) {
		uint8_t b = *p++;

		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			*out = v;
			return p;
		}
		shift += 7;
	}
	return NULL;
}

static const uint8_t *get_column(const uint8_t *p, const uint8_t *end, int64_t *v, unsigned n, bool differences)
{
	uint64_t before = 0, u = 0;
	unsigned i;

	for (i = 0; i < n && p; i++) {
		p = get(p, end, &u);
		if (differences)
			u = before += (uint64_t)unzigzag(u);
		v[i] = (int64_t)u;
	}
	return p;
}

int block_decode(struct span s, struct block *out)
{
	const uint8_t *p = s.p, *end = s.p + s.n;
	uint64_t n = 0;

	if (!s.n || *p++ != BLOCK_VERSION)
		return V_BAD;
	p = get(p, end, &n);
	if (!p || n > BODY_RECORDS_MAX)
		return V_BAD;
	out->n = (unsigned)n;
	p = get_column(p, end, out->time, out->n, true);
	p = get_column(p, end, out->combo, out->n, false);
	p = get_column(p, end, out->path, out->n, true);
	p = get_column(p, end, out->path2, out->n, false);
	p = get_column(p, end, out->args, out->n, false);
	return p == end ? 0 : V_BAD;
}
