/*
 * Very many PCs at one collector, each with a real TLS connection of its own and a certificate of its own: they come at
 * once, wait, are pushed a policy, lose the collector, and come back by the uplink's own back-off. Called by
 * tests/bench/herd.
 *
 *   bench_herd prepare STATE N FOLDER     the collector stands still: N PCs are enrolled in STATE, certificates go to
 * FOLDER bench_herd run ADDRESS PORT STATE N FOLDER
 *
 * `run` tells each thing that all of them have reached as a line of JSON, with the boot clock at which the last one
 * did: "waiting" (all requests are held), "fetched" (a policy that woke them). It ends by a signal. Keys of TLS are one
 * and the same: what a handshake costs does not depend on that.
 */
#include "agent/uplink/backoff.h"
#include "collector/store/store.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/trust/cert.h"
#include "policy/wire/api.h"
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <limits.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/queue.h>
#include <sys/resource.h>

#define PCS_MAX 20000u
/*
 * So many are in their handshake at a time: real PCs have a processor each, these have one between them, and more of
 * them would wait for this process, not for the collector.
 */
#define CONNECTING_MAX 256u
#define BACKOFF_MAX_US UINT64_C(900000000) /* as the uplink's, by default */

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_herd: %s\n", what);
	exit(1);
}

/* --- prepare --- */

static struct key *load(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct why why = {""};
	struct key *k = NULL;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	need(!key_load(path, &k, &why), why.text[0] ? why.text : path);
	return k;
}

static void enrol(struct store *s, unsigned n, const struct digest *tls, char cn[2 * DIGEST_SIZE + 1])
{
	struct store_host h = {.state = HOST_ACTIVE, .enrolled_us = clock_wall_us(), .last_seen_us = clock_wall_us()};
	struct buf der = BUF_INIT(sizeof(h.spki));
	struct key *device = NULL;

	need(!key_new(KEY_P256, &device) && !key_id(device, &h.id) && !key_public_der(device, &der), "keys");
	memcpy(h.spki, der.p, der.n);
	h.spki_len = der.n;
	h.tls_key = *tls;
	snprintf(h.name, sizeof(h.name), "herd-%05u", n);
	need(!store_host_put(s, &h), "store");
	hex_encode(cn, h.id.b, DIGEST_SIZE);
	key_free(device);
	buf_deinit(&der);
}

static void prepare(const char *state, unsigned pcs, const char *folder)
{
	struct key *ca = load(state, "ca/ca.key"), *log = load(state, "log.key"), *tls = NULL;
	struct buf ca_pem = BUF_INIT(16384), vkey = BUF_INIT(1024), pem = BUF_INIT(16384);
	char path[PATH_MAX], dir[PATH_MAX], cn[2 * DIGEST_SIZE + 1];
	struct store_options o = {.dir = dir, .log_key = log};
	struct verifier v = {.key = NULL};
	struct why why = {""};
	struct digest id;
	struct store *s;
	unsigned i;

	snprintf(path, sizeof(path), "%s/ca/ca.crt", state);
	need(!file_read(path, &ca_pem), path);
	snprintf(path, sizeof(path), "%s/log.vkey", state);
	need(!file_read(path, &vkey), path);
	while (vkey.n && vkey.p[vkey.n - 1] == '\n')
		vkey.n--;
	need(!verifier_decode(buf_span(&vkey), &v, &why), why.text);
	o.origin = v.name;
	snprintf(dir, sizeof(dir), "%s/store", state);
	need(!store_open(&o, &s, &why), why.text);
	need(!key_new(KEY_P256, &tls) && !key_id(tls, &id), "key");
	snprintf(path, sizeof(path), "%s/tls.key", folder);
	need(!key_save(tls, path, 0600), path);
	for (i = 0; i < pcs; i++) {
		enrol(s, i, &id, cn);
		buf_clear(&pem);
		need(!cert_issue(ca, buf_span(&ca_pem), tls, cn, NULL, CERT_CLIENT, 30, &pem, &why), why.text);
		snprintf(path, sizeof(path), "%s/%u.crt", folder, i);
		need(!file_replace_volatile(path, buf_span(&pem), 0600), path);
	}
	store_close(s);
	verifier_deinit(&v);
	key_free(ca);
	key_free(log);
	key_free(tls);
	buf_deinit(&ca_pem);
	buf_deinit(&vkey);
	buf_deinit(&pem);
}

/* --- run --- */

struct herd;

struct pc {
	struct herd *herd;
	X509 *cert;
	struct bufferevent *bev;
	struct event *timer;
	struct backoff backoff;
	uint64_t policy;
	bool waits, connects;
	STAILQ_ENTRY(pc) turn;
};

