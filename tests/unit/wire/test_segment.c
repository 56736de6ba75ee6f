/* Segments: sealed ones open, everything else is refused with its own cause. */
#include "policy/base/clock.h"
#include "policy/wire/body.h"
#include "policy/wire/segment.h"
#include "tests/unit/cm.h"

static struct key *device, *other_device, *epoch_key, *other_key;
static struct epoch epoch;
static struct buf cert = BUF_INIT(1024);
static struct body_writer w;

static int64_t sealed_at; /* boot clock of what make() seals */

static void make(struct buf *out, uint64_t seq, const struct key *k, unsigned records, struct digest *hash)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(BODY_RAW_MAX);
	struct segment_writer sw = {.epoch_key = k};
	struct digest scratch;
	static struct record r;
	unsigned i;

	body_begin(&w, &raw);
	for (i = 0; i < records; i++) {
		record_reset(&r);
		record_set_uint(&r, F_KIND, KIND_EXEC);
		record_set_uint(&r, F_PID, 100 + i % 10);
		record_set_str(&r, F_PATH, "/usr/bin/true");
		assert_int_equal(body_put(&w, &r), 0);
	}
	sw.header.host = epoch.host;
	sw.header.producer = PRODUCER_RECORDER;
	memcpy(sw.header.boot, epoch.boot, 16);
	sw.header.epoch = epoch.number;
	sw.header.seq = seq;
	sw.header.has_prev = seq != 0;
	sw.header.count = records;
	sw.header.boot_us = sealed_at;
	sw.header.lost_n = 1;
	sw.header.lost[0].cause = CAUSE_RING_FULL;
	sw.header.lost[0].n = 3;
	sw.header.seen_size = 9;
	sw.header.epoch_cert = buf_span(&cert);
	assert_int_equal(segment_seal(&sw, buf_span(&raw), out, hash ? hash : &scratch), 0);
}

static void means_are_names(void **state)
{
	static const struct {
		const char *said;
		int verdict;
	} tries[] = {{"", 0}, {"open,erofs,flag", 0}, {"<b>", V_BAD}, {"Open", V_BAD}};
	struct segment_writer sw = {.epoch_key = epoch_key};
	struct digest hash;
	struct segment s;
	size_t i;

	(void)state;
	sw.header.host = epoch.host;
	sw.header.producer = PRODUCER_GUARD;
	sw.header.has_means = true;
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		_cleanup_buf_ struct buf seg = BUF_INIT(SEGMENT_MAX);

		sw.header.means = SPAN_STR(tries[i].said);
		assert_int_equal(segment_seal(&sw, SPAN(NULL, 0), &seg, &hash), 0);
		assert_int_equal(segment_parse(buf_span(&seg), &s, NULL), tries[i].verdict);
		if (!tries[i].verdict)
			assert_true(s.header.has_means && span_eq(s.header.means, SPAN_STR(tries[i].said)));
	}
}

static void a_sealed_segment_opens(void **state)
{
	_cleanup_buf_ struct buf seg = BUF_INIT(SEGMENT_MAX), raw = BUF_INIT(BODY_RAW_MAX);
	_cleanup_(body_reader_freep) struct body_reader *br = NULL;
	static struct record r;
	struct digest hash;
	struct segment s;
	struct epoch e;
	struct why why = {""};
	unsigned n = 0;

	(void)state;
	make(&seg, 0, epoch_key, 100, &hash);
	assert_int_equal(segment_parse(buf_span(&seg), &s, &why), 0);
	assert_true(digest_eq(&s.hash, &hash));
	assert_int_equal(epoch_verify(s.header.epoch_cert, device, &e, &why), 0);
	assert_int_equal(segment_verify(&s, &e, &why), 0);
	assert_int_equal(s.header.lost_n, 1);
	assert_int_equal(s.header.lost[0].n, 3);
	assert_int_equal(s.header.count, 100);
	assert_int_equal(segment_raw(&s, &raw, &why), 0);
	assert_int_equal(body_reader_new(buf_span(&raw), &br), 0);
	while (!body_next(br, &r, &why))
		n++;
	assert_int_equal(n, 100);
	/* The leaf alone is judged too. */
	assert_int_equal(header_parse(s.header_bytes, &s, &why), 0);
	assert_int_equal(segment_verify(&s, &e, &why), 0);
}

static void every_cut_asks_for_more(void **state)
{
	_cleanup_buf_ struct buf seg = BUF_INIT(SEGMENT_MAX);
	struct segment s;
	size_t n;

	(void)state;
	make(&seg, 0, epoch_key, 3, NULL);
	for (n = 0; n < seg.n; n++)
		assert_int_equal(segment_parse(SPAN(seg.p, n), &s, NULL), V_AGAIN);
	assert_int_equal(buf_puts(&seg, "more"), 0);
	assert_int_equal(segment_parse(buf_span(&seg), &s, NULL), 0);
	assert_int_equal(s.bytes.n, seg.n - 4);
}

