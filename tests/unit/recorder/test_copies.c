/*
 * Copies among hand-made events: what counts as one and how sure it is, names for the while, what gives way; and random
 * histories against a reference that keeps everything and looks at all of it each time.
 */
#include "agent/recorder/copies.h"
#include "agent/recorder/copies_kin.h"
#include "policy/wire/record.h"
#include "tests/unit/cm.h"
#include <stdio.h>
#include <stdlib.h>

#define TOLD_MAX 4096

struct told {
	char to[128], from[128];
	unsigned certainty, reason, rivals;
	uint64_t from_inode, inode, size, bytes;
	char drive[32];
	int hash;       /* first byte of it; -1: none */
	unsigned class; /* as it was when it was settled; 0: as it is now */
};

struct fixture {
	struct copies *c;
	struct span drive;
	unsigned n;
	int answer;
	bool guard; /* it is there: copies on a drive wait for it */
	unsigned asked;
	struct told told[TOLD_MAX];
};

static int on_copy(void *ctx, const struct copy *c)
{
	struct fixture *f = ctx;
	struct told *t = &f->told[f->n++ % TOLD_MAX];

	snprintf(t->to, sizeof(t->to), "%.*s", (int)c->seen.path.n, (const char *)c->seen.path.p);
	snprintf(t->from, sizeof(t->from), "%.*s", (int)c->seen.path2.n, (const char *)c->seen.path2.p);
	assert_int_equal(c->seen.kind, KIND_COPY);
	t->certainty = c->certainty;
	t->reason = c->reason;
	t->rivals = c->rivals;
	t->from_inode = c->from_inode;
	t->inode = c->seen.inode;
	t->size = c->seen.size;
	t->bytes = c->bytes;
	snprintf(t->drive, sizeof(t->drive), "%.*s", (int)c->drive.n, (const char *)c->drive.p);
	t->hash = c->hash ? c->hash->b[0] : -1;
	t->class = c->places ? c->places->class : 0;
	assert_true(!c->places || (c->places->from_class == 8 && !strcmp(c->places->fs, "vfat")));
	return f->answer;
}

static bool on_await(void *ctx, const struct copy *c, struct copy_places *places)
{
	struct fixture *f = ctx;

	*places = (struct copy_places){.class = 7, .from_class = 8, .fs = "vfat"};

	f->asked++;
	return f->guard && c->drive.n;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f || copies_new(on_copy, f, &f->c))
		return -1;
	copies_await(f->c, on_await);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	copies_free(f->c);
	free(f);
	return 0;
}

/* A file used by a process, from when to when (milliseconds). */
static struct seen use(uint32_t pid, const char *path, uint64_t inode, uint64_t size, int64_t from_ms, int64_t to_ms)
{
	return (struct seen){.kind = KIND_FILE,
		.pid = pid,
		.ppid = 1,
		.start_ns = pid,
		.uid = 1000,
		.path = SPAN_STR(path),
		.has_object = true,
		.has_size = true,
		.dev_major = 8,
		.inode = inode,
		.size = size,
		.boot_us = to_ms * 1000,
		.duration_us = (to_ms - from_ms) * 1000};
}

static struct seen reading(
	uint32_t pid, const char *path, uint64_t inode, uint64_t size, int64_t from_ms, int64_t to_ms)
{
	struct seen s = use(pid, path, inode, size, from_ms, to_ms);

	s.read = size;
	s.flags = RF_READ;
	return s;
}

static struct seen writing(
	uint32_t pid, const char *path, uint64_t inode, uint64_t size, int64_t from_ms, int64_t to_ms)
{
	struct seen s = use(pid, path, inode, size, from_ms, to_ms);

	s.written = size;
	s.flags = RF_CREATED | RF_WROTE;
	return s;
}

static void feed_as(struct fixture *f, struct seen s, const char *program)
{
	assert_int_equal(copies_event(f->c, &s, SPAN_STR(program), f->drive), 0);
}

static void feed(struct fixture *f, struct seen s)
{
	feed_as(f, s, "/usr/bin/mc");
}

static struct told *only(struct fixture *f)
{
	assert_int_equal(copies_run(f->c, INT64_MAX), 0);
	assert_int_equal(f->n, 1);
	f->n = 0;
	return &f->told[0];
}

