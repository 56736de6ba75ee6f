/* Proof files: those of the outside writer are read, and ours are read back; anything else is refused. */
#include "policy/base/file.h"
#include "policy/trust/proof.h"
#include "tests/unit/cm.h"
#include <limits.h>

#define GOLDEN TEST_DATA "/../../wire/data/golden/"

static struct verifier vkey;
static struct buf text = BUF_INIT(PROOF_SIZE_MAX);

static int judge(struct span in, uint64_t *index, struct merkle_proof *p, struct checkpoint *c)
{
	struct why why = {""};
	int r = proof_read(in, &vkey, index, p, c, &why);

	assert_int_equal(r == V_BAD, why.text[0] != 0);
	return r;
}

static void golden_proofs_hold(void **state)
{
	_cleanup_buf_ struct buf again = BUF_INIT(PROOF_SIZE_MAX);
	struct merkle_proof p;
	struct checkpoint c;
	uint64_t index = 0;
	const uint8_t *note;

	(void)state;
	assert_int_equal(judge(buf_span(&text), &index, &p, &c), 0);
	assert_int_equal(index, 2);
	assert_int_equal(c.size, 8);
	assert_int_equal(p.n, 3);
	note = memmem(text.p, text.n, "\n\n", 2);
	assert_non_null(note);
	note += 2;
	assert_int_equal(proof_write(index, &p, SPAN(note, text.n - (size_t)(note - text.p)), &again), 0);
	assert_true(span_eq(buf_span(&again), buf_span(&text)));
}

static void no_prefix_is_a_proof(void **state)
{
	struct merkle_proof p;
	struct checkpoint c;
	uint64_t index;
	size_t n;

	(void)state;
	for (n = 0; n < text.n; n++)
		assert_int_equal(judge(SPAN(text.p, n), &index, &p, &c), V_BAD);
}

static void other_forms_are_refused(void **state)
{
	static const struct {
		const char *from, *to;
	} changes[] = {
		{"tlog-proof@v1", "tlog-proof@v2"},
		{"index 2", "index 02"},
		{"index 2", "index -2"},
		{"index 2", "index "},
		{"index 2", "index 99999999999999999999"},
		{"index 2", "Index 2"},
		{"=\n", "\n"},
		{"=\n", "=\r\n"},
		{"\n8\n", "\n9\n"},
	};
	struct merkle_proof p;
	struct checkpoint c;
	uint64_t index;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(PROOF_SIZE_MAX);
		const uint8_t *at = memmem(text.p, text.n, changes[i].from, strlen(changes[i].from));
		size_t before;

		assert_non_null(at);
		before = (size_t)(at - text.p);
		assert_int_equal(buf_put(&b, text.p, before), 0);
		assert_int_equal(buf_puts(&b, changes[i].to), 0);
		before += strlen(changes[i].from);
		assert_int_equal(buf_put(&b, text.p + before, text.n - before), 0);
		assert_int_equal(judge(buf_span(&b), &index, &p, &c), V_BAD);
	}
}

static void extra_data_is_passed_over(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(PROOF_SIZE_MAX);
	size_t line = (size_t)((const uint8_t *)memchr(text.p, '\n', text.n) - text.p) + 1;
	struct merkle_proof p;
	struct checkpoint c;
	uint64_t index;

	(void)state;
	assert_int_equal(buf_put(&b, text.p, line), 0);
	assert_int_equal(buf_puts(&b, "extra YWJj\n"), 0);
	assert_int_equal(buf_put(&b, text.p + line, text.n - line), 0);
	assert_int_equal(judge(buf_span(&b), &index, &p, &c), 0);
}

static int setup(void **state)
{
	_cleanup_buf_ struct buf key = BUF_INIT(4096);

	(void)state;
	assert_int_equal(file_read(GOLDEN "log.vkey", &key), 0);
	assert_int_equal(verifier_decode(buf_span(&key), &vkey, NULL), 0);
	assert_int_equal(file_read(GOLDEN "00000000000000000002.tlog-proof", &text), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	verifier_deinit(&vkey);
	buf_deinit(&text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_proofs_hold),
		cmocka_unit_test(no_prefix_is_a_proof),
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(extra_data_is_passed_over),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
