/*
 * What rules ask of a document's text. See content.h.
 */
#include "policy/rule/content.h"
#include <ctype.h>

#define FOLD_MAX 1200 /* bytes of a title or path that are looked at; CUPS takes 1023 */

static const struct {
	const char *word;
	unsigned field;
	struct content_reason reason;
} numbers[NUMBERS] = {
	[NUMBER_MY] = {"my_numbers", F_MY_NUMBERS, {true, " personal numbers", "個人番号"}},
	[NUMBER_CORPORATE] = {"corporate_numbers", F_CORPORATE_NUMBERS, {true, " corporate numbers", "法人番号"}},
	[NUMBER_CARD] = {"cards", F_CARDS, {true, " card numbers", "カード番号"}},
	[NUMBER_BANK_ACCOUNT] = {"bank_accounts", F_BANK_ACCOUNTS, {true, " bank accounts", "口座番号"}},
	[NUMBER_PENSION] = {"pension_numbers", F_PENSION_NUMBERS, {true, " pension numbers", "基礎年金番号"}},
	[NUMBER_INSURANCE] = {"insurance_numbers", F_INSURANCE_NUMBERS, {true, " insurance numbers", "健康保険番号"}},
};

const char *print_number_word(enum print_number n)
{
	return numbers[n].word;
}

unsigned print_number_field(enum print_number n)
{
	return numbers[n].field;
}

/* --- deciding --- */

bool content_for(const struct content_rule *rule, const struct device_user *who)
{
	return match_people(&rule->who, who) && match_time(&rule->who, who->wall_us);
}

void content_decide(const struct content_rule *rule, const char *section, struct document_decision *out)
{
	out->action = rule->action;
	out->note |= rule->note;
	out->copy = rule->copy;
	out->ask_reason = rule->ask_reason;
	snprintf(out->rule, sizeof(out->rule), "%s:%s", section, rule->name);
	snprintf(out->message, sizeof(out->message), "%s", rule->message ? rule->message : "");
	snprintf(out->message_ja, sizeof(out->message_ja), "%s", rule->message_ja ? rule->message_ja : out->message);
}

void content_default(unsigned action, const char *section, struct document_decision *out)
{
	out->action = action;
	snprintf(out->rule, sizeof(out->rule), "%s-default", section);
	snprintf(out->reason, sizeof(out->reason), "no rule fits");
	snprintf(out->reason_ja, sizeof(out->reason_ja), "該当する規則がありません");
}

bool content_asks_numbers(const struct content_match *m)
{
	unsigned i;

	for (i = 0; i < NUMBERS; i++)
		if (m->numbers[i])
			return true;
	return false;
}

bool content_asks(const struct content_match *m)
{
	return content_asks_numbers(m) || m->patterns || m->documents || m->unreadable;
}

static bool one_found(uint32_t patterns, const uint64_t matches[PRINT_PATTERNS_MAX])
{
	unsigned i;

	for (i = 0; i < PRINT_PATTERNS_MAX; i++)
		if (patterns >> i & 1 && matches[i])
			return true;
	return false;
}

/* One whose name is asked for is there, as much of it as the policy says. */
static bool one_known(const struct policy *p, words names, const uint8_t known[KNOWN_MAX])
{
	unsigned i, n = policy_known_n(p);

	for (i = 0; i < n; i++)
		if (known[i] >= policy_known(p, i)->share && content_like(names, policy_known(p, i)->name))
			return true;
	return false;
}

bool content_fits(const struct policy *p, const struct content_match *m, const struct content_found *found)
{
	unsigned i;

	for (i = 0; i < NUMBERS; i++)
		if (found->numbers[i] < m->numbers[i])
			return false;
	if (m->patterns && !one_found(m->patterns, found->matches))
		return false;
	if (m->documents && !one_known(p, m->documents, found->known))
		return false;
	return !m->unreadable || !found->readable;
}

bool content_unknown(const struct policy *p, const struct content_match *m)
{
	unsigned i, n = policy_known_n(p);

	if (!m->documents)
		return false;
	for (i = 0; i < n; i++)
		if (content_like(m->documents, policy_known(p, i)->name))
			return false;
	return true;
}

bool content_expect(const struct policy *p, words documents, uint8_t known[KNOWN_MAX], const char **name)
{
	unsigned i, n = policy_known_n(p);

	for (; documents && *documents; documents++) {
		for (i = 0; i < n && strcmp(policy_known(p, i)->name, *documents) != 0; i++)
			;
		if (i == n) {
			*name = *documents;
			return false;
		}
		known[i] = 100;
	}
	return true;
}

/*
 * Letters without their case, and full-width forms as their narrow ones (ＳＥＣＲＥＴ is SECRET): UTF-8 EF BC 81 to
 * EF BD 9E are U+FF01 to U+FF5E. The same is done to patterns.
 */
