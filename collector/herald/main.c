/*
 * sekisho-herald: watches a collector's log by rules, tells people (e-mail, webhook), and sends records on to other
 * systems (SIEM). The one program beside the
 * collector that connects to others; it listens at nothing, and can sign nothing but its own alerts.
 *
 * Started by systemd (or packaging/quickstart) as root or as its user, on the collector's machine. Takes what needs
 * privilege (folders, its key, secrets in files), gives it up, then meets the world: in that order, below.
 */
#include "collector/herald/herald.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/wire/api.h"
#include "policy/wire/beside.h"
#include "policy/wire/program.h"
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define USER "sekisho-herald"
#define IDLE_MS 250
#define STATUS_US 5000000
#define TIDY_US 60000000

static volatile sig_atomic_t told_to_stop;

static void on_signal(int sig)
{
	(void)sig;
	told_to_stop = 1;
}

/* --- settings --- */

static int places(struct herald *h)
{
	struct places *at = &h->at;
	int r = program_path(at->dir, sizeof(at->dir), h->plan.dir ? h->plan.dir : "/var/lib/sekisho-herald");

	r = r ? r
	      : program_path(at->collector, sizeof(at->collector),
			h->plan.collector ? h->plan.collector : "/var/lib/sekisho-collector");
	r = r ? r : program_path(at->run, sizeof(at->run), "/run/sekisho");
#define UNDER_(field, folder, name) snprintf(at->field, sizeof(at->field), "%s/" name, at->folder)
	UNDER_(spool, dir, "spool");
	UNDER_(device_key, dir, "device.key");
	UNDER_(device_pub, dir, "device.pub");
	UNDER_(book, dir, "book.db");
	if (!h->plan.store)
		UNDER_(store, collector, "store");
	UNDER_(log_vkey, collector, "log.vkey");
	UNDER_(status, run, "herald.json");
	UNDER_(asleep, run, API_ASLEEP_FILE);
#undef UNDER_
	if (!r && h->plan.store && store_is_database(h->plan.store))
		snprintf(at->store, sizeof(at->store), "%s", h->plan.store);
	else if (!r && h->plan.store)
		r = program_path(at->store, sizeof(at->store), h->plan.store);
	return r;
}

static int load_plan(struct herald *h, const char *path, struct why *why)
{
	_cleanup_buf_ struct buf text = BUF_INIT(PLAN_FILE_MAX + 1);
	char usual[HERALD_FILE_SIZE];
	int r = program_path(usual, sizeof(usual), HERALD_CONFIG);

	path = path ? path : usual;
	r = r ? r : file_read(path, &text);
	if (r > 0)
		return why_set(why, r, "%s: %s", path, r == V_NOT_FOUND ? "no such file" : "too large");
	r = r ? r : plan_read(&h->plan, path, buf_span(&text), why);
	r = r ? r : places(h);
	if (!r && h->plan.timezone) {
		setenv("TZ", h->plan.timezone, 1);
		tzset();
	}
	return r;
}

/* --- the loop --- */

static int settle(struct herald *h)
{
	CURLMsg *m;
	int left, r = 0;

	while (!r && (m = curl_multi_info_read(h->curl, &left)) != NULL) {
		/* The message is gone with its handle. */
		CURLcode result = m->data.result;
		CURL *curl = m->easy_handle;

		if (m->msg == CURLMSG_DONE)
			(void)(send_done(h, curl, result, &r) || stream_done(h, curl, result, &r));
	}
	return r;
}

static void status_write(struct herald *h, bool running, uint64_t waiting)
{
	struct sealer_stats s = {0};
	char *text;
	json_t *o;
	int r;

	if (h->sealer)
		sealer_stats(h->sealer, &s);
	o = json_pack("{s:s, s:s, s:i, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "program",
		"sekisho-herald", "version", SEKISHO_VERSION, "pid", (int)getpid(), "since_us",
		(json_int_t)h->started_wall_us, "running", running, "leaf", (json_int_t)h->leaf, "records_judged",
		(json_int_t)h->count.judged, "alerts", (json_int_t)h->count.alerts, "alerts_told",
		(json_int_t)h->count.told, "messages_sent", (json_int_t)h->count.sent, "attempts_failed",
		(json_int_t)h->count.failed, "messages_given_up", (json_int_t)h->count.unsent, "messages_waiting",
		(json_int_t)waiting, "spool_segments", (json_int_t)s.spool_segments, "spool_full", s.full);
	if (o)
		json_object_set_new(o, "streams", stream_status(h));
	text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
	json_decref(o);
	r = text ? file_replace_volatile(h->at.status, SPAN_STR(text), 0644) : 0;
	free(text);
	if (r && log_allowed(&h->limit))
		log_warning("%s: %s", h->at.status, strerror(-r));
}

static int add_sleeper(void *ctx, const struct digest *host, int64_t since_us)
{
	char hex[2 * DIGEST_SIZE + 1];

	hex_encode(hex, host->b, DIGEST_SIZE);
	return json_object_set_new(ctx, hex, json_integer(since_us)) ? -ENOMEM : 0;
}

/* For the console (policy/wire/api.h), which shows them as what they are. Who is behind knows nothing of now. */
static void asleep_write(struct herald *h)
{
	json_t *asleep = json_object(), *o = NULL;
	char *text = NULL;
	int r = asleep ? book_sleepers(h->book, add_sleeper, asleep) : -ENOMEM;

	if (!r)
		o = json_pack("{s:I, s:O}", "current_us", (json_int_t)clock_wall_us(), "asleep", asleep);
	if (o)
		text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	json_decref(asleep);
	r = text ? file_replace_volatile(h->at.asleep, SPAN_STR(text), 0644) : r ? r : -ENOMEM;
	free(text);
	if (r && log_allowed(&h->limit))
		log_warning("%s: %s", h->at.asleep, r < 0 ? strerror(-r) : "the book cannot be read");
}