static void none(struct fixture *f)
{
	assert_int_equal(copies_run(f->c, INT64_MAX), 0);
	assert_int_equal(f->n, 0);
}

static void carried(
	struct fixture *f, unsigned how, const char *to, uint64_t inode, const char *from, uint64_t from_inode)
{
	struct seen s = use(5, to, inode, 0, 10, 10);

	s.kind = KIND_COPY;
	s.path2 = SPAN_STR(from);
	s.how = how;
	s.from_major = 9;
	s.from_inode = from_inode;
	feed(f, s);
}

static void closed(struct fixture *f, const char *to, uint64_t inode, uint64_t size, uint64_t from_inode, int64_t ms)
{
	struct seen s = writing(5, to, inode, size, 10, ms);

	s.how = REASON_COPY_FILE_RANGE;
	s.from_major = 9;
	s.from_inode = from_inode;
	s.copied = size;
	feed(f, s);
}

static void what_the_kernel_carried_is_exact(void **state)
{
	struct fixture *f = *state;
	struct seen moved = use(5, "/b.part", 70, 0, 30, 30);
	struct told *t;

	carried(f, REASON_COPY_FILE_RANGE, "/b.part", 70, "/a", 7);
	carried(f, REASON_COPY_FILE_RANGE, "/b.part", 70, "/a", 7);
	/* while it is being written nothing is told, however long that lasts */
	assert_int_equal(copies_run(f->c, 900000000), 0);
	assert_int_equal(copies_due(f->c), INT64_MAX);
	/* another that has it open closes it: it goes on */
	feed(f, reading(6, "/b.part", 70, 10, 11, 12));
	closed(f, "/b.part", 70, 6000, 7, 20);
	moved.kind = KIND_RENAME;
	moved.path2 = SPAN_STR("/b");
	feed(f, moved);
	assert_int_equal(copies_due(f->c), 20000 + COPIES_HOLD_US);
	t = only(f);
	assert_string_equal(t->to, "/b");
	assert_string_equal(t->from, "/a");
	assert_int_equal(t->certainty, CERTAINTY_EXACT);
	assert_int_equal(t->reason, REASON_COPY_FILE_RANGE);
	assert_int_equal(t->size, 6000);
	assert_int_equal(t->bytes, 6000);
	assert_int_equal(t->inode, 70);
	assert_int_equal(t->from_inode, 7);
	/* of two sources each is told; how much came of the first one nobody knows */
	carried(f, REASON_SENDFILE, "/b", 71, "/a", 7);
	carried(f, REASON_SENDFILE, "/b", 71, "/a2", 8);
	closed(f, "/b", 71, 500, 8, 40);
	assert_int_equal(copies_run(f->c, INT64_MAX), 0);
	assert_int_equal(f->n, 2);
	assert_string_equal(f->told[0].from, "/a2");
	assert_int_equal(f->told[0].bytes, 500);
	assert_string_equal(f->told[1].from, "/a");
	assert_int_equal(f->told[1].bytes, 0);
	f->n = 0;
	/* the end of recording: what is still being written is told as far as it is known */
	carried(f, REASON_REFLINK, "/b", 72, "/a", 7);
	assert_int_equal(copies_flush(f->c), 0);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->told[0].reason, REASON_REFLINK);
}

