/*
 * Files made unreadable and readable again: what is on the file system afterwards is judged by `openssl cms` and by the
 * bytes. Whoever dies in between loses nothing: a child is killed at moments that a seed chooses.
 */
#include "agent/guard/seal_parts.h"
#include "tests/unit/trust/outside.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define SIZE 300007u
#define TRIES 25u /* of dying in between */
#define OPEN "openssl cms -decrypt -binary -inform DER -recip a.crt -inkey a.key "

static struct envelope_readers *openers;
static struct buf plain = BUF_INIT(8 << 20), own = BUF_INIT(1 << 16);
static struct seal_result result;

static void write_file(const char *name, size_t n)
{
	size_t i;

	buf_clear(&plain);
	assert_int_equal(buf_reserve(&plain, n), 0);
	for (i = 0; i < n; i++)
		plain.p[i] = (uint8_t)(i % 251 + (i >> 9));
	plain.n = n;
	outside_put(name, buf_span(&plain));
}

static bool holds(const char *name)
{
	_cleanup_buf_ struct buf b = BUF_INIT(8 << 20);

	return !file_read(outside(name), &b) && span_eq(buf_span(&b), buf_span(&plain));
}

/* Opened by another program, it is what it was. */
static bool opens(const char *name)
{
	char line[256];

	snprintf(line, sizeof(line), "rm -f opened; " OPEN "-in '%s' -out opened", name);
	return !outside_run(line) && holds("opened");
}

static unsigned copies(void)
{
	_cleanup_closedir_ DIR *d = opendir(outside("folder"));
	struct dirent *e;
	unsigned n = 0;

	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	return n;
}

static struct seal_note note_for(const char *name)
{
	struct seal_note n = {.drive = "0951:1666:A1", .rule = "drives:people"};

	snprintf(n.path, sizeof(n.path), "%s", outside(name));
	n.mount_n = strlen(n.path) - strlen(name) - 1;
	return n;
}

