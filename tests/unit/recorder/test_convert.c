/* Events to records: every kind, what is left out because nobody knows it, and whose change of user counts. */
#include "agent/recorder/convert.h"
#include "policy/rule/filter.h"
#include "tests/unit/cm.h"

#define HOST_NS 4026531840u

static const struct subject who = {.program = {(const uint8_t *)"/usr/bin/cp", 11},
	.parents = {(const uint8_t *)"/bin/bash\n/sbin/init", 20},
	.user = "ann"};
static const struct object stick = {.class = CLASS_USB, .fs = "vfat"};
static const struct object nowhere = {0};

static struct seen some(unsigned kind)
{
	return (struct seen){.kind = kind,
		.boot_us = 1000,
		.pid = 42,
		.start_ns = 7000,
		.ppid = 41,
		.uid = 1000,
		.real_uid = 1000,
		.login_uid = 1000,
		.session = 3,
		.mnt_ns = HOST_NS,
		.comm = SPAN_STR("cp")};
}

static void assert_name(const struct record *r, unsigned field, const char *want)
{
	assert_true(record_has(r, field));
	assert_int_equal(r->v[field].s.n, strlen(want));
	assert_memory_equal(r->v[field].s.p, want, strlen(want));
}

static void assert_number(const struct record *r, unsigned field, uint64_t want)
{
	assert_true(record_has(r, field));
	assert_int_equal(r->v[field].u, want);
}

static void a_file_used(void **state)
{
	struct seen e = some(KIND_FILE);
	struct convert_room room;
	struct record r;

	(void)state;
	e.flags = RF_CREATED | RF_WROTE;
	e.path = SPAN_STR("/media/stick/a");
	e.has_object = true;
	e.dev_major = 8;
	e.dev_minor = 17;
	e.inode = 5;
	e.written = 100;
	e.duration_us = 250;
	e.has_open_flags = true;
	e.open_flags = 0101;
	e.has_size = true;
	e.size = 100;
	convert(&e, &who, &stick, HOST_NS, &room, &r);
	assert_number(&r, F_KIND, KIND_FILE);
	assert_int_equal(r.v[F_BOOT_TIME].i, 1000);
	assert_number(&r, F_PID, 42);
	assert_int_equal(r.v[F_START].i, 7);
	assert_number(&r, F_UID, 1000);
	assert_number(&r, F_LOGIN_UID, 1000);
	assert_number(&r, F_SESSION, 3);
	assert_number(&r, F_PPID, 41);
	assert_name(&r, F_USER, "ann");
	assert_name(&r, F_PROGRAM, "/usr/bin/cp");
	assert_name(&r, F_PARENTS, "/bin/bash\n/sbin/init");
	assert_name(&r, F_PATH, "/media/stick/a");
	assert_name(&r, F_DEVICE, "8:17");
	assert_name(&r, F_FS, "vfat");
	assert_number(&r, F_CLASS, CLASS_USB);
	assert_number(&r, F_INODE, 5);
	assert_number(&r, F_WRITTEN, 100);
	assert_number(&r, F_READ, 0);
	assert_number(&r, F_SIZE, 100);
	assert_number(&r, F_OPEN_FLAGS, 0101);
	assert_number(&r, F_FLAGS, RF_CREATED | RF_WROTE);
	assert_int_equal(r.v[F_DURATION].i, 250);
	/* nothing that is not so */
	assert_false(record_has(&r, F_RESULT));
	assert_false(record_has(&r, F_MNT_NS));
	assert_false(record_has(&r, F_CONTAINER));
	assert_false(record_has(&r, F_PATH2));
	assert_false(record_has(&r, F_MODE));
	assert_false(record_has(&r, F_ARGS));
	/* the short name is the program's */
	assert_false(record_has(&r, F_COMM));
}

static void a_program_started(void **state)
{
	struct seen e = some(KIND_EXEC);
	struct convert_room room;
	struct record r;

	(void)state;
	e.args = SPAN("cp\0a\0b\0", 7);
	e.cwd = SPAN_STR("/home/ann");
	e.script = SPAN_STR("/home/ann/x.sh");
	e.comm = SPAN_STR("worker");
	e.mnt_ns = HOST_NS + 5;
	e.login_uid = UINT32_MAX;
	e.session = UINT32_MAX;
	convert(&e, &who, &nowhere, HOST_NS, &room, &r);
	assert_number(&r, F_KIND, KIND_EXEC);
	assert_name(&r, F_CWD, "/home/ann");
	assert_name(&r, F_SCRIPT, "/home/ann/x.sh");
	assert_int_equal(r.v[F_ARGS].s.n, 7);
	assert_name(&r, F_COMM, "worker");
	assert_number(&r, F_MNT_NS, HOST_NS + 5);
	assert_false(record_has(&r, F_LOGIN_UID));
	assert_false(record_has(&r, F_SESSION));
	assert_false(record_has(&r, F_CLASS));
	assert_false(record_has(&r, F_DEVICE));
	assert_false(record_has(&r, F_READ));
}

