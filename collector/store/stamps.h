/*
 * Timestamps of the log: checkpoints, each with the token of an authority (RFC 3161), in a folder beside the store.
 *
 *   SIZE.checkpoint   the signed checkpoint of so many leaves (20 digits), as it was published
 *   SIZE.tsr          the authority's reply over its bytes (policy/trust/timestamp.h)
 *
 * The checkpoint is written first: one without a token was not stamped yet. Nothing is ever replaced. `sekishoctl
 * timestamp` writes it; `verify` and the console's evidence bundles read it.
 */
#ifndef SEKISHO_STORE_STAMPS_H
#define SEKISHO_STORE_STAMPS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define STAMPS_FOLDER "/var/lib/sekisho-timestamps"

void stamp_path(char out[PATH_MAX], const char *folder, uint64_t size, const char *ending);
/* The number in a name with that ending. False: another file. */
bool stamp_name(const char *name, const char *ending, uint64_t *size);
/*
 * The first that has a token and `least` leaves or more; where there is none, the newest one; of those with `most`
 * leaves at most. *size 0: none. 0; V_NOT_FOUND without the folder; -errno.
 */
int stamp_find(const char *folder, uint64_t least, uint64_t most, uint64_t *size);

#endif
