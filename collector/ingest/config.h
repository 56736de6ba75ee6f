/*
 * [collector] of /etc/sekisho/collector.conf and where the collector's files lie (packaging/LAYOUT.md). Read once, at
 * the start.
 */
#ifndef SEKISHO_INGEST_CONFIG_H
#define SEKISHO_INGEST_CONFIG_H

#include "policy/base/conf.h"
#include "policy/trust/note.h"
#include <limits.h>

#define CONFIG_PATH_MAX 512

struct config {
	char listen[128];
	uint64_t port;
	char names[1024];           /* DNS names and addresses in the server's certificate, separated by commas */
	char origin[NOTE_NAME_MAX]; /* the log's name; empty: made of this machine's name at --init */
	char dir[CONFIG_PATH_MAX];
	char store[CONFIG_PATH_MAX]; /* a folder, empty: DIR/store; or postgresql://..., see collector/store/ENGINES.md
				      */
	char console[CONFIG_PATH_MAX]; /* the console's folder, whose access log is taken into the log; empty: none */
	char herald[CONFIG_PATH_MAX];  /* the same of the herald */

	uint64_t standbys;       /* of the database, that must have what is acknowledged */
	uint64_t connections;    /* open at once */
	uint64_t head_us;        /* handshake and first bytes of a request */
	uint64_t body_rate;      /* bytes a second that a sender must reach on the average */
	uint64_t idle_us;        /* a connection without a request is closed after this */
	uint64_t memory;         /* bytes of requests that are being received, over all connections */
	uint64_t commit_us;      /* longest wait until what came in is made durable */
	uint64_t cosign_us;      /* PCs are asked for cosignatures so often; 0: never */
	uint64_t disk_floor;     /* with less free space nothing is taken in */
	uint64_t quota_records;  /* of a PC in a day, beyond which it is slowed; 0: any number */
	uint64_t quota_bytes;    /* the same, of segments */
	uint64_t certificate_us; /* life of a PC's certificate */
	/* How long bodies are kept, in months, or RETENTION_FOREVER: collector/store/RETENTION.md */
	uint64_t keep_recorder, keep_guard, keep_print, keep_posture, keep_console, keep_herald;
	bool debug;

	/* Not settings: from SEKISHO_ROOT and dir. */
	char ca_key[CONFIG_PATH_MAX + 32], ca_crt[CONFIG_PATH_MAX + 32];
	char server_key[CONFIG_PATH_MAX + 32], server_crt[CONFIG_PATH_MAX + 32], server_names[CONFIG_PATH_MAX + 32];
	char log_key[CONFIG_PATH_MAX + 32], log_vkey[CONFIG_PATH_MAX + 32], device_key[CONFIG_PATH_MAX + 32];
	char spool[CONFIG_PATH_MAX + 32], tokens[CONFIG_PATH_MAX + 32], renewals[CONFIG_PATH_MAX + 32];
	char policies[CONFIG_PATH_MAX + 32], admins[CONFIG_PATH_MAX + 32];
	char state[CONFIG_PATH_MAX + 32]; /* of the last checkpoint signed, where the store is no folder; else empty */
	char console_spool[CONFIG_PATH_MAX + 32], console_key[CONFIG_PATH_MAX + 32];
	char herald_spool[CONFIG_PATH_MAX + 32], herald_key[CONFIG_PATH_MAX + 32];
	char ca_dir[CONFIG_PATH_MAX + 32], run_dir[CONFIG_PATH_MAX + 32];
	char door[CONFIG_PATH_MAX + 32], status[CONFIG_PATH_MAX + 32];
};

/*
 * Defaults, then the file, then the paths. `path` NULL: the usual one (behind SEKISHO_ROOT), where there is one. 0;
 * V_BAD with the line; V_NOT_FOUND where a named file is not there; -errno.
 */
int config_load(const char *path, struct config *out, struct why *why);

#endif
