/* What needs a person: told as one, of a week, by whom it concerns; and no storm of one kind hides another. */
#include "collector/console/attention.h"
#include "policy/base/clock.h"
#include "tests/unit/cm.h"
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
	return !c || attention_new(&c->attention) || traffic_new(c, &c->traffic);
}

static int end(void **state)
{
	(void)state;
	attention_free(c->attention);
	traffic_free(c->traffic);
	free(c);
	return 0;
}

/* The row that says next: of a PC, of a kind, so long ago. */
static struct record *next(const char *pc, unsigned kind, int64_t ago)
{
	row = (struct store_row){.row = ++rows, .host_name = pc};
	memset(row.host.b, pc[0], sizeof(row.host.b));
	record_reset(&row.record);
	record_set_uint(&row.record, F_KIND, kind);
	record_set_int(&row.record, F_TIME, now - ago);
	return &row.record;
}

static void told(void)
{
	assert_int_equal(attention_row(c, &row), 0);
}

struct found {
	unsigned n;
	struct matter of[64];
	char text[64][300];
};

static int take(void *ctx, const struct matter *m)
{
	struct found *f = ctx;

	assert_true(f->n < ARRAY_SIZE(f->of));
	snprintf(f->text[f->n], sizeof(f->text[0]), "%.*s", (int)m->text.n, (const char *)m->text.p);
	f->of[f->n++] = *m;
	return 0;
}

static void ask(const char *scope, struct found *f)
{
	struct account account = {.scope_n = scope ? 1 : 0};
	bool complete;

	if (scope)
		snprintf(account.scope[0], sizeof(account.scope[0]), "%s", scope);
	f->n = 0;
	assert_int_equal(attention_each(c, &account, take, f, &complete), 0);
	assert_false(complete); /* nobody has gone back */
}

static void denied(const char *pc, int64_t ago, const char *user)
{
	struct record *r = next(pc, KIND_PRINT, ago);

	record_set_uint(r, F_ACTION, ACTION_DENY);
	record_set_str(r, F_PRINTER, "3F");
	record_set_str(r, F_RULE, "no-payroll");
	record_set_str(r, F_USER, user);
	record_set_str(r, F_TITLE, "給与明細");
	told();
}

static void told_as_one(void **state)
{
	struct record *noted;
	struct found f;

	(void)state;
	denied("a", 50 * S, "hanako");
	denied("a", 20 * S, "hanako");
	denied("a", 90 * S, "hanako");
	denied("a", 10 * S, "jiro");
	denied("b", 10 * S, "hanako");
	denied("a", 8 * DAY, "hanako");
	denied("a", -2 * DAY, "hanako");
	record_set_uint(next("a", KIND_PRINT, 5 * S), F_ACTION, ACTION_ALLOW);
	told();
	/* It would have been, and printed. */
	noted = next("c", KIND_PRINT, 5 * S);
	record_set_uint(noted, F_ACTION, ACTION_DENY);
	record_set_uint(noted, F_POLICY_MODE, POLICY_MODE_NOTE);
	told();
	ask(NULL, &f);
	assert_int_equal(f.n, 3);
	assert_string_equal(f.of[0].what, "print-denied");
	assert_string_equal(f.text[0], "3F: no-payroll, hanako");
	assert_int_equal(f.of[0].count, 3);
	assert_int_equal(f.of[0].row, 2);
	assert_true(f.of[0].first_us == now - 90 * S && f.of[0].last_us == now - 20 * S);
	ask("b", &f);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.of[0].host, "b");
}

