/*
 * What the parts of policy_check share. Nobody else includes this.
 */
#ifndef SEKISHO_RULE_CHECK_PARTS_H
#define SEKISHO_RULE_CHECK_PARTS_H

#include "policy/rule/content.h"

#define FOUND_MAX 512

struct checking {
	const struct policy *p;
	int64_t now_us;
	policy_say say;
	void *ctx;
	bool fatal;
};

void checking_say(struct checking *c, const struct policy_finding *f);

/*
 * One finding, in both languages: two literals that the compiler checks against the same arguments. `what` is its name
 * for programs (policy.yaml(5) lists them).
 */
#define FOUND(c, is_fatal, what, in, at, english, japanese, ...)              \
	do {                                                                  \
		char en_[FOUND_MAX], ja_[FOUND_MAX];                          \
                                                                              \
		snprintf(en_, sizeof(en_), english, ##__VA_ARGS__);           \
		snprintf(ja_, sizeof(ja_), japanese, ##__VA_ARGS__);          \
		checking_say(c, &(struct policy_finding){.fatal = (is_fatal), \
					.code = (what),                       \
					.file = (in),                         \
					.line = (at),                         \
					.en = en_,                            \
					.ja = ja_});                          \
	} while (0)

#define IN_YAML "policy.yaml"
#define IN_CSV "devices.csv"

/* copies.c: refuses where one person alone opens what is kept of this section, and nobody has said that this is meant.
 */
struct copies_terms;
void check_copies(struct checking *c, const struct copies_terms *t, const char *section);

/* As a finding names what is decided. */
const char *checking_action(unsigned action);
/* Of an expectation: the documents that it says are known, whole. False where one is none, which was said. */
bool check_documents(struct checking *c, words documents, uint8_t known[KNOWN_MAX], unsigned line);

/* Does it name one model or one device, and not whatever comes? */
bool match_is_specific(const struct match *m);

/* policy_check_rules.c, policy_check_rows.c: what is likely a mistake. 0, -ENOMEM. */
void check_rules(struct checking *c);
int check_rows(struct checking *c);

#endif
