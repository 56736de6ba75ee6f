/* Bodies: what is written is read back, subjects are written once, and nothing malformed is taken. */
#include "policy/base/text.h"
#include "policy/wire/body.h"
#include "tests/unit/cm.h"

static struct body_writer w;

static void sample(struct record *r, unsigned pid, const char *path)
{
	record_reset(r);
	record_set_uint(r, F_KIND, KIND_FILE);
	record_set_int(r, F_TIME, 1795471353000000 + pid);
	record_set_int(r, F_BOOT_TIME, 5000000 + pid);
	record_set_uint(r, F_PID, pid);
	record_set_str(r, F_USER, "taro");
	record_set_str(r, F_PROGRAM, "/usr/bin/libreoffice");
	record_set_str(r, F_PATH, path);
	record_set_uint(r, F_WRITTEN, 4096);
	record_set_int(r, F_RESULT, -13);
	record_set_uint(r, F_CLASS, CLASS_USB);
}

static void reads_back_what_was_written(void **state)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(BODY_RAW_MAX);
	_cleanup_(body_reader_freep) struct body_reader *br = NULL;
	static struct record in, out;
	struct why why = {""};

	(void)state;
	body_begin(&w, &raw);
	sample(&in, 7, "/media/給与.csv");
	assert_int_equal(body_put(&w, &in), 0);
	sample(&in, 7, "/media/\xff\xfe");
	assert_int_equal(body_put(&w, &in), 0);
	sample(&in, 8, "/media/c");
	assert_int_equal(body_put(&w, &in), 0);
	assert_int_equal(w.subjects, 2);
	assert_int_equal(w.records, 3);

	assert_int_equal(body_reader_new(buf_span(&raw), &br), 0);
	assert_int_equal(body_next(br, &out, &why), 0);
	assert_int_equal(out.v[F_PID].u, 7);
	assert_true(out.v[F_TIME].i == 1795471353000007);
	assert_true(out.v[F_BOOT_TIME].i == 5000007);
	assert_int_equal(out.v[F_RESULT].i, -13);
	assert_true(span_eq(out.v[F_PATH].s, SPAN_STR("/media/給与.csv")));
	assert_true(span_eq(out.v[F_USER].s, SPAN_STR("taro")));
	assert_int_equal(body_next(br, &out, &why), 0);
	assert_true(span_eq(out.v[F_PATH].s, SPAN_STR("/media/\xff\xfe")));
	assert_int_equal(body_next(br, &out, &why), 0);
	assert_int_equal(out.v[F_PID].u, 8);
	assert_int_equal(body_next(br, &out, &why), V_END);
}

static void a_clock_that_jumps_gets_a_new_base(void **state)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(BODY_RAW_MAX);
	_cleanup_(body_reader_freep) struct body_reader *br = NULL;
	static struct record in, out;
	static const int64_t jumps[] = {0, -3600000000, 86400000000 * 365};
	size_t i;

	(void)state;
	body_begin(&w, &raw);
	for (i = 0; i < ARRAY_SIZE(jumps); i++) {
		sample(&in, 1, "/x");
		in.v[F_TIME].i += jumps[i];
		assert_int_equal(body_put(&w, &in), 0);
	}
	assert_int_equal(body_reader_new(buf_span(&raw), &br), 0);
	for (i = 0; i < ARRAY_SIZE(jumps); i++) {
		assert_int_equal(body_next(br, &out, NULL), 0);
		assert_true(out.v[F_TIME].i == 1795471353000001 + jumps[i]);
	}
	assert_true(w.first_wall_us == 1795471353000001 - 3600000000);
}

static void full_means_nothing_was_put(void **state)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(600);
	static struct record in;
	size_t before;
	unsigned pid = 1;

	(void)state;
	body_begin(&w, &raw);
	do {
		before = raw.n;
		sample(&in, pid++, "/some/path/that/takes/a/few/bytes");
	} while (!body_put(&w, &in));
	assert_int_equal(raw.n, before);
	assert_int_equal(w.records, pid - 2);
	assert_int_equal(w.subjects, pid - 2);
	{
		_cleanup_(body_reader_freep) struct body_reader *br = NULL;
		static struct record out;
		unsigned n = 0;

		assert_int_equal(body_reader_new(buf_span(&raw), &br), 0);
		while (!body_next(br, &out, NULL))
			n++;
		assert_int_equal(n, w.records);
	}
}

