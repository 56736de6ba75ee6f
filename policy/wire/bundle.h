/*
 * A policy on its way: the texts that the administrator wrote, signed on the administrator's machine. The collector
 * stores and hands it out, the uplink fetches it, the guard obeys it; none of them can make one.
 *
 *   COSE_Sign1 (Ed25519, BUNDLE_AAD) over a CBOR map
 *   {1: version, 2: issued us, 3: fleet, 4: not-before us, 5: not-after us, 6: raw length, 7: admins,
 *    8: zstd frame of the CBOR array [policy.yaml, devices.csv]}
 *
 * See FORMAT.md. Used by ingest, uplink, guard and sekishoctl.
 */
#ifndef SEKISHO_WIRE_BUNDLE_H
#define SEKISHO_WIRE_BUNDLE_H

#include "policy/trust/cose.h"
#include "policy/trust/note.h"

#define BUNDLE_FORMAT 1
#define BUNDLE_AAD "sekisho policy 1"
#define BUNDLE_MAX (2u << 20)     /* signed, compressed */
#define BUNDLE_RAW_MAX (4u << 20) /* both texts */
#define BUNDLE_ADMINS_MAX 16u

/*
 * Keys that may sign: one C2SP verifier key a line ("name+hash+base64"), "#" begins a comment. On a PC
 * /etc/sekisho/admin.keys (preinstalled) goes before /var/lib/sekisho/device/admin.keys (from enrolment, then from
 * bundles that list admins); at the collector /var/lib/sekisho-collector/admin.keys.
 */
struct admins {
	unsigned n;
	struct verifier v[BUNDLE_ADMINS_MAX];
};
int admins_decode(struct span text, struct admins *out, struct why *why);
/* 0; V_NOT_FOUND; V_BAD; -errno. */
int admins_load(const char *path, struct admins *out, struct why *why);
int admins_encode(const struct admins *a, struct buf *out);
void admins_deinit(struct admins *a);

/* The fleet that a bundle is for: SHA-256 of the log's verifier key in text form (log.vkey, without its newline). */
int fleet_id(const struct verifier *log, struct digest *out);

struct bundle {
	uint64_t version; /* counts up; the same as `version:` of the YAML */
	int64_t issued_us, not_before_us, not_after_us;
	struct digest fleet;
	struct span policy_yaml, devices_csv; /* borrowed by bundle_sign; of bundle_open into `raw` */
	struct span admins;                   /* text of admin.keys that holds from now on; empty: as before */
	char signer[NOTE_NAME_MAX];           /* bundle_open: name of the key that signed */
};

/* Appends the signed bundle. 0; V_FULL where a bound is passed; -errno. */
int bundle_sign(const struct key *admin, const struct bundle *b, struct buf *out);

/*
 * Verdicts of bundle_open, beside V_BAD (malformed), each with its reason:
 */
enum {
	BUNDLE_FORGED = 16,  /* signed by none of the keys */
	BUNDLE_FOREIGN = 17, /* for another fleet */
	BUNDLE_OLD = 18,     /* version is not above `above` */
	BUNDLE_EARLY = 19,   /* not yet valid at `now_us` */
	BUNDLE_EXPIRED = 20, /* no longer valid at `now_us` */
};
const char *bundle_verdict_name(int verdict); /* "forged", ...; "bad" for V_BAD */

/*
 * Verifies the signature first, reads after; then fleet, version, validity. `raw` receives the texts (cleared first)
 * that *out borrows from; its `admins` borrows from `bytes`. Pass NULL for `fleet` and above = 0,
 * now_us = 0 to leave those checks out (to look at a file).
 */
int bundle_open(struct span bytes, const struct admins *admins, const struct digest *fleet, uint64_t above,
	int64_t now_us, struct buf *raw, struct bundle *out, struct why *why);

/* The version that a bundle claims, for those who only carry it: nothing is verified. 0; V_BAD. */
int bundle_peek(struct span bytes, uint64_t *version, struct why *why);

#endif
