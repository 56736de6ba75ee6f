/* Answers of the collector: good ones come out whole; cut, doubled, mistyped and oversized ones are refused. */
#include "agent/uplink/answer.h"
#include "tests/unit/cm.h"

#define H0 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define H1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="

static const char good[] =
	"{\"results\": [{\"seq\": 17, \"status\": \"stored\", \"index\": 4711, \"proof\": [\"" H0 "\", \"" H1 "\"]},"
	"{\"seq\": 18, \"status\": \"known\", \"index\": 3, \"proof\": []},"
	"{\"seq\": 19, \"status\": \"gap\", \"expected\": 12},"
	"{\"status\": \"refused\", \"cause\": \"bad-body\", \"reason\": \"no\\u001b[31m\"}],"
	"\"checkpoint\": \"x\\n\", \"consistency\": [\"" H1 "\"], \"later\": {\"more\": [1.5, null]}}";

static struct answer a;

static int parse(const char *json, unsigned n)
{
	return answer_segments(SPAN_STR(json), n, &a, NULL);
}

static void takes_all_statuses(void **state)
{
	(void)state;
	assert_int_equal(parse(good, 4), 0);
	assert_int_equal(a.n, 4);
	assert_int_equal(a.results[0].status, RESULT_STORED);
	assert_int_equal(a.results[0].seq, 17);
	assert_int_equal(a.results[0].index, 4711);
	assert_int_equal(a.results[0].proof.n, 2);
	assert_int_equal(a.results[0].proof.h[1].b[31], 1);
	assert_int_equal(a.results[1].status, RESULT_KNOWN);
	assert_int_equal(a.results[2].status, RESULT_GAP);
	assert_int_equal(a.results[2].expected, 12);
	assert_int_equal(a.results[3].status, RESULT_REFUSED);
	assert_false(a.results[3].has_seq);
	assert_string_equal(a.results[3].cause, "bad-body");
	assert_null(strchr(a.results[3].reason, '\033'));
	assert_string_equal(a.log.checkpoint, "x\n");
	assert_int_equal(a.log.consistency.n, 1);
}

static void refuses_every_truncation(void **state)
{
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(good) - 1; n++)
		assert_int_equal(answer_segments(SPAN(good, n), 4, &a, NULL), V_BAD);
	/* and the answer twice over */
	_cleanup_buf_ struct buf twice = BUF_INIT(8192);

	assert_int_equal(buf_puts(&twice, good), 0);
	assert_int_equal(buf_puts(&twice, good), 0);
	assert_int_equal(answer_segments(buf_span(&twice), 4, &a, NULL), V_BAD);
}

static void the_number_of_results_is_ours(void **state)
{
	unsigned n;

	(void)state;
	for (n = 0; n <= API_SEGMENTS_MAX + 1; n++)
		assert_int_equal(parse(good, n), n == 4 ? 0 : V_BAD);
}

static void refuses_wrong_types(void **state)
{
#define ONE(result) "{\"results\": [" result "], \"checkpoint\": \"\", \"consistency\": []}"
	static const char *const bad[] = {
		"",
		"[]",
		"null",
		"{}",
		"{\"results\": 1}",
		ONE("1"),
		ONE("{}"),
		ONE("{\"seq\": 1, \"status\": \"kept\"}"),
		ONE("{\"seq\": 1, \"status\": 1}"),
		ONE("{\"seq\": -1, \"status\": \"gap\", \"expected\": 1}"),
		ONE("{\"seq\": 1.0, \"status\": \"gap\", \"expected\": 1}"),
		ONE("{\"seq\": 99999999999999999999, \"status\": \"gap\", \"expected\": 1}"),
		ONE("{\"seq\": 1, \"status\": \"gap\"}"),
		ONE("{\"status\": \"gap\", \"expected\": 1}"),
		ONE("{\"seq\": 1, \"seq\": 1, \"status\": \"gap\", \"expected\": 1}"),
		ONE("{\"seq\": 1, \"status\": \"stored\", \"index\": 1}"),
		ONE("{\"seq\": 1, \"status\": \"stored\", \"proof\": []}"),
		ONE("{\"seq\": 1, \"status\": \"stored\", \"index\": 1, \"proof\": [1]}"),
		ONE("{\"seq\": 1, \"status\": \"stored\", \"index\": 1, \"proof\": [\"AAAA\"]}"),
		ONE("{\"seq\": 1, \"status\": \"stored\", \"index\": 1, \"proof\": [\"" H0 H0 "\"]}"),
		ONE("{\"seq\": 1, \"status\": \"stored\", \"index\": 1, \"proof\": [\"not base64, of any length at "
		    "all, is it?\"]}"),
		"{\"results\": [{\"seq\": 1, \"status\": \"gap\", \"expected\": 1}], \"consistency\": []}",
		"{\"results\": [{\"seq\": 1, \"status\": \"gap\", \"expected\": 1}], \"checkpoint\": \"\"}",
		("{\"results\": [{\"seq\": 1, \"status\": \"gap\", \"expected\": 1}], \"checkpoint\": \"a\\u0000b\", "
		 "\"consistency\": []}"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(bad[i], 1), V_BAD);
	assert_int_equal(parse(ONE("{\"seq\": 1, \"status\": \"gap\", \"expected\": 1}"), 1), 0);
}

static void proofs_are_bounded(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);
	unsigned n, i;

	(void)state;
	for (n = MERKLE_PROOF_MAX; n <= MERKLE_PROOF_MAX + 1; n++) {
		struct log_state s;

		buf_clear(&b);
		assert_int_equal(buf_puts(&b, "{\"checkpoint\": \"\", \"consistency\": ["), 0);
		for (i = 0; i < n; i++)
			assert_int_equal(buf_putf(&b, "%s\"%s\"", i ? "," : "", H0), 0);
		assert_int_equal(buf_puts(&b, "]}"), 0);
		assert_int_equal(answer_consistency(buf_span(&b), &s, NULL), n == MERKLE_PROOF_MAX ? 0 : V_BAD);
	}
}

