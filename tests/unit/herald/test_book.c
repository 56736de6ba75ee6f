/* What the herald must not forget: memories of rules, words, messages; and that all of a transaction is there, or none.
 */
#include "collector/herald/book.h"
#include "tests/unit/cm.h"
#include <stdlib.h>
#include <unistd.h>

#define MINUTE INT64_C(60000000)

static char path[64];
static struct book *b;
static struct plan p;

static int begin(void **state)
{
	static const char text[] = "rules:\n  - {name: a, when: {kind: file}, count: 3, within: 10m, again: 1h}\n"
				   "  - {name: b, when: {kind: file}}\n"
				   "send:\n  - {name: x, webhook: 'https://x/', least: warning}\n  - {name: y, "
				   "webhook: 'https://y/', rules: b}\n";
	struct why why;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/sekisho-book-XXXXXX");
	fd = mkstemp(path);
	if (fd >= 0)
		close(fd);
	return fd < 0 || plan_read(&p, "x", SPAN_STR(text), &why) || book_open(path, &b);
}

static int end(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char name[80];
	size_t i;

	(void)state;
	book_close(b);
	plan_deinit(&p);
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	return 0;
}

static struct digest key(const char *s)
{
	struct digest d;

	digest_span(&d, SPAN_STR(s));
	return d;
}

static void numbers(void **state)
{
	int64_t v;

	(void)state;
	assert_int_equal(book_get(b, "leaf", -1, &v), 0);
	assert_int_equal(v, -1);
	assert_int_equal(book_begin(b), 0);
	assert_int_equal(book_set(b, "leaf", 7), 0);
	assert_int_equal(book_commit(b), 0);
	/* What is not committed is not there, as after a crash. */
	assert_int_equal(book_begin(b), 0);
	assert_int_equal(book_set(b, "leaf", 8), 0);
	book_rollback(b);
	book_close(b);
	assert_int_equal(book_open(path, &b), 0);
	assert_int_equal(book_get(b, "leaf", -1, &v), 0);
	assert_int_equal(v, 7);
}

static void who_was_heard_of(void **state)
{
	struct digest pc = key("pc"), nobody = key("nobody");
	struct heard h[4];

	(void)state;
	assert_int_equal(book_heard(b, &pc, h, 4), 0);
	assert_int_equal(h[0].at_us, 0);
	assert_int_equal(book_hear(b, &pc, 1, 10 * MINUTE, 20 * MINUTE, false), 0);
	assert_int_equal(book_hear(b, &pc, 2, 25 * MINUTE, 20 * MINUTE, true), 0);
	assert_int_equal(book_hear(b, &pc, 1, 40 * MINUTE, 20 * MINUTE, false), 0);
	assert_int_equal(book_heard(b, &pc, h, 4), 0);
	/* The recorder was not heard of for half an hour; the PC was. */
	assert_int_equal(h[1].at_us, 40 * MINUTE);
	assert_int_equal(h[1].since_us, 40 * MINUTE);
	assert_int_equal(h[2].at_us, 25 * MINUTE);
	assert_true(h[2].last && !h[1].last);
	assert_int_equal(h[0].at_us, 40 * MINUTE);
	assert_int_equal(h[0].since_us, 10 * MINUTE);
	assert_int_equal(h[3].at_us, 0);
	/* A clock that was set back begins anew. */
	assert_int_equal(book_hear(b, &pc, 2, 5 * MINUTE, 20 * MINUTE, false), 0);
	assert_int_equal(book_heard(b, &pc, h, 4), 0);
	assert_int_equal(h[0].since_us, 5 * MINUTE);
	assert_false(h[2].last);
	assert_int_equal(book_heard(b, &nobody, h, 4), 0);
	assert_int_equal(h[0].at_us, 0);
}

static unsigned sleepers_n;

static int on_sleeper(void *ctx, const struct digest *host, int64_t since_us)
{
	const struct pc_time *said = ctx;
	struct digest pc = key("pc");

	assert_true(digest_eq(host, &pc));
	assert_int_equal(since_us, said->wall_us);
	sleepers_n++;
	return 0;
}

