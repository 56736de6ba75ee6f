/*
 * agent/inspect/prints.c, known.c: fingerprints of text, made and found. SipHash against OpenSSL's answer (`openssl mac
 * siphash`); winnowing against its own promise, at every place of a text.
 */
#include "agent/inspect/known.h"
#include "agent/inspect/prints.h"
#include "policy/base/siphash.h"
#include "policy/base/text.h"
#include "tests/unit/cm.h"
#include <sys/mman.h>

#define LETTERS 4000

static const uint8_t key[INSPECT_KEY_SIZE] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static char words[LETTERS + 1], others[LETTERS + 1];

/* Text without a law, but always the same. */
static void fill(char text[LETTERS + 1], uint32_t seed)
{
	size_t i;

	for (i = 0; i < LETTERS; i++) {
		seed = seed * 1664525u + 1013904223u;
		text[i] = (seed >> 24) % 6 == 0 ? ' ' : (char)('a' + (seed >> 16) % 26);
	}
	text[LETTERS] = 0;
}

static int setup(void **state)
{
	(void)state;
	fill(words, 1);
	fill(others, 2);
	return 0;
}

static struct span made(struct span text, uint8_t room[INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE])
{
	_cleanup_(prints_freep) struct prints *p = NULL;
	unsigned n = 0;

	assert_int_equal(prints_make(key, &p), 0);
	prints_text(p, text);
	prints_end(p, room, &n);
	return SPAN(room, n * INSPECT_PRINT_SIZE);
}

/* The table as children get it. */
static struct span table_of(struct inspect_known *known)
{
	off_t n = lseek(inspect_known_fd(known), 0, SEEK_END);
	void *at = mmap(NULL, (size_t)n, PROT_READ, MAP_PRIVATE, inspect_known_fd(known), 0);

	assert_true(at != MAP_FAILED);
	return SPAN(at, n);
}

/* How much of the document is in the text, in percent. */
static unsigned share(struct span prints, struct span text, const struct digest *hash, bool file)
{
	struct inspect_known_document list[2] = {
		{.has_hash = hash != NULL, .hash = hash ? *hash : (struct digest){{0}}, .prints = prints}};
	_cleanup_(inspect_known_freep) struct inspect_known *known = NULL;
	_cleanup_(prints_freep) struct prints *p = NULL;
	struct inspect_facts f = {0};
	struct span table;
	struct why why;

	assert_int_equal(inspect_known_new(key, list, 2, &known), 0);
	table = table_of(known);
	assert_int_equal(prints_find(table, &p, &why), 0);
	if (file)
		prints_file(p, text);
	prints_text(p, text);
	prints_tell(p, &f);
	munmap((void *)(uintptr_t)table.p, table.n);
	assert_int_equal(f.known[1].prints, 0);
	return inspect_known_share(&f.known[0], prints.n / INSPECT_PRINT_SIZE);
}

static void siphash_is_openssls(void **state)
{
	static const uint64_t words_of_key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

	(void)state;
	assert_int_equal(siphash(words_of_key, SPAN(key, 8)), 0x93f5f5799a932462);
}

static void a_document_is_found(void **state)
{
	uint8_t room[INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE];
	struct span prints = made(SPAN_STR(words), room);
	char both[2 * LETTERS + 1];
	unsigned half;

	(void)state;
	assert_in_range(prints.n / INSPECT_PRINT_SIZE, 300, INSPECT_PRINTS_MAX);
	assert_int_equal(share(prints, SPAN_STR(words), NULL, false), 100);
	assert_int_equal(share(prints, SPAN_STR(others), NULL, false), 0);
	half = share(prints, SPAN(words, LETTERS / 2), NULL, false);
	assert_in_range(half, 45, 55);
	snprintf(both, sizeof(both), "%s%s", others, words);
	assert_int_equal(share(prints, SPAN_STR(both), NULL, false), 100);
}

/* At least one stretch of any so many letters is kept, and is found wherever it stands. */
static void winnowing_keeps_its_promise(void **state)
{
	uint8_t room[INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE];
	struct inspect_known_document document = {.prints = made(SPAN(words, 1000), room)};
	_cleanup_(inspect_known_freep) struct inspect_known *known = NULL;
	char bare[1001];
	size_t n = 0, i;
	struct span table;

	(void)state;
	for (i = 0; i < 1000; i++)
		if (words[i] != ' ')
			bare[n++] = words[i];
	assert_int_equal(inspect_known_new(key, &document, 1, &known), 0);
	table = table_of(known);
	for (i = 0; i + PRINTS_STRETCH + PRINTS_WINDOW - 1 <= n; i++) {
		_cleanup_(prints_freep) struct prints *p = NULL;
		struct inspect_facts f = {0};
		struct why why;

		assert_int_equal(prints_find(table, &p, &why), 0);
		prints_text(p, SPAN(bare + i, PRINTS_STRETCH + PRINTS_WINDOW - 1));
		prints_tell(p, &f);
		assert_true(f.known[0].prints > 0);
	}
	munmap((void *)(uintptr_t)table.p, table.n);
}

