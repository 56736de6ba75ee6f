/* Judging segments against a real store: the rules of a chain, one by one. */
#include "collector/ingest/judge.h"
#include "collector/ingest/rows.h"
#include "policy/wire/body.h"
#include "tests/unit/cm.h"
#include <stdlib.h>
#include <unistd.h>

static char dir[64];
static struct store *store;
static struct judge *judge;
static struct key *log_key;

/* A PC with one chain. */
struct pc {
	struct key *device, *epoch_key;
	struct store_host host;
	struct epoch epoch;
	struct header next; /* of the next segment */
	struct buf cert, handover, bytes, raw;
};

static void pc_begin(struct pc *p)
{
	memset(p, 0, sizeof(*p));
	p->cert = p->handover = BUF_INIT(2048);
	p->bytes = BUF_INIT(SEGMENT_MAX);
	p->raw = BUF_INIT(BODY_RAW_MAX);
	assert_int_equal(key_new(KEY_P256, &p->device), 0);
	assert_int_equal(key_id(p->device, &p->host.id), 0);
	p->next.host = p->host.id;
	p->next.producer = PRODUCER_RECORDER;
	p->next.first_us = p->next.last_us = 1795428000000000;
}

static void pc_end(struct pc *p)
{
	key_free(p->device);
	key_free(p->epoch_key);
	buf_deinit(&p->cert);
	buf_deinit(&p->handover);
	buf_deinit(&p->bytes);
	buf_deinit(&p->raw);
}

/* A new sealing key; the next segment carries its certificate. */
static void pc_epoch(struct pc *p, uint64_t number, bool handover)
{
	struct key *old = p->epoch_key;

	p->epoch_key = NULL;
	p->epoch =
		(struct epoch){.host = p->host.id, .producer = p->next.producer, .number = number, .not_after_us = 1};
	assert_int_equal(key_new(KEY_ED25519, &p->epoch_key), 0);
	assert_int_equal(key_public_raw(p->epoch_key, p->epoch.public_key), 0);
	buf_clear(&p->cert);
	buf_clear(&p->handover);
	assert_int_equal(epoch_certify(p->device, &p->epoch, &p->cert), 0);
	if (handover)
		assert_int_equal(handover_sign(old, buf_span(&p->cert), &p->handover), 0);
	key_free(old);
	p->next.epoch = number;
	p->next.epoch_cert = buf_span(&p->cert);
	p->next.handover = buf_span(&p->handover);
}

/* Seals the next segment into p->bytes. */
static void pc_seal(struct pc *p, struct segment *out)
{
	struct segment_writer w = {.epoch_key = p->epoch_key, .header = p->next};
	struct digest hash;
	struct why why;

	buf_clear(&p->bytes);
	assert_int_equal(segment_seal(&w, buf_span(&p->raw), &p->bytes, &hash), 0);
	assert_int_equal(segment_parse(buf_span(&p->bytes), out, &why), 0);
}

/* The chain goes on behind it. */
static void pc_step(struct pc *p, const struct segment *s)
{
	p->next.seq++;
	p->next.has_prev = true;
	p->next.prev = s->hash;
	p->next.epoch_cert = p->next.handover = SPAN(NULL, 0);
	p->next.flags = 0;
}

static struct judgement ask_lost(struct pc *p, const struct segment *s, bool *lost)
{
	struct judgement j;

	assert_int_equal(judge_segment(judge, s, &p->host, p->device, lost, &j), 0);
	return j;
}

static struct judgement ask(struct pc *p, const struct segment *s)
{
	bool lost = false;

	return ask_lost(p, s, &lost);
}

static void good(struct pc *p)
{
	struct segment s;
	struct judgement j;

	pc_seal(p, &s);
	j = ask(p, &s);
	if (j.as != JUDGED_STORED)
		fail_msg("not stored: %s", j.why.text);
	assert_int_equal(j.found, 0);
	pc_step(p, &s);
}

static void refused(struct pc *p, unsigned cause)
{
	struct segment s;
	struct judgement j;

	pc_seal(p, &s);
	j = ask(p, &s);
	assert_int_equal(j.as, JUDGED_REFUSED);
	assert_int_equal(j.cause, cause);
	assert_true(j.why.text[0]);
}

static int begin(void **state)
{
	struct store_options o = {.origin = "test.example/log", .dir = dir};
	struct why why = {""};

	(void)state;
	strcpy(dir, "/tmp/sekisho-judge-XXXXXX");
	if (!mkdtemp(dir) || key_new(KEY_ED25519, &log_key))
		return -1;
	o.log_key = log_key;
	return store_open(&o, &store, &why) || judge_new(store, &judge);
}

