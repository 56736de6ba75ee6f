/*
 * Killed at every step, and the power cut at every step: whatever was acknowledged is there, once, and proven; what was
 * not may be there or not, and can be sent again.
 *
 * The writer runs in a child whose writing calls are counted here (these definitions take the place of libc's): at call
 * number N it dies as by kill -9, before the call, behind it, or in the middle of its bytes. For the power cut, the
 * child keeps what each fsync made durable, and at N leaves behind a copy of the folder that has only that, with some
 * of the rest by chance, as a disk does.
 */
#include "tests/unit/store/made.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define GROUPS 5u
#define A_GROUP 3u
#define SENT (GROUPS * A_GROUP)

static enum { OFF, KILL_BEFORE, KILL_AFTER, KILL_TORN, CUT } mode = OFF;
static unsigned long calls, die_at;
static const char *watched; /* the folder */
static char after[256];     /* where the disk after a power cut is left */
static unsigned chance;

static void power_cut(void);
static void durable_file(int fd);
static void durable_dir(int fd);

static bool ours(int fd)
{
	char link[64], path[512];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0 || !watched)
		return false;
	path[n] = 0;
	return !strncmp(path, watched, strlen(watched));
}

/* Is this call the one? Dies where it is to die before it. */
static bool now_is_the_time(void)
{
	if (mode == OFF || ++calls != die_at)
		return false;
	if (mode == KILL_BEFORE)
		kill(getpid(), SIGKILL);
	if (mode == CUT) {
		power_cut();
		_exit(77);
	}
	return true;
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at);
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	bool last = mode != OFF && ours(fd) && now_is_the_time();
	ssize_t r;

	if (last && mode == KILL_TORN)
		n /= 2;
	r = syscall(SYS_pwrite64, fd, p, n, at);
	if (last)
		kill(getpid(), SIGKILL);
	return r;
}

ssize_t write(int fd, const void *p, size_t n)
{
	bool last = mode != OFF && ours(fd) && now_is_the_time();
	ssize_t r;

	if (last && mode == KILL_TORN)
		n /= 2;
	r = syscall(SYS_write, fd, p, n);
	if (last)
		kill(getpid(), SIGKILL);
	return r;
}

static int synced(int fd, long number)
{
	bool last = mode != OFF && ours(fd) && now_is_the_time();
	struct stat st;
	int r;

	if (mode == CUT && ours(fd) && !fstat(fd, &st)) {
		if (S_ISDIR(st.st_mode))
			durable_dir(fd);
		else
			durable_file(fd);
	}
	r = (int)syscall(number, fd);
	if (last)
		kill(getpid(), SIGKILL);
	return r;
}

int fsync(int fd)
{
	return synced(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return synced(fd, SYS_fdatasync);
}

int renameat(int a, const char *from, int b, const char *to)
{
	bool last = mode != OFF && now_is_the_time();
	int r = (int)syscall(SYS_renameat, a, from, b, to);

	if (last)
		kill(getpid(), SIGKILL);
	return r;
}

int unlink(const char *path)
{
	bool last = mode != OFF && watched && !strncmp(path, watched, strlen(watched)) && now_is_the_time();
	int r = (int)syscall(SYS_unlink, path);

	if (last)
		kill(getpid(), SIGKILL);
	return r;
}

int ftruncate64(int fd, off64_t n);
int ftruncate64(int fd, off64_t n)
{
	bool last = mode != OFF && ours(fd) && now_is_the_time();
	int r = (int)syscall(SYS_ftruncate, fd, n);

	if (last)
		kill(getpid(), SIGKILL);
	return r;
}

/* --- the disk after a power cut --- */

#define FILES_MAX 512u
#define NAMES_MAX 2048u

static struct {
	ino_t ino;
	uint8_t *bytes;
	size_t n;
} files[FILES_MAX];
static unsigned files_n;
static struct {
	ino_t dir;
	char name[64];
	ino_t ino;
} names[NAMES_MAX];
static unsigned names_n;

static unsigned any(unsigned n)
{
	chance = chance * 1103515245 + 12345;
	return (chance >> 16) % n;
}

static uint8_t *whole(const char *path, size_t *n)
{
	struct stat st;
	uint8_t *p;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) || !(p = malloc((size_t)st.st_size + 1)))
		_exit(99);
	*n = (size_t)st.st_size;
	if (read(fd, p, *n) != (ssize_t)*n)
		_exit(99);
	close(fd);
	return p;
}

