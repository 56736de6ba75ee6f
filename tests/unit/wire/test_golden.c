/*
 * Golden bytes: segments that tests/verify/sekisho_write.py made, in another language, on other libraries. They must be
 * accepted here, mean what they mean there, and come out byte for byte the same when we encode what we read.
 */
#include "policy/base/file.h"
#include "policy/wire/body.h"
#include "policy/wire/header.h"
#include "tests/unit/cm.h"
#include <limits.h>

static struct key *device;
static struct epoch epochs[2];

static void read_golden(const char *name, struct buf *out)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), TEST_DATA "/golden/%s", name);
	assert_int_equal(file_read(path, out), 0);
}

static void open_golden(unsigned n, struct buf *bytes, struct segment *s)
{
	char name[64];
	struct why why = {""};

	snprintf(name, sizeof(name), "%020u.seg", n);
	read_golden(name, bytes);
	assert_int_equal(segment_parse(buf_span(bytes), s, &why), 0);
	assert_int_equal(s->bytes.n, bytes->n);
}

static void segments_are_accepted(void **state)
{
	struct digest last = {{0}};
	unsigned i, at = 0;

	(void)state;
	for (i = 0; i < 6; i++) {
		_cleanup_buf_ struct buf bytes = BUF_INIT(SEGMENT_MAX), raw = BUF_INIT(BODY_RAW_MAX);
		struct why why = {""};
		struct segment s;

		open_golden(i, &bytes, &s);
		if (s.header.epoch_cert.n) {
			assert_int_equal(epoch_verify(s.header.epoch_cert, device, &epochs[at], &why), 0);
			if (at)
				assert_int_equal(
					handover_verify(s.header.handover, s.header.epoch_cert, &epochs[at - 1], &why),
					0);
			at++;
		}
		assert_int_equal(segment_verify(&s, &epochs[at - 1], &why), 0);
		assert_int_equal(segment_raw(&s, &raw, &why), 0);
		assert_int_equal(s.header.seq, i);
		assert_int_equal(s.header.has_prev, i != 0);
		assert_true(!i || digest_eq(&s.header.prev, &last));
		last = s.hash;
	}
	assert_int_equal(at, 2);
}

static void headers_encode_to_the_same_bytes(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 6; i++) {
		_cleanup_buf_ struct buf bytes = BUF_INIT(SEGMENT_MAX), again = BUF_INIT(SEGMENT_HEADER_MAX);
		struct segment s;

		open_golden(i, &bytes, &s);
		assert_int_equal(header_encode(&s.header, &again), 0);
		assert_true(span_eq(buf_span(&again), s.cose.payload));
		if (i == 3) {
			assert_int_equal(s.header.lost_n, 2);
			assert_int_equal(s.header.lost[0].cause, CAUSE_RING_FULL);
			assert_int_equal(s.header.lost[0].n, 5);
			assert_int_equal(s.header.lost[1].cause, CAUSE_SPOOL_FULL);
		}
		if (i == 4)
			assert_int_equal(s.header.flags, SF_HEARTBEAT);
	}
}

static void epochs_encode_to_the_same_bytes(void **state)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(SEGMENT_MAX), again = BUF_INIT(1024);
	struct cose_sign1 m;
	struct segment s;
	struct epoch e;

	(void)state;
	open_golden(0, &bytes, &s);
	assert_int_equal(epoch_verify(s.header.epoch_cert, device, &e, NULL), 0);
	assert_int_equal(cose_parse(s.header.epoch_cert, &m, NULL), 0);
	assert_int_equal(epoch_encode(&e, &again), 0);
	assert_true(span_eq(buf_span(&again), m.payload));
	assert_true(e.not_after_us - e.not_before_us == 86400000000);
}

static void bodies_are_written_to_the_same_bytes(void **state)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(SEGMENT_MAX), raw = BUF_INIT(BODY_RAW_MAX),
				 again = BUF_INIT(BODY_RAW_MAX);
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	static struct body_writer w;
	static struct record r;
	struct segment s;
	unsigned n = 0;

	(void)state;
	open_golden(0, &bytes, &s);
	assert_int_equal(segment_raw(&s, &raw, NULL), 0);
	assert_int_equal(body_reader_new(buf_span(&raw), &in), 0);
	body_begin(&w, &again);
	while (body_next(in, &r, NULL) == 0) {
		n++;
		if (n == 1) {
			assert_int_equal(r.v[F_KIND].u, KIND_EXEC);
			assert_true(span_eq(r.v[F_USER].s, SPAN_STR("花子")));
			assert_true(span_eq(r.v[F_ARGS].s, SPAN_STR("vim\n給与.txt")));
		}
		if (n == 3)
			assert_true(span_eq(r.v[F_PATH].s, SPAN_STR("/home/hanako/\xff\xfe\n.swp")));
		assert_int_equal(body_put(&w, &r), 0);
	}
	assert_int_equal(n, 6);
	assert_int_equal(s.header.count, n);
	assert_true(span_eq(buf_span(&again), buf_span(&raw)));
	body_writer_deinit(&w);
}

static int setup(void **state)
{
	_cleanup_buf_ struct buf spki = BUF_INIT(1024);

	(void)state;
	read_golden("device.pub", &spki);
	return key_from_public_der(buf_span(&spki), &device, NULL);
}

static int teardown(void **state)
{
	(void)state;
	key_free(device);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_are_accepted),
		cmocka_unit_test(headers_encode_to_the_same_bytes),
		cmocka_unit_test(epochs_encode_to_the_same_bytes),
		cmocka_unit_test(bodies_are_written_to_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
