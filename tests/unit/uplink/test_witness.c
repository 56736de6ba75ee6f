/* The witness: takes what extends what it saw, refuses every other log, and keeps the evidence. */
#include "agent/uplink/witness.h"
#include "policy/base/file.h"
#include "tests/unit/cm.h"
#include <sys/stat.h>

#define LEAVES 40

static char dir[] = "/tmp/sekisho-witness-XXXXXX";
static char vkey[64], inbox[64];
static struct key *log_key, *foreign_key;
static struct digest leaves[LEAVES], others[LEAVES];

static int read_leaf(void *ctx, unsigned level, uint64_t index, struct digest *out)
{
	const struct digest *l = ctx;
	struct digest a, b;

	if (!level) {
		*out = l[index];
		return 0;
	}
	read_leaf(ctx, level - 1, index * 2, &a);
	read_leaf(ctx, level - 1, index * 2 + 1, &b);
	merkle_node(&a, &b, out);
	return 0;
}

static void offer(
	struct log_state *s, struct digest *l, uint64_t from, uint64_t size, const struct key *k, const char *name)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX);
	struct checkpoint c = {.size = size};

	memset(s, 0, sizeof(*s));
	snprintf(c.origin, sizeof(c.origin), "%s", name);
	assert_int_equal(merkle_root(size, read_leaf, l, &c.root), 0);
	assert_int_equal(checkpoint_sign(&c, k, &note), 0);
	memcpy(s->checkpoint, note.p, note.n);
	if (from && from < size)
		assert_int_equal(merkle_prove_consistency(from, size, read_leaf, l, &s->consistency), 0);
}

static void reopen(struct witness *w)
{
	witness_close(w);
	assert_int_equal(witness_open(w, vkey, inbox, NULL), 0);
}

static bool there(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", inbox, name);
	return !access(path, F_OK);
}

static int setup(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(1024);
	unsigned i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(vkey, sizeof(vkey), "%s/vkey", dir);
	snprintf(inbox, sizeof(inbox), "%s/inbox", dir);
	assert_int_equal(mkdir(inbox, 0755), 0);
	assert_int_equal(key_new(KEY_ED25519, &log_key), 0);
	assert_int_equal(key_new(KEY_ED25519, &foreign_key), 0);
	assert_int_equal(verifier_encode("test/log", log_key, &b), 0);
	assert_int_equal(file_replace(vkey, buf_span(&b), 0644), 0);
	for (i = 0; i < LEAVES; i++) {
		uint8_t n = (uint8_t)i;

		merkle_leaf(SPAN(&n, 1), &leaves[i]);
		others[i] = leaves[i];
	}
	merkle_leaf(SPAN("other", 5), &others[3]);
	return 0;
}