static void fold(const char *s, char out[FOLD_MAX])
{
	const unsigned char *b = (const unsigned char *)s;
	size_t n = 0;

	while (*b && n + 1 < FOLD_MAX) {
		unsigned c = *b;

		if (b[0] == 0xef && (b[1] == 0xbc || b[1] == 0xbd) && b[2] >= 0x80 && b[2] <= 0xbf) {
			unsigned point = 0xf000u | (b[1] & 0x3fu) << 6 | (b[2] & 0x3fu);

			if (point >= 0xff01 && point <= 0xff5e) {
				c = point - 0xff01 + '!';
				b += 2;
			}
		}
		out[n++] = (char)tolower((int)c);
		b++;
	}
	out[n] = 0;
}

bool content_like(words list, const char *s)
{
	char text[FOLD_MAX], pattern[FOLD_MAX];

	fold(s, text);
	for (; *list; list++) {
		fold(*list, pattern);
		if (text_like(pattern, text))
			return true;
	}
	return false;
}

/* --- in words --- */

static void append(char *out, size_t size, const char *s)
{
	size_t n = strlen(out);

	snprintf(out + n, size - n, "%s", s);
}

void content_explain(
	unsigned line, const struct content_reason *facts, size_t n, char *en, size_t en_size, char *ja, size_t ja_size)
{
	bool first = true;
	size_t i;

	snprintf(en, en_size, "policy.yaml:%u", line);
	snprintf(ja, ja_size, "policy.yaml:%u", line);
	for (i = 0; i < n; i++) {
		if (!facts[i].there)
			continue;
		append(en, en_size, first ? ":" : ",");
		append(en, en_size, facts[i].en);
		append(ja, ja_size, first ? ": " : "、");
		append(ja, ja_size, facts[i].ja);
		first = false;
	}
}

void content_reasons(const struct content_match *m, bool readable, struct content_reason out[CONTENT_REASONS])
{
	unsigned i;

	for (i = 0; i < NUMBERS; i++) {
		out[i] = numbers[i].reason;
		out[i].there = m->numbers[i] > 0;
	}
	out[NUMBERS] = (struct content_reason){m->patterns != 0, " words in it", "文書中の語句"};
	out[NUMBERS + 1] = (struct content_reason){m->documents != NULL, " a known document", "登録文書"};
	out[NUMBERS + 2] =
		(struct content_reason){m->unreadable && !readable, " it cannot be read", "読み取れない文書"};
}

int content_put(struct buf *out, const struct content_match *m, const struct content_patterns *patterns)
{
	const char *list[PRINT_PATTERNS_MAX + 1];
	char text[32];
	unsigned i, n = 0;
	int r = 0;

	for (i = 0; i < NUMBERS && !r; i++) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)m->numbers[i]);
		r = m->numbers[i] ? policy_put_text(out, numbers[i].word, text) : 0;
	}
	for (i = 0; i < patterns->n; i++)
		if (m->patterns >> i & 1)
			list[n++] = patterns->list[i];
	list[n] = NULL;
	r = r ? r : policy_put_words(out, "contains", n ? list : NULL);
	r = r ? r : policy_put_words(out, "documents", m->documents);
	return r || !m->unreadable ? r : policy_put_text(out, "unreadable", "yes");
}

const char *content_action(unsigned action)
{
	const struct enum_info *e = enum_by_value(F_ACTION, action);

	return e ? e->name : "unknown";
}

int content_put_rule(struct buf *out, const struct content_rule *rule, bool stamp)
{
	int r = policy_put_text(out, "action", content_action(rule->action));

	r = r ? r : policy_put_text(out, "mode", rule->note ? "note" : NULL);
	r = r ? r : policy_put_text(out, "copy", rule->copy ? "yes" : NULL);
	r = r ? r : policy_put_text(out, "stamp", stamp ? "yes" : NULL);
	r = r ? r : policy_put_text(out, "ask_reason", rule->ask_reason ? "yes" : NULL);
	r = r ? r : policy_put_text(out, "message", rule->message);
	return r ? r : policy_put_text(out, "message_ja", rule->message_ja);
}

int content_ocr_settings(const struct policy_ocr *ocr, const char *section, policy_setting_fn fn, void *ctx)
{
	bool on = ocr && ocr->on;
	char name[48], value[24];
	int r;

	snprintf(name, sizeof(name), "%s: ocr", section);
	r = fn(ctx, name, on ? "yes" : "no");
	snprintf(name, sizeof(name), "%s: ocr_seconds", section);
	snprintf(value, sizeof(value), "%llu", (unsigned long long)(on ? ocr->seconds : 0));
	r = r ? r : fn(ctx, name, value);
	snprintf(name, sizeof(name), "%s: ocr_seconds_per_hour", section);
	snprintf(value, sizeof(value), "%llu", (unsigned long long)(on ? ocr->seconds_per_hour : 0));
	return r ? r : fn(ctx, name, value);
}
