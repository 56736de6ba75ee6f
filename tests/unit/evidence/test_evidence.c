/* Copies for an auditor: `openssl cms` opens them; the bound holds; what was interrupted or did not fit leaves nothing.
 */
#include "agent/evidence/evidence.h"
#include "tests/unit/trust/outside.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

static struct buf certificate = BUF_INIT(1 << 16), other = BUF_INIT(1 << 16);

static int document(size_t n, char c)
{
	int fd = memfd_create("document", MFD_CLOEXEC);
	_cleanup_free_ char *p = malloc(n + 1);

	assert_true(fd >= 0 && p);
	memset(p, c, n);
	assert_int_equal(write_all(fd, p, n), 0);
	return fd;
}

static struct evidence *begin_with(uint64_t max, bool oldest_goes)
{
	struct evidence *e = NULL;
	struct evidence_orders o = {
		.certificates = buf_span(&certificate), .max_bytes = max, .oldest_goes = oldest_goes};
	struct why why = {""};

	assert_int_equal(outside_run("rm -rf copies"), 0);
	if (evidence_open(outside("copies"), &e, &why))
		fail_msg("%s", why.text);
	assert_int_equal(evidence_order(e, &o, NULL), 0);
	return e;
}

static int copy(struct evidence *e, const char *name, size_t n, char c)
{
	_cleanup_(evidence_copy_freep) struct evidence_copy *k = NULL;
	_cleanup_close_ int fd = document(n, c);
	struct why why;
	int r = evidence_begin(e, name, fd, &k, &why);

	close(steal_fd(&fd));
	while (!r && (r = evidence_step(k, &why)) == V_AGAIN)
		r = 0;
	return r;
}

static void the_auditor_opens_it(void **state)
{
	_cleanup_(evidence_closep) struct evidence *e = begin_with(64 << 20, false);
	_cleanup_buf_ struct buf out = BUF_INIT(16 << 20);
	struct evidence_state s;
	size_t i;

	(void)state;
	assert_int_equal(copy(e, "20261125T000000Z-42-1", 3000000, 'x'), 0);
	assert_int_equal(copy(e, "20261125T000000Z-42-2", 0, 'x'), 0);
	assert_int_equal(
		outside_run(
			"openssl cms -decrypt -binary -inform DER -in copies/20261125T000000Z-42-1.cms -recip a.crt "
			"-inkey a.key -out plain && [ $(stat -c %a copies/*1.cms) = 600 ] && [ $(stat -c %a copies) = "
			"700 ]"),
		0);
	outside_get("plain", &out);
	assert_int_equal(out.n, 3000000);
	for (i = 0; i < out.n; i++)
		assert_true(out.p[i] == 'x');
	assert_int_equal(
		outside_run("openssl cms -decrypt -binary -inform DER -in copies/20261125T000000Z-42-2.cms -recip "
			    "a.crt -inkey a.key -out plain && [ ! -s plain ]"),
		0);
	evidence_state(e, &s);
	assert_int_equal(s.files, 2);
	assert_int_equal(outside_run("[ $(cat copies/* | wc -c) -lt 3100000 ]"), 0);
	assert_int_equal(copy(e, "20261125T000000Z-42-1", 10, 'x'), V_EXISTS);
}

static void two_people_open_it_together(void **state)
{
	_cleanup_(evidence_closep) struct evidence *e = begin_with(64 << 20, false);
	struct evidence_orders o = {
		.certificates = buf_span(&certificate), .second = buf_span(&certificate), .max_bytes = 64 << 20};
	struct why why;

	(void)state;
	assert_int_equal(evidence_order(e, &o, &why), V_BAD);
	assert_string_equal(why.text, "one key is among the first and the second readers");
	o.second = buf_span(&other);
	assert_int_equal(evidence_order(e, &o, NULL), 0);
	assert_int_equal(copy(e, "20261125T000000Z-42-1", 3000000, 'x'), 0);
	assert_int_equal(
		outside_run(
			"cms() { openssl cms -decrypt -binary -inform DER -in $1 -recip $2.crt -inkey $2.key "
			"-out $3; }; "
			"cms copies/*1.cms a half && cms half b plain && head -c 3000000 /dev/zero | tr '\\0' x | cmp "
			"- plain && ! cms copies/*1.cms b none && ! cms half a none"),
		0);
}

static void the_bound_holds(void **state)
{
	_cleanup_(evidence_closep) struct evidence *e = begin_with(1000000, false);
	struct evidence_state s;

	(void)state;
	assert_int_equal(copy(e, "1", 400000, 'a'), 0);
	assert_int_equal(copy(e, "2", 400000, 'b'), 0);
	assert_int_equal(copy(e, "3", 400000, 'c'), V_FULL);
	evidence_state(e, &s);
	assert_int_equal(s.files, 2);
	assert_int_equal(s.dropped, 0);
	assert_int_equal(outside_run("[ \"$(ls copies)\" = \"$(printf '1.cms\\n2.cms')\" ]"), 0);
}

