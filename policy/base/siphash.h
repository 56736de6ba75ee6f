/*
 * SipHash-2-4 (Aumasson, Bernstein 2012): a hash under a key, so that whoever chooses what is hashed cannot choose
 * which of it meets.
 */
#ifndef SEKISHO_BASE_SIPHASH_H
#define SEKISHO_BASE_SIPHASH_H

#include "policy/base/buf.h"

/* `key`: its sixteen bytes as two numbers, the first byte of each the lowest. The same on every machine. */
uint64_t siphash(const uint64_t key[2], struct span s);

#endif
