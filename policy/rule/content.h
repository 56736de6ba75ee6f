/*
 * What the rules of `print:` and `drives:` ask of a document's text: numbers of people and accounts, expressions, and
 * whether it could be read at all. Read, decided and written alike for both. Only files of these sections include this.
 */
#ifndef SEKISHO_RULE_CONTENT_H
#define SEKISHO_RULE_CONTENT_H

#include "policy/rule/policy_parts.h"
#include "policy/rule/print.h"

struct content_match {
	uint64_t numbers[NUMBERS]; /* at least so many of each; 0: any */
	uint32_t patterns;         /* bit per expression of the section: one of them is found; 0: any */
	words documents;           /* patterns of names of known documents: one of them is found; NULL: any */
	bool unreadable;
};

/* The expressions of a section's rules together; equal ones are looked for once. */
struct content_patterns {
	unsigned n;
	const char *list[PRINT_PATTERNS_MAX + 1];
};

/* Does it ask for anything that only the text tells? */
bool content_asks(const struct content_match *m);
/* Does it ask for numbers of any kind? */
bool content_asks_numbers(const struct content_match *m);
/* Of a document: what was found, as print_facts and drive_facts have it. */
struct content_found {
	bool readable;
	const uint64_t *numbers; /* NUMBERS */
	const uint64_t *matches; /* PRINT_PATTERNS_MAX */
	const uint8_t *known;    /* KNOWN_MAX */
};
/* What stands in a document that could be read only in part counts as far as it was read. */
bool content_fits(const struct policy *p, const struct content_match *m, const struct content_found *found);

/* One of `list` (patterns) fits `s`, whatever the case and the width of letters (ＳＥＣＲＥＴ is SECRET). */
bool content_like(words list, const char *s);

/* Which facts led to a decision: behind `reason` in both languages, "policy.yaml:12: the title, words in it". */
struct content_reason {
	bool there;
	const char *en, *ja;
};
void content_explain(unsigned line, const struct content_reason *facts, size_t n, char *en, size_t en_size, char *ja,
	size_t ja_size);
/* The part of such a list that is about the text: as many as CONTENT_REASONS, written to `out`. */
#define CONTENT_REASONS (NUMBERS + 3)
void content_reasons(const struct content_match *m, bool readable, struct content_reason out[CONTENT_REASONS]);

/* Of an expectation that names known documents, once the whole policy is read. False: `*name` is none of them. */
bool content_expect(const struct policy *p, words documents, uint8_t known[KNOWN_MAX], const char **name);
/* Does a rule ask for documents of which the policy knows none? */
bool content_unknown(const struct policy *p, const struct content_match *m);

/* Keys of `match:` as text, for diff. 0, V_FULL, -ENOMEM. */
int content_put(struct buf *out, const struct content_match *m, const struct content_patterns *patterns);

/* content_yaml.c: one key of `match:`, or V_NOT_FOUND. */
struct reading;
int content_read(struct reading *r, struct content_match *m, struct content_patterns *patterns, const char *key,
	const void *node);
/* A text of one line, shorter than PRINT_MESSAGE_MAX, that a person will read. */
int content_read_message(struct reading *r, const void *node, const char *key, const char **out);
/* Expectations: these known documents are found, whole. Its names, as the policy has them (content_expect). */
int content_read_documents(struct reading *r, const void *node, const char *key, words *out);
/* Keys of a section for text in pictures; V_NOT_FOUND for others. */
#define CONTENT_OCR_INIT ((struct policy_ocr){.seconds = 20, .seconds_per_hour = 180})
int content_read_ocr(struct reading *r, struct policy_ocr *out, const char *key, const void *node);
/* ... as settings for diff. NULL: there is no such section. 0, V_FULL, -ENOMEM. */
int content_ocr_settings(const struct policy_ocr *ocr, const char *section, policy_setting_fn fn, void *ctx);
/* yes or no. */
int content_read_flag(struct reading *r, const void *node, const char *key, bool *out);

#endif
