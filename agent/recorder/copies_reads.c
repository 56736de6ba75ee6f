/*
 * Files that were read lately. See copies_reads.h. Paths lie one behind the other in a ring of bytes; one that was
 * written over is gone, and with it its file as a source.
 */
#include "agent/recorder/copies_reads.h"
#include "agent/recorder/copies.h"
#include <errno.h>
#include <stdlib.h>

#define BUCKETS 4096u
#define PLACES (COPIES_ROWS * COPIES_ROW)

struct reads {
	uint64_t numbers, evicted;
	uint64_t text_end; /* bytes ever written to `text` */
	uint64_t row_n[COPIES_ROWS];
	uint32_t bucket[BUCKETS];
	struct read place[PLACES + 1]; /* from 1 */
	uint8_t text[COPIES_TEXT];
};

int reads_new(struct reads **out)
{
	struct reads *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	*out = r;
	return 0;
}

void reads_free(struct reads *r)
{
	free(r);
}

static uint32_t bucket_of(uint64_t size)
{
	return (uint32_t)((size * 0x9e3779b97f4a7c15ull) >> 52);
}

static uint32_t row_of(uint32_t pid)
{
	return pid % COPIES_ROWS;
}

/* In one piece: where the end of the ring is too near, its beginning is next. */
static void put_text(struct reads *r, struct read *e, struct span path)
{
	uint64_t left = COPIES_TEXT - r->text_end % COPIES_TEXT;

	if (path.n > left)
		r->text_end += left;
	e->text_at = r->text_end;
	e->text_n = (uint32_t)path.n;
	memcpy(r->text + r->text_end % COPIES_TEXT, path.p, path.n);
	r->text_end += path.n;
}

const struct read *reads_put(struct reads *r, const struct seen *s, uint64_t program)
{
	uint32_t row = row_of(s->pid), at = 1 + row * COPIES_ROW + (uint32_t)(r->row_n[row]++ % COPIES_ROW);
	uint32_t *bucket = &r->bucket[bucket_of(s->size)];
	struct read *e = &r->place[at];

	if (e->number && e->end_us > s->boot_us - COPIES_WINDOW_US)
		r->evicted++;
	*e = (struct read){.number = ++r->numbers,
		.older = *bucket,
		.pid = s->pid,
		.ppid = s->ppid,
		.uid = s->uid,
		.kin = kin_of(s->path),
		.start_ns = s->start_ns,
		.program = program,
		.dev_major = s->dev_major,
		.dev_minor = s->dev_minor,
		.inode = s->inode,
		.size = s->size,
		.bytes = s->read,
		.first_us = s->boot_us - s->duration_us,
		.end_us = s->boot_us};
	*bucket = at;
	put_text(r, e, s->path);
	return e;
}

struct span reads_path(const struct reads *r, const struct read *e)
{
	if (r->text_end - e->text_at > COPIES_TEXT)
		return SPAN(NULL, 0);
	return SPAN(r->text + e->text_at % COPIES_TEXT, e->text_n);
}

/* A place is used again: then what it has is newer than what led there, or of another size. */
static const struct read *sized(const struct reads *r, uint32_t at, uint64_t before, uint64_t size)
{
	while (at && r->place[at].number < before) {
		const struct read *e = &r->place[at];

		if (e->size == size)
			return e;
		before = e->number;
		at = e->older;
	}
	return NULL;
}

const struct read *reads_sized(const struct reads *r, uint64_t size)
{
	return sized(r, r->bucket[bucket_of(size)], UINT64_MAX, size);
}

const struct read *reads_sized_next(const struct reads *r, const struct read *e)
{
	return sized(r, e->older, e->number, e->size);
}

const struct read *reads_row(const struct reads *r, uint32_t pid, unsigned i)
{
	uint32_t row = row_of(pid);

	if (i >= COPIES_ROW || i >= r->row_n[row])
		return NULL;
	return &r->place[1 + row * COPIES_ROW + (uint32_t)((r->row_n[row] - 1 - i) % COPIES_ROW)];
}

uint64_t reads_evicted(const struct reads *r)
{
	return r->evicted;
}
