/*
 * /etc/sekisho/agent.conf: the one table of its keys, for all programs of a PC (the file refuses unknown keys, so
 * nobody can have a table of his own). A key is added here, in its program's manual page or agent.conf(5), and nowhere
 * else.
 */
#ifndef SEKISHO_WIRE_AGENT_CONF_H
#define SEKISHO_WIRE_AGENT_CONF_H

#include "policy/base/conf.h"
#include "policy/base/file.h"
#include "policy/wire/api.h"
#include <limits.h>
#include <string.h>

#define AGENT_CONF_PATH "/etc/sekisho/agent.conf"
#define AGENT_URL_MAX 256
#define AGENT_URI_MAX 1024

struct agent_conf {
	/* all producers: the spool (struct sealer_options) */
	uint64_t spool_bound, spool_floor;
	char spool_full[16]; /* "drop-new" or "drop-old" */
	uint64_t seal_after_us, heartbeat_us, epoch_us;
	bool debug; /* say more in the log */
	/* what root is kept from (agent/probe/SHIELD.md): "enforce", "note" or "off" */
	char shield[16];
	char keys[16]; /* where new keys are made: "file", "tpm" or "pkcs11" */
	/* which token holds keys, by which module, where its PIN is (RFC 7512); empty: none */
	char pkcs11_uri[AGENT_URI_MAX];
	char clamd_socket[100]; /* where clamd listens, for the policy's `drives: scan` */

	/* uplink */
	char collector[AGENT_URL_MAX]; /* empty: the one that the PC enrolled with */
	uint64_t acked_keep_us;
	uint64_t backoff_max_us;
	uint64_t outage_us; /* an outage longer than this is followed by ... */
	uint64_t spread_us; /* ... a random delay of up to this before sending */
	uint64_t rate;      /* bytes a second while catching up; 0: no limit */
	uint64_t wait_us;   /* how long one waiting request is held */
};

/* Are new keys made by the keeper (policy/trust/keeper.h)? */
static inline bool agent_conf_held(const struct agent_conf *c)
{
	return strcmp(c->keys, "file") != 0;
}

/* Fills `c` with the defaults, then from `path` where there is such a file. 0; V_BAD with the line; -errno. */
static inline int agent_conf_load(const char *path, struct agent_conf *c, struct why *why)
{
#define KEY_(...) CONF_KEY(struct agent_conf, __VA_ARGS__)
#define S_ 1000000ull
	static const struct conf_key keys[] = {
		KEY_("collector", CONF_STR, collector, AGENT_URL_MAX, 0, 0, "https://HOST[:PORT] of the collector"),
		KEY_("spool_bound", CONF_SIZE, spool_bound, 0, 1u << 20, 1ull << 40, "largest size of one spool"),
		KEY_("spool_floor", CONF_SIZE, spool_floor, 0, 0, 1ull << 40, "free space to leave on the disk"),
		KEY_("spool_full", CONF_STR, spool_full, 16, 0, 0, "what gives way: drop-new or drop-old"),
		KEY_("seal_after", CONF_TIME, seal_after_us, 0, S_ / 10, 600 * S_, "ordinary records wait this long"),
		KEY_("heartbeat", CONF_TIME, heartbeat_us, 0, S_, 86400 * S_, "an idle PC says so this often"),
		KEY_("epoch", CONF_TIME, epoch_us, 0, 60 * S_, 7 * 86400 * S_, "life of a sealing key"),
		KEY_("debug", CONF_BOOL, debug, 0, 0, 0, "say more in the log"),
		KEY_("shield", CONF_STR, shield, 16, 0, 0, "what root does to the agent: enforce, note or off"),
		KEY_("keys", CONF_STR, keys, 16, 0, 0, "where this PC's keys are made: file, tpm or pkcs11"),
		KEY_("pkcs11_uri", CONF_STR, pkcs11_uri, AGENT_URI_MAX, 0, 0,
			"the PKCS#11 token: RFC 7512, with module-path"),
		KEY_("clamd_socket", CONF_STR, clamd_socket, 100, 0, 0, "socket of ClamAV's clamd"),
		KEY_("acked_keep", CONF_TIME, acked_keep_us, 0, 0, 90 * 86400 * S_, "acknowledged segments are kept"),
		KEY_("backoff_max", CONF_TIME, backoff_max_us, 0, S_ / 10, 86400 * S_, "longest wait between attempts"),
		KEY_("outage", CONF_TIME, outage_us, 0, 0, 86400 * S_, "a longer outage is a long one"),
		KEY_("spread", CONF_TIME, spread_us, 0, 0, 86400 * S_, "after it, wait at random up to this"),
		KEY_("rate", CONF_SIZE, rate, 0, 0, 1ull << 40, "bytes a second when catching up"),
		KEY_("wait", CONF_TIME, wait_us, 0, S_, 86400 * S_, "one waiting request is held this long"),
		{NULL, CONF_STR, 0, 0, 0, 0, NULL},
	};
	struct agent_conf got = {
		.spool_bound = 512ull << 20,
		.spool_floor = 1ull << 30,
		.spool_full = "drop-new",
		.keys = "file",
		.shield = "note",
		.clamd_socket = "/run/clamav/clamd.ctl",
		.seal_after_us = 15 * S_,
		.heartbeat_us = 900 * S_,
		.epoch_us = 86400 * S_,
		.acked_keep_us = 86400 * S_,
		.backoff_max_us = 900 * S_,
		.outage_us = 300 * S_,
		.spread_us = 300 * S_,
		.rate = 4ull << 20,
		.wait_us = (API_WAIT_SECONDS + 30) * S_, /* the collector answers before */
	};
	int r = conf_load(path, keys, &got, why);

	if (r && r != V_NOT_FOUND)
		return r;
	if (strcmp(got.spool_full, "drop-new") != 0 && strcmp(got.spool_full, "drop-old") != 0)
		return why_set(why, V_BAD, "%s: spool_full: neither drop-new nor drop-old", path);
	if (strcmp(got.keys, "file") != 0 && strcmp(got.keys, "tpm") != 0 && strcmp(got.keys, "pkcs11") != 0)
		return why_set(why, V_BAD, "%s: keys: neither file, tpm nor pkcs11", path);
	if (strcmp(got.shield, "enforce") != 0 && strcmp(got.shield, "note") != 0 && strcmp(got.shield, "off") != 0)
		return why_set(why, V_BAD, "%s: shield: neither enforce, note nor off", path);
	if (got.clamd_socket[0] != '/')
		return why_set(why, V_BAD, "%s: clamd_socket: no absolute path", path);
	if (!strcmp(got.keys, "pkcs11") && strncmp(got.pkcs11_uri, "pkcs11:", 7) != 0)
		return why_set(why, V_BAD, "%s: keys = pkcs11 needs pkcs11_uri = pkcs11:...", path);
	*c = got;
	return 0;
#undef S_
#undef KEY_
}

/* Where a path of packaging/LAYOUT.md lies: behind SEKISHO_ROOT, where tests set it. 0; V_FULL where it is too long. */
static inline int agent_path(char *out, size_t size, const char *path)
{
	const char *root = getenv("SEKISHO_ROOT");
	int n = snprintf(out, size, "%s%s", root ? root : "", path);

	return n < 0 || (size_t)n >= size ? V_FULL : 0;
}

#endif
