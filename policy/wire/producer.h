/*
 * What every producer of a PC does at its start: the PC's key, the log's key, its folder in the spool, its sealer. Used
 * by the programs of agent/ that make records.
 */
#ifndef SEKISHO_WIRE_PRODUCER_H
#define SEKISHO_WIRE_PRODUCER_H

#include "policy/wire/agent_conf.h"
#include "policy/wire/spool.h"

/* Who this PC is, and (where it is enrolled) how the collector's log signs. */
struct producer_keys {
	struct key *device; /* owned */
	struct verifier log;
	bool has_log;
};
/* 0; V_NOT_FOUND where the PC has no key yet; V_BAD; -errno. Needs to be allowed to read the key. */
int producer_keys_load(struct producer_keys *k, struct why *why);
void producer_keys_deinit(struct producer_keys *k);

/*
 * Makes <spool>/<name> and <spool>/<name>.own where they are missing, both the user's, the first the uplink's to take
 * from. `user` as in getpwnam; where there is none, the caller's. 0, -errno.
 */
int producer_folder(const char *spool, const char *name, const char *user);

/*
 * The sealer, by the settings that all producers share. A damaged chain is begun anew, which `why` tells (and 0 is
 * returned). 0; V_EXISTS; -errno.
 */
int producer_sealer(unsigned producer, const struct agent_conf *conf, const struct producer_keys *k, const char *spool,
	const char *seen_path, struct sealer **out, struct why *why);

/* Until when (boot clock, us) somebody follows this PC, by the uplink's word in the inbox; 0: nobody does. */
int64_t producer_followed(const char *inbox);

#endif
