/*
 * What orders of administrators (order.h, sealed.h) have in common: a COSE_Sign1 whose payload is a map of CBOR with
 * the keys 1, 2, 3..., all of them, in that order. Only order.c and sealed.c include this.
 */
#ifndef SEKISHO_WIRE_ORDER_FIELDS_H
#define SEKISHO_WIRE_ORDER_FIELDS_H

#include "policy/base/cbor.h"
#include "policy/trust/cose.h"
#include "policy/wire/bundle.h"

/* A key with its value. 0, V_FULL, -ENOMEM. */
int order_put_number(struct buf *b, unsigned key, uint64_t v);
int order_put_bytes(struct buf *b, unsigned key, struct span s);
int order_put_text(struct buf *b, unsigned key, const char *s);

/*
 * Calls `fn` for each key from 1 to `last`; it reads the value. What is missing, too much or cut off is V_BAD; else the
 * first answer of `fn` that is not 0.
 */
typedef int (*order_field_fn)(struct cbor_reader *r, uint64_t key, void *ctx, struct why *why);
int order_read_fields(struct span payload, unsigned last, order_field_fn fn, void *ctx, struct why *why);
/* A text without NUL that fits into `out`. 0, V_BAD. */
int order_read_text(struct cbor_reader *r, char *out, size_t size, struct why *why);

/* Whose signature is it? NULL: none of theirs. `admins` may be NULL. */
const struct verifier *order_signer(const struct cose_sign1 *m, const char *aad, const struct admins *admins);

#endif
