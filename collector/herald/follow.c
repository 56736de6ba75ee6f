/*
 * The collector's log as the herald reads it: beside the running collector, leaf by leaf in the log's own order. What a
 * PC signed can be anything: a body that is none has no records here.
 */
#include "collector/herald/herald.h"
#include "collector/store/month.h"
#include "policy/base/file.h"
#include "policy/wire/body.h"
#include <errno.h>

int follow_store(struct herald *h)
{
	struct store_options o = {.dir = h->at.store, .shows = true};
	struct why why = {""};
	int r;

	if (h->store)
		return 0;
	r = store_open(&o, &h->store, &why);
	if (r && log_allowed(&h->limit))
		log_warning("%s: %s", h->at.store, why.text[0] ? why.text : r < 0 ? strerror(-r) : "not there yet");
	return r < 0 && r != -EACCES ? r : r ? V_NOT_FOUND : 0;
}

static int records(const struct segment *s, struct store_row *row, store_row_fn fn, void *ctx)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	_cleanup_buf_ struct buf raw = BUF_INIT(BODY_RAW_MAX);
	unsigned i;
	int r = segment_raw(s, &raw, NULL);

	r = r ? r : body_reader_new(buf_span(&raw), &in);
	for (i = 0; !r && i < BODY_RECORDS_MAX; i++) {
		r = body_next(in, &row->record, NULL);
		if (r)
			return r < 0 ? r : 0;
		row->row = ROW_OF(row->leaf, i);
		r = fn(ctx, row);
	}
	return r == V_BAD ? 0 : r;
}

int follow_leaf(struct herald *h, uint64_t leaf, struct followed *whose, store_row_fn fn, void *ctx)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX);
	_cleanup_free_ struct store_row *row = calloc(1, sizeof(*row));
	struct store_host host = {.name = ""};
	struct segment s;
	int r = row ? 0 : -ENOMEM;

	if (whose)
		whose->producer = 0;
	if (!r && leaf >= store_size(h->store)) {
		r = store_refresh(h->store);
		if (!r && leaf >= store_size(h->store))
			return V_END;
	}
	r = r ? r : store_read(h->store, leaf, &header, &body, NULL);
	/* A header that cannot be read is the verifier's matter, not a rule's. */
	if (!r)
		r = header_parse(buf_span(&header), &s, NULL);
	if (!r && whose)
		*whose = (struct followed){.host = s.header.host,
			.hash = s.hash,
			.producer = s.header.producer,
			.last = (s.header.flags & SF_LAST) != 0,
			.sealed = {.boot_us = s.header.boot_us, .wall_us = s.header.last_us}};
	if (!r && whose)
		memcpy(whose->sealed.boot, s.header.boot, sizeof(s.header.boot));
	if (r || !body.n)
		return r < 0 ? r : 0;
	s.body = buf_span(&body);
	if (store_host_get(h->store, &s.header.host, &host))
		host.name[0] = 0;
	row->leaf = leaf;
	row->host = s.header.host;
	row->host_name = host.name;
	return records(&s, row, fn, ctx);
}
