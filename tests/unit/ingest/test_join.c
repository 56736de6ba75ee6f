/* A request to join: signed by the device key over name and certificate, and nothing else is one. */
#include "collector/ingest/join.h"
#include "policy/base/text.h"
#include "tests/unit/cm.h"

static struct key *device;
static struct digest id;

static int begin(void **state)
{
	(void)state;
	return key_new(KEY_P256, &device) || key_id(device, &id);
}

static int end(void **state)
{
	(void)state;
	key_free(device);
	return 0;
}

/* The request with a part of it in another's place. */
static int changed(const char *from, const char *to, struct why *why)
{
	_cleanup_(join_request_deinit) struct join_request q = {.json = NULL};
	_cleanup_buf_ struct buf b = BUF_INIT(16384), other = BUF_INIT(16384);
	const char *at;

	assert_int_equal(join_request_write(device, "collector/two", "-----BEGIN", &b), 0);
	at = strstr(buf_str(&b), from);
	assert_non_null(at);
	assert_int_equal(buf_put(&other, b.p, (size_t)(at - (const char *)b.p)), 0);
	assert_int_equal(buf_puts(&other, to), 0);
	assert_int_equal(buf_puts(&other, at + strlen(from)), 0);
	return join_request_read(buf_span(&other), &id, &q, why);
}

static void read_back(void **state)
{
	_cleanup_(join_request_deinit) struct join_request q = {.json = NULL};
	_cleanup_buf_ struct buf b = BUF_INIT(16384);
	struct why why = {""};

	(void)state;
	assert_int_equal(join_request_write(device, "collector/two", "-----BEGIN", &b), 0);
	assert_int_equal(join_request_read(buf_span(&b), &id, &q, &why), 0);
	assert_string_equal(q.name, "collector/two");
	assert_string_equal(q.certificate, "-----BEGIN");
	assert_memory_equal(q.id.b, id.b, DIGEST_SIZE);
}

static void what_is_none(void **state)
{
	_cleanup_(join_request_deinit) struct join_request q = {.json = NULL};
	_cleanup_buf_ struct buf b = BUF_INIT(32768);
	static const char *const bad[] = {"", "{", "[]", "{}", "null",
		"{\"name\":\"collector/x\",\"key\":\"\",\"proof\":\"\",\"certificate\":\"\"}",
		"{\"name\":5,\"key\":[],\"proof\":null,\"certificate\":{}}"};
	struct digest other = {{7}};
	struct why why = {""};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(join_request_read(SPAN_STR(bad[i]), &id, &q, &why), V_BAD);
	assert_int_equal(changed("collector/two", "collector/one", &why), V_BAD);
	assert_non_null(strstr(why.text, "did not sign"));
	/* A PC's name, and one with an end in it. */
	assert_int_equal(changed("collector/two", "pc-17", &why), V_BAD);
	assert_int_equal(changed("collector/two", "collector/two\\u0000x", &why), V_BAD);
	assert_int_equal(changed("-----BEGIN", "-----BEGIM", &why), V_BAD);
	/* Under another id than the key's own. */
	assert_int_equal(join_request_write(device, "collector/two", "-----BEGIN", &b), 0);
	assert_int_equal(join_request_read(buf_span(&b), &other, &q, &why), V_BAD);
	while (b.n < 20000)
		assert_int_equal(buf_puts(&b, "                    "), 0);
	assert_int_equal(join_request_read(buf_span(&b), &id, &q, &why), V_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(read_back), cmocka_unit_test(what_is_none)};

	return cmocka_run_group_tests(tests, begin, end);
}