struct herd {
	struct event_base *base;
	SSL_CTX *tls;
	EVP_PKEY *key;
	struct sockaddr_in to;
	struct pc *pcs;
	unsigned n, waiting, broken;
	uint64_t policy; /* that was offered last */
	unsigned fetched;
	int64_t began_us, woken_us;
	bool told;
	unsigned connecting;
	STAILQ_HEAD(, pc) turns;
};

static void take_turn(struct pc *p);
static void turn_over(struct pc *p);

static void begin(struct herd *h)
{
	if (h->told || !h->began_us) {
		h->began_us = clock_boot_us();
		h->broken = 0;
	}
	h->told = false;
}

static void ask(struct pc *p, const char *what)
{
	evbuffer_add_printf(bufferevent_get_output(p->bev), "GET %s HTTP/1.1\r\nHost: collector\r\n\r\n", what);
}

static void wait_now(struct pc *p)
{
	char target[160];

	snprintf(target, sizeof(target), API_WAIT "?follow=0&checkpoint=0&policy=%llu&above=%llu",
		(unsigned long long)p->policy, (unsigned long long)p->policy);
	ask(p, target);
	p->waits = true;
	/* Held, as far as a client can know: the request is out, and nothing came back. */
	if (++p->herd->waiting == p->herd->n && !p->herd->told) {
		p->herd->told = true;
		printf("{\"all\": \"waiting\", \"pcs\": %u, \"seconds\": %.2f, \"broken\": %u, \"boot_us\": %lld}\n",
			p->herd->n, (double)(clock_boot_us() - p->herd->began_us) / 1e6, p->herd->broken,
			(long long)clock_boot_us());
	}
}

static void lost(struct pc *p)
{
	struct timeval tv;
	uint64_t random, delay;

	bufferevent_free(p->bev);
	p->bev = NULL;
	turn_over(p);
	if (p->waits)
		p->herd->waiting--;
	begin(p->herd);
	p->herd->broken++;
	p->waits = false;
	need(!random_bytes(&random, sizeof(random)), "random");
	delay = backoff_next(&p->backoff, BACKOFF_MAX_US, 0, random);
	tv.tv_sec = (time_t)(delay / 1000000);
	tv.tv_usec = (suseconds_t)(delay % 1000000);
	evtimer_add(p->timer, &tv);
}

/* A whole answer: its status and body. False where it is not there yet. */
static bool take(struct evbuffer *in, int *status, size_t *body)
{
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	char head[4096];
	const char *length;
	size_t n;

	if (end.pos < 0)
		return false;
	n = (size_t)end.pos + 4;
	need(n < sizeof(head) && evbuffer_copyout(in, head, n) == (ev_ssize_t)n, "an answer's head is too long");
	head[n] = 0;
	length = strcasestr(head, "\r\ncontent-length:");
	*body = length ? strtoul(length + 17, NULL, 10) : 0;
	need(sscanf(head, "HTTP/1.1 %d", status) == 1, "no answer of HTTP");
	if (evbuffer_get_length(in) < n + *body)
		return false;
	evbuffer_drain(in, n);
	return true;
}