static void too_large_is_refused_before_it_is_read(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(API_ANSWER_MAX + 16);
	struct log_state s;

	(void)state;
	assert_int_equal(buf_reserve(&b, API_ANSWER_MAX + 1), 0);
	memset(b.p, ' ', API_ANSWER_MAX + 1);
	memcpy(b.p, "{\"checkpoint\":\"\",\"consistency\":[]}", 34);
	assert_int_equal(answer_consistency(SPAN(b.p, API_ANSWER_MAX), &s, NULL), 0);
	assert_int_equal(answer_consistency(SPAN(b.p, API_ANSWER_MAX + 1), &s, NULL), V_BAD);
}

static void wait_is_bounded(void **state)
{
	_cleanup_buf_ struct buf policy = BUF_INIT(API_POLICY_HANDED_MAX + 3), long_one = BUF_INIT(1 << 20);
	struct wait_answer w;
	unsigned i;

	(void)state;
	assert_int_equal(answer_wait(SPAN_STR("{\"follow\": 60, \"policy\": 7}"), &w, &policy, NULL), 0);
	assert_int_equal(w.follow_s, 60);
	assert_int_equal(w.policy, 7);
	assert_int_equal(answer_wait(SPAN_STR("{\"follow\": 99999999999, \"policy\": 7}"), &w, &policy, NULL), 0);
	assert_int_equal(w.follow_s, ANSWER_FOLLOW_MAX_S);
	assert_int_equal(answer_wait(SPAN_STR("{\"follow\": true, \"policy\": 7}"), &w, &policy, NULL), V_BAD);
	assert_int_equal(policy.n, 0);
	assert_int_equal(
		answer_wait(SPAN_STR("{\"follow\": 0, \"policy\": 7, \"signed\": \"AAEC\"}"), &w, &policy, NULL), 0);
	assert_true(span_eq(buf_span(&policy), SPAN("\0\1\2", 3)));
	buf_clear(&policy);
	assert_int_equal(
		answer_wait(SPAN_STR("{\"follow\": 0, \"policy\": 7, \"signed\": \"AAE\"}"), &w, &policy, NULL), V_BAD);
	assert_int_equal(
		answer_wait(SPAN_STR("{\"follow\": 0, \"policy\": 7, \"signed\": 7}"), &w, &policy, NULL), V_BAD);
	/* A group too many. */
	assert_int_equal(buf_puts(&long_one, "{\"follow\": 0, \"policy\": 7, \"signed\": \""), 0);
	for (i = 0; i < API_POLICY_HANDED_MAX / 3 + 2; i++)
		assert_int_equal(buf_puts(&long_one, "AAEC"), 0);
	assert_int_equal(buf_puts(&long_one, "\"}"), 0);
	buf_clear(&policy);
	assert_int_equal(answer_wait(buf_span(&long_one), &w, &policy, NULL), V_BAD);
}

static void errors_never_fail(void **state)
{
	struct error_answer e;

	(void)state;
	answer_error(SPAN_STR("{\"error\": \"revoked\", \"reason\": \"x\\ty\"}"), &e);
	assert_string_equal(e.error, "revoked");
	assert_string_equal(e.reason, "x\\ty");
	answer_error(SPAN_STR("<html>502</html>"), &e);
	assert_string_equal(e.error, "");
	answer_error(SPAN_STR("{\"error\": \"a b\\n\"}"), &e);
	assert_string_equal(e.error, "");
	answer_error(SPAN_STR("{\"error\": \"behind\", \"checkpoint\": \"note\"}"), &e);
	assert_string_equal(e.checkpoint, "note");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_all_statuses),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(the_number_of_results_is_ours),
		cmocka_unit_test(refuses_wrong_types),
		cmocka_unit_test(proofs_are_bounded),
		cmocka_unit_test(too_large_is_refused_before_it_is_read),
		cmocka_unit_test(wait_is_bounded),
		cmocka_unit_test(errors_never_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
