/*
 * sekisho-recorder: kernel events to signed records in its spool.
 *
 * Started by systemd (or packaging/quickstart) as root. Takes what needs privilege (the pinned tables, the filter's way
 * into the kernel, the PC's key), becomes its own user without capabilities, filters its system calls, and only then
 * meets the first event: in that order, below. It has no network.
 */
#include "agent/recorder/recorder.h"
#include "agent/service/service.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/wire/producer.h"
#include "policy/wire/program.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>

#define USER "sekisho-recorder"
#define PROBE_WAIT_S 15

static int set_paths(struct recorder *r, const char *filter)
{
	if (filter && strlen(filter) < sizeof(r->filter_path))
		memcpy(r->filter_path, filter, strlen(filter) + 1);
	else if (filter || agent_path(r->filter_path, sizeof(r->filter_path), "/etc/sekisho/record.yaml"))
		return V_FULL;
	return agent_path(r->spool, sizeof(r->spool), "/var/spool/sekisho") ||
	       agent_path(r->inbox, sizeof(r->inbox), "/var/lib/sekisho/inbox") ||
	       agent_path(r->seen_path, sizeof(r->seen_path), "/var/lib/sekisho/inbox/checkpoint") ||
	       agent_path(r->areas_path, sizeof(r->areas_path), SERVICE_ORDERS "/policy.yaml") ||
	       agent_path(r->utmp, sizeof(r->utmp), "/run/utmp") ||
	       agent_path(r->status_path, sizeof(r->status_path), "/run/sekisho/recorder.json");
}

/* Folders that are the recorder's to write, made where they are missing. */
static int make_places(struct recorder *r)
{
	char run[PATH_MAX];
	int got;

	snprintf(run, sizeof(run), "%s", r->status_path);
	*strrchr(run, '/') = 0;
	got = producer_folder(r->spool, "recorder", USER);
	got = got ? got : dir_make(run, 0755);
	/* The guard makes it too: whoever comes first where no package did. */
	if (!got && service_orders_folder(USER))
		log_warning(SERVICE_ORDERS
			" cannot be made: there are no areas of protected files until the guard has made it");
	return got;
}

