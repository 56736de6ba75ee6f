/*
 * See thrift.h.
 */
#include "collector/export/thrift.h"
#include "collector/export/encode.h"
#include <errno.h>

enum { TYPE_TRUE = 1, TYPE_FALSE = 2, TYPE_I8 = 3 };

static void put(struct thrift *t, const void *p, size_t n)
{
	t->r = t->r ? t->r : buf_put(t->out, p, n);
}

static void put_varint(struct thrift *t, uint64_t v)
{
	t->r = t->r ? t->r : encode_varint(t->out, v);
}

/* The head of a field: how much larger its number is, and its type, in a byte where that is less than 16. */
static void head(struct thrift *t, unsigned id, unsigned type)
{
	unsigned more = id - t->last[t->depth];
	uint8_t b = (uint8_t)(more < 16 ? more << 4 | type : type);

	put(t, &b, 1);
	if (more >= 16)
		put_varint(t, encode_zigzag((int64_t)id));
	t->last[t->depth] = id;
}

void thrift_bool(struct thrift *t, unsigned id, bool v)
{
	head(t, id, v ? TYPE_TRUE : TYPE_FALSE);
}

void thrift_i8(struct thrift *t, unsigned id, int8_t v)
{
	head(t, id, TYPE_I8);
	put(t, &v, 1);
}

void thrift_i32(struct thrift *t, unsigned id, int32_t v)
{
	head(t, id, THRIFT_I32);
	put_varint(t, encode_zigzag(v));
}

void thrift_i64(struct thrift *t, unsigned id, int64_t v)
{
	head(t, id, THRIFT_I64);
	put_varint(t, encode_zigzag(v));
}

void thrift_binary(struct thrift *t, unsigned id, struct span s)
{
	head(t, id, THRIFT_BINARY);
	thrift_item_binary(t, s);
}

void thrift_struct(struct thrift *t, unsigned id)
{
	head(t, id, THRIFT_STRUCT);
	thrift_item_struct(t);
}

void thrift_list(struct thrift *t, unsigned id, enum thrift_type of, size_t n)
{
	uint8_t b = (uint8_t)((n < 15 ? n : 15) << 4 | of);

	head(t, id, THRIFT_LIST);
	put(t, &b, 1);
	if (n >= 15)
		put_varint(t, n);
}

void thrift_item_i32(struct thrift *t, int32_t v)
{
	put_varint(t, encode_zigzag(v));
}

void thrift_item_binary(struct thrift *t, struct span s)
{
	put_varint(t, s.n);
	put(t, s.p, s.n);
}

void thrift_item_struct(struct thrift *t)
{
	if (t->depth + 1 == THRIFT_DEPTH_MAX)
		t->r = t->r ? t->r : -EOVERFLOW;
	else
		t->last[++t->depth] = 0;
}

void thrift_end(struct thrift *t)
{
	static const uint8_t stop;

	put(t, &stop, 1);
	if (t->depth)
		t->depth--;
}
