/*
 * What a policy would have said of what records tell: of decisions on devices (KIND_DECISION), of print jobs
 * (KIND_PRINT), of files that were written to drives (KIND_DRIVE_FILE), and of protected files that were opened
 * (KIND_FILE, KIND_FILE_REFUSED). So that a new policy can be tried against
 * last week before anybody obeys it.
 *
 * A record tells less than the PC knew. Groups are the caller's to name; what lay on a medium is taken to be what the
 * policy asks for where the device was allowed to be written to, and not otherwise; expressions that rules look for in
 * documents are taken as not found, and what has findings as not read. A file lies on a share where it did then, and
 * the area of that name still has shares. Hours are those of this machine's time zone.
 */
#ifndef SEKISHO_RULE_REPLAY_H
#define SEKISHO_RULE_REPLAY_H

#include "policy/rule/policy.h"
#include "policy/rule/print.h"

struct replay {
	bool of_device;   /* else of a print job, or */
	bool of_drive;    /* of a file on a drive, or */
	bool of_file;     /* of a protected file */
	unsigned decided; /* ACCESS_* or ACTION_* as the record has it */
	bool noted;       /* ... and was not enforced */
	/* The same as it came into force: what was only noted went through. Of a print job ACTION_ALLOW, _ALERT, _HOLD
	 * or _DENY, of a file on a drive ACTION_ALLOW, _ALERT or _QUARANTINE, of a protected one ACTION_ALLOW, _ALERT
	 * or _DENY. */
	unsigned was, now;
	char rule[POLICY_NAME_SIZE + 16]; /* that says `now` */
	char reason[POLICY_REASON_SIZE];  /* in English, as records have it */
	char reason_ja[POLICY_REASON_SIZE];
};

/* Is the record of a kind, and of a protected file one that lies in an area, then or by this policy? */
bool replay_concerns(const struct policy *p, const struct record *r);

/*
 * `host`: the name of the PC whose record it is. `groups` ends with NULL. `blind`: the person is not looked at, nor, of
 * a print job, its title and its PC, nor a file's path: rules that name one do not fit, and protected files are not
 * compared. 0; V_NOT_FOUND where the record is none of them, says too little, or was decided by something else than a
 * policy's text (a code, a person who released a job, a fault).
 */
int replay_record(const struct policy *p, const struct record *r, const char *host, const char *const *groups,
	bool blind, struct replay *out);

#endif
