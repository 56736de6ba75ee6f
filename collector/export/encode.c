/*
 * See encode.h.
 */
#include "collector/export/encode.h"

#define GROUP 8u /* numbers that are packed together */
#define BLOCK 128u
#define MINIS 4u
#define MINI (BLOCK / MINIS)

int encode_varint(struct buf *out, uint64_t v)
{
	uint8_t b[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		b[n++] = (uint8_t)(v | 0x80);
	b[n++] = (uint8_t)v;
	return buf_put(out, b, n);
}

int encode_le(struct buf *out, uint64_t v, unsigned bytes)
{
	uint8_t b[8];
	unsigned i;

	for (i = 0; i < bytes; i++)
		b[i] = (uint8_t)(v >> 8 * i);
	return buf_put(out, b, bytes);
}

unsigned encode_bits(uint32_t most)
{
	unsigned n = 1;

	while (n < 32 && most >> n)
		n++;
	return n;
}

/* Numbers behind one another, the lowest bit of each first. */
struct packing {
	struct buf *out;
	uint64_t word; /* bits that are not out yet */
	unsigned used;
	int r;
};

static void pack(struct packing *p, uint64_t v, unsigned bits)
{
	unsigned fits = 64 - p->used;

	if (!bits || p->r)
		return;
	p->word |= v << p->used;
	if (bits < fits) {
		p->used += bits;
		return;
	}
	p->r = encode_le(p->out, p->word, 8);
	p->word = fits < 64 ? v >> fits : 0;
	p->used = bits - fits;
}

static int packed(struct packing *p)
{
	return p->r ? p->r : encode_le(p->out, p->word, (p->used + 7) / 8);
}

/* How many of the numbers are as the first one. */
static size_t same(const uint32_t *v, size_t n)
{
	size_t i = 1;

	while (i < n && v[i] == v[0])
		i++;
	return n ? i : 0;
}

static int put_groups(struct buf *out, const uint32_t *v, size_t n, unsigned bits)
{
	struct packing p = {.out = out};
	size_t groups = (n + GROUP - 1) / GROUP, i;

	p.r = encode_varint(out, groups << 1 | 1);
	for (i = 0; i < groups * GROUP; i++)
		pack(&p, i < n ? v[i] : 0, bits);
	return packed(&p);
}

int encode_hybrid(struct buf *out, const uint32_t *v, size_t n, unsigned bits)
{
	size_t i = 0, to;
	int r = 0;

	while (!r && i < n) {
		size_t run = same(v + i, n - i);

		if (run >= GROUP || run == n - i) {
			r = encode_varint(out, run << 1);
			r = r ? r : encode_le(out, v[i], (bits + 7) / 8);
			i += run;
			continue;
		}
		/* Whole groups, up to where one begins that is all the same. */
		for (to = i + GROUP; to + GROUP <= n && same(v + to, GROUP) < GROUP; to += GROUP)
			;
		to = to + GROUP > n ? n : to;
		r = put_groups(out, v + i, to - i, bits);
		i = to;
	}
	return r;
}

static unsigned width(uint64_t v)
{
	return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

/* Up to BLOCK differences: the least of them, then four times MINI numbers above it, each of as many bits as they need.
 */
static int put_block(struct buf *out, uint64_t *d, size_t n)
{
	struct packing p = {.out = out};
	uint8_t widths[MINIS] = {0};
	int64_t least = (int64_t)d[0];
	size_t i;

	for (i = 1; i < n; i++)
		least = (int64_t)d[i] < least ? (int64_t)d[i] : least;
	for (i = 0; i < n; i++) {
		unsigned w;

		d[i] -= (uint64_t)least;
		w = width(d[i]);
		widths[i / MINI] = w > widths[i / MINI] ? (uint8_t)w : widths[i / MINI];
	}
	p.r = encode_varint(out, encode_zigzag(least));
	p.r = p.r ? p.r : buf_put(out, widths, MINIS);
	/* A part that is begun is filled up; those behind it are not there. */
	for (i = 0; i < (n + MINI - 1) / MINI * MINI; i++)
		pack(&p, i < n ? d[i] : 0, widths[i / MINI]);
	return packed(&p);
}

int encode_delta(struct buf *out, const uint64_t *v, size_t n)
{
	uint64_t d[BLOCK];
	size_t i, k;
	int r = encode_varint(out, BLOCK);

	r = r ? r : encode_varint(out, MINIS);
	r = r ? r : encode_varint(out, n);
	r = r ? r : encode_varint(out, n ? encode_zigzag((int64_t)v[0]) : 0);
	for (i = 1; !r && i < n; i += k) {
		for (k = 0; k < BLOCK && i + k < n; k++)
			d[k] = v[i + k] - v[i + k - 1];
		r = put_block(out, d, k);
	}
	return r;
}
