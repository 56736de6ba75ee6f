/*
 * Writes a Parquet file of several row groups by formulas that a program in another language computes too
 * (parts/export_sample.py), by the writer of `sekishoctl export parquet`: every encoding, every type, nulls at the
 * ends.
 *
 *   parquet-sample FILE
 */
#include "collector/export/parquet.h"
#include <fcntl.h>
#include <stdio.h>

#define ROWS (PARQUET_GROUP_ROWS + 1000)

enum { ID, WILD, FEW, WHEN, WORD, LINE, BYTES, NEVER };

static const struct column columns[] = {
	[ID] = {"id", COLUMN_UINT, true, 0},
	[WILD] = {"wild", COLUMN_UINT, false, 0},
	[FEW] = {"few", COLUMN_INT, false, 0},
	[WHEN] = {"when", COLUMN_TIME, true, 0},
	[WORD] = {"word", COLUMN_TEXT, true, 0},
	[LINE] = {"line", COLUMN_TEXT, false, 0},
	[BYTES] = {"bytes", COLUMN_BYTES, false, 0},
	[NEVER] = {"never", COLUMN_TEXT, false, 0},
};

static int text(struct parquet *p, unsigned column, const char *before, uint64_t n)
{
	char s[64];

	snprintf(s, sizeof(s), "%s%llu", before, (unsigned long long)n);
	return parquet_bytes(p, column, SPAN_STR(s));
}

static int put(struct parquet *p, uint64_t i)
{
	const uint8_t be[] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
	int r = parquet_number(p, ID, i);

	r = r || !(i % 3) ? r : parquet_number(p, WILD, i * UINT64_C(0x9e3779b97f4a7c15));
	r = r || !(i % 2) ? r : parquet_number(p, FEW, (uint64_t)((int64_t)(i % 7) - 3));
	r = r ? r : parquet_number(p, WHEN, UINT64_C(1795428000000000) + i * 1000 - i % 5 * 700000);
	r = r ? r : text(p, WORD, "語", i * i % 50);
	r = r || i % 4 ? r : text(p, LINE, "line ", i);
	r = r || i + 10 < ROWS ? r : parquet_bytes(p, BYTES, SPAN(be, sizeof(be)));
	return r ? r : parquet_row(p);
}

int main(int argc, char **argv)
{
	_cleanup_(parquet_freep) struct parquet *p = NULL;
	_cleanup_close_ int fd = argc == 2 ? open(argv[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1;
	const struct parquet_note note = {"sekisho.sample", "関所"};
	uint64_t i;
	int r = fd < 0 ? -1 : parquet_new(fd, columns, ARRAY_SIZE(columns), &p);

	for (i = 0; !r && i < ROWS; i++)
		r = put(p, i);
	r = r ? r : parquet_end(p, &note, 1);
	return r ? 1 : 0;
}
