/*
 * `sekisho-uplink enrol`: how a PC becomes known to a collector. Run by root, once.
 */
#ifndef SEKISHO_UPLINK_ENROL_H
#define SEKISHO_UPLINK_ENROL_H

/* Exit codes of the command. */
enum {
	ENROL_DONE = 0,   /* enrolled, or was already */
	ENROL_FAILED = 1, /* this machine failed: no root, no user, disk */
	ENROL_USAGE = 2,
	ENROL_REFUSED = 3, /* the collector said no, or is not the one that the token names */
	ENROL_NO_CONTACT = 4,
};

int enrol_main(int argc, char **argv);

#endif
