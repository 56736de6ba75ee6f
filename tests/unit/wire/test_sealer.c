/*
 * The sealer: what was put is sealed once, whatever ends the process between any two steps; a full spool is counted; a
 * damaged chain goes on and says so. The chain is judged by opening the files, as the collector would.
 */
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/trust/keeper.h"
#include "policy/wire/spool.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char dir[64];
static struct key *device;

static struct sealer_options options(void)
{
	return (struct sealer_options){
		.spool_dir = dir,
		.producer = PRODUCER_RECORDER,
		.device = device,
		.floor = 1,
	};
}

static void put(struct sealer *s, unsigned n, bool urgent)
{
	static struct record r;

	record_reset(&r);
	record_set_uint(&r, F_KIND, KIND_FILE);
	record_set_uint(&r, F_PID, 1);
	record_set_uint(&r, F_COUNT, n);
	record_set_str(&r, F_PATH, "/home/taro/a-file");
	assert_in_range(sealer_put(s, &r, urgent), 0, V_FULL);
}

struct tally {
	char means[SEGMENT_MEANS_MAX + 1];
	unsigned segments, records, recovered, lost, last, epochs, cuts;
	unsigned next; /* F_COUNT must count up from here, without a hole or a double */
	bool in_order;
	struct digest prev;
	uint64_t flags;
};

/* Opens the whole spool as a collector would: epochs, signatures, chain, bodies. */
static void judge(struct tally *t)
{
	struct spool_entry e;
	struct epoch epoch = {.number = 0};
	uint64_t seq = 0;
	unsigned i;

	memset(t, 0, sizeof(*t));
	t->in_order = true;
	while (!spool_find(dir, PRODUCER_RECORDER, seq, &e)) {
		_cleanup_buf_ struct buf b = BUF_INIT(SEGMENT_MAX), raw = BUF_INIT(BODY_RAW_MAX);
		_cleanup_(body_reader_freep) struct body_reader *br = NULL;
		static struct record r;
		struct why why = {""};
		struct segment s;

		assert_int_equal(file_read(e.path, &b), 0);
		assert_int_equal(segment_parse(buf_span(&b), &s, &why), 0);
		assert_int_equal(s.bytes.n, b.n);
		if (s.header.epoch_cert.n) {
			struct epoch before = epoch;

			assert_int_equal(epoch_verify(s.header.epoch_cert, device, &epoch, &why), 0);
			assert_true(epoch.number > before.number);
			if (s.header.handover.n)
				assert_int_equal(
					handover_verify(s.header.handover, s.header.epoch_cert, &before, &why), 0);
			t->epochs++;
		}
		assert_int_equal(segment_verify(&s, &epoch, &why), 0);
		assert_int_equal(s.header.seq, seq);
		if (seq)
			assert_true(digest_eq(&s.header.prev, &t->prev));
		t->prev = s.hash;
		assert_int_equal(segment_raw(&s, &raw, &why), 0);
		assert_int_equal(body_reader_new(buf_span(&raw), &br), 0);
		while (!body_next(br, &r, &why)) {
			t->in_order &= r.v[F_COUNT].u == t->next;
			t->next = (unsigned)r.v[F_COUNT].u + 1;
			t->records++;
		}
		t->segments++;
		if (s.header.has_means)
			snprintf(t->means, sizeof(t->means), "%.*s", (int)s.header.means.n,
				(const char *)s.header.means.p);
		t->recovered += !!(s.header.flags & SF_RECOVERED);
		t->last += !!(s.header.flags & SF_LAST);
		t->cuts += !!(s.header.flags & SF_CUT);
		t->flags |= s.header.flags;
		for (i = 0; i < s.header.lost_n; i++)
			t->lost += (unsigned)s.header.lost[i].n;
		seq++;
	}
}

