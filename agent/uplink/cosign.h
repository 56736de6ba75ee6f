/*
 * This PC as a witness towards others: its cosignature under a checkpoint of the collector's log (C2SP
 * tlog-cosignature), with a key that signs nothing else. The key lies with the process that has the network, for what
 * it signs is what that process has just checked; no evidence is sealed with it.
 */
#ifndef SEKISHO_UPLINK_COSIGN_H
#define SEKISHO_UPLINK_COSIGN_H

#include "policy/trust/cosign.h"

struct cosigner {
	struct key *key; /* NULL: this PC does not cosign */
	char name[NOTE_NAME_MAX];
	char declared[WITNESS_LINE_MAX]; /* whose key it is, signed by the device key */
};

/*
 * Makes the key (DIR/witness.key) and the device key's word for it (DIR/witness.pub) where they are not there. Called
 * before privileges are given up, where the device key may be read; what it reads of that key is gone with the child
 * that does it. `uid` and `gid` own the files; -1: whoever runs. 0, also where there is no device key; -errno.
 */
int cosigner_make(const char *device_key, const char *dir, uid_t uid, gid_t gid);
/* Loads both. Without them this PC does not cosign, and goes on. 0, -errno. */
int cosigner_load(struct cosigner *c, const char *dir);
void cosigner_deinit(struct cosigner *c);

#endif
