/*
 * The signed policy on its way from the administrator to the PCs: taken at the door, kept, handed out, and everybody
 * who waits is told. The collector can make none: that it verifies here spares the administrator a mistake; each PC
 * judges by keys of its own.
 */
#include "collector/ingest/ask.h"
#include "collector/ingest/ingest.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/wire/api.h"
#include "policy/wire/bundle.h"
#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>

#define SUFFIX ".signed"
#define NAME_SIZE 32u
#define LATELY_US 10000000
#define KIND_ON_SHELF "policy"

int fleet_of(const struct ingest *in, struct digest *out)
{
	struct verifier v = {.key = NULL};
	int r = verifier_decode(buf_span(&in->keys.vkey), &v, NULL);

	r = r ? r : fleet_id(&v, out);
	if (v.key)
		verifier_deinit(&v);
	return r > 0 ? -EIO : r;
}

int policy_admins(struct ingest *in, struct buf *out)
{
	int r = file_read(in->conf.admins, out);

	if (r == V_NOT_FOUND)
		return 0;
	if (r == V_FULL) {
		log_error("%s: larger than %u bytes: PCs that enrol learn of no administrator", in->conf.admins,
			API_ADMINS_MAX);
		buf_clear(out);
		return 0;
	}
	return r;
}

/* --- kept --- */

/* "00000000000000000042.signed" */
static bool version_of(const char *name, uint64_t *out)
{
	int end = 0;

	return sscanf(name, "%20" SCNu64 "%n", out, &end) == 1 && end == 20 && !strcmp(name + end, SUFFIX);
}

static void name_of(uint64_t version, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, "%020" PRIu64 SUFFIX, version);
}

static void path_of(const struct ingest *in, uint64_t version, char out[CONFIG_PATH_MAX + 96])
{
	char name[NAME_SIZE];

	name_of(version, name);
	snprintf(out, CONFIG_PATH_MAX + 96, "%s/%s", in->conf.policies, name);
}

/* NULL where it is too large, or memory is short: then PCs fetch it. */
static struct evbuffer *handed(uint64_t version, struct span bytes)
{
	_cleanup_buf_ struct buf text = BUF_INIT(2 * API_POLICY_HANDED_MAX);
	struct evbuffer *out = NULL;

	if (bytes.n <= API_POLICY_HANDED_MAX && !buf_putf(&text, "\"policy\":%" PRIu64 ",\"signed\":\"", version) &&
		!base64_encode(&text, bytes) && !buf_puts(&text, "\"}"))
		out = evbuffer_new();
	if (out && evbuffer_add(out, text.p, text.n)) {
		evbuffer_free(out);
		out = NULL;
	}
	return out;
}

static int put_in_hand(struct ingest *in, uint64_t version, const char *signer, struct buf *bytes)
{
	/* Who is being answered keeps what it refers to. */
	if (in->policy_handed)
		evbuffer_free(in->policy_handed);
	in->policy_handed = handed(version, buf_span(bytes));
	buf_deinit(&in->policy);
	in->policy = *bytes;
	*bytes = BUF_INIT(BUNDLE_MAX);
	in->policy_version = version;
	snprintf(in->policy_signer, sizeof(in->policy_signer), "%s", signer);
	return 0;
}

static int keep_file(struct ingest *in, uint64_t version, struct span bytes)
{
	char path[CONFIG_PATH_MAX + 96];

	path_of(in, version, path);
	return file_replace(path, bytes, 0644);
}

/* The row of that name is there: is it this policy? It may be, where the file could not be written the last time. */
static int keep_same(struct ingest *in, uint64_t version, struct span bytes)
{
	_cleanup_buf_ struct buf there = BUF_INIT(BUNDLE_MAX);
	char name[NAME_SIZE];
	int r;

	name_of(version, name);
	r = store_shelf_get(in->store, KIND_ON_SHELF, name, &there);
	return r < 0 ? r : r || !span_eq(buf_span(&there), bytes) ? V_EXISTS : keep_file(in, version, bytes);
}

/*
 * Where collectors share, all have it by one row, and each keeps a file besides: a log that moves back into files
 * brings its policy along. 0; V_EXISTS where another one of that version is there already; -errno.
 */
static int store_bytes(struct ingest *in, uint64_t version, struct span bytes)
{
	static const struct span nothing = {.n = 0};
	char name[NAME_SIZE];
	int r = 0;

	name_of(version, name);
	if (in->sharing)
		r = store_shelf_put(in->store, KIND_ON_SHELF, name, bytes, &nothing);
	return r ? r : keep_file(in, version, bytes);
}

int policy_again(struct ingest *in)
{
	int r = in->policy_version ? store_bytes(in, in->policy_version, buf_span(&in->policy)) : 0;

	return r < 0 ? r : 0;
}

