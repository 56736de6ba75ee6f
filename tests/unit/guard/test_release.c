/*
 * Releases as the guard keeps them: for one plugging of one device, ended by its time, its boot or its unplugging; what
 * is kept over restarts; waits and the daily limit, whatever the wall clock says. The administrator's side is the real
 * one.
 */
#include "agent/guard/release.h"
#include "agent/guard/release_parts.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "tests/unit/cm.h"
#include <stdlib.h>
#include <sys/stat.h>

#define MINUTE_US 60000000ll

static char folder[] = "/tmp/sekisho-release-XXXXXX";
static struct key *pc, *office;
static char office_text[256];
static struct release *r;
static int64_t now; /* boot clock */

static const struct device stick = {.usb = true, .vendor = 0x0951, .product = 0x1666, .serial = "A1"};
static const struct device nameless = {.usb = true, .vendor = 0x0951, .product = 0x1666};

static void path_of(char out[64], const char *name)
{
	snprintf(out, 64, "%s/%s", folder, name);
}

/* The guard starts (again). */
static void start(const char *why_says)
{
	struct why why = {""};

	release_free(r);
	r = NULL;
	assert_int_equal(release_new(folder, pc, &r, &why), 0);
	if (why_says ? !strstr(why.text, why_says) : why.text[0])
		fail_msg("says: %s", why.text);
	assert_int_equal(release_policy(r, office_text, 8 * 3600, 3, &why), 0);
	now = clock_boot_us();
}

static int begin(void **state)
{
	struct buf der = BUF_INIT(512), text = BUF_INIT(512);
	char path[64];

	(void)state;
	if (!pc) {
		assert_non_null(mkdtemp(folder));
		assert_int_equal(key_new(KEY_P256, &pc), 0);
		assert_int_equal(key_new(KEY_P256, &office), 0);
		assert_int_equal(key_public_der(office, &der), 0);
		assert_int_equal(base64_encode(&text, buf_span(&der)), 0);
		snprintf(office_text, sizeof(office_text), "%s", buf_str(&text));
		buf_deinit(&der);
		buf_deinit(&text);
	}
	path_of(path, "release");
	unlink(path);
	path_of(path, "release.bad");
	unlink(path);
	start(NULL);
	return 0;
}

static int ask(const struct device *d, uint64_t plugging, char out[RELEASE_TEXT_SIZE], struct why *why)
{
	struct buf text = BUF_INIT(256);
	int e = release_challenge(r, d, plugging, now, &text, why);

	if (!e)
		snprintf(out, RELEASE_TEXT_SIZE, "%s", buf_str(&text));
	buf_deinit(&text);
	return e;
}

/* What an administrator with this key says to a challenge of that PC's. */
static void answer_of(const struct key *release_key, const struct key *host_key, const char *challenge, unsigned units,
	char out[RELEASE_TEXT_SIZE])
{
	const struct release_terms terms = {.write = true, .units = units};
	uint8_t secret[SECRET_SIZE];
	struct release_challenge ch;
	struct digest host;
	struct why why;

	assert_int_equal(release_challenge_parse(challenge, &ch, &why), 0);
	assert_int_equal(key_id(host_key, &host), 0);
	assert_int_equal(release_secret(release_key, host_key, secret), 0);
	assert_int_equal(release_answer_text(secret, &host, &ch, &terms, out), 0);
}

static void answer_to(const char *challenge, unsigned units, char out[RELEASE_TEXT_SIZE])
{
	answer_of(office, pc, challenge, units, out);
}

static int released(const struct device *d, uint64_t plugging, unsigned units, struct why *why)
{
	char challenge[RELEASE_TEXT_SIZE], text[RELEASE_TEXT_SIZE];
	struct release_grant g;
	int e = ask(d, plugging, challenge, why);

	if (e)
		return e;
	answer_to(challenge, units, text);
	return release_answer(r, text, now, &g, why);
}

