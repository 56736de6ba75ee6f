/*
 * Collectors that ask to join, at the administrator's door of one that is there: who they are, and letting one in. See
 * join.c for the whole of it.
 */
#include "collector/ingest/ask.h"
#include "collector/ingest/join.h"
#include "collector/ingest/keeper.h"
#include "collector/ingest/shared.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/trust/envelope.h"
#include <errno.h>
#include <sys/mman.h>

static void failed(struct ingest *in, struct ask *a, int r)
{
	answer_error(a->req, 503, "failed", "the collector failed", 5);
	ingest_fail(in, r > 0 ? -EIO : r, "collectors");
}

/* False: answered. */
static bool is_shared(struct ingest *in, struct ask *a)
{
	if (!in->sharing)
		answer_error(a->req, 409, "single", "the store is no database that collectors share (shared.sql)", 0);
	return in->sharing;
}

static int list_asking(void *ctx, const char *name, struct span value)
{
	_cleanup_(join_request_deinit) struct join_request q = {.json = NULL};
	struct digest id = {{0}};
	json_t *o;

	if (hex_decode(name, id.b, DIGEST_SIZE) || join_request_read(value, &id, &q, NULL))
		return 0;
	o = json_pack("{s:s, s:s, s:O}", "id", name, "name", q.name, "at", json_object_get(q.json, "at"));
	return !o || json_array_append_new(ctx, o) ? -ENOMEM : 0;
}

void collectors_get(struct ingest *in, struct ask *a)
{
	json_t *asking = json_array();
	int r = in->sharing ? store_shelf_each(in->store, JOIN_ASKING, list_asking, asking) : 0;

	if (r) {
		json_decref(asking);
		failed(in, a, r);
		return;
	}
	answer_json(a->req, 200, json_pack("{s:o, s:o}", "collectors", shared_json(in), "asking", asking));
}

