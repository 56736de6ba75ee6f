/*
 * The loop with a probe of the test's own: what starts and ends a recording, losses, a filter that is read again, the
 * uplink's word, and the segments that come out.
 */
#include "agent/recorder/recorder.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "tests/unit/cm.h"
#include "tests/unit/recorder/made.h"
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* --- the probe --- */

static struct made events[8];
static unsigned events_n, events_given;
static unsigned filters_set, sweeps;
static uint64_t to_lose;
static int ring_fd;

unsigned probe_set_of(const struct probe *p)
{
	(void)p;
	return PROBE_SET_TRACEPOINT;
}

unsigned probe_enforce_of(const struct probe *p)
{
	(void)p;
	return ENFORCE_NONE;
}

int probe_filter_set(struct probe *p, const struct probe_filter *f)
{
	(void)p;
	assert_true(f->prefixes > 0);
	assert_true(f->kinds & 1ull << KIND_EXEC);
	filters_set++;
	return 0;
}

int probe_points_set(struct probe *p, uint32_t host_mnt_ns, const struct probe_mount *points, unsigned n)
{
	(void)p;
	(void)host_mnt_ns;
	(void)points;
	assert_true(n <= PROBE_POINTS_MAX);
	return 0;
}

int probe_fd(const struct probe *p)
{
	(void)p;
	return ring_fd;
}

int probe_consume(struct probe *p, probe_event_fn fn, void *ctx, unsigned max)
{
	int n = 0, r;

	(void)p;
	while (events_given < events_n && (!max || (unsigned)n < max)) {
		r = fn(ctx, made_bytes(&events[events_given++]));
		if (r)
			return r;
		n++;
	}
	return n;
}

bool probe_sleep(struct probe *p)
{
	(void)p;
	return events_given < events_n;
}

void probe_lost(struct probe *p, uint64_t *lost)
{
	(void)p;
	lost[CAUSE_RING_FULL] += to_lose;
	to_lose = 0;
}

int probe_sweep(struct probe *p)
{
	(void)p;
	sweeps++;
	return 0;
}

int probe_running(struct probe *p)
{
	(void)p;
	return 0;
}

/* --- a recorder in a child --- */

static char root[64];

static void path_of(char *out, size_t size, const char *name)
{
	snprintf(out, size, "%s/%s", root, name);
}

static void put(const char *name, const char *text)
{
	char path[256];

	path_of(path, sizeof(path), name);
	assert_int_equal(file_replace_volatile(path, SPAN_STR(text), 0644), 0);
}

static int setup(void **state)
{
	char path[256];
	static const char *const dirs[] = {"spool", "inbox", "run", "orders"};
	size_t i;

	(void)state;
	snprintf(root, sizeof(root), "/tmp/sekisho-loop-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		path_of(path, sizeof(path), dirs[i]);
		if (mkdir(path, 0755))
			return -1;
	}
	put("record.yaml", "version: 1\npaths: {/: changes}\n");
	events_n = events_given = 0;
	to_lose = 0;
	ring_fd = eventfd(0, EFD_CLOEXEC);
	return setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	close(ring_fd);
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int record(void)
{
	struct recorder *r = calloc(1, sizeof(*r));
	struct sealer_options o = {.spool_dir = r->spool, .producer = PRODUCER_RECORDER, .floor = 1};
	struct why why = {""};

	path_of(r->spool, sizeof(r->spool), "spool");
	path_of(r->inbox, sizeof(r->inbox), "inbox");
	path_of(r->filter_path, sizeof(r->filter_path), "record.yaml");
	path_of(r->areas_path, sizeof(r->areas_path), "orders/policy.yaml");
	path_of(r->utmp, sizeof(r->utmp), "run/utmp");
	path_of(r->status_path, sizeof(r->status_path), "run/recorder.json");
	r->status_fd = r->look = -1;
	r->filter = calloc(1, sizeof(*r->filter));
	if (names_new(&r->names) || processes_new(r->names, &r->processes) ||
		devices_new("/sys", "/proc/self/mountinfo", &r->devices) || users_new(&r->users) ||
		copies_new(engine_copied, &r->engine, &r->copies) || areas_new(&r->areas) ||
		key_new(KEY_P256, &r->keys.device) || steer_start(r, &why) || sd_event_default(&r->event) < 0)
		return 3;
	o.device = r->keys.device;
	if (sealer_new(&o, &r->sealer, &why))
		return 4;
	r->engine = (struct engine){.filter = r->filter,
		.areas = r->areas,
		.copies = r->copies,
		.names = r->names,
		.processes = r->processes,
		.devices = r->devices,
		.users = r->users,
		.host_mnt_ns = MADE_NS};
	return loop_run(r) ? 5 : 0;
}

static pid_t start(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that failed waits for nobody */
		_exit(record());
	}
	assert_true(pid > 0);
	return pid;
}

