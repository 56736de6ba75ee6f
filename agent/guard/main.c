/*
 * sekisho-guard: what may be done with which device. Started by systemd (or packaging/quickstart) as root;
 * `sekisho-guard ask` is run by udev's rules, `sekisho-guard sleep` and `wake` where the PC sleeps (ask.c).
 *
 * Starts its helpers (the inspector, which reads what was written to drives; who answers for protected files), takes
 * what needs privilege (the gate's maps, the PC's key, the desk's socket), keeps the few capabilities that flags,
 * mounts and sysfs need, filters its system calls, and only then meets devices: in that order, below. It has no
 * network; what it holds stays held when it ends.
 */
#include "agent/guard/desk.h"
#include "agent/guard/guard.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/wire/program.h"
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define USER "root"
#define STATE_PATH "/var/lib/sekisho/guard"

/* Flags and mounts (SYS_ADMIN), the gate's maps (BPF), sysfs and others' folders (DAC), who did it (SYS_PTRACE),
 * children that speak to a person's desktop (SETUID, SETGID), and who writes to a file right now (LEASE). */
#define KEPT                                                                                      \
	(CONFINE_CAP(CAP_SYS_ADMIN) | CONFINE_CAP(CAP_BPF) | CONFINE_CAP(CAP_DAC_OVERRIDE) |      \
		CONFINE_CAP(CAP_SYS_PTRACE) | CONFINE_CAP(CAP_SETUID) | CONFINE_CAP(CAP_SETGID) | \
		CONFINE_CAP(CAP_KILL) | CONFINE_CAP(CAP_LEASE))

static int set_paths(struct guard *g)
{
	if (gethostname(g->host, sizeof(g->host) - 1))
		return -errno;
	return agent_path(g->spool, sizeof(g->spool), "/var/spool/sekisho") ||
	       agent_path(g->inbox, sizeof(g->inbox), "/var/lib/sekisho/inbox") ||
	       agent_path(g->seen_path, sizeof(g->seen_path), "/var/lib/sekisho/inbox/checkpoint") ||
	       agent_path(g->state, sizeof(g->state), STATE_PATH) ||
	       agent_path(g->orders_path, sizeof(g->orders_path), SERVICE_ORDERS "/policy.yaml") ||
	       agent_path(g->socket_path, sizeof(g->socket_path), DESK_PATH) ||
	       agent_path(g->status_path, sizeof(g->status_path), "/run/sekisho/guard.json");
}

static int make_places(struct guard *g)
{
	char run[PATH_MAX];
	int r = producer_folder(g->spool, "guard", USER);

	snprintf(run, sizeof(run), "%s", g->status_path);
	*strrchr(run, '/') = 0;
	if (!r)
		r = dir_make(run, 0755);
	r = r ? r : service_orders_folder("sekisho-recorder");
	return r ? r : dir_make(g->state, 0700);
}

/*
 * Where there is no gate, or none that can be taken, udev's rules and flags are all that holds: told in status and
 * records. Memory is there again when we are started anew.
 */
static int open_gate(struct guard *g, struct why *why)
{
	int r;

	g->pinned = gate_pinned(); /* first: one that comes meanwhile is another one */
	r = gate_open(&g->gate, why);
	r = r ? r : gate_exempt_self(g->gate);
	if (!r || r == -ENOMEM)
		return r;
	if (!why->text[0])
		why_set(why, r, "%s", r == V_NOT_FOUND ? "not loaded: sekisho-load goes first" : strerror(-r));
	log_error("the kernel's gate: %s", why->text);
	why->text[0] = 0;
	gate_close(g->gate);
	g->gate = NULL;
	return 0;
}

/* Without udev (a container) there is nothing to guard, and the rest goes on. */
static int open_udev(struct guard *g)
{
	static const char *const subsystems[] = {
		"usb", "block", "scsi_generic", "bsg", "scsi_tape", "scsi_changer", "net", "tty"};
	size_t i;

	g->udev = udev_new();
	if (!g->udev)
		return -ENOMEM;
	g->monitor = udev_monitor_new_from_netlink(g->udev, "udev");
	if (!g->monitor) {
		log_warning("udev cannot be heard: %s", strerror(errno));
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(subsystems); i++)
		udev_monitor_filter_add_match_subsystem_devtype(g->monitor, subsystems[i], NULL);
	udev_monitor_set_receive_buffer_size(g->monitor, 4 << 20);
	return udev_monitor_enable_receiving(g->monitor) < 0 ? -EIO : 0;
}

static int open_sealer(struct guard *g, struct why *why)
{
	int r = producer_sealer(PRODUCER_GUARD, &g->conf, &g->keys, g->spool, g->seen_path, &g->sealer, why);

	if (!r && why->text[0])
		log_warning("spool: %s; the chain begins anew, and says so", why->text);
	if (!r)
		why->text[0] = 0;
	return r;
}

