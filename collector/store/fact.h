/*
 * A fact that a record has to have, as people ask for it: NAME:VALUE, the name and its values as in JSON. No index
 * leads to it: whoever reads rows looks at each (fact_fits), and asks the store for what narrows them.
 */
#ifndef SEKISHO_STORE_FACT_H
#define SEKISHO_STORE_FACT_H

#include "policy/base/why.h"
#include "policy/trust/digest.h"
#include "policy/wire/record.h"

#define FACTS_MAX 8u /* of one question, all of which have to fit */

struct fact {
	unsigned field;
	const char *value; /* borrowed */
	uint64_t number;
	uint8_t bytes[DIGEST_SIZE];
	size_t bytes_n;
};

/*
 * Names are compared as match_of takes a pattern, bytes (in hex) and numbers are equal. `out` borrows of `text`. 0;
 * V_BAD with what is wrong: no such fact, a value that it cannot have, or a kind of fact that cannot be asked for
 * (times, signed numbers: those have filters of their own).
 */
int fact_parse(const char *text, struct fact *out, struct why *why);
bool fact_fits(const struct fact *f, const struct record *r);

#endif