static bool is_active(const struct device *d, uint64_t plugging)
{
	struct release_grant g;

	return !release_active(r, d, plugging, now, &g);
}

static uint64_t here_n;
static unsigned ended, ended_here;

static bool here(void *ctx, uint64_t plugging)
{
	(void)ctx;
	return plugging == here_n;
}

static void on_end(void *ctx, const struct release_grant *g, bool is_here)
{
	(void)ctx;
	(void)g;
	ended++;
	ended_here += is_here;
}

static void for_one_plugging_of_one_device(void **state)
{
	struct device other = stick;
	struct why why = {""};

	(void)state;
	assert_int_equal(released(&nameless, 7, 4, &why), 0);
	assert_true(is_active(&nameless, 7));
	/* Another one of the model, also without a serial number; the same one plugged in again; another device there.
	 */
	assert_false(is_active(&nameless, 8));
	assert_false(is_active(&stick, 7));
	snprintf(other.serial, sizeof(other.serial), "A2");
	assert_int_equal(released(&stick, 9, 4, &why), 0);
	assert_true(is_active(&stick, 9));
	assert_false(is_active(&stick, 10));
	assert_false(is_active(&other, 9));
	assert_true(is_active(&nameless, 7));
	/* The guard is started again: nothing is lost, nothing is won. */
	start(NULL);
	assert_true(is_active(&nameless, 7));
	assert_true(is_active(&stick, 9));
	assert_false(is_active(&stick, 10));
}

static void ends_by_time_or_unplugging(void **state)
{
	struct why why = {""};
	char challenge[RELEASE_TEXT_SIZE], text[RELEASE_TEXT_SIZE];
	struct release_grant g;

	(void)state;
	ended = ended_here = 0;
	here_n = 7;
	assert_int_equal(released(&stick, 7, 1, &why), 0);
	assert_true(release_expire(r, now, here, on_end, NULL) == now + 15 * MINUTE_US);
	assert_int_equal(ended, 0);
	now += 15 * MINUTE_US;
	assert_false(is_active(&stick, 7));
	assert_true(release_expire(r, now, here, on_end, NULL) == INT64_MAX);
	assert_int_equal(ended, 1);
	assert_int_equal(ended_here, 1);
	assert_int_equal(released(&stick, 7, 4, &why), 0);
	assert_int_equal(ask(&stick, 7, challenge, &why), 0);
	answer_to(challenge, 4, text);
	here_n = 8; /* it was pulled, and is plugged in anew */
	release_expire(r, now, here, on_end, NULL);
	assert_int_equal(ended, 2);
	assert_int_equal(ended_here, 1);
	assert_false(is_active(&stick, 7));
	/* And so is the challenge that was made for it, also after a restart. */
	assert_int_equal(release_answer(r, text, now, &g, &why), V_NOT_FOUND);
	start(NULL);
	assert_int_equal(release_answer(r, text, now, &g, &why), V_NOT_FOUND);
}

static void good_once(void **state)
{
	char challenge[RELEASE_TEXT_SIZE], text[RELEASE_TEXT_SIZE];
	struct release_grant g;
	struct why why = {""};

	(void)state;
	assert_int_equal(ask(&stick, 7, challenge, &why), 0);
	answer_to(challenge, 96, text);
	start(NULL); /* between question and answer */
	assert_int_equal(release_answer(r, text, now, &g, &why), 0);
	assert_int_equal(g.access, ACCESS_READ_WRITE);
	assert_true(g.until_boot_us == now + 8 * 3600 * 1000000ll); /* 24 hours, but for the policy's bound */
	assert_int_equal(release_answer(r, text, now, &g, &why), V_NOT_FOUND);
	start(NULL);
	assert_int_equal(release_answer(r, text, now, &g, &why), V_NOT_FOUND);
	assert_int_equal(ask(&stick, 7, challenge, &why), 0);
	assert_int_equal(release_answer(r, text, now, &g, &why), RELEASE_WRONG);
}

