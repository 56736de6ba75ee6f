/*
 * The entries of an evidence bundle, in the order that ../../policy/exhibit/EVIDENCE.md asks for, a piece at a time.
 * Everything that is read goes in as it lies in the store; the list and the page are made by the same functions that a
 * verifier uses.
 */
#include "collector/console/bundle_parts.h"
#include "collector/store/month.h"
#include "collector/store/stamps.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/trust/cosign.h"
#include "policy/trust/proof.h"
#include "policy/trust/timestamp.h"
#include "policy/wire/body.h"
#include <errno.h>
#include <inttypes.h>

#define RECORDS_A_STEP 20000u
#define SEGMENTS_A_STEP 100u
#define RUN_A_STEP 4000u
#define CERT_MAX 4096u

/* --- the records of the search --- */

static int take_row(void *ctx, const struct store_row *row)
{
	struct bundling *b = ctx;

	if (row->leaf >= b->claim.size)
		return 0;
	if (b->rows_n == EXHIBIT_RECORDS_MAX) {
		b->claim.more = true;
		return V_END;
	}
	if (b->rows_n == b->rows_cap) {
		size_t cap = b->rows_cap ? 2 * b->rows_cap : 1024;
		uint64_t *p = realloc(b->rows, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		b->rows = p;
		b->rows_cap = cap;
	}
	b->rows[b->rows_n++] = row->row;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int bundle_search(struct bundling *b)
{
	struct looking l = {.c = b->c,
		.account = &b->by.account,
		.search = &b->search,
		.most = RECORDS_A_STEP,
		.take = take_row,
		.ctx = b};
	int r = look(&l, &b->why);

	if (r)
		return r;
	look_on(&l, &b->search);
	if (l.more && !b->claim.more)
		return 0;
	if (b->rows_n)
		qsort(b->rows, b->rows_n, sizeof(*b->rows), by_number);
	return V_END;
}

int bundle_read(struct bundling *b, uint64_t leaf, bool body, struct segment *s)
{
	int r;

	buf_clear(&b->header);
	buf_clear(&b->body);
	r = store_read(b->store, leaf, &b->header, body ? &b->body : NULL, &b->why);
	r = r ? r : header_parse(buf_span(&b->header), s, &b->why);
	if (!r && body)
		s->body = buf_span(&b->body);
	return r;
}

/* The lines of one segment's records. */
static int list_leaf(struct bundling *b, uint64_t leaf)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	struct record *record = &b->c->record;
	struct segment s;
	unsigned n = 0;
	int r = bundle_read(b, leaf, true, &s);

	/* The index may still tell of a body that is gone: the bundle shows that, and lists nothing of it. */
	while (!r && !s.body.n && b->row_at < b->rows_n && b->rows[b->row_at] >> ROW_BITS == leaf)
		b->row_at++;
	if (r || !s.body.n)
		return r > 0 ? -EIO : r;
	r = segment_raw(&s, &b->text, &b->why);
	r = r ? r : body_reader_new(buf_span(&b->text), &in);
	while (!r && b->row_at < b->rows_n && b->rows[b->row_at] >> ROW_BITS == leaf) {
		unsigned want = (unsigned)(b->rows[b->row_at] & ((1u << ROW_BITS) - 1));

		for (; !r && n < want; n++)
			r = body_next(in, record, &b->why);
		r = r ? r : exhibit_line(leaf, n, record, &b->list);
		if (!r && b->claim.records < EXHIBIT_PAGE_MAX)
			r = exhibit_row(&b->claim, &s.header.host, record, &b->page_rows);
		b->claim.records += !r;
		b->row_at++;
	}
	if (r == V_FULL) {
		b->claim.more = true;
		b->row_at = b->rows_n;
		return 0;
	}
	return r > 0 ? -EIO : r;
}

int bundle_list(struct bundling *b)
{
	unsigned n;
	int r = 0;

	for (n = 0; !r && n < SEGMENTS_A_STEP && b->row_at < b->rows_n; n++)
		r = list_leaf(b, b->rows[b->row_at] >> ROW_BITS);
	return r ? r : b->row_at < b->rows_n ? 0 : V_END;
}

/* --- the entries --- */

static int put_device(struct bundling *b, const struct digest *id)
{
	char name[EXHIBIT_NAME_SIZE], hex[2 * DIGEST_SIZE + 1];
	struct store_host h;
	int r = store_host_get(b->store, id, &h);

	snprintf(name, sizeof(name), "devices/%s.pub", hex_encode(hex, id->b, DIGEST_SIZE));
	return r > 0 ? -EIO : r ? r : exhibit_put(b->writer, name, SPAN(h.spki, h.spki_len));
}

static int put_devices(struct bundling *b)
{
	/* And the collectors', where they speak of retention: all of it ascending. */
	size_t i = 0, o = 0, own_n = b->own_n ? b->own_hosts_n : 0;
	int r = 0;

	while (!r && (i < b->claim.hosts_n || o < own_n)) {
		int x = i == b->claim.hosts_n ? 1
			: o == own_n          ? -1
					      : memcmp(b->claim.hosts[i].id.b, b->own_hosts[o].b, DIGEST_SIZE);

		r = put_device(b, x <= 0 ? &b->claim.hosts[i].id : &b->own_hosts[o]);
		i += x <= 0;
		o += x >= 0;
	}
	return r;
}

static int by_name(const void *pa, const void *pb)
{
	const struct met_epoch *a = pa, *b = pb;
	int r = memcmp(a->host.b, b->host.b, DIGEST_SIZE);

	return r ? r : memcmp(a->kid, b->kid, COSE_KID_SIZE);
}

static bool is_used(const struct bundling *b, const struct met_epoch *e)
{
	const struct exhibit_chain *k = exhibit_chain_of(&b->claim, &e->host, e->producer);

	if (b->own_n && e->producer == PRODUCER_COLLECTOR && e->first <= b->own[b->own_n - 1])
		return true;
	return k && e->last >= (k->has_before ? k->before : k->first) &&
	       e->first <= (k->has_after ? k->after : k->last);
}

static int put_certificates(struct bundling *b)
{
	char name[EXHIBIT_NAME_SIZE], hex[2 * DIGEST_SIZE + 1], kid[2 * COSE_KID_SIZE + 1];
	_cleanup_buf_ struct buf cert = BUF_INIT(CERT_MAX);
	const struct met_epoch *before = NULL;
	size_t i;
	int r = 0;

	if (b->epochs_n)
		qsort(b->epochs, b->epochs_n, sizeof(*b->epochs), by_name);
	for (i = 0; !r && i < b->epochs_n; i++) {
		const struct met_epoch *e = &b->epochs[i];

		if (!is_used(b, e) || (before && !by_name(before, e)))
			continue;
		buf_clear(&cert);
		r = store_epoch(b->store, &e->host, e->producer, e->number, e->kid, &cert);
		snprintf(name, sizeof(name), "certificates/%s/%s.cose", hex_encode(hex, e->host.b, DIGEST_SIZE),
			hex_encode(kid, e->kid, COSE_KID_SIZE));
		/* One that is missing is told by who verifies: nothing is passed over in silence. */
		r = r > 0 ? 0 : r ? r : exhibit_put(b->writer, name, buf_span(&cert));
		before = e;
	}
	return r;
}

/* What PCs have cosigned of this log, that it leads to `checkpoint`, and whose keys; nothing where nobody has. */
static int put_cosigned(struct bundling *b)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX), lines = BUF_INIT(WITNESSES_MAX);
	struct merkle_proof p = {.n = 0};
	uint64_t size;
	int r = store_cosigned(b->store, &note, &size);

	if (r == V_NOT_FOUND)
		return 0;
	r = r ? r : store_consistency_of(b->store, size, b->claim.size, &p);
	r = r ? r : store_witnesses_of(b->store, buf_span(&note), &lines);
	r = r ? r : exhibit_put(b->writer, "cosigned", buf_span(&note));
	buf_clear(&b->text);
	r = r ? r : proof_hashes(&p, &b->text);
	r = r ? r : exhibit_put(b->writer, "cosigned.consistency", buf_span(&b->text));
	return r ? r : exhibit_put(b->writer, "witnesses", buf_span(&lines));
}

