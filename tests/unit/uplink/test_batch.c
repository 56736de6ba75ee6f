/* Gathering segments: in order, without a hole, within the bounds of a request; what is no segment travels alone. */
#include "agent/uplink/batch.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "tests/unit/cm.h"
#include <sys/stat.h>

static char spool[] = "/tmp/sekisho-batch-XXXXXX";
static struct batch b;
static struct digest leaves[100];

static void file_of(char *path, size_t size, uint64_t seq)
{
	snprintf(path, size, "%s/recorder/%020llu.seg", spool, (unsigned long long)seq);
}

static int fill(uint64_t from, unsigned max)
{
	struct why why;

	return batch_fill(&b, spool, PRODUCER_RECORDER, from, max, &why);
}

/* A hundred real segments, sealed by the sealer. */
static int setup(void **state)
{
	_cleanup_(key_freep) struct key *device = NULL;
	_cleanup_(sealer_freep) struct sealer *s = NULL;
	struct sealer_options o = {.spool_dir = spool, .producer = PRODUCER_RECORDER, .floor = 1};
	static struct record r;
	struct why why;
	unsigned i;

	(void)state;
	b = BATCH_INIT;
	assert_non_null(mkdtemp(spool));
	assert_int_equal(key_new(KEY_P256, &device), 0);
	o.device = device;
	assert_int_equal(sealer_new(&o, &s, &why), 0);
	for (i = 0; i < 100; i++) {
		record_reset(&r);
		record_set_uint(&r, F_KIND, KIND_EXEC);
		record_set_uint(&r, F_PID, i);
		assert_int_equal(sealer_put(s, &r, true), 0);
		assert_int_equal(sealer_run(s, clock_boot_us()), 0);
	}
	for (i = 0; i < 100; i++) {
		_cleanup_buf_ struct buf bytes = BUF_INIT(SEGMENT_MAX);
		struct segment seg;
		char path[128];

		file_of(path, sizeof(path), i);
		assert_int_equal(file_read(path, &bytes), 0);
		assert_int_equal(segment_parse(buf_span(&bytes), &seg, &why), 0);
		merkle_leaf(seg.header_bytes, &leaves[i]);
	}
	return 0;
}

static int teardown(void **state)
{
	char cmd[128];

	(void)state;
	batch_drop(&b);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", spool);
	return system(cmd);
}

static void takes_as_many_as_fit_a_request(void **state)
{
	unsigned i;

	(void)state;
	assert_int_equal(fill(0, API_SEGMENTS_MAX), 0);
	assert_int_equal(b.n, API_SEGMENTS_MAX);
	for (i = 0; i < b.n; i++) {
		assert_true(b.items[i].readable);
		assert_int_equal(b.items[i].seq, i);
		assert_memory_equal(b.items[i].leaf.b, leaves[i].b, DIGEST_SIZE);
	}
	assert_true(b.body.n <= BATCH_BYTES);
	assert_int_equal(fill(64, API_SEGMENTS_MAX), 0);
	assert_int_equal(b.n, 36);
	assert_int_equal(fill(10, 1), 0);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.items[0].seq, 10);
	assert_int_equal(fill(100, API_SEGMENTS_MAX), V_END);
}

static void stops_at_a_hole(void **state)
{
	char path[128], aside[140];

	(void)state;
	file_of(path, sizeof(path), 20);
	snprintf(aside, sizeof(aside), "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(fill(15, API_SEGMENTS_MAX), 0);
	assert_int_equal(b.n, 5);
	assert_int_equal(fill(20, API_SEGMENTS_MAX), 0);
	assert_int_equal(b.items[0].seq, 21);
	assert_int_equal(rename(aside, path), 0);
}

static void what_is_no_segment_travels_alone(void **state)
{
	_cleanup_buf_ struct buf was = BUF_INIT(SEGMENT_MAX);
	char path[128];

	(void)state;
	file_of(path, sizeof(path), 30);
	assert_int_equal(file_read(path, &was), 0);
	assert_int_equal(file_replace(path, SPAN(was.p, was.n - 1), 0644), 0);
	assert_int_equal(fill(25, API_SEGMENTS_MAX), 0);
	assert_int_equal(b.n, 5);
	assert_int_equal(fill(30, API_SEGMENTS_MAX), 0);
	assert_int_equal(b.n, 1);
	assert_false(b.items[0].readable);
	assert_int_equal(b.body.n, was.n - 1);
	assert_int_equal(file_replace(path, buf_span(&was), 0644), 0);
}

static void what_can_never_be_sent_is_named(void **state)
{
	_cleanup_buf_ struct buf was = BUF_INIT(SEGMENT_MAX);
	char path[128];

	(void)state;
	file_of(path, sizeof(path), 40);
	assert_int_equal(file_read(path, &was), 0);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(fill(38, API_SEGMENTS_MAX), 0);
	assert_int_equal(b.n, 2);
	assert_int_equal(fill(40, API_SEGMENTS_MAX), V_BAD);
	assert_int_equal(b.items[0].entry.seq, 40);
	assert_int_equal(truncate(path, SEGMENT_MAX + 1), 0);
	assert_int_equal(fill(40, API_SEGMENTS_MAX), V_BAD);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(fill(40, API_SEGMENTS_MAX), V_BAD);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(file_replace(path, buf_span(&was), 0644), 0);
}

static void large_ones_travel_one_by_one(void **state)
{
	_cleanup_buf_ struct buf was = BUF_INIT(SEGMENT_MAX);
	char path[128];
	unsigned i;

	(void)state;
	file_of(path, sizeof(path), 51);
	assert_int_equal(file_read(path, &was), 0);
	assert_int_equal(truncate(path, SEGMENT_MAX), 0);
	assert_int_equal(fill(50, API_SEGMENTS_MAX), 0);
	assert_int_equal(b.n, 1);
	assert_int_equal(fill(51, API_SEGMENTS_MAX), 0);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.body.n, SEGMENT_MAX);
	assert_int_equal(file_replace(path, buf_span(&was), 0644), 0);
	/* and the memory is given back */
	batch_drop(&b);
	assert_int_equal(b.body.cap, 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(fill(0, 3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_as_many_as_fit_a_request),
		cmocka_unit_test(stops_at_a_hole),
		cmocka_unit_test(what_is_no_segment_travels_alone),
		cmocka_unit_test(what_can_never_be_sent_is_named),
		cmocka_unit_test(large_ones_travel_one_by_one),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
