/*
 * See transfer.h.
 */
#include "collector/herald/transfer.h"
#include "collector/herald/herald.h"
#include "policy/base/clock.h"
#include <errno.h>

#define CONNECT_S 20L

static size_t on_answer(char *p, size_t size, size_t n, void *ctx)
{
	(void)p;
	(void)ctx;
	return size * n;
}

int transfer_open(struct transfer *t, const char *url, const char *ca)
{
	t->error[0] = 0;
	t->curl = curl_easy_init();
	if (!t->curl)
		return -ENOMEM;
	curl_easy_setopt(t->curl, CURLOPT_URL, url);
	curl_easy_setopt(t->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(t->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (ca)
		curl_easy_setopt(t->curl, CURLOPT_CAINFO, ca);
	return 0;
}

int transfer_line(struct transfer *t, const char *text)
{
	struct curl_slist *more = curl_slist_append(t->lines, text);

	if (!more)
		return -ENOMEM;
	t->lines = more;
	return 0;
}

int transfer_sign(struct transfer *t, const struct buf *secret, struct span body)
{
	_cleanup_buf_ struct buf line = BUF_INIT(256);
	int r;

	if (!secret->n)
		return 0;
	r = buf_puts(&line, "Sekisho-Signature: ");
	r = r ? r : words_sign(buf_span(secret), clock_wall_us() / 1000000, body, &line);
	return r ? r : buf_str(&line) ? transfer_line(t, buf_str(&line)) : -ENOMEM;
}

void transfer_post(struct transfer *t, struct span body)
{
	curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, t->lines);
	curl_easy_setopt(t->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	curl_easy_setopt(t->curl, CURLOPT_POSTFIELDS, (const char *)body.p);
	curl_easy_setopt(t->curl, CURLOPT_FAILONERROR, 1L);
}

static size_t on_words(char *p, size_t size, size_t n, void *ctx)
{
	struct answer *a = ctx;
	size_t room = sizeof(a->text) - 1 - a->n, take = size * n < room ? size * n : room;

	if (take)
		memcpy(a->text + a->n, p, take);
	a->n += take;
	a->text[a->n] = 0;
	return size * n;
}

void transfer_hear(struct transfer *t, struct answer *a)
{
	a->n = 0;
	a->text[0] = 0;
	curl_easy_setopt(t->curl, CURLOPT_FAILONERROR, 0L);
	curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, on_words);
	curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, a);
}

long transfer_status(const struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

int transfer_begin(struct transfer *t, CURLM *curl)
{
	return curl_multi_add_handle(curl, t->curl) ? -ENOMEM : 0;
}

void transfer_end(struct transfer *t, CURLM *curl)
{
	if (t->curl) {
		curl_multi_remove_handle(curl, t->curl);
		curl_easy_cleanup(t->curl);
	}
	curl_mime_free(t->parts);
	curl_slist_free_all(t->lines);
	curl_slist_free_all(t->head);
	t->curl = NULL;
	t->parts = NULL;
	t->lines = t->head = NULL;
}

int64_t transfer_backoff(uint64_t first_us, unsigned failures, int64_t most_us)
{
	int64_t wait = (int64_t)first_us;
	unsigned i;

	for (i = 0; i < failures && wait < most_us; i++)
		wait *= 2;
	return wait < most_us ? wait : most_us;
}

void transfer_forget(struct buf *secret)
{
	if (secret->p)
		secret_wipe(secret->p, secret->cap);
	buf_deinit(secret);
}