static void every_flipped_bit_is_refused(void **state)
{
	_cleanup_buf_ struct buf seg = BUF_INIT(SEGMENT_MAX);
	struct segment s;
	size_t i;

	(void)state;
	make(&seg, 0, epoch_key, 3, NULL);
	for (i = 0; i < seg.n; i++) {
		int v;

		seg.p[i] ^= 1u << (i % 8);
		v = segment_parse(buf_span(&seg), &s, NULL);
		if (!v)
			v = segment_verify(&s, &epoch, NULL);
		assert_true(v > 0);
		seg.p[i] ^= 1u << (i % 8);
	}
	assert_int_equal(segment_parse(buf_span(&seg), &s, NULL), 0);
	assert_int_equal(segment_verify(&s, &epoch, NULL), 0);
}

static void each_forgery_has_its_cause(void **state)
{
	_cleanup_buf_ struct buf seg = BUF_INIT(SEGMENT_MAX), forged = BUF_INIT(SEGMENT_MAX);
	struct epoch e;
	struct segment s;

	(void)state;
	make(&seg, 0, epoch_key, 3, NULL);
	assert_int_equal(segment_parse(buf_span(&seg), &s, NULL), 0);
	e = epoch;
	e.host.b[0] ^= 1;
	assert_int_equal(segment_verify(&s, &e, NULL), CAUSE_FOREIGN);
	e = epoch;
	e.number++;
	assert_int_equal(segment_verify(&s, &e, NULL), CAUSE_BAD_EPOCH);
	e = epoch;
	e.producer = PRODUCER_PRINT;
	assert_int_equal(segment_verify(&s, &e, NULL), CAUSE_BAD_EPOCH);
	e = epoch;
	e.boot[0] ^= 1;
	assert_int_equal(segment_verify(&s, &e, NULL), CAUSE_BAD_EPOCH);
	seg.p[seg.n - 1] ^= 1;
	assert_int_equal(segment_parse(buf_span(&seg), &s, NULL), 0);
	assert_int_equal(segment_verify(&s, &epoch, NULL), CAUSE_BAD_BODY);
	/* Sealed by another key that claims this epoch. */
	make(&forged, 0, other_key, 3, NULL);
	assert_int_equal(segment_parse(buf_span(&forged), &s, NULL), 0);
	assert_int_equal(segment_verify(&s, &epoch, NULL), CAUSE_BAD_SIGNATURE);
	/* The epoch itself certified by somebody else. */
	assert_int_equal(epoch_verify(buf_span(&cert), other_device, &e, NULL), V_BAD);
}

/* By the boot clock: the wall clock may have jumped by years meanwhile. */
static void a_key_seals_in_its_time(void **state)
{
	static const struct {
		int64_t since, sealed;
		int verdict;
	} cases[] = {{100, 100, 0}, {100, 99, CAUSE_BAD_EPOCH}, {100, 1100, 0}, {100, 1101, CAUSE_BAD_EPOCH},
		{0, INT64_MAX, CAUSE_BAD_EPOCH}, {INT64_MAX, 0, CAUSE_BAD_EPOCH}};
	_cleanup_buf_ struct buf c = BUF_INIT(1024);
	struct epoch e = epoch, back;
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf seg = BUF_INIT(SEGMENT_MAX);
		struct segment s;

		e.has_since = true;
		e.since_us = cases[i].since;
		e.not_before_us = INT64_C(4000000000000000);
		e.not_after_us = e.not_before_us + 1000;
		buf_clear(&c);
		assert_int_equal(epoch_certify(device, &e, &c), 0);
		assert_int_equal(epoch_verify(buf_span(&c), device, &back, NULL), 0);
		assert_true(back.has_since && back.since_us == cases[i].since);
		sealed_at = cases[i].sealed;
		make(&seg, 0, epoch_key, 1, NULL);
		sealed_at = 0;
		assert_int_equal(segment_parse(buf_span(&seg), &s, NULL), 0);
		assert_int_equal(segment_verify(&s, &back, NULL), cases[i].verdict);
		back.has_since = false;
		assert_int_equal(segment_verify(&s, &back, NULL), 0);
	}
	e.not_after_us = e.not_before_us - 1;
	buf_clear(&c);
	assert_int_equal(epoch_certify(device, &e, &c), 0);
	assert_int_equal(epoch_verify(buf_span(&c), device, &back, NULL), V_BAD);
}