static void what_is_put_is_sealed_in_order(void **state)
{
	struct sealer_options o = options();
	struct sealer *s = NULL;
	struct tally t;
	unsigned i;

	(void)state;
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	for (i = 0; i < 30000; i++)
		put(s, i, false);
	sealer_lost(s, CAUSE_RING_FULL, 5);
	assert_int_equal(sealer_flush(s, true), 0);
	sealer_free(s);
	judge(&t);
	assert_int_equal(t.records, 30000);
	assert_true(t.in_order);
	assert_true(t.segments > 1);
	assert_int_equal(t.lost, 5);
	assert_int_equal(t.last, 1);
}

static void a_second_start_goes_on_with_the_chain(void **state)
{
	struct sealer_options o = options();
	struct tally t;
	unsigned i, n = 0;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct sealer *s = NULL, *twice = NULL;

		assert_int_equal(sealer_new(&o, &s, NULL), 0);
		assert_int_equal(sealer_new(&o, &twice, NULL), V_EXISTS);
		put(s, n++, true);
		assert_int_equal(sealer_flush(s, true), 0);
		sealer_free(s);
	}
	judge(&t);
	assert_int_equal(t.records, 3);
	assert_int_equal(t.segments, 6);
	assert_int_equal(t.epochs, 3);
	assert_true(t.in_order);
}

