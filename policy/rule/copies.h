/*
 * For whom copies are kept, and how many: the part `copies:` of the sections `print:` and `drives:`, read and written
 * alike for both. Only files of these sections include this.
 */
#ifndef SEKISHO_RULE_COPIES_H
#define SEKISHO_RULE_COPIES_H

#include "policy/rule/policy_parts.h"
#include "policy/rule/print.h"

/* auditors.n 0: none */
struct copies_terms {
	struct print_copies as;
	struct digest auditors, second; /* of their certificates */
	bool alone;                     /* one person is meant to open them */
};
#define COPIES_TERMS_INIT                                                \
	{                                                                \
		.as = {.max_bytes = 1024ull << 20, .oldest_goes = true } \
	}

/* Reads `copies:` (a yaml_node_t). 0, V_BAD, -ENOMEM. */
struct reading;
int copies_read(struct reading *r, const void *node, const char *key, struct copies_terms *out);
/* A rule, in this line of policy.yaml, asks for a copy: one that nobody can open is none. 0; V_BAD. */
int copies_check(struct reading *r, const struct copies_terms *t, unsigned line);
/* As settings for diff, "print: copies: max_mib"; `t` may be NULL. */
int copies_settings(const struct copies_terms *t, const char *section, policy_setting_fn fn, void *ctx);

/* Certificates in PEM of those who can open something: as they stand there, and their SHA-256. 0, V_BAD, -ENOMEM. */
int copies_read_certificates(
	struct reading *r, const void *node, const char *key, struct span *out, struct digest *hash);

#endif