/* What was known of our own files; without it the guard guards all the same. */
static void open_own(struct guard *g)
{
	char path[PATH_MAX + 16];
	int r;

	snprintf(path, sizeof(path), "%s/own.json", g->state);
	r = own_new(path, getenv("SEKISHO_ROOT"), &g->own);
	if (r)
		log_error("%s: %s: changes to our own files are not told", path, strerror(-r));
}

static void release_all(struct guard *g)
{
	asleep_close(g);
	maintenance_free(g);
	own_free(g->own);
	desk_stop(g);
	people_stop(g);
	devices_free(g);
	if (g->monitor)
		udev_monitor_unref(g->monitor);
	if (g->udev)
		udev_unref(g->udev);
	notify_free(g->notify);
	release_free(g->release);
	orders_free(&g->orders);
	sealer_free(g->sealer);
	producer_keys_deinit(&g->keys);
	gate_close(g->gate);
	printers_close(g);
	protect_close(g);
	written_close(g);
	refuse_close(g);
	reasons_close(g);
	sd_event_source_unref(g->again);
	sd_event_unref(g->event);
	free(g);
}

/* What needs privilege; then without what is not needed any more. Each step names itself where it fails. */
static int run(struct guard *g)
{
	struct why why = {""};
	const char *step;
	int r, desk = -1;

	/* helpers, before there is a key that they could see */
	step = "inspector";
	r = written_open(g);
	if (!r) {
		step = "helpers for protected files";
		r = refuse_open(g);
		r = r ? r : reasons_open(g);
	}

	/* takes what needs privilege */
	if (!r) {
		step = "folders";
		r = make_places(g);
		if (!r)
			written_hear(g);
	}
	if (!r) {
		step = "keys";
		r = producer_keys_load(&g->keys, &why);
	}
	if (!r) {
		step = "the kernel's gate";
		r = open_gate(g, &why);
		r = r ? r : printers_open(g, &why);
		r = r ? r : protect_open(g, &why);
	}
	if (!r) {
		step = "udev";
		r = open_udev(g);
	}
	if (!r) {
		step = "release codes";
		r = release_new(g->state, g->keys.device, &g->release, &why);
		if (!r && why.text[0])
			log_warning("%s", why.text);
		why.text[0] = 0;
	}
	if (!r) {
		open_own(g);
		step = "policy";
		r = orders_start(g, &why);
	}
	if (!r) {
		step = "notifications";
		r = notify_new(&g->notify);
	}
	if (!r) {
		step = g->socket_path;
		r = desk_open(g->socket_path, &desk);
	}

	/* gives up what it does not need */
	if (!r) {
		step = "giving up privileges";
		r = confine_capabilities(KEPT);
	}
	if (!r) {
		step = "system call filter";
		r = sd_event_default(&g->event);
		if (r >= 0)
			r = confine_syscalls(CONFINE_LOCAL | CONFINE_MAPS | CONFINE_DEVICES);
	}

	/* meets the world */
	if (!r) {
		step = "spool";
		r = open_sealer(g, &why);
	}
	if (!r) {
		step = "desk";
		r = desk_start(g, desk);
	}
	if (!r) {
		step = "guarding";
		r = loop_run(g);
	}
	return r ? program_complain(step, r, &why) : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct program program = {.name = "sekisho-guard",
		.usage = "usage: sekisho-guard [--config FILE]\n"
			 "       sekisho-guard ask | sleep | wake\n"
			 "       sekisho-guard --help | --version\n"
			 "Holds every device that the policy does not approve. See sekisho-guard(8).\n"
			 "`ask` is for udev's rules: gives their event to the guard and prints what it decided.\n"
			 "`sleep` and `wake` are for what puts the PC to sleep: have the guard record that it does "
			 "so.\n"};
	struct why why = {""};
	const char *config;
	struct guard *g;
	int r;

	if (!program_line(&program, argc, argv, &config, &r))
		return r;
	if (optind + 1 == argc && !strcmp(argv[optind], "ask"))
		return ask_main();
	if (optind + 1 == argc && (!strcmp(argv[optind], "sleep") || !strcmp(argv[optind], "wake")))
		return sleep_main(argv[optind]);
	if (optind != argc)
		return program_usage(&program);
	if (geteuid()) {
		log_error("only root can hold devices");
		return EXIT_FAILURE;
	}
	g = calloc(1, sizeof(*g));
	if (!g)
		return program_complain("start", -ENOMEM, &why);
	r = set_paths(g);
	r = r ? r : program_settings(&program, config, &g->conf, &why);
	if (r) {
		free(g);
		return program_complain("settings", r, &why);
	}
	umask(0027);
	r = run(g);
	release_all(g);
	return r;
}
