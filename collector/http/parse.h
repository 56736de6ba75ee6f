/*
 * What clients of any of our servers ask: a JSON object, a form, numbers. Pure: bytes in, structures out; fuzzed by
 * tests/fuzz/ingest and tests/fuzz/console.
 */
#ifndef SEKISHO_HTTP_PARSE_H
#define SEKISHO_HTTP_PARSE_H

#include "policy/base/buf.h"
#include "policy/base/why.h"
#include <jansson.h>

#define ASK_JSON_MAX 65536u

/* A JSON object. 0; V_BAD. */
int ask_object(struct span body, json_t **out, struct why *why);
/* The same with another bound. */
int ask_object_of(struct span body, size_t max, json_t **out, struct why *why);

/* An unsigned decimal number without sign, space or leading zeros. 0 or V_BAD. */
int ask_number(const char *s, uint64_t *out);
/* The value of `name` in a query "a=1&b=2"; numbers only. 0; V_NOT_FOUND; V_BAD. */
int ask_query(const char *query, const char *name, uint64_t *out);
/* The same as it stands there: nothing is decoded. V_BAD also where it does not fit. */
int ask_query_text(const char *query, const char *name, char *out, size_t size);
/* "%E6%84%9B+x" into bytes; false where it is malformed, too long, or holds NUL. */
bool ask_decode(const char *p, size_t n, char *out, size_t size);
/*
 * The value of `name` in a body of application/x-www-form-urlencoded, decoded; what else stands there is passed over.
 * 0; V_NOT_FOUND; V_BAD where it is there twice, empty, malformed, or does not fit.
 */
int ask_form(struct span body, const char *name, char *out, size_t size);

#endif
