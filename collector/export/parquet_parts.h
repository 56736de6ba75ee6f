/*
 * What parquet.c (the file) and parquet_chunk.c (a column of a row group) share. Numbers are those of parquet.thrift.
 */
#ifndef SEKISHO_EXPORT_PARQUET_PARTS_H
#define SEKISHO_EXPORT_PARQUET_PARTS_H

#include "collector/export/parquet.h"
#include "collector/export/thrift.h"
#include <zstd.h>

enum { TYPE_INT64 = 2, TYPE_BYTE_ARRAY = 6 };
enum { ENCODING_PLAIN = 0, ENCODING_RLE = 3, ENCODING_DELTA_BINARY_PACKED = 5, ENCODING_RLE_DICTIONARY = 8 };
enum { CODEC_ZSTD = 6 };

#define PAGE_MAX (4u * PARQUET_GROUP_BYTES)

/* The values of one column in the row group that is collected. */
struct chunk {
	const struct column *column;
	uint32_t n;      /* values that are there */
	uint32_t rows;   /* rows up to the last one that has a value */
	uint64_t *there; /* a bit for each row of the group; NULL: no value yet */
	/* Numbers. */
	uint64_t *numbers;
	/* Text and bytes: for each value the number of its word. Words are kept once, behind one another. */
	uint32_t *of, cap;
	struct buf words;
	uint32_t *ends, words_n, words_cap; /* where each word ends in `words` */
	uint32_t *slots, slots_n;           /* number of the word + 1, by its hash; 0: free */
};

/* What the footer says of a column of a row group that is written. */
struct chunk_said {
	uint64_t at, dictionary_at; /* of the data page; of the dictionary page, 0: there is none */
	uint64_t raw, packed;       /* bytes of pages with their heads, before and after compression */
	uint32_t rows, nulls;
	unsigned encoding;
	bool has_range;
	struct span least, most; /* owned by `range` of the group */
};

/* Where pages go, and what is used to make them. */
struct pages {
	int fd;
	uint64_t written;
	ZSTD_CCtx *zstd;
	struct buf raw, packed, head;
	uint32_t *numbers; /* of PARQUET_GROUP_ROWS */
};

/* Adds a value of row `row`. *held: bytes of memory that it took. 0; -ENOMEM. */
int chunk_number(struct chunk *c, uint32_t row, uint64_t v, size_t *held);
int chunk_bytes(struct chunk *c, uint32_t row, struct span s, size_t *held);
/* Writes its pages, of a group of so many rows. The bytes of `out` that are borrowed lie in `range`. 0; -errno. */
int chunk_write(struct chunk *c, uint32_t rows, struct pages *p, struct buf *range, struct chunk_said *out);
/* Forgets the values; memory is kept for the next group. */
void chunk_clear(struct chunk *c);
void chunk_deinit(struct chunk *c);

#endif
