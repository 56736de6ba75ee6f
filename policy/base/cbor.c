/*
 * CBOR: heads are read here and written by libcbor's encoders. See cbor.h for what is refused, and why.
 */
#include "policy/base/cbor.h"
#include "policy/base/text.h"
#include <cbor.h>

#define INDEFINITE 31
#define SIMPLE_FALSE 20
#define SIMPLE_NULL 22

#define MAJOR_SIMPLE 7

/* Bytes of the shortest head that carries `v`. */
static size_t head_size(uint64_t v)
{
	return v < 24 ? 1 : v <= UINT8_MAX ? 2 : v <= UINT16_MAX ? 3 : v <= UINT32_MAX ? 5 : 9;
}

/* False, true and null: the only simple values that are taken. */
static int next_simple(struct cbor_reader *r, uint8_t head, struct cbor_item *item, struct why *why)
{
	static const uint8_t more[] = {[24] = 1, [25] = 2, [26] = 4, [27] = 8};
	unsigned info = head & 31;

	if (info < ARRAY_SIZE(more) && more[info] > r->in.n - r->at - 1)
		return why_set(why, V_BAD, "CBOR: cut off at offset %zu", r->at);
	if (info < SIMPLE_FALSE || info > SIMPLE_NULL)
		return why_set(why, V_BAD, "CBOR: item of an unknown type at offset %zu", r->at);
	if (info == SIMPLE_NULL)
		*item = (struct cbor_item){.kind = CBOR_NULL};
	else
		*item = (struct cbor_item){.kind = CBOR_BOOL, .u = info - SIMPLE_FALSE};
	r->at++;
	return 0;
}

/* The number that follows a head: 1, 2, 4 or 8 bytes. */
static uint64_t argument(const uint8_t *p, size_t n)
{
	uint64_t u = 0;

	while (n--)
		u = u << 8 | *p++;
	return u;
}

int cbor_next(struct cbor_reader *r, struct cbor_item *item, struct why *why)
{
	size_t left = r->in.n - r->at, head = 1;
	const uint8_t *p = r->in.p + r->at;
	unsigned major, info;
	uint64_t u;

	if (r->at >= r->in.n)
		return V_END;
	major = *p >> 5;
	info = *p & 31;
	u = info;
	if (info == INDEFINITE)
		return why_set(why, V_BAD, "CBOR: indefinite length at offset %zu", r->at);
	if (major == MAJOR_SIMPLE)
		return next_simple(r, *p, item, why);
	if (info > 27)
		return why_set(why, V_BAD, "CBOR: item of an unknown type at offset %zu", r->at);
	if (info >= 24) {
		head += (size_t)1 << (info - 24);
		if (head > left)
			return why_set(why, V_BAD, "CBOR: cut off at offset %zu", r->at);
		u = argument(p + 1, head - 1);
		if (head_size(u) != head)
			return why_set(why, V_BAD, "CBOR: head longer than needed at offset %zu", r->at);
	}
	if (major != CBOR_BYTES && major != CBOR_TEXT) {
		*item = (struct cbor_item){.kind = (enum cbor_kind)major, .u = u};
	} else if (u <= left - head) {
		*item = (struct cbor_item){.kind = (enum cbor_kind)major, .u = u, .s = SPAN(p + head, (size_t)u)};
		head += (size_t)u;
	} else {
		return why_set(why, V_BAD, "CBOR: cut off at offset %zu", r->at);
	}
	r->at += head;
	return 0;
}

static const char *kind_name(enum cbor_kind k)
{
	switch (k) {
	case CBOR_UINT:
		return "an unsigned integer";
	case CBOR_NINT:
		return "a negative integer";
	case CBOR_BYTES:
		return "a byte string";
	case CBOR_TEXT:
		return "a text string";
	case CBOR_ARRAY:
		return "an array";
	case CBOR_MAP:
		return "a map";
	case CBOR_TAG:
		return "a tag";
	case CBOR_BOOL:
		return "a truth value";
	case CBOR_NULL:
		return "null";
	}
	return "something else";
}

int cbor_expect(struct cbor_reader *r, enum cbor_kind kind, const char *what, struct cbor_item *item, struct why *why)
{
	size_t before = r->at;
	struct cbor_item it;
	int v = cbor_next(r, &it, why);

	if (v == V_END)
		return why_set(why, V_BAD, "%s: missing at offset %zu", what, r->at);
	if (v)
		return v;
	if (it.kind != kind) {
		r->at = before;
		return why_set(why, V_BAD, "%s: %s where %s belongs, at offset %zu", what, kind_name(it.kind),
			kind_name(kind), r->at);
	}
	*item = it;
	return 0;
}