static int end(void **state)
{
	char cmd[128];

	(void)state;
	judge_free(judge);
	store_close(store);
	key_free(log_key);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static void a_chain(void **state)
{
	struct segment s;
	struct judgement j;
	uint64_t first;
	struct pc p;

	(void)state;
	pc_begin(&p);
	pc_epoch(&p, 1, false);
	pc_seal(&p, &s);
	j = ask(&p, &s);
	assert_int_equal(j.as, JUDGED_STORED);
	first = j.index;
	assert_int_equal(ask(&p, &s).as, JUDGED_KNOWN);
	assert_int_equal(store_commit(store), 0);
	j = ask(&p, &s);
	assert_int_equal(j.as, JUDGED_KNOWN);
	assert_int_equal(j.index, first);
	pc_step(&p, &s);
	good(&p);
	good(&p);
	pc_epoch(&p, 2, true);
	good(&p);
	good(&p);
	pc_end(&p);
}

static void epochs(void **state)
{
	struct key *old;
	struct pc p;

	(void)state;
	pc_begin(&p);
	pc_epoch(&p, 1, false);
	p.next.epoch_cert = SPAN(NULL, 0);
	refused(&p, CAUSE_BAD_EPOCH); /* without a certificate */
	p.next.epoch_cert = buf_span(&p.cert);
	good(&p);
	/* A certificate a second time; the epoch of another number; a key that nobody certified. */
	p.next.epoch_cert = buf_span(&p.cert);
	refused(&p, CAUSE_BAD_EPOCH);
	p.next.epoch_cert = SPAN(NULL, 0);
	p.next.epoch = 2;
	refused(&p, CAUSE_BAD_EPOCH);
	p.next.epoch = 1;
	old = p.epoch_key;
	assert_int_equal(key_new(KEY_ED25519, &p.epoch_key), 0);
	refused(&p, CAUSE_BAD_EPOCH);
	key_free(p.epoch_key);
	p.epoch_key = old;
	good(&p);
	/* The handover is another key's. */
	pc_epoch(&p, 5, true);
	buf_clear(&p.handover);
	assert_int_equal(handover_sign(p.epoch_key, buf_span(&p.cert), &p.handover), 0);
	p.next.handover = buf_span(&p.handover);
	refused(&p, CAUSE_BAD_EPOCH);
	p.next.handover = SPAN(NULL, 0); /* a new start has none */
	good(&p);
	/* Back to an older number. */
	pc_epoch(&p, 3, false);
	refused(&p, CAUSE_BAD_EPOCH);
	pc_end(&p);
}

static void foreign(void **state)
{
	struct pc p, q;
	struct segment s;
	struct judgement j;

	(void)state;
	pc_begin(&p);
	pc_begin(&q);
	pc_epoch(&p, 1, false);
	pc_epoch(&q, 1, false);
	pc_seal(&q, &s);
	j = ask(&p, &s);
	assert_int_equal(j.as, JUDGED_REFUSED);
	assert_int_equal(j.cause, CAUSE_FOREIGN);
	assert_int_equal(ask(&q, &s).as, JUDGED_STORED);
	p.next.producer = PRODUCER_COLLECTOR;
	refused(&p, CAUSE_FOREIGN);
	p.next.producer = PRODUCER_RECORDER;
	good(&p);
	/* A predecessor from another PC's chain. */
	p.next.prev = s.hash;
	refused(&p, CAUSE_BAD_CHAIN);
	pc_end(&p);
	pc_end(&q);
}

static void gaps(void **state)
{
	struct segment s;
	struct judgement j;
	bool lost = false;
	struct pc p;

	(void)state;
	pc_begin(&p);
	pc_epoch(&p, 1, false);
	good(&p);
	good(&p);
	pc_seal(&p, &s); /* 2: never arrives */
	pc_step(&p, &s);
	pc_seal(&p, &s);
	j = ask(&p, &s);
	assert_int_equal(j.as, JUDGED_GAP);
	assert_int_equal(j.expected, 2);
	lost = true;
	j = ask_lost(&p, &s, &lost);
	assert_int_equal(j.as, JUDGED_STORED);
	assert_int_equal(j.found, FOUND_GAP);
	assert_int_equal(j.gap_from, 2);
	assert_int_equal(j.gap_to, 2);
	assert_false(lost); /* it was for one gap */
	pc_step(&p, &s);
	good(&p);
	/* Not the predecessor's number plus one. */
	p.next.seq += 3;
	refused(&p, CAUSE_BAD_CHAIN);
	/* Nothing is known of this chain at all, and its certificate is in what is missing. */
	pc_end(&p);
	pc_begin(&p);
	pc_epoch(&p, 4, false);
	pc_seal(&p, &s);
	pc_step(&p, &s);
	pc_seal(&p, &s);
	j = ask(&p, &s);
	assert_int_equal(j.as, JUDGED_GAP);
	assert_int_equal(j.expected, 0);
	lost = true;
	j = ask_lost(&p, &s, &lost);
	assert_int_equal(j.as, JUDGED_REFUSED); /* nobody can say whose it is */
	assert_int_equal(j.cause, CAUSE_BAD_EPOCH);
	pc_end(&p);
}

static void forks(void **state)
{
	struct segment s;
	struct judgement j;
	struct digest before;
	struct pc p;

	(void)state;
	pc_begin(&p);
	pc_epoch(&p, 1, false);
	good(&p);
	before = p.next.prev;
	good(&p);
	good(&p);
	/* Another successor of the first. */
	p.next.seq = 1;
	p.next.prev = before;
	pc_seal(&p, &s);
	j = ask(&p, &s);
	assert_int_equal(j.as, JUDGED_STORED);
	assert_int_equal(j.found, FOUND_FORK);
	/* A beginning that says what it is, and one that does not. */
	p.next.seq = 0;
	p.next.has_prev = false;
	pc_epoch(&p, 1, false);
	p.next.flags = SF_REJOIN;
	pc_seal(&p, &s);
	j = ask(&p, &s);
	assert_int_equal(j.as, JUDGED_STORED);
	assert_int_equal(j.found, FOUND_REJOIN);
	pc_epoch(&p, 1, false);
	p.next.flags = 0;
	pc_seal(&p, &s);
	j = ask(&p, &s);
	assert_int_equal(j.as, JUDGED_STORED);
	assert_int_equal(j.found, FOUND_FORK);
	pc_end(&p);
}

/* A PC that makes one history after another does not make the disk work for each. */
static void many_forks(void **state)
{
	struct segment s;
	struct digest before;
	uint64_t committed;
	struct pc p;
	unsigned i;

	(void)state;
	pc_begin(&p);
	pc_epoch(&p, 1, false);
	good(&p);
	before = p.next.prev;
	good(&p);
	committed = store_size(store);
	for (i = 0; i < 10; i++) {
		struct judgement j;

		p.next.seq = 1;
		p.next.prev = before;
		p.next.first_us++;
		pc_seal(&p, &s);
		j = ask(&p, &s);
		assert_int_equal(j.as, JUDGED_STORED);
		assert_int_equal(j.found, FOUND_FORK);
		/* The new end goes on by itself. */
		pc_step(&p, &s);
		good(&p);
	}
	assert_int_equal(store_size(store), committed);
	pc_end(&p);
}

static void bodies(void **state)
{
	struct segment s;
	struct judgement j;
	struct pc p;

	(void)state;
	pc_begin(&p);
	pc_epoch(&p, 1, false);
	good(&p);
	/* Signed, and no body by the format: stored, and told. */
	assert_int_equal(buf_puts(&p.raw, "no CBOR of ours"), 0);
	pc_seal(&p, &s);
	j = ask(&p, &s);
	assert_int_equal(j.as, JUDGED_STORED);
	assert_int_equal(j.found, FOUND_BODY);
	assert_true(j.why.text[0]);
	pc_step(&p, &s);
	/* More records than there are. */
	buf_clear(&p.raw);
	p.next.count = 3;
	pc_seal(&p, &s);
	assert_int_equal(ask(&p, &s).found, FOUND_BODY);
	pc_step(&p, &s);
	p.next.count = 0;
	/* Not the signed one, new and known. */
	pc_seal(&p, &s);
	p.bytes.p[p.bytes.n - 1] ^= 1;
	j = ask(&p, &s);
	assert_int_equal(j.as, JUDGED_REFUSED);
	assert_int_equal(j.cause, CAUSE_BAD_BODY);
	p.bytes.p[p.bytes.n - 1] ^= 1;
	assert_int_equal(ask(&p, &s).as, JUDGED_STORED);
	p.bytes.p[p.bytes.n - 1] ^= 1;
	j = ask(&p, &s);
	assert_int_equal(j.as, JUDGED_REFUSED);
	assert_int_equal(j.cause, CAUSE_BAD_BODY);
	pc_end(&p);
}

static void split(void **state)
{
	_cleanup_buf_ struct buf body = BUF_INIT(API_SEGMENTS_BODY_MAX);
	struct rows *rows = malloc(sizeof(*rows));
	struct segment s;
	struct why why;
	struct pc p;
	size_t one, n;
	unsigned i;

	(void)state;
	assert_non_null(rows);
	pc_begin(&p);
	pc_epoch(&p, 1, false);
	pc_seal(&p, &s);
	one = s.bytes.n;
	for (i = 0; i < 3; i++)
		assert_int_equal(buf_put_span(&body, s.bytes), 0);
	assert_int_equal(rows_split(buf_span(&body), rows, &why), 0);
	assert_int_equal(rows->n, 3);
	assert_int_equal(rows->at[2].bytes.n, one);
	for (n = 0; n < 3 * one; n++)
		assert_int_equal(rows_split(SPAN(body.p, n), rows, &why), n && n % one == 0 ? 0 : V_BAD);
	for (; i <= API_SEGMENTS_MAX; i++)
		assert_int_equal(buf_put_span(&body, s.bytes), 0);
	assert_int_equal(rows_split(buf_span(&body), rows, &why), V_BAD);
	free(rows);
	pc_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain),
		cmocka_unit_test(epochs),
		cmocka_unit_test(foreign),
		cmocka_unit_test(gaps),
		cmocka_unit_test(forks),
		cmocka_unit_test(many_forks),
		cmocka_unit_test(bodies),
		cmocka_unit_test(split),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
