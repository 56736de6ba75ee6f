/*
 * agent/print/origin.c: whose a job is, by what the kernel tells of connections and documents. That it tells so is
 * tried in a PC of the lab (paper-containers); kernels without trampolines tell nothing of documents.
 */
#include "agent/print/print.h"
#include "policy/base/clock.h"
#include "policy/base/uid.h"
#include "tests/unit/cm.h"

#define NOBODY UINT32_MAX

static int64_t now;

static void comes(struct gate *g, uint32_t pid, uint32_t uid, uint32_t login, uint32_t net, uint32_t port)
{
	const struct paper_event e = {.what = PAPER_CAME,
		.pid = pid,
		.uid = uid,
		.loginuid = login,
		.net = net,
		.port = port,
		.boot_ns = (uint64_t)now * 1000,
		.comm = "lp"};

	origins_take(g, &e);
}

static void sends(struct gate *g, const char *file, uint32_t pid, uint32_t uid, uint32_t net, uint32_t port)
{
	struct paper_event e = {
		.what = PAPER_SENT, .pid = pid, .uid = uid, .net = net, .port = port, .boot_ns = (uint64_t)now * 1000};

	snprintf(e.comm, sizeof(e.comm), "%s", file);
	origins_sent(g, &e);
}

/* Of job `id` that came into being so many seconds after the document did. */
static uint32_t person(struct gate *g, unsigned id, int64_t after_s)
{
	struct job j = {.id = id, .uid = NOBODY};

	j.created_s = (now + clock_wall_us() - clock_boot_us()) / 1000000 + after_s;
	return origin_person(g, &j);
}

static void begin(struct gate *g)
{
	*g = (struct gate){.follower_pid = -1};
	now = clock_boot_us();
}

static void by_the_socket(void **state)
{
	struct gate g;

	(void)state;
	begin(&g);
	assert_int_equal(person(&g, 12, 0), NOBODY);
	comes(&g, 0x7ffffff0, 1000, 1000, 0, 0);
	comes(&g, 0x7ffffff1, 1002, 1002, 0, 0);
	sends(&g, "d00012-001", 0x7ffffff0, 1000, 0, 0);
	assert_int_equal(person(&g, 12, 0), 1000);
	assert_int_equal(person(&g, 13, 0), NOBODY);
	/* Behind sudo(8) it is still he who signed in. */
	comes(&g, 0x7ffffff2, 0, 1001, 0, 0);
	sends(&g, "d1234567-001", 0x7ffffff2, 0, 0, 0);
	assert_int_equal(person(&g, 1234567, 0), 1001);
	/* The last document's, where there are several. */
	sends(&g, "d00012-002", 0x7ffffff1, 1002, 0, 0);
	assert_int_equal(person(&g, 12, 0), 1002);
	origins_free(&g);
}

static void services_are_believed(void **state)
{
	static const struct {
		uint32_t uid, person;
	} all[] = {{0, NOBODY}, {33, NOBODY}, {999, NOBODY}, {1000, 1000}, {100000, 100000}, {UID_NOBODY, NOBODY},
		{UID_DYNAMIC_FIRST, NOBODY}};
	struct gate g;
	size_t i;

	(void)state;
	begin(&g);
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		comes(&g, 0x7fffff00 + (uint32_t)i, all[i].uid, NOBODY, 0, 0);
		sends(&g, "d00001-001", 0x7fffff00 + (uint32_t)i, all[i].uid, 0, 0);
		assert_int_equal(person(&g, 1, 0), all[i].person);
	}
	origins_free(&g);
}

static void by_tcp(void **state)
{
	struct gate g;

	(void)state;
	begin(&g);
	comes(&g, 0x7ffffff0, 1000, 1000, 7, 40000);
	comes(&g, 0x7ffffff1, 1001, 1001, 8, 40000); /* in a name space of his own */
	comes(&g, 0x7ffffff2, 1002, 1002, 7, 40001);
	sends(&g, "d00001-001", 0, NOBODY, 7, 40000);
	assert_int_equal(person(&g, 1, 0), 1000);
	/* A port has one connection after the other. */
	comes(&g, 0x7ffffff2, 1002, 1002, 7, 40000);
	sends(&g, "d00002-001", 0, NOBODY, 7, 40000);
	assert_int_equal(person(&g, 2, 0), 1002);
	assert_int_equal(person(&g, 1, 0), 1000);
	/* One of whom nothing is known, and from another machine: then it is another job of that number. */
	sends(&g, "d00003-001", 0, NOBODY, 7, 50000);
	assert_int_equal(person(&g, 3, 0), NOBODY);
	sends(&g, "d00001-001", 0, NOBODY, 0, 0);
	assert_int_equal(person(&g, 1, 0), NOBODY);
	origins_free(&g);
}

