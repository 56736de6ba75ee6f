/*
 * Spans (borrowed bytes) and buffers (owned, growing, bounded bytes).
 */
#ifndef SEKISHO_BASE_BUF_H
#define SEKISHO_BASE_BUF_H

#include "policy/base/cleanup.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *p;
	size_t n;
};

#define SPAN(ptr, len) ((struct span){.p = (const uint8_t *)(ptr), .n = (len)})
#define SPAN_STR(s) SPAN((s), strlen(s))

static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool span_begins(struct span s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && !memcmp(s.p, with, n);
}

/* FNV-1a, folded: for tables in memory, which are bounded, as who chooses the bytes can have them collide. */
static inline uint64_t span_hash(struct span s)
{
	uint64_t h = 1469598103934665603u;
	size_t i;

	for (i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * 1099511628211u;
	return h ^ h >> 32;
}

/* A buffer never grows past `max`; an append that would pass it fails with V_FULL and changes nothing. */
struct buf {
	uint8_t *p;
	size_t n;   /* bytes in use */
	size_t cap; /* bytes allocated */
	size_t max; /* bound, named by the owner */
};

#define BUF_INIT(bound) ((struct buf){.max = (bound)})

static inline struct span buf_span(const struct buf *b)
{
	return SPAN(b->p, b->n);
}

static inline void buf_clear(struct buf *b)
{
	b->n = 0;
}

/* Releases the memory; the bound stays, so the buffer can be used again. NULL is fine. */
void buf_deinit(struct buf *b);

/* Makes room for `more` bytes behind the used ones. 0, V_FULL past the bound, -ENOMEM. */
int buf_reserve(struct buf *b, size_t more);

/* Appends bytes. 0, V_FULL, -ENOMEM. */
int buf_put(struct buf *b, const void *p, size_t n);
int buf_putf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline int buf_put_span(struct buf *b, struct span s)
{
	return buf_put(b, s.p, s.n);
}

static inline int buf_puts(struct buf *b, const char *s)
{
	return buf_put(b, s, strlen(s));
}

/* Makes the contents a C string (a NUL behind the used bytes, not counted in n). NULL without memory or bound. */
const char *buf_str(struct buf *b);

#define _cleanup_buf_ _cleanup_(buf_deinit)

/* Big-endian integers, for framings. */
static inline void put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
	put_be32(p, (uint32_t)(v >> 32));
	put_be32(p + 4, (uint32_t)v);
}

static inline uint64_t get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

#endif