static void what_was_read_and_written_is_inferred(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	/* whichever is closed first */
	feed(f, reading(5, "/a", 7, 9000, 0, 10));
	feed(f, writing(5, "/b", 70, 9000, 1, 11));
	assert_int_equal(only(f)->certainty, CERTAINTY_STRONG);
	feed(f, writing(5, "/c", 71, 9001, 20, 30));
	feed(f, reading(5, "/a1", 8, 9001, 20, 31));
	assert_int_equal(only(f)->certainty, CERTAINTY_STRONG);
	/* a small one needs a name */
	feed(f, reading(5, "/x/small", 9, 100, 40, 50));
	feed(f, writing(5, "/b", 70, 100, 40, 50));
	assert_int_equal(only(f)->certainty, CERTAINTY_LIKELY);
	feed(f, reading(5, "/x/small", 9, 101, 60, 70));
	feed(f, writing(5, "/y/small", 72, 101, 60, 70));
	assert_int_equal(only(f)->certainty, CERTAINTY_STRONG);
	/* not the whole, into a file that was there; into a new one with holes it may be */
	s = reading(5, "/a", 7, 9002, 80, 90);
	s.read = 5000;
	feed(f, s);
	s = writing(5, "/b", 70, 9002, 80, 90);
	s.written = 5000;
	feed(f, s);
	assert_int_equal(only(f)->certainty, CERTAINTY_LIKELY);
	s.flags = RF_WROTE;
	s.boot_us += 1000;
	feed(f, s);
	none(f);
	/* read after it was written, long before it was, by somebody else, by itself */
	feed(f, writing(5, "/b", 70, 9003, 100, 110));
	feed(f, reading(5, "/a", 7, 9003, 111, 120));
	none(f);
	feed(f, reading(5, "/a", 7, 9004, 130, 140));
	feed(f, writing(5, "/b", 70, 9004, 10141, 10150));
	none(f);
	feed(f, reading(5, "/a", 7, 9005, 20000, 20010));
	feed(f, writing(6, "/b", 70, 9005, 20000, 20010));
	none(f);
	feed(f, reading(5, "/a", 7, 9006, 20020, 20030));
	feed(f, writing(5, "/a~", 73, 9006, 20020, 20030));
	s = use(5, "/a~", 73, 0, 20031, 20031);
	s.kind = KIND_RENAME;
	s.has_object = false;
	s.path2 = SPAN_STR("/a");
	feed(f, s);
	none(f);
}

static void another_run_of_the_program_is_likely(void **state)
{
	struct fixture *f = *state;
	struct told *t;

	feed_as(f, reading(5, "/x/report.xlsx", 7, 9000, 0, 10), "/usr/bin/rsync");
	feed_as(f, writing(6, "/y/.report.xlsx.Rq8zT1", 70, 9000, 0, 10), "/usr/bin/rsync");
	t = only(f);
	assert_int_equal(t->certainty, CERTAINTY_LIKELY);
	assert_int_equal(t->reason, REASON_SAME_SIZE_FAMILY);
	/* another program, or another name */
	feed_as(f, writing(6, "/y/report.xlsx", 71, 9000, 0, 10), "/usr/bin/other");
	feed_as(f, writing(6, "/y/other.xlsx", 72, 9000, 0, 10), "/usr/bin/rsync");
	none(f);
}

static void archives_hold_what_was_read(void **state)
{
	struct fixture *f = *state;
	struct seen s = writing(5, "/ziK3dX", 70, 500, 100, 200);

	feed(f, reading(5, "/before", 1, 10, 0, 1));
	s.boot_us += 10000000;
	s.duration_us = 100000;
	feed(f, reading(5, "/1", 11, 100, 10150, 10160));
	feed(f, reading(5, "/2", 12, 200, 10160, 10170));
	feed(f, reading(5, "/2", 12, 200, 10170, 10180));
	feed(f, reading(99, "/3", 13, 300, 10170, 10180));
	feed(f, s);
	s.kind = KIND_RENAME;
	s.path2 = SPAN_STR("/all.ZIP");
	feed(f, s);
	assert_int_equal(copies_run(f->c, INT64_MAX), 0);
	assert_int_equal(f->n, 2);
	assert_string_equal(f->told[0].from, "/2");
	assert_string_equal(f->told[1].from, "/1");
	assert_string_equal(f->told[1].to, "/all.ZIP");
	assert_int_equal(f->told[1].reason, REASON_ARCHIVE);
	assert_int_equal(f->told[1].certainty, CERTAINTY_LIKELY);
}

static void a_document_is_saved_as_another(void **state)
{
	struct fixture *f = *state;
	struct told *t;

	feed(f, reading(5, "/plan.ods", 1, 10000, 0, 1));
	feed(f, reading(5, "/font.ttf", 2, 10000, 0, 1));
	feed(f, writing(5, "/out.xlsx", 70, 5000, 500, 510));
	t = only(f);
	assert_string_equal(t->from, "/plan.ods");
	assert_int_equal(t->reason, REASON_SAVE_AS);
	assert_int_equal(t->rivals, 0);
	feed(f, reading(5, "/other.csv", 3, 100, 600, 601));
	feed(f, writing(5, "/out.pdf", 71, 5001, 700, 710));
	t = only(f);
	assert_string_equal(t->from, "/other.csv");
	assert_int_equal(t->reason, REASON_EXPORT);
	assert_int_equal(t->rivals, 1);
	/* of another kind; and saved again */
	feed(f, writing(5, "/out.odt", 72, 5002, 800, 810));
	feed(f, writing(5, "/plan.ods", 73, 5003, 820, 830));
	none(f);
}