/*
 * The log as an authority stamped it: the first time after all that is carried, or the last time there was; nothing
 * where there is none.
 */
static int put_stamped(struct bundling *b)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX), token = BUF_INIT(TIMESTAMP_MAX);
	uint64_t last = b->own_n && b->own[b->own_n - 1] > b->last ? b->own[b->own_n - 1] : b->last, size;
	struct merkle_proof p = {.n = 0};
	char path[PATH_MAX];
	int r = stamp_find(b->c->conf.timestamps, last + 1, b->claim.size, &size);

	/* A folder that is not to be read is its administrator's matter, and no reason to have no evidence. */
	if (r == V_NOT_FOUND || r == -EACCES || (!r && !size))
		return 0;
	stamp_path(path, b->c->conf.timestamps, size, "checkpoint");
	r = r ? r : file_read(path, &note);
	stamp_path(path, b->c->conf.timestamps, size, "tsr");
	r = r ? r : file_read(path, &token);
	r = r ? r : store_consistency_of(b->store, size, b->claim.size, &p);
	r = r ? r : exhibit_put(b->writer, "stamped", buf_span(&note));
	buf_clear(&b->text);
	r = r ? r : proof_hashes(&p, &b->text);
	r = r ? r : exhibit_put(b->writer, "stamped.consistency", buf_span(&b->text));
	return r ? r : exhibit_put(b->writer, "stamped.tsr", buf_span(&token));
}