static void do_seal(const char *name, uint64_t max_bytes, bool insist)
{
	struct seal_note note = note_for(name);
	char path[256];
	_cleanup_close_ int file = open(outside(name), O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int folder = open(outside("folder"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct seal_work w = {.file = file,
		.folder = folder,
		.copy = "copy-1",
		.max_bytes = max_bytes,
		.path = path,
		.openers = openers,
		.note = &note,
		.insist = insist};

	snprintf(path, sizeof(path), "%s", outside(name));
	assert_true(file >= 0 && folder >= 0);
	seal_file(&w, &result);
	/* A guard does so when its record is written. */
	if (result.verdict == SEAL_DONE)
		seal_note_drop(folder, "copy-1");
}

/* As a guard goes on with what its note says. */
static int do_resume(void)
{
	_cleanup_close_ int folder = open(outside("folder"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int file = -1;
	struct seal_note note;
	struct seal_work w = {.folder = folder, .copy = "copy-1", .path = note.path, .note = &note};
	char mount[256];
	int r = seal_note_read(folder, "copy-1", &note);

	if (r)
		return r;
	assert_string_equal(note.rule, "drives:people");
	snprintf(mount, sizeof(mount), "%.*s", (int)note.mount_n, note.path);
	w.file = file = seal_find(mount, note.path + note.mount_n + 1);
	if (file < 0)
		return file;
	seal_resume(&w, &result);
	if (result.verdict == SEAL_DONE)
		seal_note_drop(folder, "copy-1");
	return 0;
}

static struct sealed_order order_for(const char *name)
{
	_cleanup_buf_ struct buf b = BUF_INIT(8 << 20);
	struct sealed_order o = {.reason = "test"};
	struct span envelope, capsule;
	struct why why = {""};

	outside_get(name, &b);
	assert_int_equal(sealed_tail_find(buf_span(&b), &envelope, &capsule, &why), 0);
	assert_int_equal(sealed_secret_open(capsule, buf_span(&own), SPAN("", 0), &o.secret, &why), 0);
	return o;
}

static void do_open(const char *name, const struct sealed_order *o)
{
	char path[256];
	_cleanup_close_ int file = seal_find(outside(""), name);
	_cleanup_close_ int folder = open(outside("folder"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct seal_work w = {
		.file = file, .folder = folder, .copy = "copy-2", .max_bytes = 8 << 20, .path = path, .order = o};

	snprintf(path, sizeof(path), "%s", outside(name));
	assert_true(file >= 0 && folder >= 0);
	seal_open(&w, &result);
}

static void there_and_back(void **state)
{
	static const size_t sizes[] = {1, 4096, SIZE};
	struct sealed_order o;
	struct stat before, after;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		write_file("list.csv", sizes[i]);
		assert_int_equal(stat(outside("list.csv"), &before), 0);
		do_seal("list.csv", 8 << 20, false);
		assert_int_equal(result.verdict, SEAL_DONE);
		assert_true(result.renamed && !result.kept && result.bytes == sizes[i]);
		assert_string_equal(result.name, outside("list.csv" SEALED_SUFFIX));
		assert_int_equal(stat(result.name, &after), 0);
		assert_true(before.st_ino == after.st_ino && result.ino == after.st_ino);
		assert_true(opens("list.csv" SEALED_SUFFIX));
		assert_int_equal(copies(), 0);
		o = order_for("list.csv" SEALED_SUFFIX);
		do_open("list.csv" SEALED_SUFFIX, &o);
		assert_int_equal(result.verdict, SEAL_DONE);
		assert_string_equal(result.name, outside("list.csv"));
		assert_true(holds("list.csv"));
		assert_int_equal(copies(), 0);
	}
}

static void who_writes_goes_first(void **state)
{
	_cleanup_close_ int writer = -1;

	(void)state;
	write_file("busy", SIZE);
	writer = open(outside("busy"), O_WRONLY | O_CLOEXEC);
	do_seal("busy", 8 << 20, false);
	assert_int_equal(result.verdict, SEAL_BUSY);
	assert_true(holds("busy"));
	assert_int_equal(copies(), 0);
	/* Whoever reads is no reason to wait. */
	closep(&writer);
	writer = open(outside("busy"), O_RDONLY | O_CLOEXEC);
	do_seal("busy", 8 << 20, false);
	assert_int_equal(result.verdict, SEAL_DONE);
	assert_false(result.kept);
	/* What cannot be waited for any longer is sealed, and stays here, too. */
	write_file("busy", SIZE);
	closep(&writer);
	writer = open(outside("busy"), O_WRONLY | O_CLOEXEC);
	do_seal("busy", 8 << 20, true);
	assert_int_equal(result.verdict, SEAL_DONE);
	assert_true(result.kept);
	assert_true(opens("folder/copy-1" SEALED_SUFFIX) && opens("busy.2" SEALED_SUFFIX));
	assert_int_equal(outside_run("rm folder/*"), 0);
}

static void without_room_nothing_is_touched(void **state)
{
	(void)state;
	write_file("large", SIZE);
	do_seal("large", SIZE, false);
	assert_int_equal(result.verdict, SEAL_REFUSED);
	assert_non_null(strstr(result.text, "no room"));
	assert_true(holds("large"));
	assert_int_equal(copies(), 0);
}

static void what_is_not_the_orders_is_not_touched(void **state)
{
	_cleanup_buf_ struct buf before = BUF_INIT(8 << 20), after = BUF_INIT(8 << 20);
	struct sealed_order o, wrong;
	size_t i;

	(void)state;
	write_file("one", SIZE);
	do_seal("one", 8 << 20, false);
	o = order_for("one" SEALED_SUFFIX);
	outside_get("one" SEALED_SUFFIX, &before);
	wrong = o;
	wrong.secret.key[0] ^= 1;
	do_open("one" SEALED_SUFFIX, &wrong);
	assert_int_equal(result.verdict, SEAL_REFUSED);
	wrong = o;
	wrong.secret.hash.b[0] ^= 1;
	do_open("one" SEALED_SUFFIX, &wrong);
	assert_int_equal(result.verdict, SEAL_REFUSED);
	outside_get("one" SEALED_SUFFIX, &after);
	assert_true(span_eq(buf_span(&before), buf_span(&after)));
	/* A medium holds anybody's bytes: cut, changed here and there, and no sealed file at all. */
	for (i = 0; i < 80; i++) {
		before.p[i * 7 % 600] ^= 0x55;
		outside_put("changed" SEALED_SUFFIX, SPAN(before.p, before.n));
		do_open("changed" SEALED_SUFFIX, &o);
		/* What stands there for the openers is not the order's; the document is the one, or nothing is touched.
		 */
		if (result.verdict == SEAL_DONE) {
			assert_true(holds("changed"));
		} else {
			assert_int_equal(result.verdict, SEAL_REFUSED);
			outside_get("changed" SEALED_SUFFIX, &after);
			assert_true(span_eq(buf_span(&before), buf_span(&after)));
		}
		before.p[i * 7 % 600] ^= 0x55;
		unlink(outside("changed"));
	}
	outside_put("changed" SEALED_SUFFIX, SPAN(before.p, before.n / 2));
	do_open("changed" SEALED_SUFFIX, &o);
	assert_int_equal(result.verdict, SEAL_REFUSED);
	assert_int_equal(copies(), 0);
	/* No link is followed, no way out of the drive taken. */
	assert_int_equal(outside_run("ln -s one" SEALED_SUFFIX " link && mkdir -p sub && ln -s .. sub/up"), 0);
	assert_true(seal_find(outside(""), "link") < 0);
	assert_true(seal_find(outside(""), "sub/up/one" SEALED_SUFFIX) < 0);
	assert_true(seal_find(outside("sub"), "../one" SEALED_SUFFIX) < 0);
	assert_true(seal_find(outside(""), "sub") < 0);
}

/* What a medium may hold when it was cut off: each block as before, or as it was to become. */
static void put_mixture(const struct buf *sealed, unsigned seed)
{
	_cleanup_buf_ struct buf b = BUF_INIT(8 << 20);
	size_t i, n = seed % 3 ? sealed->n : plain.n;

	srand(seed);
	assert_int_equal(buf_put(&b, sealed->p, n), 0);
	for (i = 0; i < n; i += 4096) {
		size_t block = n - i < 4096 ? n - i : 4096;

		if (seed < 3 || rand() % 2)
			memcpy(b.p + i, plain.p + i, i < plain.n ? (plain.n - i < block ? plain.n - i : block) : 0);
	}
	outside_put("cut", buf_span(&b));
}

static void what_was_cut_off_is_gone_on_with(void **state)
{
	_cleanup_buf_ struct buf sealed = BUF_INIT(8 << 20), other = BUF_INIT(8 << 20), got = BUF_INIT(8 << 20);
	_cleanup_close_ int folder = open(outside("folder"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct seal_note note = note_for("cut");
	unsigned seed;

	(void)state;
	write_file("cut", SIZE);
	do_seal("cut", 8 << 20, false);
	note.hash = result.hash;
	note.bytes = result.bytes;
	outside_get("cut" SEALED_SUFFIX, &sealed);
	for (seed = 0; seed < 12; seed++) {
		assert_int_equal(outside_run("rm -f cut*"), 0);
		put_mixture(&sealed, seed);
		outside_put("folder/copy-1" SEALED_SUFFIX, buf_span(&sealed));
		assert_int_equal(seal_note_write(folder, "copy-1", &note), 0);
		assert_int_equal(do_resume(), 0);
		assert_int_equal(result.verdict, SEAL_DONE);
		assert_true(result.renamed && !result.kept && result.bytes == SIZE);
		assert_true(digest_eq(&result.hash, &note.hash));
		assert_true(opens("cut" SEALED_SUFFIX));
		assert_int_equal(copies(), 0);
	}
	/*
	 * Somebody's other file in its place, of the same size; what somebody has put behind it, without and with the
	 * copy's end between; and the other file with that end: it stays as it is, and so does the copy.
	 */
	outside_put("folder/copy-1" SEALED_SUFFIX, buf_span(&sealed));
	assert_int_equal(seal_note_write(folder, "copy-1", &note), 0);
	for (seed = 0; seed < 4; seed++) {
		buf_clear(&other);
		assert_int_equal(buf_put(&other, plain.p, plain.n), 0);
		if (seed == 0 || seed == 3)
			other.p[SIZE / 2] ^= 1;
		if (seed > 1)
			assert_int_equal(buf_put(&other, sealed.p + SIZE, sealed.n - SIZE), 0);
		if (seed == 1 || seed == 2)
			assert_int_equal(buf_puts(&other, "and this was added"), 0);
		outside_put("cut", buf_span(&other));
		assert_int_equal(do_resume(), 0);
		assert_int_equal(result.verdict, SEAL_REFUSED);
		assert_true(result.kept && opens("folder/copy-1" SEALED_SUFFIX));
		buf_clear(&got);
		outside_get("cut", &got);
		assert_true(span_eq(buf_span(&got), buf_span(&other)));
	}
	/* Cut off behind its last step. */
	outside_put("cut", buf_span(&sealed));
	assert_int_equal(do_resume(), 0);
	assert_int_equal(result.verdict, SEAL_DONE);
	assert_int_equal(copies(), 0);
	/* A few bytes are all there, or all gone. */
	write_file("small", 20);
	do_seal("small", 8 << 20, false);
	note = note_for("cut");
	note.hash = result.hash;
	note.bytes = 20;
	buf_clear(&sealed);
	outside_get("small" SEALED_SUFFIX, &sealed);
	outside_put("folder/copy-1" SEALED_SUFFIX, buf_span(&sealed));
	assert_int_equal(seal_note_write(folder, "copy-1", &note), 0);
	outside_put("cut", buf_span(&sealed));
	assert_int_equal(do_resume(), 0);
	assert_int_equal(result.verdict, SEAL_DONE);
	outside_put("cut", buf_span(&sealed));
	outside_put("folder/copy-1" SEALED_SUFFIX, buf_span(&sealed));
	assert_int_equal(seal_note_write(folder, "copy-1", &note), 0);
	/* Sealed to its end, and nobody came to say so. */
	assert_int_equal(outside_run("rm folder/copy-1" SEALED_SUFFIX), 0);
	assert_int_equal(do_resume(), 0);
	assert_int_equal(result.verdict, SEAL_ABSENT);
	assert_int_equal(outside_run("rm cut"), 0);
	assert_int_equal(do_resume(), -ENOENT);
	seal_note_done(folder, "copy-1");
	assert_int_equal(seal_note_read(folder, "copy-1", &note), 0);
	assert_true(note.done && note.bytes == 20);
	/* What is no note of ours is told apart. */
	outside_put("folder/copy-1" SEAL_NOTE_SUFFIX, SPAN("\x87\x01\x41", 3));
	assert_int_equal(do_resume(), V_BAD);
	assert_int_equal(outside_run("rm -f folder/*"), 0);
}

static void whoever_dies_in_between_loses_nothing(void **state)
{
	unsigned i, sealed = 0, as_it_was = 0;

	(void)state;
	srand(7);
	for (i = 0; i < TRIES; i++) {
		const struct timespec when = {.tv_nsec = (rand() % 400) * 50000l};
		pid_t pid;
		int r;

		assert_int_equal(outside_run("rm -f folder/* dying*"), 0);
		write_file("dying", 1 << 20);
		pid = fork();
		if (pid == 0) {
			do_seal("dying", 8 << 20, false);
			_exit(0);
		}
		nanosleep(&when, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		if (!holds("dying") && !opens("dying" SEALED_SUFFIX) && !opens("dying") &&
			!opens("folder/copy-1" SEALED_SUFFIX))
			fail_msg("lost in try %u", i);
		/* Where its medium's turn had come, somebody else goes on. */
		r = do_resume();
		if (!r && result.verdict != SEAL_ABSENT)
			assert_int_equal(result.verdict, SEAL_DONE);
		if (holds("dying"))
			as_it_was++;
		else if (opens("dying" SEALED_SUFFIX) || opens("dying"))
			sealed++;
		else
			fail_msg("not sealed in try %u: %d", i, r);
	}
	assert_int_equal(as_it_was + sealed, TRIES);
	assert_int_equal(outside_run("rm -f folder/*"), 0);
}

static int begin(void **state)
{
	_cleanup_buf_ struct buf pem = BUF_INIT(1 << 16);

	(void)state;
	outside_begin();
	assert_int_equal(outside_run("mkdir folder && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
				     "-nodes -keyout a.key -out a.crt -subj /CN=a -days 30"),
		0);
	outside_get("a.crt", &pem);
	outside_get("a.key", &own);
	return envelope_readers_read(buf_span(&pem), &openers, NULL);
}

static int finish(void **state)
{
	(void)state;
	envelope_readers_free(openers);
	buf_deinit(&plain);
	buf_deinit(&own);
	outside_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(who_writes_goes_first),
		cmocka_unit_test(without_room_nothing_is_touched),
		cmocka_unit_test(what_is_not_the_orders_is_not_touched),
		cmocka_unit_test(what_was_cut_off_is_gone_on_with),
		cmocka_unit_test(whoever_dies_in_between_loses_nothing),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
