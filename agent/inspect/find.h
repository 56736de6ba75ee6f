/*
 * Numbers that belong to people and accounts, in text: which kinds stand in it, how many, and how sure that is. Used by
 * the child that reads a document (pattern.c). No number that was found leaves these functions: what comes out are
 * counts and one masked sample of a kind.
 *
 * Twelve digits whose check digit is right are a personal number in one case of eleven by chance alone, so digits do
 * not decide by themselves. What does:
 *   - a label: the nearest words before it on its line, at the head of its column, or on the line above;
 *   - the company: a column of thirty numbers of which all have a good check digit is no chance (1 : 11^30), one of
 *     which three do is a column of something else;
 *   - the words elsewhere in the document.
 * They are weighed as odds (Bayes), by the constants in find_weigh.c. "sure" is 20 to 1 and better; "maybe" is even and
 * better. Parcel numbers, telephone numbers, moments (202611262110), bar codes and order numbers are what this is for.
 */
#ifndef SEKISHO_INSPECT_FIND_H
#define SEKISHO_INSPECT_FIND_H

#include "policy/base/buf.h"

#define FIND_SAMPLE_MAX 24 /* bytes of a masked number with its end */

enum find_kind {
	FIND_MY_NUMBER, /* personal number: 12 digits (ordinance 85 of 2014 of the Ministry of Internal Affairs, article
			   5) */
	FIND_CORPORATE_NUMBER, /* 13 digits, the first one checks (ordinance 70 of 2014 of the Ministry of Finance,
				  article 2) */
	FIND_CARD,             /* payment cards: 14 to 16 digits by ISO/IEC 7812-1, issuer ranges of the large brands */
	FIND_BANK_ACCOUNT, /* 7 digits behind words for it, or records of a transfer file (全銀フォーマット) */
	FIND_PENSION_NUMBER,   /* basic pension number: 4 and 6 digits behind words for it; it has no public check digit
				*/
	FIND_INSURANCE_NUMBER, /* health insurance: 5 to 10 digits behind words for them */
	FIND_KINDS,
};

struct finding {
	uint64_t sure, maybe;
	char sample[FIND_SAMPLE_MAX]; /* of a sure one: all but the last digits masked; else empty */
};

struct finder;

/* 0; -ENOMEM. Bounded memory: nothing grows with the text. */
int finder_make(struct finder **out);
void finder_free(struct finder *f);
DEFINE_CLEANUP(struct finder *, finder_free)

/*
 * One piece of text: a page, a sheet, a part of a mail, a file. UTF-8 or nearly so, folded (full-width letters and
 * digits to narrow ones). Lines end with a newline, fields of a line with a tab or a comma: columns are told by their
 * place.
 */
void finder_text(struct finder *f, struct span text);
/* The next piece goes on where the last one ended: heads of its table stand over it too (pages). */
void finder_continue(struct finder *f);
/* What has been found by now, of all pieces together. `named`: words for the personal number are somewhere in it. */
void finder_tell(const struct finder *f, struct finding found[FIND_KINDS], bool *named);

/* "my-number", "corporate-number", "card", "bank-account", "pension-number", "insurance-number". */
const char *find_kind_name(enum find_kind kind);

/* Digits as values. Each checks one rule of find_kind's. */
bool my_number_good(const uint8_t digits[12]);
bool corporate_number_good(const uint8_t digits[13]);
bool card_issued(const uint8_t *digits, size_t n); /* length and issuer's range */
bool card_good(const uint8_t *digits, size_t n);   /* these and Luhn (ISO/IEC 7812-1 annex B) */

#endif