int bundle_head(struct bundling *b)
{
	int r;

	buf_clear(&b->text);
	r = exhibit_claim_write(&b->claim, &b->text);
	r = r ? r : exhibit_put(b->writer, "bundle.json", buf_span(&b->text));
	r = r ? r : exhibit_put(b->writer, "checkpoint", buf_span(&b->note));
	buf_clear(&b->text);
	r = r ? r : buf_put_span(&b->text, buf_span(&b->c->vkey));
	r = r ? r : buf_puts(&b->text, "\n");
	r = r ? r : exhibit_put(b->writer, "log.vkey", buf_span(&b->text));
	r = r ? r : put_cosigned(b);
	r = r ? r : put_stamped(b);
	r = r ? r : put_devices(b);
	r = r ? r : put_certificates(b);
	r = r ? r : exhibit_put(b->writer, "records.jsonl", buf_span(&b->list));
	buf_clear(&b->text);
	r = r ? r : exhibit_page(&b->claim, b->gone, buf_span(&b->page_rows), &b->text);
	r = r ? r : exhibit_put(b->writer, "index.html", buf_span(&b->text));
	buf_deinit(&b->list);
	buf_deinit(&b->page_rows);
	b->at = b->claim.run;
	return r > 0 ? -EIO : r ? r : V_END;
}

static int put_segment(struct bundling *b, const char *folder, uint64_t leaf, const struct segment *s)
{
	struct merkle_proof proof;
	char name[EXHIBIT_NAME_SIZE];
	bool whole = s->body.n > 0;
	int r;

	buf_clear(&b->text);
	r = whole ? segment_join(buf_span(&b->header), s->body, &b->text)
		  : buf_put_span(&b->text, buf_span(&b->header));
	snprintf(name, sizeof(name), "%s/%020" PRIu64 "%s", folder, leaf, whole ? ".seg" : ".header");
	r = r ? r : exhibit_put(b->writer, name, buf_span(&b->text));
	r = r ? r : store_prove(b->store, leaf, &proof);
	if (r)
		return r;
	buf_clear(&b->text);
	r = proof_write(leaf, &proof, buf_span(&b->note), &b->text);
	snprintf(name, sizeof(name), "%s/%020" PRIu64 ".tlog-proof", folder, leaf);
	return r ? r : exhibit_put(b->writer, name, buf_span(&b->text));
}

int bundle_retention(struct bundling *b)
{
	unsigned n;
	int r = 0;

	for (n = 0; !r && n < SEGMENTS_A_STEP && b->own_at < b->own_n; n++, b->own_at++) {
		struct segment s;

		r = bundle_read(b, b->own[b->own_at], true, &s);
		r = r ? r : put_segment(b, "retention", b->own[b->own_at], &s);
	}
	return r > 0 ? -EIO : r ? r : b->own_at < b->own_n ? 0 : V_END;
}

int bundle_segments(struct bundling *b)
{
	unsigned n, carried = 0;
	int r = 0;

	for (n = 0; !r && n < RUN_A_STEP && carried < SEGMENTS_A_STEP && b->at <= b->last; n++, b->at++) {
		struct segment s;
		bool whole;

		r = bundle_read(b, b->at, false, &s);
		if (r || !bundle_carries(b, &s, b->at, &whole))
			continue;
		r = whole ? bundle_read(b, b->at, true, &s) : 0;
		r = r ? r : put_segment(b, "segments", b->at, &s);
		b->gone_put += whole && !s.body.n;
		carried++;
	}
	if (r || b->at <= b->last)
		return r > 0 ? -EIO : r;
	b->at = b->claim.run;
	/* A month that went meanwhile is not on the page. */
	return b->gone_put == b->gone ? V_END : -EAGAIN;
}

int bundle_run(struct bundling *b)
{
	uint8_t length[4];
	unsigned n;
	int r = 0;

	if (!b->claim.has_run)
		return V_END;
	for (n = 0; !r && n < RUN_A_STEP && b->at < b->claim.size; n++, b->at++) {
		struct segment s;

		r = bundle_read(b, b->at, false, &s);
		put_be32(length, (uint32_t)b->header.n);
		r = r ? r : buf_put(&b->run, length, sizeof(length));
		r = r ? r : buf_put_span(&b->run, buf_span(&b->header));
	}
	if (r || b->at < b->claim.size)
		return r > 0 ? -EIO : r;
	r = exhibit_put(b->writer, "run.headers", buf_span(&b->run));
	return r ? r : V_END;
}
