/* What was looked into comes as it was put; what is no such word is refused; only root may say it, and never waits. */
#include "agent/service/look.h"
#include "agent/service/word.h"
#include "tests/unit/cm.h"
#include "tests/unit/service/root.h"
#include <sys/socket.h>
#include <sys/stat.h>

static const struct look_word word = {.dev_major = 8,
	.dev_minor = 17,
	.inode = 1ull << 40,
	.size = 1ull << 33,
	.begun_us = 1ll << 50,
	.ended_us = (1ll << 50) + 7,
	.has_hash = true,
	.hash = {{1, 2, 3}}};

static void comes_as_it_was_put(void **state)
{
	struct look_word got, none = word;
	uint8_t room[LOOK_WORD_SIZE], again[LOOK_WORD_SIZE];

	(void)state;
	look_put(&word, room);
	assert_int_equal(look_get(SPAN(room, sizeof(room)), &got), 0);
	look_put(&got, again);
	assert_memory_equal(again, room, sizeof(room));
	assert_true(got.inode == word.inode && got.size == word.size && got.begun_us == word.begun_us &&
		    got.ended_us == word.ended_us);
	assert_true(got.dev_major == word.dev_major && got.dev_minor == word.dev_minor && got.has_hash);
	assert_memory_equal(got.hash.b, word.hash.b, sizeof(got.hash.b));
	/* a hash that is none is not told */
	none.has_hash = false;
	look_put(&none, room);
	assert_int_equal(look_get(SPAN(room, sizeof(room)), &got), 0);
	assert_false(got.has_hash);
	assert_int_equal(got.hash.b[0], 0);
}

static void what_is_no_word_is_refused(void **state)
{
	uint8_t room[LOOK_WORD_SIZE + 1] = {0};
	struct look_word got;
	size_t n;

	(void)state;
	look_put(&word, room);
	for (n = 0; n < LOOK_WORD_SIZE; n++)
		assert_int_equal(look_get(SPAN(room, n), &got), V_BAD);
	assert_int_equal(look_get(SPAN(room, sizeof(room)), &got), V_BAD);
	room[0] |= 2;
	assert_int_equal(look_get(SPAN(room, LOOK_WORD_SIZE), &got), V_BAD);
	room[0] = 1;
	room[39] = 0x80; /* a time before there was one */
	assert_int_equal(look_get(SPAN(room, LOOK_WORD_SIZE), &got), V_BAD);
}

static void nobody_waits(void **state)
{
	uint8_t room[LOOK_WORD_SIZE + 1];
	struct look_word got;
	struct stat st;
	char path[96];
	int from, to, r, n = 0;

	(void)state;
	assert_int_equal(word_sender(&from), 0);
	assert_false(word_heard(LOOK_PATH));
	assert_int_equal(look_send(from, &word), V_NOT_FOUND);
	assert_int_equal(look_listen(&to), 0);
	assert_true(word_heard(LOOK_PATH));
	snprintf(path, sizeof(path), "%s" LOOK_PATH, place);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	while (!(r = look_send(from, &word)))
		n++;
	assert_int_equal(r, V_FULL);
	assert_true(n > 0);
	for (; n; n--) {
		assert_int_equal(recv(to, room, sizeof(room), 0), LOOK_WORD_SIZE);
		assert_int_equal(look_get(SPAN(room, LOOK_WORD_SIZE), &got), 0);
	}
	/* who asks whether somebody listens has said nothing */
	assert_int_equal(recv(to, room, sizeof(room), 0), -1);
	/* whoever listened last has it, and one that ended is nobody */
	close(to);
	assert_false(word_heard(LOOK_PATH));
	assert_int_equal(look_listen(&to), 0);
	assert_int_equal(look_send(from, &word), 0);
	look_unlisten(&to);
	assert_int_equal(look_send(from, &word), V_NOT_FOUND);
	closep(&from);
}

/* Who is neither root nor the sender's user was there before the recorder: he hears nothing. */
static void others_hear_nothing(void **state)
{
	uint8_t room[LOOK_WORD_SIZE];
	char path[96];
	int from, to;

	(void)state;
	if (geteuid())
		skip(); /* a socket is given away by root */
	assert_int_equal(word_sender(&from), 0);
	assert_int_equal(look_listen(&to), 0);
	snprintf(path, sizeof(path), "%s" LOOK_PATH, place);
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_false(word_heard(LOOK_PATH));
	assert_int_equal(look_send(from, &word), V_NOT_FOUND);
	assert_int_equal(recv(to, room, sizeof(room), 0), -1);
	assert_int_equal(chown(path, 0, 12345), 0);
	assert_int_equal(look_send(from, &word), 0);
	look_unlisten(&to);
	closep(&from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_as_it_was_put),
		cmocka_unit_test(what_is_no_word_is_refused),
		cmocka_unit_test(nobody_waits),
		cmocka_unit_test(others_hear_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
