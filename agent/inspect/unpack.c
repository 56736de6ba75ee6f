/*
 * gzip, which CUPS keeps as its client sent it. zlib does the work; what it may become is bounded. See look.h.
 */
#include "agent/inspect/look.h"
#include "policy/base/file.h"
#include <errno.h>
#include <limits.h>
#include <zlib.h>

#define STEP (64u << 10)
#define GZIP_ONLY (16 + MAX_WBITS)

static void inflate_done(z_stream *z)
{
	inflateEnd(z);
}

/* The next of what the input becomes. V_AGAIN: there is more. */
static int step(z_stream *z, struct span in, size_t *fed, uint8_t *part, size_t *n)
{
	int r;

	if (!z->avail_in) {
		size_t more = in.n - *fed;

		z->next_in = (Bytef *)(in.p + *fed);
		z->avail_in = more > UINT_MAX ? UINT_MAX : (uInt)more;
		*fed += z->avail_in;
	}
	z->next_out = part;
	z->avail_out = STEP;
	r = inflate(z, Z_NO_FLUSH);
	*n = STEP - z->avail_out;
	if (r == Z_OK)
		return V_AGAIN;
	if (r == Z_STREAM_END)
		return V_END;
	if (r == Z_BUF_ERROR)
		return 0; /* nothing is left to feed: it was cut */
	return r == Z_MEM_ERROR ? -ENOMEM : V_BAD;
}

/* Another member may follow. Zeros behind the last one fill a tape's block; other bytes are `more`. */
static bool next_member(z_stream *z, struct span in, size_t fed, size_t *more)
{
	struct span rest = span_from(in, fed - z->avail_in);
	size_t zeros = 0;

	while (zeros < rest.n && !rest.p[zeros])
		zeros++;
	*more = rest.n - zeros;

	return span_starts(rest, "\x1f\x8b", 2) && inflateReset(z) == Z_OK;
}

int unpack_gzip(struct span in, int out, uint64_t max, uint64_t *written, bool *cut, size_t *more)
{
	_cleanup_free_ uint8_t *part = malloc(STEP);
	_cleanup_(inflate_done) z_stream z = {0};
	uint64_t all = 0;
	size_t fed = 0, n;
	int r;

	*more = 0;
	if (!part || inflateInit2(&z, GZIP_ONLY) != Z_OK)
		return -ENOMEM;
	do {
		r = step(&z, in, &fed, part, &n);
		if (r < 0)
			return r;
		all += n;
		if (all > max)
			return V_FULL;
		if (n && write_all(out, part, n))
			return -EIO;
		if (r == V_END && next_member(&z, in, fed, more))
			r = V_AGAIN;
	} while (r == V_AGAIN);
	/* What was good stays: a document that is damaged at its end still has pages. */
	if (r == V_BAD && !all)
		return V_BAD;
	*cut = r != V_END;
	*written = all;
	return 0;
}
