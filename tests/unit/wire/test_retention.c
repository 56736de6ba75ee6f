/*
 * Orders by two people, and the book of retention: periods, holds, what was right to expire and what was not.
 */
#include "policy/wire/retention.h"
#include "tests/unit/cm.h"
#include <stdlib.h>

#define NOW INT64_C(1795000000000000) /* 2026-11-18 */
#define DAY INT64_C(86400000000)

struct fixture {
	struct key *a, *b, *c;
	struct admins admins;
	struct digest fleet;
	struct buf request, order;
	struct retention book;
};

static void add_admin(struct admins *a, const char *name, const struct key *k)
{
	struct buf text = BUF_INIT(1024);

	assert_int_equal(verifier_encode(name, k, &text), 0);
	assert_int_equal(verifier_decode(buf_span(&text), &a->v[a->n++], NULL), 0);
	buf_deinit(&text);
}

static struct order october(const struct fixture *f)
{
	return (struct order){.act = ORDER_EXPIRE,
		.fleet = f->fleet,
		.size = 40,
		.issued_us = NOW,
		.not_after_us = NOW + 7 * DAY,
		.month = "2026-10",
		.channel = PRODUCER_PRINT,
		.reason = "a mistake"};
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct why why = {""};
	struct order o;

	f->request = BUF_INIT(ORDER_MAX);
	f->order = BUF_INIT(2 * ORDER_MAX);
	assert_int_equal(key_new(KEY_ED25519, &f->a), 0);
	assert_int_equal(key_new(KEY_ED25519, &f->b), 0);
	assert_int_equal(key_new(KEY_ED25519, &f->c), 0);
	add_admin(&f->admins, "a", f->a);
	add_admin(&f->admins, "also-a", f->a);
	add_admin(&f->admins, "b", f->b);
	digest_span(&f->fleet, SPAN_STR("log"));
	o = october(f);
	assert_int_equal(order_request(f->a, &o, &f->request, &why), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	key_free(f->a);
	key_free(f->b);
	key_free(f->c);
	admins_deinit(&f->admins);
	buf_deinit(&f->request);
	buf_deinit(&f->order);
	retention_deinit(&f->book);
	free(f);
	return 0;
}

static void two_people_sign(void **state)
{
	struct fixture *f = *state;
	struct why why = {""};
	struct order o;
	size_t i;

	assert_int_equal(order_open(buf_span(&f->request), &f->admins, &o, &why), V_BAD);
	assert_int_equal(order_peek(buf_span(&f->request), &f->admins, &o, &why), 0);
	assert_string_equal(o.requester, "a");
	assert_false(o.countersigned);
	/* The same person again, whatever the key is called. */
	assert_int_equal(order_countersign(f->a, buf_span(&f->request), &f->order, &why), 0);
	assert_int_equal(order_open(buf_span(&f->order), &f->admins, &o, &why), ORDER_ALONE);
	buf_clear(&f->order);
	assert_int_equal(order_countersign(f->c, buf_span(&f->request), &f->order, &why), 0);
	assert_int_equal(order_open(buf_span(&f->order), &f->admins, &o, &why), ORDER_FORGED);
	buf_clear(&f->order);
	assert_int_equal(order_countersign(f->b, buf_span(&f->request), &f->order, &why), 0);
	assert_int_equal(order_open(buf_span(&f->order), &f->admins, &o, &why), 0);
	assert_string_equal(o.requester, "a");
	assert_string_equal(o.second, "b");
	assert_string_equal(o.month, "2026-10");
	assert_int_equal(o.channel, PRODUCER_PRINT);
	assert_int_equal(o.size, 40);
	/* An order is not countersigned once more, and a request is not an order's signature. */
	assert_int_equal(order_countersign(f->a, buf_span(&f->order), &f->request, &why), V_BAD);
	/* Every bit of it counts. */
	for (i = 0; i < f->order.n; i++) {
		f->order.p[i] ^= 1;
		assert_int_not_equal(order_open(buf_span(&f->order), &f->admins, &o, &why), 0);
		f->order.p[i] ^= 1;
	}
	for (i = 0; i < f->order.n; i++)
		assert_int_not_equal(order_open(SPAN(f->order.p, i), &f->admins, &o, &why), 0);
	assert_int_equal(buf_put(&f->order, "", 1), 0);
	assert_int_not_equal(order_open(buf_span(&f->order), &f->admins, &o, &why), 0);
}

static void what_no_order_says(void **state)
{
	struct fixture *f = *state;
	struct why why = {""};
	struct order o;

#define REFUSED_(change)                                                           \
	do {                                                                       \
		o = october(f);                                                    \
		change;                                                            \
		assert_int_equal(order_request(f->a, &o, &f->order, &why), V_BAD); \
		assert_int_equal(f->order.n, 0);                                   \
	} while (0)
	REFUSED_(o.act = 2);
	REFUSED_(o.channel = PRODUCER_COLLECTOR);
	REFUSED_(o.channel = 0);
	REFUSED_(o.reason[0] = 0);
	REFUSED_(memcpy(o.month, "2026-13", 8));
	REFUSED_(memcpy(o.month, "2026-1", 7));
	REFUSED_(o.not_after_us = o.issued_us);
	REFUSED_(o.not_after_us = o.issued_us + 32 * DAY);
	REFUSED_(o.size = 0);
#undef REFUSED_
}

/* --- the book --- */

static void tell(struct fixture *f, uint64_t leaf, struct record *r, int64_t when)
{
	static const struct digest host = {{1}};

	record_set_int(r, F_TIME, when);
	assert_int_equal(retention_seen(&f->book, &host, leaf, when), 0);
	assert_int_equal(retention_learn(&f->book, &host, leaf, 1, r), 0);
	record_reset(r);
}

static struct record rec;

static void setting(struct fixture *f, uint64_t leaf, unsigned channel, uint64_t months, int64_t when)
{
	record_reset(&rec);
	record_set_uint(&rec, F_KIND, KIND_RETENTION);
	record_set_uint(&rec, F_CHANNEL, channel);
	if (months != RETENTION_FOREVER)
		record_set_uint(&rec, F_MONTHS, months);
	tell(f, leaf, &rec, when);
}

static void expired(
	struct fixture *f, uint64_t leaf, const char *month, uint64_t from, uint64_t to, int64_t when, bool order)
{
	record_reset(&rec);
	record_set_uint(&rec, F_KIND, KIND_EXPIRED);
	record_set_uint(&rec, F_CHANNEL, PRODUCER_PRINT);
	record_set_str(&rec, F_MONTH, month);
	record_set_uint(&rec, F_FROM_LEAF, from);
	record_set_uint(&rec, F_TO_LEAF, to);
	if (order)
		record_set_span(&rec, F_ORDER, buf_span(&f->order));
	tell(f, leaf, &rec, when);
}

static int judged(struct fixture *f, const char *month, bool with_admins)
{
	const struct retention_expiry *e = retention_of(&f->book, PRODUCER_PRINT, month);
	struct why why = {""};
	struct order o;
	bool unproven;
	int r;

	assert_non_null(e);
	r = retention_judge(&f->book, e, with_admins ? &f->admins : NULL, &f->fleet, &unproven, &o, &why);
	assert_int_equal(unproven, !r && e->order && !with_admins);
	return r;
}

static void periods(void **state)
{
	struct fixture *f = *state;

	assert_true(retention_due("2019-12", 12) == INT64_C(1609459200000000)); /* 2021-01-01 */
	assert_true(retention_due("2019-12", RETENTION_FOREVER) == INT64_MAX);
	assert_true(retention_due("2019-00", 12) == INT64_MAX);
	assert_int_equal(retention_period(&f->book, PRODUCER_PRINT, "2019-12", UINT64_MAX), RETENTION_FLOOR);
	setting(f, 1, PRODUCER_PRINT, 84, retention_due("2018-06", 0));
	setting(f, 2, PRODUCER_PRINT, 24, retention_due("2020-01", 0));
	setting(f, 3, PRODUCER_GUARD, RETENTION_FOREVER, retention_due("2020-01", 0));
	setting(f, 4, PRODUCER_PRINT, 3, retention_due("2020-02", 0)); /* below the floor: says nothing */
	/* Shorter ones are for what comes later. */
	assert_int_equal(retention_period(&f->book, PRODUCER_PRINT, "2019-12", UINT64_MAX), 84);
	assert_int_equal(retention_period(&f->book, PRODUCER_PRINT, "2020-03", UINT64_MAX), 24);
	assert_int_equal(retention_period(&f->book, PRODUCER_PRINT, "2020-03", 2), 84);
	assert_true(retention_period(&f->book, PRODUCER_GUARD, "2015-01", UINT64_MAX) == RETENTION_FOREVER);
	/* Longer ones for all that is there. */
	setting(f, 5, PRODUCER_PRINT, 120, NOW);
	assert_int_equal(retention_period(&f->book, PRODUCER_PRINT, "2019-12", UINT64_MAX), 120);
}

static void what_was_right(void **state)
{
	struct fixture *f = *state;

	setting(f, 1, PRODUCER_PRINT, 36, retention_due("2019-01", 0));
	setting(f, 9, PRODUCER_PRINT, 36, retention_due("2020-01", 0)); /* the log reaches 2020-02 with it */
	expired(f, 20, "2019-03", 2, 8, retention_due("2019-03", 36), false);
	expired(f, 21, "2019-04", 2, 8, retention_due("2019-04", 36) - 1, false);
	expired(f, 22, "2019-05", 2, 9, retention_due("2019-05", 48), false);
	expired(f, 23, "2019-06", 8, 2, retention_due("2019-06", 48), false);
	expired(f, 24, "2019-07", 2, 24, retention_due("2019-07", 48), false);
	assert_int_equal(judged(f, "2019-03", true), 0);
	assert_int_equal(judged(f, "2019-04", true), V_BAD); /* too early */
	assert_int_equal(judged(f, "2019-05", true), V_BAD); /* made older than it is */
	assert_int_equal(judged(f, "2019-06", true), V_BAD);
	assert_int_equal(judged(f, "2019-07", true), V_BAD);
	assert_non_null(retention_cover(&f->book, PRODUCER_PRINT, 2));
	assert_null(retention_cover(&f->book, PRODUCER_PRINT, 1));
	assert_null(retention_cover(&f->book, PRODUCER_GUARD, 2));
}

static void orders_in_the_book(void **state)
{
	struct fixture *f = *state;
	struct why why = {""};

	assert_int_equal(order_countersign(f->b, buf_span(&f->request), &f->order, &why), 0);
	expired(f, 50, "2026-10", 2, 8, NOW + DAY, true);
	assert_int_equal(judged(f, "2026-10", true), 0);
	assert_int_equal(judged(f, "2026-10", false), 0);
	assert_true(retention_used(&f->book, buf_span(&f->order)));
	/* Of another month, log, channel, time; of a log that was not there yet. */
	expired(f, 51, "2026-09", 2, 8, NOW + DAY, true);
	assert_int_equal(judged(f, "2026-09", true), V_BAD);
	retention_deinit(&f->book);
	expired(f, 50, "2026-10", 2, 8, NOW + 8 * DAY, true);
	assert_int_equal(judged(f, "2026-10", true), V_BAD);
	retention_deinit(&f->book);
	expired(f, 39, "2026-10", 2, 8, NOW + DAY, true);
	assert_int_equal(judged(f, "2026-10", true), V_BAD);
	retention_deinit(&f->book);
	expired(f, 50, "2026-10", 2, 8, NOW + DAY, true);
	f->fleet.b[0] ^= 1;
	assert_int_equal(judged(f, "2026-10", true), V_BAD);
	f->fleet.b[0] ^= 1;
	f->book.expiries[0].order[40] ^= 1;
	assert_int_equal(judged(f, "2026-10", true), V_BAD);
}

static void hold(struct fixture *f, uint64_t leaf, const char *id, const char *month, const char *person)
{
	record_reset(&rec);
	record_set_uint(&rec, F_KIND, KIND_HOLD);
	record_set_str(&rec, F_HOLD, id);
	if (month)
		record_set_str(&rec, F_MONTH, month);
	if (person)
		record_set_str(&rec, F_PERSON, person);
	tell(f, leaf, &rec, NOW);
}

static void holds(void **state)
{
	struct fixture *f = *state;

	setting(f, 1, PRODUCER_PRINT, 12, retention_due("2018-01", 0));
	hold(f, 30, "one", "2019-03", NULL);
	hold(f, 31, "two", NULL, "taro");
	assert_non_null(retention_held(&f->book, "2019-03", UINT64_MAX));
	/* Of a person: who looks into bodies knows. */
	assert_null(retention_held(&f->book, "2019-04", UINT64_MAX));
	expired(f, 40, "2019-03", 2, 8, NOW, false);
	assert_int_equal(judged(f, "2019-03", true), V_BAD);
	record_reset(&rec);
	record_set_uint(&rec, F_KIND, KIND_HOLD_LIFTED);
	record_set_str(&rec, F_HOLD, "one");
	tell(f, 45, &rec, NOW);
	assert_null(retention_held(&f->book, "2019-03", UINT64_MAX));
	assert_non_null(retention_held(&f->book, "2019-03", 40));
	assert_int_equal(judged(f, "2019-03", true), V_BAD); /* it was lifted afterwards */
	/* A month that cannot be read holds every month. */
	hold(f, 46, "three", "2019-3", NULL);
	assert_non_null(retention_held(&f->book, "2001-01", UINT64_MAX));
}

/* --- who decides --- */

static const struct digest first = {{1}}, second = {{2}}, third = {{3}}, pc = {{9}};

#define NONE UINT64_MAX

/* A decision by that collector, sealed in `leaf`, which says that it stands in `own` behind that of `after`. */
static int decide(struct fixture *f, const struct digest *host, uint64_t leaf, unsigned kind, const char *hold_or_none,
	const struct digest *peer, uint64_t own, uint64_t after)
{
	record_reset(&rec);
	record_set_uint(&rec, F_KIND, kind);
	record_set_int(&rec, F_TIME, NOW);
	if (hold_or_none)
		record_set_str(&rec, F_HOLD, hold_or_none);
	if (peer) {
		record_set_span(&rec, F_PEER, SPAN(peer->b, DIGEST_SIZE));
		record_set_uint(&rec, F_CHANNEL, PRODUCER_COLLECTOR);
	}
	if (own != NONE)
		record_set_uint(&rec, F_OWN_LEAF, own);
	if (after != NONE)
		record_set_uint(&rec, F_AFTER_LEAF, after);
	assert_int_equal(retention_seen(&f->book, host, leaf, NOW), 0);
	return retention_learn(&f->book, host, leaf, 1, &rec);
}

static bool holds_(struct fixture *f, const char *id)
{
	return retention_hold_of(&f->book, id) != NULL;
}

static void any_collector_decides(void **state)
{
	struct fixture *f = *state;

	/* Of before: the first one's, without leaves. Another one's say nothing, though it was let in. */
	assert_int_equal(decide(f, &first, 0, KIND_HOLD, "a", NULL, NONE, NONE), 0);
	assert_int_equal(decide(f, &second, 1, KIND_HOLD, "b", NULL, NONE, NONE), V_DENIED);
	assert_int_equal(decide(f, &first, 2, KIND_ENROL, NULL, &second, NONE, NONE), 0);
	assert_int_equal(decide(f, &second, 3, KIND_HOLD, "c", NULL, NONE, NONE), 0);
	assert_int_equal(decide(f, &second, 4, KIND_ENROL, NULL, &third, NONE, NONE), 0);
	assert_true(holds_(f, "a") && !holds_(f, "b") && !holds_(f, "c"));
	assert_true(retention_decides(&f->book, &second) && !retention_decides(&f->book, &third));
	/* Named, whoever decides. */
	assert_int_equal(decide(f, &second, 5, KIND_HOLD, "d", NULL, 5, 2), 0);
	assert_int_equal(decide(f, &first, 8, KIND_HOLD_LIFTED, "a", NULL, 8, 5), 0);
	assert_int_equal(decide(f, &second, 9, KIND_ENROL, NULL, &third, 9, 8), 0);
	assert_int_equal(decide(f, &third, 10, KIND_HOLD_LIFTED, "d", NULL, 10, 9), 0);
	assert_true(!holds_(f, "a") && !holds_(f, "d"));
	/* Two in one segment follow the same one. */
	assert_int_equal(decide(f, &third, 11, KIND_HOLD, "e", NULL, 11, 10), 0);
	assert_int_equal(decide(f, &third, 11, KIND_HOLD, "f", NULL, 11, 10), 0);
	assert_int_equal(decide(f, &first, 12, KIND_HOLD, "g", NULL, 12, 11), 0);
	assert_true(holds_(f, "e") && holds_(f, "f") && holds_(f, "g"));
	/* Without a leaf, once leaves are named. */
	assert_int_equal(decide(f, &first, 13, KIND_HOLD, "h", NULL, NONE, NONE), 0);
	assert_false(holds_(f, "h"));
}

static void decisions_that_do_not_count(void **state)
{
	struct fixture *f = *state;

	/* The first of all follows none. */
	assert_int_equal(decide(f, &first, 0, KIND_HOLD, "a", NULL, 0, 0), 0);
	assert_false(holds_(f, "a"));
	assert_int_equal(decide(f, &first, 1, KIND_ENROL, NULL, &second, 1, NONE), 0);
	assert_int_equal(decide(f, &second, 4, KIND_HOLD, "b", NULL, 4, 1), 0);
	/* Decided beside another one; cut off, and in the log later than it says; of no decision there is. */
	assert_int_equal(decide(f, &first, 5, KIND_HOLD_LIFTED, "b", NULL, 5, 1), 0);
	assert_int_equal(decide(f, &first, 7, KIND_HOLD_LIFTED, "b", NULL, 6, 4), 0);
	assert_int_equal(decide(f, &first, 8, KIND_HOLD_LIFTED, "b", NULL, 8, 3), 0);
	assert_int_equal(decide(f, &first, 9, KIND_HOLD_LIFTED, "b", NULL, 9, NONE), 0);
	assert_int_equal(decide(f, &first, 10, KIND_HOLD_LIFTED, "b", NULL, NONE, 4), 0);
	assert_int_equal(decide(f, &first, 10, KIND_HOLD_LIFTED, "b", NULL, 10, UINT64_MAX - 1), 0);
	assert_true(holds_(f, "b"));
	/* Where it says, behind one that the book lacks: then more may be missing than this one. */
	assert_int_equal(decide(f, &first, 10, KIND_HOLD_LIFTED, "b", NULL, 10, 9), V_BAD);
	assert_int_equal(decide(f, &pc, 10, KIND_HOLD_LIFTED, "b", NULL, 10, 9), V_DENIED);
	assert_true(holds_(f, "b"));
	/* A PC, whatever it says. */
	assert_int_equal(decide(f, &pc, 11, KIND_HOLD_LIFTED, "b", NULL, 11, 4), V_DENIED);
	assert_int_equal(decide(f, &pc, 12, KIND_ENROL, NULL, &pc, 12, 4), 0);
	assert_int_equal(decide(f, &pc, 13, KIND_RETENTION, NULL, NULL, 13, 4), V_DENIED);
	assert_int_equal(decide(f, &pc, 14, KIND_EXPIRED, NULL, NULL, 14, 4), V_DENIED);
	assert_false(retention_decides(&f->book, &pc));
	/* One that was shut out, the first one too; what it decided before stays. */
	assert_int_equal(decide(f, &second, 20, KIND_REVOKE, NULL, &first, 20, 4), 0);
	assert_int_equal(decide(f, &first, 21, KIND_HOLD_LIFTED, "b", NULL, 21, 20), V_DENIED);
	assert_true(holds_(f, "b") && !retention_decides(&f->book, &first));
	assert_int_equal(decide(f, &second, 22, KIND_HOLD_LIFTED, "b", NULL, 22, 20), 0);
	assert_false(holds_(f, "b"));
}

static void no_more_collectors_than_that(void **state)
{
	struct fixture *f = *state;
	struct digest id = {{7}};
	unsigned i;

	for (i = 1; i < RETENTION_COLLECTORS_MAX; i++) {
		id.b[1] = (uint8_t)i;
		assert_int_equal(decide(f, &first, i, KIND_ENROL, NULL, &id, i, i > 1 ? i - 1 : NONE), 0);
		assert_true(retention_decides(&f->book, &id));
	}
	id.b[1] = 0;
	assert_int_equal(decide(f, &first, i, KIND_ENROL, NULL, &id, i, i - 1), V_FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_people_sign, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_no_order_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(periods, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_right, set_up, tear_down),
		cmocka_unit_test_setup_teardown(orders_in_the_book, set_up, tear_down),
		cmocka_unit_test_setup_teardown(holds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_collector_decides, set_up, tear_down),
		cmocka_unit_test_setup_teardown(decisions_that_do_not_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_more_collectors_than_that, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