static void a_program_ended(void **state)
{
	struct seen e = some(KIND_EXIT);
	struct convert_room room;
	struct record r;

	(void)state;
	e.duration_us = 9;
	convert(&e, &who, &nowhere, HOST_NS, &room, &r);
	assert_number(&r, F_EXIT_CODE, 0);
	assert_false(record_has(&r, F_SIGNAL));
	e.signal = 9;
	convert(&e, &who, &nowhere, HOST_NS, &room, &r);
	assert_number(&r, F_SIGNAL, 9);
	assert_false(record_has(&r, F_EXIT_CODE));
	assert_int_equal(r.v[F_DURATION].i, 9);
}

static void two_names_modes_and_owners(void **state)
{
	struct seen e = some(KIND_CHOWN);
	struct convert_room room;
	struct record r;

	(void)state;
	e.has_object = true;
	e.path = SPAN_STR("/a");
	e.path2 = SPAN_STR("/b");
	e.has_owner = true;
	e.owner_uid = 7;
	e.owner_gid = UINT32_MAX;
	e.has_mode = true;
	e.mode = 0640;
	e.result = -13;
	convert(&e, &who, &nowhere, HOST_NS, &room, &r);
	assert_name(&r, F_PATH2, "/b");
	assert_number(&r, F_NEW_UID, 7);
	assert_false(record_has(&r, F_NEW_GID));
	assert_number(&r, F_MODE, 0640);
	assert_int_equal(r.v[F_RESULT].i, -13);
	assert_name(&r, F_DEVICE, "0:0");
	assert_false(record_has(&r, F_FS));
}

static void long_comms_are_their_programs(void **state)
{
	static const struct subject longer = {.program = {(const uint8_t *)"/usr/bin/a-rather-long-name", 27}};
	struct seen e = some(KIND_EXIT);
	struct convert_room room;
	struct record r;

	(void)state;
	e.comm = SPAN_STR("a-rather-long-n");
	convert(&e, &longer, &nowhere, HOST_NS, &room, &r);
	assert_false(record_has(&r, F_COMM));
	assert_false(record_has(&r, F_USER));
}

static void becoming_another_user(void **state)
{
	struct seen e = some(KIND_EXEC);
	struct record r;

	(void)state;
	e.uid = e.real_uid = 0;
	convert_user_change(&e, &who, 1000, "root", SPAN_STR("/usr/bin/sudo"), &r);
	assert_number(&r, F_KIND, KIND_USER_CHANGE);
	assert_number(&r, F_UID, 1000);
	assert_number(&r, F_TARGET_UID, 0);
	assert_name(&r, F_TARGET_USER, "root");
	assert_name(&r, F_USER, "ann");
	assert_name(&r, F_SERVICE, "sudo");
}

static void whose_change_counts(void **state)
{
	const uint32_t unset = UINT32_MAX;

	(void)state;
	/* signed in: every change */
	assert_true(convert_is_user_change(1000, 1000, 0, 1000));
	assert_true(convert_is_user_change(0, 1000, 33, 1000));
	assert_false(convert_is_user_change(1000, 1000, 1000, 1000));
	/* signing in is no change of user */
	assert_false(convert_is_user_change(0, unset, 1000, 1000));
	/* a service that drops root's rights */
	assert_false(convert_is_user_change(0, unset, 33, unset));
	assert_false(convert_is_user_change(0, unset, 65534, unset));
	assert_false(convert_is_user_change(0, unset, 61500, unset));
	/* a person, without a sign-in that the kernel knows of */
	assert_true(convert_is_user_change(0, unset, 1000, unset));
	assert_true(convert_is_user_change(1000, unset, 0, unset));
	/* nothing known before */
	assert_false(convert_is_user_change(unset, unset, 0, unset));
}

static void reading_needs_more_than_changing(void **state)
{
	struct seen e = some(KIND_FILE);

	(void)state;
	e.flags = RF_READ;
	e.read = 10;
	assert_int_equal(convert_level_needed(&e), FILTER_ALL);
	e.flags = 0;
	assert_int_equal(convert_level_needed(&e), FILTER_ALL);
	e.flags = RF_MMAP_WRITE;
	assert_int_equal(convert_level_needed(&e), FILTER_CHANGES);
	e.flags = RF_CREATED;
	assert_int_equal(convert_level_needed(&e), FILTER_CHANGES);
	e.flags = RF_GUESSED;
	e.written = 1;
	assert_int_equal(convert_level_needed(&e), FILTER_CHANGES);
	e = some(KIND_UNLINK);
	assert_int_equal(convert_level_needed(&e), FILTER_CHANGES);
	e = some(KIND_EXEC);
	assert_int_equal(convert_level_needed(&e), FILTER_CHANGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_used),
		cmocka_unit_test(a_program_started),
		cmocka_unit_test(a_program_ended),
		cmocka_unit_test(two_names_modes_and_owners),
		cmocka_unit_test(long_comms_are_their_programs),
		cmocka_unit_test(becoming_another_user),
		cmocka_unit_test(whose_change_counts),
		cmocka_unit_test(reading_needs_more_than_changing),
	};

	return cmocka_run_group_tests_name("recorder/convert", tests, NULL, NULL);
}
