/*
 * Growing, bounded buffers. Used by every encoder and by everything that reads files.
 */
#include "policy/base/buf.h"
#include "policy/base/why.h"
#include <errno.h>
#include <stdarg.h>

void buf_deinit(struct buf *b)
{
	if (!b)
		return;
	free(b->p);
	b->p = NULL;
	b->n = b->cap = 0;
}

int buf_reserve(struct buf *b, size_t more)
{
	size_t want, cap;
	uint8_t *p;

	if (more > b->max || b->n > b->max - more)
		return V_FULL;
	want = b->n + more;
	if (want <= b->cap)
		return 0;
	cap = b->cap ? b->cap : 64;
	while (cap < want)
		cap *= 2;
	if (cap > b->max)
		cap = b->max;
	p = realloc(b->p, cap);
	if (!p)
		return -ENOMEM;
	b->p = p;
	b->cap = cap;
	return 0;
}

int buf_put(struct buf *b, const void *p, size_t n)
{
	int r = buf_reserve(b, n);

	if (r)
		return r;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	return 0;
}

int buf_putf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n, r;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		va_end(again);
		return -errno;
	}
	/* vsnprintf writes a NUL too: room for it, where the bound allows, is taken without counting it. */
	r = buf_reserve(b, (size_t)n + 1);
	if (r) {
		va_end(again);
		return r;
	}
	vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
	va_end(again);
	b->n += (size_t)n;
	return 0;
}

const char *buf_str(struct buf *b)
{
	if (buf_reserve(b, 1))
		return NULL;
	b->p[b->n] = 0;
	return (const char *)b->p;
}
