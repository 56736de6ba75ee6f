/*
 * sekisho-console: the audit desk of a collector, for a browser. One process, one port in, no port out; reads the
 * collector's store, asks the collector at its door, and can sign nothing but its own access log.
 *
 * Started by systemd (or packaging/quickstart) as root or as its user, on the collector's machine. Takes what needs
 * privilege (folders, its certificate, a port, its socket), gives it up, then meets the world: in that order, below.
 */
#include "collector/console/attention.h"
#include "collector/console/federate.h"
#include "collector/console/plugged.h"
#include "collector/paper/paper.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/wire/program.h"
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

#define USER "sekisho-console"
#define DRAIN_S 5
#define BODY_MAX (4u << 20)
#define MEMORY (64u << 20)
#define HEAD_US 10000000u
#define BODY_RATE 16384u
#define CONNECTION_IDLE_US 60000000u
#define TICK_US 500000
#define EXPORT_US 20000
#define STATUS_TICKS 10

/* What is of the settings is set before the first answer. */
static struct answer_header headers[] = {
	{"Strict-Transport-Security", "max-age=31536000"},
	{"Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
		"require-trusted-types-for 'script'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
	{NULL, NULL},
};

/* --- timers --- */

static void on_seal(evutil_socket_t fd, short what, void *arg)
{
	struct console *c = arg;
	int r = sealer_run(c->sealer, clock_boot_us());

	(void)fd;
	(void)what;
	if (r) {
		console_fail(c, r, "access log");
		return;
	}
	server_soon(c->seal_timer, sealer_due(c->sealer) - clock_boot_us());
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	static unsigned ticks;
	struct console *c = arg;

	(void)fd;
	(void)what;
	ticks++;
	if (ticks % 2) {
		sessions_tick(c);
		seconds_tick(c);
		visitors_tick(c);
		federate_tick(c);
	}
	if (c->server.stopping)
		return;
	traffic_tick(c);
	live_tick(c);
	if (ticks % STATUS_TICKS == 1)
		status_write(c, true);
}

static void on_export(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	csv_tick(arg);
	bundle_tick(arg);
	register_tick(arg);
	reports_tick(arg);
	trial_tick(arg);
}

static void on_stop(void *owner)
{
	struct console *c = owner;

	csv_stop(c);
	bundle_stop(c);
	register_stop(c);
	reports_stop(c);
	trial_stop(c);
	proofs_stop(c);
	live_stop(c);
}

static int loop(struct console *c)
{
	int r;

	c->seal_timer = evtimer_new(c->server.base, on_seal, c);
	r = c->seal_timer ? 0 : -ENOMEM;
	r = r ? r : server_every(&c->server, TICK_US, on_tick, c);
	r = r ? r : server_every(&c->server, EXPORT_US, on_export, c);
	r = r ? r : federate_listen(c);
	r = r ? r : server_start(&c->server);
	if (!r) {
		server_soon(c->seal_timer, 0);
		status_write(c, true);
		log_notice(
			"listening at %s port %u, %u accounts", c->conf.listen, (unsigned)c->conf.port, c->accounts.n);
		r = server_run(&c->server);
		r = c->failed ? c->failed : r;
	}
	if (c->seal_timer)
		event_free(c->seal_timer);
	return r;
}

/* --- start and end --- */

static int bind_server(struct console *c, struct why *why)
{
	c->server.base = event_base_new();
	if (!c->server.base || event_base_priority_init(c->server.base, 3))
		return -ENOMEM;
	c->server.o = (struct server_options){
		.listen = c->conf.listen,
		.port = c->conf.port,
		.door = c->conf.door,
		.called = "the console",
		.connections = c->conf.connections,
		.head_us = HEAD_US,
		.body_rate = BODY_RATE,
		.idle_us = CONNECTION_IDLE_US,
		.memory = MEMORY,
		.body_max = BODY_MAX,
		.stranger_max = 2 * BODY_MAX,
		.puts = true,
		.deletes = true,
		.route = console_route,
		.stop = on_stop,
		.drain_s = DRAIN_S,
		.owner = c,
		.headers = headers,
	};
	if (c->conf.hsts_subdomains)
		headers[0].value = "max-age=31536000; includeSubDomains";
	return server_bind(&c->server, why);
}

static int load_metrics_token(struct console *c, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(sizeof(c->metrics_token) - 1);
	int r;

	if (!c->conf.metrics_token[0])
		return 0;
	r = file_read(c->conf.metrics_token, &b);
	while (!r && b.n && (b.p[b.n - 1] == '\n' || b.p[b.n - 1] == '\r'))
		b.n--;
	if (r > 0 || (!r && (b.n < 16 || memchr(b.p, 0, b.n))))
		return why_set(why, V_BAD, "%s: a token of 16 to 128 characters belongs there", c->conf.metrics_token);
	if (!r)
		memcpy(c->metrics_token, b.p, b.n);
	return r;
}

/* All that is read with the console's own rights. */
static int console_open(struct console *c, struct why *why)
{
	int r = key_load(c->conf.device_key, &c->device, why);

	if (r == V_NOT_FOUND)
		return why_set(why, r, "%s: no such file: run sekisho-console --init as root", c->conf.device_key);
	r = r ? r : visitors_open(c, why);
	if (r)
		return r;
	c->sessions = calloc(1, sizeof(*c->sessions));
	c->attempts = calloc(1, sizeof(*c->attempts));
	c->challenges = calloc(1, sizeof(*c->challenges));
	if (!c->sessions || !c->attempts || !c->challenges)
		return -ENOMEM;
	c->sessions->idle_us = c->conf.idle_us;
	c->sessions->life_us = c->conf.session_us;
	r = accounts_load(c->conf.accounts, &c->accounts, why);
	r = r ? r : page_load(&c->conf, &c->page, why);
	r = r ? r : load_metrics_token(c, why);
	r = r ? r : password_filter_check(c->conf.password_filter, why);
	r = r ? r : traffic_new(c, &c->traffic);
	r = r ? r : attention_new(&c->attention);
	r = r ? r : plugged_new(&c->plugged);
	return r ? r : tell_open(c, why);
}

static void console_close(struct console *c)
{
	csv_stop(c);
	bundle_stop(c);
	register_stop(c);
	reports_stop(c);
	trial_stop(c);
	proofs_stop(c);
	live_stop(c);
	if (c->sealer) {
		tell_close(c);
		status_write(c, false);
	}
	server_free(&c->server);
	traffic_free(c->traffic);
	attention_free(c->attention);
	plugged_free(c->plugged);
	hosts_versions_free(c->versions);
	page_free(c->page);
	visitors_close(c);
	federate_free(c);
	accounts_deinit(&c->accounts);
	if (c->sessions)
		secret_wipe(c->sessions, sizeof(*c->sessions));
	free(c->sessions);
	free(c->attempts);
	if (c->challenges)
		secret_wipe(c->challenges, sizeof(*c->challenges));
	free(c->challenges);
	store_close(c->store);
	key_free(c->device);
	verifier_deinit(&c->log);
	buf_deinit(&c->vkey);
	if (c->server.base)
		event_base_free(c->server.base);
}

static int daemon_main(struct console *c)
{
	struct why why = {""};
	int r;

	signal(SIGPIPE, SIG_IGN);
	umask(027);
	/* Months and days of what is printed; read before the filter is there. */
	report_settings_zone(&c->report_settings);
	/* libcurl reads its settings of the machine before the filter is there. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return program_not_started("libcurl", -ENOMEM, &why);
	/* So is the font of what is printed. */
	if (paper_init())
		log_warning("no font \"%s\" (fonts-noto-cjk): what is printed has no Japanese letters", PAPER_FONT);
	r = geteuid() ? 0 : console_prepare(&c->conf, &why);
	r = r ? r : federate_start(c, &why);
	r = r ? r : bind_server(c, &why);
	r = r ? r : program_give_up_power(USER, &why);
	r = r ? r : confine_syscalls(CONFINE_SERVER);
	r = r ? r : console_open(c, &why);
	if (r) {
		r = program_not_started("start", r, &why);
		console_close(c);
		return r;
	}
	r = loop(c);
	if (!r)
		log_notice("stopped");
	console_close(c);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static int init, check;
	static const struct option own[] = {
		{"init", no_argument, &init, 1}, {"check", no_argument, &check, 1}, {NULL, 0, NULL, 0}};
	static struct console c = {.limit = LOG_LIMIT(10)};
	static const struct program program = {.name = "sekisho-console",
		.usage = "usage: sekisho-console [--config FILE] [--check | --init]\n"
			 "       sekisho-console --help | --version\n"
			 "The log of the fleet in a browser. See sekisho-console(8).\n"
			 "  --check says what is wrong with [console] and [report] of the settings, and ends\n"
			 "  --init  makes what is missing (key, certificate, folders) and ends\n",
		.own = own};
	struct why why = {""};
	const char *path;
	int r;

	if (!program_line(&program, argc, argv, &path, &r))
		return r;
	if (optind != argc || init + check > 1)
		return program_usage(&program);
	c.started_wall_us = clock_wall_us();
	r = config_load(path, &c.conf, &why);
	r = r ? r : report_settings_load(NULL, &c.report_settings, &why);
	if (check)
		return program_checked(r, &why);
	if (r)
		return program_not_started("configuration", r, &why);
	log_open(program.name, c.conf.debug ? LOG_DEBUG : LOG_INFO);
	if (!init)
		return daemon_main(&c);
	r = console_prepare(&c.conf, &why);
	return r ? program_not_started("--init", r, &why) : EXIT_SUCCESS;
}
