/*
 * Connections of clients that mean it badly: who sends and takes no answer, who takes all places and says nothing. And
 * what a crowd of handshakes leaves behind.
 */
#include "collector/http/server.h"
#include "tests/unit/cm.h"
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PLACES 16u
#define BIG (8u << 20)
#define FLOOD (256u << 20)

static char dir[64], pem[96], key[96], door[96];
static uint8_t *big;
static SSL_CTX *client;
static uint16_t port;
static atomic_bool over;
static atomic_uint trimmed;

/* In place of the C library's: what is counted here is that it is asked. */
int malloc_trim(size_t pad);
int malloc_trim(size_t pad)
{
	(void)pad;
	trimmed++;
	return 0;
}

/* --- the server --- */

static void save(const char *path, struct span s)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(s.p, 1, s.n, f), s.n);
	assert_int_equal(fclose(f), 0);
}

static int begin(void **state)
{
	_cleanup_buf_ struct buf ca = BUF_INIT(8192), cert = BUF_INIT(8192);
	struct key *ca_key = NULL, *own = NULL;
	struct why why = {""};

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	strcpy(dir, "/tmp/sekisho-conn-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(pem, sizeof(pem), "%s/pem", dir);
	snprintf(key, sizeof(key), "%s/key", dir);
	snprintf(door, sizeof(door), "%s/door", dir);
	big = malloc(BIG);
	client = SSL_CTX_new(TLS_client_method());
	if (!big || !client || key_new(KEY_P256, &ca_key) || key_new(KEY_P256, &own) ||
		cert_make_ca(ca_key, "ca", 2, &ca) ||
		cert_issue(ca_key, buf_span(&ca), own, "x", "localhost", CERT_SERVER, 1, &cert, &why) ||
		key_save(own, key, 0600))
		return -1;
	memset(big, 'b', BIG);
	save(pem, buf_span(&cert));
	key_free(ca_key);
	key_free(own);
	return 0;
}

static int end(void **state)
{
	char cmd[128];

	(void)state;
	free(big);
	SSL_CTX_free(client);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static void route(struct ask *a)
{
	if (!strcmp(a->path, "/big")) {
		answer_bytes(a->req, "text/plain", false, SPAN(big, BIG));
		return;
	}
	if (!strcmp(a->path, "/known"))
		ask_known(a);
	answer_bytes(a->req, "text/plain", false, SPAN_STR("that is it"));
}

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	server_tick(s);
	if (over)
		event_base_loopbreak(s->base);
}

/* Serves while `visit` runs. The server's counts are in *s afterwards. */
static void serve(struct server *s, void *(*visit)(void *arg))
{
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	struct timeval often = {0, 50000};
	struct why why = {""};
	struct event *beat;
	pthread_t thread;

	over = false;
	s->base = event_base_new();
	assert_non_null(s->base);
	assert_int_equal(event_base_priority_init(s->base, 3), 0);
	TAILQ_INIT(&s->conns);
	s->o = (struct server_options){.listen = "127.0.0.1",
		.door = door,
		.called = "the test",
		.connections = PLACES,
		.head_us = 3600000000ull,
		.body_rate = 1,
		.idle_us = 3600000000ull,
		.memory = 1ull << 40,
		.body_max = 1u << 20,
		.stranger_max = 1u << 20,
		.route = route};
	assert_int_equal(server_bind(s, &why), 0);
	assert_int_equal(tls_site(pem, key, NULL, NULL, &s->tls, &why), 0);
	assert_int_equal(server_start(s), 0);
	assert_int_equal(getsockname(evconnlistener_get_fd(s->listeners[0]), (struct sockaddr *)&sa, &len), 0);
	port = ntohs(sa.sin_port);
	beat = event_new(s->base, -1, EV_PERSIST, on_beat, s);
	assert_int_equal(event_add(beat, &often), 0);
	assert_int_equal(pthread_create(&thread, NULL, visit, s), 0);
	assert_true(event_base_dispatch(s->base) >= 0);
	pthread_join(thread, NULL);
	event_free(beat);
	server_free(s);
	event_base_free(s->base);
}

/* --- its clients, in a thread of their own: NULL and false where the server does not answer --- */

static SSL *knock(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct timeval long_enough = {60, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;
	SSL *t;

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* What the kernel holds for a client that does not read is little. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &long_enough, sizeof(long_enough));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &long_enough, sizeof(long_enough));
	t = SSL_new(client);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) || SSL_set_fd(t, fd) != 1 || SSL_connect(t) != 1) {
		SSL_free(t);
		close(fd);
		return NULL;
	}
	return t;
}