static void who_sleeps(void **state)
{
	const struct pc_time said = {.boot = "life 1", .boot_us = 100 * MINUTE, .wall_us = 900 * MINUTE};
	struct pc_time at = said;
	struct digest pc = key("pc"), other = key("other");
	bool yes;

	(void)state;
	assert_int_equal(book_asleep(b, &pc, &yes), 0);
	assert_false(yes);
	assert_int_equal(book_sleeps(b, &pc, &said), 0);
	assert_int_equal(book_asleep(b, &other, &yes), 0);
	assert_false(yes);
	/* What was sealed before it comes later, whatever the wall clock says of it; and what ran sealed what it had.
	 */
	at.boot_us = 40 * MINUTE;
	at.wall_us = 990 * MINUTE;
	assert_int_equal(book_stirs(b, &pc, &at), 0);
	at.boot_us = 101 * MINUTE;
	assert_int_equal(book_stirs(b, &pc, &at), 0);
	/* So does what a life before had; another PC's is nothing to it. */
	memcpy(at.boot, "life 0", 7);
	at.wall_us = 800 * MINUTE;
	at.boot_us = 7000 * MINUTE;
	assert_int_equal(book_stirs(b, &pc, &at), 0);
	at.wall_us = 990 * MINUTE;
	assert_int_equal(book_stirs(b, &other, &at), 0);
	book_close(b);
	assert_int_equal(book_open(path, &b), 0);
	assert_int_equal(book_asleep(b, &pc, &yes), 0);
	assert_true(yes);
	sleepers_n = 0;
	assert_int_equal(book_sleepers(b, on_sleeper, (void *)(uintptr_t)&said), 0);
	assert_int_equal(sleepers_n, 1);
	/* It was started anew: it does not sleep. */
	memcpy(at.boot, "life 2", 7);
	at.boot_us = MINUTE;
	assert_int_equal(book_stirs(b, &pc, &at), 0);
	assert_int_equal(book_asleep(b, &pc, &yes), 0);
	assert_false(yes);
	/* It ran on, whatever its wall clock was set to. */
	assert_int_equal(book_sleeps(b, &pc, &said), 0);
	at = said;
	at.boot_us += MINUTE + 1;
	at.wall_us = 0;
	assert_int_equal(book_stirs(b, &pc, &at), 0);
	assert_int_equal(book_asleep(b, &pc, &yes), 0);
	assert_false(yes);
	assert_int_equal(book_sleeps(b, &pc, &said), 0);
	assert_int_equal(book_sleeps(b, &pc, &at), 0);
	assert_int_equal(book_woke(b, &pc), 0);
	assert_int_equal(book_asleep(b, &pc, &yes), 0);
	assert_false(yes);
}

