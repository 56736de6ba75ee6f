/*
 * sekisho-collector: takes in, verifies, stores, proves and acknowledges what PCs send; enrols and revokes them. One
 * process, one port in, no port out.
 *
 * Started by systemd (or packaging/quickstart) as root or as its user. Takes what needs privilege (a port, the
 * administrator's socket), gives it up, reads its keys, and then meets the world: in that order, below.
 */
#include "collector/ingest/cosign.h"
#include "collector/ingest/join.h"
#include "collector/ingest/move.h"
#include "collector/ingest/shared.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/wire/program.h"
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define USER "sekisho-collector"
#define FILES_SPARE 512u /* for the log, spools, the index and the database */
#define DRAIN_S 10
#define STATUS_S 5
#define CERTIFICATE_S 3600
#define S_US INT64_C(1000000)

void ingest_fail(struct ingest *in, int r, const char *what)
{
	if (in->failed || (in->lost && !in->old_copy))
		return;
	/* Before and behind the loop nobody waits for it; nor does what an old copy has to end. */
	if (in->again_timer && !in->old_copy && (store_lost(in->store) || again_no_room(r)))
		again_begin(in, r, what);
	else
		ingest_end(in, r, what);
}

void ingest_end(struct ingest *in, int r, const char *what)
{
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

/* Seals what is due; what was sealed goes into the store with the next commit. */
static void on_journal(evutil_socket_t fd, short what, void *arg)
{
	struct ingest *in = arg;
	bool waits = false;
	unsigned n, desk;
	int r = journal_run(in->journal, clock_boot_us());

	(void)fd;
	(void)what;
	n = desk = 0;
	/* Sealed they wait in the spool, as at PCs. */
	if (!in->lost) {
		r = r ? r : journal_drain(in->journal, &n);
		r = r ? r : desks_drain(in->desks, &desk);
		store_rest(in->store);
		/* A desk's, too: it tells nobody. */
		waits = r == V_AGAIN || store_waits(in->store);
		r = r == V_AGAIN ? 0 : r;
	}
	if (r)
		ingest_fail(in, r, "journal");
	else if (n || desk || waits)
		commit_soon(in);
	server_soon(in->journal_timer, journal_due(in->journal) - clock_boot_us());
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
	struct ingest *in = arg;

	(void)fd;
	(void)what;
	wait_tick(in);
	if (!in->lost)
		cosign_tick(in);
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

static void on_stop(void *owner)
{
	struct ingest *in = owner;
	int r;

	wait_stop(in);
	r = commit_now(in);
	/* Who waits for what others hold up sends it again: to whoever goes on. */
	if (r == V_AGAIN)
		commit_lost(in);
	else if (r)
		ingest_fail(in, r, "store");
}

static int loop(struct ingest *in)
{
	int r;

	in->server.o.stop = on_stop;
	in->server.o.drain_s = DRAIN_S;
	in->journal_timer = evtimer_new(in->server.base, on_journal, in);
	r = in->journal_timer ? 0 : -ENOMEM;
	r = r ? r : server_every(&in->server, S_US, on_second, in);
	r = r ? r : server_every(&in->server, STATUS_S * S_US, on_status, in);
	r = r ? r : server_every(&in->server, CERTIFICATE_S * S_US, on_certificate, in);
	r = r ? r : commit_start(in);
	r = r ? r : again_start(in);
	r = r ? r : shared_start(in);
	r = r ? r : keeper_start(in->keeper);
	r = r ? r : server_start(&in->server);
	if (!r) {
		server_soon(in->journal_timer, 0);
		status_write(in, true);
		log_notice("listening at %s port %u as log %s, %" PRIu64 " segments", in->conf.listen,
			(unsigned)in->conf.port, in->keys.origin, store_size(in->store));
		r = server_run(&in->server);
		r = in->failed ? in->failed : r;
	}
	if (in->journal_timer)
		event_free(in->journal_timer);
	commit_stop(in);
	again_stop(in);
	return r;
}

/* --- start --- */

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

/* Connections that would have no file left for the log and its spool are not taken. */
static void raise_limit(struct config *c)
{
	struct rlimit l, most;
	rlim_t want = c->connections + FILES_SPARE;

	if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= want)
		return;
	most = l;
	l.rlim_cur = want;
	l.rlim_max = l.rlim_max < want ? want : l.rlim_max;
	if (!setrlimit(RLIMIT_NOFILE, &l))
		return;
	most.rlim_cur = most.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &most) || getrlimit(RLIMIT_NOFILE, &most) || most.rlim_cur >= want)
		return;
	c->connections = most.rlim_cur > 2 * FILES_SPARE ? most.rlim_cur - FILES_SPARE : most.rlim_cur / 2;
	log_warning("%llu files may be open: %llu connections are taken at once, and not as many as are configured",
		(unsigned long long)most.rlim_cur, (unsigned long long)c->connections);
}

