/* Release codes: both sides agree, every slip of one symbol or two exchanged is told, nothing else than the answer is.
 */
#include "policy/wire/release_code.h"
#include "tests/unit/cm.h"

static const struct release_challenge asked = {{1, 2, 3, 4, 5}, {6, 7, 8}, {9, 10, 11, 12}};

static void slips_are_told(void **state)
{
	static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char text[RELEASE_TEXT_SIZE], bad[RELEASE_TEXT_SIZE], want[32];
	struct release_challenge got;
	struct why why;
	size_t i, k;

	(void)state;
	release_challenge_text(&asked, text);
	assert_int_equal(release_challenge_parse(text, &got, &why), 0);
	assert_memory_equal(&got, &asked, sizeof(got));
	for (i = 0; text[i]; i++) {
		if (text[i] == ' ')
			continue;
		for (k = 0; k < 32; k++) {
			memcpy(bad, text, sizeof(bad));
			bad[i] = symbols[k];
			snprintf(want, sizeof(want), "group %zu ", i / 6 + 1);
			if (bad[i] == text[i])
				continue;
			assert_int_equal(release_challenge_parse(bad, &got, &why), V_BAD);
			assert_non_null(strstr(why.text, want));
		}
		if (!text[i + 1] || text[i + 1] == ' ' || text[i + 1] == text[i])
			continue;
		memcpy(bad, text, sizeof(bad));
		bad[i] = text[i + 1];
		bad[i + 1] = text[i];
		assert_int_equal(release_challenge_parse(bad, &got, &why), V_BAD);
	}
}

static void both_sides_agree(void **state)
{
	_cleanup_(key_freep) struct key *pc = NULL, *admin = NULL;
	uint8_t a[SECRET_SIZE], b[SECRET_SIZE];
	struct release_terms terms = {.write = true, .units = 4}, got;
	struct release_challenge other = asked;
	char text[RELEASE_TEXT_SIZE];
	struct digest host;
	struct why why;

	(void)state;
	assert_int_equal(key_new(KEY_P256, &pc), 0);
	assert_int_equal(key_new(KEY_P256, &admin), 0);
	assert_int_equal(key_id(pc, &host), 0);
	assert_int_equal(release_secret(pc, admin, a), 0);
	assert_int_equal(release_secret(admin, pc, b), 0);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(release_answer_text(a, &host, &asked, &terms, text), 0);
	assert_int_equal(release_answer_check(b, &host, &asked, text, &got, &why), 0);
	assert_true(got.write && got.units == 4);
	other.device[0] ^= 1;
	assert_int_equal(release_answer_check(b, &host, &other, text, &got, &why), RELEASE_WRONG);
	host.b[31] ^= 1;
	assert_int_equal(release_answer_check(b, &host, &asked, text, &got, &why), RELEASE_WRONG);
	terms.units = RELEASE_UNITS_MAX + 1;
	assert_int_equal(release_answer_text(a, &host, &asked, &terms, text), V_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slips_are_told),
		cmocka_unit_test(both_sides_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
