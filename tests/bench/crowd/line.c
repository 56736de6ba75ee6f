/*
 * Connections of PCs: TLS on libevent, in turns where all want one at the same time, and the little of HTTP that they
 * need. See crowd.h.
 */
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "tests/bench/crowd/crowd.h"
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <limits.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/resource.h>

#define BACKOFF_MAX_US UINT64_C(900000000) /* as the uplink's, by default */

void crowd_open(
	struct crowd *c, const char *address, const char *port, const char *ca, unsigned at_once, unsigned files)
{
	struct rlimit most = {files, files};
	struct why why = {""};

	*c = (struct crowd){.at_once = at_once};
	c->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
	need(inet_pton(AF_INET, address, &c->to.sin_addr) == 1, "address");
	need(!setrlimit(RLIMIT_NOFILE, &most), "not so many files may be open");
	need(!tls_client(NULL, NULL, ca, &c->tls, &why), why.text);
	c->base = event_base_new();
	need(c->base != NULL, "no memory");
	STAILQ_INIT(&c->turns);
	signal(SIGPIPE, SIG_IGN); /* a collector that is gone is no end */
}

void line_identify(struct line *l, const char *folder, unsigned n)
{
	char path[PATH_MAX];
	BIO *b;

	snprintf(path, sizeof(path), "%s/%u.crt", folder, n);
	b = BIO_new_file(path, "r");
	l->cert = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
	need(l->cert != NULL, path);
	BIO_free(b);
	snprintf(path, sizeof(path), "%s/%u.key", folder, n);
	b = BIO_new_file(path, "r");
	l->key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
	need(l->key != NULL, path);
	BIO_free(b);
}

void line_identify_as(struct line *l, const struct line *other)
{
	l->cert = other->cert;
	l->key = other->key;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	line_connect(arg);
}

void line_ready(struct line *l)
{
	l->timer = evtimer_new(l->crowd->base, on_timer, l);
	need(l->timer != NULL, "no memory");
}

/* --- turns --- */

static void next_turns(struct crowd *c);

static void turn_over(struct line *l)
{
	if (!l->connects)
		return;
	l->connects = false;
	l->crowd->connecting--;
	next_turns(l->crowd);
}

void line_drop(struct line *l)
{
	if (l->bev)
		bufferevent_free(l->bev);
	l->bev = NULL;
	l->is_up = l->coming = false;
	turn_over(l);
}

static void lose(struct line *l)
{
	bool was_up = l->is_up;

	line_drop(l);
	l->lost(l, was_up);
}

/* --- HTTP --- */

/* A whole answer is at the start of `in`: its head and where its body ends. False where it is not there yet. */
static bool whole(struct evbuffer *in, char *head, size_t size, int *status, size_t *head_n, size_t *body_n)
{
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	const char *length;
	size_t n;

	if (end.pos < 0)
		return false;
	n = (size_t)end.pos + 4;
	need(n < size && evbuffer_copyout(in, head, n) == (ev_ssize_t)n, "an answer's head is too long");
	head[n] = 0;
	length = strcasestr(head, "\r\ncontent-length:");
	*body_n = length ? strtoul(length + 17, NULL, 10) : 0;
	need(sscanf(head, "HTTP/1.1 %d", status) == 1, "no answer of HTTP");
	*head_n = n;
	return evbuffer_get_length(in) >= n + *body_n;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct line *l = arg;
	char head[4096];
	size_t head_n, n;
	int status;

	while (whole(in, head, sizeof(head), &status, &head_n, &n)) {
		const unsigned char *body;

		evbuffer_drain(in, head_n);
		body = n ? evbuffer_pullup(in, (ev_ssize_t)n) : (const unsigned char *)"";
		need(body != NULL, "no memory");
		l->answered(l, status, head, SPAN(body, n));
		/* The owner may have let it go. */
		if (l->bev != bev)
			return;
		evbuffer_drain(in, n);
	}
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct line *l = arg;

	(void)bev;
	if (!(what & BEV_EVENT_CONNECTED)) {
		lose(l);
		return;
	}
	l->is_up = true;
	l->coming = false;
	l->crowd->handshakes++;
	turn_over(l);
	l->up(l);
}

static void connect_now(struct line *l)
{
	struct crowd *c = l->crowd;
	SSL *ssl = SSL_new(c->tls);

	need(ssl && SSL_use_certificate(ssl, l->cert) == 1 && SSL_use_PrivateKey(ssl, l->key) == 1, "TLS");
	l->bev = bufferevent_openssl_socket_new(c->base, -1, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	need(l->bev != NULL, "no memory");
	bufferevent_openssl_set_allow_dirty_shutdown(l->bev, 1);
	bufferevent_setcb(l->bev, on_read, NULL, on_event, l);
	bufferevent_enable(l->bev, EV_READ | EV_WRITE);
	if (bufferevent_socket_connect(l->bev, (struct sockaddr *)&c->to, sizeof(c->to)))
		lose(l);
}

static void next_turns(struct crowd *c)
{
	struct line *l;

	while ((!c->at_once || c->connecting < c->at_once) && (l = STAILQ_FIRST(&c->turns))) {
		STAILQ_REMOVE_HEAD(&c->turns, turn);
		l->connects = true;
		c->connecting++;
		connect_now(l);
	}
}

void line_connect(struct line *l)
{
	l->coming = true;
	STAILQ_INSERT_TAIL(&l->crowd->turns, l, turn);
	next_turns(l->crowd);
}

uint64_t line_delay(struct line *l, uint64_t asked_us)
{
	uint64_t random;

	need(!random_bytes(&random, sizeof(random)), "random");
	return backoff_next(&l->backoff, BACKOFF_MAX_US, asked_us, random);
}

void line_retry(struct line *l, uint64_t asked_us)
{
	uint64_t delay = line_delay(l, asked_us);
	struct timeval tv = {.tv_sec = (time_t)(delay / 1000000), .tv_usec = (suseconds_t)(delay % 1000000)};

	l->coming = true;
	evtimer_add(l->timer, &tv);
}

void line_get(struct line *l, const char *target)
{
	evbuffer_add_printf(bufferevent_get_output(l->bev), "GET %s HTTP/1.1\r\nHost: collector\r\n\r\n", target);
}

void line_post(struct line *l, const char *target, const char *headers, struct span body)
{
	struct evbuffer *out = bufferevent_get_output(l->bev);

	evbuffer_add_printf(
		out, "POST %s HTTP/1.1\r\nHost: collector\r\n%sContent-Length: %zu\r\n\r\n", target, headers, body.n);
	need(!evbuffer_add(out, body.p, body.n), "no memory");
}