/* A policy that came with the answer, as the uplink has it from a collector that hands it out. */
static void on_policy(struct pc *p, uint64_t version, size_t bytes)
{
	struct herd *h = p->herd;

	if (version != h->policy) {
		h->policy = version;
		h->fetched = 0;
		h->woken_us = clock_boot_us();
	}
	p->policy = version;
	if (++h->fetched == h->n)
		printf("{\"all\": \"fetched\", \"policy\": %llu, \"bytes\": %zu, \"seconds\": %.3f, \"boot_us\": "
		       "%lld}\n",
			(unsigned long long)version, bytes, (double)(clock_boot_us() - h->woken_us) / 1e6,
			(long long)clock_boot_us());
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct pc *p = arg;
	struct herd *h = p->herd;
	int status;
	size_t n;

	while (take(in, &status, &n)) {
		char body[256] = "";
		const char *version;

		evbuffer_copyout(in, body, n < sizeof(body) - 1 ? n : sizeof(body) - 1);
		evbuffer_drain(in, n);
		if (status != 200) {
			fprintf(stderr, "bench_herd: %d %s\n", status, body);
			lost(p);
			return;
		}
		backoff_reset(&p->backoff);
		if (p->waits) {
			p->waits = false;
			h->waiting--;
			version = strstr(body, "\"policy\":");
			if (version && strtoull(version + 9, NULL, 10) != p->policy) {
				need(strstr(version, "\"signed\":\"") != NULL, "told of a policy, and not handed it");
				on_policy(p, strtoull(version + 9, NULL, 10), n);
			}
			wait_now(p);
		} else {
			wait_now(p); /* the log was looked at */
		}
		fflush(stdout);
	}
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct pc *p = arg;

	(void)bev;
	if (what & BEV_EVENT_CONNECTED) {
		turn_over(p);
		ask(p, API_CONSISTENCY "?from=0");
	} else {
		lost(p);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	take_turn(arg);
}

static void connect_pc(struct pc *p)
{
	struct herd *h = p->herd;
	SSL *ssl = SSL_new(h->tls);

	need(ssl && SSL_use_certificate(ssl, p->cert) == 1 && SSL_use_PrivateKey(ssl, h->key) == 1, "TLS");
	p->bev = bufferevent_openssl_socket_new(h->base, -1, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	need(p->bev != NULL, "no memory");
	bufferevent_openssl_set_allow_dirty_shutdown(p->bev, 1);
	bufferevent_setcb(p->bev, on_read, NULL, on_event, p);
	bufferevent_enable(p->bev, EV_READ | EV_WRITE);
	if (bufferevent_socket_connect(p->bev, (struct sockaddr *)&h->to, sizeof(h->to)))
		lost(p);
}

static void next_turns(struct herd *h)
{
	struct pc *p;

	while (h->connecting < CONNECTING_MAX && (p = STAILQ_FIRST(&h->turns))) {
		STAILQ_REMOVE_HEAD(&h->turns, turn);
		p->connects = true;
		h->connecting++;
		connect_pc(p);
	}
}

static void take_turn(struct pc *p)
{
	STAILQ_INSERT_TAIL(&p->herd->turns, p, turn);
	next_turns(p->herd);
}

static void turn_over(struct pc *p)
{
	if (!p->connects)
		return;
	p->connects = false;
	p->herd->connecting--;
	next_turns(p->herd);
}

static void run(const char *address, const char *port, const char *state, unsigned pcs, const char *folder)
{
	static struct herd h;
	struct rlimit files = {pcs + 1024, pcs + 1024};
	char path[PATH_MAX], ca[PATH_MAX];
	struct why why = {""};
	unsigned i;
	BIO *b;

	h.to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	need(inet_pton(AF_INET, address, &h.to.sin_addr) == 1, "address");
	need(!setrlimit(RLIMIT_NOFILE, &files), "not so many files may be open");
	snprintf(ca, sizeof(ca), "%s/ca/ca.crt", state);
	need(!tls_client(NULL, NULL, ca, &h.tls, &why), why.text);
	h.base = event_base_new();
	h.n = pcs;
	h.pcs = calloc(pcs, sizeof(*h.pcs));
	need(h.base && h.pcs, "no memory");
	snprintf(path, sizeof(path), "%s/tls.key", folder);
	b = BIO_new_file(path, "r");
	h.key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
	need(h.key != NULL, path);
	BIO_free(b);
	for (i = 0; i < pcs; i++) {
		h.pcs[i].herd = &h;
		snprintf(path, sizeof(path), "%s/%u.crt", folder, i);
		b = BIO_new_file(path, "r");
		h.pcs[i].cert = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
		need(h.pcs[i].cert != NULL, path);
		BIO_free(b);
		h.pcs[i].timer = evtimer_new(h.base, on_timer, &h.pcs[i]);
	}
	signal(SIGPIPE, SIG_IGN); /* a collector that is gone is no end */
	begin(&h);
	STAILQ_INIT(&h.turns);
	for (i = 0; i < pcs; i++)
		take_turn(&h.pcs[i]);
	event_base_dispatch(h.base);
}

int main(int argc, char **argv)
{
	unsigned pcs;

	if (argc == 5 && !strcmp(argv[1], "prepare")) {
		pcs = (unsigned)strtoul(argv[3], NULL, 10);
		need(pcs && pcs <= PCS_MAX, "between 1 and 20000 PCs");
		prepare(argv[2], pcs, argv[4]);
		return 0;
	}
	need(argc == 7 && !strcmp(argv[1], "run"),
		"usage: bench_herd prepare STATE N FOLDER | run ADDRESS PORT STATE N FOLDER");
	pcs = (unsigned)strtoul(argv[5], NULL, 10);
	need(pcs && pcs <= PCS_MAX, "between 1 and 20000 PCs");
	run(argv[2], argv[3], argv[4], pcs, argv[6]);
	return 1;
}
