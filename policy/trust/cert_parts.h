/*
 * What cert.c, cert_read.c and tls.c share.
 */
#ifndef SEKISHO_TRUST_CERT_PARTS_H
#define SEKISHO_TRUST_CERT_PARTS_H

#include "policy/trust/cert.h"
#include <openssl/x509.h>

/* The first certificate in `pem`, owned by the caller. 0, V_BAD. */
int cert_pem(struct span pem, X509 **out, struct why *why);
/* What the certificate says. 0, V_BAD, -ENOMEM. */
int cert_info_of(X509 *x, struct cert_info *out);
/* Sets `why` to "what: OpenSSL's reason", clears OpenSSL's error queue, returns V_BAD. */
int cert_why(struct why *why, const char *what);

#endif