int policy_heard(struct ingest *in)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX);
	char name[SHELF_NAME_MAX + 1];
	uint64_t version = 0, says;
	struct why why = {""};
	int r = in->sharing ? store_shelf_last(in->store, KIND_ON_SHELF, name) : V_NOT_FOUND;

	if (r || !version_of(name, &version) || version <= in->policy_version)
		return r < 0 ? r : 0;
	r = store_shelf_get(in->store, KIND_ON_SHELF, name, &bytes);
	r = r ? r : bundle_peek(buf_span(&bytes), &says, &why);
	if (r < 0)
		return r;
	if (r || says != version) {
		log_error("%s: no signed policy of that version in the database: it is not handed out", name);
		return 0;
	}
	r = keep_file(in, version, buf_span(&bytes));
	if (r)
		return r;
	put_in_hand(in, version, "", &bytes);
	log_notice("policy %" PRIu64 " was pushed at another collector, and is handed out here", version);
	wait_wake_policy(in);
	return 0;
}

static int open_newest(struct ingest *in)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX);
	_cleanup_closedir_ DIR *dir = NULL;
	char path[CONFIG_PATH_MAX + 96];
	uint64_t newest = 0, version;
	struct why why = {""};
	struct dirent *e;
	int r = dir_make(in->conf.policies, 0755);

	if (r)
		return r;
	dir = opendir(in->conf.policies);
	if (!dir)
		return -errno;
	while ((e = readdir(dir)))
		if (version_of(e->d_name, &version) && version > newest)
			newest = version;
	if (!newest)
		return 0;
	path_of(in, newest, path);
	r = file_read(path, &bytes);
	if (!r)
		r = bundle_peek(buf_span(&bytes), &version, &why);
	if (r < 0)
		return r;
	if (r || version != newest) {
		log_error("%s: no signed policy of that version: none is handed out", path);
		return 0;
	}
	/* From before there was a place that all collectors have. */
	if (in->sharing)
		r = store_bytes(in, newest, buf_span(&bytes));
	if (r < 0)
		return r;
	return put_in_hand(in, newest, "", &bytes);
}

int policy_open(struct ingest *in)
{
	int r = open_newest(in);

	return r ? r : policy_heard(in);
}

/* --- handing out --- */

void policy_get(struct ingest *in, struct ask *a)
{
	struct store_host host;
	uint64_t above = 0;

	if (host_of(in, a, &host))
		return;
	if (ask_query(a->query, "above", &above) == V_BAD) {
		answer_error(a->req, 400, "request", "above=<version> belongs there", 0);
		return;
	}
	host_seen(in, &host);
	if (!in->policy_version || in->policy_version <= above)
		answer_error(a->req, 404, "policy", "nothing newer", 0);
	else
		answer_bytes(a->req, API_POLICY_TYPE, false, buf_span(&in->policy));
}

/* --- taking --- */

/* 0; a verdict with its reason; -errno. `raw` and `b` are good for as long as the body is. */
static int judge_push(struct ingest *in, struct span body, struct buf *raw, struct bundle *b, struct why *why)
{
	struct admins admins = {.n = 0};
	struct digest fleet;
	int r = admins_load(in->conf.admins, &admins, why);

	if (r == V_NOT_FOUND)
		return why_set(why, BUNDLE_FORGED, "no administrator's key is registered: %s", in->conf.admins);
	if (r == V_BAD)
		return why_set(why, BUNDLE_FORGED, "%s cannot be read", in->conf.admins);
	r = r ? r : fleet_of(in, &fleet);
	r = r ? r : bundle_open(body, &admins, &fleet, in->policy_version, clock_wall_us(), raw, b, why);
	admins_deinit(&admins);
	return r;
}

static unsigned connected(const struct ingest *in)
{
	unsigned i, n = 0;

	for (i = 0; i < in->peers_cap; i++)
		n += in->peers[i].used && peer_waits(&in->peers[i]);
	return n;
}

