/*
 * A block: what the index keeps of the records of one segment, in columns, as bytes. Ids are of the month's tables.
 *
 *   1, number of rows, then a column behind the other, each of LEB128 numbers: times (microseconds, zigzag, each less
 *   the one before), combinations, paths (zigzag, each less the one before), second paths, arguments; 0 is none
 */
#ifndef SEKISHO_STORE_BLOCK_H
#define SEKISHO_STORE_BLOCK_H

#include "policy/base/buf.h"
#include "policy/base/why.h"
#include "policy/wire/body.h"

#define BLOCK_BYTES_MAX (BODY_RECORDS_MAX * 50u + 16u)

struct block {
	unsigned n;
	int64_t time[BODY_RECORDS_MAX];
	int64_t combo[BODY_RECORDS_MAX];
	int64_t path[BODY_RECORDS_MAX];
	int64_t path2[BODY_RECORDS_MAX];
	int64_t args[BODY_RECORDS_MAX];
};

int block_encode(const struct block *b, struct buf *out);
/* 0 or V_BAD. */
int block_decode(struct span s, struct block *out);

#endif
