/*
 * The log, open to everybody: newest checkpoint, consistency, tiles (C2SP tlog-tiles). Nothing here is secret: headers
 * name PCs by hashes and hold no record.
 */
#include "collector/ingest/ask.h"
#include "collector/ingest/ingest.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include "policy/wire/api.h"
#include <errno.h>

json_t *proof_json(const struct merkle_proof *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT(64);
	json_t *a = json_array();
	unsigned i;

	for (i = 0; a && i < p->n; i++) {
		buf_clear(&b);
		if (base64_encode(&b, SPAN(p->h[i].b, DIGEST_SIZE)) ||
			json_array_append_new(a, json_stringn((const char *)b.p, b.n))) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}

json_t *checkpoint_json(struct ingest *in)
{
	struct span note = store_checkpoint(in->store);

	return json_stringn(note.n ? (const char *)note.p : "", note.n);
}

void answer_behind(struct ingest *in, struct ask *a)
{
	in->count.turned_away++;
	answer_json(a->req, 409,
		json_pack("{s:s, s:s, s:o}", "error", "behind", "reason", "the log is smaller than what was seen of it",
			"checkpoint", checkpoint_json(in)));
}

int proof_reaches(struct ingest *in, uint64_t size)
{
	int r = size > store_size(in->store) && in->sharing ? store_refresh(in->store) : 0;

	return r ? (r > 0 ? -EIO : r) : size > store_size(in->store) ? V_END : 0;
}

/* --- what PCs have seen --- */

#define FLUSH_US 200000

static void on_old_copy(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ingest_fail(arg, -ESTALE, "the store is an older copy of the log");
}

/* Nothing is signed from here on, and nobody opens this store again as what it is. The answer still goes out. */
static void stop_as_old(struct ingest *in, const struct checkpoint *c)
{
	static const struct timeval soon = {.tv_usec = FLUSH_US};
	char size[32];
	int r;

	in->old_copy = true;
	snprintf(size, sizeof(size), "%llu", (unsigned long long)c->size);
	log_error("a PC has a checkpoint over %s leaves that this log signed, and the log here, of %llu, does not lead "
		  "on "
		  "from it: it was restored from a copy; nothing is signed any more (sekishoctl(1), store restore)",
		size, (unsigned long long)store_size(in->store));
	r = store_set_bar(in->store, STORE_OLD, size);
	if (!r && event_base_once(in->server.base, -1, EV_TIMEOUT, on_old_copy, in, &soon))
		r = -ENOMEM;
	if (r)
		ingest_fail(in, r, "the bar of an older copy");
}

int proof_leads_on(
	struct ingest *in, const struct verifier *log, uint64_t size, const struct digest *root, struct why *why)
{
	struct checkpoint now = {.size = 0};
	int r = proof_reaches(in, size);

	/* First: a log that lost everything has no checkpoint. */
	if (r)
		return r == V_END ? V_DENIED : r;
	r = checkpoint_verify(store_checkpoint(in->store), log, &now, why);
	return r ? r : store_leads_on(in->store, size, root, &now);
}

/*
 * The checkpoint that a PC holds. That this log's key signed it is all that counts: who shows it does not matter, and
 * nobody can make one up.
 */
static void hear(struct ingest *in, struct ask *a)
{
	const char *text = ask_header(a, API_HEADER_CHECKPOINT);
	_cleanup_(verifier_deinit) struct verifier v = {.key = NULL};
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX);
	struct checkpoint seen;
	int r;

	if (!text || in->old_copy || base64_decode(&note, SPAN_STR(text)) ||
		verifier_decode(buf_span(&in->keys.vkey), &v, NULL) ||
		checkpoint_verify(buf_span(&note), &v, &seen, NULL))
		return;
	r = seen.size ? proof_leads_on(in, &v, seen.size, &seen.root, NULL) : 0;
	if (r == V_DENIED)
		stop_as_old(in, &seen);
	else if (r)
		ingest_fail(in, r < 0 ? r : -EIO, "consistency");
}

void checkpoint_get(struct ingest *in, struct ask *a)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX);
	uint64_t size;
	/* The newest that any collector has signed. */
	int r = in->sharing ? store_refresh(in->store) : 0;

	r = r < 0 ? r : store_note(in->store, store_size(in->store), &note, &size);
	if (r < 0)
		answer_error(a->req, 503, "failed", "the store failed", 5);
	else if (note.n)
		answer_bytes(a->req, "text/plain; charset=utf-8", false, buf_span(&note));
	else
		answer_error(a->req, 404, "empty", "the log is empty", 0);
}

void consistency_get(struct ingest *in, struct ask *a)
{
	struct merkle_proof p = {.n = 0};
	uint64_t from;
	int r = ask_query(a->query, "from", &from);

	if (r) {
		answer_error(a->req, 400, "request", "from=<size> belongs there", 0);
		return;
	}
	hear(in, a);
	r = in->lost || in->failed ? -EIO : proof_reaches(in, from);
	if (r == V_END) {
		answer_behind(in, a);
		return;
	}
	r = r ? r : from ? store_consistency(in->store, from, &p) : 0;
	if (r) {
		answer_error(a->req, 503, "failed", "the store failed", 5);
		ingest_fail(in, r > 0 ? -EIO : r, "consistency");
		return;
	}
	answer_json(
		a->req, 200, json_pack("{s:o, s:o}", "checkpoint", checkpoint_json(in), "consistency", proof_json(&p)));
}

void tile_get(struct ingest *in, struct ask *a)
{
	_cleanup_buf_ struct buf b = BUF_INIT(STORE_TILE_MAX);
	int r = ask_tile(a->path) ? store_tile(in->store, a->path, &b) : V_NOT_FOUND;

	if (r == 0)
		answer_bytes(a->req, "application/octet-stream", true, buf_span(&b));
	else
		answer_error(a->req, r < 0 ? 503 : 404, "tile", "no such tile", 0);
}
