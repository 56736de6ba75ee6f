/*
 * One column of a row group: collected, then written as pages. See parquet_parts.h.
 *
 * Text and bytes are kept once each, so that memory holds what is different. When they are written, what comes twice on
 * average is a dictionary page and numbers into it (RLE and bit-packed), the rest plain; numbers are a dictionary where
 * few are different, else differences, which is what numbers that grow (rows, leaves, times) are short as.
 */
#include "collector/export/encode.h"
#include "collector/export/parquet_parts.h"
#include "policy/base/file.h"
#include <errno.h>

#define BITS 64u
#define FEW 4096u        /* different numbers that may be a dictionary */
#define FEW_SLOTS 16384u /* a power of two */
#define RANGE_MAX 64u    /* longer words say nothing of least and greatest */

/* --- collecting --- */

/* Room for one more value, and the row's bit. */
static int begin_value(struct chunk *c, uint32_t row, bool number, size_t *held)
{
	uint32_t cap = c->cap ? c->cap * 2 : 256;
	void *p;

	if (!c->there) {
		c->there = calloc(PARQUET_GROUP_ROWS / BITS, sizeof(*c->there));
		if (!c->there)
			return -ENOMEM;
		*held += PARQUET_GROUP_ROWS / 8;
	}
	if (c->n == c->cap) {
		p = number ? realloc(c->numbers, cap * sizeof(*c->numbers)) : realloc(c->of, cap * sizeof(*c->of));
		if (!p)
			return -ENOMEM;
		if (number)
			c->numbers = p;
		else
			c->of = p;
		c->cap = cap;
	}
	*held += number ? sizeof(*c->numbers) : sizeof(*c->of);
	c->there[row / BITS] |= UINT64_C(1) << row % BITS;
	c->rows = row + 1;
	return 0;
}

int chunk_number(struct chunk *c, uint32_t row, uint64_t v, size_t *held)
{
	int r = begin_value(c, row, true, held);

	if (!r)
		c->numbers[c->n++] = v;
	return r;
}

static struct span word_at(const struct chunk *c, uint32_t i)
{
	uint32_t from = i ? c->ends[i - 1] : 0;

	return SPAN(c->words.p + from, c->ends[i] - from);
}

static uint32_t *slot_of(uint32_t *slots, uint32_t n, const struct chunk *c, struct span s)
{
	uint64_t at = span_hash(s);

	while (slots[at & (n - 1)] && !span_eq(word_at(c, slots[at & (n - 1)] - 1), s))
		at++;
	return &slots[at & (n - 1)];
}

