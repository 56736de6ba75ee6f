/*
 * Recovery codes: look-up secrets (NIST SP 800-63B section 3.1.2, OWASP ASVS 5.0.0 section 6.5), ten of them, shown
 * once. Each stands once for a second factor that was lost. Pure; for the accounts' file.
 *
 * A code is 24 letters of 31: 118 bits. From 112 on both ask for no more than an approved hash function, since nobody
 * can try them all; so it is SHA-256 and not Argon2id, which would make everybody else wait for 34 ms of the one loop.
 */
#ifndef SEKISHO_CONSOLE_RECOVERY_H
#define SEKISHO_CONSOLE_RECOVERY_H

#include "policy/trust/digest.h"
#include <jansson.h>

#define RECOVERY_CODES 10u
#define RECOVERY_TEXT_SIZE 30 /* six groups of four, with their NUL */
#define RECOVERY_TYPED_MAX 64u

struct recovery {
	unsigned n; /* that were not used */
	struct digest codes[RECOVERY_CODES];
	int64_t made_us; /* 0: never */
};

/* Ten new ones of this account, instead of all before; `shown` gets what nobody can tell again. 0, -errno. */
int recovery_make(
	const char *account, int64_t wall_us, struct recovery *out, char shown[RECOVERY_CODES][RECOVERY_TEXT_SIZE]);
/*
 * Which one somebody typed (small or large letters, with blanks or dashes or without): RECOVERY_CODES where it is none,
 * or was used.
 */
unsigned recovery_find(const struct recovery *r, const char *account, const char *typed);
/* It is used: never again. */
void recovery_use(struct recovery *r, unsigned at);

/* For the accounts' file, and back; null where there are none. False: it is not as we write it. */
json_t *recovery_json(const struct recovery *r);
bool recovery_read(const json_t *o, struct recovery *out);

#endif
