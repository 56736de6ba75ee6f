/*
 * Signed policies: what was signed is what is read, and everything else is refused by its name.
 */
#include "policy/wire/bundle.h"
#include "tests/unit/cm.h"

#define NOW 1795000000000000ll
#define DAY 86400000000ll

static const char yaml[] = "version: 7\n", csv[] = "serial,access\nA,deny\n";

struct fixture {
	struct key *key, *other;
	struct admins admins;
	struct digest fleet;
	struct buf bytes, raw;
};

static void add_admin(struct admins *a, const char *name, const struct key *k)
{
	struct buf text = BUF_INIT(1024);

	assert_int_equal(verifier_encode(name, k, &text), 0);
	assert_int_equal(verifier_decode(buf_span(&text), &a->v[a->n++], NULL), 0);
	buf_deinit(&text);
}

static struct bundle seven(const struct fixture *f)
{
	return (struct bundle){.version = 7,
		.issued_us = NOW,
		.not_before_us = NOW,
		.not_after_us = NOW + DAY,
		.fleet = f->fleet,
		.policy_yaml = SPAN_STR(yaml),
		.devices_csv = SPAN_STR(csv)};
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct bundle b;

	assert_non_null(f);
	assert_int_equal(key_new(KEY_ED25519, &f->key), 0);
	assert_int_equal(key_new(KEY_ED25519, &f->other), 0);
	add_admin(&f->admins, "hanako", f->other);
	add_admin(&f->admins, "office", f->key);
	memset(&f->fleet, 5, sizeof(f->fleet));
	f->bytes = BUF_INIT(BUNDLE_MAX);
	f->raw = BUF_INIT(BUNDLE_RAW_MAX);
	b = seven(f);
	assert_int_equal(bundle_sign(f->key, &b, &f->bytes), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	admins_deinit(&f->admins);
	key_free(f->key);
	key_free(f->other);
	buf_deinit(&f->bytes);
	buf_deinit(&f->raw);
	free(f);
	return 0;
}

static int open_at(struct fixture *f, struct span bytes, uint64_t above, int64_t now, struct bundle *out)
{
	struct why why = {""};
	int r = bundle_open(bytes, &f->admins, &f->fleet, above, now, &f->raw, out, &why);

	assert_true(!r == !why.text[0]);
	return r;
}

static void what_was_signed_is_read(void **state)
{
	struct fixture *f = *state;
	struct bundle b;
	uint64_t version = 0;

	assert_int_equal(open_at(f, buf_span(&f->bytes), 6, NOW, &b), 0);
	assert_int_equal(b.version, 7);
	assert_string_equal(b.signer, "office");
	assert_true(span_eq(b.policy_yaml, SPAN_STR(yaml)) && span_eq(b.devices_csv, SPAN_STR(csv)));
	assert_int_equal(b.admins.n, 0);
	assert_int_equal(bundle_peek(buf_span(&f->bytes), &version, NULL), 0);
	assert_int_equal(version, 7);
}

static void each_refusal_has_its_name(void **state)
{
	struct fixture *f = *state;
	struct admins hanako = {.n = 1, .v = {f->admins.v[0]}}, none = {.n = 0};
	struct digest elsewhere = {{9}};
	struct why why = {""};
	struct bundle b;

	assert_int_equal(open_at(f, buf_span(&f->bytes), 7, NOW, &b), BUNDLE_OLD);
	assert_int_equal(open_at(f, buf_span(&f->bytes), 6, NOW - 1, &b), BUNDLE_EARLY);
	assert_int_equal(open_at(f, buf_span(&f->bytes), 6, NOW + DAY, &b), BUNDLE_EXPIRED);
	assert_int_equal(bundle_open(buf_span(&f->bytes), &hanako, &f->fleet, 0, 0, &f->raw, &b, &why), BUNDLE_FORGED);
	assert_int_equal(bundle_open(buf_span(&f->bytes), &none, &f->fleet, 0, 0, &f->raw, &b, &why), BUNDLE_FORGED);
	assert_int_equal(
		bundle_open(buf_span(&f->bytes), &f->admins, &elsewhere, 0, 0, &f->raw, &b, &why), BUNDLE_FOREIGN);
	assert_string_equal(bundle_verdict_name(BUNDLE_EXPIRED), "expired");
}

/* A byte that is not the signed one is never good, wherever it is. */
static void no_changed_byte_is_good(void **state)
{
	struct fixture *f = *state;
	struct bundle b;
	size_t i;

	for (i = 0; i < f->bytes.n; i++) {
		f->bytes.p[i] ^= 0x10;
		assert_int_not_equal(open_at(f, buf_span(&f->bytes), 0, 0, &b), 0);
		f->bytes.p[i] ^= 0x10;
		assert_int_not_equal(open_at(f, SPAN(f->bytes.p, i), 0, 0, &b), 0);
	}
	assert_int_equal(buf_put(&f->bytes, "x", 1), 0);
	assert_int_equal(open_at(f, buf_span(&f->bytes), 0, 0, &b), V_BAD);
}

static void a_segments_signature_is_no_policys(void **state)
{
	struct fixture *f = *state;
	struct buf bytes = BUF_INIT(BUNDLE_MAX);
	struct cose_sign1 m;
	struct bundle b;

	assert_int_equal(cose_parse(buf_span(&f->bytes), &m, NULL), 0);
	assert_int_equal(cose_sign(f->key, BUNDLE_FORMAT, SPAN_STR("sekisho segment 1"), m.payload, &bytes), 0);
	assert_int_equal(open_at(f, buf_span(&bytes), 0, 0, &b), BUNDLE_FORGED);
	buf_deinit(&bytes);
}

static void lists_of_administrators_are_read(void **state)
{
	struct fixture *f = *state;
	struct buf text = BUF_INIT(4096);
	struct admins got = {.n = 0};
	struct why why = {""};

	assert_int_equal(buf_puts(&text, "# who may sign\n\n"), 0);
	assert_int_equal(admins_encode(&f->admins, &text), 0);
	assert_int_equal(admins_decode(buf_span(&text), &got, &why), 0);
	assert_int_equal(got.n, 2);
	assert_string_equal(got.v[1].name, "office");
	admins_deinit(&got);
	assert_int_equal(buf_puts(&text, "not a key\n"), 0);
	assert_int_equal(admins_decode(buf_span(&text), &got, &why), V_BAD);
	assert_non_null(strstr(why.text, "line 5"));
	buf_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_signed_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_refusal_has_its_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_changed_byte_is_good, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_segments_signature_is_no_policys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lists_of_administrators_are_read, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