static void stop(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Waits until the status file holds `text`. */
static void wait_for_status(const char *text)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	char path[256];
	unsigned i;

	path_of(path, sizeof(path), "run/recorder.json");
	for (i = 0; i < 12000; i++) {
		struct buf b = BUF_INIT(1u << 20);
		bool there = file_read(path, &b) == 0 && buf_str(&b) && strstr((const char *)b.p, text);

		buf_deinit(&b);
		if (there)
			return;
		nanosleep(&pause, NULL);
	}
	fail_msg("the status never said %s", text);
}

/* All that was sealed: how many records of each kind; the flags of the last segment; losses of all headers. */
struct sealed {
	unsigned kind[128];
	uint64_t flags, lost, segments;
	char paths[256];
};

static void read_spool(struct sealed *s)
{
	static struct record rec;
	struct spool_entry e;
	uint64_t from = 0;
	char dir[256];

	memset(s, 0, sizeof(*s));
	path_of(dir, sizeof(dir), "spool");
	while (spool_oldest(dir, PRODUCER_RECORDER, from, &e) == 0) {
		struct buf file = BUF_INIT(SEGMENT_MAX), raw = BUF_INIT(BODY_RAW_MAX);
		struct body_reader *reader;
		struct segment seg;
		struct why why;
		unsigned i;

		assert_int_equal(file_read(e.path, &file), 0);
		assert_int_equal(segment_parse(buf_span(&file), &seg, &why), 0);
		assert_int_equal(segment_raw(&seg, &raw, &why), 0);
		assert_int_equal(body_reader_new(buf_span(&raw), &reader), 0);
		while (body_next(reader, &rec, &why) == 0) {
			s->kind[rec.v[F_KIND].u & 127]++;
			if (record_has(&rec, F_PATH) && rec.v[F_KIND].u == KIND_FILE)
				snprintf(s->paths + strlen(s->paths), sizeof(s->paths) - strlen(s->paths), "%.*s ",
					(int)rec.v[F_PATH].s.n, (const char *)rec.v[F_PATH].s.p);
		}
		for (i = 0; i < seg.header.lost_n; i++)
			s->lost += seg.header.lost[i].n;
		s->flags = seg.header.flags;
		s->segments++;
		body_reader_free(reader);
		buf_deinit(&file);
		buf_deinit(&raw);
		from = e.seq + 1;
	}
}

static void a_recording_begins_and_ends_with_a_word(void **state)
{
	struct sealed s;
	pid_t pid;

	(void)state;
	events[0] = made(KIND_EXEC, 1, 1);
	events[0].s[EVENT_PROGRAM] = "/bin/bash";
	events[1] = made(KIND_FILE, 1, 1);
	made_file(&events[1], "/etc/x", 8, 1);
	events[1].e.flags = RF_WROTE;
	events_n = 2;
	to_lose = 7;
	pid = start();
	wait_for_status("\"running\": true");
	stop(pid);
	wait_for_status("\"running\": false");
	wait_for_status("\"ring-full\": 7");
	wait_for_status("\"probe_set\": \"tracepoint\"");
	read_spool(&s);
	assert_int_equal(s.kind[KIND_RECORDER_START], 1);
	assert_int_equal(s.kind[KIND_EXEC], 1);
	assert_int_equal(s.kind[KIND_FILE], 1);
	assert_int_equal(s.kind[KIND_LOSS], 1);
	assert_int_equal(s.kind[KIND_RECORDER_STOP], 1);
	assert_true(s.kind[KIND_MOUNTED] > 0);
	assert_int_equal(s.lost, 7);
	assert_true(s.flags & SF_LAST);
	assert_string_equal(s.paths, "/etc/x ");
}

static void a_bad_filter_changes_nothing_but_the_status(void **state)
{
	pid_t pid;

	(void)state;
	pid = start();
	wait_for_status("\"filter_refused\": null");
	put("record.yaml", "version: 1\npaths:\n  /: everything\n");
	assert_int_equal(kill(pid, SIGHUP), 0);
	wait_for_status("record.yaml:3: is none of: none, changes, all: everything");
	put("record.yaml", "version: 1\n");
	assert_int_equal(kill(pid, SIGHUP), 0);
	wait_for_status("\"filter_refused\": null");
	stop(pid);
}

static void somebody_who_follows_makes_it_seal_sooner(void **state)
{
	char text[32];
	struct sealed s;
	pid_t pid;

	(void)state;
	snprintf(text, sizeof(text), "%lld\n", (long long)clock_boot_us() + 60000000);
	put("inbox/follow", text);
	events[0] = made(KIND_EXEC, 1, 1);
	events[0].s[EVENT_PROGRAM] = "/bin/bash";
	events_n = 1;
	pid = start();
	/* the start is sealed at once, the rest within a second rather than fifteen: two segments while it runs */
	wait_for_status("\"segments\": 2");
	read_spool(&s);
	assert_int_equal(s.kind[KIND_EXEC], 1);
	assert_int_equal(s.kind[KIND_RECORDER_STOP], 0);
	stop(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_recording_begins_and_ends_with_a_word, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bad_filter_changes_nothing_but_the_status, setup, teardown),
		cmocka_unit_test_setup_teardown(somebody_who_follows_makes_it_seal_sooner, setup, teardown),
	};

	return cmocka_run_group_tests_name("recorder/loop", tests, NULL, NULL);
}
