/*
 * Very many PCs at one collector, each with a real TLS connection, a key and a certificate of its own: they come at
 * once, wait, are pushed a policy, lose the collector, and come back by the uplink's own back-off. Called by
 * tests/bench/herd.
 *
 *   bench_herd prepare STATE N FOLDER [STORE]     the collector stands still: N PCs are enrolled in STATE (STORE: in
 * that database); keys and certificates go to FOLDER bench_herd run ADDRESS PORT STATE N FOLDER [AT_ONCE]
 *
 * `run` tells each thing that all of them have reached as a line of JSON, with the boot clock at which the last one
 * did: "waiting" (all requests are held), "fetched" (a policy that woke them). It ends by a signal. AT_ONCE PCs are in
 * their handshake at a time (256; 0: all that want to): real PCs have a processor each, these have one between them,
 * and more of them wait for this process, not for the collector.
 */
#include "policy/base/clock.h"
#include "policy/wire/api.h"
#include "tests/bench/crowd/crowd.h"
#include <limits.h>

#define AT_ONCE "256"

static void prepare(const char *state, unsigned pcs, const char *folder, const char *place)
{
	struct roster r;
	unsigned i;

	roster_open(&r, state, place, folder);
	for (i = 0; i < pcs; i++) {
		_cleanup_(key_freep) struct key *device = NULL;
		struct store_host h = {.state = HOST_ACTIVE};
		_cleanup_buf_ struct buf der = BUF_INIT(sizeof(h.spki));

		need(!key_new(KEY_P256, &device) && !key_id(device, &h.id) && !key_public_der(device, &der), "keys");
		memcpy(h.spki, der.p, der.n);
		h.spki_len = der.n;
		snprintf(h.name, sizeof(h.name), "herd-%05u", i);
		roster_enrol(&r, i, &h);
	}
	roster_close(&r);
}

/* --- run --- */

struct herd;

struct pc {
	struct herd *herd;
	struct line line;
	uint64_t policy;
	bool waits;
};

struct herd {
	struct crowd crowd;
	struct pc *pcs;
	unsigned n, waiting, broken;
	uint64_t policy; /* that was offered last */
	unsigned fetched;
	int64_t began_us, woken_us;
	bool told;
};

static void begin(struct herd *h)
{
	if (h->told || !h->began_us) {
		h->began_us = clock_boot_us();
		h->broken = 0;
	}
	h->told = false;
}

static void wait_now(struct pc *p)
{
	struct herd *h = p->herd;
	char target[160];

	snprintf(target, sizeof(target), API_WAIT "?follow=0&checkpoint=0&policy=%llu&above=%llu",
		(unsigned long long)p->policy, (unsigned long long)p->policy);
	line_get(&p->line, target);
	p->waits = true;
	/* Held, as far as a client can know: the request is out, and nothing came back. */
	if (++h->waiting == h->n && !h->told) {
		h->told = true;
		printf("{\"all\": \"waiting\", \"pcs\": %u, \"seconds\": %.2f, \"broken\": %u, \"boot_us\": %lld}\n",
			h->n, (double)(clock_boot_us() - h->began_us) / 1e6, h->broken, (long long)clock_boot_us());
		fflush(stdout);
	}
}

static void on_lost(struct line *l, bool was_up)
{
	struct pc *p = l->owner;
	struct herd *h = p->herd;

	(void)was_up;
	if (p->waits)
		h->waiting--;
	p->waits = false;
	begin(h);
	h->broken++;
	line_retry(l, 0);
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
	if (++h->fetched == h->n) {
		printf("{\"all\": \"fetched\", \"policy\": %llu, \"bytes\": %zu, \"seconds\": %.3f, \"boot_us\": "
		       "%lld}\n",
			(unsigned long long)version, bytes, (double)(clock_boot_us() - h->woken_us) / 1e6,
			(long long)clock_boot_us());
		fflush(stdout);
	}
}

static void on_answer(struct line *l, int status, const char *head, struct span body)
{
	struct pc *p = l->owner;
	const char *version;
	char text[256] = "";

	(void)head;
	memcpy(text, body.p, body.n < sizeof(text) ? body.n : sizeof(text) - 1);
	if (status != 200) {
		fprintf(stderr, "bench_herd: %d %s\n", status, text);
		line_drop(l);
		on_lost(l, true);
		return;
	}
	backoff_reset(&l->backoff);
	if (p->waits) {
		p->waits = false;
		p->herd->waiting--;
		version = strstr(text, "\"policy\":");
		if (version && strtoull(version + 9, NULL, 10) != p->policy) {
			need(strstr(version, "\"signed\":\"") != NULL, "told of a policy, and not handed it");
			on_policy(p, strtoull(version + 9, NULL, 10), body.n);
		}
	}
	wait_now(p);
}

static void on_up(struct line *l)
{
	line_get(l, API_CONSISTENCY "?from=0"); /* the log is looked at first */
}

static void run(char **argv, unsigned pcs, const char *at_once)
{
	static struct herd h;
	char ca[PATH_MAX];
	unsigned i;

	snprintf(ca, sizeof(ca), "%s/ca/ca.crt", argv[2]);
	crowd_open(&h.crowd, argv[0], argv[1], ca, (unsigned)strtoul(at_once, NULL, 10), pcs + 1024);
	h.n = pcs;
	h.pcs = calloc(pcs, sizeof(*h.pcs));
	need(h.pcs != NULL, "no memory");
	for (i = 0; i < pcs; i++) {
		struct pc *p = &h.pcs[i];

		p->herd = &h;
		p->line = (struct line){
			.crowd = &h.crowd, .up = on_up, .answered = on_answer, .lost = on_lost, .owner = p};
		line_identify(&p->line, argv[4], i);
		line_ready(&p->line);
	}
	begin(&h);
	for (i = 0; i < pcs; i++)
		line_connect(&h.pcs[i].line);
	event_base_dispatch(h.crowd.base);
}

int main(int argc, char **argv)
{
	bool prepares = (argc == 5 || argc == 6) && !strcmp(argv[1], "prepare");
	unsigned pcs;

	need(prepares || ((argc == 7 || argc == 8) && !strcmp(argv[1], "run")),
		"usage: bench_herd prepare STATE N FOLDER [STORE] | run ADDRESS PORT STATE N FOLDER [AT_ONCE]");
	pcs = (unsigned)strtoul(argv[prepares ? 3 : 5], NULL, 10);
	need(pcs && pcs <= CROWD_MAX, "between 1 and 20000 PCs");
	if (prepares)
		prepare(argv[2], pcs, argv[4], argc == 6 ? argv[5] : NULL);
	else
		run(argv + 2, pcs, argc == 8 ? argv[7] : AT_ONCE);
	return prepares ? 0 : 1;
}
