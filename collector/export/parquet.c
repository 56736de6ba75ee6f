/*
 * The file: "PAR1", row groups, the footer (parquet.thrift: FileMetaData), its length, "PAR1". See parquet.h.
 */
#include "collector/export/parquet.h"
#include "collector/export/encode.h"
#include "collector/export/parquet_parts.h"
#include "policy/base/file.h"
#include <errno.h>

#define LEVEL 3
#define FOOTER_MAX (256u << 20)
#define MAGIC "PAR1"

/* A row group that is written. */
struct group {
	uint64_t at;
	uint32_t rows;
	struct buf range; /* least and greatest values */
	struct chunk_said *columns;
};

struct parquet {
	const struct column *columns;
	unsigned n;
	struct pages pages;
	struct chunk *chunks;
	uint32_t rows; /* in the group that is collected */
	size_t held;   /* bytes of their values */
	uint64_t rows_all;
	struct group *groups;
	unsigned groups_n;
};

int parquet_new(int fd, const struct column *columns, unsigned n, struct parquet **out)
{
	_cleanup_(parquet_freep) struct parquet *p = calloc(1, sizeof(*p));
	unsigned i;
	int r;

	if (!p)
		return -ENOMEM;
	p->columns = columns;
	p->n = n;
	p->chunks = calloc(n, sizeof(*p->chunks));
	p->pages.fd = fd;
	p->pages.zstd = ZSTD_createCCtx();
	p->pages.numbers = calloc(PARQUET_GROUP_ROWS, sizeof(*p->pages.numbers));
	if (!p->chunks || !p->pages.zstd || !p->pages.numbers)
		return -ENOMEM;
	p->pages.raw = p->pages.packed = BUF_INIT(PAGE_MAX);
	p->pages.head = BUF_INIT(256);
	ZSTD_CCtx_setParameter(p->pages.zstd, ZSTD_c_compressionLevel, LEVEL);
	for (i = 0; i < n; i++)
		p->chunks[i].column = &columns[i];
	r = write_all(fd, MAGIC, 4);
	if (r)
		return r;
	p->pages.written = 4;
	*out = STEAL(p);
	return 0;
}

void parquet_free(struct parquet *p)
{
	unsigned i;

	if (!p)
		return;
	for (i = 0; p->chunks && i < p->n; i++)
		chunk_deinit(&p->chunks[i]);
	for (i = 0; i < p->groups_n; i++) {
		buf_deinit(&p->groups[i].range);
		free(p->groups[i].columns);
	}
	free(p->groups);
	free(p->chunks);
	free(p->pages.numbers);
	ZSTD_freeCCtx(p->pages.zstd);
	buf_deinit(&p->pages.raw);
	buf_deinit(&p->pages.packed);
	buf_deinit(&p->pages.head);
	free(p);
}

int parquet_number(struct parquet *p, unsigned column, uint64_t v)
{
	return chunk_number(&p->chunks[column], p->rows, v, &p->held);
}

int parquet_bytes(struct parquet *p, unsigned column, struct span s)
{
	return chunk_bytes(&p->chunks[column], p->rows, s, &p->held);
}

