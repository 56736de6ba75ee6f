/*
 * The numbers that a policy's rules and a record's fields know (policy/rule/print.h), as the inspector calls them. For
 * the programs that judge what it found.
 */
#ifndef SEKISHO_INSPECT_NUMBERS_H
#define SEKISHO_INSPECT_NUMBERS_H

#include "agent/inspect/find.h"
#include "policy/rule/print.h"

static inline enum find_kind find_kind_of(enum print_number n)
{
	static const enum find_kind kinds[NUMBERS] = {
		[NUMBER_MY] = FIND_MY_NUMBER,
		[NUMBER_CORPORATE] = FIND_CORPORATE_NUMBER,
		[NUMBER_CARD] = FIND_CARD,
		[NUMBER_BANK_ACCOUNT] = FIND_BANK_ACCOUNT,
		[NUMBER_PENSION] = FIND_PENSION_NUMBER,
		[NUMBER_INSURANCE] = FIND_INSURANCE_NUMBER,
	};

	return kinds[n];
}

#endif
