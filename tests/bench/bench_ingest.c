/*
 * Many PCs that post sealed segments as fast as a collector acknowledges them: how many segments and records a second
 * are verified, durable and proven, and how long an acknowledgement takes. Called by tests/bench/ingest.
 *
 *   bench_ingest URL CA TOKENS SEGMENTS RECORDS BATCH
 *
 * One process for each line of TOKENS, a PC each, that enrols, seals SEGMENTS segments of RECORDS records beforehand,
 * and then posts them, BATCH in a request, each request when the one before was answered. Prints one line of JSON.
 */
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/trust/cert.h"
#include "policy/wire/api.h"
#include "policy/wire/body.h"
#include "policy/wire/segment.h"
#include <curl/curl.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PCS_MAX 256u
#define REQUESTS_MAX 65536u
#define ANSWER_MAX (4u << 20)

struct shared {
	unsigned ready, go; /* atomic */
	uint64_t stored, bytes, requests;
	unsigned samples;
	uint32_t latency_us[REQUESTS_MAX];
};

struct pc {
	const char *url, *ca;
	char dir[64], host[2 * DIGEST_SIZE + 1];
	struct key *device, *tls, *epoch_key;
	struct epoch epoch;
	struct buf cert;
	struct span *segments;
};

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_ingest: %s\n", what);
	exit(1);
}

static size_t on_body(char *p, size_t size, size_t n, void *to)
{
	return buf_put(to, p, size * n) ? 0 : size * n;
}

static long post(CURL *c, const char *url, const char *type, struct span body, struct buf *answer)
{
	struct curl_slist *h = curl_slist_append(NULL, type);
	long status = 0;

	h = curl_slist_append(h, "Expect:");
	buf_clear(answer);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, h);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.p);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, answer);
	if (curl_easy_perform(c) == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(h);
	return status;
}

/* A JSON string's value in a flat answer; "\n" is the only escape in a PEM. */
static void json_text(struct buf *answer, const char *name, struct buf *out)
{
	const char *p = strstr(buf_str(answer), name);

	need(p != NULL, "no such member in the answer");
	for (p = strchr(p + strlen(name) + 1, '"') + 1; *p && *p != '"'; p++) {
		if (p[0] == '\\' && p[1] == 'n') {
			buf_puts(out, "\n");
			p++;
		} else {
			buf_put(out, p, 1);
		}
	}
}

static void enrol(struct pc *p, const char *token, unsigned n)
{
	struct buf csr = BUF_INIT(8192), der = BUF_INIT(512), key64 = BUF_INIT(1024), msg = BUF_INIT(16384),
		   sig64 = BUF_INIT(256), escaped = BUF_INIT(16384), body = BUF_INIT(65536), answer = BUF_INIT(65536),
		   pem = BUF_INIT(16384);
	char id[2 * API_TOKEN_ID_SIZE + 1], path[128], url[512];
	uint8_t sig[SIGNATURE_SIZE];
	struct digest host;
	CURL *c = curl_easy_init();
	size_t i;

	need(!key_new(KEY_P256, &p->device) && !key_new(KEY_P256, &p->tls) && !key_id(p->device, &host), "keys");
	hex_encode(p->host, host.b, DIGEST_SIZE);
	need(strlen(token) > 60, "no token");
	snprintf(id, sizeof(id), "%s", token + 5);
	need(!cert_request(p->tls, p->host, &csr) && !key_public_der(p->device, &der), "request");
	buf_put(&msg, API_ENROL_AAD, sizeof(API_ENROL_AAD));
	buf_put(&msg, id, sizeof(id));
	buf_put_span(&msg, buf_span(&csr));
	need(!key_sign(p->device, buf_span(&msg), sig), "proof");
	base64_encode(&sig64, SPAN(sig, sizeof(sig)));
	base64_encode(&key64, buf_span(&der));
	for (i = 0; i < csr.n; i++)
		buf_put(&escaped, csr.p[i] == '\n' ? "\\n" : (const char *)&csr.p[i], csr.p[i] == '\n' ? 2 : 1);
	/* Two of these programs may feed one log. */
	buf_putf(&body,
		"{\"token\":\"%.*s\",\"name\":\"bench-%u-%s\",\"csr\":\"%s\",\"device_key\":\"%s\",\"proof\":\"%s\"}",
		2 * API_TOKEN_ID_SIZE + 1 + 2 * API_TOKEN_SECRET_SIZE, token + 5, n, id, buf_str(&escaped),
		buf_str(&key64), buf_str(&sig64));
	curl_easy_setopt(c, CURLOPT_CAINFO, p->ca);
	snprintf(url, sizeof(url), "%s" API_ENROL, p->url);
	need(post(c, url, "Content-Type: application/json", buf_span(&body), &answer) == 200,
		answer.n ? buf_str(&answer) : "not enrolled: no answer");
	json_text(&answer, "\"certificate\"", &pem);
	snprintf(path, sizeof(path), "%s/tls.crt", p->dir);
	need(!file_replace(path, buf_span(&pem), 0600), path);
	snprintf(path, sizeof(path), "%s/tls.key", p->dir);
	need(!key_save(p->tls, path, 0600), path);
	curl_easy_cleanup(c);
	p->epoch =
		(struct epoch){.host = host, .producer = PRODUCER_RECORDER, .number = 1, .not_after_us = INT64_MAX / 2};
	p->cert = BUF_INIT(2048);
	need(!key_new(KEY_ED25519, &p->epoch_key) && !key_public_raw(p->epoch_key, p->epoch.public_key) &&
			!epoch_certify(p->device, &p->epoch, &p->cert),
		"epoch");
}

