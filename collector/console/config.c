/*
 * Settings of the console: the table of keys of [console], which collector.conf(5) describes. See config.h.
 */
#include "collector/console/config.h"
#include "collector/oidc/oidc.h"
#include "collector/store/stamps.h"
#include "collector/store/store.h"
#include "policy/wire/api.h"
#include "policy/wire/program.h"
#include "policy/wire/server_conf.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define S_ 1000000ull
#define KEY_(...) CONF_KEY(struct config, __VA_ARGS__)

static const struct conf_key keys[] = {
	KEY_("listen", CONF_STR, listen, 128, 0, 0, "address to listen at; * is every address"),
	KEY_("port", CONF_UINT, port, 0, 1, 65535, "TCP port"),
	KEY_("names", CONF_STR, names, 1024, 0, 0, "names and addresses in the certificate"),
	KEY_("dir", CONF_STR, dir, CONFIG_PATH_MAX, 0, 0, "folder of accounts, key and spool"),
	KEY_("collector", CONF_STR, collector, CONFIG_PATH_MAX, 0, 0, "folder of the collector"),
	KEY_("store", CONF_STR, store, CONFIG_PATH_MAX, 0, 0, "the collector's store: a folder, or postgresql://..."),
	KEY_("timestamps", CONF_STR, timestamps, CONFIG_PATH_MAX, 0, 0, "folder of the log's timestamps"),
	KEY_("timestamps_ca", CONF_STR, timestamps_ca, CONFIG_PATH_MAX, 0, 0, "CA of their authority, PEM"),
	KEY_("page", CONF_STR, page, CONFIG_PATH_MAX, 0, 0, "folder of the page"),
	KEY_("certificate", CONF_STR, certificate, CONFIG_PATH_MAX, 0, 0, "certificate chain, PEM"),
	KEY_("certificate_key", CONF_STR, certificate_key, CONFIG_PATH_MAX, 0, 0, "its private key, PEM"),
	KEY_("client_ca", CONF_STR, client_ca, CONFIG_PATH_MAX, 0, 0, "CA of people's certificates, PEM"),
	KEY_("client_crl", CONF_STR, client_crl, CONFIG_PATH_MAX, 0, 0, "which of them are revoked, PEM"),
	KEY_("oidc_issuer", CONF_STR, oidc_issuer, CONFIG_ISSUER_SIZE, 0, 0, "OpenID provider, https://..."),
	KEY_("oidc_name", CONF_STR, oidc_name, 64, 0, 0, "what people call it"),
	KEY_("oidc_client_id", CONF_STR, oidc_client_id, 256, 0, 0, "what it calls this console"),
	KEY_("oidc_client_secret", CONF_STR, oidc_secret, CONFIG_PATH_MAX, 0, 0,
		"file with the secret that it shares with this console"),
	KEY_("oidc_ca", CONF_STR, oidc_ca, CONFIG_PATH_MAX, 0, 0, "CA of its certificate, PEM"),
	KEY_("oidc_logout", CONF_BOOL, oidc_logout, 0, 0, 0, "sign out there as well"),
	KEY_("oidc_backchannel", CONF_BOOL, oidc_backchannel, 0, 0, 0, "it may sign people out here"),
	KEY_("oidc_logout_untyped", CONF_BOOL, oidc_logout_untyped, 0, 0, 0, "by tokens without their type, too"),
	KEY_("oidc_acr", CONF_STR, oidc_acr, 256, 0, 0, "what it calls a sign-in by two factors"),
	KEY_("origin", CONF_STR, origin, CONFIG_ORIGIN_SIZE, 0, 0, "where people open it, https://NAME[:PORT]"),
	KEY_("metrics_token", CONF_STR, metrics_token, CONFIG_PATH_MAX, 0, 0, "file with the token of /metrics"),
	KEY_("connections", CONF_UINT, connections, 0, 4, 100000, "connections at once"),
	KEY_("clamd_socket", CONF_STR, clamd_socket, CONFIG_PATH_MAX, 0, 0, "socket of the clamd that scans proofs"),
	KEY_("password_filter", CONF_STR, password_filter, CONFIG_PATH_MAX, 0, 0,
		"passwords that nobody may take, made by pwqfilter"),
	KEY_("hsts_subdomains", CONF_BOOL, hsts_subdomains, 0, 0, 0, "HTTPS only, for names below its own too"),
	KEY_("otp_steps", CONF_UINT, otp_steps, 0, 0, 1, "steps before, whose code is taken as well"),
	KEY_("idle", CONF_TIME, idle_us, 0, S_, 86400 * S_, "a session ends without a request"),
	KEY_("session", CONF_TIME, session_us, 0, 60 * S_, 7 * 86400 * S_, "a session ends"),
	KEY_("silent", CONF_TIME, silent_us, 0, 10 * S_, 90 * 86400 * S_, "a PC is silent"),
	KEY_("trial_records", CONF_UINT, trial_records, 0, 1, 100000000, "records that a policy is tried against"),
	KEY_("debug", CONF_BOOL, debug, 0, 0, 0, "say more in the log"),
	{NULL, CONF_STR, 0, 0, 0, 0, NULL},
};