static void long_use_is_summed(void **state)
{
	struct fixture *f = *state;
	struct seen a = reading(5, "/a", 7, 9000, 0, 300000), b = writing(5, "/b", 70, 8000, 0, 300000);

	a.read = b.written = 4000;
	a.flags |= RF_HELD_OPEN;
	b.flags |= RF_HELD_OPEN;
	feed(f, a);
	feed(f, b);
	none(f);
	a = reading(5, "/a", 7, 9000, 300000, 500000);
	b = writing(5, "/b", 70, 9000, 300000, 500000);
	a.read = b.written = 5000;
	b.flags = RF_WROTE;
	feed(f, a);
	feed(f, b);
	assert_int_equal(only(f)->certainty, CERTAINTY_STRONG);
}

/* --- the guard's looks --- */

static void looked(struct fixture *f, uint64_t inode, uint64_t size, int64_t begun_ms, int hash)
{
	struct look_word w = {.dev_major = 8,
		.inode = inode,
		.size = size,
		.begun_us = begun_ms * 1000,
		.ended_us = begun_ms * 1000,
		.has_hash = hash >= 0};

	memset(w.hash.b, hash < 0 ? 0 : hash, sizeof(w.hash.b));
	copies_looked(f->c, &w);
}

/* A copy onto a drive, closed at `ms`. */
static void to_drive(struct fixture *f, const char *to, uint64_t inode, uint64_t size, int64_t ms)
{
	feed(f, reading(5, "/a", 7, size, ms - 10, ms - 1));
	f->drive = SPAN_STR("STICK");
	feed(f, writing(5, to, inode, size, ms - 9, ms));
	f->drive = SPAN(NULL, 0);
}

static void run_to(struct fixture *f, int64_t ms, unsigned told)
{
	assert_int_equal(copies_run(f->c, ms * 1000), 0);
	assert_int_equal(f->n, told);
	f->n = 0;
}

static void a_copy_on_a_drive_has_the_hash_of_what_was_judged(void **state)
{
	struct fixture *f = *state;
	struct copies_stats stats;
	struct seen s;

	f->guard = true;
	/* the look comes in the second in which the copy is settled; while it is awaited */
	to_drive(f, "/s/1", 70, 9000, 100);
	looked(f, 70, 9000, 300, 0x11);
	run_to(f, 1099, 0);
	run_to(f, 1100, 1);
	assert_int_equal(f->asked, 0);
	assert_int_equal(f->told[0].hash, 0x11);
	assert_string_equal(f->told[0].drive, "STICK");
	to_drive(f, "/s/2", 71, 9001, 2000);
	run_to(f, 3000, 0);
	assert_int_equal(f->asked, 1);
	assert_int_equal(copies_due(f->c), 2000000 + COPIES_LOOK_US);
	looked(f, 71, 9001, 5000, 0x22);
	/* the events from before the look were not told yet */
	run_to(f, 4999, 0);
	assert_int_equal(copies_due(f->c), 0);
	run_to(f, 5000, 1);
	assert_int_equal(f->told[0].hash, 0x22);
	assert_string_equal(f->told[0].to, "/s/2");
	assert_string_equal(f->told[0].from, "/a");
	assert_int_equal(f->told[0].certainty, CERTAINTY_STRONG);
	assert_string_equal(f->told[0].drive, "STICK");
	assert_int_equal(copies_due(f->c), INT64_MAX);
	/* the guard says that nobody will know */
	to_drive(f, "/s/3", 72, 9002, 6000);
	run_to(f, 7000, 0);
	looked(f, 72, 0, 7100, -1);
	run_to(f, 7100, 1);
	assert_int_equal(f->told[0].hash, -1);
	/* it says nothing */
	to_drive(f, "/s/4", 73, 9003, 8000);
	run_to(f, 9000, 0);
	run_to(f, 37999, 0);
	run_to(f, 38000, 1);
	assert_int_equal(f->told[0].hash, -1);
	/* on no drive, and where there is no guard, nobody waits */
	feed(f, reading(5, "/a", 7, 9004, 39000, 39001));
	feed(f, writing(5, "/b", 74, 9004, 39000, 39002));
	run_to(f, 40002, 1);
	f->guard = false;
	to_drive(f, "/s/5", 75, 9005, 41000);
	run_to(f, 42000, 1);
	assert_string_equal(f->told[0].drive, "STICK");
	/* it is told once, when recording ends; and has the name that it had when it was settled */
	f->guard = true;
	to_drive(f, "/s/6", 76, 9006, 43000);
	run_to(f, 44000, 0);
	s = use(5, "/s/6", 76, 0, 44001, 44001);
	s.kind = KIND_RENAME;
	s.path2 = SPAN_STR("/s/later");
	feed(f, s);
	assert_int_equal(copies_flush(f->c), 0);
	assert_int_equal(f->n, 1);
	assert_string_equal(f->told[0].to, "/s/6");
	looked(f, 76, 9006, 44100, 0x66);
	assert_int_equal(copies_flush(f->c), 0);
	assert_int_equal(f->n, 1);
	copies_stats(f->c, &stats);
	assert_int_equal(stats.told, 7);
	assert_int_equal(stats.hashed, 2);
	assert_int_equal(stats.unlooked, 2);
}