static void durable_file(int fd)
{
	char path[64];
	struct stat st;
	unsigned i;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st))
		_exit(99);
	for (i = 0; i < files_n && files[i].ino != st.st_ino; i++)
		;
	if (i == FILES_MAX)
		_exit(98);
	if (i == files_n)
		files_n++;
	else
		free(files[i].bytes);
	files[i].ino = st.st_ino;
	files[i].bytes = whole(path, &files[i].n);
}

static void durable_dir(int fd)
{
	char path[64];
	struct dirent *e;
	struct stat st;
	unsigned i, n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	d = opendir(path);
	if (!d || fstat(fd, &st))
		_exit(99);
	for (i = 0; i < names_n; i++)
		if (names[i].dir != st.st_ino)
			names[n++] = names[i];
	names_n = n;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (names_n == NAMES_MAX)
			_exit(98);
		names[names_n].dir = st.st_ino;
		names[names_n].ino = e->d_ino;
		snprintf(names[names_n++].name, sizeof(names[0].name), "%.63s", e->d_name);
	}
	closedir(d);
}

/* What was there before is on the disk. */
static void durable_all(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct dirent *e;
	struct stat st;
	DIR *d;

	if (fd < 0 || fstat(fd, &st))
		_exit(99);
	if (S_ISREG(st.st_mode)) {
		durable_file(fd);
	} else if ((d = opendir(path))) {
		durable_dir(fd);
		while ((e = readdir(d))) {
			char below[512];

			if (e->d_name[0] == '.')
				continue;
			snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
			durable_all(below);
		}
		closedir(d);
	}
	close(fd);
}

static void put_file(const char *to, const uint8_t *p, size_t n)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || syscall(SYS_write, fd, p, n) != (ssize_t)n)
		_exit(99);
	close(fd);
}

/* What a file holds after the cut: what was synced last; of what came later any part, by chance. */
static void leave_file(const char *from, const char *to, ino_t ino)
{
	const uint8_t *old = NULL;
	size_t n = 0, now_n = 0, cut, i;
	uint8_t *now, *mixed;
	unsigned k;

	for (k = 0; k < files_n; k++)
		if (files[k].ino == ino) {
			old = files[k].bytes;
			n = files[k].n;
		}
	now = access(from, F_OK) ? NULL : whole(from, &now_n);
	if (!now || any(2)) {
		put_file(to, old, n);
		free(now);
		return;
	}
	/* The first so many bytes of what was written later; before them, blocks of old and new. */
	cut = now_n > n ? n + any((unsigned)(now_n - n) + 1) : now_n;
	mixed = calloc(1, cut + 1);
	if (!mixed)
		_exit(99);
	for (i = 0; i < cut; i += 64) {
		bool late = any(2);
		size_t part = cut - i < 64 ? cut - i : 64;

		if (late)
			memcpy(mixed + i, now + i, part);
		else if (i < n)
			memcpy(mixed + i, old + i, n - i < part ? n - i : part);
	}
	/* What is behind the old end and was not written reads as zeros: so do the holes above. */
	put_file(to, mixed, cut);
	free(mixed);
	free(now);
}

