/*
 * The numbers that a policy's rules and a record's fields know (policy/rule/print.h), as the inspector calls them. For
 * the programs that judge what it found.
 */
#ifndef SEKISHO_INSPECT_NUMBERS_H
#define SEKISHO_INSPECT_NUMBERS_H

#include "agent/inspect/inspect.h"
#include "policy/rule/print.h"

static inline enum find_kind find_kind_of(enum print_number n)
{
	static const enum find_kind kinds[NUMBERS] = {
		[NUMBER_MY] = FIND_MY_NUMBER,
		[NUMBER_CORPORATE] = FIND_CORPORATE_NUMBER,
		[NUMBER_CARD] = FIND_CARD,
		[NUMBER_BANK_ACCOUNT] = FIND_BANK_ACCOUNT,
		[NUMBER_PENSION] = FIND_PENSION_NUMBER,
		[NUMBER_INSURANCE] = FIND_INSURANCE_NUMBER,
	};

	return kinds[n];
}

/* How much of each document that the policy knows was found, as its rules ask for it. */
static inline void known_of(const struct policy *p, const struct inspect_facts *facts, uint8_t known[KNOWN_MAX])
{
	unsigned i, n = policy_known_n(p);

	for (i = 0; i < n; i++)
		known[i] = (uint8_t)inspect_known_share(
			&facts->known[i], policy_known(p, i)->prints.n / INSPECT_PRINT_SIZE);
}

/* The documents that a policy knows, for questions; *out NULL where there are none. 0, -errno. */
static inline int known_ask(const struct policy *p, struct inspect_known **out)
{
	struct inspect_known_document list[KNOWN_MAX];
	unsigned i, n = policy_known_n(p);

	_Static_assert(KNOWN_MAX == INSPECT_KNOWN_MAX && KNOWN_KEY_SIZE == INSPECT_KEY_SIZE &&
			       KNOWN_PRINT_SIZE == INSPECT_PRINT_SIZE && KNOWN_PRINTS_MAX == INSPECT_PRINTS_MAX,
		"the policy and the inspector know the same fingerprints");
	*out = NULL;
	for (i = 0; i < n; i++) {
		const struct known_document *d = policy_known(p, i);

		list[i] =
			(struct inspect_known_document){.has_hash = d->has_hash, .hash = d->hash, .prints = d->prints};
	}
	return n ? inspect_known_new(policy_known_key(p), list, n, out) : 0;
}

#endif
