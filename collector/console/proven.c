/*
 * One record with its proof: who signed its segment, where it stands in the Merkle log, and whether that holds, checked
 * here with the same code as everywhere. What is shown as verified was verified for this very answer.
 */
#include "collector/console/look.h"
#include "collector/console/stamped.h"
#include "collector/store/month.h"
#include "policy/base/text.h"
#include "policy/trust/cosign.h"
#include "policy/trust/proof.h"
#include <errno.h>

#define CERT_MAX 4096u
#define TIME_LAST_S 253402300799u /* of the year 9999: the last that is shown */

struct proving {
	struct buf bytes, cert, proof; /* the segment; its epoch's certificate; tlog-proof */
	struct buf note;               /* the checkpoint: the one that PCs have cosigned, where it covers the segment */
	struct segment s;
	struct checkpoint head;
	uint64_t leaf;
	bool signature, inclusion;
	json_t *stamped; /* its time by an authority */
	struct why why;
};

static void proving_deinit(struct proving *p)
{
	buf_deinit(&p->bytes);
	buf_deinit(&p->cert);
	buf_deinit(&p->proof);
	buf_deinit(&p->note);
	json_decref(p->stamped);
}

/* The segment as the PC sent it, out of header and body. */
static int read_segment(struct store *s, struct proving *p)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX);
	int r = store_read(s, p->leaf, &header, &body, &p->why);

	if (!r && !body.n)
		r = V_NOT_FOUND;
	r = r ? r : segment_join(buf_span(&header), buf_span(&body), &p->bytes);
	return r ? r : segment_parse(buf_span(&p->bytes), &p->s, &p->why);
}

/* Device key, certificate of the sealing key, header, body. 0 with p->signature; -errno. */
static int check_signature(struct store *s, struct proving *p)
{
	_cleanup_(key_freep) struct key *device = NULL;
	const struct header *h = &p->s.header;
	struct store_host host;
	struct epoch e;
	int r = store_host_get(s, &h->host, &host);

	if (r == V_NOT_FOUND)
		why_set(&p->why, r, "this PC is not known any more");
	r = r ? r : key_from_public_der(SPAN(host.spki, host.spki_len), &device, &p->why);
	if (!r && p->s.cose.kid.n != COSE_KID_SIZE)
		r = why_set(&p->why, V_BAD, "no key id");
	if (!r) {
		r = store_epoch(s, &h->host, h->producer, h->epoch, p->s.cose.kid.p, &p->cert);
		if (r == V_NOT_FOUND)
			why_set(&p->why, r, "the sealing key's certificate is not there");
	}
	r = r ? r : epoch_verify(buf_span(&p->cert), device, &e, &p->why);
	r = r ? r : segment_verify(&p->s, &e, &p->why);
	p->signature = !r;
	return r < 0 ? r : 0;
}

static int check_inclusion(struct console *c, struct proving *p)
{
	struct merkle_proof proof = {.n = 0};
	struct digest leaf;
	uint64_t size;
	int r = store_refresh(c->store);

	if (r < 0)
		return r;
	if (!c->has_log)
		r = why_set(&p->why, V_BAD, "the log's key is not there");
	r = r ? r : store_note(c->store, p->leaf + 1, &p->note, &size);
	r = r ? r : checkpoint_verify(buf_span(&p->note), &c->log, &p->head, &p->why);
	r = r ? r : store_prove_of(c->store, p->leaf, p->head.size, &proof);
	if (r < 0 || r == V_NOT_FOUND)
		return r;
	merkle_leaf(p->s.header_bytes, &leaf);
	if (!r && merkle_verify_inclusion(p->leaf, p->head.size, &leaf, &proof, &p->head.root))
		r = why_set(&p->why, V_BAD, "the log's tree does not have this segment at this place");
	p->inclusion = !r;
	r = proof_write(p->leaf, &proof, buf_span(&p->note), &p->proof);
	return r || !c->has_log ? r : stamped_json(c, p->leaf, &leaf, &p->stamped);
}

static json_t *flags_json(uint64_t flags)
{
	static const char *const names[] = {"recovered", "heartbeat", "urgent", "last", "rejoin", "cut"};
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (flags >> i & 1)
			json_array_append_new(list, json_string(names[i]));
	return list;
}

struct cosigned {
	struct call *x;
	const struct cosignatures *of;
	json_t *list;
};

/* One witness of the note: listed where its signature holds. */
static int list_witness(struct cosigned *x, struct span line)
{
	struct verifier w = {.key = NULL};
	char hex[2 * DIGEST_SIZE + 1];
	struct digest host;
	struct store_host h;
	uint64_t time_s;
	unsigned i;
	int r = witness_read(line, &host, &w, NULL);

	if (r)
		return r < 0 ? r : 0;
	for (i = 0; i < x->of->n && cosignature_check(x->of, i, &w, &time_s); i++)
		;
	verifier_deinit(&w);
	if (i == x->of->n)
		return 0;
	r = store_host_get(x->x->c->store, &host, &h);
	if (r < 0)
		return r;
	/* One that the log does not know is nobody's word. */
	if (!r)
		json_array_append_new(
			x->list, json_pack("{s:s, s:o, s:o}", "host", hex_encode(hex, host.b, DIGEST_SIZE), "name",
					 x->x->account->scope_n ? json_null() : json_string(h.name), "time",
					 time_json((int64_t)(time_s < TIME_LAST_S ? time_s : TIME_LAST_S) * 1000000)));
	return 0;
}