/* A child that seals and is killed at a moment that chance picks; then the next one; nothing twice, nothing missing. */
static void kill_at_any_moment(void **state)
{
	unsigned round, told = 0;
	struct tally t;
	int status;

	(void)state;
	for (round = 0; round < 40; round++) {
		int pipefd[2];
		unsigned n;
		pid_t pid;

		assert_int_equal(pipe(pipefd), 0);
		pid = fork();
		if (pid == 0) {
			struct sealer_options o = options();
			struct sealer *s = NULL;
			unsigned i;

			if (sealer_new(&o, &s, NULL))
				_exit(1);
			for (i = told; i < told + 100000; i++) {
				put(s, i, i % 7 == 3);
				/* Told only after the record was taken: this is what must be found. */
				if (write(pipefd[1], &i, sizeof(i)) != sizeof(i))
					_exit(2);
			}
			_exit(3);
		}
		close(pipefd[1]);
		/* Every other one is killed when it is at it, however long it took to get there. */
		if (round % 2 && read(pipefd[0], &n, sizeof(n)) == sizeof(n))
			told = n + 1;
		usleep(2000 + (round * 7919) % 30000);
		kill(pid, SIGKILL);
		while (read(pipefd[0], &n, sizeof(n)) == sizeof(n))
			told = n + 1;
		close(pipefd[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		/* A record may have been taken just before its number was told: the next child goes on behind it. */
		{
			struct sealer_options o = options();
			struct sealer *s = NULL;

			assert_int_equal(sealer_new(&o, &s, NULL), 0);
			sealer_free(s);
		}
		judge(&t);
		assert_true(t.in_order);
		assert_in_range(t.next, told, told + 1);
		told = t.next;
	}
	assert_true(t.recovered > 0);
}

static void a_step_of_sealing_is_repaired(void **state)
{
	struct sealer_options o = options();
	_cleanup_buf_ struct buf chain = BUF_INIT(1024), open_file = BUF_INIT(2u << 20);
	struct sealer *s = NULL;
	char path[128];
	struct tally t;

	(void)state;
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	put(s, 0, true);
	put(s, 1, false);
	/* As it was before the second segment was sealed. */
	snprintf(path, sizeof(path), "%s/recorder.own/chain", dir);
	assert_int_equal(file_read(path, &chain), 0);
	snprintf(path, sizeof(path), "%s/recorder.own/open", dir);
	assert_int_equal(file_read(path, &open_file), 0);
	assert_int_equal(sealer_flush(s, false), 0);
	sealer_free(s);
	s = NULL;
	/* The power went after the rename, before the chain file and the open segment followed. */
	snprintf(path, sizeof(path), "%s/recorder.own/chain", dir);
	assert_int_equal(file_replace(path, buf_span(&chain), 0640), 0);
	snprintf(path, sizeof(path), "%s/recorder.own/open", dir);
	assert_int_equal(file_replace(path, buf_span(&open_file), 0600), 0);
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	put(s, 2, true);
	sealer_free(s);
	judge(&t);
	assert_int_equal(t.records, 3);
	assert_true(t.in_order);
	assert_int_equal(t.recovered, 0);
}

/* Another boot: what lies in the open file may be of any age, so nothing of it is taken, and that is said. */
static void what_a_power_cut_may_have_taken_is_said(void **state)
{
	const off_t boot_at = 24;
	struct sealer_options o = options();
	struct sealer_stats stats;
	struct sealer *s = NULL;
	char path[128];
	struct tally t;
	int fd;

	(void)state;
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	put(s, 0, true);
	put(s, 7, false);
	sealer_free(s);
	s = NULL;
	snprintf(path, sizeof(path), "%s/recorder.own/open", dir);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "another boot", 12, boot_at), 12);
	close(fd);
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	sealer_stats(s, &stats);
	assert_true(stats.cut);
	put(s, 1, true);
	put(s, 2, true);
	assert_int_equal(sealer_flush(s, true), 0);
	sealer_free(s);
	s = NULL;
	judge(&t);
	assert_true(t.in_order);
	assert_int_equal(t.records, 3);
	assert_int_equal(t.recovered, 0);
	assert_int_equal(t.cuts, 1);
	/* It stopped in order: whatever became of the file since, nothing was lost. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	sealer_stats(s, &stats);
	assert_false(stats.cut);
	sealer_free(s);
	s = NULL;
	/* The one that was just opened did not: and without its file nobody knows what it had. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	sealer_stats(s, &stats);
	assert_true(stats.cut);
	sealer_free(s);
}

static void a_damaged_chain_file_is_said_and_survived(void **state)
{
	struct sealer_options o = options();
	struct sealer *s = NULL;
	struct why why = {""};
	char path[128];
	struct tally t;

	(void)state;
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	put(s, 0, true);
	put(s, 1, true);
	sealer_free(s);
	s = NULL;
	snprintf(path, sizeof(path), "%s/recorder.own/chain", dir);
	assert_int_equal(file_replace(path, SPAN_STR("sekisho-chain 1\nnext x\n"), 0640), 0);
	assert_int_equal(sealer_new(&o, &s, &why), V_BAD);
	assert_non_null(s);
	assert_non_null(strstr(why.text, "recorder.own/chain"));
	put(s, 2, true);
	sealer_free(s);
	judge(&t);
	assert_int_equal(t.records, 3);
	assert_true(t.in_order);
}

static void a_full_spool_drops_new_records_and_counts_them(void **state)
{
	struct sealer_options o = options();
	struct sealer *s = NULL;
	struct sealer_stats st;
	struct spool_entry e;
	uint64_t seq = 0, resent;
	struct tally t;
	unsigned i;

	(void)state;
	o.bound = 3u << 20;
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	for (i = 0; i < 400000; i++) {
		static struct record r;
		uint8_t noise[64];

		record_reset(&r);
		record_set_uint(&r, F_KIND, KIND_FILE);
		record_set_uint(&r, F_COUNT, i);
		assert_int_equal(random_bytes(noise, sizeof(noise)), 0);
		record_set_span(&r, F_PATH, SPAN(noise, sizeof(noise)));
		assert_in_range(sealer_put(s, &r, false), 0, V_FULL);
		sealer_stats(s, &st);
		if (st.dropped > 1000)
			break;
	}
	assert_true(st.full);
	assert_true(st.dropped > 1000);
	/* The uplink gets through: acknowledged segments give way, and the losses are told. */
	while (!spool_oldest(dir, PRODUCER_RECORDER, seq, &e)) {
		assert_int_equal(spool_acked(dir, &e), 0);
		seq = e.seq + 1;
	}
	assert_int_equal(sealer_flush(s, true), 0);
	sealer_stats(s, &st);
	assert_false(st.full);
	sealer_free(s);
	assert_int_equal(spool_oldest(dir, PRODUCER_RECORDER, 0, &e), 0);
	{
		_cleanup_buf_ struct buf b = BUF_INIT(SEGMENT_MAX);
		struct segment seg;
		uint64_t records = 0;

		assert_int_equal(file_read(e.path, &b), 0);
		assert_int_equal(segment_parse(buf_span(&b), &seg, NULL), 0);
		assert_int_equal(seg.header.lost_n, 1);
		assert_int_equal(seg.header.lost[0].cause, CAUSE_SPOOL_FULL);
		assert_int_equal(seg.header.lost[0].n, st.dropped);
		records = st.records + st.dropped;
		assert_int_equal(records, i + 1);
	}
	assert_int_equal(spool_resend(dir, PRODUCER_RECORDER, 0, &resent), 0);
	(void)t;
}

