/*
 * P-256 keys of a TPM 2.0, by OpenSSL's provider `tpm2` (Debian: tpm2-openssl): their file holds the public half and
 * what the TPM wrapped (TSS2 PRIVATE KEY), which is worth nothing to any other TPM. Called by sekisho-keeper alone, in
 * a process that lives for one request: the provider keeps its way to the TPM open for as long as it is loaded.
 */
#ifndef SEKISHO_TRUST_TPM_H
#define SEKISHO_TRUST_TPM_H

#include "policy/trust/keeper.h"

/*
 * `device` as the TPM2 software stack names it ("device:/dev/tpmrm0"). 0; V_AGAIN where there is no provider, or no
 * TPM answers. Once in a process.
 */
int tpm_open(const char *device, struct why *why);
/* Makes a key that never leaves the TPM unwrapped; appends its file. 0; V_AGAIN; -errno. */
int tpm_make(struct buf *file, struct why *why);
/* Signs or agrees. 0; V_BAD where it is no key of this TPM (any more); V_AGAIN where the TPM refuses now; -errno. */
int tpm_use(const struct keeper_request *q, struct buf *out, struct why *why);

#endif