static void the_oldest_goes(void **state)
{
	_cleanup_(evidence_closep) struct evidence *e = begin_with(1000000, true);
	struct evidence_state s;

	(void)state;
	assert_int_equal(copy(e, "2", 400000, 'a'), 0);
	assert_int_equal(copy(e, "1", 400000, 'b'), 0);
	assert_int_equal(copy(e, "3", 400000, 'c'), 0);
	evidence_state(e, &s);
	assert_int_equal(s.files, 2);
	assert_int_equal(s.dropped, 1);
	assert_true(s.bytes <= 1000000);
	assert_int_equal(outside_run("[ \"$(ls copies)\" = \"$(printf '2.cms\\n3.cms')\" ]"), 0);
	/* one that would never fit makes nothing go */
	assert_int_equal(copy(e, "4", 1200000, 'd'), V_FULL);
	evidence_state(e, &s);
	assert_int_equal(s.dropped, 1);
}

static void what_is_there_counts_at_the_next_start(void **state)
{
	struct evidence *e = begin_with(1000000, false);
	struct evidence_orders o = {.certificates = buf_span(&certificate), .max_bytes = 1000000};
	struct evidence_state before, after;
	struct why why = {""};

	(void)state;
	assert_int_equal(copy(e, "1", 600000, 'a'), 0);
	evidence_state(e, &before);
	evidence_close(e);
	assert_int_equal(
		outside_run("cp copies/1.cms copies/0.tmp && touch copies/other && ln -s /etc/passwd copies/x.cms"), 0);
	assert_int_equal(evidence_open(outside("copies"), &e, &why), 0);
	assert_int_equal(evidence_order(e, &o, NULL), 0);
	evidence_state(e, &after);
	assert_int_equal(after.bytes, before.bytes);
	assert_int_equal(after.files, 1);
	assert_int_equal(copy(e, "2", 600000, 'b'), V_FULL);
	assert_int_equal(outside_run("[ ! -e copies/0.tmp ] && [ -e copies/other ]"), 0);
	evidence_close(e);
	assert_int_equal(outside_run("chmod 777 copies"), 0);
	assert_int_equal(evidence_open(outside("copies"), &e, &why), V_BAD);
}

static void what_is_given_up_leaves_nothing(void **state)
{
	_cleanup_(evidence_closep) struct evidence *e = begin_with(64 << 20, false);
	_cleanup_close_ int fd = document(3000000, 'x');
	struct evidence_copy *k = NULL;
	struct evidence_state s;
	struct why why;

	(void)state;
	assert_int_equal(evidence_begin(e, "1", fd, &k, &why), 0);
	assert_int_equal(evidence_step(k, &why), V_AGAIN);
	evidence_copy_free(k);
	assert_int_equal(evidence_begin(e, "1", fd, &k, &why), 0);
	assert_int_equal(evidence_step(k, &why), V_AGAIN);
	assert_int_equal(ftruncate(fd, 1000), 0);
	assert_int_equal(evidence_step(k, &why), V_BAD);
	evidence_copy_free(k);
	evidence_state(e, &s);
	assert_int_equal(s.files + s.bytes, 0);
	assert_int_equal(outside_run("[ -z \"$(ls -A copies)\" ]"), 0);
	assert_int_equal(evidence_begin(e, "../1", fd, &k, &why), V_BAD);
	assert_int_equal(evidence_begin(e, ".1", fd, &k, &why), V_BAD);
	assert_int_equal(evidence_begin(e, "", fd, &k, &why), V_BAD);
	assert_int_equal(evidence_begin(e, "1", STDIN_FILENO, &k, &why), V_BAD);
}

/* A file that may not grow is what a full disk is. */
static void a_full_disk_ends_the_copy_only(void **state)
{
	_cleanup_(evidence_closep) struct evidence *e = begin_with(64 << 20, false);
	struct rlimit was, small;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = 500000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	{
		_cleanup_close_ int fd = -1;
		struct evidence_copy *k = NULL;
		struct why why;
		int r;

		assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
		fd = document(3000000, 'x');
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
		assert_int_equal(evidence_begin(e, "1", fd, &k, &why), 0);
		while ((r = evidence_step(k, &why)) == V_AGAIN)
			;
		assert_int_equal(r, V_FULL);
		evidence_copy_free(k);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(outside_run("[ -z \"$(ls -A copies)\" ]"), 0);
	assert_int_equal(copy(e, "1", 3000000, 'x'), 0);
}

static int setup(void **state)
{
	(void)state;
	outside_begin();
	if (outside_run("for n in a b; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
			"$n.key "
			"-out $n.crt -subj /CN=auditor -days 30; done"))
		return -1;
	outside_get("a.crt", &certificate);
	outside_get("b.crt", &other);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_deinit(&certificate);
	buf_deinit(&other);
	outside_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_auditor_opens_it),
		cmocka_unit_test(two_people_open_it_together),
		cmocka_unit_test(the_bound_holds),
		cmocka_unit_test(the_oldest_goes),
		cmocka_unit_test(what_is_there_counts_at_the_next_start),
		cmocka_unit_test(what_is_given_up_leaves_nothing),
		cmocka_unit_test(a_full_disk_ends_the_copy_only),
	};

	return cmocka_run_group_tests_name("evidence/evidence", tests, setup, teardown);
}
