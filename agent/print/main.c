/*
 * sekisho-print: judges print jobs, and records them. Started by systemd (or packaging/quickstart) as root;
 * `sekisho-print prepare` is run before cupsd starts, `sekisho-print remove` when the package goes.
 *
 * Takes what needs privilege (the PC's key, the sockets), starts its two helpers (the inspector, which reads documents,
 * and the follower, which speaks with CUPS), keeps the few capabilities that telling people on their desktop and
 * looking at cupsd's children need, filters its system calls, and only then meets jobs: in that order, below. It has no
 * network. While it is dead, jobs print or are held as the policy said last.
 */
#include "agent/evidence/evidence.h"
#include "agent/print/desk.h"
#include "agent/print/follow.h"
#include "agent/print/prepare.h"
#include "agent/print/print.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/wire/program.h"
#include <errno.h>
#include <linux/capability.h>
#include <sys/stat.h>

#define USER "root"
#define CUPS_SOCKET "/run/cups/cups.sock"
#define STATE_PATH "/var/lib/sekisho/print"
#define GUARD_PATH "/var/lib/sekisho/guard"

/* Children that speak to a person's desktop (SETUID, SETGID), and which program a wrapper is (SYS_PTRACE). */
#define KEPT (CONFINE_CAP(CAP_SETUID) | CONFINE_CAP(CAP_SETGID) | CONFINE_CAP(CAP_KILL) | CONFINE_CAP(CAP_SYS_PTRACE))

static int set_paths(struct gate *g)
{
	int r = tree_init(&g->tree);

	if (r)
		return r;
	if (gethostname(g->host, sizeof(g->host) - 1))
		return -errno;
	return agent_path(g->spool, sizeof(g->spool), "/var/spool/sekisho") ||
	       agent_path(g->inbox, sizeof(g->inbox), "/var/lib/sekisho/inbox") ||
	       agent_path(g->seen_path, sizeof(g->seen_path), "/var/lib/sekisho/inbox/checkpoint") ||
	       agent_path(g->state, sizeof(g->state), STATE_PATH) ||
	       agent_path(g->guard, sizeof(g->guard), GUARD_PATH) ||
	       agent_path(g->evidence, sizeof(g->evidence), EVIDENCE_FOLDER) ||
	       agent_path(g->desk_path, sizeof(g->desk_path), DESK_PATH) ||
	       agent_path(g->cups_socket, sizeof(g->cups_socket), CUPS_SOCKET) ||
	       agent_path(g->status_path, sizeof(g->status_path), "/run/sekisho/print.json");
}

static int make_folder_of(const char *file)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s", file);
	*strrchr(dir, '/') = 0;
	return dir_make(dir, 0755);
}

static int make_places(struct gate *g)
{
	int r = producer_folder(g->spool, "print", USER);

	r = r ? r : make_folder_of(g->status_path);
	r = r ? r : make_folder_of(g->tree.socket); /* cupsd makes it as well, and comes later at times */
	r = r ? r : dir_make(g->guard, 0700);
	return r ? r : dir_make(g->state, 0700);
}

/* Without one, jobs are judged by all that is known without their documents, and that is told. */
static int start_inspector(struct gate *g, struct why *why)
{
	int r = inspect_start(NULL, &g->inspect, why);

	if (r <= 0)
		return r;
	log_error("documents are not looked into: %s", why->text[0] ? why->text : "there is no inspector");
	why->text[0] = 0;
	return 0;
}

static int open_sealer(struct gate *g, struct why *why)
{
	int r = producer_sealer(PRODUCER_PRINT, &g->conf, &g->keys, g->spool, g->seen_path, &g->sealer, why);

	if (!r && why->text[0])
		log_warning("spool: %s; the chain begins anew, and says so", why->text);
	if (!r)
		why->text[0] = 0;
	return r;
}

static void release_all(struct gate *g)
{
	desk_stop(g);
	visits_stop(g);
	jobs_free(g);
	copies_free(g);
	kernel_close(g);
	inspect_stop(g->inspect);
	inspect_known_free(g->known);
	closep(&g->follower);
	policy_free(g->orders.policy);
	sealer_free(g->sealer);
	producer_keys_deinit(&g->keys);
	free(g->queues);
	free(g->queues_next);
	sd_event_source_unref(g->look);
	sd_event_source_unref(g->judge);
	sd_event_unref(g->event);
	free(g);
}

/* What needs privilege; then without what is not needed any more. Each step names itself where it fails. */
static int run(struct gate *g)
{
	struct why why = {""};
	const char *step;
	int r, desk = -1;

	/* helpers, before there is a key that they could see */
	step = "folders";
	r = make_places(g);
	if (!r) {
		step = "inspector";
		r = start_inspector(g, &why);
	}
	if (!r) {
		step = "follower";
		r = follow_start(g->cups_socket, &g->follower, &g->follower_pid);
	}

	/* takes what needs privilege */
	if (!r) {
		step = "keys";
		r = producer_keys_load(&g->keys, &why);
	}
	if (!r) {
		step = "policy";
		r = orders_start(g);
	}
	if (!r) {
		step = g->desk_path;
		r = desk_open(g->desk_path, &desk);
	}
	if (!r) {
		step = g->tree.socket;
		r = visits_open(g->tree.socket, &g->listen);
		kernel_open(g);
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
			r = confine_syscalls(CONFINE_LOCAL | CONFINE_CHILDREN);
	}

	/* meets the world */
	if (!r) {
		step = "spool";
		r = open_sealer(g, &why);
	}
	if (!r) {
		step = g->state;
		r = keep_load(g);
	}
	if (!r) {
		step = "desk";
		r = desk_start(g, desk);
	}
	if (!r) {
		step = "judging";
		r = loop_run(g);
	}
	return r ? program_complain(step, r, &why) : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct program program = {.name = "sekisho-print",
		.usage = "usage: sekisho-print [--config FILE]\n"
			 "       sekisho-print prepare [OPTION]...\n"
			 "       sekisho-print remove\n"
			 "       sekisho-print --help | --version\n"
			 "Judges and records print jobs. See sekisho-print(8).\n"
			 "`prepare` is run before cupsd starts; `remove` puts everything back as CUPS had it.\n"};
	struct why why = {""};
	const char *config;
	struct gate *g;
	int r;

	log_open(program.name, LOG_INFO);
	if (argc > 1 && !strcmp(argv[1], "prepare"))
		return prepare_main(argc - 1, argv + 1);
	if (!program_line(&program, argc, argv, &config, &r))
		return r;
	if (optind + 1 == argc && !strcmp(argv[optind], "remove"))
		return remove_main();
	if (optind != argc)
		return program_usage(&program);
	if (geteuid()) {
		log_error("only root can stand before CUPS");
		return EXIT_FAILURE;
	}
	g = calloc(1, sizeof(*g));
	if (!g)
		return program_complain("start", -ENOMEM, &why);
	g->listen = g->follower = -1;
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
