/*
 * What is wrong with a policy's text, in both languages at once: where a reason is set, so that neither is forgotten.
 * For the readers of policy.yaml and devices.csv.
 */
#ifndef SEKISHO_RULE_SAID_H
#define SEKISHO_RULE_SAID_H

#include "policy/base/why.h"
#include <stddef.h>

struct said {
	const char *en, *ja;
};
#define SAID(en, ja) ((struct said){en, ja})

/* "FILE:LINE: KEY: what" (line 0 and key NULL are left out). V_BAD. `why` may be NULL. */
int said_bad(struct why *why, const char *file, size_t line, const char *key, struct said what);
/* "FILE:LINE: KEY: "VALUE" is no `wanted`". V_BAD. */
int said_bad_value(
	struct why *why, const char *file, size_t line, const char *key, const char *value, struct said wanted);

/* "FILE:LINE:COLUMN: KEY: unknown key"; the column counts characters, from 1, and the key is shown escaped. V_BAD. */
int said_unknown(struct why *why, const char *file, size_t line, size_t column, const char *key);

#endif