/* A DNS name: letters, digits, dashes, dots; no address. */
static bool is_dns_name(const char *s, size_t n)
{
	size_t i, letters = 0;

	for (i = 0; i < n; i++) {
		bool letter = (s[i] >= 'a' && s[i] <= 'z') || s[i] == '-';

		if (!letter && !(s[i] >= '0' && s[i] <= '9') && s[i] != '.')
			return false;
		letters += letter;
	}
	/* What has no letter is an address, or looks like one. */
	return n && letters && n < 254 && s[0] != '.' && s[0] != '-' && s[n - 1] != '.';
}

/* The origin as browsers write it (RFC 6454 section 6.2), and the name in it. */
static int set_origin(struct config *c, struct why *why)
{
	static const char scheme[] = "https://";
	const char *name = c->names, *end;
	char port[8] = "";
	size_t n;

	if (c->port != 443)
		snprintf(port, sizeof(port), ":%u", (unsigned)c->port);
	/* The first name of the certificate that is one. */
	while (!c->origin[0] && *name) {
		n = strcspn(name, ",");
		if (is_dns_name(name, n) && n + sizeof(scheme) + strlen(port) < sizeof(c->origin))
			snprintf(c->origin, sizeof(c->origin), "%s%.*s%s", scheme, (int)n, name, port);
		name += n + (name[n] == ',');
	}
	if (!c->origin[0])
		return 0;
	name = c->origin + sizeof(scheme) - 1;
	n = !strncmp(c->origin, scheme, sizeof(scheme) - 1) ? strcspn(name, ":/") : 0;
	end = name + n;
	if (*end == ':' && strspn(end + 1, "0123456789"))
		end += 1 + strspn(end + 1, "0123456789");
	if (!n || *end || strspn(name, "0123456789abcdefghijklmnopqrstuvwxyz.-") < n || !strcmp(name + n, ":443"))
		return why_set(why, V_BAD,
			"origin: https://NAME or https://NAME:PORT belongs there, in small letters, without the port "
			"443");
	if (is_dns_name(name, n))
		snprintf(c->rp_id, sizeof(c->rp_id), "%.*s", (int)n, name);
	return 0;
}

static int check_provider(const struct config *c, struct why *why)
{
	if (!c->oidc_issuer[0])
		return c->oidc_client_id[0] || c->oidc_secret[0] || c->oidc_ca[0] || c->oidc_acr[0] ||
				       c->oidc_name[0] || c->oidc_logout || c->oidc_backchannel ||
				       c->oidc_logout_untyped
			       ? why_set(why, V_BAD, "oidc_...: belongs to oidc_issuer, which is not there")
			       : 0;
	if (!oidc_is_https(c->oidc_issuer) || strchr(c->oidc_issuer, '?'))
		return why_set(why, V_BAD, "oidc_issuer: an https address without query belongs there");
	if (!c->oidc_client_id[0])
		return why_set(why, V_BAD, "oidc_issuer: oidc_client_id belongs to it");
	if (!c->origin[0])
		return why_set(why, V_BAD, "oidc_issuer: needs an origin, to which the provider sends people back");
	if (c->oidc_logout_untyped && !c->oidc_backchannel)
		return why_set(why, V_BAD, "oidc_logout_untyped: belongs to oidc_backchannel, which is not there");
	return 0;
}

