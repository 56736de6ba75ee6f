/*
 * sekisho-collector: takes in, verifies, stores, proves and acknowledges what PCs send; enrols and revokes them. One
 * process, one port in, no port out.
 *
 * Started by systemd (or packaging/quickstart) as root or as its user. Takes what needs privilege (a port, the
 * administrator's socket), gives it up, reads its keys, and then meets the world: in that order, below.
 */
#include "collector/ingest/ingest.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define USER "sekisho-collector"
#define EXIT_NOT_MADE 78 /* EX_CONFIG of sysexits.h: no use in starting again before that is changed */
#define DRAIN_S 10
#define STATUS_S 5
#define CERTIFICATE_S 3600

#ifdef __SANITIZE_ADDRESS__
/* The leak check at exit wants ptrace, which the filter answers with death. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static int usage(FILE *to, int code)
{
	fputs("usage: sekisho-collector [--config FILE] [--init]\n", to);
	return code;
}

static int complain(const char *what, int r, const struct why *why)
{
	if (why->text[0])
		log_error("%s", why->text);
	else
		log_error("%s: %s", what, r < 0 ? strerror(-r) : "unusable");
	return r == V_NOT_FOUND ? EXIT_NOT_MADE : EXIT_FAILURE;
}

void ingest_fail(struct ingest *in, int r, const char *what)
{
	if (in->failed)
		return;
	in->failed = r < 0 ? r : -EIO;
	in->server.failed = true;
	log_error("%s: %s", what, strerror(-in->failed));
	event_base_loopbreak(in->server.base);
}

void ingest_tell(struct ingest *in, const struct entry *e)
{
	int r = journal_put(in->journal, e);

	if (r)
		ingest_fail(in, r, "journal");
	else if (e->urgent)
		commit_soon(in);
}

/* --- timers --- */

static void set_timer(struct event *ev, int64_t us)
{
	struct timeval tv = {us / 1000000, us % 1000000};

	event_add(ev, &tv);
}

/* Seals what is due; what was sealed goes into the store with the next commit. */
static void on_journal(evutil_socket_t fd, short what, void *arg)
{
	struct ingest *in = arg;
	int64_t wait;
	unsigned n, desk;
	int r = journal_run(in->journal, clock_boot_us());

	(void)fd;
	(void)what;
	r = r ? r : journal_drain(in->journal, &n);
	r = r ? r : desk_drain(in->desk, &desk);
	if (r) {
		ingest_fail(in, r, "journal");
		return;
	}
	if (n || desk)
		commit_soon(in);
	wait = journal_due(in->journal) - clock_boot_us();
	set_timer(in->journal_timer, wait < 100000 ? 100000 : wait > 1000000 ? 1000000 : wait);
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
	struct ingest *in = arg;

	(void)fd;
	(void)what;
	server_tick(&in->server);
	wait_tick(in);
	if (in->server.stopping && !in->server.conns_n)
		event_base_loopbreak(in->server.base);
}

static void on_status(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	status_write(arg, true);
}

/* The server's certificate is renewed by the process that uses it. */
static void on_certificate(evutil_socket_t fd, short what, void *arg)
{
	struct ingest *in = arg;
	struct why why = {""};
	bool renewed = false;
	int r = keys_server_certificate(&in->conf, &in->keys, &renewed, &why);

	(void)fd;
	(void)what;
	if (!r && renewed)
		r = ingest_certify(in, &why);
	if (r)
		log_error("the server's certificate is not renewed: %s", why.text[0] ? why.text : strerror(-r));
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct ingest *in = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(in->server.base);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval deadline = {DRAIN_S, 0};
	struct ingest *in = arg;
	int r;

	(void)fd;
	(void)what;
	if (in->server.stopping) {
		event_base_loopbreak(in->server.base);
		return;
	}
	log_notice("stopping: %u connections", in->server.conns_n);
	server_stop(&in->server);
	wait_stop(in);
	r = commit_now(in);
	if (r)
		ingest_fail(in, r, "store");
	event_base_once(in->server.base, -1, EV_TIMEOUT, on_deadline, in, &deadline);
	if (!in->server.conns_n)
		event_base_loopbreak(in->server.base);
}

static struct event *repeat(struct ingest *in, event_callback_fn fn, int seconds)
{
	struct event *ev = event_new(in->server.base, -1, EV_PERSIST, fn, in);
	struct timeval tv = {seconds, 0};

	if (ev && event_add(ev, &tv)) {
		event_free(ev);
		return NULL;
	}
	return ev;
}

