/*
 * JSON of the collector to structures. Called by what sent the request; fuzzed by tests/fuzz/uplink. Must never trust a
 * length, a type or a number: the collector may be somebody else's by now.
 */
#include "agent/uplink/answer.h"
#include "policy/base/text.h"
#include <ctype.h>
#include <jansson.h>

static int load(struct span in, json_t **out, struct why *why)
{
	char shown[96];
	json_error_t e;
	json_t *j;

	if (in.n > API_ANSWER_MAX)
		return why_set(why, V_BAD, "answer larger than %u bytes", API_ANSWER_MAX);
	j = json_loadb((const char *)in.p, in.n, JSON_REJECT_DUPLICATES, &e);
	if (!j)
		return why_set(why, V_BAD, "answer is not JSON: %s at byte %d",
			text_escape_to(shown, sizeof(shown), SPAN_STR(e.text)), e.position);
	if (!json_is_object(j)) {
		json_decref(j);
		return why_set(why, V_BAD, "answer is no JSON object");
	}
	*out = j;
	return 0;
}

static int get_uint(const json_t *o, const char *name, uint64_t *out, struct why *why)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return why_set(why, V_BAD, "answer: \"%s\" is no unsigned number", name);
	*out = (uint64_t)json_integer_value(v);
	return 0;
}

/* A string that fits into `out` with its NUL; copied as it is. */
static int get_str(const json_t *o, const char *name, char *out, size_t size, struct why *why)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_string(v))
		return why_set(why, V_BAD, "answer: \"%s\" is no string", name);
	if (json_string_length(v) >= size)
		return why_set(why, V_BAD, "answer: \"%s\" is longer than %zu bytes", name, size - 1);
	memcpy(out, json_string_value(v), json_string_length(v) + 1);
	return 0;
}

/* Words for people: escaped, cut where they are long, empty where there are none. */
static void get_shown(const json_t *o, const char *name, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(o, name));

	text_escape_to(out, size, SPAN_STR(s ? s : ""));
}

static int get_proof(const json_t *o, const char *name, struct merkle_proof *out, struct why *why)
{
	const json_t *a = json_object_get(o, name), *v;
	size_t i;

	if (!json_is_array(a))
		return why_set(why, V_BAD, "answer: \"%s\" is no array", name);
	if (json_array_size(a) > MERKLE_PROOF_MAX)
		return why_set(why, V_BAD, "answer: \"%s\" has more than %u hashes", name, MERKLE_PROOF_MAX);
	out->n = 0;
	json_array_foreach(a, i, v)
	{
		_cleanup_buf_ struct buf hash = BUF_INIT(DIGEST_SIZE + 3); /* decoding reserves whole groups */

		if (!json_is_string(v) || base64_decode(&hash, SPAN(json_string_value(v), json_string_length(v))) ||
			hash.n != DIGEST_SIZE)
			return why_set(why, V_BAD, "answer: \"%s\"[%zu] is no SHA-256 in base64", name, i);
		memcpy(out->h[out->n++].b, hash.p, DIGEST_SIZE);
	}
	return 0;
}

static int get_log(const json_t *o, struct log_state *out, struct why *why)
{
	int r = get_str(o, "checkpoint", out->checkpoint, sizeof(out->checkpoint), why);

	return r ? r : get_proof(o, "consistency", &out->consistency, why);
}

static int get_result(const json_t *o, struct result *out, struct why *why)
{
	static const char *const names[] = {[RESULT_STORED] = "stored",
		[RESULT_KNOWN] = "known",
		[RESULT_GAP] = "gap",
		[RESULT_REFUSED] = "refused"};
	const char *status = json_string_value(json_object_get(o, "status"));
	unsigned s;
	int r;

	memset(out, 0, sizeof(*out));
	if (!status)
		return why_set(why, V_BAD, "answer: \"status\" is no string");
	for (s = RESULT_STORED; s <= RESULT_REFUSED && strcmp(names[s], status) != 0; s++)
		;
	if (s > RESULT_REFUSED)
		return why_set(why, V_BAD, "answer: \"status\" is none that there is");
	out->status = s;
	out->has_seq = json_is_integer(json_object_get(o, "seq"));
	if (out->has_seq || s != RESULT_REFUSED) {
		r = get_uint(o, "seq", &out->seq, why);
		if (r)
			return r;
	}
	switch (out->status) {
	case RESULT_STORED:
	case RESULT_KNOWN:
		r = get_uint(o, "index", &out->index, why);
		return r ? r : get_proof(o, "proof", &out->proof, why);
	case RESULT_GAP:
		return get_uint(o, "expected", &out->expected, why);
	case RESULT_REFUSED:
		get_shown(o, "cause", out->cause, sizeof(out->cause));
		get_shown(o, "reason", out->reason, sizeof(out->reason));
	}
	return 0;
}

