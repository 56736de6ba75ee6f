/*
 * PCs as witnesses of the log: now and then a few of those that are connected are asked for their cosignature under one
 * checkpoint (a round). Each checks that it extends what it saw before, keeps it, and only then signs. What came is
 * stored with the checkpoint; what did not come is not waited for: nothing else depends on it.
 *
 * A round is of one checkpoint, and most commits have none: a cosignature costs its PC two requests and two writes to
 * its disk, and what it says of a checkpoint it says of every earlier one. At most 15 sign (a verifier refuses a note
 * with more than 16 signatures), by turns.
 */
#include "collector/ingest/cosign.h"
#include "collector/ingest/ask.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/wire/api.h"
#include <errno.h>

#define ROUND_US 30000000 /* how long a round waits for those that were asked */
#define ANSWER_US 5000000 /* who has not answered by then is made up for by another */
#define ASKED_MAX 60u     /* in one round, of which 15 count */
#define OFF_S 86400u      /* a PC whose clock is further off than that says no time */
#define RETRY_S 5u
#define DUTY "cosign"     /* of several collectors one begins a round, by turns: each asks PCs that wait there */
#define GRACE_US 10000000 /* for the others to begin the next one */

struct asked {
	struct digest host;
	int64_t at_us; /* boot clock */
	bool taken;
};

struct cosigning {
	struct ingest *in;
	struct verifier log;
	unsigned turn; /* where in the table of PCs the next are looked for */

	bool open;
	uint64_t size; /* of this round's checkpoint, or the last one's */
	int64_t opened_us;
	struct buf text, note; /* as the log signed it; and with what came */
	struct asked asked[ASKED_MAX];
	unsigned asked_n, taken_n;

	struct {
		uint64_t size, n;
		int64_t at_us; /* wall clock */
	} last;
	uint64_t rounds, refused;
};

/* --- whose key is whose --- */

static int learn(void *ctx, struct span line)
{
	struct ingest *in = ctx;
	char hex[2 * DIGEST_SIZE + 1] = "";
	struct digest host;
	struct peer *p;
	size_t at = strlen(WITNESS_NAME);

	/* Checked when it was taken in; here it only says what is known. */
	if (line.n < at + 2 * DIGEST_SIZE || memcmp(line.p, WITNESS_NAME, at) != 0)
		return 0;
	memcpy(hex, line.p + at, 2 * DIGEST_SIZE);
	if (hex_decode(hex, host.b, DIGEST_SIZE))
		return 0;
	p = peer_of(in, &host);
	if (!p)
		return -ENOMEM;
	digest_span(&p->witness, line);
	return 0;
}

/* A key that this PC did not have: kept, and told. 0, -errno. */
static int take_key(struct ingest *in, const struct store_host *h, struct span line)
{
	struct peer *p = peer_of(in, &h->id);
	struct digest hash;
	char vkey[WITNESS_LINE_MAX + 1];
	struct entry e = {.kind = KIND_WITNESS, .host = h, .text = vkey};
	int r;

	digest_span(&hash, line);
	if (!p)
		return -ENOMEM;
	if (digest_eq(&hash, &p->witness))
		return 0;
	snprintf(vkey, sizeof(vkey), "%.*s", (int)line.n, (const char *)line.p);
	vkey[strcspn(vkey, " ")] = 0;
	r = store_witness_add(in->store, line);
	if (r)
		return r;
	p->witness = hash;
	ingest_tell(in, &e);
	return 0;
}

/* --- rounds --- */

static void end_round(struct cosigning *c)
{
	int r;

	c->open = false;
	c->rounds++;
	if (!c->taken_n)
		return;
	r = store_cosign(c->in->store, buf_span(&c->note));
	if (r == -ENOSPC || r == -EDQUOT) {
		log_error("cosignatures cannot be kept: disk full");
	} else if (r) {
		ingest_fail(c->in, r > 0 ? -EIO : r, "cosignatures");
	} else {
		c->last.size = c->size;
		c->last.n = c->taken_n;
		c->last.at_us = clock_wall_us();
	}
}

static struct asked *asked_of(struct cosigning *c, const struct digest *host)
{
	unsigned i;

	for (i = 0; i < c->asked_n; i++)
		if (digest_eq(&c->asked[i].host, host))
			return &c->asked[i];
	return NULL;
}

/* So many cosignatures may still come from those that were asked. */
static unsigned outstanding(const struct cosigning *c, int64_t now)
{
	unsigned i, n = 0;

	for (i = 0; i < c->asked_n; i++)
		n += !c->asked[i].taken && now - c->asked[i].at_us < ANSWER_US;
	return n;
}