static void fill(struct body_writer *w, unsigned records, unsigned *at, int64_t boot)
{
	static const char *const users[] = {"hanako", "taro", "jiro"};
	static const char *const programs[] = {"/usr/bin/bash", "/usr/lib/libreoffice/program/soffice.bin",
		"/usr/bin/rsync", "/usr/lib/firefox-esr/firefox-esr", "/usr/bin/git"};
	struct record *r = calloc(1, sizeof(*r));
	char path[256];
	unsigned i;

	for (i = 0; i < records; i++, ++*at) {
		record_reset(r);
		snprintf(path, sizeof(path), "/home/%s/Documents/project-%u/part-%u/sheet-%u-%08x.ods", users[*at % 3],
			*at / 900 % 40, *at / 30 % 30, *at % 30, *at * 2654435761u);
		record_set_uint(r, F_KIND, *at % 9 ? KIND_FILE : KIND_EXEC);
		record_set_int(r, F_BOOT_TIME, boot + i * 7000);
		record_set_uint(r, F_PID, 1000 + *at / 50);
		record_set_uint(r, F_UID, 1000 + *at % 3);
		record_set_str(r, F_USER, users[*at % 3]);
		record_set_str(r, F_PROGRAM, programs[*at / 50 % 5]);
		record_set_str(r, F_PATH, path);
		record_set_uint(r, F_CLASS, CLASS_FIXED);
		record_set_uint(r, F_INODE, 100000 + *at * 3);
		record_set_uint(r, F_SIZE, (*at * 7919u) % 5000000);
		record_set_uint(r, F_READ, (*at * 104729u) % 5000000);
		record_set_uint(r, F_DURATION, (*at * 31u) % 9000000);
		need(!body_put(w, r), "record");
	}
	free(r);
}

static void seal(struct pc *p, unsigned segments, unsigned records)
{
	struct body_writer *w = calloc(1, sizeof(*w));
	struct buf raw = BUF_INIT(BODY_RAW_MAX);
	struct digest prev = {{0}};
	unsigned i, at = 0;

	p->segments = calloc(segments, sizeof(*p->segments));
	for (i = 0; i < segments; i++) {
		struct buf out = BUF_INIT(SEGMENT_MAX);
		struct segment_writer sw = {.epoch_key = p->epoch_key};
		struct header *h = &sw.header;

		body_begin(w, &raw);
		fill(w, records, &at, clock_boot_us() + (int64_t)i * 15000000);
		h->host = p->epoch.host;
		h->producer = PRODUCER_RECORDER;
		h->epoch = 1;
		h->seq = i;
		h->has_prev = i > 0;
		h->prev = prev;
		h->count = records;
		h->first_us = w->first_wall_us;
		h->last_us = w->last_wall_us;
		if (!i)
			h->epoch_cert = buf_span(&p->cert);
		need(!segment_seal(&sw, buf_span(&raw), &out, &prev), "seal");
		p->segments[i] = buf_span(&out);
	}
	body_writer_deinit(w);
	free(w);
	buf_deinit(&raw);
}

static uint64_t count(const char *s, const char *what)
{
	uint64_t n = 0;

	while ((s = strstr(s, what))) {
		n++;
		s += strlen(what);
	}
	return n;
}