void policy_post(struct ingest *in, struct ask *a)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(BUNDLE_RAW_MAX), bytes = BUF_INIT(BUNDLE_MAX);
	char text[NOTE_NAME_MAX + 96], signer[2 * NOTE_NAME_MAX];
	struct entry e = {.kind = KIND_ADMIN, .has_uid = true, .uid = a->uid, .urgent = true, .text = text};
	struct digest hash;
	struct why why = {""};
	struct bundle b;
	unsigned waiting;
	int r = judge_push(in, a->body, &raw, &b, &why);

	if (r > 0) {
		snprintf(text, sizeof(text), "policy refused: %s", bundle_verdict_name(r));
		ingest_tell(in, &e);
		answer_error(a->req, 409, bundle_verdict_name(r), why.text, 0);
		return;
	}
	r = r ? r : buf_put_span(&bytes, a->body);
	r = r ? r : store_bytes(in, b.version, a->body);
	if (r == V_EXISTS)
		r = keep_same(in, b.version, a->body);
	if (r == V_EXISTS) {
		answer_error(a->req, 409, bundle_verdict_name(BUNDLE_OLD),
			"another policy of this version was pushed at another collector", 0);
		return;
	}
	if (r) {
		answer_error(a->req, 503, "failed", "the policy cannot be stored", 5);
		if ((r != -ENOSPC && r != -EDQUOT) || store_lost(in->store))
			ingest_fail(in, r, "policy");
		return;
	}
	digest_span(&hash, a->body);
	e.hash = &hash;
	snprintf(text, sizeof(text), "policy %" PRIu64 " pushed, signed by %s", b.version,
		text_escape_to(signer, sizeof(signer), SPAN_STR(b.signer)));
	ingest_tell(in, &e);
	put_in_hand(in, b.version, b.signer, &bytes);
	waiting = connected(in);
	wait_wake_policy(in);
	log_notice("policy %" PRIu64 " is handed out: %u PCs wait", b.version, waiting);
	answer_json(a->req, 200,
		json_pack("{s:I, s:i}", "version", (json_int_t)in->policy_version, "connected", (int)waiting));
}

/* --- who has which --- */

void policy_note(struct peer *p, const struct header *h)
{
	p->policy = h->policy;
	snprintf(p->means, sizeof(p->means), "%.*s", h->has_means ? (int)h->means.n : 0, (const char *)h->means.p);
}

struct listing {
	struct ingest *in;
	json_t *list;
};

/* Between two waiting requests a PC is there as well. */
static bool is_there(const struct peer *p)
{
	return p && (peer_waits(p) || clock_wall_us() - p->seen_us < LATELY_US);
}

/*
 * What the newest header of its guard in the store says: for a PC that has sent none since the collector started. Once
 * for each; nothing where it never had a guard. A damaged leaf says nothing.
 */
static int policy_of_store(struct ingest *in, const struct digest *host, struct peer *p)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX);
	struct store_head head;
	struct segment s;
	struct why why = {""};
	uint64_t index, seq;
	unsigned n;
	int r = store_heads(in->store, host, PRODUCER_GUARD, &head, 1, &n);

	r = r ? r : store_find(in->store, &head.hash, &index, &seq);
	r = r ? r : store_read(in->store, index, &header, &body, &why);
	if (r < 0)
		return r;
	if (header.n && !header_parse(buf_span(&header), &s, &why))
		policy_note(p, &s.header);
	return 0;
}

static int list_one(void *ctx, const struct store_host *h)
{
	static const struct digest none;
	struct listing *l = ctx;
	struct peer *p = peer_of(l->in, &h->id);
	char hex[2 * DIGEST_SIZE + 1];
	json_t *o;
	int r;

	/* Servers obey no policy, also those beside another collector: they have no key for TLS. */
	if (h->state != HOST_ACTIVE || digest_eq(&h->id, &l->in->keys.host) || desks_has(l->in->desks, &h->id) ||
		(l->in->sharing && digest_eq(&h->tls_key, &none)))
		return 0;
	if (p && !p->policy && !p->policy_sought) {
		r = policy_of_store(l->in, &h->id, p);
		if (r)
			return r;
		p->policy_sought = true;
	}
	o = json_pack("{s:s, s:s, s:I, s:b, s:I}", "id", hex_encode(hex, h->id.b, DIGEST_SIZE), "name", h->name,
		"policy", (json_int_t)(p ? p->policy : 0), "connected", is_there(p), "seen",
		(json_int_t)(p && p->seen_us > h->last_seen_us ? p->seen_us : h->last_seen_us));
	if (o && p && p->means[0] && json_object_set_new(o, "means", json_string(p->means)))
		return -ENOMEM;
	return o && !json_array_append_new(l->list, o) ? 0 : -ENOMEM;
}

void policy_status_get(struct ingest *in, struct ask *a)
{
	struct listing l = {.in = in, .list = json_array()};
	int r = store_host_each(in->store, list_one, &l);

	if (r) {
		json_decref(l.list);
		answer_error(a->req, 503, "failed", "the collector failed", 5);
		ingest_fail(in, r > 0 ? -EIO : r, "hosts");
		return;
	}
	answer_json(a->req, 200,
		json_pack("{s:I, s:s, s:o}", "version", (json_int_t)in->policy_version, "signer", in->policy_signer,
			"hosts", l.list));
}
