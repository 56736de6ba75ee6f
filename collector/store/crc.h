/*
 * CRC-32C (Castagnoli; RFC 3720 section 12.1), the check of a frame in a pack. Finds accidents, not attackers: those
 * meet the Merkle log.
 */
#ifndef SEKISHO_STORE_CRC_H
#define SEKISHO_STORE_CRC_H

#include "policy/base/buf.h"

uint32_t crc32c(struct span s);

#endif
