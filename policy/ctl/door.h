/*
 * The administrator's doors: HTTP over a UNIX socket, by libcurl. Of the collector (collector/ingest/PROTOCOL.md), and
 * for targets below /desk/ of the console.
 */
#ifndef SEKISHO_CTL_DOOR_H
#define SEKISHO_CTL_DOOR_H

#include "policy/ctl/ctl.h"

/*
 * Asks and waits for the answer, a JSON object. `body` NULL is a GET. 0; V_NOT_FOUND where nobody listens; V_DENIED
 * where the collector refused (its reason in `why`), or was busy for five minutes, which is waited for and said on
 * standard error; V_BAD where the answer is none; -errno.
 */
int door_ask(const struct ctl *c, const char *target, const json_t *body, json_t **answer, struct why *why);
/* The same with a body that is no JSON. */
int door_send(
	const struct ctl *c, const char *target, const char *type, struct span body, json_t **answer, struct why *why);
/* The same, said to the user where it fails: EXIT_*. */
int door(const struct ctl *c, const char *target, const json_t *body, json_t **answer);

/* All PCs that the collector knows, page by page: {"hosts": [...]}. As door(). */
int door_hosts(const struct ctl *c, json_t **answer);

/* A string of an answer, escaped for terminals, in a fixed array; "-" where there is none. */
const char *door_text(char out[SHOWN_MAX], const json_t *object, const char *key);
/* A moment (microseconds since 1970) by the clock of this place; "-" where there is none. `out`: TEXT_TIME_SIZE. */
const char *door_time(char *out, const json_t *object, const char *key);
/* Its `reason`, or `reason_ja` where Japanese is spoken and it is there; its `error` where it has no reason. */
const char *door_reason(const struct ctl *c, char out[SHOWN_MAX], const json_t *object);

#endif
