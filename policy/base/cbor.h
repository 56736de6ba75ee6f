/*
 * CBOR (RFC 8949), the subset that we write and read: unsigned and negative integers, byte and text strings, arrays,
 * maps, tags, false, true and null; definite lengths; deterministic encoding (section 4.2.1: shortest heads).
 *
 * The reader takes one item at a time, without allocation. Its heads are read by our own few lines: a body is heads of
 * one or two bytes by the hundred thousand, and a decoder that calls back for each takes twice as long. It refuses
 * indefinite lengths, floats, heads longer than needed, and truncated input. The caller bounds depth by what it asks
 * for. Text strings are NOT checked for UTF-8 (see text_is_utf8).
 */
#ifndef SEKISHO_BASE_CBOR_H
#define SEKISHO_BASE_CBOR_H

#include "policy/base/buf.h"
#include "policy/base/why.h"

/* The first seven are the major types of RFC 8949 section 3.1. */
enum cbor_kind {
	CBOR_UINT,
	CBOR_NINT, /* the value is -1 - u */
	CBOR_BYTES,
	CBOR_TEXT,
	CBOR_ARRAY, /* u items follow */
	CBOR_MAP,   /* u pairs follow */
	CBOR_TAG,   /* u is the tag; the tagged item follows */
	CBOR_BOOL,  /* u is 0 or 1 */
	CBOR_NULL,
};

struct cbor_item {
	enum cbor_kind kind;
	uint64_t u;
	struct span s; /* CBOR_BYTES and CBOR_TEXT: borrowed from the input */
};

struct cbor_reader {
	struct span in;
	size_t at; /* offset of the next item: where an error is */
};

static inline struct cbor_reader cbor_reader(struct span in)
{
	return (struct cbor_reader){.in = in};
}

/* Reads the next item. 0; V_END at the end of the input; V_BAD with the offset in `why` (the reader has not moved). */
int cbor_next(struct cbor_reader *r, struct cbor_item *item, struct why *why);

/* The same, but the item must be of this kind: V_BAD otherwise, also at the end. `what` names it in the reason. */
int cbor_expect(struct cbor_reader *r, enum cbor_kind kind, const char *what, struct cbor_item *item, struct why *why);
int cbor_expect_uint(struct cbor_reader *r, const char *what, uint64_t *v, struct why *why);
/* A byte string of exactly n bytes, copied to `out`. */
int cbor_expect_bytes_n(struct cbor_reader *r, const char *what, void *out, size_t n, struct why *why);

/* Passes over one whole item with all that it contains, at most `depth` levels deep. 0, V_END, V_BAD. */
int cbor_skip(struct cbor_reader *r, unsigned depth, struct why *why);

static inline bool cbor_at_end(const struct cbor_reader *r)
{
	return r->at >= r->in.n;
}

/* Writers append one head or item to `b`, in shortest form. 0, V_FULL, -ENOMEM. */
int cbor_put_uint(struct buf *b, uint64_t v);
int cbor_put_int(struct buf *b, int64_t v);
int cbor_put_bytes(struct buf *b, struct span s);
int cbor_put_text(struct buf *b, struct span s);
int cbor_put_array(struct buf *b, uint64_t items);
int cbor_put_map(struct buf *b, uint64_t pairs);
int cbor_put_tag(struct buf *b, uint64_t tag);
int cbor_put_bool(struct buf *b, bool v);

/* A text string when the bytes are valid UTF-8, a byte string otherwise: Linux names need not be text. */
int cbor_put_name(struct buf *b, struct span s);

#endif
