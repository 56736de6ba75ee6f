/*
 * Numbers of people and accounts in text. Check digits were worked out by hand from the ordinances' formulas, or are
 * the brands' own test numbers.
 */
#include "agent/inspect/find.h"
#include "tests/unit/cm.h"

static struct finding found[FIND_KINDS];
static bool named;

static void look(const char *text)
{
	_cleanup_(finder_freep) struct finder *f = NULL;

	memset(found, 0, sizeof(found));
	assert_int_equal(finder_make(&f), 0);
	finder_text(f, SPAN_STR(text));
	finder_tell(f, found, &named);
}

static void check_digits(void **state)
{
	static const uint8_t good[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 8}, nil[12] = {0};
	/* the National Tax Agency's own */
	static const uint8_t company[13] = {7, 0, 0, 0, 0, 1, 2, 0, 5, 0, 0, 0, 2};
	static const uint8_t visa[16] = {4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
			     amex[15] = {3, 7, 8, 2, 8, 2, 2, 4, 6, 3, 1, 0, 0, 0, 5};
	uint8_t d[16];
	unsigned last, n = 0;

	(void)state;
	assert_true(my_number_good(good));
	memcpy(d, good, 12);
	for (last = 0; last < 10; last++) {
		d[11] = (uint8_t)last;
		n += my_number_good(d);
	}
	assert_int_equal(n, 1);
	assert_false(my_number_good(nil));
	assert_true(corporate_number_good(company));
	memcpy(d, company, 13);
	for (n = 0, last = 0; last < 10; last++) {
		d[0] = (uint8_t)last;
		n += corporate_number_good(d);
	}
	assert_int_equal(n, 1);
	assert_true(card_good(visa, 16));
	assert_true(card_good(amex, 15));
	memcpy(d, visa, 16);
	d[15] = 2;
	assert_false(card_good(d, 16));
	d[0] = 9;
	assert_false(card_issued(d, 16));
}

static void written_in_every_way(void **state)
{
	static const struct {
		const char *text;
		uint64_t n;
	} cases[] = {
		{"123456789018", 1},
		{"No. 123456789018.", 1},
		{"1234 5678 9018", 1},
		{"1234-5678-9018", 1},
		{"1 2 3 4 5 6 7 8 9 0 1 8", 1},
		{"123456789018 123456789018", 2},
		{"1234 5678 9018 1234 5678 9018", 2},
		{"123456789018\n123456789018\nx", 2},
		/* not these */
		{"123456789019", 0},
		{"1234567890180", 0},
		{"0123456789018", 0},
		{"1234-5678-9018-1234", 0}, /* a payment card's */
		{"12345-678-9018", 0},
		{"1234..5678 9018", 0},
		{"0.123456789018", 0},
		{"a123456789018", 0},
		{"123456789018b", 0},
		{"11111111-2222-3333-4444-123456789018", 0},
		{"", 0},
		{"12", 0},
	};
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("%s\n", cases[i].text);
		look(cases[i].text);
		assert_int_equal(found[FIND_MY_NUMBER].sure + found[FIND_MY_NUMBER].maybe, cases[i].n);
		/* and labelled all are sure */
		snprintf(text, sizeof(text), "個人番号: %s", cases[i].text);
		look(text);
		assert_int_equal(found[FIND_MY_NUMBER].sure, cases[i].n);
		assert_int_equal(found[FIND_MY_NUMBER].maybe, 0);
		assert_true(named);
	}
	look("個人番号 1234\n5678\n9018");
	assert_int_equal(found[FIND_MY_NUMBER].sure, 1);
	assert_string_equal(found[FIND_MY_NUMBER].sample, "**********18");
}

struct expected {
	const char *text;
	enum find_kind kind;
	uint64_t sure, maybe;
};

static void try(const struct expected *e, size_t n)
{
	unsigned k;
	size_t i;

	for (i = 0; i < n; i++) {
		print_message("%s\n", e[i].text);
		look(e[i].text);
		assert_int_equal(found[e[i].kind].sure, e[i].sure);
		assert_int_equal(found[e[i].kind].maybe, e[i].maybe);
		for (k = 0; k < FIND_KINDS; k++)
			if (k != e[i].kind && (found[k].sure || found[k].maybe))
				fail_msg("also %s", find_kind_name((enum find_kind)k));
	}
}

