/*
 * Parquet's encodings of numbers (apache/parquet-format, Encodings.md). Pure; appended to buffers. Every function
 * answers 0, V_FULL or -ENOMEM.
 */
#ifndef SEKISHO_EXPORT_ENCODE_H
#define SEKISHO_EXPORT_ENCODE_H

#include "policy/base/buf.h"
#include "policy/base/why.h"

/* ULEB128. */
int encode_varint(struct buf *out, uint64_t v);

static inline uint64_t encode_zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

/* Little-endian, as everything in Parquet. */
int encode_le(struct buf *out, uint64_t v, unsigned bytes);

/* How many bits the numbers up to `most` take; at least 1. */
unsigned encode_bits(uint32_t most);

/* RLE and bit-packing hybrid (RLE = 3), without the length before it: `n` numbers of `bits` (1 to 32) bits. */
int encode_hybrid(struct buf *out, const uint32_t *v, size_t n, unsigned bits);

/* DELTA_BINARY_PACKED = 5: `n` numbers of 64 bits, signed or not. */
int encode_delta(struct buf *out, const uint64_t *v, size_t n);

#endif
