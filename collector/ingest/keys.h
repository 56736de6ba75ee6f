/*
 * What the collector is: its certificate authority, its log's key, its own device key. Made once by --init, never
 * replaced; read at the start.
 */
#ifndef SEKISHO_INGEST_KEYS_H
#define SEKISHO_INGEST_KEYS_H

#include "collector/ingest/config.h"
#include "policy/trust/cert.h"

#define KEYS_PEM_MAX 16384u

struct keys {
	struct key *ca, *log, *device;
	struct buf ca_pem;
	struct buf vkey; /* the log's verifier key, without a newline */
	struct digest ca_fingerprint;
	struct digest host; /* id of the device key */
	char origin[NOTE_NAME_MAX];
};

/*
 * Makes what is missing: folders, CA, log key and its name, device key, server key and certificate. Says each thing
 * that it made to standard error. 0; V_BAD where what is there does not fit together, or the log would get another
 * name; -errno.
 */
int keys_init(const struct config *c, struct why *why);
/* The device key, made where there is none. 0; V_BAD; -errno. */
int keys_device(const struct config *c, struct key **out, struct why *why);
/* 0; V_NOT_FOUND where --init was not run; V_BAD; -errno. */
int keys_load(const struct config *c, struct keys *out, struct why *why);
void keys_deinit(struct keys *k);

/*
 * A new server certificate where there is none, where the configured names changed, or where less than a third of its
 * life is left. 0 with *renewed, V_BAD, -errno.
 */
int keys_server_certificate(const struct config *c, const struct keys *k, bool *renewed, struct why *why);

#endif