static void labels_decide(void **state)
{
	static const struct expected cases[] = {
		{"123456789018", FIND_MY_NUMBER, 0, 1},
		{"マイナンバーについて\n\n山田太郎 123456789018\n", FIND_MY_NUMBER, 1, 0},
		{"個人番号\n123456789018\n", FIND_MY_NUMBER, 1, 0},
		{"個人番号 本人 123456789018 配偶者 123456789018", FIND_MY_NUMBER, 2, 0},
		{"お問い合わせ番号: 123456789018", FIND_MY_NUMBER, 0, 0},
		{"伝票番号 123456789018、個人番号 123456789018", FIND_MY_NUMBER, 1, 0},
		{"個人番号 123456789018 電話 0312345678", FIND_MY_NUMBER, 1, 0},
		{"電話 0312345678 個人番号 123456789018", FIND_MY_NUMBER, 1, 0},
		{"200001010009", FIND_MY_NUMBER, 0, 0},                      /* a moment */
		{"マイナンバー 予算 123456789018 円", FIND_MY_NUMBER, 0, 0}, /* an amount */
		{"マイナンバー ¥123456789018", FIND_MY_NUMBER, 0, 0},
		{"法人番号 7000012050002", FIND_CORPORATE_NUMBER, 1, 0},
		{"登録番号 T7000012050002", FIND_CORPORATE_NUMBER, 1, 0},
		{"7-0000-1205-0002 法人番号", FIND_CORPORATE_NUMBER, 1, 0},
		{"JAN 7000012050002", FIND_CORPORATE_NUMBER, 0, 0}, {"4111-1111-1111-1111", FIND_CARD, 1, 0},
		{"4111111111111111", FIND_CARD, 0, 1}, {"カード番号 4111111111111111", FIND_CARD, 1, 0},
		{"3782 822463 10005", FIND_CARD, 1, 0}, {"注文番号 4111111111111111", FIND_CARD, 0, 0},
		{"みずほ銀行 丸の内支店 普通 1234567", FIND_BANK_ACCOUNT, 1, 0},
		{"口座番号: 001-1234567", FIND_BANK_ACCOUNT, 1, 0}, {"1234567", FIND_BANK_ACCOUNT, 0, 0},
		{"基礎年金番号 1234-567890", FIND_PENSION_NUMBER, 1, 0}, {"0312-345678", FIND_PENSION_NUMBER, 0, 0},
		{"保険者番号 06139463", FIND_INSURANCE_NUMBER, 1, 0},
		/* 記号 and 番号 are one number together, behind words that say whose */
		{"ゆうちょ銀行 記号 10140 番号 12345671", FIND_BANK_ACCOUNT, 1, 0},
		{"ゆうちょ銀行\n記号 10140\n番号 12345671\n", FIND_BANK_ACCOUNT, 1, 0},
		{"口座番号 10140-12345671", FIND_BANK_ACCOUNT, 1, 0},
		{"ゆうちょ銀行 記号番号 10140-1-12345671", FIND_BANK_ACCOUNT, 1, 0},
		{"記号 10140 番号 12345671", FIND_BANK_ACCOUNT, 0, 0},
		/* ... as long as they stand near, and with as many digits as any number has */
		{"ゆうちょ銀行\n\n\n\n記号 10140\n番号 12345671\n", FIND_BANK_ACCOUNT, 1, 0},
		{"ゆうちょ銀行\n\n\n\n\n\n\n記号 10140\n番号 12345671\n", FIND_BANK_ACCOUNT, 0, 0},
		{"健康保険 記号 12 番号 12", FIND_INSURANCE_NUMBER, 0, 0},
		{"ゆうちょ銀行 申込番号 10140-12345671", FIND_BANK_ACCOUNT, 0, 0},
		{"ゆうちょ銀行 番号 12345671", FIND_BANK_ACCOUNT, 0, 0},
		{"健康保険 記号 21700023 番号 1234567", FIND_INSURANCE_NUMBER, 1, 0},
		{"健康保険 記号 21700023 番号 12", FIND_INSURANCE_NUMBER, 1, 0},
		{"健康保険証の記号・番号 21700023-1234567", FIND_INSURANCE_NUMBER, 1, 0},
		{"被保険者等記号・番号 21700023-1234567 枝番 01", FIND_INSURANCE_NUMBER, 1, 0},
		{"健康保険料 12345\n厚生年金保険料 23456\n", FIND_INSURANCE_NUMBER, 0, 0},
		{"健康保険 申請番号 2023-12345", FIND_INSURANCE_NUMBER, 0, 0},
		/* a label goes over into its number */
		{"マイナンバー_123456789018", FIND_MY_NUMBER, 1, 0}, {"番号_123456789018", FIND_MY_NUMBER, 0, 0},
		{"個人番号 1234.5678.9018", FIND_MY_NUMBER, 1, 0}, {"個人番号 1234.5678", FIND_MY_NUMBER, 0, 0},
		{"雇用保険被保険者番号 12345678", FIND_INSURANCE_NUMBER, 0, 0},
		{"hotel 123456789018", FIND_MY_NUMBER, 0, 1}, /* no "tel" */
	};

	(void)state;
	try(cases, ARRAY_SIZE(cases));
}

