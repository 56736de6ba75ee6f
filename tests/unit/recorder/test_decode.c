/* The kernel's bytes: what is right is read whole, what is not is refused whole. */
#include "agent/recorder/decode.h"
#include "tests/unit/cm.h"
#include "tests/unit/recorder/made.h"

static void a_whole_event_is_read(void **state)
{
	struct made m = made(KIND_RENAME, 42, 9000);
	struct seen s;

	(void)state;
	made_file(&m, "/a", 8, 17);
	m.s[EVENT_PATH2] = "/b";
	m.s[EVENT_FS] = "ext4";
	m.e.first_ns = 3000000;
	m.e.result = -2;
	m.e.flags = RF_EXCHANGE;
	memcpy(m.e.comm, "0123456789abcde", 15);
	assert_int_equal(decode(made_bytes(&m), &s, NULL), 0);
	assert_int_equal(s.kind, KIND_RENAME);
	assert_int_equal(s.boot_us, 5000);
	assert_int_equal(s.duration_us, 2000);
	assert_int_equal(s.pid, 42);
	assert_int_equal(s.start_ns, 9000);
	assert_int_equal(s.dev_major, 8);
	assert_int_equal(s.dev_minor, 17);
	assert_int_equal(s.inode, 77);
	assert_int_equal(s.result, -2);
	assert_int_equal(s.flags, RF_EXCHANGE);
	assert_true(span_eq(s.path, SPAN_STR("/a")));
	assert_true(span_eq(s.path2, SPAN_STR("/b")));
	assert_true(span_eq(s.fs, SPAN_STR("ext4")));
	assert_int_equal(s.comm.n, 15);
	assert_false(s.has_mode);
}

static void a_program_has_a_script_and_no_path(void **state)
{
	struct made m = made(KIND_EXEC, 42, 9000);
	struct seen s;

	(void)state;
	m.s[EVENT_PATH] = "/x.sh";
	m.s[EVENT_PROGRAM] = "/bin/sh";
	m.s[EVENT_CWD] = "/tmp";
	assert_int_equal(decode(made_bytes(&m), &s, NULL), 0);
	assert_int_equal(s.path.n, 0);
	assert_true(span_eq(s.script, SPAN_STR("/x.sh")));
	assert_true(span_eq(s.program, SPAN_STR("/bin/sh")));
	assert_true(span_eq(s.cwd, SPAN_STR("/tmp")));
	assert_int_equal(s.duration_us, 0);
}

static void what_is_not_right_is_refused(void **state)
{
	struct made m = made(KIND_FILE, 1, 1), bad;
	struct seen s = {.pid = 7};
	struct span whole;
	struct event e;
	size_t n;

	(void)state;
	made_file(&m, "/a/b", 8, 0);
	whole = made_bytes(&m);
	for (n = 0; n < whole.n; n++)
		assert_int_equal(decode(SPAN(whole.p, n), &s, NULL), V_BAD);
	memcpy(&bad, &m, sizeof(bad));
	memcpy(&e, whole.p, sizeof(e));
	e.version = 99;
	memcpy(bad.bytes, &e, sizeof(e));
	assert_int_equal(decode(SPAN(bad.bytes, whole.n), &s, NULL), V_BAD);
	e.version = EVENT_VERSION;
	e.kind = 999;
	memcpy(bad.bytes, &e, sizeof(e));
	assert_int_equal(decode(SPAN(bad.bytes, whole.n), &s, NULL), V_BAD);
	e.kind = KIND_FILE;
	e.len[EVENT_FS] = 1;
	memcpy(bad.bytes, &e, sizeof(e));
	assert_int_equal(decode(SPAN(bad.bytes, whole.n), &s, NULL), V_BAD);
	e.len[EVENT_FS] = 0;
	e.size = 8;
	memcpy(bad.bytes, &e, sizeof(e));
	assert_int_equal(decode(SPAN(bad.bytes, whole.n), &s, NULL), V_BAD);
	assert_int_equal(s.pid, 7); /* untouched */
}

static void paths_are_tidied_by_their_text(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"/home/ann//x", "/home/ann/x"},
		{"/home/ann//../bob/./x", "/home/bob/x"},
		{"/home//../../..", "/"},
		{"//../x/..", "/"},
		{"", "/"},
		{"/a//...", "/a/..."},
		{"/a/b/..//c/", "/a/c"},
		{"/a//.hidden/..x", "/a/.hidden/..x"},
	};
	char out[64];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = decode_tidy(SPAN_STR(cases[i].in), out, sizeof(out));
		if (!span_eq(SPAN(out, n), SPAN_STR(cases[i].out)))
			fail_msg("%s became %.*s", cases[i].in, (int)n, out);
	}
	n = decode_tidy(SPAN_STR("/abc/def/ghi"), out, 9);
	assert_true(span_eq(SPAN(out, n), SPAN_STR("/abc/def")));
}

static void arguments_have_newlines_between(void **state)
{
	char out[16];
	size_t n;

	(void)state;
	n = decode_args(SPAN("cp\0a b\0", 7), out, sizeof(out));
	assert_true(span_eq(SPAN(out, n), SPAN_STR("cp\na b")));
	n = decode_args(SPAN("sh\0a\nb", 6), out, sizeof(out));
	assert_true(span_eq(SPAN(out, n), SPAN_STR("sh\na\\nb")));
	n = decode_args(SPAN("a\0\0b", 4), out, sizeof(out));
	assert_true(span_eq(SPAN(out, n), SPAN_STR("a\n\nb")));
	n = decode_args(SPAN("0123456789abcdefghij", 20), out, sizeof(out));
	assert_true(n <= sizeof(out));
	assert_int_equal(decode_args(SPAN(NULL, 0), out, sizeof(out)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_event_is_read),
		cmocka_unit_test(a_program_has_a_script_and_no_path),
		cmocka_unit_test(what_is_not_right_is_refused),
		cmocka_unit_test(paths_are_tidied_by_their_text),
		cmocka_unit_test(arguments_have_newlines_between),
	};

	return cmocka_run_group_tests_name("recorder/decode", tests, NULL, NULL);
}
