/*
 * What the rules of `print:` and `drives:` have in common: whom they are for, when, what they ask of a document's text
 * (numbers of people and accounts, expressions, whether it could be read at all), and what they say. Read, decided,
 * tried and written alike for both. Only files of these sections include this.
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

/* A rule, but for the facts that only its section has: the first member of the section's own. */
struct content_rule {
	char name[POLICY_NAME_SIZE];
	unsigned line;
	struct match who; /* users, groups, hosts, days, hours, from, until: nothing else of it */
	struct content_match content;
	unsigned action; /* ACTION_* */
	bool note, copy, ask_reason;
	const char *message, *message_ja;
};

/* An expectation, but for its facts: likewise. */
struct content_expectation {
	char name[POLICY_NAME_SIZE];
	unsigned line;
	words groups, documents;
	unsigned action; /* ACTION_* */
};

/* The expressions of a section's rules together; equal ones are looked for once. */
struct content_patterns {
	unsigned n;
	const char *list[PRINT_PATTERNS_MAX + 1];
};

/* --- deciding (content.c) --- */

/* Is it for them, at that time? */
bool content_for(const struct content_rule *rule, const struct device_user *who);
/* What the rule says, of `section` ("print"). `out` has the policy's `note`; `reason` is left to content_explain. */
void content_decide(const struct content_rule *rule, const char *section, struct document_decision *out);
/* What is said where no rule fits. */
void content_default(unsigned action, const char *section, struct document_decision *out);

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

/* --- trying (content_check.c) --- */

/* Of an expectation that names known documents, once the whole policy is read. False: `*name` is none of them. */
bool content_expect(const struct policy *p, words documents, uint8_t known[KNOWN_MAX], const char **name);
/* Does a rule ask for documents of which the policy knows none? */
bool content_unknown(const struct policy *p, const struct content_match *m);

/* Is it for nobody special, at no special time, whatever stands in the document? */
bool content_takes_all(const struct content_rule *rule);
/* A finding where it asks for documents that the policy does not know. */
struct checking;
void check_content(struct checking *c, const struct content_rule *rule);
/* A finding where something else is decided than was expected. */
void check_expected(struct checking *c, const struct content_expectation *e, const struct document_decision *d);

/* --- as text, for diff --- */

/* Keys of `match:` that ask for the text. 0, V_FULL, -ENOMEM. */
int content_put(struct buf *out, const struct content_match *m, const struct content_patterns *patterns);
/* What a rule says; `stamp` is a key of `print:`. */
int content_put_rule(struct buf *out, const struct content_rule *rule, bool stamp);
const char *content_action(unsigned action);

/* --- reading (content_yaml.c) --- */

struct reading;
/* One key of `match:`, or V_NOT_FOUND. */
int content_read(struct reading *r, struct content_rule *rule, struct content_patterns *patterns, const char *key,
	const void *node);
/* One key of a rule, but for `match` and `action`, of which each section has its own. V_NOT_FOUND for others. */
int content_read_rule(struct reading *r, struct content_rule *rule, const char *key, const void *node);
/* A rule that nothing was read of yet, at this node. */
void content_rule_init(struct content_rule *rule, const void *node);
/*
 * Is it whole, and its name not that of one of the `n` rules before it? They lie `size` bytes apart at `rules`, and
 * each begins with its struct content_rule.
 */
int content_rule_check(struct reading *r, const void *node, const char *key, const struct content_rule *rule,
	const void *rules, unsigned n, size_t size);
/* Where the facts of an expectation are that both sections have. */
struct content_facts {
	struct device_user *who;
	const char **format;
	uint64_t *numbers; /* NUMBERS */
	bool *readable;
};
/* One key of them, or V_NOT_FOUND. */
int content_read_facts(struct reading *r, struct content_expectation *e, const struct content_facts *f, const char *key,
	const void *node);
/* Once all keys are read: says for whom it is where they did not. V_BAD where it expects nothing. */
int content_expectation_check(struct reading *r, const void *node, const char *key, const struct content_expectation *e,
	struct device_user *who);
/* Keys of a section for text in pictures; V_NOT_FOUND for others. */
#define CONTENT_OCR_INIT ((struct policy_ocr){.seconds = 20, .seconds_per_hour = 180})
int content_read_ocr(struct reading *r, struct policy_ocr *out, const char *key, const void *node);
/* ... as settings for diff. NULL: there is no such section. 0, V_FULL, -ENOMEM. */
int content_ocr_settings(const struct policy_ocr *ocr, const char *section, policy_setting_fn fn, void *ctx);
/* yes or no. */
int content_read_flag(struct reading *r, const void *node, const char *key, bool *out);

#endif
