/*
 * P-256 keys of a PKCS#11 token (v2.40): a smart card, an HSM, SoftHSM. p11-kit loads the module that the URI names
 * (RFC 7512) and finds the token. Called by sekisho-keeper alone, in a process that lives for one request.
 *
 * The URI is root's own, from agent.conf: module-path and pin-source in it decide what is loaded into the process that
 * may use this PC's keys, and with which PIN. The PIN never stands in it, nor on a command line.
 */
#ifndef SEKISHO_KEEPER_TOKEN_H
#define SEKISHO_KEEPER_TOKEN_H

#include "policy/trust/keeper.h"

/*
 * Opens a session with the one token that the URI fits. 0; V_AGAIN, with what to do, where the URI, the module, the
 * PIN's file or the token is not as it has to be; -errno. Once in a process. A PIN that the token has refused is not
 * tried again: a card that is asked every few seconds would be blocked within a minute.
 */
int token_open(const char *uri, struct why *why);
/* Makes a key that cannot be read out of the token; appends its file. 0; V_AGAIN; -errno. */
int token_make(struct buf *file, struct why *why);
/* Signs or agrees. 0; V_BAD where it is no key of this token (any more); V_AGAIN where the token refuses now; -errno.
 */
int token_use(const struct keeper_request *q, struct buf *out, struct why *why);

#endif