static void a_signature_for_one_purpose_is_none_for_another(void **state)
{
	_cleanup_buf_ struct buf seg = BUF_INIT(SEGMENT_MAX), again = BUF_INIT(SEGMENT_MAX), h = BUF_INIT(1024);
	struct segment s;
	uint8_t prefix[SEGMENT_PREFIX] = "SKS1";

	(void)state;
	make(&seg, 0, epoch_key, 1, NULL);
	assert_int_equal(segment_parse(buf_span(&seg), &s, NULL), 0);
	assert_int_equal(cose_sign(epoch_key, SEGMENT_FORMAT, SPAN_STR(HANDOVER_AAD), s.cose.payload, &h), 0);
	put_be32(prefix + 4, (uint32_t)h.n);
	assert_int_equal(buf_put(&again, prefix, sizeof(prefix)), 0);
	assert_int_equal(buf_put_span(&again, buf_span(&h)), 0);
	assert_int_equal(buf_put_span(&again, s.body), 0);
	assert_int_equal(segment_parse(buf_span(&again), &s, NULL), 0);
	assert_int_equal(segment_verify(&s, &epoch, NULL), CAUSE_BAD_SIGNATURE);
}

static void an_unknown_format_is_refused_not_guessed(void **state)
{
	_cleanup_buf_ struct buf seg = BUF_INIT(SEGMENT_MAX), h = BUF_INIT(1024);
	struct segment s, t;
	struct why why;

	(void)state;
	make(&seg, 0, epoch_key, 1, NULL);
	assert_int_equal(segment_parse(buf_span(&seg), &s, NULL), 0);
	assert_int_equal(cose_sign(epoch_key, SEGMENT_FORMAT + 1, SPAN_STR(SEGMENT_AAD), s.cose.payload, &h), 0);
	assert_int_equal(header_parse(buf_span(&h), &t, &why), V_BAD);
	assert_non_null(strstr(why.text, "format 2"));
}

static void lengths_are_enforced_both_ways(void **state)
{
	_cleanup_buf_ struct buf seg = BUF_INIT(SEGMENT_MAX), raw = BUF_INIT(BODY_RAW_MAX);
	struct segment s;
	uint32_t len;

	(void)state;
	make(&seg, 0, epoch_key, 50, NULL);
	assert_int_equal(segment_parse(buf_span(&seg), &s, NULL), 0);
	len = s.header.raw_len;
	s.header.raw_len = len - 1;
	assert_int_equal(segment_raw(&s, &raw, NULL), V_BAD);
	s.header.raw_len = len + 1;
	assert_int_equal(segment_raw(&s, &raw, NULL), V_BAD);
	s.header.raw_len = len;
	s.body.n--;
	assert_int_equal(segment_raw(&s, &raw, NULL), V_BAD);
	s.body.n++;
	assert_int_equal(segment_raw(&s, &raw, NULL), 0);
}

static void a_key_hands_over_to_the_next(void **state)
{
	_cleanup_buf_ struct buf h = BUF_INIT(1024);

	(void)state;
	assert_int_equal(handover_sign(epoch_key, buf_span(&cert), &h), 0);
	assert_int_equal(handover_verify(buf_span(&h), buf_span(&cert), &epoch, NULL), 0);
	assert_int_equal(handover_verify(buf_span(&h), SPAN(cert.p, cert.n - 1), &epoch, NULL), V_BAD);
	buf_clear(&h);
	assert_int_equal(handover_sign(other_key, buf_span(&cert), &h), 0);
	assert_int_equal(handover_verify(buf_span(&h), buf_span(&cert), &epoch, NULL), V_BAD);
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(key_new(KEY_P256, &device), 0);
	assert_int_equal(key_new(KEY_P256, &other_device), 0);
	assert_int_equal(key_new(KEY_ED25519, &epoch_key), 0);
	assert_int_equal(key_new(KEY_ED25519, &other_key), 0);
	assert_int_equal(key_id(device, &epoch.host), 0);
	epoch.producer = PRODUCER_RECORDER;
	epoch.number = 4;
	epoch.not_after_us = 1;
	assert_int_equal(key_public_raw(epoch_key, epoch.public_key), 0);
	return epoch_certify(device, &epoch, &cert);
}

static int teardown(void **state)
{
	(void)state;
	key_free(device);
	key_free(other_device);
	key_free(epoch_key);
	key_free(other_key);
	buf_deinit(&cert);
	body_writer_deinit(&w);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sealed_segment_opens),
		cmocka_unit_test(means_are_names),
		cmocka_unit_test(every_cut_asks_for_more),
		cmocka_unit_test(every_flipped_bit_is_refused),
		cmocka_unit_test(each_forgery_has_its_cause),
		cmocka_unit_test(a_key_seals_in_its_time),
		cmocka_unit_test(a_signature_for_one_purpose_is_none_for_another),
		cmocka_unit_test(an_unknown_format_is_refused_not_guessed),
		cmocka_unit_test(lengths_are_enforced_both_ways),
		cmocka_unit_test(a_key_hands_over_to_the_next),
	};

	return cmocka_run_group_tests_name("wire/segment", tests, setup, teardown);
}