static int make_base(struct ingest *in)
{
	in->server.base = event_base_new();
	return in->server.base && !event_base_priority_init(in->server.base, 3) ? 0 : -ENOMEM;
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
	r = r ? r : program_give_up_power(USER, &why);
	r = r ? r : keys_load(&in->conf, &in->keys, &why);
	r = r ? r : keys_server_certificate(&in->conf, &in->keys, &renewed, &why);
	r = r ? r : ingest_certify(in, &why);
	r = r ? r : confine_syscalls(CONFINE_SERVER);
	r = r ? r : ingest_open(in, &why);
	if (r) {
		r = program_not_started("start", r, &why);
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
	r = r ? r : program_give_up_power(USER, &why);
	r = r ? r : keys_init(c, &why);
	return r ? program_not_started("--init", r, &why) : EXIT_SUCCESS;
}

static int joining_main(const struct config *c)
{
	struct why why = {""};
	int r = prepare(c);

	return r ? program_not_started("folders", r, &why) : join_main(c);
}

/* The collector's folder is the user's also where somebody has just made it again, to restore into it. */
static int order_main(const struct config *c, const struct move_order *o)
{
	struct why why = {""};
	int r = prepare(c);

	return r ? program_not_started("folders", r, &why) : move_main(c, o);
}

enum { OPTION_MOVE = PROGRAM_OWN, OPTION_BACKUP, OPTION_RESTORE, OPTION_SEEN };

static void take_option(void *ctx, int val, const char *value)
{
	struct move_order *o = ctx;

	if (val == OPTION_MOVE)
		o->to = value;
	else if (val == OPTION_BACKUP)
		o->backup = value;
	else if (val == OPTION_RESTORE)
		o->restore = value;
	else if (o->seen_n < MOVE_SEEN_MAX)
		o->seen[o->seen_n++] = value;
	else
		o->too_many = true;
}

int main(int argc, char **argv)
{
	static int init, joins, check;
	static struct move_order order;
	static const struct option own[] = {{"init", no_argument, &init, 1}, {"join", no_argument, &joins, 1},
		{"check", no_argument, &check, 1}, {"move-to", required_argument, NULL, OPTION_MOVE},
		{"backup-to", required_argument, NULL, OPTION_BACKUP},
		{"restore-from", required_argument, NULL, OPTION_RESTORE},
		{"checkpoint", required_argument, NULL, OPTION_SEEN}, {NULL, 0, NULL, 0}};
	static struct ingest in = {.refused_log = LOG_LIMIT(10), .again_log = LOG_LIMIT(2), .waits_log = LOG_LIMIT(4)};
	static const struct program program = {.name = "sekisho-collector",
		.usage = "usage: sekisho-collector [--config FILE] [--check | --init | --join]\n"
			 "       sekisho-collector [--config FILE] --move-to PLACE | --backup-to PLACE\n"
			 "       sekisho-collector [--config FILE] --restore-from PLACE --checkpoint FILE...\n"
			 "       sekisho-collector --help | --version\n"
			 "Takes, proves and keeps what PCs record. See sekisho-collector(8).\n"
			 "  --check says what is wrong with [collector] of the settings, and ends\n"
			 "  --init  makes what is missing (CA, keys, folders) and ends\n"
			 "  --join  asks the collectors of a log in a database to let this one in, and waits\n"
			 "          (sekishoctl collector join)\n"
			 "  the others are for sekishoctl store move, backup and restore\n",
		.own = own,
		.take = take_option,
		.ctx = &order};
	struct why why = {""};
	const char *path;
	int r;

	if (!program_line(&program, argc, argv, &path, &r))
		return r;
	if (optind != argc || init + joins + check + MOVE_ORDERED(&order) > 1 || !order.restore != !order.seen_n ||
		order.too_many)
		return program_usage(&program);
	in.started_wall_us = clock_wall_us();
	r = config_load(path, &in.conf, &why);
	if (check)
		return program_checked(r, &why);
	if (r)
		return program_not_started("configuration", r, &why);
	log_open(program.name, in.conf.debug ? LOG_DEBUG : LOG_INFO);
	if (joins)
		return joining_main(&in.conf);
	return init ? init_main(&in.conf) : MOVE_ORDERED(&order) ? order_main(&in.conf, &order) : daemon_main(&in);
}