/* With long paths fewer wait, so that those that do not wait have room for theirs: each is told, and once. */
static void long_names_leave_room(void **state)
{
	char to[320];
	struct fixture *f = *state;
	struct copies_stats stats;
	unsigned i;

	f->guard = true;
	for (i = 0; i < 600; i++) {
		memset(to, 'x', sizeof(to));
		snprintf(to + 300, sizeof(to) - 300, "/%u", i);
		to[0] = '/';
		to_drive(f, to, 1000 + i, 9000 + i, 100 + 20 * i);
		assert_int_equal(copies_run(f->c, (100 + 20 * i) * 1000), 0);
	}
	assert_int_equal(copies_run(f->c, 14000000), 0);
	assert_int_equal(f->n, 600 - COPIES_PARKED_LONG);
	assert_int_equal(copies_run(f->c, 60000000), 0);
	assert_int_equal(f->n, 600);
	copies_stats(f->c, &stats);
	assert_int_equal(stats.told, 600);
}

/* Where the guard never tells of a file, others do not wait; until it does. */
static void nobody_waits_where_all_do_in_vain(void **state)
{
	struct fixture *f = *state;
	int64_t at = 100;
	unsigned i;

	f->guard = true;
	for (i = 0; i < COPIES_VAIN; i++, at += 40000) {
		to_drive(f, "/s/1", 70 + i, 9000, at);
		run_to(f, at + 1000, 0);
		run_to(f, at + 30000, 1);
		assert_int_equal(f->told[0].class, 7);
	}
	to_drive(f, "/s/2", 90, 9000, at);
	run_to(f, at + 1000, 1);
	assert_int_equal(f->told[0].class, 0);
	looked(f, 91, 1, at + 1500, 0x11);
	to_drive(f, "/s/3", 92, 9000, at + 2000);
	run_to(f, at + 3000, 0);
	run_to(f, at + 32000, 1);
}