static void what_no_reader_sees_changes_nothing(void **state)
{
	static const struct {
		const char *known, *seen;
	} same[] = {
		{"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnop 0123456789",
			"ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ０１２３４５６７８９ABC DEF-GHI.JKL\nMNOP "
			"0123456789"},
		{"ガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポヴァアイウエオカキクケコサシスセソタチツテト",
			"ｶﾞｷﾞｸﾞｹﾞｺﾞｻﾞｼﾞｽﾞｾﾞｿﾞﾀﾞﾁﾞﾂﾞﾃﾞﾄﾞﾊﾞﾋﾞﾌﾞﾍﾞﾎﾞﾊﾟﾋﾟﾌﾟﾍﾟﾎﾟｳﾞｧｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄ"},
		{"契約の相手方は、本契約の履行に際し知り得た秘密を第三者に開示してはならず、㈱の従業員にも遵守させる。",
			"契約の相手方は本契約の 履行に際し\n知り得た秘密を・第三者に "
			"開示してはならず(株)の従業員にも遵守させる"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(same); i++) {
		uint8_t room[INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE];
		struct span prints = made(SPAN_STR(same[i].known), room);

		assert_true(prints.n > 0);
		assert_int_equal(share(prints, SPAN_STR(same[i].seen), NULL, false), 100);
	}
}

/* Pages and cells are pieces; bytes that are no characters are passed over. */
static void pieces_are_one_text(void **state)
{
	uint8_t whole[INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE], parts[sizeof(whole)];
	struct span prints = made(SPAN_STR(words), whole);
	_cleanup_(prints_freep) struct prints *p = NULL;
	unsigned n = 0;
	size_t i;

	(void)state;
	assert_int_equal(prints_make(key, &p), 0);
	for (i = 0; i < LETTERS; i += 50) {
		prints_text(p, SPAN(words + i, 50));
		prints_text(p, SPAN("\xff\xfe\xe3\x81", 4));
	}
	prints_end(p, parts, &n);
	assert_int_equal(n * INSPECT_PRINT_SIZE, prints.n);
	assert_memory_equal(parts, whole, prints.n);
}

static void a_long_document_is_thinned_out_evenly(void **state)
{
	uint8_t room[INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE];
	static char long_text[50 * LETTERS + 1];
	struct span prints;
	unsigned i;

	(void)state;
	for (i = 0; i < 50; i++)
		fill(long_text + (size_t)i * LETTERS, 100 + i);
	prints = made(SPAN_STR(long_text), room);
	assert_in_range(prints.n / INSPECT_PRINT_SIZE, INSPECT_PRINTS_MAX / 2 - 80, INSPECT_PRINTS_MAX);
	assert_int_equal(share(prints, SPAN_STR(long_text), NULL, false), 100);
	assert_in_range(share(prints, SPAN(long_text, 10 * LETTERS), NULL, false), 14, 26);
	assert_int_equal(share(prints, SPAN_STR(words), NULL, false), 0);
}

static void the_file_itself_is_found(void **state)
{
	uint8_t room[INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE];
	struct span few = made(SPAN_STR("too little text"), room);
	struct digest hash;

	(void)state;
	assert_int_equal(few.n, 0);
	digest_span(&hash, SPAN_STR("too little text"));
	assert_int_equal(share(few, SPAN_STR("too little text"), &hash, true), 100);
	assert_int_equal(share(few, SPAN_STR("too little text."), &hash, true), 0);
}

static void another_key_gives_other_fingerprints(void **state)
{
	static const uint8_t other[INSPECT_KEY_SIZE] = {1};
	uint8_t one[INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE], two[sizeof(one)];
	_cleanup_(prints_freep) struct prints *p = NULL;
	struct span prints = made(SPAN_STR(words), one);
	unsigned n = 0, i, k, equal = 0;

	(void)state;
	assert_int_equal(prints_make(other, &p), 0);
	prints_text(p, SPAN_STR(words));
	prints_end(p, two, &n);
	for (i = 0; i < n; i++)
		for (k = 0; k < prints.n / INSPECT_PRINT_SIZE; k++)
			equal +=
				!memcmp(two + i * INSPECT_PRINT_SIZE, one + k * INSPECT_PRINT_SIZE, INSPECT_PRINT_SIZE);
	assert_int_equal(equal, 0);
}

static void a_table_that_is_none_is_refused(void **state)
{
	uint8_t room[INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE];
	struct inspect_known_document list[INSPECT_KNOWN_MAX] = {{.prints = made(SPAN_STR(words), room)}};
	_cleanup_(inspect_known_freep) struct inspect_known *known = NULL;
	struct known k = {.n = 7};
	struct span table;
	struct why why;
	size_t n;

	(void)state;
	assert_int_equal(inspect_known_new(key, list, INSPECT_KNOWN_MAX + 1, &known), V_BAD);
	assert_int_equal(inspect_known_new(key, list, INSPECT_KNOWN_MAX, &known), 0);
	table = table_of(known);
	for (n = 0; n < table.n; n++)
		assert_int_equal(known_read(SPAN(table.p, n), &k, &why), V_BAD);
	assert_int_equal(k.n, 7);
	assert_int_equal(known_read(table, &k, &why), 0);
	assert_int_equal(k.n, INSPECT_KNOWN_MAX);
	munmap((void *)(uintptr_t)table.p, table.n);
	/* Nobody changes it, not even who made it. */
	assert_true(pwrite(inspect_known_fd(known), "x", 1, 0) < 0);
	assert_true(ftruncate(inspect_known_fd(known), 0) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_is_openssls),
		cmocka_unit_test(a_document_is_found),
		cmocka_unit_test(winnowing_keeps_its_promise),
		cmocka_unit_test(what_no_reader_sees_changes_nothing),
		cmocka_unit_test(pieces_are_one_text),
		cmocka_unit_test(a_long_document_is_thinned_out_evenly),
		cmocka_unit_test(the_file_itself_is_found),
		cmocka_unit_test(another_key_gives_other_fingerprints),
		cmocka_unit_test(a_table_that_is_none_is_refused),
	};

	return cmocka_run_group_tests_name("inspect/prints", tests, setup, NULL);
}