static void an_idle_producer_beats_and_renews_its_key(void **state)
{
	struct sealer_options o = options();
	struct sealer *s = NULL;
	struct tally t;
	int64_t now;

	(void)state;
	o.idle_us = 1000000;
	o.epoch_us = 5000000;
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	sealer_means(s, "open,erofs");
	now = clock_boot_us();
	assert_true(sealer_due(s) <= now + 1000000);
	assert_int_equal(sealer_run(s, now), 0);
	assert_int_equal(sealer_run(s, now + 1100000), 0);
	judge(&t);
	assert_int_equal(t.segments, 1);
	assert_true(t.flags & SF_HEARTBEAT);
	assert_string_equal(t.means, "open,erofs");
	assert_int_equal(sealer_run(s, now + 6000000), 0);
	sealer_free(s);
	judge(&t);
	assert_int_equal(t.epochs, 2);
	assert_int_equal(t.segments, 3);
}

/* The boot clock counts sleep: a PC that wakes after days seals with its next key, for the old one is not good any
 * more. */
static void a_pc_that_slept_long_takes_the_next_key(void **state)
{
	struct sealer_options o = options();
	struct sealer *s = NULL;
	struct tally t;
	int64_t now;

	(void)state;
	o.epoch_us = 600000000;
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	put(s, 0, true);
	now = clock_boot_us();
	put(s, 1, false);
	assert_int_equal(sealer_run(s, now + 3600000000), 0);
	sealer_free(s);
	judge(&t);
	assert_int_equal(t.epochs, 2);
	assert_int_equal(t.last, 0);
	assert_int_equal(t.records, 2);
}

static void a_followed_pc_seals_within_a_second(void **state)
{
	struct sealer_options o = options();
	struct sealer *s = NULL;
	int64_t now;

	(void)state;
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	put(s, 0, false);
	now = clock_boot_us();
	assert_true(sealer_due(s) > now + 10000000);
	sealer_follow(s, now + 60000000);
	assert_true(sealer_due(s) <= now + 1000000);
	sealer_free(s);
}

static int begin(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/sekisho-sealer-XXXXXX");
	return mkdtemp(dir) && !key_new(KEY_P256, &device) ? 0 : -1;
}

