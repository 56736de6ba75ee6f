/* Signed notes and verifier keys: C2SP's rules line by line, and what another implementation writes and reads. */
#include "policy/base/text.h"
#include "policy/trust/note.h"
#include "tests/unit/trust/outside.h"

#define NAME "log.example/one"
#define DASH "\xe2\x80\x94 "
#define OTHERS DASH "someone.else AAAAAAAA\n"

static struct key *log_key, *other_key;
static struct verifier log_verifier;
static struct checkpoint first = {.origin = NAME, .size = 1234567};

static int judge(struct span note, struct checkpoint *out)
{
	struct why why = {""};
	int r = checkpoint_verify(note, &log_verifier, out, &why);

	/* a verdict comes with its reason, and only a verdict does */
	assert_int_equal(!r, !why.text[0]);
	return r;
}

/* The line of a signature over `text` by `key`, as `name`. */
static void put_signature(struct buf *out, const char *name, const struct key *key, struct span text)
{
	_cleanup_buf_ struct buf vkey = BUF_INIT(512);
	uint8_t part[4 + SIGNATURE_SIZE];
	char hash[9];

	assert_int_equal(verifier_encode(name, key, &vkey), 0);
	memcpy(hash, vkey.p + strlen(name) + 1, 8);
	hash[8] = 0;
	assert_int_equal(hex_decode(hash, part, 4), 0);
	assert_int_equal(key_sign(key, text, part + 4), 0);
	assert_int_equal(buf_putf(out, DASH "%s ", name), 0);
	assert_int_equal(base64_encode(out, SPAN(part, sizeof(part))), 0);
	assert_int_equal(buf_puts(out, "\n"), 0);
}

/* A note of any text, properly signed: what remains to be judged is the text. */
static int judge_text(const char *text, struct checkpoint *out)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX);

	assert_int_equal(buf_putf(&note, "%s\n", text), 0);
	put_signature(&note, NAME, log_key, SPAN_STR(text));
	return judge(buf_span(&note), out);
}

static void what_is_signed_is_read(void **state)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX);
	struct checkpoint c = {.size = 0};
	size_t i;

	(void)state;
	assert_int_equal(checkpoint_sign(&first, log_key, &note), 0);
	assert_int_equal(judge(buf_span(&note), &c), 0);
	assert_string_equal(c.origin, NAME);
	assert_int_equal(c.size, first.size);
	assert_true(digest_eq(&c.root, &first.root));
	for (i = 0; i < note.n; i++) {
		note.p[i] ^= 1u << (i % 7);
		assert_int_equal(judge(buf_span(&note), &c), V_BAD);
		note.p[i] ^= 1u << (i % 7);
		assert_int_equal(judge(SPAN(note.p, i), &c), V_BAD);
	}
}

static void the_text_is_three_lines_and_more(void **state)
{
	static const char *const bad[] = {
		NAME "\n5\n",
		NAME "\n5\nAAAA\n",
		NAME "\n05\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		NAME "\n-5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		NAME "\n+5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		NAME "\n5 \nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		NAME "\n\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		NAME "\n9223372036854775808\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		NAME "\n18446744073709551621\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		NAME "\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n", /* bits behind the end */
		NAME "\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
		NAME "\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \n",
		NAME "\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nafter an empty line\n",
		NAME "\r\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		NAME "\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\na\tb\n",
		NAME "\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\xff\n",
		"log.example/two\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
	};
	struct checkpoint c = {.size = 77};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (judge_text(bad[i], &c) != V_BAD)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(c.size, 77);
	assert_int_equal(judge_text(NAME "\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", &c), 0);
	assert_int_equal(c.size, 0);
	assert_int_equal(
		judge_text(NAME "\n9223372036854775807\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nand more\n", &c),
		0);
	assert_true(c.size == INT64_MAX);
}