/* The guard's newest word holds, whenever the recorder says what it can do, and in whatever order they come. */
static void enforcement(void **state)
{
	static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct found f;
	unsigned guard, i, k;

	(void)state;
	for (guard = 0; guard < 2; guard++)
		for (i = 0; i < ARRAY_SIZE(orders); i++) {
			char pc[2] = {(char)('a' + (int)(guard * ARRAY_SIZE(orders) + i)), 0};

			for (k = 0; k < 3; k++) {
				unsigned what = orders[i][k];
				/* An older word of the guard's, the newest one, and the recorder's after both. */
				struct record *r = next(pc,
					what == 2   ? KIND_RECORDER_START
					: what == 1 ? KIND_GUARD_START
						    : KIND_PROOF,
					(30 - 10 * (int64_t)what) * S);

				record_set_uint(
					r, F_ENFORCE, (what == 1) == (guard == 1) ? ENFORCE_NONE : ENFORCE_FULL);
				record_set_str(r, F_LAYERS, "sysfs");
				told();
			}
		}
	ask(NULL, &f);
	assert_int_equal(f.n, ARRAY_SIZE(orders));
	for (i = 0; i < f.n; i++) {
		assert_string_equal(f.of[i].what, "weak");
		assert_string_equal(f.text[i], "sysfs");
		assert_true(f.of[i].host[0] >= 'a' + (int)ARRAY_SIZE(orders));
	}
	/* Of a PC whose guard says nothing, the recorder's. */
	record_set_uint(next("z", KIND_RECORDER_START, S), F_ENFORCE, ENFORCE_NONE);
	record_set_uint(&row.record, F_PROBE_SET, PROBE_SET_TRACEPOINT);
	told();
	ask("z", &f);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.text[0], "tracepoint");
}

static void kept(void **state)
{
	struct found f;

	(void)state;
	record_set_uint(next("a", KIND_POSTURE, 20 * S), F_CHECK, CHECK_FIREWALL);
	record_set_uint(&row.record, F_STATE, STATE_WEAK);
	told();
	record_set_uint(next("a", KIND_POSTURE, 19 * S), F_CHECK, CHECK_UPDATES);
	record_set_uint(&row.record, F_STATE, STATE_WEAK);
	told();
	record_set_uint(next("a", KIND_POSTURE, 30 * S), F_CHECK, CHECK_UPDATES);
	record_set_uint(&row.record, F_STATE, STATE_GOOD);
	told();
	ask(NULL, &f);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.text[0], "updates, firewall");
	assert_true(f.of[0].last_us == now - 19 * S);
	record_set_uint(next("a", KIND_POSTURE, 1 * S), F_CHECK, CHECK_UPDATES);
	record_set_uint(&row.record, F_STATE, STATE_GOOD);
	told();
	ask(NULL, &f);
	assert_string_equal(f.text[0], "firewall");
}

/* What the collector says of a PC is that PC's; what a PC says of another one is its own. */
static void of_another(void **state)
{
	uint8_t peer[32];
	struct found f;

	(void)state;
	memset(peer, 'p', sizeof(peer));
	record_set_span(next("collector", KIND_GAP, S), F_PEER, SPAN(peer, sizeof(peer)));
	record_set_str(&row.record, F_PEER_NAME, "pc-7");
	c->servers[0].id = row.host;
	c->servers[0].producer = PRODUCER_COLLECTOR;
	c->servers_n = 1;
	told();
	record_set_span(next("liar", KIND_GAP, S), F_PEER, SPAN(peer, sizeof(peer)));
	record_set_str(&row.record, F_PEER_NAME, "pc-7");
	told();
	ask("pc-*", &f);
	assert_int_equal(f.n, 1);
	assert_memory_equal(f.of[0].host_id.b, peer, sizeof(peer));
	ask("liar", &f);
	assert_int_equal(f.n, 1);
}

static void storm(void **state)
{
	struct found f;
	unsigned i, k;
	bool complete;
	char user[32];
	uint64_t prints = 0;

	(void)state;
	next("a", KIND_FORKED, 6 * DAY);
	told();
	for (i = 0; i < 50000; i++) {
		snprintf(user, sizeof(user), "u%u", i % 40);
		denied("a", 5 * DAY - (int64_t)i * S, user);
	}
	ask(NULL, &f);
	assert_int_equal(f.n, 41);
	assert_string_equal(f.of[0].what, "forked");
	for (k = 1; k < f.n; k++)
		prints += f.of[k].count;
	assert_in_range(prints, 10000, 20000);
	assert_int_equal(
		attention_each(c, &(struct account){.scope_n = 0}, take, &(struct found){.n = 0}, &complete), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(told_as_one, begin, end),
		cmocka_unit_test_setup_teardown(enforcement, begin, end),
		cmocka_unit_test_setup_teardown(kept, begin, end),
		cmocka_unit_test_setup_teardown(of_another, begin, end),
		cmocka_unit_test_setup_teardown(storm, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