static void memories(void **state)
{
	const struct rule *a = &p.rules[0];
	struct digest k = key("k"), other = key("other");
	uint64_t n;
	bool yes;

	(void)state;
	assert_int_equal(book_rule(b, a, &yes), 0);
	assert_true(yes);
	assert_int_equal(book_rule(b, a, &yes), 0);
	assert_false(yes);
	assert_int_equal(book_first(b, "a", &k, &yes), 0);
	assert_true(yes);
	assert_int_equal(book_first(b, "a", &k, &yes), 0);
	assert_false(yes);
	assert_int_equal(book_first(b, "b", &k, &yes), 0);
	assert_true(yes);
	/* Three within ten minutes, by their own times, in whatever order they come. */
	assert_int_equal(book_count(b, a, &k, 20 * MINUTE, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(book_count(b, a, &other, 20 * MINUTE, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(book_count(b, a, &k, 31 * MINUTE, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(book_count(b, a, &k, 25 * MINUTE, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(book_count(b, a, &k, 32 * MINUTE, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(book_count(b, a, &k, 33 * MINUTE, &n), 0);
	assert_int_equal(n, 1);
	/* Quiet for an hour, before and after. */
	assert_int_equal(book_quiet(b, a, &k, 100 * MINUTE, &yes), 0);
	assert_false(yes);
	assert_int_equal(book_quiet(b, a, &k, 159 * MINUTE, &yes), 0);
	assert_true(yes);
	assert_int_equal(book_quiet(b, a, &k, 41 * MINUTE, &yes), 0);
	assert_true(yes);
	assert_int_equal(book_quiet(b, a, &other, 159 * MINUTE, &yes), 0);
	assert_false(yes);
	assert_int_equal(book_quiet(b, a, &k, 160 * MINUTE, &yes), 0);
	assert_false(yes);
	/* Another rule of this name remembers nothing. */
	p.rules[0].hash.b[0] ^= 1;
	assert_int_equal(book_rule(b, a, &yes), 0);
	assert_true(yes);
	assert_int_equal(book_first(b, "a", &k, &yes), 0);
	assert_true(yes);
	p.rules[0].hash.b[0] ^= 1;
}

static void messages(void **state)
{
	struct word w = {.kind = KIND_ALERT,
			    .alert = {1},
			    .severity = SEVERITY_NOTE,
			    .rule = SPAN_STR("a"),
			    .title = SPAN_STR("甲"),
			    .user = SPAN("\xff", 1),
			    .has_host = true,
			    .time_us = 5,
			    .count = 3,
			    .about = 32769},
		    got;
	struct message m;
	uint64_t n;

	(void)state;
	/* A note of rule a: nobody. A warning of it: x. A note of b: y. */
	assert_int_equal(book_say(b, &p, &w), 0);
	w.severity = SEVERITY_WARNING;
	assert_int_equal(book_say(b, &p, &w), 0);
	w.severity = SEVERITY_NOTE;
	w.rule = SPAN_STR("b");
	assert_int_equal(book_say(b, &p, &w), 0);
	/* Nothing goes out that is not told. */
	assert_int_equal(book_due(b, "x", INT64_MAX, &m), V_END);
	assert_int_equal(book_untold(b, 0, &got), 0);
	assert_int_equal(got.about, 32769);
	assert_true(span_eq(got.user, SPAN("\xff", 1)));
	assert_true(got.has_host);
	assert_int_equal(book_told(b, got.n), 0);
	assert_int_equal(book_word(b, 1, &got), V_NOT_FOUND);
	assert_int_equal(book_untold(b, 0, &got), 0);
	assert_int_equal(got.n, 2);
	assert_int_equal(book_told(b, 2), 0);
	assert_int_equal(book_told(b, 3), 0);
	assert_int_equal(book_untold(b, 0, &got), V_END);
	assert_int_equal(book_due(b, "x", 1, &m), 0);
	assert_int_equal(m.word, 2);
	assert_int_equal(book_failed(b, &m, 50), 0);
	assert_int_equal(book_due(b, "x", 49, &m), V_END);
	assert_int_equal(book_due(b, "x", 50, &m), 0);
	assert_int_equal(m.attempts, 1);
	assert_int_equal(book_word(b, m.word, &got), 0);
	assert_int_equal(book_sent(b, &m), 0);
	assert_int_equal(book_word(b, 2, &got), V_NOT_FOUND);
	assert_int_equal(book_due(b, "x", INT64_MAX, &m), V_END);
	assert_int_equal(book_due(b, "y", INT64_MAX, &m), 0);
	/* A target that the plan has no more. */
	assert_int_equal(book_tidy(b, &p, &n), 0);
	assert_int_equal(n, 1);
	p.targets_n = 1;
	assert_int_equal(book_tidy(b, &p, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(book_word(b, 3, &got), V_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers, begin, end),
		cmocka_unit_test_setup_teardown(who_was_heard_of, begin, end),
		cmocka_unit_test_setup_teardown(who_sleeps, begin, end),
		cmocka_unit_test_setup_teardown(memories, begin, end),
		cmocka_unit_test_setup_teardown(messages, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