static void another_content_is_not_taken_for_it(void **state)
{
	static const struct {
		uint64_t inode, size;
		int64_t begun_ms;
		bool answers; /* nothing else is waited for */
	} tried[] = {{71, 9000, 300, false}, {70, 9000, 99, false}, {70, 9001, 300, true}};
	struct fixture *f = *state;
	struct seen s;
	int64_t at = 0;
	size_t i;

	f->guard = true;
	for (i = 0; i < ARRAY_SIZE(tried); i++, at += 60000) {
		to_drive(f, "/s/1", 70, 9000, at + 100);
		run_to(f, at + 1100, 0);
		looked(f, tried[i].inode, tried[i].size, at + tried[i].begun_ms, 0x33);
		run_to(f, at + 1101, tried[i].answers);
		run_to(f, at + 50000, !tried[i].answers);
		assert_int_equal(f->told[0].hash, -1);
	}
	/* written to, or cut, before the look began: what lies there is not what was copied */
	for (i = 0; i < 2; i++, at += 60000) {
		to_drive(f, "/s/1", 70, 9000, at + 100);
		run_to(f, at + 1100, 0);
		s = writing(9, "/s/1", 70, 9000, at + 1100, at + 1200);
		s.flags = RF_WROTE;
		s.kind = i ? KIND_TRUNCATE : KIND_FILE;
		feed(f, s);
		looked(f, 70, 9000, at + 1300, 0x44);
		run_to(f, at + 1301, 1);
		assert_int_equal(f->told[0].hash, -1);
		run_to(f, at + 50000, 0);
	}
	/* cut by a name that has no number: to its size, before the look or not; and before it was copied, or to
	 * another */
	for (i = 0; i < 5; i++, at += 60000) {
		const int64_t cut = i == 3 ? at + 50 : at + 1200;

		if (i == 3) {
			s = writing(9, "/else/where", 0, 9000, cut, cut);
			s.kind = KIND_TRUNCATE;
			s.has_object = false;
			feed(f, s);
		}
		to_drive(f, "/s/1", 70, 9000, at + 100);
		run_to(f, at + 1100, 0);
		if (i != 3) {
			s = writing(9, "/else/where", 0, i == 4 ? 9001 : 9000, cut, cut);
			s.kind = KIND_TRUNCATE;
			s.has_object = i == 1;
			feed(f, s);
		}
		looked(f, 70, 9000, at + (i == 2 ? 1150 : 1300), 0x44);
		run_to(f, at + 1301, 1);
		assert_int_equal(f->told[0].hash, i < 3 ? -1 : 0x44);
		run_to(f, at + 50000, 0);
	}
	/* while events are behind the look, nobody knows yet */
	to_drive(f, "/s/1", 70, 9000, at + 100);
	looked(f, 70, 9000, at + 1200, 0x56);
	run_to(f, at + 1100, 0);
	s = writing(9, "/s/1", 70, 9000, at + 1100, at + 1150);
	s.flags = RF_WROTE;
	feed(f, s);
	run_to(f, at + 1200, 1);
	assert_int_equal(f->told[0].hash, -1);
	at += 60000;
	/* behind that it is another file's matter */
	to_drive(f, "/s/1", 70, 9000, at + 100);
	run_to(f, at + 1100, 0);
	s = writing(9, "/s/1", 70, 9000, at + 1100, at + 1400);
	s.flags = RF_WROTE;
	feed(f, s);
	looked(f, 70, 9000, at + 1300, 0x55);
	run_to(f, at + 1401, 1);
	assert_int_equal(f->told[0].hash, 0x55);
}

static void each_part_of_an_archive_has_its_hash(void **state)
{
	struct fixture *f = *state;

	f->guard = true;
	feed(f, reading(5, "/1", 11, 100, 10, 20));
	feed(f, reading(5, "/2", 12, 200, 20, 30));
	f->drive = SPAN_STR("STICK");
	feed(f, writing(5, "/s/all.zip", 70, 500, 5, 40));
	run_to(f, 1040, 0);
	looked(f, 70, 500, 1100, 0x77);
	run_to(f, 1100, 2);
	assert_string_equal(f->told[0].to, "/s/all.zip");
	assert_int_equal(f->told[0].hash, 0x77);
	assert_int_equal(f->told[1].hash, 0x77);
	assert_true(strcmp(f->told[0].from, f->told[1].from) != 0);
}

/* Nothing is lost or told twice where more wait than there is room for. */
static void what_waits_gives_way(void **state)
{
	struct fixture *f = *state;
	struct copies_stats stats;
	unsigned i, n = COPIES_DRAFTS + 500;
	char to[32];

	f->guard = true;
	for (i = 0; i < n; i++) {
		snprintf(to, sizeof(to), "/s/%u", i);
		to_drive(f, to, 1000 + i, 10000 + i, 20 + i);
		assert_int_equal(copies_run(f->c, (20 + i) * 1000), 0);
	}
	copies_stats(f->c, &stats);
	assert_int_equal(stats.told, stats.drafts_evicted);
	assert_true(stats.told >= 500);
	for (i = 0; i < n; i += 7)
		looked(f, 1000 + i, 10000 + i, 20 + n, 0x55);
	assert_int_equal(copies_flush(f->c), 0);
	copies_stats(f->c, &stats);
	assert_int_equal(stats.told, n);
	assert_true(stats.hashed > 0 && stats.hashed <= COPIES_LOOKS);
}

