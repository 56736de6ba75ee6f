/*
 * Documents that the administrator knows: the section `documents:` of policy.yaml. Each is a name, the SHA-256 of its
 * file, and fingerprints of its text: hashes of some of its stretches, made with the policy's key
 * (agent/inspect/prints.h), from which no text can be read. Rules of `print:` and `drives:` ask for them by name.
 *
 * Whoever has the policy has the key: who can guess a stretch can see that it is there. Who cannot learns how long the
 * document is, more or less.
 */
#ifndef SEKISHO_RULE_KNOWN_H
#define SEKISHO_RULE_KNOWN_H

#include "policy/rule/policy.h"

#define KNOWN_MAX 64u         /* documents of one policy */
#define KNOWN_KEY_SIZE 16u    /* bytes */
#define KNOWN_PRINT_SIZE 5u   /* bytes of one fingerprint */
#define KNOWN_PRINTS_MAX 512u /* of one document */
#define KNOWN_PRINTS_MIN 8u   /* fewer say nothing: such a document is known by its SHA-256 alone */
#define KNOWN_WORDS_MAX (KNOWN_MAX * (POLICY_NAME_SIZE + 16u))
#define KNOWN_SHARE 30u /* percent, where the policy does not say */

struct known_document {
	const char *name;
	unsigned line;
	unsigned share; /* percent of its fingerprints of which on it is found */
	bool has_hash;
	struct digest hash; /* of the file */
	struct span prints; /* KNOWN_PRINT_SIZE bytes each; may be empty where there is a hash */
};

unsigned policy_known_n(const struct policy *p);
/* Document `i`, borrowed from the policy. */
const struct known_document *policy_known(const struct policy *p, unsigned i);
/* KNOWN_KEY_SIZE bytes, borrowed; NULL where the policy knows no documents. */
const uint8_t *policy_known_key(const struct policy *p);

/*
 * How much of each was found, in percent (100: all, or the very file), becomes words for a record: "price list 45 %;
 * plan 100 %", of those alone that are found. 0, V_FULL, -ENOMEM.
 */
int policy_known_words(const struct policy *p, const uint8_t known[KNOWN_MAX], struct buf *out);
/* The way back: what was told so of the documents that this policy knows. The rest is 0. */
void policy_known_read(const struct policy *p, struct span told, uint8_t known[KNOWN_MAX]);

/* As text, for diff. Like policy_settings. */
int policy_known_settings(const struct policy *p, policy_setting_fn fn, void *ctx);

#endif
