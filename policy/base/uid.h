/*
 * Which numbers of users are people's, as Linux distributions give them out: login.defs(5) (UID_MIN) and systemd's
 * documentation of user and group ranges.
 */
#ifndef SEKISHO_BASE_UID_H
#define SEKISHO_BASE_UID_H

#include <stdbool.h>
#include <stdint.h>

#define UID_PERSON_FIRST 1000u
#define UID_NOBODY 65534u
#define UID_DYNAMIC_FIRST 61184u /* systemd's users of services */
#define UID_DYNAMIC_LAST 65519u

/* Not root, nor a service's, nor nobody's, nor UINT32_MAX, by which nobody is meant. */
static inline bool uid_is_person(uint32_t uid)
{
	return uid >= UID_PERSON_FIRST && uid != UINT32_MAX && uid != UID_NOBODY &&
	       !(uid >= UID_DYNAMIC_FIRST && uid <= UID_DYNAMIC_LAST);
}

#endif
