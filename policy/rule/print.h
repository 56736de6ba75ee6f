/*
 * The policy of print jobs: the section `print:` of policy.yaml. Asked by sekisho-print for each job, by sekishoctl
 * policy explain and by the section's own expectations; the manual is policy.yaml(5).
 *
 *   1. the first rule that fits decides
 *   2. else the section's `default` (allow)
 *
 * A fact that is not known fits no rule that asks for it: what could not be read has a match of its own (`unreadable`).
 * Pure, like policy.h.
 */
#ifndef SEKISHO_RULE_PRINT_H
#define SEKISHO_RULE_PRINT_H

#include "policy/rule/known.h"

#define PRINT_RULES_MAX 512u
#define PRINT_EXPECTATIONS_MAX 512u
#define PRINT_PATTERNS_MAX 32u      /* of all rules together, to be looked for in text */
#define PRINT_PATTERN_SIZE_MAX 256u /* bytes of one */
#define PRINT_MESSAGE_MAX 300u

/* Numbers of people and accounts that a document may hold; a record has a field of each, a rule a word. */
enum print_number {
	NUMBER_MY,
	NUMBER_CORPORATE,
	NUMBER_CARD,
	NUMBER_BANK_ACCOUNT,
	NUMBER_PENSION,
	NUMBER_INSURANCE,
	NUMBERS,
};

/* Its word in a policy, which is its field's name in records ("my_numbers"); the field (F_*). */
const char *print_number_word(enum print_number n);
unsigned print_number_field(enum print_number n);

/* A job as the policy sees it. Strings come from users and printers, and are never NULL but where it is said. */
struct print_facts {
	struct device_user who; /* who printed, on which PC, when; user NULL: not known */
	const char *printer;    /* queue */
	const char *printer_class;
	const char *uri; /* without password */
	const char *location;
	const char *title;     /* as CUPS gives it to the backend */
	const char *title_raw; /* as the application sent it: CUPS makes "Untitled" of what it does not like */
	const char *format;    /* media type */
	const char *area;      /* of protected files that the document lies in, as far as that is known; "" or NULL */
	bool has_pages;
	uint64_t pages;                       /* of all documents, once, before copies */
	unsigned copies;                      /* at least 1 */
	unsigned colour;                      /* COLOUR_*; 0: not known */
	bool readable;                        /* all documents were looked into, and nothing of them stayed unread */
	uint64_t numbers[NUMBERS];            /* that stand in the text */
	uint64_t matches[PRINT_PATTERNS_MAX]; /* of policy_print_patterns, in their order */
	uint8_t known[KNOWN_MAX];             /* how much of each known document is found, percent */
};

/* What is decided of a document, on its way to paper or written to a drive (drives.h). */
struct document_decision {
	unsigned action;                  /* ACTION_*: with `note`, what would be */
	bool note;                        /* watch only: it goes all the same, and nobody is told on the desktop */
	bool copy;                        /* it is kept for the auditor, whatever becomes of it */
	bool stamp;                       /* of paper: what comes out says who printed it when */
	bool ask_reason;                  /* the person is asked why; what is held prints when its owner has said it */
	char rule[POLICY_NAME_SIZE + 16]; /* "print:finance", "drives-default" */
	char reason[192];                 /* in words: which facts led there; English, for records */
	char reason_ja[POLICY_REASON_SIZE];
	char message[PRINT_MESSAGE_MAX]; /* what the administrator wants the person to read; may be empty */
	char message_ja[PRINT_MESSAGE_MAX];
};

/* Decides. Always answers. */
void policy_print(const struct policy *p, const struct print_facts *f, struct document_decision *out);

/* What becomes of a job that cannot be judged (the gate does not run, facts are late): ACTION_ALLOW or ACTION_HOLD. */
unsigned policy_print_unavailable(const struct policy *p);
/* ... and of one that cannot be recorded, since the spool is full. */
unsigned policy_print_unrecorded(const struct policy *p);

/* ... and of one that was to be stamped, and cannot be. */
unsigned policy_print_unstamped(const struct policy *p);
/* Does a rule ask for a stamp? */
bool policy_print_stamps(const struct policy *p);

/* Copies of documents, for whom and how many. */
struct print_copies {
	struct span auditors; /* their certificates, PEM; borrowed from the policy */
	struct span second;   /* empty, or of those who must open a copy behind one of them; borrowed, too */
	uint64_t max_bytes;
	bool oldest_goes; /* where there are so many: the oldest go; otherwise no new ones are made */
};
/* False where the policy has none: then no decision has `copy`. */
bool policy_print_copies(const struct policy *p, struct print_copies *out);

/* Does a rule ask for anything that only the document tells? Otherwise a judgement need not wait for it. */
bool policy_print_documents(const struct policy *p);
/* Does a rule, or `ocr`, ask for what stands in the text? */
bool policy_print_text(const struct policy *p);
/*
 * Is text in pictures read (`ocr`), and for how long: a document's, and of the processor's time in an hour. Where the
 * policy says nothing: not.
 */
struct policy_ocr {
	bool on;
	uint64_t seconds, seconds_per_hour;
};
void policy_print_ocr(const struct policy *p, struct policy_ocr *out);
/* Expressions (pcre2) that rules look for in the text. How many; *list is borrowed. */
unsigned policy_print_patterns(const struct policy *p, const char *const **list);
unsigned policy_print_rules_n(const struct policy *p);

/* As text, for diff (print_text.c): rule `i` like policy_rule, settings like policy_settings. 0, V_FULL, -ENOMEM. */
int policy_print_rule(const struct policy *p, unsigned i, struct policy_rule_text *out, struct buf *text);
int policy_print_settings(const struct policy *p, policy_setting_fn fn, void *ctx);

#endif
