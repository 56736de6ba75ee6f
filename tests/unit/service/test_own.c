/*
 * What is ours and whether it is as it was: each change is told once, with the hash that sha256sum says; also one that
 * was made while nobody looked; and of secrets no hash.
 */
#include "agent/service/own.h"
#include "policy/base/text.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64], state[80];

static void run(const char *command)
{
	char all[1100];

	snprintf(all, sizeof(all), "cd %s && %s", root, command);
	assert_int_equal(system(all), 0);
}

static int begin(void **s)
{
	(void)s;
	snprintf(root, sizeof(root), "/tmp/own-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(state, sizeof(state), "%s/own.json", root);
	run("mkdir -p usr/sbin etc/sekisho etc/systemd/system/sekisho-guard.service.d var/lib/sekisho/device "
	    "sys/fs/bpf/sekisho-gate && "
	    "echo one >usr/sbin/sekisho-guard && echo two >usr/sbin/other && echo keys = file >etc/sekisho/agent.conf "
	    "&& "
	    "(umask 077 && echo secret >var/lib/sekisho/device/device.key) && touch sys/fs/bpf/sekisho-gate/open "
	    "sys/fs/bpf/sekisho-gate/denied");
	return 0;
}

static int end(void **s)
{
	char command[128];

	(void)s;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

/* Each record as "kind operation path hash", one a line. */
static int note(void *ctx, const struct record *r)
{
	struct buf *out = ctx;
	char hex[2 * 32 + 1] = "-";
	struct span op = record_text(r, F_OPERATION), path = record_text(r, F_PATH), hash = record_text(r, F_HASH);

	if (hash.n == 32)
		hex_encode(hex, hash.p, 32);
	assert_int_equal(buf_putf(out, "%s %.*s %.*s %s\n", r->v[F_KIND].u == KIND_OWN_FILE ? "file" : "list",
				 (int)op.n, (const char *)op.p, (int)path.n, path.p ? (const char *)path.p : "",
				 r->v[F_KIND].u == KIND_OWN_FILE ? hex : "*"),
		0);
	return 0;
}

static void looks(struct own *o, const char *wanted)
{
	_cleanup_buf_ struct buf b = BUF_INIT(8192);

	assert_int_equal(own_look(o, note, &b), 0);
	assert_int_equal(buf_put(&b, "", 1), 0);
	assert_string_equal((char *)b.p, wanted);
}

static void changes_are_told_once(void **s)
{
	struct own *o;

	(void)s;
	assert_int_equal(own_new(state, root, &o), 0);
	looks(o, "list begun  *\n");
	looks(o, "");
	/* echo uno | sha256sum */
	run("echo uno >usr/sbin/sekisho-guard && echo 2 >usr/sbin/other");
	looks(o, "file changed /usr/sbin/sekisho-guard "
		 "d9f86d34b0b0e31f595fb0932c06c77b3f18ea32b9f870f5328b6748a844e210\nlist changed  *\n");
	looks(o, "");
	run("ln -s /dev/null etc/systemd/system/sekisho-guard.service && rm etc/sekisho/agent.conf && "
	    "echo more >>var/lib/sekisho/device/device.key && touch etc/sekisho/enrol etc/sekisho/agent.conf~");
	/* printf /dev/null | sha256sum */
	looks(o, "file gone /etc/sekisho/agent.conf -\n"
		 "file new /etc/systemd/system/sekisho-guard.service "
		 "fd5d32feb2d3562582258990ecfca9b88376957e512d5caac72ad89fc78d2df4\n"
		 "file changed /var/lib/sekisho/device/device.key -\nlist changed  *\n");
	/* Who can write it, and that it was written at all, is told where the content is the same. */
	run("chmod 666 usr/sbin/sekisho-guard");
	looks(o, "file changed /usr/sbin/sekisho-guard "
		 "d9f86d34b0b0e31f595fb0932c06c77b3f18ea32b9f870f5328b6748a844e210\nlist changed  *\n");
	run("rm sys/fs/bpf/sekisho-gate/open");
	looks(o, "file gone /sys/fs/bpf/sekisho-gate -\nlist changed  *\n");
	own_free(o);
}

static void what_changed_meanwhile_is_told_at_the_start(void **s)
{
	struct own *o;

	(void)s;
	assert_int_equal(own_new(state, root, &o), 0);
	looks(o, "list begun  *\n");
	own_free(o);
	assert_int_equal(own_new(state, root, &o), 0);
	looks(o, "list start  *\n");
	own_free(o);
	/* Other objects in the place of those are sekisho-load's work; that one is missing is not. */
	run("rm usr/sbin/sekisho-guard sys/fs/bpf/sekisho-gate/open && touch sys/fs/bpf/sekisho-gate/x && "
	    "mv sys/fs/bpf/sekisho-gate/x sys/fs/bpf/sekisho-gate/denied");
	assert_int_equal(own_new(state, root, &o), 0);
	looks(o, "file gone /usr/sbin/sekisho-guard -\nfile gone /sys/fs/bpf/sekisho-gate -\nlist start  *\n");
	own_free(o);
	/* Of another boot nothing is known of the kernel's objects. */
	run("sed -i 's/\"boot\": \"../\"boot\": \"zz/' own.json && rm sys/fs/bpf/sekisho-gate/denied");
	assert_int_equal(own_new(state, root, &o), 0);
	looks(o, "list start  *\n");
	own_free(o);
	/* What is known was damaged, or is gone: nothing is compared, and that is said. */
	run("truncate -s 50 own.json");
	assert_int_equal(own_new(state, root, &o), 0);
	looks(o, "list begun  *\n");
	own_free(o);
}

/* What is packaged: the program with its new content, a unit that is new and enabled, and no other file any more. */
static void package(const char *files)
{
	char command[1000];

	snprintf(command, sizeof(command),
		"mkdir -p usr/lib/sekisho/manifest && chmod 755 usr/lib/sekisho/manifest && (echo 'sekisho-manifest 1 "
		"%s' && for f in %s; do "
		"echo \"$(sha256sum <$f | cut -c 1-64) 0$(stat -c %%a $f) /$f\"; done) >usr/lib/sekisho/manifest/agent",
		strstr(files, "sekisho-new") ? "2" : "1", files);
	run(command);
}

static struct own *settles(struct own *o, struct own_change *c, const char *wanted)
{
	_cleanup_manifest_ struct manifest before = {.files_n = 0}, now = {.files_n = 0};
	_cleanup_buf_ struct buf b = BUF_INIT(8192), was = BUF_INIT(8192);

	/* Before is what an older manifest said, kept by who opened the window. */
	assert_int_equal(buf_putf(&was, "sekisho-manifest 1 1\n%064d 0755 /usr/sbin/sekisho-old\n", 0), 0);
	assert_int_equal(manifest_add(&before, buf_span(&was)), 0);
	assert_int_equal(manifest_read(root, &now), 0);
	c->before = &before;
	c->now = &now;
	assert_int_equal(own_settle(o, c, note, &b), 0);
	assert_int_equal(buf_put(&b, "", 1), 0);
	assert_string_equal((char *)b.p, wanted);
	return o;
}

static void what_a_package_changes_is_not_told_one_by_one(void **s)
{
	struct own_change c = {.fitting = 9};
	struct own *o;

	(void)s;
	if (geteuid())
		skip(); /* what is packaged is root's */
	run("echo old >usr/sbin/sekisho-old && mkdir -p usr/lib/systemd/system etc/systemd/system/sysinit.target.wants "
	    "&& "
	    "chmod 755 usr/sbin/*");
	assert_int_equal(own_new(state, root, &o), 0);
	looks(o, "list begun  *\n");
	/* The upgrade: one replaced, one new with its unit enabled, one dropped, a setting laid beside; the kernel's
	   objects all replaced. */
	run("echo uno >usr/sbin/sekisho-guard && rm usr/sbin/sekisho-old && echo new >usr/sbin/sekisho-new && chmod "
	    "755 "
	    "usr/sbin/sekisho-new && echo unit >usr/lib/systemd/system/sekisho-new.service && "
	    "ln -s /lib/systemd/system/sekisho-new.service etc/systemd/system/sysinit.target.wants/ && "
	    "echo keys = file >etc/sekisho/agent.conf.dpkg-dist && "
	    "for p in open denied; do touch x && mv x sys/fs/bpf/sekisho-gate/$p; done && touch "
	    "sys/fs/bpf/sekisho-gate/more");
	package("usr/sbin/sekisho-guard usr/sbin/sekisho-new usr/lib/systemd/system/sekisho-new.service "
		"etc/sekisho/agent.conf");
	settles(o, &c, "list upgraded  *\n");
	assert_int_equal(c.fitting, 7);
	assert_int_equal(c.others, 0);
	looks(o, "");
	/* What does not fit: content, mode, owner, a program that nobody brought, one that still belongs there, a link
	   to something else, an object that was taken out. */
	run("echo bad >usr/sbin/sekisho-guard && chmod 4755 usr/sbin/sekisho-new && echo x >usr/sbin/sekisho-more && "
	    "ln -sf /dev/null etc/systemd/system/sysinit.target.wants/sekisho-new.service && "
	    "rm etc/sekisho/agent.conf sys/fs/bpf/sekisho-gate/open");
	settles(o, &c,
		"file gone /etc/sekisho/agent.conf -\n"
		"file changed /etc/systemd/system/sysinit.target.wants/sekisho-new.service "
		"fd5d32feb2d3562582258990ecfca9b88376957e512d5caac72ad89fc78d2df4\n"
		/* echo bad | sha256sum */
		"file changed /usr/sbin/sekisho-guard "
		"1d7a363ce12430881ec56c9cf1409c49c491043618e598c356e2959040872f5a\n"
		"file new /usr/sbin/sekisho-more 73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac\n"
		"file changed /usr/sbin/sekisho-new 7aa7a5359173d05b63cfd682e3c38487f3cb4f7f1d60659fe59fab1505977d4c\n"
		"file gone /sys/fs/bpf/sekisho-gate -\nlist upgraded  *\n");
	assert_int_equal(c.others, 5);
	/* Without a manifest nothing fits. */
	run("rm -r usr/lib/sekisho && echo uno >usr/sbin/sekisho-guard");
	settles(o, &c,
		"file gone /usr/lib/sekisho/manifest/agent -\nfile changed /usr/sbin/sekisho-guard "
		"d9f86d34b0b0e31f595fb0932c06c77b3f18ea32b9f870f5328b6748a844e210\nlist upgraded  *\n");
	own_free(o);
}

/* What is known was made to fit: the hash of the list is another one. */
static int note_hash(void *ctx, const struct record *r)
{
	struct buf *out = ctx;

	buf_clear(out);
	return buf_put_span(out, record_text(r, F_HASH));
}

static void the_list_is_one_hash(void **s)
{
	_cleanup_buf_ struct buf first = BUF_INIT(64), same = BUF_INIT(64), other = BUF_INIT(64);
	struct own *o;

	(void)s;
	assert_int_equal(own_new(state, root, &o), 0);
	assert_int_equal(own_look(o, note_hash, &first), 0);
	own_free(o);
	assert_int_equal(own_new(state, root, &o), 0);
	assert_int_equal(own_look(o, note_hash, &same), 0);
	own_free(o);
	assert_true(first.n == 32 && span_eq(buf_span(&first), buf_span(&same)));
	run("echo three >usr/sbin/sekisho-guard && rm own.json");
	assert_int_equal(own_new(state, root, &o), 0);
	assert_int_equal(own_look(o, note_hash, &other), 0);
	own_free(o);
	assert_false(span_eq(buf_span(&first), buf_span(&other)));
}

static void note_kept(void *ctx, const char *path, dev_t dev, ino_t ino)
{
	char real[256];
	struct stat st;

	snprintf(real, sizeof(real), "%s%s", root, path);
	assert_int_equal(lstat(real, &st), 0);
	assert_true(st.st_dev == dev && st.st_ino == ino);
	assert_int_equal(buf_putf(ctx, "%s\n", path), 0);
}

/* What the kernel keeps others from: what was installed, keys and pins, by the inodes that stat(2) says; settings not.
 */
static void what_is_kept_is_said_by_its_inode(void **s)
{
	_cleanup_buf_ struct buf none = BUF_INIT(8192), kept = BUF_INIT(8192), later = BUF_INIT(8192);
	struct own *o;

	(void)s;
	run("touch etc/systemd/system/sekisho-guard.service.d/x.conf");
	assert_int_equal(own_new(state, root, &o), 0);
	own_each_kept(o, note_kept, &none);
	assert_int_equal(none.n, 0);
	looks(o, "list begun  *\n");
	own_each_kept(o, note_kept, &kept);
	assert_int_equal(buf_put(&kept, "", 1), 0);
	assert_string_equal((char *)kept.p, "/sys/fs/bpf/sekisho-gate/denied\n/sys/fs/bpf/sekisho-gate/open\n"
					    "/usr/sbin/sekisho-guard\n/var/lib/sekisho/device/device.key\n");
	/* The one that was put in its place: known from the next look on. */
	run("echo one >x && mv x usr/sbin/sekisho-guard && rm sys/fs/bpf/sekisho-gate/open");
	assert_int_equal(own_look(o, note, &none), 0);
	own_each_kept(o, note_kept, &later);
	assert_int_equal(buf_put(&later, "", 1), 0);
	assert_null(strstr((char *)later.p, "gate/open"));
	assert_non_null(strstr((char *)later.p, "/usr/sbin/sekisho-guard"));
	own_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changes_are_told_once, begin, end),
		cmocka_unit_test_setup_teardown(what_changed_meanwhile_is_told_at_the_start, begin, end),
		cmocka_unit_test_setup_teardown(the_list_is_one_hash, begin, end),
		cmocka_unit_test_setup_teardown(what_is_kept_is_said_by_its_inode, begin, end),
		cmocka_unit_test_setup_teardown(what_a_package_changes_is_not_told_one_by_one, begin, end),
	};

	return cmocka_run_group_tests_name("service/own", tests, NULL, NULL);
}