/* For another PC, though it may have asked the very same; and by whoever has a release key, but not the policy's. */
static void worthless_elsewhere(void **state)
{
	char challenge[RELEASE_TEXT_SIZE], text[RELEASE_TEXT_SIZE];
	struct key *other = NULL;
	struct release_grant g;
	struct why why = {""};

	(void)state;
	assert_int_equal(key_new(KEY_P256, &other), 0);
	assert_int_equal(ask(&stick, 7, challenge, &why), 0);
	answer_of(office, other, challenge, 1, text);
	assert_int_equal(release_answer(r, text, now, &g, &why), RELEASE_WRONG);
	answer_of(other, pc, challenge, 1, text);
	assert_int_equal(release_answer(r, text, now, &g, &why), RELEASE_WRONG);
	assert_false(is_active(&stick, 7));
	answer_to(challenge, 1, text);
	assert_int_equal(release_answer(r, text, now, &g, &why), 0);
	key_free(other);
}

static void answer_wrongly(unsigned times)
{
	char challenge[RELEASE_TEXT_SIZE], text[RELEASE_TEXT_SIZE];
	struct release_challenge other = {{0}, {0}, {0}};
	struct release_grant g;
	struct why why;

	assert_int_equal(ask(&stick, 7, challenge, &why), 0);
	release_challenge_text(&other, challenge);
	answer_to(challenge, 1, text);
	while (times--)
		assert_int_equal(release_answer(r, text, now, &g, &why), RELEASE_WRONG);
}

static void guessing_waits_longer_and_longer(void **state)
{
	char challenge[RELEASE_TEXT_SIZE];
	struct why why = {""};
	unsigned i;

	(void)state;
	answer_wrongly(3);
	start(NULL);
	answer_wrongly(2); /* another challenge is no way around, and neither is a restart */
	assert_int_equal(ask(&stick, 7, challenge, &why), V_AGAIN);
	start(NULL);
	assert_int_equal(ask(&stick, 7, challenge, &why), V_AGAIN);
	now += MINUTE_US + 1000000;
	for (i = 0; i < 6; i++) {
		answer_wrongly(5);
		now += 59 * MINUTE_US;
	}
	assert_int_equal(ask(&stick, 7, challenge, &why), V_AGAIN);
	now += 2 * MINUTE_US;
	assert_int_equal(released(&stick, 7, 1, &why), 0);
	/* What was right begins anew. */
	answer_wrongly(5);
	now += MINUTE_US;
	assert_int_equal(ask(&stick, 7, challenge, &why), 0);
}

static void kept(char text[8192])
{
	struct buf b = BUF_INIT(8192);
	char path[64];

	path_of(path, "release");
	assert_int_equal(file_read(path, &b), 0);
	snprintf(text, 8192, "%s", buf_str(&b));
	buf_deinit(&b);
}

static void keep(const char *text)
{
	char path[64];

	path_of(path, "release");
	assert_int_equal(file_replace_volatile(path, SPAN_STR(text), 0600), 0);
}

/* As after a boot: another boot id, and what is given for "clock". */
static void reboot(int64_t clock_us, int64_t wall_us)
{
	char text[8192], out[8192 + 128], *line, *save = NULL;

	kept(text);
	out[0] = 0;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t n = strlen(out);

		if (!strncmp(line, "boot ", 5))
			snprintf(out + n, sizeof(out) - n, "boot 000102030405060708090a0b0c0d0e0f\n");
		else if (!strncmp(line, "clock ", 6))
			snprintf(out + n, sizeof(out) - n, "clock %lld 5 %lld\n", (long long)clock_us,
				(long long)wall_us);
		else
			snprintf(out + n, sizeof(out) - n, "%s\n", line);
	}
	keep(out);
	start(NULL);
}