/* Twice as many slots, where half of them are taken. */
static int widen(struct chunk *c)
{
	uint32_t n = c->slots_n ? c->slots_n * 2 : 512, i, *more;

	if (c->words_n * 2 < c->slots_n)
		return 0;
	more = calloc(n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	for (i = 0; i < c->words_n; i++)
		*slot_of(more, n, c, word_at(c, i)) = i + 1;
	free(c->slots);
	c->slots = more;
	c->slots_n = n;
	return 0;
}

static int add_word(struct chunk *c, struct span s)
{
	uint32_t cap = c->words_cap ? c->words_cap * 2 : 256, *more;
	int r;

	if (c->words_n == c->words_cap) {
		more = realloc(c->ends, cap * sizeof(*more));
		if (!more)
			return -ENOMEM;
		c->ends = more;
		c->words_cap = cap;
	}
	c->words.max = PAGE_MAX;
	r = buf_put_span(&c->words, s);
	if (!r)
		c->ends[c->words_n++] = (uint32_t)c->words.n;
	return r > 0 ? -ENOMEM : r;
}

int chunk_bytes(struct chunk *c, uint32_t row, struct span s, size_t *held)
{
	uint32_t *slot;
	int r = begin_value(c, row, false, held);

	r = r ? r : widen(c);
	if (r)
		return r;
	slot = slot_of(c->slots, c->slots_n, c, s);
	if (!*slot) {
		r = add_word(c, s);
		if (r)
			return r;
		*slot = c->words_n;
		*held += s.n + 3 * sizeof(uint32_t);
	}
	c->of[c->n++] = *slot - 1;
	return 0;
}

void chunk_clear(struct chunk *c)
{
	if (c->there && c->n)
		memset(c->there, 0, PARQUET_GROUP_ROWS / 8);
	if (c->slots)
		memset(c->slots, 0, c->slots_n * sizeof(*c->slots));
	c->n = c->rows = c->words_n = 0;
	buf_clear(&c->words);
}

void chunk_deinit(struct chunk *c)
{
	free(c->there);
	free(c->numbers);
	free(c->of);
	free(c->ends);
	free(c->slots);
	buf_deinit(&c->words);
}

/* --- pages --- */

/* Compresses p->raw and writes it behind the head that `say` fills in. 0; -errno. */
static int put_page(struct pages *p, bool dictionary, uint32_t values, unsigned encoding, struct chunk_said *out)
{
	struct thrift t = {.out = &p->head};
	size_t n = ZSTD_compressBound(p->raw.n);
	int r;

	buf_clear(&p->packed);
	r = buf_reserve(&p->packed, n);
	if (r)
		return r > 0 ? -EFBIG : r;
	n = ZSTD_compress2(p->zstd, p->packed.p, n, p->raw.p, p->raw.n);
	if (ZSTD_isError(n))
		return -ENOMEM;
	p->packed.n = n;
	buf_clear(&p->head);
	thrift_i32(&t, 1, dictionary ? 2 : 0);
	thrift_i32(&t, 2, (int32_t)p->raw.n);
	thrift_i32(&t, 3, (int32_t)n);
	thrift_struct(&t, dictionary ? 7 : 5);
	thrift_i32(&t, 1, (int32_t)values);
	thrift_i32(&t, 2, (int32_t)encoding);
	if (!dictionary) {
		thrift_i32(&t, 3, ENCODING_RLE); /* of definition levels */
		thrift_i32(&t, 4, ENCODING_RLE); /* of repetition levels, of which there are none */
	}
	thrift_end(&t);
	thrift_end(&t);
	r = t.r > 0 ? -EFBIG : t.r;
	r = r ? r : write_all(p->fd, p->head.p, p->head.n);
	r = r ? r : write_all(p->fd, p->packed.p, p->packed.n);
	if (r)
		return r;
	p->written += p->head.n + n;
	out->raw += p->head.n + p->raw.n;
	out->packed += p->head.n + n;
	return 0;
}

/* Which rows have a value: 1, the others 0, with the length of it all before. */
static int put_levels(const struct chunk *c, uint32_t rows, struct pages *p)
{
	size_t at = p->raw.n;
	uint32_t i;
	int r = encode_le(&p->raw, 0, 4);

	for (i = 0; i < rows; i++)
		p->numbers[i] = c->there && c->n ? c->there[i / BITS] >> i % BITS & 1 : 0;
	r = r ? r : encode_hybrid(&p->raw, p->numbers, rows, 1);
	for (i = 0; !r && i < 4; i++)
		p->raw.p[at + i] = (uint8_t)((p->raw.n - at - 4) >> 8 * i);
	return r;
}

static int put_word(struct buf *out, struct span s)
{
	int r = encode_le(out, s.n, 4);

	return r ? r : buf_put_span(out, s);
}

/* Numbers into the dictionary, in p->numbers: their width first. */
static int put_places(struct pages *p, uint32_t n, uint32_t words)
{
	unsigned bits = encode_bits(words ? words - 1 : 0);
	int r = encode_le(&p->raw, bits, 1);

	return r ? r : encode_hybrid(&p->raw, p->numbers, n, bits);
}

static int put_dictionary(struct pages *p, uint32_t n, struct chunk_said *out)
{
	out->dictionary_at = p->written;
	return put_page(p, true, n, ENCODING_PLAIN, out);
}

/* --- text and bytes --- */

static int compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n ? memcmp(a.p, b.p, n) : 0;

	return d ? d : a.n < b.n ? -1 : a.n > b.n;
}

static int range_of_words(const struct chunk *c, struct buf *range, struct chunk_said *out)
{
	struct span least, most;
	uint32_t i;
	int r;

	if (!c->words_n)
		return 0;
	least = most = word_at(c, 0);
	for (i = 1; i < c->words_n; i++) {
		struct span s = word_at(c, i);

		least = compare(s, least) < 0 ? s : least;
		most = compare(s, most) > 0 ? s : most;
	}
	if (least.n > RANGE_MAX || most.n > RANGE_MAX)
		return 0;
	/* It has room for every column: what lies in it does not move. */
	out->least = SPAN(range->p + range->n, least.n);
	r = buf_put_span(range, least);
	out->most = SPAN(range->p + range->n, most.n);
	r = r ? r : buf_put_span(range, most);
	out->has_range = !r;
	return r;
}

