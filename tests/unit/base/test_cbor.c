/* The CBOR reader takes what RFC 8949 calls deterministic, and nothing else. */
#include "policy/base/cbor.h"
#include "tests/unit/cm.h"
#include <cbor.h>

static int read_one(const char *bytes, size_t n, struct cbor_item *item)
{
	struct cbor_reader r = cbor_reader(SPAN(bytes, n));

	return cbor_next(&r, item, NULL);
}

static void takes_the_examples_of_the_rfc(void **state)
{
	struct cbor_item it;

	(void)state;
	assert_int_equal(read_one("\x18\x64", 2, &it), 0);
	assert_int_equal(it.kind, CBOR_UINT);
	assert_int_equal(it.u, 100);
	assert_int_equal(read_one("\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 9, &it), 0);
	assert_true(it.u == UINT64_MAX);
	assert_int_equal(read_one("\x38\x63", 2, &it), 0);
	assert_int_equal(it.kind, CBOR_NINT);
	assert_int_equal(it.u, 99);
	assert_int_equal(read_one("\x44\x01\x02\x03\x04", 5, &it), 0);
	assert_int_equal(it.kind, CBOR_BYTES);
	assert_memory_equal(it.s.p, "\1\2\3\4", 4);
	assert_int_equal(read_one("\x64\x49\x45\x54\x46", 5, &it), 0);
	assert_int_equal(it.kind, CBOR_TEXT);
	assert_int_equal(read_one("\xa2\x01\x02\x03\x04", 5, &it), 0);
	assert_int_equal(it.kind, CBOR_MAP);
	assert_int_equal(it.u, 2);
	assert_int_equal(read_one("\xd2\x00", 2, &it), 0);
	assert_int_equal(it.kind, CBOR_TAG);
	assert_int_equal(it.u, 18);
	assert_int_equal(read_one("\xf5", 1, &it), 0);
	assert_int_equal(it.kind, CBOR_BOOL);
	assert_int_equal(read_one("\xf6", 1, &it), 0);
	assert_int_equal(it.kind, CBOR_NULL);
	assert_int_equal(read_one("", 0, &it), V_END);
}

static void refuses_what_is_not_deterministic(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} bad[] = {
		{"\x18\x17", 2},                             /* 23 in two bytes */
		{"\x19\x00\xff", 3},                         /* 255 in three */
		{"\x58\x01\x61", 3},                         /* long head of a string */
		{"\x5f\x41\x61\xff", 4},                     /* indefinite bytes */
		{"\x9f\x01\xff", 3},                         /* indefinite array */
		{"\xbf\x01\x02\xff", 4},                     /* indefinite map */
		{"\xf9\x3c\x00", 3},                         /* float */
		{"\xfb\x3f\xf0\0\0\0\0\0\0", 9},             /* double */
		{"\xf7", 1},                                 /* undefined */
		{"\xff", 1},                                 /* break */
		{"\x1c", 1},                                 /* reserved */
		{"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", 9}, /* more bytes than there are */
		{"\x44\x01", 2},                             /* cut off */
		{"\x19\x01", 2},
	};
	struct cbor_item it;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(read_one(bad[i].bytes, bad[i].n, &it), V_BAD);
}

/* What libcbor made of an item: the other reader. */
struct theirs {
	enum cbor_kind kind;
	uint64_t u;
	const void *p;
	bool taken; /* of a kind that we have, of a definite length */
};

static void saw(void *ctx, enum cbor_kind kind, uint64_t u, const void *p)
{
	*(struct theirs *)ctx = (struct theirs){.kind = kind, .u = u, .p = p, .taken = true};
}

#define SAW(name, type, kind)               \
	static void name(void *ctx, type v) \
	{                                   \
		saw(ctx, kind, v, NULL);    \
	}
SAW(saw_uint8, uint8_t, CBOR_UINT)
SAW(saw_uint16, uint16_t, CBOR_UINT)
SAW(saw_uint32, uint32_t, CBOR_UINT)
SAW(saw_uint64, uint64_t, CBOR_UINT)
SAW(saw_nint8, uint8_t, CBOR_NINT)
SAW(saw_nint16, uint16_t, CBOR_NINT)
SAW(saw_nint32, uint32_t, CBOR_NINT)
SAW(saw_nint64, uint64_t, CBOR_NINT)
SAW(saw_array, size_t, CBOR_ARRAY)
SAW(saw_map, size_t, CBOR_MAP)
SAW(saw_tag, uint64_t, CBOR_TAG)
SAW(saw_bool, bool, CBOR_BOOL)

static void saw_null(void *ctx)
{
	saw(ctx, CBOR_NULL, 0, NULL);
}

static void saw_bytes(void *ctx, cbor_data p, size_t n)
{
	saw(ctx, CBOR_BYTES, n, p);
}

static void saw_text(void *ctx, cbor_data p, size_t n)
{
	saw(ctx, CBOR_TEXT, n, p);
}

/* Bytes of the head that says `u` in the shortest form. */
static size_t shortest(const struct theirs *t)
{
	return t->kind == CBOR_BOOL || t->kind == CBOR_NULL || t->u < 24 ? 1
	       : t->u < 256                                              ? 2
	       : t->u < 65536                                            ? 3
	       : t->u <= UINT32_MAX                                      ? 5
									 : 9;
}

/* Every first two bytes, followed by some more, or by too few: taken by both in the same way, or by neither. */
static void reads_as_libcbor_does(void **state)
{
	struct cbor_callbacks to = cbor_empty_callbacks;
	uint8_t in[48];
	unsigned head, second, n, taken = 0;
	size_t i;

	(void)state;
	to.uint8 = saw_uint8, to.uint16 = saw_uint16, to.uint32 = saw_uint32, to.uint64 = saw_uint64;
	to.negint8 = saw_nint8, to.negint16 = saw_nint16, to.negint32 = saw_nint32, to.negint64 = saw_nint64;
	to.byte_string = saw_bytes, to.string = saw_text, to.array_start = saw_array, to.map_start = saw_map;
	to.tag = saw_tag, to.boolean = saw_bool, to.null = saw_null;
	for (head = 0; head < 256; head++) {
		/* libcbor 0.8 refuses tags 6 to 20 in their short form as "unassigned", 18 (COSE_Sign1) among them. */
		if (head >= 0xc0 && head < 0xd8)
			continue;
		for (second = 0; second < 256; second++) {
			for (n = 1; n <= sizeof(in); n += n < 12 ? 1 : 12) {
				struct cbor_reader r = cbor_reader(SPAN(in, n));
				struct theirs t = {.taken = false};
				struct cbor_decoder_result res;
				struct cbor_item it;
				int v;

				for (i = 0; i < sizeof(in); i++)
					in[i] = (uint8_t)(i < 2 ? (i ? second : head) : second * 7 + i);
				res = cbor_stream_decode(in, n, &to, &t);
				v = cbor_next(&r, &it, NULL);
				if (res.status != CBOR_DECODER_FINISHED || !t.taken ||
					res.read != shortest(&t) + (t.p ? t.u : 0)) {
					assert_int_equal(v, V_BAD);
					assert_int_equal(r.at, 0);
					continue;
				}
				assert_int_equal(v, 0);
				assert_int_equal(it.kind, t.kind);
				assert_true(it.u == t.u && it.s.p == t.p && r.at == res.read);
				taken++;
			}
		}
	}
	assert_true(taken > 100000);
}

static void skips_whole_items_within_a_depth(void **state)
{
	const char nested[] = "\xa1\x01\x82\x02\x43xyz\x05";
	struct cbor_reader r = cbor_reader(SPAN(nested, sizeof(nested) - 1));
	const char deep[] = "\x81\x81\x81\x81\x81\x01", lie[] = "\xbb\xff\xff\xff\xff\xff\xff\xff\xff";

	(void)state;
	assert_int_equal(cbor_skip(&r, 4, NULL), 0);
	assert_int_equal(r.at, sizeof(nested) - 2);
	r = cbor_reader(SPAN(deep, sizeof(deep) - 1));
	assert_int_equal(cbor_skip(&r, 4, NULL), V_BAD);
	r = cbor_reader(SPAN(deep, sizeof(deep) - 1));
	assert_int_equal(cbor_skip(&r, 5, NULL), 0);
	r = cbor_reader(SPAN(lie, sizeof(lie) - 1));
	assert_int_equal(cbor_skip(&r, 4, NULL), V_BAD);
}

static void writes_the_shortest_form(void **state)
{
	static const uint64_t values[] = {
		0, 23, 24, 255, 256, 65535, 65536, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(64);
		struct cbor_reader r;
		uint64_t v = 0;

		assert_int_equal(cbor_put_uint(&b, values[i]), 0);
		r = cbor_reader(buf_span(&b));
		assert_int_equal(cbor_expect_uint(&r, "v", &v, NULL), 0);
		assert_true(v == values[i]);
		assert_true(cbor_at_end(&r));
	}
}

static void names_that_are_not_text_become_bytes(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(64);

	(void)state;
	assert_int_equal(cbor_put_name(&b, SPAN_STR("給与.csv")), 0);
	assert_int_equal(b.p[0] >> 5, 3);
	buf_clear(&b);
	assert_int_equal(cbor_put_name(&b, SPAN("\xff\xfe", 2)), 0);
	assert_int_equal(b.p[0] >> 5, 2);
}

static void a_string_is_put_whole_or_not_at_all(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4);

	(void)state;
	assert_int_equal(cbor_put_bytes(&b, SPAN("abcd", 4)), V_FULL);
	assert_int_equal(b.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_examples_of_the_rfc),
		cmocka_unit_test(refuses_what_is_not_deterministic),
		cmocka_unit_test(reads_as_libcbor_does),
		cmocka_unit_test(skips_whole_items_within_a_depth),
		cmocka_unit_test(writes_the_shortest_form),
		cmocka_unit_test(names_that_are_not_text_become_bytes),
		cmocka_unit_test(a_string_is_put_whole_or_not_at_all),
	};

	return cmocka_run_group_tests_name("base/cbor", tests, NULL, NULL);
}
