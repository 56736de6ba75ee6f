/* The listening sockets: what accepted ones inherit, and who may knock at the administrator's door. */
#include "collector/ingest/ingest.h"
#include "tests/unit/cm.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

static char dir[64];

/* What the loop has of the process, in main.c. */
void ingest_fail(struct ingest *in, int r, const char *what)
{
	(void)in;
	(void)r;
	fail_msg("%s", what);
}

void ingest_tell(struct ingest *in, const struct entry *e)
{
	(void)in;
	(void)e;
	fail();
}

static int begin(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/sekisho-bind-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static void make(struct ingest *in, const char *address)
{
	memset(in, 0, sizeof(*in));
	snprintf(in->conf.listen, sizeof(in->conf.listen), "%s", address);
	snprintf(in->conf.door, sizeof(in->conf.door), "%s/door", dir);
	in->server.base = event_base_new();
	assert_non_null(in->server.base);
}

static void drop(struct ingest *in)
{
	unsigned i;

	for (i = 0; i < in->server.listeners_n; i++)
		evconnlistener_free(in->server.listeners[i]);
	if (in->server.door_listener)
		evconnlistener_free(in->server.door_listener);
	event_base_free(in->server.base);
}

static int option(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int v = -1;

	assert_int_equal(getsockopt(fd, level, name, &v, &len), 0);
	return v;
}

static void accepted_sockets(void **state)
{
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	struct ingest in;
	struct why why = {""};
	int fd, client, got = -1, i;

	(void)state;
	make(&in, "127.0.0.1");
	assert_int_equal(server_bind(&in, &why), 0);
	assert_int_equal(in.server.listeners_n, 1);
	fd = evconnlistener_get_fd(in.server.listeners[0]);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&sa, sizeof(sa)), 0);
	for (i = 0; got < 0 && i < 1000; i++) {
		got = accept(fd, NULL, NULL);
		if (got < 0)
			usleep(1000);
	}
	assert_true(got >= 0);
	assert_int_not_equal(option(got, IPPROTO_TCP, TCP_NODELAY), 0);
	assert_int_not_equal(option(got, SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_int_equal(option(got, IPPROTO_TCP, TCP_KEEPIDLE), 60);
	close(got);
	close(client);
	drop(&in);
}

static void the_door(void **state)
{
	struct ingest in, again;
	struct why why = {""};
	struct stat st;

	(void)state;
	make(&in, "127.0.0.1");
	assert_int_equal(server_bind(&in, &why), 0);
	assert_int_equal(stat(in.conf.door, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07, 0);
	/* What a collector that was killed left behind is no obstacle. */
	make(&again, "127.0.0.1");
	assert_int_equal(server_bind(&again, &why), 0);
	drop(&again);
	drop(&in);
}

static void refusals(void **state)
{
	struct ingest in;
	struct why why = {""};

	(void)state;
	make(&in, "no address");
	assert_int_equal(server_bind(&in, &why), V_BAD);
	assert_true(why.text[0]);
	drop(&in);
	/* A file in the door's place is not ours to remove. */
	make(&in, "127.0.0.1");
	snprintf(in.conf.door, sizeof(in.conf.door), "%s", dir);
	assert_true(server_bind(&in, &why) < 0);
	drop(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(accepted_sockets, begin, end),
		cmocka_unit_test_setup_teardown(the_door, begin, end),
		cmocka_unit_test_setup_teardown(refusals, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
