/*
 * What a policy says of a print job. See print.h.
 */
#include "policy/rule/print.h"
#include "policy/rule/print_parts.h"
#include <ctype.h>

#define FOLD_MAX 1200 /* bytes of a title that are looked at; CUPS takes 1023 */

static const struct print_policy none = {
	.fallback = ACTION_ALLOW, .unavailable = ACTION_ALLOW, .unrecorded = ACTION_ALLOW, .unstamped = ACTION_ALLOW};

static const struct print_policy *section(const struct policy *p)
{
	return p->print ? p->print : &none;
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

static bool one_folded(words list, const char *s)
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

static bool one_found(uint32_t patterns, const uint64_t matches[PRINT_PATTERNS_MAX])
{
	unsigned i;

	for (i = 0; i < PRINT_PATTERNS_MAX; i++)
		if (patterns >> i & 1 && matches[i])
			return true;
	return false;
}

static const struct {
	const char *word;
	unsigned field;
} numbers[NUMBERS] = {
	[NUMBER_MY] = {"my_numbers", F_MY_NUMBERS},
	[NUMBER_CORPORATE] = {"corporate_numbers", F_CORPORATE_NUMBERS},
	[NUMBER_CARD] = {"cards", F_CARDS},
	[NUMBER_BANK_ACCOUNT] = {"bank_accounts", F_BANK_ACCOUNTS},
	[NUMBER_PENSION] = {"pension_numbers", F_PENSION_NUMBERS},
	[NUMBER_INSURANCE] = {"insurance_numbers", F_INSURANCE_NUMBERS},
};

const char *print_number_word(enum print_number n)
{
	return numbers[n].word;
}

unsigned print_number_field(enum print_number n)
{
	return numbers[n].field;
}

bool asks_numbers(const struct print_match *m)
{
	unsigned i;

	for (i = 0; i < NUMBERS; i++)
		if (m->numbers[i])
			return true;
	return false;
}

/* What stands in a document that could be read only in part counts as far as it was read. */
static bool document_fits(const struct print_match *m, const struct print_facts *f)
{
	unsigned i;

	if (m->has_pages_over && (!f->has_pages || f->pages * f->copies <= m->pages_over))
		return false;
	if (m->colour && m->colour != f->colour)
		return false;
	for (i = 0; i < NUMBERS; i++)
		if (f->numbers[i] < m->numbers[i])
			return false;
	if (m->patterns && !one_found(m->patterns, f->matches))
		return false;
	return !m->unreadable || !f->readable;
}

static bool fits(const struct print_match *m, const struct print_facts *f)
{
	if (!match_people(&m->who, &f->who) || !match_time(&m->who, f->who.wall_us))
		return false;
	if (m->printers && !one_folded(m->printers, f->printer) &&
		(!f->printer_class[0] || !one_folded(m->printers, f->printer_class)))
		return false;
	if (m->uris && !one_folded(m->uris, f->uri))
		return false;
	if (m->locations && !one_folded(m->locations, f->location))
		return false;
	if (m->formats && !one_folded(m->formats, f->format))
		return false;
	/* Both: a byte that CUPS does not like must not take a title out of its rule. */
	if (m->titles && !one_folded(m->titles, f->title) && !one_folded(m->titles, f->title_raw))
		return false;
	return document_fits(m, f);
}

static void append(char *out, size_t size, const char *s)
{
	size_t n = strlen(out);

	snprintf(out + n, size - n, "%s", s);
}

/* Which of the rule's facts led there, in both languages. */
static void explain(const struct print_rule *rule, const struct print_facts *f, struct print_decision *out)
{
	const struct print_match *m = &rule->match;
	const struct {
		bool there;
		const char *en, *ja;
	} facts[] = {
		{m->who.users || m->who.groups, " who it is", "印刷した人"},
		{m->printers || m->uris || m->locations, " the printer", "プリンター"},
		{m->titles != NULL, " the title", "文書名"},
		{m->has_pages_over, " the number of pages", "ページ数"},
		{m->numbers[NUMBER_MY] > 0, " personal numbers", "個人番号"},
		{m->numbers[NUMBER_CORPORATE] > 0, " corporate numbers", "法人番号"},
		{m->numbers[NUMBER_CARD] > 0, " card numbers", "カード番号"},
		{m->numbers[NUMBER_BANK_ACCOUNT] > 0, " bank accounts", "口座番号"},
		{m->numbers[NUMBER_PENSION] > 0, " pension numbers", "基礎年金番号"},
		{m->numbers[NUMBER_INSURANCE] > 0, " insurance numbers", "健康保険番号"},
		{m->patterns != 0, " words in it", "文書中の語句"},
		{m->unreadable && !f->readable, " it cannot be read", "読み取れない文書"},
	};
	bool first = true;
	size_t i;

	snprintf(out->reason, sizeof(out->reason), "policy.yaml:%u", rule->line);
	snprintf(out->reason_ja, sizeof(out->reason_ja), "policy.yaml:%u", rule->line);
	for (i = 0; i < ARRAY_SIZE(facts); i++) {
		if (!facts[i].there)
			continue;
		append(out->reason, sizeof(out->reason), first ? ":" : ",");
		append(out->reason, sizeof(out->reason), facts[i].en);
		append(out->reason_ja, sizeof(out->reason_ja), first ? ": " : "、");
		append(out->reason_ja, sizeof(out->reason_ja), facts[i].ja);
		first = false;
	}
}

void policy_print(const struct policy *p, const struct print_facts *f, struct print_decision *out)
{
	const struct print_policy *s = section(p);
	unsigned i;

	memset(out, 0, sizeof(*out));
	out->note = p->note;
	for (i = 0; i < s->rules_n; i++) {
		const struct print_rule *rule = &s->rules[i];

		if (!fits(&rule->match, f))
			continue;
		out->action = rule->action;
		out->note |= rule->note;
		out->copy = rule->copy;
		out->stamp = rule->stamp;
		snprintf(out->rule, sizeof(out->rule), "print:%s", rule->name);
		explain(rule, f, out);
		snprintf(out->message, sizeof(out->message), "%s", rule->message ? rule->message : "");
		snprintf(out->message_ja, sizeof(out->message_ja), "%s",
			rule->message_ja ? rule->message_ja : out->message);
		return;
	}
	out->action = s->fallback;
	snprintf(out->rule, sizeof(out->rule), "print-default");
	snprintf(out->reason, sizeof(out->reason), "no rule fits");
	snprintf(out->reason_ja, sizeof(out->reason_ja), "該当する規則がありません");
}

unsigned policy_print_unavailable(const struct policy *p)
{
	return p->note ? ACTION_ALLOW : section(p)->unavailable;
}

unsigned policy_print_unrecorded(const struct policy *p)
{
	return p->note ? ACTION_ALLOW : section(p)->unrecorded;
}

unsigned policy_print_unstamped(const struct policy *p)
{
	return p->note ? ACTION_ALLOW : section(p)->unstamped;
}

bool policy_print_stamps(const struct policy *p)
{
	const struct print_policy *s = section(p);
	unsigned i;

	for (i = 0; i < s->rules_n && !s->rules[i].stamp; i++)
		;
	return i < s->rules_n;
}

bool policy_print_copies(const struct policy *p, struct print_copies *out)
{
	*out = section(p)->copies;
	return out->auditors.n > 0;
}

bool policy_print_documents(const struct policy *p)
{
	const struct print_policy *s = section(p);
	unsigned i;

	for (i = 0; i < s->rules_n; i++) {
		const struct print_match *m = &s->rules[i].match;

		if (m->has_pages_over || m->colour || asks_numbers(m) || m->patterns || m->unreadable)
			return true;
	}
	return false;
}

bool policy_print_text(const struct policy *p)
{
	const struct print_policy *s = section(p);
	unsigned i;

	for (i = 0; i < s->rules_n; i++)
		if (asks_numbers(&s->rules[i].match) || s->rules[i].match.patterns || s->rules[i].match.unreadable)
			return true;
	return false;
}

unsigned policy_print_patterns(const struct policy *p, const char *const **list)
{
	*list = section(p)->patterns;
	return section(p)->patterns_n;
}

unsigned policy_print_rules_n(const struct policy *p)
{
	return section(p)->rules_n;
}
