/*
 * Orders: what no one person may have done alone. One administrator requests it, another countersigns the request, and
 * whoever acts on it (the collector), or judges it years later (verifiers), checks both. Made on the administrators'
 * own machines, with the keys of signed policies; no server can make one.
 *
 *   order   = COSE_Sign1 (Ed25519, ORDER_SECOND_AAD) over the request, whole
 *   request = COSE_Sign1 (Ed25519, ORDER_AAD) over a CBOR map, see collector/store/RETENTION.md
 *
 * Used by ingest and sekishoctl.
 */
#ifndef SEKISHO_WIRE_ORDER_H
#define SEKISHO_WIRE_ORDER_H

#include "policy/wire/bundle.h"

#define ORDER_FORMAT 1
#define ORDER_AAD "sekisho order 1"
#define ORDER_SECOND_AAD "sekisho countersignature 1"
#define ORDER_MAX 4096u
#define ORDER_REASON_MAX 512u
#define ORDER_VALID_MAX_US (31ll * 86400 * 1000000)

/* What is ordered. Append only. */
enum order_act {
	ORDER_EXPIRE = 1, /* the bodies of a channel of a month, before their time */
};

struct order {
	unsigned act;
	struct digest fleet; /* fleet_id of the log */
	uint64_t size;       /* the checkpoint that the requester saw */
	struct digest root;
	int64_t issued_us, not_after_us;
	char month[8];
	unsigned channel;
	char reason[ORDER_REASON_MAX + 1];
	/* order_open, order_peek: names of the keys; "" where that signature is not there or by none of the keys given.
	 */
	char requester[NOTE_NAME_MAX], second[NOTE_NAME_MAX];
	bool countersigned;
};

/* Appends a request. 0; V_BAD where it says something that no order can; -errno. */
int order_request(const struct key *k, const struct order *o, struct buf *out, struct why *why);
/* Appends the order: `request` with the other signature. 0; V_BAD where it is no request; -errno. */
int order_countersign(const struct key *k, struct span request, struct buf *out, struct why *why);

/* Verdicts of order_open beside V_BAD (malformed, or not countersigned), each with its reason. */
enum {
	ORDER_FORGED = 16, /* a signature is by none of the keys */
	ORDER_ALONE = 17,  /* both are by one key, whatever its names */
};

/*
 * Takes it apart; no signature is asked for. Names the keys where `admins` (may be NULL) has them. Of a request, too.
 * 0; V_BAD.
 */
int order_peek(struct span bytes, const struct admins *admins, struct order *out, struct why *why);
/*
 * Both signatures, by two different keys of `admins`. Whether the log, the time and the month fit is the caller's to
 * judge. 0; a verdict; -errno.
 */
int order_open(struct span bytes, const struct admins *admins, struct order *out, struct why *why);

/* "YYYY-MM" of the years 1970 to 9999? */
bool month_is(const char *text);

#endif
