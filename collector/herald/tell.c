/*
 * Alerts as records: sealed into our spool, from where the collector takes them into the log. Each is told once: the
 * book says which it is about to tell, and after a crash what lies in the spool or in the log decides.
 */
#include "collector/herald/herald.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <time.h>

#define SPOOL_BOUND (256ull << 20)
#define SPOOL_FLOOR (16ull << 20)
#define SEAL_US 1000000u
#define AT_ONCE 64u /* alerts in one segment */
#define INDEX_WAIT_US 30000000
#define BACK_US (7ll * 86400 * 1000000)

static void set(struct record *r, unsigned f, struct span s)
{
	if (s.n)
		record_set_span(r, f, s);
}

static void fill(struct record *r, const struct word *w)
{
	record_reset(r);
	record_set_uint(r, F_KIND, w->kind);
	record_set_uint(r, F_BOOT_TIME, (uint64_t)clock_boot_us());
	record_set_uint(r, F_SEVERITY, w->severity);
	record_set_span(r, F_ALERT, SPAN(w->alert, BOOK_ALERT_SIZE));
	set(r, F_RULE, w->rule);
	/* What could not be delivered: to whom and why. */
	set(r, F_TEXT, w->text.n ? w->text : w->title);
	set(r, F_USER, w->user);
	set(r, F_PEER_NAME, w->host_name);
	if (w->has_host)
		record_set_span(r, F_PEER, SPAN(w->host.b, DIGEST_SIZE));
	record_set_uint(r, F_COUNT, w->count);
	record_set_int(r, F_CREATED, w->time_us);
	if (w->about)
		record_set_uint(r, F_ABOUT, w->about);
}

int tell_step(struct herald *h)
{
	struct sealer_stats st = {0};
	struct word w = {0};
	int64_t told[AT_ONCE];
	unsigned n = 0, i;
	int r;

	sealer_stats(h->sealer, &st);
	if (st.full) {
		if (log_allowed(&h->limit))
			log_error("%s: full: alerts wait until the collector has taken it", h->at.spool);
		return 0;
	}
	r = book_untold(h->book, 0, &w);
	if (r)
		return r == V_END ? 0 : r > 0 ? -EIO : r;
	r = book_set(h->book, "telling", (int64_t)st.seq);
	while (!r && n < AT_ONCE && !(r = book_untold(h->book, n ? told[n - 1] : 0, &w))) {
		fill(&h->record, &w);
		r = sealer_put(h->sealer, &h->record, false);
		if (!r)
			told[n++] = w.n;
	}
	if (r < 0)
		return r;
	/* V_END: that was all; V_FULL: the rest waits. */
	r = n ? sealer_flush(h->sealer, false) : 0;
	r = r ? r : book_begin(h->book);
	for (i = 0; !r && i < n; i++)
		r = book_told(h->book, told[i]);
	r = r ? r : book_commit(h->book);
	if (r)
		book_rollback(h->book);
	h->count.told += r ? 0 : n;
	return r > 0 ? -EIO : r;
}

/* --- after a crash --- */

struct found {
	struct herald *h;
	const struct word *w;
	bool yes;
};

static int on_row(void *ctx, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct found *f = ctx;
	struct span text = f->w->text.n ? f->w->text : f->w->title;

	f->yes |= r->v[F_KIND].u == f->w->kind && record_has(r, F_ALERT) && record_has(r, F_TEXT) &&
		  span_eq(r->v[F_ALERT].s, SPAN(f->w->alert, BOOK_ALERT_SIZE)) && span_eq(r->v[F_TEXT].s, text);
	return f->yes ? V_END : 0;
}