static void what_gives_way_is_counted(void **state)
{
	struct fixture *f = *state;
	struct copies_stats s;
	char path[32];
	unsigned i;

	for (i = 0; i < COPIES_DRAFTS + 10; i++) {
		snprintf(path, sizeof(path), "/%u", i);
		carried(f, REASON_SPLICE, path, 100 + i, "/a", 7);
	}
	/* told, though they were still being written */
	assert_int_equal(f->n, 10);
	assert_string_equal(f->told[9].to, "/9");
	for (i = 0; i < COPIES_ROW + 5; i++)
		feed(f, reading(5, "/r", 20000 + i, 50, 0, 1));
	copies_stats(f->c, &s);
	assert_int_equal(s.drafts_evicted, 10);
	assert_int_equal(s.reads_evicted, 5);
	assert_int_equal(s.told, 10);
	assert_int_equal(copies_flush(f->c), 0);
	assert_int_equal(f->n, COPIES_DRAFTS + 10);
}

static void a_failing_sink_is_passed_up(void **state)
{
	struct fixture *f = *state;

	feed(f, reading(5, "/a", 7, 9000, 0, 10));
	feed(f, writing(5, "/b", 70, 9000, 1, 11));
	f->answer = -5;
	assert_int_equal(copies_run(f->c, INT64_MAX), -5);
}

static void kin_is_by_suffix(void **state)
{
	(void)state;
	assert_int_equal(kin_of(SPAN_STR("/a/B.TAR.GZ")), KIN_ARCHIVE);
	assert_int_equal(kin_of(SPAN_STR("/a.zip/b")), KIN_NONE);
	assert_int_equal(kin_of(SPAN_STR("/.zip")), KIN_NONE);
	assert_int_equal(kin_of(SPAN_STR("/x.")), KIN_NONE);
	assert_int_equal(kin_of(SPAN_STR("")), KIN_NONE);
	assert_int_equal(kin_of(SPAN_STR("/x.superlongsuffix")), KIN_NONE);
	assert_int_equal(kin_made(KIN_SHEET, KIN_SHEET), REASON_SAVE_AS);
	assert_int_equal(kin_made(KIN_TEXT, KIN_PDF), REASON_EXPORT);
	assert_int_equal(kin_made(KIN_TEXT, KIN_SHEET), 0);
	assert_int_equal(kin_made(KIN_ARCHIVE, KIN_ARCHIVE), 0);
	assert_true(kin_alike(SPAN_STR("/a/x.txt"), SPAN_STR("/b/.x.txt.1")));
	assert_false(kin_alike(SPAN_STR("/a/x"), SPAN_STR("/b/x")));
}

/* --- random histories --- */

#define EVENTS 150
#define SIZES 6

struct made {
	struct seen s;
	char path[32];
	bool write;
};

static uint32_t seed_of;

static uint32_t draw(uint32_t n)
{
	seed_of = seed_of * 1664525u + 1013904223u;
	return (seed_of >> 8) % n;
}