/* One note whose signature lines are `before`, the log's own where `own`, and `after`. */
static int judge_signatures(const char *before, bool own, const char *after)
{
	_cleanup_buf_ struct buf text = BUF_INIT(512), note = BUF_INIT(NOTE_SIZE_MAX);
	struct checkpoint c;

	assert_int_equal(buf_putf(&text, NAME "\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), 0);
	assert_int_equal(buf_put_span(&note, buf_span(&text)), 0);
	assert_int_equal(buf_putf(&note, "\n%s", before), 0);
	if (own)
		put_signature(&note, NAME, log_key, buf_span(&text));
	assert_int_equal(buf_puts(&note, after), 0);
	return judge(buf_span(&note), &c);
}

static void signature_lines(void **state)
{
	static const char *const bad[] = {
		"- someone.else AAAAAAAA\n",           /* not an em dash */
		"\xe2\x80\x94someone.else AAAAAAAA\n", /* no space */
		DASH "someone.else\n",                 /* no signature */
		DASH "someone.else  AAAAAAAA\n",       /* two spaces */
		DASH "someone.else AAAAAAAA \n",       /* one behind */
		DASH "someone.else AAAA\n",            /* shorter than a key's hash */
		DASH "someone.else AAAAAAB=\n",        /* not canonical */
		DASH "someone.else AAAAA_-=\n",        /* another alphabet */
		DASH " AAAAAAAA\n",                    /* no name */
		DASH "some+one AAAAAAAA\n",            /* a plus sign */
		DASH "some\xc2\xa0one AAAAAAAA\n",     /* U+00A0 */
		DASH "some\xe3\x80\x80one AAAAAAAA\n", /* U+3000 */
		DASH "some\xe2\x80\x89one AAAAAAAA\n", /* U+2009 */
		"\n",                                  /* an empty line: the text is longer than what was signed */
		"words\n",
	};
	_cleanup_buf_ struct buf many = BUF_INIT(NOTE_SIZE_MAX), forged = BUF_INIT(1024);
	size_t i;

	(void)state;
	assert_int_equal(judge_signatures("", true, ""), 0);
	assert_int_equal(judge_signatures(OTHERS, true, OTHERS), 0);
	assert_int_equal(judge_signatures(OTHERS, false, ""), V_BAD);
	assert_int_equal(judge_signatures("", false, ""), V_BAD);
	assert_int_equal(judge_signatures("", true, DASH "someone.else AAAAAAAA"), V_BAD);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (judge_signatures(bad[i], true, "") != V_BAD)
			fail_msg("taken before ours: %s", bad[i]);
		if (judge_signatures("", true, bad[i]) != V_BAD)
			fail_msg("taken behind ours: %s", bad[i]);
	}
	/* our name with another key is somebody else: passed over, and not enough */
	put_signature(&forged, NAME, other_key, SPAN_STR("x"));
	assert_int_equal(judge_signatures((const char *)buf_str(&forged), true, ""), 0);
	assert_int_equal(judge_signatures((const char *)buf_str(&forged), false, ""), V_BAD);
	/* our own over another text is a lie, even beside a good one */
	buf_clear(&forged);
	put_signature(&forged, NAME, log_key, SPAN_STR("x"));
	assert_int_equal(judge_signatures("", true, (const char *)buf_str(&forged)), V_BAD);
	for (i = 0; i + 1 < NOTE_SIGNATURES_MAX; i++)
		assert_int_equal(buf_puts(&many, OTHERS), 0);
	assert_int_equal(judge_signatures((const char *)buf_str(&many), true, ""), 0);
	assert_int_equal(judge_signatures((const char *)buf_str(&many), true, OTHERS), V_BAD);
}

static void too_large_is_refused(void **state)
{
	_cleanup_buf_ struct buf note = BUF_INIT(2 * NOTE_SIZE_MAX);
	struct checkpoint c;

	(void)state;
	while (note.n <= NOTE_SIZE_MAX)
		assert_int_equal(buf_puts(&note, "line\n"), 0);
	assert_int_equal(judge(buf_span(&note), &c), V_BAD);
	assert_int_equal(judge(SPAN(NULL, 0), &c), V_BAD);
}

/* The key of the documentation of Go's golang.org/x/mod/sumdb/note, and the note that it signs there. */
static void a_published_key_and_signature(void **state)
{
	static const char key[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
	static const char text[] = "If you think cryptography is the answer to your problem,\n"
				   "then you don't know what your problem is.\n";
	static const char sig[] =
		"x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
	_cleanup_(verifier_deinit) struct verifier v = {.key = NULL};
	_cleanup_buf_ struct buf raw = BUF_INIT(128), again = BUF_INIT(256);
	struct why why = {""};

	(void)state;
	assert_int_equal(verifier_decode(SPAN_STR(key), &v, &why), 0);
	assert_string_equal(v.name, "PeterNeumann");
	assert_int_equal(verifier_encode(v.name, v.key, &again), 0);
	assert_true(span_eq(buf_span(&again), SPAN_STR(key)));
	assert_int_equal(base64_decode(&raw, SPAN_STR(sig)), 0);
	assert_memory_equal(raw.p, v.hash, 4);
	assert_int_equal(key_verify(v.key, SPAN_STR(text), SPAN(raw.p + 4, raw.n - 4)), 0);
}

static void verifier_keys(void **state)
{
	static const char *const bad[] = {
		"",
		"+",
		"++",
		"PeterNeumann",
		"PeterNeumann+c74f20a3",
		"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* hash */
		"PeterNeumannn+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX", /* key */
		"PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* type */
		"PeterNeumann+c74f20a+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20ag+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWAAAA",
		"+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	};
	_cleanup_(verifier_deinit) struct verifier v = {.key = NULL};
	_cleanup_buf_ struct buf out = BUF_INIT(1024);
	char name[NOTE_NAME_MAX + 1];
	struct why why;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (verifier_decode(SPAN_STR(bad[i]), &v, &why) != V_BAD)
			fail_msg("taken: %s", bad[i]);
	assert_null(v.key);
	memset(name, 'n', sizeof(name));
	name[NOTE_NAME_MAX] = 0;
	assert_int_equal(verifier_encode(name, log_key, &out), V_BAD);
	assert_int_equal(verifier_encode("a+b", log_key, &out), V_BAD);
	assert_int_equal(verifier_encode("", log_key, &out), V_BAD);
	assert_int_equal(out.n, 0);
	name[NOTE_NAME_MAX - 1] = 0;
	assert_int_equal(buf_puts(&out, " \n"), 0);
	assert_int_equal(verifier_encode(name, log_key, &out), 0);
	assert_int_equal(buf_puts(&out, "\r\n"), 0);
	assert_int_equal(verifier_decode(buf_span(&out), &v, &why), 0);
	assert_string_equal(v.name, name);
}

static void another_implementation_agrees(void **state)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX), vkey = BUF_INIT(512), theirs = BUF_INIT(NOTE_SIZE_MAX);
	char hex[2 * DIGEST_SIZE + 1], line[512];
	struct checkpoint c;

	(void)state;
	assert_int_equal(checkpoint_sign(&first, log_key, &note), 0);
	assert_int_equal(verifier_encode(NAME, log_key, &vkey), 0);
	outside_put("note", buf_span(&note));
	outside_put("vkey", buf_span(&vkey));
	assert_int_equal(key_save(log_key, outside("log.key"), 0600), 0);
	assert_int_equal(outside_run(ORACLE " check-note vkey note"), 0);
	assert_int_equal(outside_run("sed 2s/7$/8/ note >changed; " ORACLE " check-note vkey changed"), 1);
	snprintf(line, sizeof(line), "%s note log.key %s %llu %s", ORACLE, NAME, (unsigned long long)first.size,
		hex_encode(hex, first.root.b, DIGEST_SIZE));
	assert_int_equal(outside_run(line), 0);
	outside_get("out", &theirs);
	assert_int_equal(judge(buf_span(&theirs), &c), 0);
	assert_int_equal(c.size, first.size);
	assert_true(digest_eq(&c.root, &first.root));
	/* Ed25519 always gives the same signature: so the notes are the same bytes */
	assert_true(span_eq(buf_span(&note), buf_span(&theirs)));
}

static int begin(void **state)
{
	_cleanup_buf_ struct buf vkey = BUF_INIT(512);
	struct why why;

	(void)state;
	outside_begin();
	digest_span(&first.root, SPAN_STR("a root"));
	return key_new(KEY_ED25519, &log_key) || key_new(KEY_ED25519, &other_key) ||
	       verifier_encode(NAME, log_key, &vkey) || verifier_decode(buf_span(&vkey), &log_verifier, &why);
}

static int end(void **state)
{
	(void)state;
	key_free(log_key);
	key_free(other_key);
	verifier_deinit(&log_verifier);
	outside_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_is_read),
		cmocka_unit_test(the_text_is_three_lines_and_more),
		cmocka_unit_test(signature_lines),
		cmocka_unit_test(too_large_is_refused),
		cmocka_unit_test(a_published_key_and_signature),
		cmocka_unit_test(verifier_keys),
		cmocka_unit_test(another_implementation_agrees),
	};

	return cmocka_run_group_tests_name("trust/note", tests, begin, end);
}
