/*
 * Which cosignatures are enough: a policy file as C2SP tlog-policy writes it.
 *
 *   log <vkey> [<url>]
 *   witness <name> <vkey> [<url>]
 *   group <name> <k>|any|all <name>...
 *   quorum <name>|none
 *
 * Read whole, or refused with the line: a policy that is half understood would let through what it should not.
 */
#ifndef SEKISHO_TRUST_QUORUM_H
#define SEKISHO_TRUST_QUORUM_H

#include "policy/trust/cosign.h"

#define QUORUM_TEXT_MAX (4u << 20)
#define QUORUM_LOGS_MAX 64u
#define QUORUM_MEMBERS_MAX 16384u /* witnesses and groups */

struct quorum;

/* 0; V_BAD with line and reason; -ENOMEM. */
int quorum_read(struct span text, struct quorum **out, struct why *why);
void quorum_free(struct quorum *q);
DEFINE_CLEANUP(struct quorum *, quorum_free)

/* Is this log's key one of those that it names? A policy that names none leaves the log to its reader. */
bool quorum_has_log(const struct quorum *q, const struct verifier *log);
/* The witness whose key stands in this cosignature, or NULL. */
const struct verifier *quorum_witness(const struct quorum *q, const struct cosignature *c);
/* Marks a witness (as quorum_witness gave it) as one that cosigned. */
void quorum_mark(struct quorum *q, const struct verifier *w);
/* Is what was marked enough? */
bool quorum_met(const struct quorum *q);

#endif