static int end(void **state)
{
	char cmd[128];

	(void)state;
	key_free(device);
	device = NULL;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

/* Of all that lies in the spool, the records of the clock: how many, and what the last one says. */
static unsigned clocks(int64_t *by_us, bool *back)
{
	struct spool_entry e;
	uint64_t seq = 0;
	unsigned n = 0;

	while (!spool_find(dir, PRODUCER_RECORDER, seq++, &e)) {
		_cleanup_buf_ struct buf b = BUF_INIT(SEGMENT_MAX), raw = BUF_INIT(BODY_RAW_MAX);
		_cleanup_(body_reader_freep) struct body_reader *br = NULL;
		static struct record r;
		struct segment s;

		assert_int_equal(file_read(e.path, &b), 0);
		assert_int_equal(segment_parse(buf_span(&b), &s, NULL), 0);
		assert_int_equal(segment_raw(&s, &raw, NULL), 0);
		assert_int_equal(body_reader_new(buf_span(&raw), &br), 0);
		while (!body_next(br, &r, NULL)) {
			if (r.v[F_KIND].u != KIND_CLOCK_SET)
				continue;
			n++;
			*by_us = r.v[F_DURATION].i;
			*back = r.v[F_TIME].i < r.v[F_TIME_BEFORE].i;
			assert_int_equal(*by_us,
				*back ? r.v[F_TIME_BEFORE].i - r.v[F_TIME].i : r.v[F_TIME].i - r.v[F_TIME_BEFORE].i);
		}
	}
	return n;
}

/* The clock of this machine is left alone: what the producer remembers of it is changed, as by a last run before that.
 */
static void a_clock_that_was_set_is_told(void **state)
{
	static const int64_t by[] = {3600000000, -7200000000, 1000000, -1000000};
	struct sealer_options o = options();
	unsigned told = 0;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(by); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(256);
		char path[128], *at;
		struct sealer *s = NULL;
		int64_t got = 0, was;
		bool back = false;

		assert_int_equal(sealer_new(&o, &s, NULL), 0);
		sealer_free(s);
		snprintf(path, sizeof(path), "%s/recorder.own/clock", dir);
		assert_int_equal(file_read(path, &b), 0);
		assert_non_null(buf_str(&b));
		at = strstr((char *)b.p, "wall-less-boot ");
		assert_non_null(at);
		was = strtoll(at + strlen("wall-less-boot "), NULL, 10);
		*at = 0;
		b.n = strlen((char *)b.p);
		assert_int_equal(buf_putf(&b, "wall-less-boot %lld\n", (long long)(was - by[i])), 0);
		assert_int_equal(file_replace(path, buf_span(&b), 0640), 0);

		assert_int_equal(sealer_new(&o, &s, NULL), 0);
		put(s, 0, true);
		put(s, 1, true);
		assert_int_equal(sealer_flush(s, true), 0);
		sealer_free(s);
		told += by[i] > 2000000 || by[i] < -2000000;
		assert_int_equal(clocks(&got, &back), told);
		if (i < 2) {
			assert_int_equal(back, by[i] < 0);
			assert_in_range((by[i] < 0 ? -by[i] : by[i]) - got + 1000000, 0, 2000000);
		}
	}
}

/* The device key as if a token had it that is not there. */
static struct key *away(void)
{
	static const uint8_t id[KEEPER_ID_SIZE] = {1};
	_cleanup_buf_ struct buf spki = BUF_INIT(512), file = BUF_INIT(4096);
	struct key *k = NULL;

	assert_int_equal(key_public_der(device, &spki), 0);
	assert_int_equal(keeper_token_write(spki.p + spki.n - KEEPER_POINT_SIZE, id, &file), 0);
	assert_int_equal(key_read_held(buf_span(&file), &k), 0);
	return k;
}

static unsigned files(const char *pattern)
{
	char cmd[160];
	unsigned n = 0;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "ls %s/%s 2>/dev/null | wc -l", dir, pattern);
	f = popen(cmd, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &n), 1);
	pclose(f);
	return n;
}

/* The device key is away: over starts that end in order or not, and beyond what one open segment takes, all waits. */
static void without_the_key_all_waits(void **state)
{
	_cleanup_(key_freep) struct key *none = away();
	struct sealer_options o = options();
	struct sealer_stats stats;
	struct sealer *s = NULL;
	unsigned i, n = 0, run;
	struct tally t;

	(void)state;
	setenv("SEKISHO_ROOT", dir, 1);
	o.device = none;
	for (run = 0; run < 4; run++) {
		assert_int_equal(sealer_new(&o, &s, NULL), 0);
		for (i = 0; i < 25000; i++)
			put(s, n++, i % 5000 == 0);
		sealer_stats(s, &stats);
		assert_true(stats.key_waits);
		assert_int_equal(stats.dropped, 0);
		assert_false(sealer_sealed(s));
		if (run & 1)
			assert_int_equal(sealer_flush(s, true), 0);
		sealer_free(s);
		s = NULL;
	}
	assert_int_equal(files("recorder/*.seg"), 0);
	assert_true(files("recorder.own/held-*") >= 7);
	o.device = device;
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	put(s, n++, true);
	sealer_stats(s, &stats);
	assert_true(sealer_sealed(s));
	assert_false(stats.cut);
	sealer_free(s);
	unsetenv("SEKISHO_ROOT");
	judge(&t);
	assert_int_equal(t.records, n);
	assert_true(t.in_order);
	assert_int_equal(t.lost, 0);
	assert_int_equal(t.cuts, 0);
	assert_int_equal(files("recorder.own/held-*"), 0);
}

