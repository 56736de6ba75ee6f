/*
 * [console] of /etc/sekisho/collector.conf and where the console's files lie (packaging/LAYOUT.md). Read once, at the
 * start.
 */
#ifndef SEKISHO_CONSOLE_CONFIG_H
#define SEKISHO_CONSOLE_CONFIG_H

#include "policy/base/conf.h"
#include <limits.h>

#define CONFIG_PATH_MAX 512
#define CONFIG_FILE_MAX (CONFIG_PATH_MAX + 32)
#define CONFIG_ORIGIN_SIZE 272
#define CONFIG_ISSUER_SIZE 512

struct config {
	char listen[128];
	uint64_t port;
	char names[1024];                    /* in the certificate, separated by commas */
	char dir[CONFIG_PATH_MAX];           /* the console's own */
	char collector[CONFIG_PATH_MAX];     /* the collector's folder */
	char timestamps[CONFIG_PATH_MAX];    /* sekishoctl timestamp's */
	char timestamps_ca[CONFIG_PATH_MAX]; /* who may say who the authority is; empty: it is not judged here */
	char page[CONFIG_PATH_MAX];          /* static files; empty: none */
	char certificate[CONFIG_PATH_MAX], certificate_key[CONFIG_PATH_MAX]; /* empty: of the collector's CA */
	char client_ca[CONFIG_PATH_MAX],
		client_crl[CONFIG_PATH_MAX];  /* of people's certificates; empty: none are asked for */
	char oidc_issuer[CONFIG_ISSUER_SIZE]; /* OpenID provider; empty: none */
	char oidc_name[64], oidc_client_id[256], oidc_acr[256];
	bool oidc_logout;         /* whoever signs out here is sent there to sign out, too */
	bool oidc_backchannel;    /* whoever signs out there is signed out here: it may tell so */
	bool oidc_logout_untyped; /* by tokens that do not say what they are, too */
	char oidc_secret[CONFIG_PATH_MAX], oidc_ca[CONFIG_PATH_MAX]; /* files; may be empty */
	char metrics_token[CONFIG_PATH_MAX];                         /* a file; empty: no metrics */
	char clamd_socket[CONFIG_PATH_MAX];                          /* scans what people hand in; empty: nobody does */
	char password_filter[CONFIG_PATH_MAX];                       /* a file; empty: none */
	char origin[CONFIG_ORIGIN_SIZE];                             /* that people open, https://NAME[:PORT] */

	bool hsts_subdomains; /* names below its own are by HTTPS only, too (RFC 6797, 6.1.2) */
	uint64_t connections;
	uint64_t otp_steps;           /* of 30 s before, whose code of an app is taken as well */
	uint64_t idle_us, session_us; /* of a session */
	uint64_t silent_us;           /* a PC that was not heard of for so long needs a person */
	uint64_t trial_records;       /* so many at most a policy is tried against */
	bool debug;

	/* Not settings: from SEKISHO_ROOT, the folders and the origin. */
	char rp_id[CONFIG_ORIGIN_SIZE]; /* its name, to which passkeys belong; empty: it is an address, and there are
					   none */
	char accounts[CONFIG_FILE_MAX], device_key[CONFIG_FILE_MAX], device_pub[CONFIG_FILE_MAX];
	char tls_key[CONFIG_FILE_MAX], tls_crt[CONFIG_FILE_MAX], tls_names[CONFIG_FILE_MAX], spool[CONFIG_FILE_MAX];
	char store[CONFIG_FILE_MAX], log_vkey[CONFIG_FILE_MAX], admins[CONFIG_FILE_MAX], policies[CONFIG_FILE_MAX];
	char ca_key[CONFIG_FILE_MAX], ca_crt[CONFIG_FILE_MAX];
	char run_dir[CONFIG_PATH_MAX], door[CONFIG_FILE_MAX], status[CONFIG_FILE_MAX], collector_door[CONFIG_FILE_MAX];
	char asleep[CONFIG_FILE_MAX];
};

/* Defaults, then the file, then the paths. 0; V_BAD with the line; V_NOT_FOUND where a named file is not there; -errno.
 */
int config_load(const char *path, struct config *out, struct why *why);

#endif
