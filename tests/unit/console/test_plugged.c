/* Storage that was plugged in: newest first, of a window, by whom it concerns, bounded whatever a PC says. */
#include "collector/console/plugged.h"
#include "policy/base/clock.h"
#include "tests/unit/cm.h"
#include <stdio.h>
#include <stdlib.h>

#define S INT64_C(1000000)
#define DAY (86400 * S)

static struct console *c;
static struct store_row row;
static int64_t now;
static uint64_t rows;

static int begin(void **state)
{
	(void)state;
	c = calloc(1, sizeof(*c));
	now = clock_wall_us();
	rows = 0;
	return !c || plugged_new(&c->plugged);
}

static int end(void **state)
{
	(void)state;
	plugged_free(c->plugged);
	free(c);
	return 0;
}

static void plug(const char *pc, const char *serial, int64_t ago)
{
	row = (struct store_row){.row = ++rows, .host_name = pc};
	record_reset(&row.record);
	record_set_uint(&row.record, F_KIND, KIND_PLUG);
	record_set_int(&row.record, F_TIME, now - ago);
	record_set_str(&row.record, F_USB_ID, "0951:1666");
	record_set_str(&row.record, F_SERIAL, serial);
	record_set_str(&row.record, F_INTERFACES, "08:06:50");
	record_set_str(&row.record, F_MAKER, "Kingston");
	record_set_str(&row.record, F_USER, "花子");
	assert_int_equal(plugged_row(c, &row), 0);
}

struct found {
	unsigned n;
	int64_t last_us;
	char serials[256];
};

static int take(void *ctx, const struct plug *p)
{
	struct found *f = ctx;

	assert_true(!f->n || p->us <= f->last_us);
	f->last_us = p->us;
	if (f->n++ < 8)
		snprintf(f->serials + strlen(f->serials), sizeof(f->serials) - strlen(f->serials), "%s ",
			p->sighting.serial);
	assert_true(span_eq(p->maker, SPAN_STR("Kingston")) && span_eq(p->user, SPAN_STR("花子")));
	return 0;
}

/* Nobody goes back here, so nothing is ever complete. */
static struct found ask(const char *scope, int64_t days)
{
	struct account account = {.scope_n = scope ? 1 : 0};
	struct found f = {.n = 0};
	bool complete = true;

	if (scope)
		snprintf(account.scope[0], sizeof(account.scope[0]), "%s", scope);
	assert_int_equal(plugged_each(c, &account, now - days * DAY, take, &f, &complete), 0);
	assert_false(complete);
	return f;
}

static void of_a_window(void **state)
{
	struct found f;

	(void)state;
	plug("soumu-01", "B", 2 * DAY);
	plug("eigyo-01", "A", S);
	plug("soumu-02", "D", 40 * DAY);
	plug("soumu-01", "C", 3 * DAY);
	/* No storage; another kind; long ago; a clock that is wrong. */
	plug("soumu-01", "long ago", 367 * DAY);
	plug("soumu-01", "ahead", -2 * DAY);
	record_reset(&row.record);
	record_set_uint(&row.record, F_KIND, KIND_UNPLUG);
	record_set_int(&row.record, F_TIME, now);
	assert_int_equal(plugged_row(c, &row), 0);
	f = ask(NULL, 30);
	assert_string_equal(f.serials, "A B C ");
	f = ask(NULL, 366);
	assert_string_equal(f.serials, "A B C D ");
	f = ask("soumu-*", 366);
	assert_string_equal(f.serials, "B C D ");
	/* What comes later may be of before. */
	plug("soumu-01", "E", DAY);
	f = ask("soumu-*", 30);
	assert_string_equal(f.serials, "E B C ");
}

static void bounded(void **state)
{
	char serial[32];
	struct found f;
	unsigned i;

	(void)state;
	plug("soumu-01", "mine", 5 * DAY);
	for (i = 0; i < 2 * PLUGGED_MAX; i++) {
		snprintf(serial, sizeof(serial), "%u", i);
		plug("storm", serial, DAY - i);
	}
	f = ask(NULL, 30);
	assert_true(f.n >= PLUGGED_MAX && f.n < PLUGGED_MAX + PLUGGED_MAX / 10);
	assert_memory_equal(f.serials, "99999 99998 ", 12);
	assert_int_equal(ask("soumu-*", 30).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(of_a_window, begin, end),
		cmocka_unit_test_setup_teardown(bounded, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
