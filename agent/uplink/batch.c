/*
 * Gathering segments for a request. See batch.h. A file that is not a segment is not judged here (the collector does,
 * and keeps a record of it), but it travels alone: nobody could tell where it ends and the next one begins.
 */
#include "agent/uplink/batch.h"
#include "policy/base/file.h"
#include <errno.h>

static void read_form(struct batch_item *it, struct span bytes)
{
	struct segment s;

	it->seq = it->entry.seq;
	it->readable = !segment_parse(bytes, &s, NULL) && s.bytes.n == bytes.n;
	if (!it->readable)
		return;
	it->seq = s.header.seq;
	merkle_leaf(s.header_bytes, &it->leaf);
}

/*
 * What goes out must last here: a name that the power takes back after it was sent would be sealed anew with other
 * records, and be a second history. The producer is about to sync it itself; where it has, this costs nothing.
 */
static int names_last(const char *spool, unsigned producer)
{
	char path[256];
	int r;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", spool, producer_name(producer)) >= sizeof(path))
		return -ENAMETOOLONG;
	r = dir_sync(path);
	return r == -EINVAL || r == -ENOENT ? 0 : r;
}

int batch_fill(struct batch *b, const char *spool, unsigned producer, uint64_t from, unsigned max, struct why *why)
{
	b->n = 0;
	buf_clear(&b->body);
	while (b->n < max && b->n < API_SEGMENTS_MAX) {
		struct batch_item *it = &b->items[b->n];
		size_t before = b->body.n;
		int r = spool_oldest(spool, producer, from, &it->entry);

		if (r == V_END || (!r && b->n && it->entry.seq != from))
			break;
		if (r)
			return r;
		if (b->n && b->body.n + it->entry.size > BATCH_BYTES)
			break;
		if (!it->entry.size || it->entry.size > SEGMENT_MAX)
			r = why_set(why, V_BAD, "its file has %llu bytes", (unsigned long long)it->entry.size);
		else
			r = file_read(it->entry.path, &b->body);
		if (r == V_NOT_FOUND) { /* the producer made room just now */
			from = it->entry.seq + 1;
			if (b->n)
				break;
			continue;
		}
		if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
			return r;
		if (r) {
			b->body.n = before;
			if (b->n)
				break;
			return r < 0 ? why_set(why, V_BAD, "its file cannot be read: %s", strerror(-r)) : V_BAD;
		}
		read_form(it, SPAN(b->body.p + before, b->body.n - before));
		if (!it->readable && b->n) {
			b->body.n = before;
			break;
		}
		b->n++;
		if (!it->readable || it->seq != it->entry.seq)
			break;
		from = it->entry.seq + 1;
	}
	return b->n ? names_last(spool, producer) : V_END;
}

void batch_drop(struct batch *b)
{
	b->n = 0;
	buf_deinit(&b->body);
}