int answer_segments(struct span json, unsigned n, struct answer *out, struct why *why)
{
	json_auto_t *o = NULL;
	const json_t *results, *v;
	size_t i;
	int r = load(json, &o, why);

	if (r)
		return r;
	results = json_object_get(o, "results");
	if (!json_is_array(results) || n > API_SEGMENTS_MAX || json_array_size(results) != n)
		return why_set(why, V_BAD, "answer: not %u results", n);
	out->n = n;
	json_array_foreach(results, i, v)
	{
		r = get_result(v, &out->results[i], why);
		if (r)
			return r;
	}
	return get_log(o, &out->log, why);
}

int answer_consistency(struct span json, struct log_state *out, struct why *why)
{
	json_auto_t *o = NULL;
	int r = load(json, &o, why);

	return r ? r : get_log(o, out, why);
}

int answer_wait(struct span json, struct wait_answer *out, struct buf *policy, struct why *why)
{
	json_auto_t *o = NULL;
	const json_t *v;
	struct wait_answer a = {0};
	int r = load(json, &o, why);

	if (!r)
		r = get_uint(o, "follow", &a.follow_s, why);
	if (!r)
		r = get_uint(o, "policy", &a.policy, why);
	if (r)
		return r;
	a.cosign = json_is_true(json_object_get(o, "cosign"));
	v = json_object_get(o, "signed");
	if (v && (!json_is_string(v) || base64_decode(policy, SPAN(json_string_value(v), json_string_length(v)))))
		return why_set(
			why, V_BAD, "answer: \"signed\" is no base64 of at most %u bytes", API_POLICY_HANDED_MAX);
	if (a.follow_s > ANSWER_FOLLOW_MAX_S)
		a.follow_s = ANSWER_FOLLOW_MAX_S;
	*out = a;
	return 0;
}

int answer_enrol(struct span json, struct enrol_answer *out, struct why *why)
{
	json_auto_t *o = NULL;
	int r = load(json, &o, why);

	if (!r)
		r = get_str(o, "host", out->host, sizeof(out->host), why);
	if (!r)
		r = get_str(o, "certificate", out->certificate, sizeof(out->certificate), why);
	if (!r)
		r = get_str(o, "ca", out->ca, sizeof(out->ca), why);
	if (!r)
		r = get_str(o, "log", out->log, sizeof(out->log), why);
	if (!r)
		get_shown(o, "collector", out->collector, sizeof(out->collector));
	if (!r && json_object_get(o, "admins"))
		r = get_str(o, "admins", out->admins, sizeof(out->admins), why);
	return r;
}

int answer_renew(struct span json, char *certificate, size_t size, struct why *why)
{
	json_auto_t *o = NULL;
	int r = load(json, &o, why);

	return r ? r : get_str(o, "certificate", certificate, size, why);
}

void answer_error(struct span json, struct error_answer *out)
{
	json_auto_t *o = NULL;
	const char *p;

	memset(out, 0, sizeof(*out));
	if (load(json, &o, NULL))
		return;
	get_shown(o, "reason", out->reason, sizeof(out->reason));
	if (get_str(o, "checkpoint", out->checkpoint, sizeof(out->checkpoint), NULL))
		out->checkpoint[0] = 0;
	if (get_str(o, "error", out->error, sizeof(out->error), NULL))
		out->error[0] = 0;
	for (p = out->error; *p; p++)
		if (!islower((unsigned char)*p) && *p != '-') {
			out->error[0] = 0;
			return;
		}
}