static int loop(struct ingest *in)
{
	struct event *ev[] = {
		evsignal_new(in->server.base, SIGTERM, on_stop, in),
		evsignal_new(in->server.base, SIGINT, on_stop, in),
		repeat(in, on_second, 1),
		repeat(in, on_status, STATUS_S),
		repeat(in, on_certificate, CERTIFICATE_S),
	};
	int r = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ev); i++)
		r = ev[i] ? r : -ENOMEM;
	if (!r && (event_add(ev[0], NULL) || event_add(ev[1], NULL)))
		r = -ENOMEM;
	in->journal_timer = evtimer_new(in->server.base, on_journal, in);
	r = r ? r : in->journal_timer ? 0 : -ENOMEM;
	r = r ? r : commit_start(in);
	r = r ? r : server_start(&in->server);
	if (!r) {
		set_timer(in->journal_timer, 100000);
		status_write(in, true);
		log_notice("listening at %s port %u as log %s, %" PRIu64 " segments", in->conf.listen,
			(unsigned)in->conf.port, in->keys.origin, store_size(in->store));
		event_base_dispatch(in->server.base);
		r = in->failed;
	}
	for (i = 0; i < ARRAY_SIZE(ev); i++)
		if (ev[i])
			event_free(ev[i]);
	if (in->journal_timer)
		event_free(in->journal_timer);
	commit_stop(in);
	return r;
}

/* --- start --- */

static int give_up_power(struct why *why)
{
	bool stayed = false;
	int r = confine_program(USER, &stayed, why);

	if (stayed)
		log_warning("user %s does not exist: staying root, without capabilities", USER);
	return r;
}

/* What only root can make: the folder of status files and the socket, and the collector's own folder. */
static int prepare(const struct config *c)
{
	struct passwd *pw = getpwnam(USER);
	struct stat st;
	int r = dir_make(c->run_dir, 0755);

	r = r ? r : dir_make(c->dir, 0750);
	if (r || geteuid() || !pw)
		return r;
	if (!stat(c->dir, &st) && !st.st_uid && chown(c->dir, pw->pw_uid, pw->pw_gid))
		return -errno;
	return 0;
}

static void raise_limit(const struct config *c)
{
	struct rlimit l;
	rlim_t want = c->connections + 64;

	if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= want)
		return;
	l.rlim_cur = want;
	l.rlim_max = l.rlim_max < want ? want : l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l))
		log_warning("open files: %s; fewer connections than configured can be taken", strerror(errno));
}

static int make_base(struct ingest *in)
{
	in->server.base = event_base_new();
	return in->server.base && !event_base_priority_init(in->server.base, 2) ? 0 : -ENOMEM;
}

static int daemon_main(struct ingest *in)
{
	struct why why = {""};
	bool renewed;
	int r;

	signal(SIGPIPE, SIG_IGN);
	raise_limit(&in->conf);
	r = prepare(&in->conf);
	umask(027);
	r = r ? r : make_base(in);
	r = r ? r : ingest_bind(in, &why);
	r = r ? r : give_up_power(&why);
	r = r ? r : keys_load(&in->conf, &in->keys, &why);
	r = r ? r : keys_server_certificate(&in->conf, &in->keys, &renewed, &why);
	r = r ? r : ingest_certify(in, &why);
	r = r ? r : confine_syscalls(CONFINE_SERVER);
	r = r ? r : ingest_open(in, &why);
	if (r) {
		r = complain("start", r, &why);
		ingest_close(in, false);
		return r;
	}
	r = loop(in);
	if (!r)
		log_notice("stopped");
	ingest_close(in, !r);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int init_main(const struct config *c)
{
	struct why why = {""};
	int r;

	r = prepare(c);
	umask(027);
	r = r ? r : give_up_power(&why);
	r = r ? r : keys_init(c, &why);
	return r ? complain("--init", r, &why) : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"init", no_argument, NULL, 'i'}, {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0}};
	static struct ingest in = {.refused_log = LOG_LIMIT(10)};
	const char *path = NULL;
	struct why why = {""};
	bool init = false;
	int o, r;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			path = optarg;
			break;
		case 'i':
			init = true;
			break;
		case 'h':
			return usage(stdout, EXIT_SUCCESS);
		case 'V':
			printf("sekisho-collector %s\n", SEKISHO_VERSION);
			return EXIT_SUCCESS;
		default:
			return usage(stderr, 2);
		}
	}
	if (optind != argc)
		return usage(stderr, 2);
	log_open("sekisho-collector", LOG_INFO);
	in.started_wall_us = clock_wall_us();
	r = config_load(path, &in.conf, &why);
	if (r)
		return complain("configuration", r, &why);
	log_open("sekisho-collector", in.conf.debug ? LOG_DEBUG : LOG_INFO);
	return init ? init_main(&in.conf) : daemon_main(&in);
}