static void leave_dir(const char *from, const char *to, ino_t ino)
{
	char a[600], b[600];
	struct dirent *e;
	struct stat st;
	unsigned i;
	DIR *d = opendir(from);

	if (!d || (mkdir(to, 0755) && errno != EEXIST))
		_exit(99);
	/* Names that were synced last. */
	for (i = 0; i < names_n; i++) {
		if (names[i].dir != ino)
			continue;
		snprintf(a, sizeof(a), "%s/%s", from, names[i].name);
		snprintf(b, sizeof(b), "%s/%s", to, names[i].name);
		if (stat(a, &st) || st.st_ino != names[i].ino)
			leave_file("/nonexistent", b, names[i].ino); /* renamed over, or removed, since */
		else if (S_ISDIR(st.st_mode))
			leave_dir(a, b, st.st_ino);
		else
			leave_file(a, b, st.st_ino);
	}
	/* Later ones, by chance. */
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' || !any(2))
			continue;
		snprintf(a, sizeof(a), "%s/%.200s", from, e->d_name);
		snprintf(b, sizeof(b), "%s/%.200s", to, e->d_name);
		if (stat(a, &st))
			continue;
		if (S_ISDIR(st.st_mode))
			leave_dir(a, b, st.st_ino);
		else
			leave_file(a, b, st.st_ino);
	}
	closedir(d);
}

static void power_cut(void)
{
	struct stat st;

	mode = OFF;
	if (stat(watched, &st))
		_exit(99);
	leave_dir(watched, after, st.st_ino);
}

/* --- the writer --- */

static struct buf sent[SENT]; /* the same segments in every run */

/* Of two channels, in turn: their bodies lie in two files. */
static void make_segments(void)
{
	struct made m[2];
	unsigned i;

	made_begin(&m[0], "pc-1", PRODUCER_RECORDER);
	made_begin(&m[1], "pc-1", PRODUCER_GUARD);
	for (i = 0; i < SENT; i++) {
		sent[i] = BUF_INIT(SEGMENT_MAX);
		made_next(&m[i % 2]);
		assert_int_equal(buf_put_span(&sent[i], m[i % 2].seg.bytes), 0);
	}
	made_end(&m[0]);
	made_end(&m[1]);
}

/* Tells through `told` how many are acknowledged. */
static void writer(const char *dir, int told)
{
	struct why why = {""};
	struct store *s;
	unsigned g, i;
	uint64_t index, left;

	if (made_open(dir, &s, &why))
		_exit(2);
	for (g = 0; g < GROUPS; g++) {
		uint8_t count = (uint8_t)((g + 1) * A_GROUP);

		for (i = g * A_GROUP; i < (g + 1) * A_GROUP; i++) {
			struct segment seg;
			int r;

			if (segment_parse(buf_span(&sent[i]), &seg, &why))
				_exit(3);
			r = store_append(s, &seg, &index);
			if (r && r != V_EXISTS)
				_exit(4);
		}
		if (store_commit(s))
			_exit(5);
		if (syscall(SYS_write, told, &count, 1) != 1)
			_exit(6);
		if (store_index_step(s, 2, &left))
			_exit(7);
	}
	store_close(s);
	_exit(0);
}

/* --- expiring --- */

static bool expiring; /* else writing */
static int64_t month_time;

static int64_t month_now(void)
{
	return month_time;
}

static int open_in_months(const char *dir, struct store **out)
{
	struct store_options o = {.dir = dir, .log_key = made_log_key(), .origin = MADE_ORIGIN, .now_us = month_now};
	struct why why = {""};

	return store_open(&o, out, &why);
}

/* All segments but the last group in November, those in December. */
static void two_months(const char *dir)
{
	struct why why = {""};
	struct store *s;
	uint64_t index;
	unsigned i;

	assert_int_equal(open_in_months(dir, &s), 0);
	for (i = 0; i < SENT; i++) {
		struct segment seg;

		month_time = INT64_C(1000000) * (i < SENT - A_GROUP ? 1795000000 : 1797000000);
		assert_int_equal(segment_parse(buf_span(&sent[i]), &seg, &why), 0);
		assert_int_equal(store_append(s, &seg, &index), 0);
		assert_int_equal(store_commit(s), 0);
	}
	made_index(s);
	store_close(s);
}