/* Which PCs have cosigned this checkpoint, verified here. Names are for accounts that see all PCs. */
static json_t *cosigned_json(struct call *call, struct span note)
{
	_cleanup_buf_ struct buf lines = BUF_INIT(WITNESSES_MAX);
	struct cosignatures of;
	struct cosigned x = {.x = call, .of = &of, .list = json_array()};
	struct span rest, line;
	int r = cosignatures_read(note, &call->c->log, &of, NULL);

	r = r ? r : of.n ? store_witnesses_of(call->c->store, note, &lines) : 0;
	rest = buf_span(&lines);
	while (!r && text_line(&rest, &line))
		r = list_witness(&x, line);
	return x.list;
}

static json_t *segment_json(const struct segment *s)
{
	const struct header *h = &s->header;
	char boot[2 * sizeof(h->boot) + 1];

	return json_pack("{s:s, s:I, s:I, s:s, s:o, s:o, s:o, s:I, s:o, s:o, s:I, s:o, s:o}", "producer",
		producer_name(h->producer), "seq", (json_int_t)h->seq, "epoch", (json_int_t)h->epoch, "boot",
		hex_encode(boot, h->boot, sizeof(h->boot)), "hash", digest_json(&s->hash), "previous",
		h->has_prev ? digest_json(&h->prev) : json_null(), "body_hash", digest_json(&h->body_hash), "records",
		(json_int_t)h->count, "first", time_json(h->first_us > 0 ? h->first_us : 1), "last",
		time_json(h->last_us > 0 ? h->last_us : 1), "policy", (json_int_t)h->policy, "flags",
		flags_json(h->flags), "means", h->has_means ? text_json(h->means) : json_null());
}

static json_t *proven_json(struct call *x, const struct proving *p, json_t *record)
{
	return json_pack("{s:O, s:o, s:{s:I, s:I, s:o, s:o, s:o}, s:o, s:O, s:{s:b, s:b, s:o}}", "record", record,
		"segment", segment_json(&p->s), "log", "index", (json_int_t)p->leaf, "size", (json_int_t)p->head.size,
		"root", digest_json(&p->head.root), "checkpoint", text_json(buf_span(&p->note)), "cosigned",
		cosigned_json(x, buf_span(&p->note)), "tlog_proof", text_json(buf_span(&p->proof)), "stamped",
		p->stamped ? p->stamped : json_null(), "verified", "signature", p->signature, "inclusion", p->inclusion,
		"why", p->signature && p->inclusion ? json_null() : text_json(SPAN_STR(p->why.text)));
}

static struct proving proving_of(uint64_t row)
{
	return (struct proving){.bytes = BUF_INIT(SEGMENT_MAX),
		.cert = BUF_INIT(CERT_MAX),
		.proof = BUF_INIT(PROOF_SIZE_MAX),
		.note = BUF_INIT(NOTE_SIZE_MAX),
		.leaf = row >> ROW_BITS};
}

static void failed(struct call *x, int r, const struct why *why)
{
	if (r == V_NOT_FOUND)
		reply_error(x, 404, "record", "no such record");
	else
		store_failed(x, r, why);
}

void record_get(struct call *x)
{
	_cleanup_(proving_deinit) struct proving p = {.leaf = 0};
	json_t *record = NULL;
	struct looked_up u;
	uint64_t row;
	int r;

	if (*x->a->query) {
		reply_error(x, 400, "filter", "no query belongs there");
		return;
	}
	if (!row_of_path(x, &row))
		return;
	p = proving_of(row);
	r = look_up(x, row, &u, &record, &p.why);
	r = r ? r : read_segment(x->c->store, &p);
	r = r ? r : check_signature(x->c->store, &p);
	r = r ? r : check_inclusion(x->c, &p);
	if (r)
		failed(x, r, &p.why);
	else if (tell_view(x, KIND_CONSOLE_VIEW, NULL, 0))
		reply(x, proven_json(x, &p, record));
	json_decref(record);
}

void segment_get(struct call *x)
{
	_cleanup_(proving_deinit) struct proving p = {.leaf = 0};
	struct told t = {.kind = KIND_CONSOLE_EXPORT, .operation = x->a->path, .urgent = true};
	struct digest hash;
	char name[96];
	uint64_t row;
	int r;

	if (!row_of_path(x, &row))
		return;
	/* Other records of other people are in it as well. */
	if (x->account->scope_n) {
		reply_error(x, 403, "role", "a segment is for accounts that see all PCs");
		return;
	}
	p = proving_of(row);
	r = store_of(x->c);
	r = r ? r : read_segment(x->c->store, &p);
	if (r) {
		failed(x, r, &p.why);
		return;
	}
	digest_span(&hash, buf_span(&p.bytes));
	t.hash = &hash;
	if (!tell_call(x, t))
		return;
	snprintf(name, sizeof(name), "attachment; filename=\"segment-%llu.seg\"", (unsigned long long)p.leaf);
	answer_header(x->a->req, "Content-Disposition", name);
	answer_header(x->a->req, "Cache-Control", "no-store");
	answer_send(x->a->req, 200, "application/vnd.sekisho.segment", buf_span(&p.bytes));
}

void log_get(struct call *x)
{
	struct checkpoint head = {.size = 0};
	struct why why = {""};
	int r = store_of(x->c);

	r = r ? r : store_refresh(x->c->store);
	if (!r && !x->c->has_log)
		r = why_set(&why, V_BAD, "the log's key is not there");
	r = r ? r : checkpoint_verify(store_checkpoint(x->c->store), &x->c->log, &head, &why);
	if (r)
		store_failed(x, r, &why);
	else if (tell_view(x, KIND_CONSOLE_VIEW, NULL, 0))
		reply(x, json_pack("{s:s, s:I, s:o, s:o, s:o}", "origin", head.origin, "size", (json_int_t)head.size,
				 "root", digest_json(&head.root), "checkpoint",
				 text_json(store_checkpoint(x->c->store)), "vkey", text_json(buf_span(&x->c->vkey))));
}
