/*
 * CBOR reading and writing over libcbor's streaming half. See cbor.h for what is refused, and why.
 */
#include "policy/base/cbor.h"
#include "policy/base/text.h"
#include <cbor.h>
#include <errno.h>

/* What the decoder's callback saw; `seen` stays false for what we do not take. */
struct seen {
	struct cbor_item item;
	bool seen;
	bool indefinite;
};

static void on(void *ctx, enum cbor_kind kind, uint64_t u)
{
	struct seen *s = ctx;

	s->item = (struct cbor_item){.kind = kind, .u = u};
	s->seen = true;
}

#define ON_INT(name, type, kind)            \
	static void name(void *ctx, type v) \
	{                                   \
		on(ctx, kind, v);           \
	}
ON_INT(on_uint8, uint8_t, CBOR_UINT)
ON_INT(on_uint16, uint16_t, CBOR_UINT)
ON_INT(on_uint32, uint32_t, CBOR_UINT)
ON_INT(on_uint64, uint64_t, CBOR_UINT)
ON_INT(on_nint8, uint8_t, CBOR_NINT)
ON_INT(on_nint16, uint16_t, CBOR_NINT)
ON_INT(on_nint32, uint32_t, CBOR_NINT)
ON_INT(on_nint64, uint64_t, CBOR_NINT)
ON_INT(on_array, size_t, CBOR_ARRAY)
ON_INT(on_map, size_t, CBOR_MAP)
ON_INT(on_tag, uint64_t, CBOR_TAG)
ON_INT(on_bool, bool, CBOR_BOOL)

static void on_null(void *ctx)
{
	on(ctx, CBOR_NULL, 0);
}

static void on_bytes(void *ctx, cbor_data p, size_t n)
{
	on(ctx, CBOR_BYTES, n);
	((struct seen *)ctx)->item.s = SPAN(p, n);
}

static void on_text(void *ctx, cbor_data p, size_t n)
{
	on(ctx, CBOR_TEXT, n);
	((struct seen *)ctx)->item.s = SPAN(p, n);
}

static void on_indefinite(void *ctx)
{
	((struct seen *)ctx)->indefinite = true;
}

static void on_float(void *ctx, float v)
{
	(void)ctx;
	(void)v;
}

static void on_double(void *ctx, double v)
{
	(void)ctx;
	(void)v;
}

static void on_undefined(void *ctx)
{
	(void)ctx;
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8,
	.uint16 = on_uint16,
	.uint32 = on_uint32,
	.uint64 = on_uint64,
	.negint8 = on_nint8,
	.negint16 = on_nint16,
	.negint32 = on_nint32,
	.negint64 = on_nint64,
	.byte_string = on_bytes,
	.byte_string_start = on_indefinite,
	.string = on_text,
	.string_start = on_indefinite,
	.array_start = on_array,
	.indef_array_start = on_indefinite,
	.map_start = on_map,
	.indef_map_start = on_indefinite,
	.tag = on_tag,
	.float2 = on_float,
	.float4 = on_float,
	.float8 = on_double,
	.undefined = on_undefined,
	.null = on_null,
	.boolean = on_bool,
	.indef_break = on_indefinite,
};

/* Bytes of the shortest head that carries `v`. */
static size_t head_size(uint64_t v)
{
	return v < 24 ? 1 : v <= UINT8_MAX ? 2 : v <= UINT16_MAX ? 3 : v <= UINT32_MAX ? 5 : 9;
}

/*
 * libcbor 0.8 refuses tags 6 to 20 in their short form as "unassigned", 18 (COSE_Sign1) among them: such a head is one
 * byte.
 */
static bool is_short_tag(uint8_t head)
{
	return head >> 5 == 6 && (head & 31) < 24;
}

int cbor_next(struct cbor_reader *r, struct cbor_item *item, struct why *why)
{
	struct seen seen = {.seen = false};
	struct cbor_decoder_result res;
	size_t want;

	if (r->at >= r->in.n)
		return V_END;
	if (is_short_tag(r->in.p[r->at])) {
		*item = (struct cbor_item){.kind = CBOR_TAG, .u = r->in.p[r->at] & 31};
		r->at++;
		return 0;
	}
	res = cbor_stream_decode(r->in.p + r->at, r->in.n - r->at, &callbacks, &seen);
	if (res.status == CBOR_DECODER_NEDATA)
		return why_set(why, V_BAD, "CBOR: cut off at offset %zu", r->at);
	if (seen.indefinite)
		return why_set(why, V_BAD, "CBOR: indefinite length at offset %zu", r->at);
	if (res.status != CBOR_DECODER_FINISHED || !seen.seen)
		return why_set(why, V_BAD, "CBOR: item of an unknown type at offset %zu", r->at);
	if (seen.item.kind == CBOR_BOOL || seen.item.kind == CBOR_NULL)
		want = 1;
	else
		want = head_size(seen.item.u) + seen.item.s.n;
	if (res.read != want)
		return why_set(why, V_BAD, "CBOR: head longer than needed at offset %zu", r->at);
	r->at += res.read;
	*item = seen.item;
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
	struct cbor_reader before = *r;
	struct cbor_item it;
	int v = cbor_next(r, &it, why);

	if (v == V_END)
		return why_set(why, V_BAD, "%s: missing at offset %zu", what, r->at);
	if (v)
		return v;
	if (it.kind != kind) {
		*r = before;
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