static void expirer(const char *dir, int told)
{
	uint64_t freed, left = 1;
	bool rows_left;
	uint8_t done = 1;
	struct store *s;

	if (mode == CUT) {
		mode = OFF;
		durable_all(dir);
		mode = CUT;
	}
	if (open_in_months(dir, &s) || store_expire(s, "2026-11", PRODUCER_GUARD, &freed, &rows_left))
		_exit(2);
	if (syscall(SYS_write, told, &done, 1) != 1)
		_exit(6);
	while (left)
		if (store_index_step(s, 2, &left))
			_exit(7);
	store_close(s);
	_exit(0);
}

static int count_row(void *ctx, const struct store_row *row);

/* Nothing else was touched; a body is there or not, and after asking again none is, nor any row of one. */
static void check_expired(const char *dir, unsigned done)
{
	struct store_filter all = {.path = "*report*"};
	struct why why = {""};
	struct store *s;
	unsigned i, rows = 0, guards = 0, there = 0;
	uint64_t freed;
	bool rows_left;
	int r = open_in_months(dir, &s), turn;

	assert_int_equal(r, 0);
	assert_int_equal(store_size(s), SENT);
	for (turn = 0; turn < 2; turn++) {
		there = 0;
		for (i = 0; i < SENT; i++) {
			_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX),
						 body = BUF_INIT(SEGMENT_BODY_MAX);
			bool goes = i % 2 && i < SENT - A_GROUP;
			struct segment seg;

			assert_int_equal(segment_parse(buf_span(&sent[i]), &seg, &why), 0);
			assert_int_equal(store_read(s, i, &header, &body, &why), 0);
			assert_true(span_eq(buf_span(&header), seg.header_bytes));
			assert_true((goes && !body.n) || span_eq(buf_span(&body), seg.body));
			there += goes && body.n;
			guards += goes && !turn;
		}
		assert_true(there == 0 || (!turn && !done && there == guards));
		assert_int_equal(store_expire(s, "2026-11", PRODUCER_GUARD, &freed, &rows_left), 0);
	}
	made_index(s);
	assert_int_equal(store_query(s, &all, count_row, &rows, &why), 0);
	assert_int_equal(rows, SENT - guards);
	store_close(s);
}

/* Runs it until it dies. Returns its exit status, or -1 for a kill; *acknowledged is what it told. */
static int run_writer(const char *dir, unsigned *acknowledged)
{
	int pipes[2], status;
	uint8_t count;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(pipes[0]);
		watched = dir;
		calls = 0;
		if (expiring)
			expirer(dir, pipes[1]);
		writer(dir, pipes[1]);
	}
	close(pipes[1]);
	*acknowledged = 0;
	while (read(pipes[0], &count, 1) == 1)
		*acknowledged = count;
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int count_row(void *ctx, const struct store_row *row)
{
	(void)row;
	++*(unsigned *)ctx;
	return 0;
}

