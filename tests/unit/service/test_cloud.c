/* What is told of a file in a cloud folder comes as it was put; what is no such word is refused, and a sender never
 * waits. */
#include "agent/service/cloud.h"
#include "tests/unit/cm.h"
#include "tests/unit/service/root.h"
#include <sys/socket.h>
#include <sys/stat.h>

static const struct cloud_word word = {.dev_major = 254,
	.dev_minor = 3,
	.inode = 1ull << 40,
	.pid = 7,
	.uid = 1000,
	.login_uid = UINT32_MAX,
	.moved = true,
	.path = {(const uint8_t *)"/home/taro/Box/個人.csv", 25},
	.program = {(const uint8_t *)"/bin/mv", 7}};

static void comes_as_it_was_put(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CLOUD_WORD_MAX);
	struct cloud_word got, none = word;

	(void)state;
	assert_int_equal(cloud_put(&word, &b), 0);
	assert_int_equal(cloud_get(buf_span(&b), &got), 0);
	assert_true(got.dev_major == 254 && got.dev_minor == 3 && got.inode == 1ull << 40 && got.pid == 7);
	assert_true(got.uid == 1000 && got.login_uid == UINT32_MAX && got.moved);
	assert_true(span_eq(got.path, word.path) && span_eq(got.program, word.program));
	none.moved = false;
	none.program.n = 0;
	assert_int_equal(cloud_put(&none, &b), 0);
	assert_int_equal(cloud_get(buf_span(&b), &got), 0);
	assert_true(!got.moved && !got.program.n);
}

static void what_is_no_word_is_refused(void **state)
{
	static uint8_t long_path[4097] = {'/'};
	_cleanup_buf_ struct buf b = BUF_INIT(CLOUD_WORD_MAX);
	struct cloud_word got, w = word;
	size_t n;

	(void)state;
	assert_int_equal(cloud_put(&word, &b), 0);
	for (n = 0; n < b.n; n++)
		assert_int_equal(cloud_get(SPAN(b.p, n), &got), V_BAD);
	b.p[0] |= 2; /* a flag that nobody knows */
	assert_int_equal(cloud_get(buf_span(&b), &got), V_BAD);
	b.p[0] &= (uint8_t)~2;
	b.p[b.n - 1] = 0; /* a name with a NUL */
	assert_int_equal(cloud_get(buf_span(&b), &got), V_BAD);
	w.path = SPAN("home", 4);
	assert_int_equal(cloud_put(&w, &b), V_BAD);
	w.path = SPAN(long_path, sizeof(long_path));
	assert_int_equal(cloud_put(&w, &b), V_BAD);
}

static void nobody_waits(void **state)
{
	static uint8_t room[CLOUD_WORD_MAX];
	struct cloud_word got;
	struct stat st;
	char path[96];
	int from, to, r, n = 0;

	(void)state;
	assert_int_equal(cloud_sender(&from), 0);
	assert_int_equal(cloud_send(from, &word), V_NOT_FOUND);
	assert_int_equal(cloud_listen(getgid(), &to), 0);
	snprintf(path, sizeof(path), "%s" CLOUD_PATH, place);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0620);
	while (!(r = cloud_send(from, &word)))
		n++;
	assert_int_equal(r, V_FULL);
	assert_true(n > 0);
	for (; n; n--) {
		ssize_t got_n = recv(to, room, sizeof(room), 0);

		assert_true(got_n > 0);
		assert_int_equal(cloud_get(SPAN(room, (size_t)got_n), &got), 0);
	}
	assert_int_equal(cloud_send(from, &word), 0);
	cloud_unlisten(&to);
	assert_int_equal(cloud_send(from, &word), V_NOT_FOUND);
	closep(&from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_as_it_was_put),
		cmocka_unit_test(what_is_no_word_is_refused),
		cmocka_unit_test(nobody_waits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