static void the_daily_limit_reads_no_wall_clock(void **state)
{
	const int64_t day = 24 * 60 * MINUTE_US;
	struct why why = {""};
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(released(&stick, 7, 1, &why), 0);
	assert_int_equal(released(&stick, 7, 1, &why), V_FULL);
	start(NULL);
	assert_int_equal(released(&stick, 7, 1, &why), V_FULL);
	now += day - MINUTE_US;
	assert_int_equal(released(&stick, 7, 1, &why), V_FULL);
	now += MINUTE_US;
	assert_int_equal(released(&stick, 7, 1, &why), 0);
	/* Off for three days: the day is over. Off for an hour: it is not. The clock put back, or once far ahead: it
	 * goes on. */
	for (i = 0; i < 2; i++)
		assert_int_equal(released(&stick, 7, 1, &why), 0);
	reboot(day, clock_wall_us() - 60 * MINUTE_US);
	assert_int_equal(released(&stick, 7, 1, &why), V_FULL);
	reboot(day, clock_wall_us() + 1000 * day);
	assert_int_equal(released(&stick, 7, 1, &why), V_FULL);
	now += day + MINUTE_US;
	assert_int_equal(released(&stick, 7, 1, &why), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(released(&stick, 7, 1, &why), 0);
	reboot(2 * day + 2 * MINUTE_US, clock_wall_us() - 3 * day);
	assert_int_equal(released(&stick, 7, 1, &why), 0);
}

static void a_boot_ends_releases(void **state)
{
	struct why why = {""};

	(void)state;
	assert_int_equal(released(&stick, 7, 4, &why), 0);
	reboot(1, clock_wall_us());
	assert_false(is_active(&stick, 7));
}

static void a_file_that_cannot_be_read_costs_an_hour_once(void **state)
{
	static const char *const bad[] = {"", "sekisho-release 1\n", "sekisho-release 2\nboot x\n",
		"sekisho-release 2\ngrant\n", "sekisho-release 2\nblock -1 0\n",
		"sekisho-release 2\nblock 99999999999999 1\n", "sekisho-release 2\nchallenge 01020304 00 7 0\n",
		"sekisho-release 2\nanother line\n"};
	char challenge[RELEASE_TEXT_SIZE], path[64];
	struct why why = {""};
	struct stat st;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		keep(bad[i]);
		start("could not be read");
		path_of(path, "release.bad");
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(ask(&stick, 7, challenge, &why), V_AGAIN);
		/* Another start, half an hour later: not an hour anew. */
		start(NULL);
		now += 30 * MINUTE_US;
		assert_int_equal(ask(&stick, 7, challenge, &why), V_AGAIN);
		now += 31 * MINUTE_US;
		assert_int_equal(ask(&stick, 7, challenge, &why), 0);
	}
}

static void without_a_key_nothing_is_released(void **state)
{
	char challenge[RELEASE_TEXT_SIZE];
	struct why why = {""};

	(void)state;
	assert_int_equal(release_policy(r, "", 3600, 3, &why), 0);
	assert_int_equal(ask(&stick, 7, challenge, &why), V_NOT_FOUND);
	assert_int_equal(release_policy(r, "AAAA", 3600, 3, &why), V_BAD);
	assert_int_equal(ask(&stick, 7, challenge, &why), V_NOT_FOUND);
}

static int end(void **state)
{
	char path[64];

	(void)state;
	release_free(r);
	path_of(path, "release");
	unlink(path);
	path_of(path, "release.bad");
	unlink(path);
	rmdir(folder);
	key_free(pc);
	key_free(office);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(for_one_plugging_of_one_device, begin),
		cmocka_unit_test_setup(ends_by_time_or_unplugging, begin),
		cmocka_unit_test_setup(good_once, begin),
		cmocka_unit_test_setup(worthless_elsewhere, begin),
		cmocka_unit_test_setup(guessing_waits_longer_and_longer, begin),
		cmocka_unit_test_setup(the_daily_limit_reads_no_wall_clock, begin),
		cmocka_unit_test_setup(a_boot_ends_releases, begin),
		cmocka_unit_test_setup(a_file_that_cannot_be_read_costs_an_hour_once, begin),
		cmocka_unit_test_setup(without_a_key_nothing_is_released, begin),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
