/*
 * Settings of the collector: the table of keys of [collector], which collector.conf(5) describes. See config.h.
 */
#include "collector/ingest/config.h"
#include "collector/store/store.h"
#include "policy/wire/api.h"
#include "policy/wire/program.h"
#include "policy/wire/retention.h"
#include "policy/wire/server_conf.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define S_ 1000000ull
#define KEY_(...) CONF_KEY(struct config, __VA_ARGS__)

/* Months; the floor is what no office should go below, whatever it thinks. */
#define KEEP_(name, field, of) \
	KEY_(name, CONF_MONTHS, field, 0, RETENTION_FLOOR, RETENTION_LONGEST, "how long evidence is kept: " of)

static const struct conf_key keys[] = {
	KEY_("listen", CONF_STR, listen, 128, 0, 0, "address to listen at; * is every address"),
	KEY_("port", CONF_UINT, port, 0, 1, 65535, "TCP port"),
	KEY_("names", CONF_STR, names, 1024, 0, 0, "names and addresses in the server's certificate"),
	KEY_("origin", CONF_STR, origin, NOTE_NAME_MAX, 0, 0, "name of the log"),
	KEY_("dir", CONF_STR, dir, CONFIG_PATH_MAX, 0, 0, "folder of keys and certificates"),
	KEY_("store", CONF_STR, store, CONFIG_PATH_MAX, 0, 0, "folder of the store, or postgresql://..."),
	KEY_("standbys", CONF_UINT, standbys, 0, 0, 100,
		"standbys of the database that must have what is acknowledged"),
	KEY_("console", CONF_STR, console, CONFIG_PATH_MAX, 0, 0, "folder of the console on this machine"),
	KEY_("herald", CONF_STR, herald, CONFIG_PATH_MAX, 0, 0, "folder of the herald on this machine"),
	KEY_("connections", CONF_UINT, connections, 0, 1, 1000000, "connections at once"),
	KEY_("head_timeout", CONF_TIME, head_us, 0, S_ / 10, 600 * S_, "for handshake and header of a request"),
	KEY_("body_rate", CONF_SIZE, body_rate, 0, 1, 1u << 30, "slowest sender, bytes a second"),
	KEY_("idle_timeout", CONF_TIME, idle_us, 0, S_ / 10, 86400 * S_, "connection without a request"),
	KEY_("memory", CONF_SIZE, memory, 0, 4u << 20, 1ull << 40, "requests being received, bytes in all"),
	KEY_("commit", CONF_TIME, commit_us, 0, 1000, 10 * S_, "longest wait until durable"),
	KEY_("cosign", CONF_TIME, cosign_us, 0, 0, 86400 * S_, "how often PCs are asked for cosignatures; 0: never"),
	KEY_("disk_floor", CONF_SIZE, disk_floor, 0, 0, 1ull << 44, "free space below which nothing is taken"),
	KEY_("quota_records", CONF_UINT, quota_records, 0, 0, 1ull << 40,
		"records of a PC in a day; beyond, it is slowed"),
	KEY_("quota_bytes", CONF_SIZE, quota_bytes, 0, 0, 1ull << 44, "bytes of a PC in a day; beyond, it is slowed"),
	KEY_("certificate", CONF_TIME, certificate_us, 0, 86400 * S_, 3650 * 86400 * S_, "life of a PC's certificate"),
	KEEP_("keep_recorder", keep_recorder, "files and programs"),
	KEEP_("keep_guard", keep_guard, "devices"),
	KEEP_("keep_print", keep_print, "printing"),
	KEEP_("keep_posture", keep_posture, "how PCs are kept"),
	KEEP_("keep_console", keep_console, "who looked at the logs"),
	KEEP_("keep_herald", keep_herald, "alerts"),
	KEY_("debug", CONF_BOOL, debug, 0, 0, 0, "say more in the log"),
	{NULL, CONF_STR, 0, 0, 0, 0, NULL},
};

