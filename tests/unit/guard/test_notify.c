/* The words of a notice: both languages, hostile names as text, the time at which a release ends. Who shows them:
 * tests/flow. */
#include "agent/guard/notify.h"
#include "policy/base/text.h"
#include "tests/unit/cm.h"
#include <stdlib.h>
#include <time.h>

static struct buf summary = BUF_INIT(2048), body = BUF_INIT(2048);

static const char *text(enum notice what, const char *lang, const struct device *d, const struct decision *why)
{
	buf_clear(&summary);
	buf_clear(&body);
	assert_int_equal(notify_text(what, lang, d, why, NULL, &summary, &body), 0);
	assert_true(text_is_utf8(buf_span(&summary)) && text_is_utf8(buf_span(&body)));
	assert_non_null(buf_str(&summary));
	return buf_str(&body);
}

static void each_has_words_in_both_languages(void **state)
{
	const struct device d = {.product_name = "Stick", .serial = "A1"};
	char english[256];
	int what;

	(void)state;
	for (what = NOTICE_READ_ONLY; what < NOTICE_DEVICES; what++) {
		assert_non_null(strstr(text(what, "en_US.UTF-8", &d, NULL), "Stick (A1)\n"));
		snprintf(english, sizeof(english), "%s", buf_str(&summary));
		assert_non_null(strstr(text(what, "ja_JP.UTF-8", &d, NULL), "Stick (A1)\n"));
		assert_string_not_equal(buf_str(&summary), english);
		assert_null(strstr(buf_str(&body), "%s"));
		text(what, "C", &d, NULL);
		assert_string_equal(buf_str(&summary), english);
	}
}

static void what_is_no_devices_has_words(void **state)
{
	char english[256];
	int what;

	(void)state;
	for (what = NOTICE_REFUSED; what <= NOTICE_CLOUD; what++) {
		buf_clear(&summary);
		buf_clear(&body);
		assert_int_equal(notify_named_text(what, "C", "<b>pay</b>", NULL, &summary, &body), 0);
		assert_non_null(strstr(buf_str(&body), "&lt;b&gt;pay&lt;/b&gt;\n"));
		snprintf(english, sizeof(english), "%s", buf_str(&summary));
		buf_clear(&summary);
		buf_clear(&body);
		assert_int_equal(notify_named_text(what, "ja_JP.UTF-8", "pay", NULL, &summary, &body), 0);
		assert_true(text_is_utf8(buf_span(&summary)) && text_is_utf8(buf_span(&body)));
		assert_string_not_equal(buf_str(&summary), english);
	}
}

static void names_are_text(void **state)
{
	struct device d = {.product_name = "<a href=\"x\">&\033]0;t\a\xff\xc3"};
	struct decision why = {.label = ""};

	(void)state;
	text(NOTICE_DENIED, "C", &d, &why);
	assert_non_null(strstr(buf_str(&body), "&lt;a href=\"x\"&gt;&amp;\\x1b]0;t\\x07\\xff\\xc3\n"));
	/* What the ledger calls it is better. */
	snprintf(why.label, sizeof(why.label), "金庫 <1>");
	text(NOTICE_DENIED, "C", &d, &why);
	assert_non_null(strstr(buf_str(&body), "金庫 &lt;1&gt;\n"));
	d.product_name[0] = why.label[0] = 0;
	assert_non_null(strstr(text(NOTICE_DENIED, "C", &d, &why), "USB\n"));
}

static void a_release_says_until_when(void **state)
{
	const struct device d = {.product_name = "Stick"};
	struct decision why = {.until_us = 1795428000000000}; /* 2026-11-23T10:00:00Z */

	(void)state;
	setenv("TZ", "JST-9", 1);
	tzset();
	assert_non_null(strstr(text(NOTICE_RELEASED, "C", &d, &why), "until 19:00,"));
	assert_non_null(strstr(text(NOTICE_RELEASED, "ja", &d, &why), "19:00 まで"));
}

static void what_was_written_has_the_administrators_words(void **state)
{
	const struct device d = {.product_name = "Stick"};
	const struct document_decision written = {.message = "ask <b>", .message_ja = "確認"};

	(void)state;
	buf_clear(&summary);
	buf_clear(&body);
	assert_int_equal(notify_text(NOTICE_WRITTEN, "C", &d, NULL, &written, &summary, &body), 0);
	assert_string_equal(buf_str(&body), "Stick\nask &lt;b&gt;");
	buf_clear(&body);
	assert_int_equal(notify_text(NOTICE_WRITTEN, "ja_JP", &d, NULL, &written, &summary, &body), 0);
	assert_string_equal(buf_str(&body), "Stick\n確認");
	buf_clear(&body);
	assert_int_equal(notify_named_text(NOTICE_CLOUD, "ja_JP", "給与.xlsx", &written, &summary, &body), 0);
	assert_string_equal(buf_str(&body), "給与.xlsx\n確認");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_words_in_both_languages),
		cmocka_unit_test(what_is_no_devices_has_words),
		cmocka_unit_test(names_are_text),
		cmocka_unit_test(a_release_says_until_when),
		cmocka_unit_test(what_was_written_has_the_administrators_words),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	buf_deinit(&summary);
	buf_deinit(&body);
	return r;
}