static void send_all(struct pc *p, unsigned segments, unsigned batch, struct shared *s)
{
	struct buf body = BUF_INIT(API_SEGMENTS_BODY_MAX), answer = BUF_INIT(ANSWER_MAX);
	char cert[128], key[128], url[512];
	CURL *c = curl_easy_init();
	unsigned i, n;

	snprintf(cert, sizeof(cert), "%s/tls.crt", p->dir);
	snprintf(key, sizeof(key), "%s/tls.key", p->dir);
	snprintf(url, sizeof(url), "%s" API_SEGMENTS, p->url);
	curl_easy_setopt(c, CURLOPT_CAINFO, p->ca);
	curl_easy_setopt(c, CURLOPT_SSLCERT, cert);
	curl_easy_setopt(c, CURLOPT_SSLKEY, key);
	for (i = 0; i < segments; i += n) {
		int64_t begin = clock_boot_us();

		buf_clear(&body);
		for (n = 0; n < batch && i + n < segments; n++)
			if (buf_put_span(&body, p->segments[i + n]))
				break;
		need(n && post(c, url, "Content-Type: " API_SEGMENT_TYPE, buf_span(&body), &answer) == 200,
			"not taken");
		s->stored += count(buf_str(&answer), "\"stored\"");
		s->bytes += body.n;
		s->requests++;
		if (s->samples < REQUESTS_MAX)
			s->latency_us[s->samples++] = (uint32_t)(clock_boot_us() - begin);
	}
	curl_easy_cleanup(c);
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static unsigned read_tokens(const char *path, char tokens[][256])
{
	FILE *f = fopen(path, "re");
	unsigned n = 0;

	need(f != NULL, path);
	while (n < PCS_MAX && fgets(tokens[n], 256, f)) {
		tokens[n][strcspn(tokens[n], "\n")] = 0;
		n++;
	}
	fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	static char tokens[PCS_MAX][256];
	static uint32_t all[PCS_MAX * 1024];
	unsigned pcs, segments, records, batch, i, j, n = 0;
	uint64_t stored = 0, bytes = 0;
	struct shared *s;
	int64_t begin;
	double took;
	int status;

	need(argc == 7, "usage: bench_ingest URL CA TOKENS SEGMENTS RECORDS BATCH");
	segments = (unsigned)strtoul(argv[4], NULL, 10);
	records = (unsigned)strtoul(argv[5], NULL, 10);
	batch = (unsigned)strtoul(argv[6], NULL, 10);
	pcs = read_tokens(argv[3], tokens);
	need(pcs && segments && batch && batch <= API_SEGMENTS_MAX, "bounds");
	s = mmap(NULL, pcs * sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(s != MAP_FAILED, "memory");
	for (i = 0; i < pcs; i++) {
		struct pc p = {.url = argv[1], .ca = argv[2], .dir = "/tmp/bench-ingest-XXXXXX"};

		if (fork())
			continue;
		need(mkdtemp(p.dir) != NULL, p.dir);
		enrol(&p, tokens[i], i);
		seal(&p, segments, records);
		__atomic_fetch_add(&s[0].ready, 1, __ATOMIC_SEQ_CST);
		while (!__atomic_load_n(&s[0].go, __ATOMIC_SEQ_CST))
			usleep(1000);
		send_all(&p, segments, batch, &s[i]);
		for (j = 0; j < 2; j++) {
			char path[128];

			snprintf(path, sizeof(path), "%s/%s", p.dir, j ? "tls.crt" : "tls.key");
			unlink(path);
		}
		rmdir(p.dir);
		_exit(0);
	}
	for (i = 0; __atomic_load_n(&s[0].ready, __ATOMIC_SEQ_CST) < pcs; i++) {
		need(i < 600000 && waitpid(-1, &status, WNOHANG) == 0, "a PC did not get ready");
		usleep(1000);
	}
	begin = clock_boot_us();
	__atomic_store_n(&s[0].go, 1, __ATOMIC_SEQ_CST);
	while (wait(&status) > 0)
		need(WIFEXITED(status) && !WEXITSTATUS(status), "a PC failed");
	took = (double)(clock_boot_us() - begin) / 1e6;
	for (i = 0; i < pcs; i++) {
		stored += s[i].stored;
		bytes += s[i].bytes;
		for (j = 0; j < s[i].samples && n < ARRAY_SIZE(all); j++)
			all[n++] = s[i].latency_us[j];
	}
	need(stored == (uint64_t)pcs * segments, "not every segment was stored");
	qsort(all, n, sizeof(all[0]), ascending);
	printf("{\"pcs\": %u, \"records_a_segment\": %u, \"segments_a_request\": %u, \"segments\": %llu, \"seconds\": "
	       "%.2f, "
	       "\"segments_s\": %.0f, \"records_s\": %.0f, \"mib_s\": %.1f, \"bytes_a_record\": %.1f, \"ack_p50_ms\": "
	       "%.1f, "
	       "\"ack_p99_ms\": %.1f}\n",
		pcs, records, batch, (unsigned long long)stored, took, (double)stored / took,
		(double)stored * records / took, (double)bytes / took / 1048576,
		records ? (double)bytes / ((double)stored * records) : 0, all[n / 2] / 1e3, all[n * 99 / 100] / 1e3);
	return 0;
}
