/*
 * What a collector that wants to join puts where the others see it. See join.h. Anybody who may write to the database
 * can put something there: read as what comes from outside.
 */
#include "collector/ingest/ask.h"
#include "collector/ingest/join.h"
#include "collector/ingest/token.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>

#define PURPOSE "sekisho join 1"

const char *const join_parts[JOIN_PARTS] = {"ca_key", "ca_crt", "log_key", "log_vkey", "admins"};

const char *join_part(const struct config *c, size_t i)
{
	const char *const paths[JOIN_PARTS] = {c->ca_key, c->ca_crt, c->log_key, c->log_vkey, c->admins};

	return paths[i];
}

static int to_sign(const char *name, const char *certificate, struct buf *out)
{
	int r = buf_put(out, PURPOSE, sizeof(PURPOSE));

	r = r ? r : buf_put(out, name, strlen(name) + 1);
	return r ? r : buf_puts(out, certificate);
}

void join_request_deinit(struct join_request *q)
{
	json_decref(q->json);
	buf_deinit(&q->spki);
}

const char *join_text(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	const char *text = json_string_value(v);

	return text && strlen(text) == json_string_length(v) ? text : NULL;
}

int join_request_read(struct span text, const struct digest *id, struct join_request *out, struct why *why)
{
	_cleanup_(join_request_deinit) struct join_request q = {.spki = BUF_INIT(512)};
	_cleanup_buf_ struct buf message = BUF_INIT(JOIN_REQUEST_MAX), proof = BUF_INIT(2 * SIGNATURE_SIZE);
	_cleanup_(key_freep) struct key *device = NULL;
	const char *name, *key, *signature;
	int r = text.n > JOIN_REQUEST_MAX ? why_set(why, V_BAD, "too large")
					  : ask_object_of(text, JOIN_REQUEST_MAX, &q.json, why);

	if (r)
		return r;
	name = join_text(q.json, "name");
	key = join_text(q.json, "key");
	signature = join_text(q.json, "proof");
	q.certificate = join_text(q.json, "certificate");
	if (!name || !key || !signature || !q.certificate || !name_fits(name) ||
		strncmp(name, JOIN_NAME, strlen(JOIN_NAME)) != 0)
		return why_set(why, V_BAD, "no request to join");
	snprintf(q.name, sizeof(q.name), "%s", name);
	if (base64_decode(&q.spki, SPAN_STR(key)) || base64_decode(&proof, SPAN_STR(signature)) ||
		key_from_public_der(buf_span(&q.spki), &device, NULL) || key_type(device) != KEY_P256)
		return why_set(why, V_BAD, "no P-256 device key");
	r = key_id(device, &q.id);
	r = r ? r : to_sign(q.name, q.certificate, &message);
	if (r)
		return r < 0 ? r : why_set(why, V_BAD, "too large");
	if (!digest_eq(&q.id, id) || key_verify(device, buf_span(&message), buf_span(&proof)))
		return why_set(why, V_BAD, "the device key did not sign this request");
	*out = q;
	memset(&q, 0, sizeof(q));
	return 0;
}

int join_request_write(const struct key *device, const char *name, const char *certificate, struct buf *out)
{
	_cleanup_buf_ struct buf der = BUF_INIT(512), key = BUF_INIT(1024), proof = BUF_INIT(256),
				 message = BUF_INIT(JOIN_REQUEST_MAX);
	_cleanup_free_ char *text = NULL;
	uint8_t signature[SIGNATURE_SIZE];
	json_t *o;
	int r = key_public_der(device, &der);

	r = r ? r : base64_encode(&key, buf_span(&der));
	r = r ? r : to_sign(name, certificate, &message);
	r = r ? r : key_sign(device, buf_span(&message), signature);
	r = r ? r : base64_encode(&proof, SPAN(signature, sizeof(signature)));
	if (r)
		return r;
	o = json_pack("{s:s, s:s%, s:s%, s:s, s:I}", "name", name, "key", (const char *)key.p, key.n, "proof",
		(const char *)proof.p, proof.n, "certificate", certificate, "at", (json_int_t)clock_wall_us());
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return text ? buf_puts(out, text) : -ENOMEM;
}