/* Everything acknowledged is there; after sending all again, everything is there once, proven, and found. */
static void check(const char *dir, unsigned acknowledged)
{
	struct verifier v = {.key = NULL};
	_cleanup_buf_ struct buf text = BUF_INIT(1024);
	struct store_filter all = {.path = "*report*"};
	struct checkpoint c;
	struct merkle_proof proof;
	struct why why = {""};
	struct store *s;
	unsigned i, rows = 0;
	uint64_t index, seq;
	int r = made_open(dir, &s, &why);

	if (r)
		print_error("%s: %d %s\n", dir, r, why.text);
	assert_int_equal(r, 0);
	assert_true(store_size(s) >= acknowledged);
	for (i = 0; i < SENT; i++) {
		struct segment seg;

		assert_int_equal(segment_parse(buf_span(&sent[i]), &seg, &why), 0);
		r = store_append(s, &seg, &index);
		assert_true(i < acknowledged ? r == V_EXISTS : r == 0 || r == V_EXISTS);
		assert_int_equal(index, i);
	}
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_size(s), SENT);
	assert_int_equal(verifier_encode(MADE_ORIGIN, made_log_key(), &text), 0);
	assert_int_equal(verifier_decode(buf_span(&text), &v, &why), 0);
	assert_int_equal(checkpoint_verify(store_checkpoint(s), &v, &c, &why), 0);
	verifier_deinit(&v);
	made_index(s);
	store_close(s);

	assert_int_equal(made_open(dir, &s, &why), 0);
	for (i = 0; i < SENT; i++) {
		_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX);
		struct digest leaf;
		struct segment seg;

		assert_int_equal(segment_parse(buf_span(&sent[i]), &seg, &why), 0);
		assert_int_equal(store_read(s, i, &header, &body, &why), 0);
		assert_true(span_eq(buf_span(&header), seg.header_bytes));
		assert_true(span_eq(buf_span(&body), seg.body));
		merkle_leaf(buf_span(&header), &leaf);
		assert_int_equal(store_prove(s, i, &proof), 0);
		assert_int_equal(merkle_verify_inclusion(i, c.size, &leaf, &proof, &c.root), 0);
		assert_int_equal(store_find(s, &seg.hash, &index, &seq), 0);
		assert_int_equal(index, i);
	}
	assert_int_equal(store_query(s, &all, count_row, &rows, &why), 0);
	assert_int_equal(rows, SENT);
	store_close(s);
}

static unsigned long enumerate(int how, unsigned step)
{
	unsigned long at = 1, deaths = 0;
	int status;

	do {
		char dir[256];
		unsigned acknowledged;

		made_dir(dir, sizeof(dir));
		if (expiring)
			two_months(dir);
		mode = (typeof(mode))how;
		die_at = at;
		if (how == CUT) {
			made_dir(after, sizeof(after));
			chance = (unsigned)at;
		}
		status = run_writer(dir, &acknowledged);
		mode = OFF;
		assert_true(status == -1 || status == 0 || (how == CUT && status == 77));
		if (status) {
			(expiring ? check_expired : check)(how == CUT ? after : dir, acknowledged);
			deaths++;
		} else {
			assert_int_equal(acknowledged, expiring ? 1 : SENT);
		}
		made_dir_remove(dir);
		if (how == CUT)
			made_dir_remove(after);
		/* The first ones are those of the store itself. */
		at += expiring && at < 24 ? 1 : step;
	} while (status);
	return deaths;
}

static void killed_before_each_call(void **state)
{
	(void)state;
	assert_true(enumerate(KILL_BEFORE, 7) > 20);
}

static void killed_behind_each_call(void **state)
{
	(void)state;
	assert_true(enumerate(KILL_AFTER, 7) > 20);
}

static void killed_within_each_write(void **state)
{
	(void)state;
	assert_true(enumerate(KILL_TORN, 7) > 20);
}

static void power_cut_at_each_call(void **state)
{
	(void)state;
	assert_true(enumerate(CUT, 5) > 20);
}

static void expiry_dies_at_each_call(void **state)
{
	(void)state;
	expiring = true;
	assert_true(enumerate(KILL_BEFORE, 11) > 24);
	assert_true(enumerate(KILL_AFTER, 11) > 24);
	assert_true(enumerate(KILL_TORN, 11) > 10);
	assert_true(enumerate(CUT, 11) > 24);
	expiring = false;
}

static int prepare(void **state)
{
	(void)state;
	made_log_key();
	make_segments();
	return 0;
}

static int end(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < SENT; i++)
		buf_deinit(&sent[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_before_each_call),
		cmocka_unit_test(killed_behind_each_call),
		cmocka_unit_test(killed_within_each_write),
		cmocka_unit_test(power_cut_at_each_call),
		cmocka_unit_test(expiry_dies_at_each_call),
	};

	/* The test itself says what a crash leaves: the disk's own time for some ten thousand syncs tells nothing more.
	 */
	if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	return made_status(cmocka_run_group_tests(tests, prepare, end));
}