static void columns_decide(void **state)
{
	static const struct expected cases[] = {
		{"氏名,個人番号,電話番号\n山田,123456789018,031234567890\n鈴木,123456789018,031234567890\n",
			FIND_MY_NUMBER, 2, 0},
		{"氏名\t伝票番号\n山田\t123456789018\n鈴木\t123456789026\n", FIND_MY_NUMBER, 0, 0},
		/* a digit in each cell, as the tax office's forms have them */
		{"個人番号\t1\t2\t3\t4\t5\t6\t7\t8\t9\t0\t1\t8\n", FIND_MY_NUMBER, 1, 0},
		{"個人番号,1,2,3,4,,5,6,7,8,,9,0,1,8\n", FIND_MY_NUMBER, 1, 0},
		{"氏名,個人番号,,,,,,,,,,,\n山田,\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"0\",\"1\","
		 "\"8\"\n",
			FIND_MY_NUMBER, 1, 0},
		{"個人番号,1,2,3,4,5,6,7,8,9,0,1,8,,3,5\n", FIND_MY_NUMBER, 1, 0},
		{"個人番号,1,2,3,4,5,6,7,8,9,0,1,8,3,5\n", FIND_MY_NUMBER, 1, 0},
		{"回答,1,2,3,4,5,6,7,8,9,0,1,8,3,5\n", FIND_MY_NUMBER, 0, 0},
		{"法人番号\t7\t0\t0\t0\t0\t1\t2\t0\t5\t0\t0\t0\t2\n", FIND_CORPORATE_NUMBER, 1, 0},
		{"個人番号\t1\t2\t3\t4\t5\t6\t7\t8\t9\t0\t1\t9\n", FIND_MY_NUMBER, 0, 0},
		/* answers and marks have a digit a cell, too */
		{"1\t2\t3\t4\t5\t6\t7\t8\t9\t0\t1\t8\n", FIND_MY_NUMBER, 0, 0},
		{"個人番号\n1\t2\t3\t4\t5\t6\t7\t8\t9\t0\t1\t8\n", FIND_MY_NUMBER, 1, 0},
		{"回答\t1\t2\t3\t4\t5\t1\t2\t3\t4\t5\t1\t2\n", FIND_MY_NUMBER, 0, 0},
		/* kept as a fraction */
		{"個人番号\n123456789018.0\n234567890121.0\n", FIND_MY_NUMBER, 2, 0},
		{"個人番号\n123456789018.05\n", FIND_MY_NUMBER, 0, 0},
		/* a sheet loses the zero before it, of a column only */
		{"氏名,口座番号\n山田,123456\n鈴木,1234567\n佐藤,12345\n", FIND_BANK_ACCOUNT, 2, 0},
		{"口座番号 123456", FIND_BANK_ACCOUNT, 0, 0},
		/* three of three are no chance, one of three is */
		{"123456789018\n234567890121\n345678901234\n", FIND_MY_NUMBER, 3, 0},
		{"123456789018\n234567890122\n345678901235\n", FIND_MY_NUMBER, 0, 0},
		/* the same one over and over is one */
		{"123456789018\n123456789018\n123456789018\n", FIND_MY_NUMBER, 0, 3},
	};

	(void)state;
	try(cases, ARRAY_SIZE(cases));
}

/* A file that pays wages: two people, and what is none. */
static void transfers(void **state)
{
	char text[1024];
	int n;

	(void)state;
	n = snprintf(text, sizeof(text), "12101234567890%-106s\r\n", "SEKISHO");
	n += snprintf(text + n, sizeof(text) - (size_t)n, "20001%-15s001%-15s0000%d%s%-30s0000250000%-30s\r\n",
		"MIZUHO", "HONTEN", 1, "1234567", "YAMADA", "");
	n += snprintf(text + n, sizeof(text) - (size_t)n, "20001%-15s001%-15s0000%d%s%-30s0000250000%-30s\r\n",
		"MIZUHO", "HONTEN", 1, "7654321", "SUZUKI", "");
	snprintf(text + n, sizeof(text) - (size_t)n, "8%-119s\r\n9%-119s\r\n", "000002000000500000", "");
	look(text);
	assert_int_equal(found[FIND_BANK_ACCOUNT].sure, 2);
	assert_string_equal(found[FIND_BANK_ACCOUNT].sample, "*****67");
	text[60] = '\n';
	look(text);
	assert_int_equal(found[FIND_BANK_ACCOUNT].sure, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_digits),
		cmocka_unit_test(written_in_every_way),
		cmocka_unit_test(labels_decide),
		cmocka_unit_test(columns_decide),
		cmocka_unit_test(transfers),
	};

	return cmocka_run_group_tests_name("inspect/find", tests, NULL, NULL);
}
