/* Enrolment tokens: hashed at rest, for one PC, for a time, for a name. */
#include "collector/ingest/token.h"
#include "policy/base/file.h"
#include "tests/unit/cm.h"
#include <stdlib.h>
#include <unistd.h>

static char dir[64];
static struct shelf on = {.dir = dir, .kind = "token"};

static int begin(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/sekisho-token-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

/* "SEK1.<id>.<secret>.<ca>" to "<id>.<secret>". */
static const char *presented(char *text)
{
	text[5 + 2 * API_TOKEN_ID_SIZE + 1 + 2 * API_TOKEN_SECRET_SIZE] = 0;
	return text + 5;
}

static const struct digest ca = {{1}}, one = {{2}}, two = {{3}};

static void lives_and_dies(void **state)
{
	char text[TOKEN_TEXT_SIZE], id[2 * API_TOKEN_ID_SIZE + 1];
	struct token t, again;
	struct why why = {""};
	const char *p;

	(void)state;
	assert_int_equal(token_create(&on, "pc-1", INT64_MAX / 2, &ca, text, id), 0);
	assert_memory_equal(text, "SEK1.", 5);
	assert_int_equal(strlen(text), TOKEN_TEXT_SIZE - 1);
	p = presented(text);
	assert_int_equal(token_check(&on, p, "pc-1", &one, 5, &t, &why), 0);
	assert_string_equal(t.id, id);
	assert_false(t.used);
	assert_int_equal(token_check(&on, p, "pc-2", &one, 5, &t, &why), V_DENIED);
	assert_non_null(strstr(why.text, "another name"));
	assert_int_equal(token_check(&on, p, "pc-1", &one, INT64_MAX / 2 + 1, &t, &why), V_DENIED);
	assert_non_null(strstr(why.text, "expired"));

	assert_int_equal(token_check(&on, p, "pc-1", &one, 5, &t, &why), 0);
	assert_int_equal(token_use(&on, &t, &one, &why), 0);
	/* Both had found it unused. */
	assert_int_equal(token_use(&on, &t, &two, &why), V_DENIED);
	assert_int_equal(token_use(&on, &t, &one, &why), 0);
	assert_int_equal(token_check(&on, p, "pc-1", &two, 5, &again, &why), V_DENIED);
	assert_non_null(strstr(why.text, "another PC"));
	assert_int_equal(token_check(&on, p, "pc-1", &one, 5, &again, &why), 0);
	assert_true(again.used);
	assert_true(digest_eq(&again.used_by, &one));
}

static void malformed(void **state)
{
	static const char *const bad[] = {"", ".", "x", "0123456789abcdef", "0123456789abcdef.",
		"../../../../etc/pass.", "0123456789abcdef.0123456789abcdef0123456789abcde",
		"0123456789abcdeF.0123456789abcdef0123456789abcdef",
		"0123456789abcdef.0123456789abcdef0123456789abcdefa",
		"../../aaaaaaaaaa.0123456789abcdef0123456789abcdef"};
	struct why why;
	struct token t;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(token_check(&on, bad[i], "a", &one, 5, &t, &why), V_DENIED);
}

static void secret_is_not_there(void **state)
{
	char text[TOKEN_TEXT_SIZE], id[2 * API_TOKEN_ID_SIZE + 1], path[160], other[256];
	_cleanup_buf_ struct buf b = BUF_INIT(4096);
	struct token t;
	struct why why;
	const char *p;

	(void)state;
	assert_int_equal(token_create(&on, NULL, INT64_MAX / 2, &ca, text, id), 0);
	p = presented(text);
	snprintf(path, sizeof(path), "%s/%s", dir, id);
	assert_int_equal(file_read(path, &b), 0);
	assert_non_null(buf_str(&b));
	assert_null(strstr((const char *)b.p, p + 2 * API_TOKEN_ID_SIZE + 1));
	/* The right id with a wrong secret. */
	snprintf(other, sizeof(other), "%s", p);
	other[strlen(other) - 1] = other[strlen(other) - 1] == '0' ? '1' : '0';
	assert_int_equal(token_check(&on, other, "a", &one, 5, &t, &why), V_DENIED);
	assert_int_equal(token_check(&on, p, "any name", &one, 5, &t, &why), 0);
}

static void damaged(void **state)
{
	static const char *const bad[] = {"", "sekisho-token 1\n",
		"sekisho-token 1\nsecret 00\nexpires 5\nused -\nname \n",
		"sekisho-token 2\nsecret 0000000000000000000000000000000000000000000000000000000000000000\nexpires "
		"5\nused "
		"-\nname \n",
		"sekisho-token 1\nsecret 0000000000000000000000000000000000000000000000000000000000000000\nexpires "
		"x\nused "
		"-\nname \n",
		"sekisho-token 1\nsecret 0000000000000000000000000000000000000000000000000000000000000000\nexpires "
		"5\nused "
		"00\nname \n",
		"sekisho-token 1\nsecret 0000000000000000000000000000000000000000000000000000000000000000\nexpires "
		"5\nused "
		"-\nname unfinished"};
	char path[160];
	struct token t;
	struct why why;
	size_t i;

	(void)state;
	snprintf(path, sizeof(path), "%s/0123456789abcdef", dir);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(file_replace(path, SPAN_STR(bad[i]), 0600), 0);
		assert_int_equal(
			token_check(&on, "0123456789abcdef.00000000000000000000000000000000", "a", &one, 1, &t, &why),
			V_DENIED);
	}
}

static int count(void *ctx, const struct token *t)
{
	(void)t;
	++*(unsigned *)ctx;
	return 0;
}

static void listing(void **state)
{
	char text[TOKEN_TEXT_SIZE], id[2 * API_TOKEN_ID_SIZE + 1], path[160];
	struct why why;
	struct token t;
	unsigned n = 0;

	(void)state;
	assert_int_equal(token_create(&on, NULL, 1000, &ca, text, id), 0);
	assert_int_equal(token_create(&on, NULL, INT64_MAX / 2, &ca, text, id), 0);
	assert_int_equal(token_check(&on, presented(text), "a", &one, 5, &t, &why), 0);
	assert_int_equal(token_use(&on, &t, &one, &why), 0);
	assert_int_equal(token_create(&on, NULL, INT64_MAX / 2, &ca, text, id), 0);
	assert_int_equal(token_each(&on, 2000, count, &n), 0);
	assert_int_equal(n, 1); /* one expired, one used */
	snprintf(path, sizeof(path), "%s/%s", dir, id);
	assert_int_equal(access(path, F_OK), 0);
}

static void names(void **state)
{
	char long_name[200];

	(void)state;
	assert_true(name_fits("pc-17"));
	assert_true(name_fits("花子のPC"));
	assert_true(name_fits("a b"));
	assert_false(name_fits(""));
	assert_false(name_fits("a\nb"));
	assert_false(name_fits("a\x7f"));
	assert_false(name_fits("\xff"));
	memset(long_name, 'a', sizeof(long_name));
	long_name[127] = 0;
	assert_true(name_fits(long_name));
	long_name[127] = 'a';
	long_name[128] = 0;
	assert_false(name_fits(long_name));
	long_name[64] = 0;
	assert_false(name_fits(long_name)); /* an id */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lives_and_dies, begin, end),
		cmocka_unit_test_setup_teardown(malformed, begin, end),
		cmocka_unit_test_setup_teardown(secret_is_not_there, begin, end),
		cmocka_unit_test_setup_teardown(damaged, begin, end),
		cmocka_unit_test_setup_teardown(listing, begin, end),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
