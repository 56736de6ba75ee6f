/*
 * The CBOR of headers and epoch certificates, without signatures. For segment.c; others use segment.h.
 */
#ifndef SEKISHO_WIRE_HEADER_H
#define SEKISHO_WIRE_HEADER_H

#include "policy/wire/body.h"
#include "policy/wire/segment.h"

/* Appends the payload of a header. 0, V_FULL, -ENOMEM. */
int header_encode(const struct header *h, struct buf *out);
/* Reads one; its spans borrow from `payload`. Every field is checked against its bound. 0 or V_BAD. */
int header_decode(struct span payload, struct header *out, struct why *why);

int epoch_encode(const struct epoch *e, struct buf *out);
int epoch_decode(struct span payload, struct epoch *out, struct why *why);

#endif