/* The key is back, and the disk has no room by then: what waits is older than the key, and judged by a key of its time.
 */
static void what_waits_is_older_than_the_key(void **state)
{
	_cleanup_(key_freep) struct key *none = away();
	struct sealer_options o = options();
	struct sealer *s = NULL;
	struct tally t;
	char path[128];

	(void)state;
	setenv("SEKISHO_ROOT", dir, 1);
	o.device = none;
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	put(s, 0, true);
	sealer_free(s);
	s = NULL;
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	put(s, 1, true);
	sealer_free(s);
	s = NULL;
	snprintf(path, sizeof(path), "%s/recorder/refused/00000000000000000099.seg", dir);
	assert_int_equal(file_replace(path, SPAN(path, sizeof(path)), 0640), 0);
	assert_int_equal(truncate(path, 32 << 20), 0);
	o.device = device;
	o.bound = 8u << 20;
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	assert_int_equal(files("recorder/*.seg"), 0);
	assert_int_equal(files("recorder.own/held-*"), 1);
	put(s, 2, false);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sealer_flush(s, true), 0);
	assert_true(sealer_sealed(s));
	sealer_free(s);
	unsetenv("SEKISHO_ROOT");
	judge(&t);
	assert_int_equal(t.records + t.lost, 3);
	assert_int_equal(t.records, 2);
}

/* One that was put aside is damaged: it is said that something may be lost, the rest is sealed, and it is kept. */
static void damage_to_what_waits_is_said(void **state)
{
	_cleanup_(key_freep) struct key *none = away();
	struct sealer_options o = options();
	struct sealer *s = NULL;
	struct tally t;
	char cmd[256];
	unsigned run;

	(void)state;
	setenv("SEKISHO_ROOT", dir, 1);
	o.device = none;
	for (run = 0; run < 3; run++) {
		assert_int_equal(sealer_new(&o, &s, NULL), 0);
		put(s, run, true);
		sealer_free(s);
		s = NULL;
	}
	assert_int_equal(files("recorder.own/held-*"), 2);
	snprintf(cmd, sizeof(cmd),
		"cd %s/recorder.own && printf x | dd of=$(ls held-* | head -n 1) bs=1 seek=70 conv=notrunc 2>/dev/null",
		dir);
	assert_int_equal(system(cmd), 0);
	o.device = device;
	assert_int_equal(sealer_new(&o, &s, NULL), 0);
	put(s, 3, true);
	sealer_free(s);
	unsetenv("SEKISHO_ROOT");
	judge(&t);
	assert_int_equal(t.records, 3);
	assert_int_equal(t.next, 4);
	assert_int_equal(t.cuts, 1);
	assert_int_equal(files("recorder.own/held-*"), 0);
	assert_int_equal(files("recorder.own/damaged-held-*"), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_put_is_sealed_in_order),
		TEST(a_second_start_goes_on_with_the_chain),
		TEST(kill_at_any_moment),
		TEST(a_step_of_sealing_is_repaired),
		TEST(what_a_power_cut_may_have_taken_is_said),
		TEST(a_damaged_chain_file_is_said_and_survived),
		TEST(a_full_spool_drops_new_records_and_counts_them),
		TEST(an_idle_producer_beats_and_renews_its_key),
		TEST(a_pc_that_slept_long_takes_the_next_key),
		TEST(a_followed_pc_seals_within_a_second),
		TEST(a_clock_that_was_set_is_told),
		TEST(without_the_key_all_waits),
		TEST(what_waits_is_older_than_the_key),
		TEST(damage_to_what_waits_is_said),
	};

	return cmocka_run_group_tests_name("wire/sealer", tests, NULL, NULL);
}
