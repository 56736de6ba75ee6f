/*
 * Making everything derived again from the packs: offsets, chains, PCs, the index of the months. Called by store_open
 * where hosts.db is gone, and by `sekishoctl store rebuild`.
 */
#include "collector/store/store_parts.h"
#include "policy/base/file.h"
#include "policy/wire/body.h"
#include "policy/wire/retention.h"
#include <errno.h>

#define STEP 256u

typedef void (*progress_fn)(void *ctx, uint64_t done, uint64_t of);

/* Of a collector of the log: what it tells of PCs, and of who else is one. */
static int learn(struct store *s, struct retention *book, const struct segment *seg, uint64_t leaf, struct buf *raw)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	static struct record rec;
	unsigned n = 0;
	int r;

	if (!seg->body.n)
		return 0;
	r = segment_raw(seg, raw, NULL);
	r = r ? r : body_reader_new(buf_span(raw), &in);
	while (!r && !(r = body_next(in, &rec, NULL))) {
		r = hosts_learn(s->hosts, &rec);
		r = r ? r : retention_learn(book, &seg->header.host, leaf, ++n, &rec);
		r = r < 0 ? r : 0;
	}
	return r < 0 ? r : 0;
}

int rebuild_hosts(struct store *s, progress_fn progress, void *ctx, struct why *why)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX),
				 raw = BUF_INIT(8u << 20);
	struct retention book = {.begun = false};
	struct segment seg;
	uint64_t i;
	int r = hosts_begin(s->hosts);

	for (i = 0; !r && i < s->head.size; i++) {
		buf_clear(&header);
		r = packs_read(&s->packs, i, &header, NULL, why);
		r = r ? r : header_parse(buf_span(&header), &seg, why);
		if (!r && seg.header.producer == PRODUCER_COLLECTOR) {
			retention_begin(&book, &seg.header.host);
			/* Nobody but a collector of this log may say who belongs to it. */
			if (retention_decides(&book, &seg.header.host)) {
				r = log_read(s, i, &header, &body, &seg, why);
				r = r ? r : learn(s, &book, &seg, i, &raw);
			}
		}
		r = r ? r : hosts_seen(s->hosts, &seg.header.host, seg.header.last_us);
		if (progress && i % STEP == 0)
			progress(ctx, i, s->head.size);
	}
	retention_deinit(&book);
	return r ? r : hosts_commit(s->hosts);
}

static int clear(struct store *s)
{
	char path[PATH_MAX];
	int r;

	index_close(s->index);
	asking_close(s->asking);
	hosts_close(s->hosts);
	chains_close(s->chains);
	s->index = NULL;
	s->asking = NULL;
	s->hosts = NULL;
	s->chains = NULL;
	r = index_remove(s->dir);
	snprintf(path, sizeof(path), "%s/index/chains.db", s->dir);
	r = r ? r : sql_remove(path);
	snprintf(path, sizeof(path), "%s/index/hosts.db", s->dir);
	return r ? r : sql_remove(path);
}

static int all(struct store *s, progress_fn progress, void *ctx, struct why *why)
{
	_cleanup_buf_ struct buf leaf = BUF_INIT(SEGMENT_HEADER_MAX);
	uint64_t i, index, left = 1;
	struct segment seg;
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/index", s->dir);
	r = dir_make(path, 0750);
	r = r ? r : packs_offsets(&s->packs, s->head.size, why);
	r = r ? r : clear(s);
	r = r ? r : chains_open(s->dir, true, &s->chains);
	for (i = 0; !r && i < s->head.size; i++) {
		buf_clear(&leaf);
		r = packs_read(&s->packs, i, &leaf, NULL, why);
		r = r ? r : header_parse(buf_span(&leaf), &seg, why);
		r = r ? r : chains_add(s->chains, &seg, &index);
	}
	r = r ? r : chains_commit(s->chains);
	r = r ? r : hosts_open(s->dir, true, &s->hosts);
	r = r ? r : rebuild_hosts(s, NULL, NULL, why);
	r = r ? r : index_open(s, &s->index);
	if (!r)
		index_thorough(s->index);
	while (!r && left) {
		r = index_step(s, s->index, STEP, INT64_MAX, false, &left);
		if (progress && !r)
			progress(ctx, s->head.size - (left < s->head.size ? left : s->head.size), s->head.size);
	}
	return r;
}

int files_rebuild(struct store *s, progress_fn progress, void *ctx, struct why *why)
{
	_cleanup_close_ int lock = -1;
	char path[PATH_MAX];
	bool borrowed = !s->writable;
	int r = 0;

	if (s->failed || s->packs.waiting)
		return -EBUSY;
	if (borrowed) {
		snprintf(path, sizeof(path), "%s/lock", s->dir);
		r = file_lock(path, &lock);
		if (r)
			return r == V_EXISTS ? why_set(why, r, "a collector has it open") : r;
		/* What was committed while nobody held the lock. */
		r = log_refresh(s);
	}
	r = r ? r : all(s, progress, ctx, why);
	if (borrowed) {
		/* Back to reading: no connection that may write stays. */
		index_close(s->index);
		hosts_close(s->hosts);
		chains_close(s->chains);
		s->index = NULL;
		s->hosts = NULL;
		s->chains = NULL;
	}
	return r;
}
