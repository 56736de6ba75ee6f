/*
 * Words that stand before numbers and say what they are. See find.h.
 *
 * ASCII is compared without regard to case. Where one label is another's beginning the longer one wins; where one ends
 * in another (雇用保険被保険者番号) the one that begins first does, since reading goes on behind it.
 */
#include "agent/inspect/find_parts.h"
#include <ctype.h>

static const struct {
	const char *word;
	uint8_t label;
} words[] = {
	{"個人番号", FIND_MY_NUMBER},
	{"個人ナンバー", FIND_MY_NUMBER},
	{"マイナンバー", FIND_MY_NUMBER},
	{"ﾏｲﾅﾝﾊﾞｰ", FIND_MY_NUMBER},
	{"my number", FIND_MY_NUMBER},
	{"my_number", FIND_MY_NUMBER},
	{"mynumber", FIND_MY_NUMBER},
	{"individual number", FIND_MY_NUMBER},
	{"法人番号", FIND_CORPORATE_NUMBER},
	{"適格請求書発行事業者", FIND_CORPORATE_NUMBER},
	{"インボイス登録番号", FIND_CORPORATE_NUMBER},
	{"corporate number", FIND_CORPORATE_NUMBER},
	{"カード番号", FIND_CARD},
	{"カードno", FIND_CARD},
	{"クレジットカード", FIND_CARD},
	{"card number", FIND_CARD},
	{"card_number", FIND_CARD},
	{"card no", FIND_CARD},
	{"credit card", FIND_CARD},
	{"口座番号", FIND_BANK_ACCOUNT},
	{"口座no", FIND_BANK_ACCOUNT},
	{"普通預金", FIND_BANK_ACCOUNT},
	{"当座預金", FIND_BANK_ACCOUNT},
	{"普通口座", FIND_BANK_ACCOUNT},
	{"普通", FIND_BANK_ACCOUNT},
	{"当座", FIND_BANK_ACCOUNT},
	{"account number", FIND_BANK_ACCOUNT},
	{"account no", FIND_BANK_ACCOUNT},
	{"基礎年金番号", FIND_PENSION_NUMBER},
	{"年金番号", FIND_PENSION_NUMBER},
	{"pension number", FIND_PENSION_NUMBER},
	{"被保険者番号", FIND_INSURANCE_NUMBER},
	{"被保険者証", FIND_INSURANCE_NUMBER},
	{"被保険者等記号", FIND_INSURANCE_NUMBER},
	{"保険者番号", FIND_INSURANCE_NUMBER},
	{"保険証番号", FIND_INSURANCE_NUMBER},
	{"保険証記号", FIND_INSURANCE_NUMBER},
	{"insurance number", FIND_INSURANCE_NUMBER},
	{"雇用保険被保険者番号", LABEL_OTHER},
	{"記号", LABEL_SYMBOL},
	{"番号", LABEL_NUMBER},
	{"ゆうちょ", LABEL_POST},
	{"郵便貯金", LABEL_POST},
	{"健康保険", LABEL_INSURANCE},
	{"健保", LABEL_INSURANCE},
	{"資格確認書", LABEL_INSURANCE},
	{"資格情報のお知らせ", LABEL_INSURANCE},
	{"組合員証", LABEL_INSURANCE},
	{"電話", LABEL_OTHER},
	{"携帯", LABEL_OTHER},
	{"ファックス", LABEL_OTHER},
	{"fax", LABEL_OTHER},
	{"tel", LABEL_OTHER},
	{"phone", LABEL_OTHER},
	{"郵便番号", LABEL_OTHER},
	{"伝票", LABEL_OTHER},
	{"送り状", LABEL_OTHER},
	{"追跡", LABEL_OTHER},
	{"問い合わせ番号", LABEL_OTHER},
	{"問合せ番号", LABEL_OTHER},
	{"問合番号", LABEL_OTHER},
	{"tracking", LABEL_OTHER},
	{"注文", LABEL_OTHER},
	{"受注", LABEL_OTHER},
	{"発注", LABEL_OTHER},
	{"請求書番号", LABEL_OTHER},
	{"請求番号", LABEL_OTHER},
	{"見積", LABEL_OTHER},
	{"管理番号", LABEL_OTHER},
	{"商品コード", LABEL_OTHER},
	{"商品番号", LABEL_OTHER},
	{"jan", LABEL_OTHER},
	{"バーコード", LABEL_OTHER},
	{"製造番号", LABEL_OTHER},
	{"シリアル", LABEL_OTHER},
	{"serial", LABEL_OTHER},
	{"order", LABEL_OTHER},
	{"invoice", LABEL_OTHER},
	{"免許", LABEL_OTHER},
	{"受付番号", LABEL_OTHER},
	{"整理番号", LABEL_OTHER},
	{"証券番号", LABEL_OTHER},
	{"会員番号", LABEL_OTHER},
	{"顧客番号", LABEL_OTHER},
	{"社員番号", LABEL_OTHER},
	{"契約番号", LABEL_OTHER},
	{"予約番号", LABEL_OTHER},
	{"登録番号", LABEL_OTHER}, /* behind a T it is a corporate number all the same: see find.c */
	{"住民票コード", LABEL_OTHER},
	{"isbn", LABEL_OTHER},
	{"ロット", LABEL_OTHER},
	{"日時", LABEL_OTHER},
	{"timestamp", LABEL_OTHER},
};

#define BUCKETS 256u
#define KEY 3u /* bytes by which words are told apart at first: no word is shorter */

/* By a hash of the first bytes, lower case: the first of `words` there, and the next of each; 0 ends. */
static uint8_t first[BUCKETS], next[ARRAY_SIZE(words) + 1], length[ARRAY_SIZE(words) + 1];

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static unsigned bucket(const uint8_t *p)
{
	return (lower(p[0]) * 31u ^ lower(p[1]) * 7u ^ lower(p[2])) % BUCKETS;
}

static void order_words(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		unsigned b = bucket((const uint8_t *)words[i].word);

		length[i + 1] = (uint8_t)strlen(words[i].word);
		next[i + 1] = first[b];
		first[b] = (uint8_t)(i + 1);
	}
}

static bool begins_with(struct span s, const char *word, size_t n)
{
	size_t i;

	if (s.n < n)
		return false;
	for (i = 0; i < n; i++)
		if (lower(s.p[i]) != (uint8_t)word[i])
			return false;
	return true;
}

size_t label_at(struct span text, size_t at, uint8_t *label)
{
	static bool ordered;
	size_t longest = 0;
	uint8_t i;

	if (!ordered)
		order_words();
	ordered = true;
	if (text.n - at < KEY)
		return 0;
	/* Latin words stand for themselves: no "tel" in "hotel". */
	if (text.p[at] < 0x80 && at && isalpha(text.p[at - 1]))
		return 0;
	for (i = first[bucket(text.p + at)]; i; i = next[i])
		if (length[i] > longest && begins_with(SPAN(text.p + at, text.n - at), words[i - 1].word, length[i])) {
			longest = length[i];
			*label = words[i - 1].label;
		}
	return longest;
}