/* The status file itself, for where its folder is root's: ours to write, for everybody to read. */
static void make_status_file(struct recorder *r)
{
	struct passwd *pw = getpwnam(USER);

	r->status_fd = -1;
	if (geteuid() || !pw)
		return;
	r->status_fd = open(r->status_path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (r->status_fd >= 0 && (fchown(r->status_fd, pw->pw_uid, pw->pw_gid) || fchmod(r->status_fd, 0644))) {
		/* Root's own in a folder with the sticky bit: it would only stand in the way of whom it is for. */
		closep(&r->status_fd);
		(void)unlink(r->status_path);
	}
}

/* After the power is gone: a folder that we may write takes whole files by rename, which is better. */
static void choose_status(struct recorder *r)
{
	char run[PATH_MAX];

	snprintf(run, sizeof(run), "%s", r->status_path);
	*strrchr(run, '/') = 0;
	if (access(run, W_OK) == 0)
		closep(&r->status_fd);
}

static int on_cloud(void *ctx, const struct cloud_word *w)
{
	const struct recorder *r = ctx;

	return cloud_send(r->cloud, w);
}

static bool on_guard_heard(void *ctx)
{
	(void)ctx;
	return cloud_heard();
}

/* Before the power is given up: the socket is root's. Without it copies are told all the same, and without hashes. */
static void listen_for_looks(struct recorder *r)
{
	int got = look_listen(&r->look);

	if (got)
		log_warning("what the guard looks into cannot be heard of: %s", strerror(-got));
	r->engine.guard_heard = got ? NULL : on_guard_heard;
}

static int make_tables(struct recorder *r)
{
	int got = names_new(&r->names);

	if (!got)
		got = cloud_sender(&r->cloud);
	if (!got)
		got = clouds_new(on_cloud, r, &r->clouds);
	if (!got)
		got = processes_new(r->names, &r->processes);
	if (!got)
		got = devices_new("/sys", "/proc/self/mountinfo", &r->devices);
	if (!got)
		got = users_new(&r->users);
	if (!got)
		got = areas_new(&r->areas);
	if (!got)
		got = copies_new(engine_copied, &r->engine, &r->copies);
	if (!got)
		copies_await(r->copies, engine_awaits);
	if (!got && !(r->filter = calloc(1, sizeof(*r->filter))))
		got = -ENOMEM;
	if (!got)
		got = devices_refresh(r->devices, NULL, NULL);
	steer_homes(r);
	return got < 0 ? got : 0;
}

/* The PC's own. Where not even root may look at process 1 no systemd has put this program into another one. */
static uint32_t mount_namespace_of_init(void)
{
	struct stat st;

	return stat("/proc/1/ns/mnt", &st) && stat("/proc/self/ns/mnt", &st) ? 0 : (uint32_t)st.st_ino;
}

/* Programs of the kernel: those that lie ready, or (to try things out) loaded now. */
static int open_probe(struct recorder *r, bool load, struct why *why)
{
	struct group *gr = getgrnam(USER);
	struct probe_options o = {.group = gr ? gr->gr_gid : 0};
	unsigned set;
	int got = load ? probe_load(&o, &set, why) : 0;

	if (!got)
		got = probe_open(&r->probe, why);
	if (got == V_NOT_FOUND && !why->text[0])
		why_set(why, got, "nothing is loaded: sekisho-load goes first");
	return got;
}

/*
 * Where nothing is loaded yet, it may be soon: sekisho-load is tried again, too. On a PC where that never works this is
 * a start in a quarter of a minute, and not each second.
 */
static int await_probe(struct recorder *r, bool load, struct why *why)
{
	int got = open_probe(r, load, why);
	unsigned i;

	for (i = 0; got == V_NOT_FOUND && i < PROBE_WAIT_S; i++) {
		if (!i)
			log_warning("kernel programs: %s; waiting for them", why->text);
		poll(NULL, 0, 1000);
		why->text[0] = 0;
		got = open_probe(r, load, why);
	}
	return got;
}

static int open_sealer(struct recorder *r, struct why *why)
{
	int got = producer_sealer(PRODUCER_RECORDER, &r->conf, &r->keys, r->spool, r->seen_path, &r->sealer, why);

	if (!got && why->text[0])
		log_warning("spool: %s; the chain begins anew, and says so", why->text);
	if (!got)
		why->text[0] = 0;
	return got;
}

static void release(struct recorder *r)
{
	arguments_end(&r->arguments);
	logind_watch_free(r->logind);
	utmp_watch_free(r->utmp_watch);
	sd_event_source_unref(r->retry);
	sd_event_unref(r->event);
	sealer_free(r->sealer);
	probe_close(r->probe);
	clouds_free(r->clouds);
	closep(&r->cloud);
	look_unlisten(&r->look);
	copies_free(r->copies);
	users_free(r->users);
	devices_free(r->devices);
	processes_free(r->processes);
	names_free(r->names);
	areas_free(r->areas);
	free(r->filter);
	producer_keys_deinit(&r->keys);
	closep(&r->status_fd);
	free(r);
}

/* What needs privilege; then without it. Each step names itself where it fails. */
static int run(struct recorder *r, bool load)
{
	struct why why = {""};
	const char *step;
	int got;

	/* takes what needs privilege */
	step = "folders";
	got = make_places(r);
	if (!got) {
		make_status_file(r);
		listen_for_looks(r);
		step = "tables";
		got = make_tables(r);
	}
	if (!got) {
		step = "keys";
		got = producer_keys_load(&r->keys, &why);
	}
	if (!got) {
		step = "kernel programs";
		r->engine.host_mnt_ns = mount_namespace_of_init();
		got = await_probe(r, load, &why);
	}
	if (!got) {
		step = "filter";
		got = steer_start(r, &why);
	}

	/* gives it up */
	if (!got) {
		step = "giving up privileges";
		got = program_give_up_power(USER, &why);
	}
	if (!got && arguments_start(&r->arguments, "/proc"))
		log_warning("no child: arguments of what runs already are not told");
	if (!got) {
		step = "system call filter";
		choose_status(r);
		got = sd_event_default(&r->event);
		if (got >= 0)
			got = confine_syscalls(CONFINE_LOCAL | CONFINE_MAPS);
	}

	/* meets the world */
	if (!got) {
		step = "spool";
		got = open_sealer(r, &why);
	}
	if (!got) {
		step = "recording";
		r->engine.filter = r->filter;
		r->engine.names = r->names;
		r->engine.processes = r->processes;
		r->engine.devices = r->devices;
		r->engine.users = r->users;
		r->engine.copies = r->copies;
		r->engine.areas = r->areas;
		purposes_init(&r->purposes, r->areas_path);
		r->engine.purposes = &r->purposes;
		r->engine.proc = "/proc";
		r->engine.clouds = r->clouds;
		log_info("recording by %s",
			probe_set_of(r->probe) == PROBE_SET_TRAMPOLINE ? "trampolines" : "tracepoints");
		got = loop_run(r);
	}
	return got ? program_complain(step, got, &why) : EXIT_SUCCESS;
}

enum { OWN_FILTER = PROGRAM_OWN, OWN_LOAD };

struct line {
	const char *filter;
	bool load;
};

static void take_option(void *ctx, int val, const char *value)
{
	struct line *line = ctx;

	if (val == OWN_FILTER)
		line->filter = value;
	else
		line->load = true;
}

int main(int argc, char **argv)
{
	static const struct option own[] = {{"filter", required_argument, NULL, OWN_FILTER},
		{"load", no_argument, NULL, OWN_LOAD}, {NULL, 0, NULL, 0}};
	struct line line = {.filter = NULL};
	const struct program program = {.name = "sekisho-recorder",
		.usage = "usage: sekisho-recorder [--config FILE] [--filter FILE] [--load]\n"
			 "       sekisho-recorder --help | --version\n"
			 "Makes signed records of what the kernel saw. See sekisho-recorder(8).\n",
		.own = own,
		.take = take_option,
		.ctx = &line};
	struct why why = {""};
	const char *config;
	struct recorder *r;
	int got;

	if (!program_line(&program, argc, argv, &config, &got))
		return got;
	if (optind != argc)
		return program_usage(&program);
	r = calloc(1, sizeof(*r));
	if (!r)
		return program_complain("start", -ENOMEM, &why);
	r->status_fd = r->cloud = r->look = -1;
	if (set_paths(r, line.filter)) {
		free(r);
		return program_complain("SEKISHO_ROOT", -ENAMETOOLONG, &why);
	}
	got = program_settings(&program, config, &r->conf, &why);
	if (got) {
		free(r);
		return program_complain("settings", got, &why);
	}
	umask(0027);
	got = run(r, line.load);
	release(r);
	return got;
}