static void another_job_had_that_number(void **state)
{
	struct gate g;

	(void)state;
	begin(&g);
	comes(&g, 0x7ffffff0, 1000, 1000, 0, 0);
	sends(&g, "d00001-001", 0x7ffffff0, 1000, 0, 0);
	assert_int_equal(person(&g, 1, -3600), 1000);
	assert_int_equal(person(&g, 1, 60), NOBODY);
	origins_free(&g);
}

/* What a queue sends on to another one is whose the job is that its backend prints. */
static void a_backend_prints_for_somebody(void **state)
{
	struct job j = {.id = 7, .backend = 0x7ffffff0, .person = "taro", .person_uid = 1000};
	struct gate g;

	(void)state;
	begin(&g);
	g.jobs = &j;
	comes(&g, 0x7ffffff0, 7, NOBODY, 7, 40000);
	sends(&g, "d00008-001", 0, NOBODY, 7, 40000);
	assert_int_equal(person(&g, 8, 0), 1000);
	comes(&g, 0x7ffffff1, 7, NOBODY, 7, 40001);
	sends(&g, "d00009-001", 0, NOBODY, 7, 40001);
	assert_int_equal(person(&g, 9, 0), NOBODY);
	origins_free(&g);
}

static void many_connections_later(void **state)
{
	struct gate g;
	char text[64] = "";
	uint32_t net, i;

	(void)state;
	begin(&g);
	g.cupsd = getpid();
	assert_true(readlink("/proc/self/ns/net", text, sizeof(text) - 1) > 0);
	net = (uint32_t)strtoul(text + strcspn(text, "0123456789"), NULL, 10);
	comes(&g, 0x7ffffff0, 1000, 1000, net, 40000);
	for (i = 0; i < 200; i++)
		comes(&g, 0x7ffffff1, 1001, 1001, net, 41000 + i);
	/* Not from here. */
	comes(&g, 0x7ffffff2, 1002, 1002, net + 1, 40000);
	for (i = 0; i < 100; i++)
		comes(&g, 0x7ffffff1, 1001, 1001, net, 42000 + i);
	sends(&g, "d00001-001", 0, NOBODY, net, 40000);
	assert_int_equal(person(&g, 1, 0), 1000);
	origins_free(&g);
}

static void many_documents_later(void **state)
{
	struct gate g;
	unsigned i;
	char name[16];

	(void)state;
	begin(&g);
	comes(&g, 0x7ffffff0, 1000, 1000, 0, 0);
	comes(&g, 0x7ffffff1, 1001, 1001, 0, 0);
	sends(&g, "d00001-001", 0x7ffffff0, 1000, 0, 0);
	for (i = 2; i < 2000; i++) {
		snprintf(name, sizeof(name), "d%05u-001", i);
		sends(&g, name, 0x7ffffff1, 1001, 0, 0);
	}
	assert_int_equal(person(&g, 1, 0), 1000);
	assert_int_equal(person(&g, 1999, 0), 1001);
	origins_free(&g);
}

/*
 * This process is one that goes on running: its login is what it is in truth. Of a process that is not that user's
 * nothing is taken: it is another one by now.
 */
static void more_come_than_are_remembered(void **state)
{
	struct gate g;
	uint32_t login = NOBODY, i, other = getuid() == 1000 ? 1002 : 1000;
	FILE *f = fopen("/proc/self/loginuid", "re");

	(void)state;
	begin(&g);
	assert_true(!f || fscanf(f, "%u", &login) == 1);
	if (f)
		fclose(f);
	for (i = 0; i < 200; i++)
		comes(&g, 0x7fffff00 + i, 1001, 1001, 0, 0);
	sends(&g, "d00001-001", (uint32_t)getpid(), getuid(), 0, 0);
	assert_int_equal(person(&g, 1, 0), login != NOBODY ? login : uid_is_person(getuid()) ? getuid() : NOBODY);
	sends(&g, "d00002-001", (uint32_t)getpid(), other, 0, 0);
	assert_int_equal(person(&g, 2, 0), other);
	origins_free(&g);
}

static void other_files_are_no_documents(void **state)
{
	static const char *const names[] = {"c00001", "d", "dx1-001", "", "d99999999999999", "d0-001"};
	struct gate g;
	size_t i;

	(void)state;
	begin(&g);
	comes(&g, 0x7ffffff0, 1000, 1000, 0, 0);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		sends(&g, names[i], 0x7ffffff0, 1000, 0, 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(person(&g, (unsigned)i, 0), NOBODY);
	origins_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_socket),
		cmocka_unit_test(services_are_believed),
		cmocka_unit_test(by_tcp),
		cmocka_unit_test(another_job_had_that_number),
		cmocka_unit_test(a_backend_prints_for_somebody),
		cmocka_unit_test(many_connections_later),
		cmocka_unit_test(many_documents_later),
		cmocka_unit_test(more_come_than_are_remembered),
		cmocka_unit_test(other_files_are_no_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