/* As README.md has it, over the whole history. False where there is no source. */
static bool reference(const struct made *all, unsigned n, unsigned i, struct told *out)
{
	const struct seen *b = &all[i].s;
	unsigned best = 0, k, source, rivals = 0, fits[EVENTS] = {0};

	for (k = 0; k < n; k++) {
		const struct seen *a = &all[k].s;
		bool overlap = a->boot_us >= b->boot_us - b->duration_us;
		unsigned how = 1;

		/* what comes later than the hold comes too late */
		if (all[k].write || a->size != b->size || a->pid != b->pid || a->inode == b->inode ||
			(k > i && a->boot_us >= b->boot_us + COPIES_HOLD_US))
			continue;
		if (a->boot_us - a->duration_us > b->boot_us ||
			(!overlap && b->boot_us - b->duration_us - a->boot_us > COPIES_WINDOW_US))
			continue;
		if (a->read < a->size && a->read < b->written)
			continue;
		how += a->read >= a->size && b->written >= b->size ? 1 : 0;
		if (how == 1 && a->read < b->written)
			continue;
		how += overlap ? 2 : 0;
		fits[k] = how;
		if (how > best)
			best = how;
	}
	if (!best)
		return false;
	/* the newest one closed before it, else the first one after */
	for (source = i; source && fits[source - 1] != best; source--)
		;
	if (source)
		source--;
	else
		while (fits[source] != best)
			source++;
	for (k = 0; k < n; k++)
		rivals += fits[k] == best && all[k].s.inode != all[source].s.inode;
	out->from_inode = all[source].s.inode;
	out->rivals = rivals;
	out->certainty = best & 1 || rivals || b->size < COPIES_SMALL ? CERTAINTY_LIKELY : CERTAINTY_STRONG;
	return true;
}

static void one_history(struct fixture *f)
{
	static struct made all[EVENTS];
	struct told want;
	int64_t now = 0;
	unsigned i, k, due = 0;

	for (i = 0; i < EVENTS; i++) {
		struct made *m = &all[i];
		uint64_t size = 4000 + 50 * draw(SIZES);
		uint32_t pid = 5 + draw(3);
		int64_t lasted = draw(300);

		now += draw(400);
		m->write = draw(2);
		/* distinct names of two letters, so that no name is in another */
		snprintf(m->path, sizeof(m->path), "/%c%c", (char)('a' + i % 26), (char)('A' + i / 26));
		m->s = m->write ? writing(pid, m->path, 1000 + i, size, now - lasted, now)
				: reading(pid, m->path, 1 + draw(60), size, now - lasted, now);
		if (draw(4) == 0)
			*(m->write ? &m->s.written : &m->s.read) = size / (1 + draw(3));
	}
	f->n = 0;
	for (i = 0; i < EVENTS; i++) {
		assert_int_equal(copies_run(f->c, all[i].s.boot_us), 0);
		feed(f, all[i].s);
	}
	assert_int_equal(copies_run(f->c, INT64_MAX), 0);
	for (i = 0; i < EVENTS; i++) {
		if (!all[i].write || !reference(all, EVENTS, i, &want))
			continue;
		due++;
		for (k = 0; k < f->n && f->told[k].inode != all[i].s.inode; k++)
			;
		assert_true(k < f->n);
		assert_int_equal(f->told[k].from_inode, want.from_inode);
		assert_int_equal(f->told[k].rivals, want.rivals);
		assert_int_equal(f->told[k].certainty, want.certainty);
	}
	assert_int_equal(f->n, due);
	assert_true(due > 10);
}

static void random_histories_match_a_plain_reference(void **state)
{
	struct fixture *f = *state;
	uint32_t seed;

	for (seed = 1; seed <= 300; seed++) {
		seed_of = seed;
		copies_free(f->c);
		assert_int_equal(copies_new(on_copy, f, &f->c), 0);
		one_history(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_the_kernel_carried_is_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_read_and_written_is_inferred, setup, teardown),
		cmocka_unit_test_setup_teardown(another_run_of_the_program_is_likely, setup, teardown),
		cmocka_unit_test_setup_teardown(archives_hold_what_was_read, setup, teardown),
		cmocka_unit_test_setup_teardown(a_document_is_saved_as_another, setup, teardown),
		cmocka_unit_test_setup_teardown(long_use_is_summed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_copy_on_a_drive_has_the_hash_of_what_was_judged, setup, teardown),
		cmocka_unit_test_setup_teardown(long_names_leave_room, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_waits_where_all_do_in_vain, setup, teardown),
		cmocka_unit_test_setup_teardown(another_content_is_not_taken_for_it, setup, teardown),
		cmocka_unit_test_setup_teardown(each_part_of_an_archive_has_its_hash, setup, teardown),
		cmocka_unit_test_setup_teardown(what_waits_gives_way, setup, teardown),
		cmocka_unit_test_setup_teardown(what_gives_way_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failing_sink_is_passed_up, setup, teardown),
		cmocka_unit_test(kin_is_by_suffix),
		cmocka_unit_test_setup_teardown(random_histories_match_a_plain_reference, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
