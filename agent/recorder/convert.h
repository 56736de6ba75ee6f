/*
 * A kernel event and what the tables know, to a record: a pure function. Called for every event; allocates nothing,
 * asks nobody, knows no clock.
 */
#ifndef SEKISHO_RECORDER_CONVERT_H
#define SEKISHO_RECORDER_CONVERT_H

#include "agent/recorder/decode.h"
#include "policy/wire/record.h"

#define CONVERT_PARENTS_SIZE 8192u /* the ancestors' programs, with newlines between */

/* Who acted, as far as the event itself does not tell. Borrowed strings. */
struct subject {
	struct span program;   /* that ran when it happened */
	struct span parents;   /* nearest first, separated by newlines */
	struct span container; /* empty: the host's own */
	const char *user;      /* of the login uid where set, else of the uid; NULL: unknown */
};

/* Where the object lives. */
struct object {
	unsigned class;    /* CLASS_*; 0 where there is no object */
	const char *fs;    /* type of the file system; empty where unknown */
	struct span drive; /* which drive, see devices.h */
};

/* Room for strings that a record borrows and that are in no event; lives as long as the record is in use. */
struct convert_room {
	char device[24];
};

/* Fills `r`, which is reset first. Borrows from all that is given. */
void convert(const struct seen *e, const struct subject *s, const struct object *o, uint32_t host_mnt_ns,
	struct convert_room *room, struct record *r);

/*
 * Became another user: `from_uid` before, the event's real uid now; `means` is the program by which (its last component
 * is told), `target` the new user's name or NULL.
 */
void convert_user_change(const struct seen *e, const struct subject *s, uint32_t from_uid, const char *target,
	struct span means, struct record *r);

/* Is a change of uid one of persons? Service daemons that drop root's rights are nobody's becoming another user. */
bool convert_is_user_change(uint32_t from_uid, uint32_t from_login, uint32_t uid, uint32_t login_uid);

/* The level (FILTER_*) that a record of this event needs: reading needs more than changing. */
unsigned convert_level_needed(const struct seen *e);

#endif