/* In what lies in the spool, from the segment on that was to hold it. */
static int in_spool(struct found *f, uint64_t from)
{
	struct sealer_stats st = {0};
	uint64_t seq;
	int r = 0;

	sealer_stats(f->h->sealer, &st);
	for (seq = from; !r && !f->yes && seq < st.seq; seq++) {
		_cleanup_(body_reader_freep) struct body_reader *in = NULL;
		_cleanup_buf_ struct buf b = BUF_INIT(SEGMENT_MAX), raw = BUF_INIT(BODY_RAW_MAX);
		_cleanup_free_ struct store_row *row = calloc(1, sizeof(*row));
		struct spool_entry e;
		struct segment s;

		if (!row)
			return -ENOMEM;
		if (spool_find(f->h->at.spool, PRODUCER_HERALD, seq, &e) || file_read(e.path, &b) ||
			segment_parse(buf_span(&b), &s, NULL) || !s.body.n || segment_raw(&s, &raw, NULL))
			continue;
		r = body_reader_new(buf_span(&raw), &in);
		while (!r && !f->yes && !(r = body_next(in, &row->record, NULL)))
			(void)on_row(f, row);
		r = r < 0 ? r : 0;
	}
	return r;
}

/* Is all that the collector has taken in the index? Waits for it: this is a start, and happens after a crash. */
static int index_is_whole(struct herald *h)
{
	const int64_t until = clock_boot_us() + INDEX_WAIT_US;
	struct store_stats st;
	int r;

	for (;;) {
		r = follow_store(h);
		r = r ? r : store_refresh(h->store);
		r = r ? r : store_stats(h->store, &st);
		if (r < 0 || (!r && st.indexed >= store_size(h->store)))
			return r;
		if (clock_boot_us() > until)
			return V_AGAIN;
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
}

/*
 * A run that ended between sealing and noting it: whatever waits in the book may be told already, but only what was
 * begun with: nothing of later was ever sealed.
 */
static int recover(struct herald *h)
{
	char own[2 * DIGEST_SIZE + 1];
	struct store_filter filter = {.from_us = clock_wall_us() - BACK_US,
		.host = hex_encode(own, h->own.b, DIGEST_SIZE),
		.kinds = {KIND_ALERT, KIND_ALERT_UNSENT},
		.kinds_n = 2};
	struct found f = {.h = h};
	struct word w;
	int64_t after = 0, from;
	int r = book_get(h->book, "telling", -1, &from), x;

	while (!r && from >= 0 && !(r = book_untold(h->book, after, &w))) {
		after = w.n;
		f.w = &w;
		f.yes = false;
		r = in_spool(&f, (uint64_t)from);
		if (!r && !f.yes) {
			x = index_is_whole(h);
			x = x ? x : store_query(h->store, &filter, on_row, &f, NULL);
			if (x < 0)
				return x;
			if (x)
				log_warning("what was told before cannot be asked: an alert may be told twice");
		}
		if (!r && f.yes)
			r = book_told(h->book, w.n);
	}
	return r == V_END ? 0 : r > 0 ? -EIO : r;
}

int tell_open(struct herald *h, struct why *why)
{
	struct sealer_options o = {
		.spool_dir = h->at.spool,
		.producer = PRODUCER_HERALD,
		.device = h->device,
		.bound = SPOOL_BOUND,
		.floor = SPOOL_FLOOR,
		.seal_us = SEAL_US,
	};
	int r = sealer_new(&o, &h->sealer, why);

	if (r == V_EXISTS)
		return why_set(why, r, "%s: another herald uses it", h->at.spool);
	if (r == V_BAD && h->sealer) {
		log_warning("%s", why->text);
		r = 0;
	}
	r = r ? r : recover(h);
	if (r)
		return r;
	record_reset(&h->record);
	record_set_uint(&h->record, F_KIND, KIND_HERALD_START);
	record_set_uint(&h->record, F_BOOT_TIME, (uint64_t)clock_boot_us());
	record_set_str(&h->record, F_TEXT, SEKISHO_VERSION);
	r = sealer_put(h->sealer, &h->record, true);
	return r == V_FULL ? 0 : r;
}

void tell_close(struct herald *h)
{
	if (h->sealer && sealer_flush(h->sealer, true))
		log_error("the last records could not be sealed");
	sealer_free(h->sealer);
	h->sealer = NULL;
}