int cbor_expect_uint(struct cbor_reader *r, const char *what, uint64_t *v, struct why *why)
{
	struct cbor_item item;
	int x = cbor_expect(r, CBOR_UINT, what, &item, why);

	if (!x)
		*v = item.u;
	return x;
}

int cbor_expect_bytes_n(struct cbor_reader *r, const char *what, void *out, size_t n, struct why *why)
{
	size_t at = r->at;
	struct cbor_item item;
	int v = cbor_expect(r, CBOR_BYTES, what, &item, why);

	if (v)
		return v;
	if (item.s.n != n)
		return why_set(why, V_BAD, "%s: %zu bytes where %zu belong, at offset %zu", what, item.s.n, n, at);
	memcpy(out, item.s.p, n);
	return 0;
}

int cbor_skip(struct cbor_reader *r, unsigned depth, struct why *why)
{
	struct cbor_item item;
	uint64_t n;
	int v = cbor_next(r, &item, why);

	if (v)
		return v;
	switch (item.kind) {
	case CBOR_ARRAY:
	case CBOR_TAG:
		n = item.kind == CBOR_TAG ? 1 : item.u;
		break;
	case CBOR_MAP:
		/* Every pair takes two bytes at least: a larger claim is a lie, and would overflow below. */
		if (item.u > (r->in.n - r->at) / 2)
			return why_set(why, V_BAD, "CBOR: map larger than its input at offset %zu", r->at);
		n = item.u * 2;
		break;
	default:
		return 0;
	}
	if (n && !depth)
		return why_set(why, V_BAD, "CBOR: nested too deeply at offset %zu", r->at);
	while (n--) {
		v = cbor_skip(r, depth - 1, why);
		if (v == V_END)
			return why_set(why, V_BAD, "CBOR: cut off at offset %zu", r->at);
		if (v)
			return v;
	}
	return 0;
}

/* Heads by libcbor's encoders that pick the shortest form. */
static int put_head(struct buf *b, uint64_t v, size_t (*encode)(uint64_t, unsigned char *, size_t))
{
	unsigned char head[9];

	return buf_put(b, head, encode(v, head, sizeof(head)));
}

static size_t encode_bytes(uint64_t v, unsigned char *p, size_t n)
{
	return cbor_encode_bytestring_start((size_t)v, p, n);
}

static size_t encode_text(uint64_t v, unsigned char *p, size_t n)
{
	return cbor_encode_string_start((size_t)v, p, n);
}

static size_t encode_array(uint64_t v, unsigned char *p, size_t n)
{
	return cbor_encode_array_start((size_t)v, p, n);
}

static size_t encode_map(uint64_t v, unsigned char *p, size_t n)
{
	return cbor_encode_map_start((size_t)v, p, n);
}

int cbor_put_uint(struct buf *b, uint64_t v)
{
	return put_head(b, v, cbor_encode_uint);
}

int cbor_put_int(struct buf *b, int64_t v)
{
	return v >= 0 ? put_head(b, (uint64_t)v, cbor_encode_uint)
		      : put_head(b, (uint64_t)(-1 - v), cbor_encode_negint);
}

/* Head and contents both or neither: what is appended stays a whole item. */
static int put_string(struct buf *b, struct span s, size_t (*encode)(uint64_t, unsigned char *, size_t))
{
	int r = buf_reserve(b, head_size(s.n) + s.n);

	if (r)
		return r;
	put_head(b, s.n, encode);
	return buf_put_span(b, s);
}

int cbor_put_bytes(struct buf *b, struct span s)
{
	return put_string(b, s, encode_bytes);
}

int cbor_put_text(struct buf *b, struct span s)
{
	return put_string(b, s, encode_text);
}

int cbor_put_array(struct buf *b, uint64_t items)
{
	return put_head(b, items, encode_array);
}

int cbor_put_map(struct buf *b, uint64_t pairs)
{
	return put_head(b, pairs, encode_map);
}

int cbor_put_tag(struct buf *b, uint64_t tag)
{
	return put_head(b, tag, cbor_encode_tag);
}

int cbor_put_bool(struct buf *b, bool v)
{
	unsigned char c[1];

	return buf_put(b, c, cbor_encode_bool(v, c, sizeof(c)));
}

int cbor_put_name(struct buf *b, struct span s)
{
	return text_is_utf8(s) ? cbor_put_text(b, s) : cbor_put_bytes(b, s);
}
