/*
 * What an administrator has bound to an account: client certificates. For the accounts' file; pure.
 */
#ifndef SEKISHO_CONSOLE_BOUND_H
#define SEKISHO_CONSOLE_BOUND_H

#include "policy/trust/cert.h"
#include <jansson.h>

#define CERTIFICATES_MAX 4u /* of one account: the old one and the new one, on two machines */

/*
 * One certificate, by the SHA-256 of its bytes. Not by what it says of its holder: a CA that issues another one to
 * somebody of the same name, or of an address that was given away again, must not give that person the account.
 */
struct bound_certificate {
	struct digest fingerprint;
	char name[128]; /* CN of its subject, for people */
	int64_t not_after_us, bound_us, used_us;
};

/* Who somebody is at an OpenID provider: both together are one person, for ever (OpenID Connect Core section 5.7). */
struct bound_oidc {
	char issuer[512], subject[256]; /* empty: nobody */
	int64_t bound_us, used_us;
};

json_t *bound_oidc_json(const struct bound_oidc *b);
bool bound_oidc_read(const json_t *o, struct bound_oidc *out);

/* For the accounts' file, and back. False: it is not as we write it. */
json_t *bound_certificate_json(const struct bound_certificate *b);
bool bound_certificate_read(const json_t *o, struct bound_certificate *out);

#endif
