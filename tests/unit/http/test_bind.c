/* The listening sockets: what accepted ones inherit, and who may knock at the administrator's door. */
#include "collector/http/server.h"
#include "tests/unit/cm.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

static char dir[64], door[80];

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

static void make(struct server *s, const char *address)
{
	memset(s, 0, sizeof(*s));
	snprintf(door, sizeof(door), "%s/door", dir);
	s->o.listen = address;
	s->o.door = door;
	s->base = event_base_new();
	assert_non_null(s->base);
}

static void drop(struct server *s)
{
	unsigned i;

	for (i = 0; i < s->listeners_n; i++)
		evconnlistener_free(s->listeners[i]);
	if (s->door_listener)
		evconnlistener_free(s->door_listener);
	event_base_free(s->base);
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
	struct server s;
	struct why why = {""};
	int fd, client, got = -1, i;

	(void)state;
	make(&s, "127.0.0.1");
	assert_int_equal(server_bind(&s, &why), 0);
	assert_int_equal(s.listeners_n, 1);
	fd = evconnlistener_get_fd(s.listeners[0]);
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
	drop(&s);
}

static void the_door(void **state)
{
	struct server s, again;
	struct why why = {""};
	struct stat st;

	(void)state;
	make(&s, "127.0.0.1");
	assert_int_equal(server_bind(&s, &why), 0);
	assert_int_equal(stat(s.o.door, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07, 0);
	/* What a collector that was killed left behind is no obstacle. */
	make(&again, "127.0.0.1");
	assert_int_equal(server_bind(&again, &why), 0);
	drop(&again);
	drop(&s);
}

static void refusals(void **state)
{
	struct server s;
	struct why why = {""};

	(void)state;
	make(&s, "no address");
	assert_int_equal(server_bind(&s, &why), V_BAD);
	assert_true(why.text[0]);
	drop(&s);
	/* A file in the door's place is not ours to remove. */
	make(&s, "127.0.0.1");
	s.o.door = dir;
	assert_true(server_bind(&s, &why) < 0);
	drop(&s);
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