/* The keys, to whoever has the private half of that certificate's. */
static int seal(struct ingest *in, const char *certificate, struct buf *out, struct why *why)
{
	_cleanup_(envelope_readers_freep) struct envelope_readers *readers = NULL;
	_cleanup_(envelope_freep) struct envelope *e = NULL;
	_cleanup_close_ int fd = memfd_create("join", MFD_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	json_t *o = json_object();
	char path[64];
	size_t i;
	struct span pem = SPAN(certificate, certificate ? strlen(certificate) : 0);
	int r = fd < 0 ? -errno : envelope_readers_read(pem, &readers, why);

	for (i = 0; !r && i < JOIN_PARTS; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(KEYS_PEM_MAX);

		r = file_read(join_part(&in->conf, i), &b);
		r = r == V_NOT_FOUND && i == JOIN_ADMINS ? 0 : r;
		if (!r && json_object_set_new(o, join_parts[i], json_stringn(b.n ? (const char *)b.p : "", b.n)))
			r = -EIO;
		if (b.n)
			secret_wipe(b.p, b.n);
	}
	text = r ? NULL : json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (!text)
		return r ? r : -ENOMEM;
	r = envelope_begin(readers, NULL, fd, &e);
	r = r ? r : envelope_put(e, SPAN_STR(text));
	r = r ? r : envelope_end(e);
	secret_wipe(text, strlen(text));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return r ? r : file_read(path, out);
}

static int on_namesake(void *ctx, const struct store_host *h)
{
	const struct join_request *q = ctx;

	return h->state == HOST_ACTIVE && !strcmp(h->name, q->name) && !digest_eq(&h->id, &q->id) ? V_EXISTS : 0;
}

/*
 * May it come in? 0, also where it is there already: whether that counts is the log's to say; V_DENIED: answered;
 * -errno.
 */
static int may_join(struct ingest *in, struct ask *a, struct join_request *q)
{
	struct store_host h;
	int r = store_host_get(in->store, &q->id, &h);

	if (!r && (h.state != HOST_ACTIVE || strcmp(h.name, q->name) != 0)) {
		answer_error(a->req, 409, "known", "this device key was revoked, or is enrolled by another name", 0);
		return V_DENIED;
	}
	if (r != V_NOT_FOUND)
		return r;
	r = store_host_each(in->store, on_namesake, q);
	if (r == V_EXISTS) {
		answer_error(a->req, 409, "name", "another collector has this name: revoke that one first", 0);
		return V_DENIED;
	}
	return r;
}

/* It is in the log that it belongs to it, before it can know its keys. 0; what keeper_settle returns. */
static int let_in(struct ingest *in, struct ask *a, struct join_request *q)
{
	struct store_host h = {.id = q->id, .state = HOST_ACTIVE, .enrolled_us = clock_wall_us()};
	struct kept kept = {.channel = PRODUCER_COLLECTOR};
	struct entry e = {.kind = KIND_ENROL,
		.host = &h,
		.with_key = true,
		.urgent = true,
		.has_uid = true,
		.uid = a->uid,
		.text = "a collector of this log"};
	int r;

	if (q->spki.n > sizeof(h.spki))
		return -EINVAL;
	snprintf(h.name, sizeof(h.name), "%s", q->name);
	memcpy(h.spki, q->spki.p, q->spki.n);
	h.spki_len = q->spki.n;
	r = keeper_turn(in->keeper);
	if (r)
		return r;
	keeper_tell(in->keeper, &e, &kept);
	r = in->failed ? in->failed : store_host_put(in->store, &h);
	return r ? r : keeper_settle(in->keeper);
}

static void admit(struct ingest *in, struct ask *a, const char *name, const struct digest *id)
{
	_cleanup_(join_request_deinit) struct join_request q = {.json = NULL};
	_cleanup_buf_ struct buf text = BUF_INIT(JOIN_REQUEST_MAX), sealed = BUF_INIT(JOIN_SEALED_MAX);
	char ca[2 * DIGEST_SIZE + 1];
	struct why why = {""};
	int r = store_shelf_get(in->store, JOIN_ASKING, name, &text);

	if (r == V_NOT_FOUND) {
		answer_error(a->req, 404, "none", "no collector with this id asks to join", 0);
		return;
	}
	r = r == V_FULL ? why_set(&why, V_BAD, "too large") : r ? r : join_request_read(buf_span(&text), id, &q, &why);
	r = r ? r : seal(in, q.certificate, &sealed, &why);
	if (r > 0) {
		answer_error(a->req, 409, "bad", why.text[0] ? why.text : "the request cannot be read", 0);
		return;
	}
	r = r ? r : may_join(in, a, &q);
	if (r == V_DENIED)
		return;
	r = r ? r : let_in(in, a, &q);
	if (r > 0) {
		keeper_failed(in, a, r, "collectors");
		return;
	}
	r = r ? r : store_shelf_put(in->store, JOIN_ADMITTED, name, buf_span(&sealed), NULL);
	r = r ? r : store_shelf_drop(in->store, JOIN_ASKING, name);
	if (r) {
		failed(in, a, r);
		return;
	}
	log_notice("collector %.16s was let in", name);
	answer_json(a->req, 200,
		json_pack("{s:s, s:s, s:s}", "id", name, "name", q.name, "ca",
			hex_encode(ca, in->keys.ca_fingerprint.b, DIGEST_SIZE)));
}

void collectors_post(struct ingest *in, struct ask *a)
{
	struct why why = {""};
	json_t *o = NULL;
	const char *name;
	struct digest id;

	if (!is_shared(in, a))
		return;
	if (ask_object(a->body, &o, &why)) {
		answer_error(a->req, 400, "request", why.text, 0);
		return;
	}
	name = join_text(o, "id");
	/* All of it: it is what tells the right one from one that was made to look like it. */
	if (!name || strlen(name) != 2 * DIGEST_SIZE || hex_decode(name, id.b, DIGEST_SIZE))
		answer_error(a->req, 400, "request", "\"id\": the whole id, as the collector that joins shows it", 0);
	else
		admit(in, a, name, &id);
	json_decref(o);
}