static int write_words(struct chunk *c, uint32_t rows, struct pages *p, struct buf *range, struct chunk_said *out)
{
	bool again = c->n && c->words_n <= c->n / 2;
	uint32_t i;
	int r = range_of_words(c, range, out);

	for (i = 0; !r && again && i < c->words_n; i++)
		r = put_word(&p->raw, word_at(c, i));
	r = r || !again ? r : put_dictionary(p, c->words_n, out);
	buf_clear(&p->raw);
	r = r || c->column->always ? r : put_levels(c, rows, p);
	if (r)
		return r;
	out->encoding = again ? ENCODING_RLE_DICTIONARY : ENCODING_PLAIN;
	if (again) {
		if (c->n)
			memcpy(p->numbers, c->of, c->n * sizeof(*c->of));
		r = put_places(p, c->n, c->words_n);
	}
	for (i = 0; !r && !again && i < c->n; i++)
		r = put_word(&p->raw, word_at(c, c->of[i]));
	return r;
}

/* --- numbers --- */

static int range_of_numbers(const struct chunk *c, struct buf *range, struct chunk_said *out)
{
	/* Signed ones are compared as unsigned with the sign turned. */
	uint64_t turn = c->column->type == COLUMN_UINT ? 0 : UINT64_C(1) << 63, least, most;
	uint32_t i;
	int r;

	if (!c->n)
		return 0;
	least = most = c->numbers[0] ^ turn;
	for (i = 1; i < c->n; i++) {
		uint64_t v = c->numbers[i] ^ turn;

		least = v < least ? v : least;
		most = v > most ? v : most;
	}
	out->least = SPAN(range->p + range->n, 8);
	r = encode_le(range, least ^ turn, 8);
	out->most = SPAN(range->p + range->n, 8);
	r = r ? r : encode_le(range, most ^ turn, 8);
	out->has_range = !r;
	return r;
}

/* Tells the different ones, where they are few: into p->raw, and each one's number into p->numbers. 0 with *few. */
static int few_numbers(const struct chunk *c, struct pages *p, uint32_t *few)
{
	_cleanup_free_ uint32_t *slots = calloc(FEW_SLOTS, sizeof(*slots));
	_cleanup_free_ uint64_t *different = calloc(FEW, sizeof(*different));
	uint32_t i, n = 0;
	int r = slots && different ? 0 : -ENOMEM;

	*few = 0;
	for (i = 0; !r && i < c->n; i++) {
		uint64_t v = c->numbers[i], at = (v * UINT64_C(0x9e3779b97f4a7c15)) >> 40;

		while (slots[at % FEW_SLOTS] && different[slots[at % FEW_SLOTS] - 1] != v)
			at++;
		if (!slots[at % FEW_SLOTS]) {
			if (n == FEW || (i > FEW && n > i / 4))
				return 0;
			different[n] = v;
			slots[at % FEW_SLOTS] = ++n;
		}
		p->numbers[i] = slots[at % FEW_SLOTS] - 1;
	}
	if (r || n > c->n / 4)
		return r;
	for (i = 0; !r && i < n; i++)
		r = encode_le(&p->raw, different[i], 8);
	*few = n;
	return r;
}

static int write_numbers(struct chunk *c, uint32_t rows, struct pages *p, struct buf *range, struct chunk_said *out)
{
	_cleanup_buf_ struct buf places = BUF_INIT(PAGE_MAX);
	struct buf raw;
	uint32_t few = 0;
	int r = range_of_numbers(c, range, out);

	r = r ? r : few_numbers(c, p, &few);
	if (!r && few) {
		r = put_dictionary(p, few, out);
		/* The levels need the room that the places are in. */
		raw = p->raw;
		p->raw = places;
		r = r ? r : put_places(p, c->n, few);
		places = p->raw;
		p->raw = raw;
	}
	buf_clear(&p->raw);
	r = r || c->column->always ? r : put_levels(c, rows, p);
	if (r)
		return r;
	out->encoding = few ? ENCODING_RLE_DICTIONARY : c->n ? ENCODING_DELTA_BINARY_PACKED : ENCODING_PLAIN;
	return few ? buf_put_span(&p->raw, buf_span(&places)) : c->n ? encode_delta(&p->raw, c->numbers, c->n) : 0;
}

int chunk_write(struct chunk *c, uint32_t rows, struct pages *p, struct buf *range, struct chunk_said *out)
{
	bool words = c->column->type == COLUMN_TEXT || c->column->type == COLUMN_BYTES;
	int r;

	*out = (struct chunk_said){.rows = rows, .nulls = rows - c->n};
	buf_clear(&p->raw);
	r = words ? write_words(c, rows, p, range, out) : write_numbers(c, rows, p, range, out);
	out->at = p->written;
	r = r ? r : put_page(p, false, rows, out->encoding, out);
	return r > 0 ? -EFBIG : r;
}
