/*
 * A producer that works beside the collector, on its machine, without a network to it: the console and the herald. It
 * seals into a spool of its own, from where the collector takes its segments. What such a program needs before it gives
 * root's power up: its folder, the spool's, and the key by which the collector knows it.
 */
#ifndef SEKISHO_WIRE_BESIDE_H
#define SEKISHO_WIRE_BESIDE_H

#include "policy/base/why.h"
#include "policy/trust/key.h"
#include <sys/types.h>

#define BESIDE_GROUP "sekisho-collector"

struct beside {
	const char *user;  /* whose it becomes, where we are root and there is such a user */
	const char *dir;   /* 0750, for the collector to come in */
	const char *spool; /* DIR/spool */
	unsigned producer;
	const char *device_key, *device_pub; /* files */
};

/* Makes what is missing; keeps what is there. 0; V_BAD where a key is none; -errno. */
int beside_prepare(const struct beside *b, struct why *why);
/* Gives a file or folder to the user, and to `group` where it is not NULL. 0, -errno. */
int beside_give(const struct beside *b, const char *path, const char *group, mode_t mode);
/* A key of the user's alone, made where it is missing. 0; V_BAD; -errno. */
int beside_key(const struct beside *b, const char *path, struct key **out, struct why *why);

#endif