/* Asks others, by turns, where fewer than 15 have signed or may still. */
static void ask_more(struct cosigning *c, int64_t now)
{
	struct ingest *in = c->in;
	unsigned have = c->taken_n + outstanding(c, now), i, cap = in->peers_cap;

	for (i = 0; i < cap && have < COSIGNATURES_MAX && c->asked_n < ASKED_MAX; i++) {
		struct peer *p = &in->peers[(c->turn + i) % cap];

		if (!p->used || asked_of(c, &p->id) || !wait_cosign(p))
			continue;
		c->asked[c->asked_n++] = (struct asked){.host = p->id, .at_us = now};
		have++;
	}
	if (cap)
		c->turn = (c->turn + i) % cap;
}

static void begin_round(struct cosigning *c, int64_t now)
{
	struct span note = store_checkpoint(c->in->store);

	buf_clear(&c->text);
	buf_clear(&c->note);
	if (buf_put_span(&c->text, note) || buf_put_span(&c->note, note))
		return;
	c->size = store_size(c->in->store);
	c->opened_us = now;
	c->asked_n = c->taken_n = 0;
	c->open = true;
	ask_more(c, now);
	if (!c->asked_n) { /* nobody is there: tried again at the next tick */
		c->open = false;
		c->size = 0;
		c->opened_us = 0;
	}
}

void cosign_tick(struct ingest *in)
{
	struct cosigning *c = in->cosigning;
	int64_t now = clock_boot_us();
	int r;

	if (c->open) {
		ask_more(c, now);
		if (now - c->opened_us >= ROUND_US || (c->taken_n && !outstanding(c, now)))
			end_round(c);
		return;
	}
	if (!in->conf.cosign_us || (c->opened_us && now - c->opened_us < (int64_t)in->conf.cosign_us) ||
		store_size(in->store) <= (c->size ? c->size : c->last.size))
		return;
	/* Where nobody waits here, it is left to the others. */
	if (in->sharing && !wait_count(in))
		return;
	r = in->sharing ? store_duty(in->store, DUTY, &in->keys.host, clock_wall_us(), (int64_t)in->conf.cosign_us,
				  GRACE_US)
			: 0;
	if (r < 0)
		ingest_fail(in, r, "cosignatures");
	else if (!r)
		begin_round(c, now);
}

/* --- what PCs say --- */

void cosign_get(struct ingest *in, struct ask *a)
{
	struct cosigning *c = in->cosigning;
	struct merkle_proof p = {.n = 0};
	struct store_host host;
	uint64_t from;
	int r = host_of(in, a, &host);

	if (r)
		return;
	if (ask_query(a->query, "from", &from)) {
		answer_error(a->req, 400, "request", "from=<size> belongs there", 0);
		return;
	}
	r = proof_reaches(in, from);
	if (r == V_END) {
		answer_behind(in, a);
		return;
	}
	if (r) {
		answer_error(a->req, 503, "failed", "the store failed", RETRY_S);
		ingest_fail(in, r, "store");
		return;
	}
	if (!c->open || !asked_of(c, &host.id)) {
		answer_error(a->req, 404, "none", "no cosignature of this PC is asked for", 0);
		return;
	}
	if (from > c->size) {
		answer_error(a->req, 409, "passed", "this PC has seen more of the log", 0);
		return;
	}
	r = from ? store_consistency_of(in->store, from, c->size, &p) : 0;
	if (r) {
		answer_error(a->req, 503, "failed", "the store failed", RETRY_S);
		ingest_fail(in, r > 0 ? -EIO : r, "consistency");
		return;
	}
	answer_json(a->req, 200,
		json_pack("{s:s%, s:o}", "checkpoint", (const char *)c->text.p, c->text.n, "consistency",
			proof_json(&p)));
}

static int refuse(struct cosigning *c, struct ask *a, int status, const char *word, const char *reason)
{
	c->refused++;
	answer_error(a->req, status, word, reason, 0);
	return V_DENIED;
}

/* Is this line the cosignature of that witness under the round's checkpoint? 0; V_DENIED: answered; -errno. */
static int judge(struct cosigning *c, struct ask *a, const struct ask_cosign *q, const struct verifier *w)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX);
	uint64_t now = (uint64_t)clock_wall_us() / 1000000, when = 0;
	struct cosignatures lines;
	struct why why = {""};
	int r = buf_put_span(&note, buf_span(&c->text));

	r = r ? r : buf_put_span(&note, q->cosignature);
	r = r ? r : cosignatures_read(buf_span(&note), &c->log, &lines, &why);
	if (r)
		return r < 0 ? r : refuse(c, a, 400, "request", why.text[0] ? why.text : "too long");
	if (lines.n != 1 || cosignature_check(&lines, 0, w, &when))
		return refuse(c, a, 403, "cosignature", "not this PC's cosignature of the checkpoint asked for");
	if (when > now + OFF_S || now > when + OFF_S)
		return refuse(c, a, 403, "time", "the PC's clock is off by more than a day");
	return 0;
}

