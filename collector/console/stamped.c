/*
 * By which time a record was in the log, by the word of an authority that is not ours (RFC 3161): the first stamped
 * checkpoint that covers its segment, the proof that it stands in that one, and the token. All that anybody needs to
 * check it without this server:
 *
 *   openssl ts -verify -in FILE.tsr -data FILE.stamped -CAfile CA
 *
 * Checked here for this very answer: the log's signature of that checkpoint, the place in its tree, the token's
 * imprint; and the authority, where collector.conf says who may be one.
 */
#include "collector/console/stamped.h"
#include "collector/console/look.h"
#include "collector/store/stamps.h"
#include "policy/base/file.h"
#include "policy/trust/proof.h"
#include "policy/trust/timestamp.h"

struct stamped {
	struct buf note, token, proof;
	struct timestamp t;
	int trusted; /* -1: nobody said who may be an authority */
	struct why why;
};

/* The log's own part: 0 where the leaf stands in that checkpoint. */
static int prove(struct console *c, uint64_t index, const struct digest *leaf, uint64_t size, struct stamped *s)
{
	struct merkle_proof proof = {.n = 0};
	struct checkpoint at;
	int r = checkpoint_verify(buf_span(&s->note), &c->log, &at, &s->why);

	if (!r && at.size != size)
		r = why_set(&s->why, V_BAD, "the stamped checkpoint is of another size than its name");
	r = r ? r : store_prove_of(c->store, index, size, &proof);
	if (!r && merkle_verify_inclusion(index, size, leaf, &proof, &at.root))
		r = why_set(&s->why, V_BAD, "the stamped checkpoint does not have this segment at this place");
	return r ? r : proof_write(index, &proof, buf_span(&s->note), &s->proof);
}

/* The authority's part. */
static int judge_token(struct console *c, struct stamped *s)
{
	_cleanup_(timestamp_trust_freep) struct timestamp_trust *trust = NULL;
	struct timestamp t;
	int r = timestamp_read(buf_span(&s->token), buf_span(&s->note), &s->t, &s->why);

	s->trusted = -1;
	if (r || !c->conf.timestamps_ca[0])
		return r;
	r = timestamp_trust_load(c->conf.timestamps_ca, &trust, &s->why);
	/* A file that is not to be read is its administrator's matter: nobody is trusted then, and it is said. */
	if (r)
		return r == -ENOMEM ? r : why_set(&s->why, V_BAD, "%s: cannot be read", c->conf.timestamps_ca);
	r = timestamp_verify(trust, buf_span(&s->token), buf_span(&s->note), SPAN(NULL, 0), &t, &s->why);
	s->trusted = !r;
	return r < 0 ? r : 0;
}

static int find(struct console *c, uint64_t index, const struct digest *leaf, struct stamped *s)
{
	char path[PATH_MAX];
	uint64_t size;
	int r = stamp_find(c->conf.timestamps, index + 1, store_size(c->store), &size);

	if (r == V_NOT_FOUND || r == -EACCES || (!r && size <= index))
		return V_NOT_FOUND;
	stamp_path(path, c->conf.timestamps, size, "checkpoint");
	r = r ? r : file_read(path, &s->note);
	stamp_path(path, c->conf.timestamps, size, "tsr");
	r = r ? r : file_read(path, &s->token);
	r = r ? r : prove(c, index, leaf, size, s);
	return r ? r : judge_token(c, s);
}

int stamped_json(struct console *c, uint64_t index, const struct digest *leaf, json_t **out)
{
	struct stamped s = {
		.note = BUF_INIT(NOTE_SIZE_MAX), .token = BUF_INIT(TIMESTAMP_MAX), .proof = BUF_INIT(PROOF_SIZE_MAX)};
	int r = find(c, index, leaf, &s);

	if (r == V_NOT_FOUND) {
		*out = json_null();
		r = 0;
	} else if (r > 0) {
		/* It says nothing of the time then; that it is there and is not good is to be seen. */
		*out = json_pack("{s:o}", "why", text_json(SPAN_STR(s.why.text[0] ? s.why.text : "cannot be read")));
		r = 0;
	} else if (!r) {
		*out = json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "time", time_json(s.t.time_us),
			"authority", text_json(SPAN_STR(s.t.signer)), "policy", s.t.policy, "serial", s.t.serial,
			"accuracy_us", s.t.accuracy_us < 0 ? json_null() : json_integer(s.t.accuracy_us), "trusted",
			s.trusted < 0 ? json_null() : json_boolean(s.trusted), "why",
			s.trusted == 0 ? text_json(SPAN_STR(s.why.text)) : json_null(), "checkpoint",
			text_json(buf_span(&s.note)), "tlog_proof", text_json(buf_span(&s.proof)), "token",
			base64_json(buf_span(&s.token)));
	}
	buf_deinit(&s.note);
	buf_deinit(&s.token);
	buf_deinit(&s.proof);
	return r;
}
