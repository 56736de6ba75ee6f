/* Cosignatures, the keys of witnesses, and policies: C2SP's own example, what must not pass, and every rule of a
 * policy. */
#include "policy/base/text.h"
#include "policy/trust/quorum.h"
#include "tests/unit/trust/outside.h"

#define NAME "log.example/one"

static struct key *log_key, *device, *own;
static struct verifier log_verifier, witness;
static char line[WITNESS_LINE_MAX + 1];
static struct buf note;

static int set_up(void **state)
{
	struct checkpoint c = {.origin = NAME, .size = 17};
	_cleanup_buf_ struct buf vkey = BUF_INIT(512), out = BUF_INIT(WITNESS_LINE_MAX);
	struct digest host;

	(void)state;
	note = BUF_INIT(NOTE_SIZE_MAX);
	assert_int_equal(key_new(KEY_ED25519, &log_key), 0);
	assert_int_equal(key_new(KEY_ED25519, &own), 0);
	assert_int_equal(key_new(KEY_P256, &device), 0);
	assert_int_equal(verifier_encode(NAME, log_key, &vkey), 0);
	assert_int_equal(verifier_decode(buf_span(&vkey), &log_verifier, NULL), 0);
	assert_int_equal(checkpoint_sign(&c, log_key, &note), 0);
	assert_int_equal(witness_declare(device, own, &out), 0);
	memcpy(line, out.p, out.n);
	return witness_read(buf_span(&out), &host, &witness, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	key_free(log_key);
	key_free(own);
	key_free(device);
	verifier_deinit(&log_verifier);
	verifier_deinit(&witness);
	buf_deinit(&note);
	return 0;
}

static void cosign(struct buf *out, struct span over, uint64_t when)
{
	assert_int_equal(cosignature_sign(over, witness.name, own, when, out), 0);
}

static void what_is_cosigned_is_read(void **state)
{
	_cleanup_buf_ struct buf n = BUF_INIT(NOTE_SIZE_MAX);
	struct cosignatures c;
	struct checkpoint seen;
	uint64_t when = 0;

	(void)state;
	assert_int_equal(buf_put_span(&n, buf_span(&note)), 0);
	cosign(&n, buf_span(&note), 1700000000);
	assert_int_equal(checkpoint_verify(buf_span(&n), &log_verifier, &seen, NULL), 0);
	assert_int_equal(cosignatures_read(buf_span(&n), &log_verifier, &c, NULL), 0);
	assert_int_equal(c.n, 1);
	assert_int_equal(cosignature_check(&c, 0, &witness, &when), 0);
	assert_int_equal(when, 1700000000);
	/* the log's own is no cosignature, and a stranger's nobody's */
	assert_int_equal(cosignature_check(&c, 0, &log_verifier, &when), V_NOT_FOUND);
	assert_int_equal(cosignatures_read(buf_span(&n), NULL, &c, NULL), 0);
	assert_int_equal(c.n, 2);
}

static void what_was_changed_is_refused(void **state)
{
	struct checkpoint other = {.origin = NAME, .size = 18};
	_cleanup_buf_ struct buf n = BUF_INIT(NOTE_SIZE_MAX), o = BUF_INIT(NOTE_SIZE_MAX);
	struct cosignatures c, changed;
	uint64_t when;
	size_t i;

	(void)state;
	assert_int_equal(buf_put_span(&n, buf_span(&note)), 0);
	cosign(&n, buf_span(&note), 1700000000);
	assert_int_equal(cosignatures_read(buf_span(&n), &log_verifier, &c, NULL), 0);
	for (i = 0; i < COSIGNATURE_SIZE; i++) {
		changed = c;
		changed.at[0].bytes[i] ^= 1;
		assert_int_equal(cosignature_check(&changed, 0, &witness, &when), V_BAD);
	}
	changed = c;
	changed.at[0].size = SIGNATURE_SIZE; /* no time */
	assert_int_equal(cosignature_check(&changed, 0, &witness, &when), V_BAD);
	changed.at[0].size = COSIGNATURE_SIZE + 1;
	assert_int_equal(cosignature_check(&changed, 0, &witness, &when), V_BAD);
	changed = c;
	changed.at[0].hash[0] ^= 1; /* another key's, then */
	assert_int_equal(cosignature_check(&changed, 0, &witness, &when), V_NOT_FOUND);
	/* another checkpoint of the same log */
	assert_int_equal(checkpoint_sign(&other, log_key, &o), 0);
	cosign(&o, buf_span(&note), 1700000000);
	assert_int_equal(cosignatures_read(buf_span(&o), &log_verifier, &c, NULL), 0);
	assert_int_equal(cosignature_check(&c, 0, &witness, &when), V_BAD);
	/* a time that cannot be written */
	assert_int_equal(cosignature_sign(buf_span(&note), witness.name, own, (uint64_t)INT64_MAX + 1, &o), V_BAD);
}

static void no_more_than_sixteen(void **state)
{
	_cleanup_buf_ struct buf n = BUF_INIT(NOTE_SIZE_MAX);
	struct cosignatures c;
	unsigned i;

	(void)state;
	assert_int_equal(buf_put_span(&n, buf_span(&note)), 0);
	for (i = 0; i < COSIGNATURES_MAX; i++)
		cosign(&n, buf_span(&note), i);
	assert_int_equal(cosignatures_read(buf_span(&n), &log_verifier, &c, NULL), 0);
	assert_int_equal(c.n, COSIGNATURES_MAX);
	cosign(&n, buf_span(&note), i);
	assert_int_equal(cosignatures_read(buf_span(&n), &log_verifier, &c, NULL), V_BAD);
}

/* The signature of the specification's example: type, key id, message and layout are not our invention. */
static void a_published_cosignature(void **state)
{
	static const char published[] =
		"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
		"\xe2\x80\x94 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/"
		"5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
		"\xe2\x80\x94 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/"
		"zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
	struct cosignatures c;

	(void)state;
	assert_int_equal(cosignatures_read(SPAN_STR(published), NULL, &c, NULL), 0);
	assert_int_equal(c.n, 2);
	assert_string_equal(c.at[1].name, "witness.example.com/w1");
	assert_int_equal(c.at[1].size, COSIGNATURE_SIZE);
	assert_int_equal(get_be64(c.at[1].bytes), 1679315147); /* as its signed message says there */
}

static int read_line(const char *text)
{
	struct verifier v = {.key = NULL};
	struct digest host;
	int r = witness_read(SPAN_STR(text), &host, &v, NULL);

	verifier_deinit(&v);
	return r;
}

static void a_witness_is_whom_its_device_key_names(void **state)
{
	_cleanup_(key_freep) struct key *other = NULL;
	_cleanup_buf_ struct buf theirs = BUF_INIT(WITNESS_LINE_MAX);
	char text[WITNESS_LINE_MAX + 1];
	char *space;
	size_t i;

	(void)state;
	assert_int_equal(read_line(line), 0);
	for (i = 0; i < strlen(line); i++) {
		memcpy(text, line, sizeof(text));
		text[i] = text[i] == 'A' ? 'B' : 'A';
		assert_int_equal(read_line(text), V_BAD);
	}
	/* my name and key, another PC's word */
	assert_int_equal(key_new(KEY_P256, &other), 0);
	assert_int_equal(witness_declare(other, own, &theirs), 0);
	memcpy(text, line, sizeof(text));
	space = strchr(text, ' ');
	assert_non_null(buf_str(&theirs));
	snprintf(space, sizeof(text) - (size_t)(space - text), "%s", strchr((char *)theirs.p, ' '));
	assert_int_equal(read_line(text), V_BAD);
	assert_int_equal(read_line(""), V_BAD);
	snprintf(text, sizeof(text), "%.1000s x", line);
	assert_int_equal(read_line(text), V_BAD);
}

/* --- policies; @w is our witness's key, @l the log's --- */

static void put_policy(struct buf *out, const char *p, const char *w, const char *l)
{
	for (; *p; p++) {
		if (*p != '@') {
			assert_int_equal(buf_put(out, p, 1), 0);
			continue;
		}
		p++;
		assert_int_equal(buf_puts(out, *p == 'w' ? w : l), 0);
	}
}

static int read_policy(const char *format, bool signed_, bool *met)
{
	_cleanup_buf_ struct buf text = BUF_INIT(8192), log_vkey = BUF_INIT(512);
	struct cosignature c = {.size = 0};
	char vkey[WITNESS_LINE_MAX];
	struct quorum *q;
	const struct verifier *w;
	int r;

	assert_int_equal(verifier_encode(NAME, log_key, &log_vkey), 0);
	assert_non_null(buf_str(&log_vkey));
	snprintf(vkey, sizeof(vkey), "%.*s", (int)strcspn(line, " "), line);
	put_policy(&text, format, vkey, (char *)log_vkey.p);
	r = quorum_read(buf_span(&text), &q, NULL);
	if (r)
		return r;
	memcpy(c.name, witness.name, sizeof(c.name));
	memcpy(c.hash, witness.hash, sizeof(c.hash));
	w = quorum_witness(q, &c);
	if (w && signed_)
		quorum_mark(q, w);
	*met = quorum_met(q);
	assert_true(quorum_has_log(q, &log_verifier));
	quorum_free(q);
	return 0;
}

static void policies(void **state)
{
	static const char *const good[] = {
		"witness w @w\nquorum w\n",
		"# x\n\n \tlog @l\n witness\tw  @w https://w.example/ \ngroup g any w\ngroup h 1 g\nquorum h\n",
		"witness none-of-all @w\ngroup g all none-of-all\nquorum g\n",
	};
	static const char *const bad[] = {
		"",
		"witness w @w\n",
		"quorum w\nwitness w @w\n",
		"witness w @w\nquorum w\nquorum w\n",
		"witness w @w\nquorum w",
		"witness w @l\nquorum w\n",
		"log @w\nquorum none\n",
		"log @l\nlog @l\nquorum none\n",
		"witness none @w\nquorum none\n",
		"witness w @w\nwitness w @w\nquorum w\n",
		"witness w @w\nwitness v @w\nquorum w\n",
		"witness w @w\ngroup g 0 w\nquorum g\n",
		"witness w @w\ngroup g 2 w\nquorum g\n",
		"witness w @w\ngroup g 01 w\nquorum g\n",
		"witness w @w\ngroup g any\nquorum g\n",
		"witness w @w\ngroup g any w w\nquorum g\n",
		"witness w @w\ngroup g any w\ngroup h any w\nquorum h\n",
		"witness w @w\ngroup g any none\nquorum g\n",
		"witness w @w\ngroup g any g\nquorum g\n",
		"witness w @w\r\nquorum w\n",
		"policy w\nquorum none\n",
	};
	bool met = false;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(read_policy(good[i], false, &met), 0);
		assert_false(met);
		assert_int_equal(read_policy(good[i], true, &met), 0);
		assert_true(met);
	}
	assert_int_equal(read_policy("quorum none\n", false, &met), 0);
	assert_true(met);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(read_policy(bad[i], true, &met), V_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_cosigned_is_read),
		cmocka_unit_test(what_was_changed_is_refused),
		cmocka_unit_test(no_more_than_sixteen),
		cmocka_unit_test(a_published_cosignature),
		cmocka_unit_test(a_witness_is_whom_its_device_key_names),
		cmocka_unit_test(policies),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