static int take(struct cosigning *c, struct ask *a, const struct ask_cosign *q, const struct store_host *h)
{
	struct asked *mine = c->open ? asked_of(c, &h->id) : NULL;
	struct verifier w = {.key = NULL};
	struct why why = {""};
	struct digest host;
	int r;

	if (!mine || c->taken_n == COSIGNATURES_MAX)
		return refuse(c, a, 404, "none", "no cosignature of this PC is asked for");
	if (mine->taken) /* its answer was lost */
		return 0;
	r = witness_read(q->witness, &host, &w, &why);
	if (!r && !digest_eq(&host, &h->id))
		r = why_set(&why, V_BAD, "witness: another PC's key");
	if (r > 0)
		r = refuse(c, a, 403, "proof", why.text);
	r = r ? r : judge(c, a, q, &w);
	verifier_deinit(&w);
	r = r ? r : take_key(c->in, h, q->witness);
	r = r ? r : buf_put_span(&c->note, q->cosignature);
	if (r)
		return r;
	mine->taken = true;
	c->taken_n++;
	return 0;
}

void cosign_post(struct ingest *in, struct ask *a)
{
	struct cosigning *c = in->cosigning;
	struct ask_cosign q = {.json = NULL};
	struct store_host host;
	struct why why = {""};
	int r = host_of(in, a, &host);

	if (r)
		return;
	r = ask_cosign_parse(a->body, &q, &why);
	if (r > 0)
		r = refuse(c, a, 400, "request", why.text);
	r = r ? r : take(c, a, &q, &host);
	ask_cosign_deinit(&q);
	if (r == V_DENIED)
		return;
	if (r) {
		answer_error(a->req, 503, "failed", "the collector failed", RETRY_S);
		if (r != -ENOSPC && r != -EDQUOT)
			ingest_fail(in, r > 0 ? -EIO : r, "cosignature");
		return;
	}
	answer_json(a->req, 200, json_object());
	if (c->open && (c->taken_n == COSIGNATURES_MAX || !outstanding(c, clock_boot_us())))
		end_round(c);
}

void cosigned_get(struct ingest *in, struct ask *a)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX);
	uint64_t size;
	int r = store_cosigned(in->store, &note, &size);

	if (!r)
		answer_bytes(a->req, "text/plain; charset=utf-8", false, buf_span(&note));
	else
		answer_error(a->req, r < 0 ? 503 : 404, "none", "no checkpoint has been cosigned yet", 0);
}

void witnesses_get(struct ingest *in, struct ask *a)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX), lines = BUF_INIT(WITNESSES_MAX);
	uint64_t size;
	int r = store_cosigned(in->store, &note, &size);

	r = r ? r : store_witnesses_of(in->store, buf_span(&note), &lines);
	if (!r)
		answer_bytes(a->req, "text/plain; charset=utf-8", false, buf_span(&lines));
	else
		answer_error(a->req, r < 0 ? 503 : 404, "none", "no checkpoint has been cosigned yet", 0);
}

/* --- all of it --- */

json_t *cosign_json(const struct ingest *in)
{
	const struct cosigning *c = in->cosigning;

	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "size", (json_int_t)c->last.size, "by", (json_int_t)c->last.n,
		"at", (json_int_t)c->last.at_us, "rounds", (json_int_t)c->rounds, "refused", (json_int_t)c->refused);
}

/* What was cosigned before this start. */
static int load_last(struct cosigning *c)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX);
	struct cosignatures lines;
	int r = store_cosigned(c->in->store, &note, &c->last.size);

	if (!r && !cosignatures_read(buf_span(&note), &c->log, &lines, NULL))
		c->last.n = lines.n;
	return r < 0 ? r : 0;
}

int cosign_open(struct ingest *in, struct why *why)
{
	struct cosigning *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	in->cosigning = c;
	c->in = in;
	c->text = BUF_INIT(NOTE_SIZE_MAX);
	c->note = BUF_INIT(NOTE_SIZE_MAX);
	r = verifier_decode(buf_span(&in->keys.vkey), &c->log, why);
	r = r ? r : load_last(c);
	return r ? r : store_witness_each(in->store, learn, in);
}

int cosign_again(struct ingest *in)
{
	static const struct digest none;
	unsigned i;

	for (i = 0; i < in->peers_cap; i++)
		in->peers[i].witness = none;
	return store_witness_each(in->store, learn, in);
}

void cosign_close(struct ingest *in, bool well)
{
	struct cosigning *c = in->cosigning;

	if (!c)
		return;
	if (well && c->open && c->taken_n)
		end_round(c);
	verifier_deinit(&c->log);
	buf_deinit(&c->text);
	buf_deinit(&c->note);
	free(c);
	in->cosigning = NULL;
}
