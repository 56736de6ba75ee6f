/*
 * What retention.c and retention_judge.c share.
 */
#ifndef SEKISHO_WIRE_RETENTION_PARTS_H
#define SEKISHO_WIRE_RETENTION_PARTS_H

#include "policy/wire/retention.h"

/* From this leaf on the log was in this month, by the collector's clock. */
struct retention_month {
	uint64_t leaf;
	char month[8];
};

#endif
