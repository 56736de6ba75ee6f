/*
 * The spool where somebody took the uplink over: it may write to the folder of segments, as its group must. Whatever it
 * lays there, the producer goes on, takes nothing of it for its own, and the chain stays whole. Both are users without
 * any privilege here, as they are on a PC.
 */
#include "policy/base/file.h"
#include "policy/wire/producer.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PRODUCER_UID 12001
#define UPLINK_UID 12002 /* and the group that both folders are of */
#define PATIENCE_S 120

static char dir[64];
static struct key *device;

static const char *at(const char *name)
{
	static char path[4][160];
	static unsigned turn;

	turn = (turn + 1) % ARRAY_SIZE(path);
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static const char *segment_at(const char *sub, unsigned seq, const char *more)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%020u.seg%s", sub, seq, more);
	return at(name);
}

/* Runs `f` as somebody. Whoever is kept waiting is ended, and that is a failure. */
static void as(uid_t uid, void (*f)(void *), void *with)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		alarm(PATIENCE_S);
		if (setgroups(0, NULL) || setgid(uid) || setuid(uid))
			_exit(99);
		umask(0);
		f(with);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define MUST(what)                                                                              \
	do {                                                                                    \
		if (!(what)) {                                                                  \
			fprintf(stderr, "line %d: %s: %s\n", __LINE__, #what, strerror(errno)); \
			_exit(1);                                                               \
		}                                                                               \
	} while (0)

struct stint {
	unsigned first, n;
	bool leave; /* the last one is not sealed */
};

/* A run of the producer: each record is a segment. */
static void produce(void *with)
{
	const struct stint *t = with;
	struct sealer_options o = {
		.spool_dir = dir, .producer = PRODUCER_RECORDER, .device = device, .bound = 4u << 20, .floor = 1};
	static struct record r;
	struct sealer_stats stats;
	struct sealer *s = NULL;
	unsigned i;

	MUST(sealer_new(&o, &s, NULL) == 0);
	for (i = 0; i < t->n; i++) {
		record_reset(&r);
		record_set_uint(&r, F_KIND, KIND_FILE);
		record_set_uint(&r, F_PID, 1);
		record_set_uint(&r, F_COUNT, t->first + i);
		MUST(sealer_put(s, &r, !(t->leave && i + 1 == t->n)) == 0);
	}
	sealer_stats(s, &stats);
	MUST(!stats.full && !stats.dropped);
	sealer_free(s);
}

static void run(unsigned first, unsigned n)
{
	struct stint t = {.first = first, .n = n};

	as(PRODUCER_UID, produce, &t);
}

/* All segments up to `n` are the producer's, each goes on where the one before ended, and they hold 0..n-1 once. */
static void judge(unsigned n)
{
	struct digest prev;
	unsigned i;

	for (i = 0; i < n; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(SEGMENT_MAX), raw = BUF_INIT(BODY_RAW_MAX);
		_cleanup_(body_reader_freep) struct body_reader *br = NULL;
		static struct record r;
		struct segment s;

		assert_int_equal(file_read_plain_at(AT_FDCWD, segment_at("recorder/", i, ""), PRODUCER_UID, &b), 0);
		assert_int_equal(segment_parse(buf_span(&b), &s, NULL), 0);
		assert_int_equal(s.header.seq, i);
		if (i)
			assert_true(digest_eq(&s.header.prev, &prev));
		prev = s.hash;
		assert_int_equal(s.header.count, 1);
		assert_false(s.header.flags & (SF_RECOVERED | SF_REJOIN));
		assert_int_equal(s.header.lost_n, 0);
		assert_int_equal(segment_raw(&s, &raw, NULL), 0);
		assert_int_equal(body_reader_new(buf_span(&raw), &br), 0);
		assert_int_equal(body_next(br, &r, NULL), 0);
		assert_int_equal(r.v[F_COUNT].u, i);
	}
}

static void obstacle(const char *path)
{
	char in[200];

	snprintf(in, sizeof(in), "%s/in", path);
	MUST(!mkdir(path, 0700) && !mkdir(in, 0700) && !chmod(path, 0));
}

static void lay_in_the_way(void *with)
{
	(void)with;
	obstacle(segment_at("recorder/", 1, ""));
	obstacle(segment_at("recorder/", 1, ".tmp"));
	MUST(!mkfifo(segment_at("recorder/", 2, ""), 0666));
	MUST(!symlink("/dev/zero", segment_at("recorder/", 3, "")));
	MUST(!mkdir(segment_at("recorder/", 4, ""), 0700));
	MUST(!rename(at("recorder/acked"), at("recorder/acked.gone")));
	MUST(!symlink("/proc", at("recorder/acked")));
	MUST(!rename(at("recorder/refused"), at("recorder/refused.gone")));
	obstacle(at("recorder/refused"));
}

static void what_lies_in_the_way_of_a_segment_is_put_aside(void **state)
{
	(void)state;
	run(0, 1);
	as(UPLINK_UID, lay_in_the_way, NULL);
	run(1, 5);
	judge(6);
}

static void lay_state(void *with)
{
	const struct buf *open_file = with;

	MUST(!file_replace(at("recorder/open"), buf_span(open_file), 0666));
	MUST(!file_replace(at("recorder/chain"), SPAN_STR("sekisho-chain 1\nnext 7\n"), 0666));
	obstacle(at("recorder/lock"));
	/* and they cannot even look at the real ones */
	MUST(access(at("recorder.own/open"), F_OK) && errno == EACCES);
	MUST(rename(at("recorder.own"), at("recorder.mine")) && errno == EACCES);
}

/* Records in an open segment of theirs would be sealed by the producer's key, and believed. */
static void nothing_of_theirs_is_sealed(void **state)
{
	_cleanup_buf_ struct buf open_file = BUF_INIT(2u << 20);
	struct stint left = {.first = 666, .n = 1, .leave = true};

	(void)state;
	run(0, 1);
	as(PRODUCER_UID, produce, &left);
	assert_int_equal(file_read(at("recorder.own/open"), &open_file), 0);
	assert_int_equal(unlink(at("recorder.own/open")), 0);
	as(UPLINK_UID, lay_state, &open_file);
	run(1, 2);
	judge(3);
}

static void lay_segment(void *with)
{
	MUST(!file_replace(segment_at("recorder/", 1, ""), buf_span(with), 0666));
	MUST(!file_replace(segment_at("recorder/acked/", 2, ""), buf_span(with), 0666));
}

/* A segment behind the last one that the chain file knows is taken for the producer's after a crash: if it is its. */
static void no_segment_of_theirs_goes_on_with_the_chain(void **state)
{
	_cleanup_buf_ struct buf chain = BUF_INIT(1024), next = BUF_INIT(SEGMENT_MAX);

	(void)state;
	run(0, 1);
	assert_int_equal(file_read(at("recorder.own/chain"), &chain), 0);
	run(777, 1);
	assert_int_equal(file_read(segment_at("recorder/", 1, ""), &next), 0);
	assert_int_equal(unlink(segment_at("recorder/", 1, "")), 0);
	assert_int_equal(file_replace(at("recorder.own/chain"), buf_span(&chain), 0640), 0);
	assert_int_equal(chown(at("recorder.own/chain"), PRODUCER_UID, PRODUCER_UID), 0);
	as(UPLINK_UID, lay_segment, &next);
	run(1, 3);
	judge(4);
}

static void lay_giants(void *with)
{
	static const char *const subs[] = {"recorder/", "recorder/acked/"};
	size_t i;

	(void)with;
	for (i = 0; i < ARRAY_SIZE(subs); i++) {
		int fd = open(segment_at(subs[i], 0xfffffff0u, ""), O_WRONLY | O_CREAT, 0666);

		MUST(fd >= 0 && !ftruncate(fd, 1l << 40));
		obstacle(segment_at(subs[i], 0xfffffff1u, ""));
	}
}

static void what_is_theirs_does_not_fill_the_spool(void **state)
{
	(void)state;
	run(0, 1);
	as(UPLINK_UID, lay_giants, NULL);
	run(1, 3);
	judge(4);
}

static void a_folder_of_its_own_is_its_own(void **state)
{
	struct sealer_options o = {.spool_dir = dir, .producer = PRODUCER_RECORDER, .device = device, .floor = 1};
	struct sealer *s = NULL;
	struct why why = {""};

	(void)state;
	assert_int_equal(chown(at("recorder.own"), 0, 0), 0);
	assert_int_equal(chmod(at("recorder.own"), 0770), 0);
	assert_int_equal(sealer_new(&o, &s, &why), V_BAD);
	assert_null(s);
	assert_non_null(strstr(why.text, "recorder.own"));
}

/* What the uplink tells the producers lies in a folder of its own. */
static void nobody_waits_at_the_inbox(void **state)
{
	(void)state;
	assert_int_equal(file_replace(at("follow"), SPAN_STR("12345\n"), 0644), 0);
	assert_int_equal(producer_followed(dir), 12345);
	assert_int_equal(unlink(at("follow")), 0);
	assert_int_equal(mkfifo(at("follow"), 0644), 0);
	alarm(PATIENCE_S);
	assert_int_equal(producer_followed(dir), 0);
	alarm(0);
}

static int begin(void **state)
{
	(void)state;
	if (geteuid()) {
		print_message("needs root, to be two other users\n");
		return -1;
	}
	snprintf(dir, sizeof(dir), "/tmp/sekisho-shared-XXXXXX");
	if (!mkdtemp(dir) || chmod(dir, 0755) || key_new(KEY_P256, &device))
		return -1;
	if (mkdir(at("recorder"), 0700) || chown(at("recorder"), PRODUCER_UID, UPLINK_UID) ||
		chmod(at("recorder"), 02770) || mkdir(at("recorder.own"), 0700) ||
		chown(at("recorder.own"), PRODUCER_UID, PRODUCER_UID))
		return -1;
	return 0;
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_lies_in_the_way_of_a_segment_is_put_aside),
		TEST(nothing_of_theirs_is_sealed),
		TEST(no_segment_of_theirs_goes_on_with_the_chain),
		TEST(what_is_theirs_does_not_fill_the_spool),
		TEST(a_folder_of_its_own_is_its_own),
		TEST(nobody_waits_at_the_inbox),
	};

	return cmocka_run_group_tests_name("wire/spool_shared", tests, NULL, NULL);
}