static int teardown(void **state)
{
	char cmd[128];

	(void)state;
	key_free(log_key);
	key_free(foreign_key);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static void follows_a_growing_log(void **state)
{
	static struct log_state s;
	static struct witness w;
	struct checkpoint c;
	uint64_t size, seen = 0;

	(void)state;
	assert_int_equal(witness_open(&w, vkey, inbox, NULL), 0);
	assert_int_equal(w.last.size, 0);
	for (size = 1; size <= 20; size += size % 3 ? 1 : 2) {
		offer(&s, leaves, seen, size, log_key, "test/log");
		assert_int_equal(witness_judge(&w, &s, &c, NULL), 0);
		assert_int_equal(witness_keep(&w, &s, &c), 0);
		seen = size;
		reopen(&w); /* what was seen is remembered */
		assert_int_equal(w.last.size, size);
		/* the same again */
		s.consistency.n = 0;
		assert_int_equal(witness_judge(&w, &s, &c, NULL), 0);
	}
	witness_close(&w);
}

static void refuse(struct witness *w, const struct log_state *s, const char *words)
{
	struct checkpoint c = {.size = 4711};
	struct why why = {""};

	assert_int_equal(witness_judge(w, s, &c, &why), V_DENIED);
	assert_non_null(strstr(why.text, words));
	assert_int_equal(c.size, 4711);
}

static void refuses_every_other_log(void **state)
{
	static struct log_state s;
	static struct witness w;
	char *p;

	(void)state;
	assert_int_equal(witness_open(&w, vkey, inbox, NULL), 0);
	assert_int_equal(w.last.size, 20);
	offer(&s, leaves, 0, 12, log_key, "test/log");
	refuse(&w, &s, "went back");
	s.checkpoint[0] = 0;
	refuse(&w, &s, "is empty");
	offer(&s, others, 0, 20, log_key, "test/log");
	refuse(&w, &s, "another root");
	offer(&s, others, 20, 30, log_key, "test/log");
	refuse(&w, &s, "not proven");
	offer(&s, leaves, 19, 30, log_key, "test/log");
	refuse(&w, &s, "not proven");
	offer(&s, leaves, 20, 30, log_key, "test/log");
	s.consistency.n = 0;
	refuse(&w, &s, "not proven");
	offer(&s, leaves, 20, 30, foreign_key, "test/log");
	refuse(&w, &s, "not of the log");
	offer(&s, leaves, 20, 30, log_key, "test/log2");
	refuse(&w, &s, "not of the log");
	offer(&s, leaves, 20, 30, log_key, "test/log");
	p = strchr(s.checkpoint, '3'); /* the size, changed after it was signed */
	*p = '4';
	refuse(&w, &s, "not of the log");
	witness_close(&w);
}

static void raises_and_ends_an_alarm(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 17);
	static struct log_state s;
	static struct witness w;
	struct checkpoint c;
	char path[128];

	(void)state;
	assert_int_equal(witness_open(&w, vkey, inbox, NULL), 0);
	offer(&s, others, 0, 20, log_key, "test/log");
	assert_int_equal(witness_alarm(&w, "for a test", s.checkpoint), 0);
	assert_true(there("alarm"));
	snprintf(path, sizeof(path), "%s/alarm", inbox);
	assert_int_equal(file_read(path, &b), 0);
	assert_non_null(buf_str(&b));
	assert_memory_equal(b.p, "for a test\n", 11);
	assert_non_null(strstr((char *)b.p, s.checkpoint)); /* both sides' notes are there */
	assert_non_null(strstr((char *)b.p, w.note));
	reopen(&w); /* it survives a restart */
	assert_string_equal(w.alarm, "for a test");
	assert_int_equal(w.last.size, 20);
	offer(&s, leaves, 20, 25, log_key, "test/log");
	assert_int_equal(witness_judge(&w, &s, &c, NULL), 0);
	assert_int_equal(witness_keep(&w, &s, &c), 0);
	assert_false(there("alarm"));
	assert_string_equal(w.alarm, "");
	witness_close(&w);
}

static void a_damaged_memory_is_an_alarm(void **state)
{
	static struct witness w;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/checkpoint", inbox);
	assert_int_equal(file_replace(path, SPAN_STR("test/log\n25\n"), 0644), 0);
	assert_int_equal(witness_open(&w, vkey, inbox, NULL), 0);
	assert_int_equal(w.last.size, 0);
	assert_true(w.alarm[0]);
	assert_true(there("alarm"));
	assert_true(there("checkpoint.damaged"));
	assert_false(there("checkpoint"));
	witness_close(&w);
	snprintf(path, sizeof(path), "%s/none", dir);
	assert_int_equal(witness_open(&w, path, inbox, NULL), V_NOT_FOUND);
}

static void evidence_is_bounded(void **state)
{
	static struct witness w;
	unsigned i, n = 0;
	char path[128], text[64];
	DIR *d;

	(void)state;
	assert_int_equal(witness_open(&w, vkey, inbox, NULL), 0);
	for (i = 0; i < WITNESS_EVIDENCE_MAX * 2; i++) {
		snprintf(text, sizeof(text), "alarm %u", i);
		assert_int_equal(witness_alarm(&w, text, ""), 0);
	}
	snprintf(path, sizeof(path), "%s/evidence", inbox);
	d = opendir(path);
	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	assert_in_range(n, 3, WITNESS_EVIDENCE_MAX + 2);
	witness_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_a_growing_log),
		cmocka_unit_test(refuses_every_other_log),
		cmocka_unit_test(raises_and_ends_an_alarm),
		cmocka_unit_test(a_damaged_memory_is_an_alarm),
		cmocka_unit_test(evidence_is_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
