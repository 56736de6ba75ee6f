/*
 * agent/print/request.c: questions of the wrapper, and options by the rules of cupsParseOptions.
 */
#include "agent/print/request.h"
#include "tests/unit/cm.h"

#define Q(text) SPAN(text, sizeof(text))

static void takes_what_is_known(void **state)
{
	struct request r;

	(void)state;
	assert_int_equal(
		request_parse(Q("ask=print\0job=12\0user=taro\0title=a=b\0copies=3\0what=ever\0documents=2\0auth-uid="
				"1000"),
			&r, NULL),
		0);
	assert_int_equal(r.job_id, 12);
	assert_string_equal(r.title, "a=b");
	assert_int_equal(r.copies_n, 3);
	assert_int_equal(r.documents_n, 2);
	assert_true(r.authenticated);
	assert_int_equal(r.uid, 1000);
	assert_string_equal(r.location, "");
}

static void says_what_is_wrong(void **state)
{
	struct why why = {""};
	struct request r;

	(void)state;
	assert_int_equal(request_parse(SPAN("ask=print", 9), &r, &why), V_BAD);
	assert_int_equal(request_parse(SPAN("", 0), &r, &why), V_BAD);
	assert_int_equal(request_parse(Q("ask=print\0job=x"), &r, &why), V_BAD);
	assert_string_equal(why.text, "job: not a number");
	assert_int_equal(request_parse(Q("ask=print\0job=99999999999999999999"), &r, &why), V_BAD);
	assert_int_equal(request_parse(Q("ask=print\0job=0"), &r, &why), V_BAD);
	assert_int_equal(request_parse(Q("ask=other\0job=1"), &r, &why), V_BAD);
	assert_int_equal(request_parse(Q("ask=print\0job"), &r, &why), V_BAD);
	assert_int_equal(request_parse(Q("ask=event"), &r, &why), 0);
	assert_int_equal(request_parse(Q("ask=print\0job=1\0copies=-4"), &r, &why), 0);
	assert_int_equal(r.copies_n, 1);
	assert_false(r.authenticated);
	assert_int_equal(request_parse(Q("ask=stamp\0job=7\0files=x"), &r, &why), V_BAD);
	assert_string_equal(why.text, "files: not a number");
	assert_int_equal(request_parse(Q("ask=stamp\0job=7\0files=2"), &r, &why), 0);
	assert_int_equal(r.files_n, 2);
	assert_int_equal(request_parse(Q("ask=stamped\0result=ok"), &r, &why), 0);
	assert_string_equal(r.result, "ok");
}

static void options_as_cups_reads_them(void **state)
{
	static const char options[] = "media=A4 nofold job-name='two words' sides=one-sided text=a\\ b page={x=1 y=2} "
				      "sides=two-sided-long-edge";
	char out[64], small[4];

	(void)state;
	assert_true(request_option(options, "media", out, sizeof(out)));
	assert_string_equal(out, "A4");
	assert_true(request_option(options, "job-name", out, sizeof(out)));
	assert_string_equal(out, "two words");
	assert_true(request_option(options, "sides", out, sizeof(out)));
	assert_string_equal(out, "two-sided-long-edge"); /* the last one counts */
	assert_true(request_option(options, "text", out, sizeof(out)));
	assert_string_equal(out, "a b");
	assert_true(request_option(options, "page", out, sizeof(out)));
	assert_string_equal(out, "{x=1 y=2}");
	assert_false(request_option(options, "nofold", out, sizeof(out)));
	assert_false(request_option(options, "words", out, sizeof(out))); /* within quotes */
	assert_true(request_option(options, "sides", small, sizeof(small)));
	assert_string_equal(small, "two");
	assert_false(request_option("", "media", out, sizeof(out)));
	assert_false(request_option("a='unended media=A4", "media", out, sizeof(out)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_known),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(options_as_cups_reads_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
