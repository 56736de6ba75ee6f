/*
 * A drive on USB as the log saw it plugged in, many times, at many PCs: one for each vendor, product and serial number.
 * For whoever makes rows of a ledger of what the fleet has seen.
 */
#ifndef SEKISHO_RULE_SIGHTING_H
#define SEKISHO_RULE_SIGHTING_H

#include "policy/rule/device.h"
#include "policy/wire/record.h"

struct sighting {
	uint16_t vendor, product;
	char serial[DEVICE_TEXT_SIZE];
	bool has_fingerprint, twice; /* twice: was seen with different ones */
	struct digest fingerprint;   /* the last that was folded in */
	uint64_t times;
};

/* Why a row of it would not name one drive for certain. */
enum sighting_doubt {
	SIGHTING_CERTAIN = 0,
	SIGHTING_NO_SERIAL,
	SIGHTING_TWO_FINGERPRINTS,
	SIGHTING_SHORT_SERIAL,
};

/* Of a record of kind plug. False where it is not of storage on USB; `out` is undefined then. */
bool sighting_read(struct sighting *out, const struct record *r);
/* Is it the same drive, as far as it says itself? */
bool sighting_same(const struct sighting *a, const struct sighting *b);
/* Takes up that the drive was seen again. */
void sighting_fold(struct sighting *known, const struct sighting *again);
/* As policies and ledgers have it. */
struct device sighting_device(const struct sighting *s);
enum sighting_doubt sighting_doubt(const struct sighting *s);

#endif