static void leave(SSL *t)
{
	int fd = t ? SSL_get_fd(t) : -1;

	SSL_free(t);
	if (fd >= 0)
		close(fd);
}

static bool say(SSL *t, const char *path)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);

	return SSL_write(t, text, n) == n;
}

static bool get(SSL *t, const char *path)
{
	char text[4096];
	size_t n = 0;
	int got;

	if (!t || !say(t, path))
		return false;
	while (n < sizeof(text) - 1 && (got = SSL_read(t, text + n, (int)(sizeof(text) - 1 - n))) > 0) {
		n += (size_t)got;
		text[n] = 0;
		if (strstr(text, "that is it"))
			return true;
	}
	return false;
}

/* --- tests --- */

static size_t sent;

static void *flood(void *arg)
{
	static const uint8_t junk[65536];
	SSL *t = knock();

	(void)arg;
	sent = 0;
	if (t && say(t, "/big"))
		while (sent < FLOOD && SSL_write(t, junk, sizeof(junk)) > 0)
			sent += sizeof(junk);
	leave(t);
	over = true;
	return NULL;
}

static void takes_no_answer(void **state)
{
	struct server s = {.base = NULL};

	(void)state;
	serve(&s, flood);
	/* What the kernel holds for both ends is far below that. */
	assert_true(sent < FLOOD);
	assert_int_equal(s.count.killed_large, 1);
	assert_int_equal(s.receiving, 0);
}

static void *patient(void *arg)
{
	SSL *t = knock();
	unsigned i;

	(void)arg;
	/* Some ahead of their answers are well, and all are answered. */
	sent = 0;
	for (i = 0; t && i < 100; i++)
		sent += say(t, "/");
	if (sent == 100)
		for (i = 0, sent = 0; i < 100 && get(t, "/"); i++)
			sent++;
	leave(t);
	over = true;
	return NULL;
}

static void asks_ahead(void **state)
{
	struct server s = {.base = NULL};

	(void)state;
	serve(&s, patient);
	assert_int_equal(sent, 100);
	assert_int_equal(s.count.killed_large, 0);
	assert_int_equal(s.receiving, 0);
}

static unsigned answered;
static bool known_stayed;

static void *crowd(void *arg)
{
	SSL *all[4 * PLACES] = {NULL}, *known = knock();
	unsigned i;

	(void)arg;
	answered = 0;
	known_stayed = get(known, "/known");
	/* Each is answered, and stays. */
	for (i = 0; i < 4 * PLACES && known_stayed; i++) {
		all[i] = knock();
		if (!get(all[i], "/"))
			break;
		answered++;
	}
	known_stayed = known_stayed && get(known, "/known");
	for (i = 0; i < 4 * PLACES; i++)
		leave(all[i]);
	leave(known);
	over = true;
	return NULL;
}

static void all_places_taken(void **state)
{
	struct server s = {.base = NULL};

	(void)state;
	serve(&s, crowd);
	assert_int_equal(answered, 4 * PLACES);
	assert_true(known_stayed);
	assert_true(s.count.killed_crowd >= 3 * PLACES);
	assert_true(s.count.most <= PLACES);
	assert_int_equal(s.strangers_n, 0);
}

static unsigned handshakes;

/* They come and go; then nothing more happens, and memory is given back. */
static void *pass_by(void *arg)
{
	unsigned i;

	(void)arg;
	for (i = 0, answered = 0; i < handshakes; i++) {
		SSL *t = knock();

		answered += t != NULL;
		leave(t);
	}
	for (i = 0; i < 1200 && !trimmed; i++)
		usleep(50000);
	over = true;
	return NULL;
}

/* Of many at once, of few after a while; the server's second is 50 ms here. */
static void gives_memory_back(void **state)
{
	static const unsigned crowds[] = {600, 3};
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(crowds); i++) {
		struct server s = {.base = NULL};

		handshakes = crowds[i];
		trimmed = 0;
		serve(&s, pass_by);
		assert_int_equal(answered, handshakes);
		assert_true(trimmed >= 1);
	}
}

static void *nobody(void *arg)
{
	(void)arg;
	usleep(100 * 50000);
	over = true;
	return NULL;
}

static void has_none_to_give(void **state)
{
	struct server s = {.base = NULL};

	(void)state;
	trimmed = 0;
	serve(&s, nobody);
	assert_int_equal(trimmed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_no_answer),
		cmocka_unit_test(asks_ahead),
		cmocka_unit_test(all_places_taken),
		cmocka_unit_test(gives_memory_back),
		cmocka_unit_test(has_none_to_give),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