static int set_paths(struct config *c)
{
	char dir[CONFIG_PATH_MAX], store[CONFIG_PATH_MAX], console[CONFIG_PATH_MAX], herald[CONFIG_PATH_MAX];
	int r = program_path(dir, sizeof(dir), c->dir);

	if (!r && store_is_database(c->store))
		snprintf(store, sizeof(store), "%s", c->store);
	else if (!r && c->store[0])
		r = program_path(store, sizeof(store), c->store);
	else if (!r && (size_t)snprintf(store, sizeof(store), "%s/store", dir) >= sizeof(store))
		r = -ENAMETOOLONG;
	r = r ? r : program_path(console, sizeof(console), c->console);
	r = r ? r : program_path(herald, sizeof(herald), c->herald);
	r = r ? r : program_path(c->run_dir, sizeof(c->run_dir), "/run/sekisho");
	r = r ? r : program_path(c->door, sizeof(c->door), "/run/sekisho/collector.sock");
	r = r ? r : program_path(c->status, sizeof(c->status), "/run/sekisho/collector.json");
	if (r)
		return r;
	memcpy(c->dir, dir, sizeof(c->dir));
	memcpy(c->store, store, sizeof(c->store));
	snprintf(c->console_spool, sizeof(c->console_spool), "%s/spool", console);
	snprintf(c->console_key, sizeof(c->console_key), "%s/device.pub", console);
	snprintf(c->herald_spool, sizeof(c->herald_spool), "%s/spool", herald);
	snprintf(c->herald_key, sizeof(c->herald_key), "%s/device.pub", herald);
#define UNDER_(field, name) snprintf(c->field, sizeof(c->field), "%s/" name, c->dir)
	UNDER_(ca_dir, "ca");
	UNDER_(ca_key, "ca/ca.key");
	UNDER_(ca_crt, "ca/ca.crt");
	UNDER_(server_key, "ca/server.key");
	UNDER_(server_crt, "ca/server.crt");
	UNDER_(server_names, "ca/server.names");
	UNDER_(log_key, "log.key");
	UNDER_(log_vkey, "log.vkey");
	UNDER_(device_key, "device.key");
	UNDER_(spool, "spool");
	UNDER_(tokens, "tokens");
	UNDER_(renewals, "renewals");
	UNDER_(policies, "policies");
	UNDER_(admins, "admin.keys");
	if (store_is_database(c->store))
		UNDER_(state, "state");
#undef UNDER_
	return 0;
}

int config_load(const char *path, struct config *out, struct why *why)
{
	struct config c = {
		.listen = "*",
		.port = API_PORT,
		.dir = "/var/lib/sekisho-collector",
		.console = "/var/lib/sekisho-console",
		.herald = "/var/lib/sekisho-herald",
		.connections = 16384,
		.head_us = 10 * S_,
		.body_rate = 16384,
		.idle_us = 360 * S_, /* an uplink uses one for 300: none is ended as a request sets out */
		.memory = 256u << 20,
		.commit_us = 200000,
		.cosign_us = 600 * S_,
		.disk_floor = 256u << 20,
		.quota_bytes = 1u << 30,
		.certificate_us = 90 * 86400 * S_,
		.keep_recorder = 36,
		.keep_guard = 84,
		.keep_print = 84,
		.keep_posture = 84,
		.keep_console = 84,
		.keep_herald = 84,
	};
	char host[256];
	int r = server_conf_load(path, SERVER_COLLECTOR, keys, &c, why);

	if (r)
		return r;
	if (!c.names[0]) {
		if (gethostname(host, sizeof(host)))
			return -errno;
		host[sizeof(host) - 1] = 0;
		snprintf(c.names, sizeof(c.names), "%s%slocalhost,127.0.0.1,::1", strcmp(host, "localhost") ? host : "",
			strcmp(host, "localhost") ? "," : "");
	}
	r = set_paths(&c);
	if (!r && c.standbys && !store_is_database(c.store))
		r = why_set(why, V_BAD, "standbys = %llu: only where `store` is a database",
			(unsigned long long)c.standbys);
	if (!r)
		*out = c;
	return r;
}