static void a_torn_tail_is_cut_at_a_whole_item(void **state)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(BODY_RAW_MAX);
	static struct record in;
	size_t ends[4], i, cut;

	(void)state;
	body_begin(&w, &raw);
	for (i = 0; i < 4; i++) {
		sample(&in, 1, "/a/path");
		assert_int_equal(body_put(&w, &in), 0);
		ends[i] = raw.n;
	}
	for (cut = 0; cut <= ends[3]; cut++) {
		struct body_writer *t = calloc(1, sizeof(*t));
		struct buf part = raw;
		unsigned whole = 0;

		for (i = 0; i < 4; i++)
			whole += ends[i] <= cut;
		assert_non_null(t);
		t->out = &part;
		assert_int_equal(body_recover(SPAN(raw.p, cut), t), 0);
		assert_int_equal(t->records, whole);
		assert_true(part.n <= cut);
		body_writer_deinit(t);
		free(t);
	}
}

static int first_verdict(const char *bytes, size_t n)
{
	_cleanup_(body_reader_freep) struct body_reader *br = NULL;
	static struct record out;
	int v;

	assert_int_equal(body_reader_new(SPAN(bytes, n), &br), 0);
	while ((v = body_next(br, &out, NULL)) == 0)
		;
	return v;
}

#define CLOCK "\xa3\x00\x01\x01\x05\x02\x05"
#define BAD(s) assert_int_equal(first_verdict(s, sizeof(s) - 1), V_BAD)
#define GOOD(s) assert_int_equal(first_verdict(s, sizeof(s) - 1), V_END)

static void refuses_what_is_malformed(void **state)
{
	(void)state;
	GOOD(CLOCK "\xa2\x01\x04\x02\x00");
	GOOD(CLOCK "\xa3\x01\x04\x02\x00\x18\xfa\x80");                    /* field 250 is not known: passed over */
	BAD("\xa2\x01\x04\x02\x00");                                       /* record before any clock */
	BAD(CLOCK "\xa1\x01\x04");                                         /* no time */
	BAD(CLOCK "\xa3\x01\x04\x02\x00\x02\x00");                         /* doubled key */
	BAD(CLOCK "\xa3\x01\x04\x04\x00\x02\x00");                         /* keys out of order */
	BAD(CLOCK "\xa3\x01\x04\x02\x00\x09\x00");                         /* no such subject */
	BAD(CLOCK "\xa3\x01\x04\x02\x00\x0a\x07");                         /* a subject's fact in a record */
	BAD(CLOCK "\xa3\x01\x04\x02\x00\x18\x1e\x05");                     /* path is a number */
	BAD(CLOCK "\xa3\x01\x04\x02\x00\x18\x1e\x61\xff");                 /* text that is not UTF-8 */
	BAD(CLOCK "\xa2\x01\x04\x02\x1b\x7f\xff\xff\xff\xff\xff\xff\xff"); /* time out of range */
	BAD(CLOCK "\x82\x01\x02");                                         /* an array */
	BAD(CLOCK "\xa0");                                                 /* an empty item */
	BAD("\xa1\x00\x03");                                               /* item of an unknown kind */
	BAD("\xa2\x00\x01\x01\x05");                                       /* half a clock */
}

static void every_field_has_one_name(void **state)
{
	unsigned f;
	size_t i;

	(void)state;
	for (f = 1; f <= FIELD_MAX; f++)
		if (field_table[f].name) {
			assert_int_equal(field_by_name(field_table[f].name), f);
			assert_true(text_is_utf8(SPAN_STR(field_table[f].ja)));
		}
	for (i = 0; enum_at(i); i++) {
		assert_ptr_equal(enum_by_name(enum_at(i)->field, enum_at(i)->name), enum_at(i));
		assert_ptr_equal(enum_by_value(enum_at(i)->field, enum_at(i)->value), enum_at(i));
	}
}

static int release(void **state)
{
	(void)state;
	body_writer_deinit(&w);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_back_what_was_written),
		cmocka_unit_test(a_clock_that_jumps_gets_a_new_base),
		cmocka_unit_test(full_means_nothing_was_put),
		cmocka_unit_test(a_torn_tail_is_cut_at_a_whole_item),
		cmocka_unit_test(refuses_what_is_malformed),
		cmocka_unit_test(every_field_has_one_name),
	};

	return cmocka_run_group_tests_name("wire/body", tests, NULL, release);
}