static int end_group(struct parquet *p)
{
	struct group *g, *more;
	unsigned i;
	int r;

	if (!p->rows)
		return 0;
	more = realloc(p->groups, (p->groups_n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	p->groups = more;
	g = &more[p->groups_n];
	*g = (struct group){.at = p->pages.written, .rows = p->rows};
	g->columns = calloc(p->n, sizeof(*g->columns));
	if (!g->columns)
		return -ENOMEM;
	p->groups_n++;
	g->range = BUF_INIT((size_t)p->n * 128);
	r = buf_reserve(&g->range, g->range.max);
	for (i = 0; !r && i < p->n; i++) {
		r = chunk_write(&p->chunks[i], p->rows, &p->pages, &g->range, &g->columns[i]);
		chunk_clear(&p->chunks[i]);
	}
	p->rows_all += p->rows;
	p->rows = 0;
	p->held = 0;
	return r > 0 ? -EFBIG : r;
}

int parquet_row(struct parquet *p)
{
	p->rows++;
	return p->rows == PARQUET_GROUP_ROWS || p->held >= PARQUET_GROUP_BYTES ? end_group(p) : 0;
}

/* --- the footer --- */

/* ConvertedType, for readers from before logical types; -1: none. */
static int converted(enum column_type t)
{
	static const int types[] = {
		[COLUMN_TEXT] = 0, [COLUMN_BYTES] = -1, [COLUMN_UINT] = 14, [COLUMN_INT] = 18, [COLUMN_TIME] = 10};

	return types[t];
}

static void say_logical(struct thrift *t, enum column_type type)
{
	if (type == COLUMN_BYTES)
		return;
	thrift_struct(t, 10);
	if (type == COLUMN_TEXT) {
		thrift_struct(t, 1); /* StringType */
	} else if (type == COLUMN_TIME) {
		thrift_struct(t, 8);
		thrift_bool(t, 1, true); /* adjusted to UTC */
		thrift_struct(t, 2);
		thrift_struct(t, 2); /* microseconds */
		thrift_end(t);
		thrift_end(t);
	} else {
		thrift_struct(t, 10);
		thrift_i8(t, 1, 64);
		thrift_bool(t, 2, type == COLUMN_INT); /* signed */
	}
	thrift_end(t);
	thrift_end(t);
}

static unsigned physical(const struct column *c)
{
	return c->type == COLUMN_TEXT || c->type == COLUMN_BYTES ? TYPE_BYTE_ARRAY : TYPE_INT64;
}

static void say_schema(struct thrift *t, const struct parquet *p)
{
	unsigned i;

	thrift_list(t, 2, THRIFT_STRUCT, p->n + 1);
	thrift_item_struct(t);
	thrift_binary(t, 4, SPAN_STR("records"));
	thrift_i32(t, 5, (int32_t)p->n);
	thrift_end(t);
	for (i = 0; i < p->n; i++) {
		const struct column *c = &p->columns[i];

		thrift_item_struct(t);
		thrift_i32(t, 1, (int32_t)physical(c));
		thrift_i32(t, 3, c->always ? 0 : 1);
		thrift_binary(t, 4, SPAN_STR(c->name));
		if (converted(c->type) >= 0)
			thrift_i32(t, 6, converted(c->type));
		say_logical(t, c->type);
		thrift_end(t);
	}
}

static void say_chunk(struct thrift *t, const struct column *c, const struct chunk_said *s)
{
	thrift_item_struct(t);
	thrift_i64(t, 2, (int64_t)(s->dictionary_at ? s->dictionary_at : s->at));
	thrift_struct(t, 3);
	thrift_i32(t, 1, (int32_t)physical(c));
	thrift_list(t, 2, THRIFT_I32, s->dictionary_at ? 3 : 2);
	thrift_item_i32(t, (int32_t)s->encoding);
	thrift_item_i32(t, ENCODING_RLE);
	if (s->dictionary_at)
		thrift_item_i32(t, ENCODING_PLAIN);
	thrift_list(t, 3, THRIFT_BINARY, 1);
	thrift_item_binary(t, SPAN_STR(c->name));
	thrift_i32(t, 4, CODEC_ZSTD);
	thrift_i64(t, 5, s->rows);
	thrift_i64(t, 6, (int64_t)s->raw);
	thrift_i64(t, 7, (int64_t)s->packed);
	thrift_i64(t, 9, (int64_t)s->at);
	if (s->dictionary_at)
		thrift_i64(t, 11, (int64_t)s->dictionary_at);
	thrift_struct(t, 12);
	thrift_i64(t, 3, s->nulls);
	if (s->has_range) {
		thrift_binary(t, 5, s->most);
		thrift_binary(t, 6, s->least);
	}
	thrift_end(t);
	thrift_end(t);
	thrift_end(t);
}

static void say_group(struct thrift *t, const struct parquet *p, const struct group *g)
{
	uint64_t raw = 0, packed = 0;
	unsigned i;

	for (i = 0; i < p->n; i++) {
		raw += g->columns[i].raw;
		packed += g->columns[i].packed;
	}
	thrift_item_struct(t);
	thrift_list(t, 1, THRIFT_STRUCT, p->n);
	for (i = 0; i < p->n; i++)
		say_chunk(t, &p->columns[i], &g->columns[i]);
	thrift_i64(t, 2, (int64_t)raw);
	thrift_i64(t, 3, g->rows);
	thrift_i64(t, 5, (int64_t)g->at);
	thrift_i64(t, 6, (int64_t)packed);
	thrift_end(t);
}

static void say_footer(struct thrift *t, const struct parquet *p, const struct parquet_note *notes, unsigned n)
{
	unsigned i;

	thrift_i32(t, 1, 2);
	say_schema(t, p);
	thrift_i64(t, 3, (int64_t)p->rows_all);
	thrift_list(t, 4, THRIFT_STRUCT, p->groups_n);
	for (i = 0; i < p->groups_n; i++)
		say_group(t, p, &p->groups[i]);
	thrift_list(t, 5, THRIFT_STRUCT, n);
	for (i = 0; i < n; i++) {
		thrift_item_struct(t);
		thrift_binary(t, 1, SPAN_STR(notes[i].key));
		thrift_binary(t, 2, SPAN_STR(notes[i].value));
		thrift_end(t);
	}
	thrift_binary(t, 6, SPAN_STR("Sekisho version " SEKISHO_VERSION));
	/* Least and greatest are by the order of each column's logical type. */
	thrift_list(t, 7, THRIFT_STRUCT, p->n);
	for (i = 0; i < p->n; i++) {
		thrift_item_struct(t);
		thrift_struct(t, 1);
		thrift_end(t);
		thrift_end(t);
	}
	thrift_end(t);
}

int parquet_end(struct parquet *p, const struct parquet_note *notes, unsigned n)
{
	_cleanup_buf_ struct buf footer = BUF_INIT(FOOTER_MAX);
	struct thrift t = {.out = &footer};
	size_t length;
	int r = end_group(p);

	if (r)
		return r;
	say_footer(&t, p, notes, n);
	length = footer.n;
	r = t.r ? t.r : encode_le(&footer, length, 4);
	r = r ? r : buf_put(&footer, MAGIC, 4);
	if (r)
		return r > 0 ? -EFBIG : r;
	r = write_all(p->pages.fd, footer.p, footer.n);
	p->pages.written += r ? 0 : footer.n;
	return r;
}

uint64_t parquet_rows(const struct parquet *p)
{
	return p->rows_all + p->rows;
}

uint64_t parquet_size(const struct parquet *p)
{
	return p->pages.written;
}
