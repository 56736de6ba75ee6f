/*
 * A collector joins the log of others: it asks by way of the database that they share, an administrator at one that is
 * there already lets it in, and the keys come back sealed to it. See join.c.
 */
#ifndef SEKISHO_INGEST_JOIN_H
#define SEKISHO_INGEST_JOIN_H

#include "collector/ingest/ingest.h"

/*
 * sekisho-collector --join, as its user: asks, waits until it is let in, and has the keys of the log then. Says on
 * standard output what happens, a line of JSON each: {"asking": id, "name"}, then {"joined": id, "name", "ca"} or
 * {"failed", "ja"}. An exit status.
 */
int join_main(const struct config *c);

/* --- at a collector that is there already: the administrator's door --- */

void collectors_get(struct ingest *in, struct ask *a);
void collectors_post(struct ingest *in, struct ask *a);

/* --- join_request.c: what both sides have in common --- */

#define JOIN_ASKING "join" /* kinds on the shelf, by the id of who asks */
#define JOIN_ADMITTED "admitted"
#define JOIN_NAME "collector/" /* and the machine's name: no PC is called so by accident */
#define JOIN_REQUEST_MAX (16u << 10)
#define JOIN_SEALED_MAX (64u << 10)

/* What goes along sealed, by its name there; and where it lies. */
enum { JOIN_CA_KEY, JOIN_CA_CRT, JOIN_LOG_KEY, JOIN_LOG_VKEY, JOIN_ADMINS, JOIN_PARTS };
extern const char *const join_parts[JOIN_PARTS];
const char *join_part(const struct config *c, size_t i);
/* A string of an object; NULL where it is none, or has an end in it. */
const char *join_text(const json_t *o, const char *key);

struct join_request {
	char name[128];
	struct buf spki; /* device key, DER */
	struct digest id;
	const char *certificate; /* PEM, to whose key the answer is sealed; the JSON's */
	json_t *json;
};
/*
 * Reads what somebody put on the shelf: anybody who may write to the database. 0 where the device key signed name and
 * certificate, and is that of `id`; V_BAD with the reason; -errno.
 */
int join_request_read(struct span text, const struct digest *id, struct join_request *out, struct why *why);
/* The other way: what the collector with this device key puts there. Appended. 0; V_FULL; -errno. */
int join_request_write(const struct key *device, const char *name, const char *certificate, struct buf *out);
void join_request_deinit(struct join_request *q);

#endif