static int root_in_place(char path[CONFIG_PATH_MAX])
{
	char room[CONFIG_PATH_MAX];
	int r = path[0] ? program_path(room, sizeof(room), path) : 0;

	if (!r && path[0])
		memcpy(path, room, sizeof(room));
	return r;
}

static int set_paths(struct config *c)
{
	int r = root_in_place(c->dir);

	r = r ? r : root_in_place(c->collector);
	r = r || store_is_database(c->store) ? r : root_in_place(c->store);
	r = r ? r : root_in_place(c->timestamps);
	r = r ? r : root_in_place(c->timestamps_ca);
	r = r ? r : root_in_place(c->page);
	r = r ? r : root_in_place(c->certificate);
	r = r ? r : root_in_place(c->certificate_key);
	r = r ? r : root_in_place(c->client_ca);
	r = r ? r : root_in_place(c->client_crl);
	r = r ? r : root_in_place(c->oidc_secret);
	r = r ? r : root_in_place(c->oidc_ca);
	r = r ? r : root_in_place(c->metrics_token);
	r = r ? r : root_in_place(c->password_filter);
	r = r ? r : root_in_place(c->clamd_socket);
	r = r ? r : program_path(c->run_dir, sizeof(c->run_dir), "/run/sekisho");
	if (r)
		return r;
#define UNDER_(field, folder, name) snprintf(c->field, sizeof(c->field), "%s/" name, c->folder)
	UNDER_(accounts, dir, "accounts.json");
	UNDER_(device_key, dir, "device.key");
	UNDER_(device_pub, dir, "device.pub");
	UNDER_(tls_key, dir, "tls.key");
	UNDER_(tls_crt, dir, "tls.crt");
	UNDER_(tls_names, dir, "tls.names");
	UNDER_(spool, dir, "spool");
	if (!c->store[0])
		UNDER_(store, collector, "store");
	UNDER_(log_vkey, collector, "log.vkey");
	UNDER_(admins, collector, "admin.keys");
	UNDER_(policies, collector, "policies");
	UNDER_(ca_key, collector, "ca/ca.key");
	UNDER_(ca_crt, collector, "ca/ca.crt");
	UNDER_(door, run_dir, "console.sock");
	UNDER_(status, run_dir, "console.json");
	UNDER_(collector_door, run_dir, "collector.sock");
	UNDER_(asleep, run_dir, API_ASLEEP_FILE);
#undef UNDER_
	if (c->certificate[0])
		memcpy(c->tls_crt, c->certificate, sizeof(c->certificate));
	if (c->certificate_key[0])
		memcpy(c->tls_key, c->certificate_key, sizeof(c->certificate_key));
	return 0;
}

int config_load(const char *path, struct config *out, struct why *why)
{
	struct config c = {
		.listen = "*",
		.port = 8444,
		.dir = "/var/lib/sekisho-console",
		.collector = "/var/lib/sekisho-collector",
		.timestamps = STAMPS_FOLDER,
		.page = SEKISHO_PAGE,
		.connections = 512,
		.otp_steps = 1,
		.idle_us = 900 * S_,
		.session_us = 12 * 3600 * S_,
		.silent_us = 3600 * S_,
		.trial_records = 1000000,
	};
	char host[256];
	int r = server_conf_load(path, SERVER_CONSOLE, keys, &c, why);

	if (r)
		return r;
	if (!c.certificate[0] != !c.certificate_key[0])
		return why_set(why, V_BAD, "certificate and certificate_key belong together");
	if (c.client_crl[0] && !c.client_ca[0])
		return why_set(why, V_BAD, "client_crl: belongs to client_ca, which is not there");
	if (c.clamd_socket[0] && c.clamd_socket[0] != '/')
		return why_set(why, V_BAD, "clamd_socket: no absolute path");
	if (!c.names[0]) {
		if (gethostname(host, sizeof(host)))
			return -errno;
		host[sizeof(host) - 1] = 0;
		snprintf(c.names, sizeof(c.names), "%s%slocalhost,127.0.0.1,::1", strcmp(host, "localhost") ? host : "",
			strcmp(host, "localhost") ? "," : "");
	}
	r = set_origin(&c, why);
	r = r ? r : check_provider(&c, why);
	r = r ? r : set_paths(&c);
	if (!r && strlen(c.clamd_socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return why_set(why, V_BAD, "clamd_socket: longer than an address can be");
	if (!r)
		*out = c;
	return r;
}