/* What has its time: silence, the queue, the status, who sleeps. */
static int now_and_then(struct herald *h)
{
	static int64_t silent_us, status_us, tidy_us;
	static uint64_t waiting;
	int64_t now = clock_boot_us();
	int r = 0;

	if (h->begun && now - silent_us >= watch_silent_every(h)) {
		silent_us = now;
		r = watch_silent(h);
	}
	if (!r && (!tidy_us || now - tidy_us >= TIDY_US)) {
		tidy_us = now;
		r = book_tidy(h->book, &h->plan, &waiting);
	}
	if (!r && now - status_us >= STATUS_US) {
		status_us = now;
		status_write(h, true, waiting);
		if (h->current)
			asleep_write(h);
	}
	return r;
}

static int step(struct herald *h, bool *more)
{
	int64_t now = clock_boot_us();
	bool watched = h->begun;
	int running, r;

	*more = false;
	r = watched ? watch_step(h, more) : watch_begin(h);
	h->current = watched && !r && !*more;
	/* A store that cannot be read now can be later. */
	r = r == V_AGAIN ? 0 : r;
	r = r ? r : tell_step(h);
	r = r ? r : send_step(h);
	r = r ? r : stream_step(h, more);
	if (!r && sealer_due(h->sealer) <= now)
		r = sealer_run(h->sealer, now);
	r = r ? r : now_and_then(h);
	if (!r && curl_multi_perform(h->curl, &running))
		r = -EIO;
	return r ? r : settle(h);
}

static int loop(struct herald *h)
{
	struct curl_waitfd waits[PLAN_STREAMS_MAX];
	bool more;
	int r;

	log_notice("%u rules, %u targets, %u streams", h->plan.rules_n, h->plan.targets_n, h->plan.streams_n);
	for (;;) {
		r = step(h, &more);
		if (r || told_to_stop)
			return r > 0 ? -EIO : r;
		if (curl_multi_poll(h->curl, waits, stream_waits(h, waits), more ? 0 : IDLE_MS, NULL))
			return -EIO;
	}
}

/* --- start and end --- */

static int prepare(struct herald *h, struct why *why)
{
	const struct beside us = {.user = USER,
		.dir = h->at.dir,
		.spool = h->at.spool,
		.producer = PRODUCER_HERALD,
		.device_key = h->at.device_key,
		.device_pub = h->at.device_pub};
	int r = dir_make(h->at.run, 0755);

	return r ? r : beside_prepare(&us, why);
}

static int herald_open(struct herald *h, struct why *why)
{
	int r = key_load(h->at.device_key, &h->device, why);

	if (r == V_NOT_FOUND)
		return why_set(why, r, "%s: no such file: run sekisho-herald --init as root", h->at.device_key);
	r = r ? r : key_id(h->device, &h->own);
	h->curl = curl_multi_init();
	if (!h->curl)
		return -ENOMEM;
	if (!r) {
		r = book_open(h->at.book, &h->book);
		if (r > 0)
			why_set(why, r, "%s: damaged, or another herald uses it", h->at.book);
	}
	return r ? r : tell_open(h, why);
}

static void herald_close(struct herald *h)
{
	send_close(h);
	if (h->sealer) {
		tell_close(h);
		status_write(h, false, 0);
	}
	stream_close(h);
	if (h->curl)
		curl_multi_cleanup(h->curl);
	book_close(h->book);
	store_close(h->store);
	key_free(h->device);
	plan_deinit(&h->plan);
}

static int daemon_main(struct herald *h)
{
	const struct sigaction stop = {.sa_handler = on_signal};
	struct why why = {""};
	int r;

	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	umask(027);
	/* libcurl and TLS read what they need of the machine before the filter is there. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return program_not_started("libcurl", -ENOMEM, &why);
	r = geteuid() ? 0 : prepare(h, &why);
	/* Secrets may be root's alone. */
	r = r ? r : send_open(h, &why);
	r = r ? r : stream_open(h, &why);
	r = r ? r : program_give_up_power(USER, &why);
	r = r ? r : confine_syscalls(CONFINE_SERVER);
	r = r ? r : herald_open(h, &why);
	if (r) {
		r = program_not_started("start", r, &why);
		herald_close(h);
		return r;
	}
	r = loop(h);
	if (r)
		log_error("%s", strerror(-r));
	else
		log_notice("stopped");
	herald_close(h);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static int init, check;
	static const struct option own[] = {
		{"init", no_argument, &init, 1}, {"check", no_argument, &check, 1}, {NULL, 0, NULL, 0}};
	static struct herald h = {.limit = LOG_LIMIT(10)};
	static const struct program program = {.name = "sekisho-herald",
		.usage = "usage: sekisho-herald [--config FILE] [--init | --check]\n",
		.own = own};
	struct why why = {""};
	const char *path;
	int r;

	if (!program_line(&program, argc, argv, &path, &r))
		return r;
	if (optind != argc)
		return program_usage(&program);
	h.started_wall_us = clock_wall_us();
	r = load_plan(&h, path, &why);
	if (r) {
		r = program_not_started("configuration", r, &why);
		plan_deinit(&h.plan);
		return r;
	}
	log_open(program.name, h.plan.debug ? LOG_DEBUG : LOG_INFO);
	if (check)
		printf("%u rules, %u targets, %u streams\n", h.plan.rules_n, h.plan.targets_n, h.plan.streams_n);
	else if (init)
		r = prepare(&h, &why);
	else
		return daemon_main(&h);
	plan_deinit(&h.plan);
	return r ? program_not_started("--init", r, &why) : EXIT_SUCCESS;
}
