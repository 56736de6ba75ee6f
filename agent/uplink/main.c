/*
 * sekisho-uplink: takes sealed segments from the spool to the collector, and what the collector says to the inbox. The
 * only program of a PC with the network; it holds no key that could sign evidence, and decides nothing.
 *
 * Started by systemd (or packaging/quickstart) as root or as its user. Takes what needs privilege, gives it up, and
 * then meets the world: in that order, below.
 */
#include "agent/uplink/enrol.h"
#include "agent/uplink/uplink.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/log.h"
#include "policy/wire/program.h"
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#define USER "sekisho-uplink"

static int set_paths(struct uplink *u, char uplink_dir[PATH_MAX], char vkey[PATH_MAX])
{
	return agent_path(u->spool, sizeof(u->spool), "/var/spool/sekisho") ||
	       agent_path(u->inbox, sizeof(u->inbox), "/var/lib/sekisho/inbox") ||
	       agent_path(u->status_path, sizeof(u->status_path), "/run/sekisho/uplink.json") ||
	       agent_path(u->guard_status_path, sizeof(u->guard_status_path), "/run/sekisho/guard.json") ||
	       agent_path(uplink_dir, PATH_MAX, "/var/lib/sekisho/uplink") ||
	       agent_path(vkey, PATH_MAX, "/var/lib/sekisho/device/log.vkey");
}

/* The URL of the configuration, else the one that the PC enrolled with. */
static int set_url(struct uplink *u, const char *dir, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(AGENT_URL_MAX);
	char path[PATH_MAX + 16];
	int r;

	if (u->conf.collector[0]) {
		memcpy(u->url, u->conf.collector, sizeof(u->url));
		return http_check_url(u->url, why);
	}
	snprintf(path, sizeof(path), "%s/collector", dir);
	r = file_read(path, &b);
	if (r)
		return r == V_NOT_FOUND ? why_set(why, r, "no collector: neither in agent.conf nor by enrolment") : r;
	while (b.n && (b.p[b.n - 1] == '\n' || b.p[b.n - 1] == ' '))
		b.n--;
	if (b.n >= sizeof(u->url))
		return why_set(why, V_BAD, "%s: longer than %zu bytes", path, sizeof(u->url) - 1);
	if (b.n)
		memcpy(u->url, b.p, b.n);
	u->url[b.n] = 0;
	return http_check_url(u->url, why);
}

/* What only root can do: places that its user writes to, and the device key's word for the witness key. */
static int prepare(struct uplink *u, const char *uplink_dir)
{
	struct passwd *pw = geteuid() ? NULL : getpwnam(USER);
	char device_key[PATH_MAX];
	struct stat st;
	int r;

	if (agent_path(device_key, sizeof(device_key), "/var/lib/sekisho/device/device.key"))
		return -ENAMETOOLONG;
	r = cosigner_make(device_key, uplink_dir, pw ? pw->pw_uid : (uid_t)-1, pw ? pw->pw_gid : (gid_t)-1);
	if (r)
		log_warning("this PC does not cosign checkpoints: its key cannot be made: %s", strerror(-r));
	if (geteuid())
		return 0;
	r = dir_make(u->spool, 0755);
	if (!r)
		r = dir_make(u->inbox, 0755);
	if (!r && pw && !lstat(u->inbox, &st) && !st.st_uid && lchown(u->inbox, pw->pw_uid, pw->pw_gid))
		r = -errno;
	return r;
}

static int run(struct uplink *u)
{
	sigset_t stop;
	int r;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	r = sd_event_add_signal(u->event, NULL, SIGTERM, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(u->event, NULL, SIGINT, NULL, NULL);
	if (r >= 0)
		r = http_new(u->event, u->url, &u->http);
	if (r >= 0)
		r = http_identify(u->http, &u->id);
	if (r >= 0)
		r = renew_start(u);
	if (r >= 0)
		r = policy_start(u);
	if (r >= 0)
		r = network_start(u);
	if (r >= 0)
		r = sender_start(u);
	if (r >= 0) {
		status_write(u);
		sd_notify(0, "READY=1");
		r = sd_event_loop(u->event);
	}
	sd_notify(0, "STOPPING=1");
	if (r >= 0 && u->failed)
		r = u->failed;
	network_stop(u);
	status_stop(u);
	renew_stop(u);
	if (u->http) {
		policy_stop(u);
		wait_stop(u);
		sd_event_source_disable_unref(u->wait.timer);
		http_cancel(u->http, HTTP_SEND);
		http_free(u->http);
	}
	sender_stop(u);
	return r;
}

static int daemon_main(const struct program *program, const char *config)
{
	struct uplink *u = calloc(1, sizeof(*u));
	char uplink_dir[PATH_MAX], vkey[PATH_MAX];
	struct why why = {""};
	int r;

	if (!u)
		return program_complain("start", -ENOMEM, &why);
	u->network.fd = u->network.clock_fd = -1;
	if (set_paths(u, uplink_dir, vkey))
		return program_complain("SEKISHO_ROOT", -ENAMETOOLONG, &why);
	r = program_settings(program, config, &u->conf, &why);
	if (r)
		return program_complain("settings", r, &why);
	r = prepare(u, uplink_dir);
	if (r)
		return program_complain("directories", r, &why);
	signal(SIGPIPE, SIG_IGN);
	umask(022);

	r = program_give_up_power(USER, &why);
	if (r)
		return program_complain("giving up privileges", r, &why);

	r = identity_load(&u->id, uplink_dir, &why);
	if (!r)
		r = set_url(u, uplink_dir, &why);
	if (!r)
		r = witness_open(&u->witness, vkey, u->inbox, &why);
	if (!r)
		r = cosigner_load(&u->cosign.own, uplink_dir);
	if (r)
		return program_not_started("start", r, &why);
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return program_complain("libcurl", -ENOSYS, &why);
	r = sd_event_new(&u->event);
	if (r < 0)
		return program_complain("event loop", r, &why);
	r = confine_syscalls(CONFINE_SERVER);
	if (r)
		return program_complain("system call filter", r, &why);

	log_info("started for %s, host %.16s", u->url, u->id.info.cn);
	r = run(u);
	if (r < 0)
		program_complain("ended", r, &why);
	sd_event_unref(u->event);
	witness_close(&u->witness);
	cosigner_deinit(&u->cosign.own);
	identity_deinit(&u->id);
	curl_global_cleanup();
	free(u);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct program program = {.name = "sekisho-uplink",
		.usage = "usage: sekisho-uplink [--config FILE]\n"
			 "       sekisho-uplink enrol [--config FILE] [--name NAME] [--again] --collector "
			 "https://HOST[:PORT] TOKEN\n"
			 "       sekisho-uplink --help | --version\n"
			 "Brings what this PC recorded to the collector. See sekisho-uplink(8).\n"
			 "  enrol  makes this PC known to a collector, once, by a token of its administrator\n"};
	const char *config;
	int code;

	log_open(program.name, LOG_INFO);
	if (argc > 1 && !strcmp(argv[1], "enrol"))
		return enrol_main(argc - 1, argv + 1);
	if (!program_line(&program, argc, argv, &config, &code))
		return code;
	return optind == argc ? daemon_main(&program, config) : program_usage(&program);
}
