/*
 * Records to other systems, each stream from a place of its own in the log, in the log's order, at least once: OCSF
 * events by HTTPS POST (a line each), syslog by TLS (RFC 5425), or rows for ClickHouse by its HTTP interface.
 *
 * A place is kept when the other side has taken what is before it: HTTP says so. Syslog says nothing: there it is kept
 * when the machine's own TCP has it acknowledged and the connection has gone on for a while after that; when one
 * breaks, what was sent behind the place goes out again. One batch is in memory for each stream.
 *
 * What goes to ClickHouse can go twice and count once: a batch ends only where a piece of a segment does, so that a
 * piece is always sent whole, and the tables take the same piece for itself (collector/export/README.md). It would
 * rather have few large inserts: a batch is larger there, and waits for more.
 */
#include "collector/export/clickhouse.h"
#include "collector/herald/form.h"
#include "collector/herald/herald.h"
#include "collector/herald/judge.h"
#include "collector/herald/transfer.h"
#include "collector/store/month.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define BATCH (256u << 10) /* bytes that are enough; one record more at most */
#define BATCH_US 50000     /* of the loop's time */
#define BATCH_LEAVES 1024u
#define ROWS_BATCH (4u << 20) /* of rows for ClickHouse; a piece more at most */
#define SURE_US 2000000       /* a connection that lives so long after its bytes were acknowledged has delivered them */
#define BACKOFF_MAX_US (300ll * 1000000)
#define TRANSFER_S 120L
#define PEM_MAX (64u << 10)
#define SYSLOG "syslog+tls://"

struct streamer {
	const struct stream *plan;
	struct buf secret, certificate, key;
	struct buf password, insert;   /* of ClickHouse */
	struct answer answer;          /* what it says where it refuses */
	char taken[8];                 /* month of the leaf at hand ... */
	uint64_t taken_from, taken_to; /* ... which these leaves are of */
	int64_t since_us;              /* since when what is in `bytes` waits */
	char name[PLAN_NAME_SIZE + 8]; /* in the book */
	struct transfer transfer;      /* syslog: the connection */
	bool syslog, begun, connected;
	uint64_t kept, next; /* rows: where the book stands; the first one behind what is in `bytes` */
	struct buf bytes;
	size_t at;       /* of them that are sent */
	uint64_t ripe;   /* row behind what TCP has acknowledged */
	int64_t ripe_us; /* since when; 0: nothing waits to be kept */
	int64_t rest_until_us;
	unsigned failures;
};

/* A whole PEM file, read while root's rights are there. */
static int pem_of(const char *path, struct buf *out, struct why *why)
{
	int r;

	*out = BUF_INIT(PEM_MAX);
	r = path ? file_read(path, out) : 0;
	return r ? why_set(why, r < 0 ? r : V_BAD, "%s: cannot be read", path) : 0;
}

int stream_open(struct herald *h, struct why *why)
{
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < h->plan.streams_n; i++) {
		const struct stream *p = &h->plan.streams[i];
		struct streamer *s = calloc(1, sizeof(*s));

		if (!s)
			return -ENOMEM;
		h->streamers[i] = s;
		s->plan = p;
		s->syslog = !strncmp(p->url, SYSLOG, strlen(SYSLOG));
		s->bytes = BUF_INIT(p->form == STREAM_CLICKHOUSE ? ROWS_BATCH + (CLICKHOUSE_PIECE + 1) * FORM_MAX
								 : BATCH + 2 * FORM_MAX);
		snprintf(s->name, sizeof(s->name), "stream:%s", p->name);
		r = pem_of(p->certificate, &s->certificate, why);
		r = r ? r : pem_of(p->key, &s->key, why);
		if (!r && p->secret)
			r = words_secret(p->secret, &s->secret, why);
		if (!r && p->password)
			r = words_secret(p->password, &s->password, why);
		/* It becomes a line of a header. */
		if (!r && s->password.n &&
			(memchr(s->password.p, '\n', s->password.n) || memchr(s->password.p, '\r', s->password.n) ||
				memchr(s->password.p, 0, s->password.n)))
			r = why_set(why, V_BAD, "%s: more than one line", p->password);
		s->insert = BUF_INIT(CLICKHOUSE_TEXT_MAX);
		if (!r && p->form == STREAM_CLICKHOUSE)
			r = clickhouse_insert(p->database, &s->insert);
	}
	return r;
}

static void disconnect(struct herald *h, struct streamer *s)
{
	transfer_end(&s->transfer, h->curl);
	s->connected = false;
}

void stream_close(struct herald *h)
{
	unsigned i;

	for (i = 0; i < h->plan.streams_n; i++) {
		struct streamer *s = h->streamers[i];

		if (!s)
			continue;
		disconnect(h, s);
		buf_deinit(&s->bytes);
		buf_deinit(&s->certificate);
		transfer_forget(&s->key);
		transfer_forget(&s->secret);
		transfer_forget(&s->password);
		buf_deinit(&s->insert);
		free(s);
		h->streamers[i] = NULL;
	}
}

/* --- places --- */

static int keep(struct herald *h, struct streamer *s, uint64_t row)
{
	int r = book_set(h->book, s->name, (int64_t)row);

	if (!r)
		s->kept = row;
	return r > 0 ? -EIO : r;
}

/* Goes on from the place that is kept: what is in memory is read again. */
static void rewind_to_kept(struct streamer *s)
{
	s->next = s->kept;
	s->since_us = 0;
	s->ripe_us = 0;
	s->at = 0;
	buf_clear(&s->bytes);
}

static int begin(struct herald *h, struct streamer *s)
{
	uint64_t end = store_size(h->store) << ROW_BITS;
	int64_t at;
	int r = book_get(h->book, s->name, -1, &at);

	if (r)
		return r > 0 ? -EIO : r;
	if (at < 0) {
		at = s->plan->from_start ? 0 : (int64_t)end;
	} else if ((uint64_t)at > end) {
		log_error("%s: the log is shorter than what was sent: was it restored? It goes on at its end",
			s->plan->name);
		at = (int64_t)end;
	}
	r = keep(h, s, (uint64_t)at);
	rewind_to_kept(s);
	s->begun = !r;
	return r;
}

/* --- one batch --- */

struct filling {
	struct streamer *s;
	struct followed whose; /* for ClickHouse */
	struct buf one;
};

static int put_record(struct filling *f, const struct store_row *row)
{
	struct streamer *s = f->s;
	int r;

	buf_clear(&f->one);
	r = s->plan->form == STREAM_SYSLOG ? form_syslog(row, &f->one) : form_ocsf(row, true, &f->one);
	if (r == V_FULL) {
		buf_clear(&f->one);
		r = form_ocsf(row, false, &f->one);
	}
	/* RFC 5425, section 4.3: the length, a space, the message. */
	r = r ? r : s->syslog ? buf_putf(&s->bytes, "%zu ", f->one.n) : 0;
	r = r ? r : buf_put_span(&s->bytes, buf_span(&f->one));
	return r ? r : s->syslog ? 0 : buf_puts(&s->bytes, "\n");
}

static int on_row(void *ctx, const struct store_row *row)
{
	struct filling *f = ctx;
	struct streamer *s = f->s;
	int r = 0;

	if (row->row < s->next)
		return 0;
	if (s->bytes.n >= BATCH)
		return V_FULL;
	if (judge_terms(&s->plan->when, &s->plan->unless, &row->record, row->host_name))
		r = put_record(f, row);
	if (!r)
		s->next = row->row + 1;
	return r;
}

/* --- one batch for ClickHouse --- */

static int find_month(void *ctx, const struct store_month *m)
{
	struct streamer *s = ctx;
	uint64_t leaf = s->next >> ROW_BITS;

	if (leaf < m->first || leaf >= m->first + m->count)
		return 0;
	memcpy(s->taken, m->month, sizeof(s->taken));
	s->taken_from = m->first;
	s->taken_to = m->first + m->count;
	return V_END;
}

/* The month of a leaf. A month that is still written grows: it is asked for again behind what it had. */
static int set_month(struct herald *h, struct streamer *s, uint64_t leaf)
{
	int r;

	if (leaf >= s->taken_from && leaf < s->taken_to)
		return 0;
	s->taken[0] = 0;
	r = store_months(h->store, false, find_month, s);
	/* What is damaged is the verifier's to tell of; the month decides where rows lie, and has to be right. */
	return r < 0 ? r : s->taken[0] ? 0 : -EIO;
}

static int put_one(struct streamer *s, const struct exported *x, struct buf *one)
{
	int r;

	buf_clear(one);
	r = clickhouse_row(x, true, one);
	if (r == V_FULL)
		r = clickhouse_row(x, false, one);
	return r ? r : buf_put_span(&s->bytes, buf_span(one));
}

static int on_piece(void *ctx, const struct store_row *row)
{
	struct filling *f = ctx;
	struct streamer *s = f->s;
	const struct exported x = {
		.row = row, .segment = f->whose.hash, .producer = f->whose.producer, .taken = s->taken};
	int r = 0;

	if (row->row < s->next)
		return 0;
	if (s->bytes.n >= ROWS_BATCH && !(row->row % CLICKHOUSE_PIECE))
		return V_FULL;
	if (judge_terms(&s->plan->when, &s->plan->unless, &row->record, row->host_name))
		r = put_one(s, &x, &f->one);
	if (!r)
		s->next = row->row + 1;
	return r;
}

/* Reads on behind what waits already. */
static int fill_pieces(struct herald *h, struct streamer *s, bool *more)
{
	const int64_t until = clock_boot_us() + BATCH_US;
	struct filling f = {.s = s, .one = BUF_INIT(FORM_MAX)};
	unsigned leaves;
	int r = 0;

	for (leaves = 0; !r && s->bytes.n < ROWS_BATCH && leaves < BATCH_LEAVES && clock_boot_us() < until; leaves++) {
		uint64_t leaf = s->next >> ROW_BITS;

		/* The end of the log is asked for there: it may have grown. */
		r = leaf < store_size(h->store) ? 0 : store_refresh(h->store);
		r = r || leaf >= store_size(h->store) ? r : set_month(h, s, leaf);
		r = r ? r : follow_leaf(h, leaf, &f.whose, on_piece, &f);
		if (!r)
			s->next = (leaf + 1) << ROW_BITS;
	}
	buf_deinit(&f.one);
	if (s->bytes.n && !s->since_us)
		s->since_us = clock_boot_us();
	*more = r != V_END;
	return r < 0 ? r : 0;
}

/* Reads on until there is enough; *more: the log has more. */
static int fill(struct herald *h, struct streamer *s, bool *more)
{
	const int64_t until = clock_boot_us() + BATCH_US;
	struct filling f = {.s = s, .one = BUF_INIT(FORM_MAX)};
	unsigned leaves;
	int r = 0;

	buf_clear(&s->bytes);
	s->at = 0;
	for (leaves = 0; !r && leaves < BATCH_LEAVES && clock_boot_us() < until; leaves++) {
		uint64_t leaf = s->next >> ROW_BITS;

		r = follow_leaf(h, leaf, NULL, on_row, &f);
		if (!r)
			s->next = (leaf + 1) << ROW_BITS;
	}
	buf_deinit(&f.one);
	*more = r != V_END;
	return r < 0 ? r : 0;
}

/* --- failure --- */

static void failed(struct herald *h, struct streamer *s, const char *why)
{
	int64_t wait = transfer_backoff(s->plan->retry_us, s->failures, BACKOFF_MAX_US);
	char text[CURL_ERROR_SIZE];

	s->failures++;
	if (log_allowed(&h->limit))
		log_warning("%s: %s; again in %.1f s", s->plan->name, text_escape_to(text, sizeof(text), SPAN_STR(why)),
			(double)wait / 1000000);
	disconnect(h, s);
	rewind_to_kept(s);
	s->rest_until_us = clock_boot_us() + wait;
}

/* --- transfers --- */

static void set_blob(CURL *curl, CURLoption option, const struct buf *b)
{
	struct curl_blob blob = {.data = b->p, .len = b->n, .flags = CURL_BLOB_COPY};

	if (b->n)
		curl_easy_setopt(curl, option, &blob);
}

static int open_transfer(struct streamer *s, const char *url)
{
	int r = transfer_open(&s->transfer, url, s->plan->ca);

	if (r)
		return r;
	curl_easy_setopt(s->transfer.curl, CURLOPT_PROTOCOLS_STR, s->plan->plain ? "http,https" : "https");
	set_blob(s->transfer.curl, CURLOPT_SSLCERT_BLOB, &s->certificate);
	set_blob(s->transfer.curl, CURLOPT_SSLKEY_BLOB, &s->key);
	return 0;
}

static int connect_syslog(struct herald *h, struct streamer *s)
{
	char url[512];
	int r;

	snprintf(url, sizeof(url), "https://%s/", s->plan->url + strlen(SYSLOG));
	r = open_transfer(s, url);
	if (r)
		return r;
	curl_easy_setopt(s->transfer.curl, CURLOPT_CONNECT_ONLY, 1L);
	/* What it would offer is HTTP, which this is not. */
	curl_easy_setopt(s->transfer.curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
	return transfer_begin(&s->transfer, h->curl);
}

static int post(struct herald *h, struct streamer *s)
{
	int r = open_transfer(s, s->plan->url);

	r = r ? r : transfer_line(&s->transfer, "Content-Type: application/x-ndjson");
	r = r ? r : transfer_sign(&s->transfer, &s->secret, buf_span(&s->bytes));
	if (r)
		return r;
	curl_easy_setopt(s->transfer.curl, CURLOPT_TIMEOUT, TRANSFER_S);
	transfer_post(&s->transfer, buf_span(&s->bytes));
	return transfer_begin(&s->transfer, h->curl);
}

/* "https://host:8443/?query=INSERT...": what does not stand in the URL would be taken for a part of the rows. */
static int url_of(const struct streamer *s, CURL *curl, struct buf *out)
{
	char *query = curl_easy_escape(curl, (const char *)s->insert.p, (int)s->insert.n);
	int r = query ? buf_putf(out, "%s%cquery=%s", s->plan->url, strchr(s->plan->url, '?') ? '&' : '?', query)
		      : -ENOMEM;

	curl_free(query);
	return r;
}

/* Name and password go as header: a URL stands in logs. */
static int sign_in(struct streamer *s)
{
	_cleanup_(transfer_forget) struct buf line = BUF_INIT(4096);
	int r = s->plan->login ? buf_putf(&line, "X-ClickHouse-User: %s", s->plan->login) : V_END;

	if (r)
		return r == V_END ? 0 : r;
	r = buf_str(&line) ? transfer_line(&s->transfer, buf_str(&line)) : -ENOMEM;
	buf_clear(&line);
	r = r ? r : buf_puts(&line, "X-ClickHouse-Key: ");
	r = r ? r : buf_put_span(&line, buf_span(&s->password));
	return r ? r : buf_str(&line) ? transfer_line(&s->transfer, buf_str(&line)) : -ENOMEM;
}

static int insert(struct herald *h, struct streamer *s)
{
	_cleanup_buf_ struct buf url = BUF_INIT(CLICKHOUSE_TEXT_MAX);
	int r = open_transfer(s, s->plan->url);

	r = r ? r : url_of(s, s->transfer.curl, &url);
	if (!r)
		r = buf_str(&url) ? 0 : -ENOMEM;
	r = r ? r : transfer_line(&s->transfer, "Content-Type: application/octet-stream");
	/* Not asked before: it would be a round for each insert. */
	r = r ? r : transfer_line(&s->transfer, "Expect:");
	r = r ? r : sign_in(s);
	if (r)
		return r > 0 ? -EOVERFLOW : r;
	curl_easy_setopt(s->transfer.curl, CURLOPT_URL, buf_str(&url));
	curl_easy_setopt(s->transfer.curl, CURLOPT_TIMEOUT, TRANSFER_S);
	transfer_post(&s->transfer, buf_span(&s->bytes));
	transfer_hear(&s->transfer, &s->answer);
	return transfer_begin(&s->transfer, h->curl);
}

/* Sends what the socket takes. False: the connection is over. */
static bool push(struct streamer *s)
{
	CURLcode c = CURLE_OK;
	char drop[256];
	size_t n;

	/* A receiver says nothing, but its end. */
	while (!(c = curl_easy_recv(s->transfer.curl, drop, sizeof(drop), &n)) && n)
		;
	if (c != CURLE_AGAIN)
		return false;
	for (c = CURLE_OK; !c && s->at < s->bytes.n; s->at += n) {
		n = 0;
		c = curl_easy_send(s->transfer.curl, s->bytes.p + s->at, s->bytes.n - s->at, &n);
	}
	return !c || c == CURLE_AGAIN;
}

static bool is_acknowledged(struct streamer *s)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	int left = 1;

	return !curl_easy_getinfo(s->transfer.curl, CURLINFO_ACTIVESOCKET, &fd) && fd != CURL_SOCKET_BAD &&
	       !ioctl(fd, SIOCOUTQ, &left) && !left;
}

/* Keeps a place once the connection has lived on behind it. */
static int ripen(struct herald *h, struct streamer *s)
{
	int64_t now = clock_boot_us();
	int r = 0;

	if (s->ripe_us && now - s->ripe_us >= SURE_US) {
		r = keep(h, s, s->ripe);
		s->ripe_us = 0;
		s->failures = 0;
	}
	if (!r && !s->ripe_us && s->at == s->bytes.n && s->next != s->kept && is_acknowledged(s)) {
		s->ripe = s->next;
		s->ripe_us = now;
	}
	return r;
}

static int step_syslog(struct herald *h, struct streamer *s, bool *more)
{
	bool left = false;
	int r = 0;

	if (!s->transfer.curl)
		return connect_syslog(h, s);
	if (!s->connected)
		return 0;
	r = ripen(h, s);
	if (!r && s->at == s->bytes.n)
		r = fill(h, s, &left);
	if (r)
		return r;
	if (!push(s)) {
		failed(h, s, "the connection has ended");
		return 0;
	}
	*more |= left && s->at == s->bytes.n;
	return 0;
}

static int step_post(struct herald *h, struct streamer *s, bool *more)
{
	bool left;
	int r;

	if (s->transfer.curl)
		return 0;
	r = fill(h, s, &left);
	if (r)
		return r;
	if (s->bytes.n)
		return post(h, s);
	/* Nothing of it is for this stream: that is a place too, kept now and then. */
	*more |= left;
	return s->next - s->kept > (UINT64_C(256) << ROW_BITS) || (!left && s->next != s->kept) ? keep(h, s, s->next)
												: 0;
}

static int step_insert(struct herald *h, struct streamer *s, bool *more)
{
	bool left;
	int r;

	if (s->transfer.curl)
		return 0;
	r = fill_pieces(h, s, &left);
	if (r)
		return r;
	if (s->bytes.n >= ROWS_BATCH || (s->bytes.n && clock_boot_us() - s->since_us >= (int64_t)s->plan->every_us))
		return insert(h, s);
	*more |= left;
	return !s->bytes.n && s->next != s->kept && (!left || s->next - s->kept > (UINT64_C(256) << ROW_BITS))
		       ? keep(h, s, s->next)
		       : 0;
}

int stream_step(struct herald *h, bool *more)
{
	int64_t now = clock_boot_us();
	unsigned i;
	int r = 0;

	if (!h->store)
		return 0;
	for (i = 0; !r && i < h->plan.streams_n; i++) {
		struct streamer *s = h->streamers[i];

		if (now < s->rest_until_us)
			continue;
		r = s->begun ? 0 : begin(h, s);
		r = r                                    ? r
		    : s->plan->form == STREAM_CLICKHOUSE ? step_insert(h, s, more)
		    : s->syslog                          ? step_syslog(h, s, more)
							 : step_post(h, s, more);
	}
	return r;
}

bool stream_done(struct herald *h, CURL *curl, CURLcode result, int *r)
{
	struct streamer *s;
	unsigned i;

	for (i = 0; i < h->plan.streams_n && h->streamers[i]->transfer.curl != curl; i++)
		;
	if (i == h->plan.streams_n)
		return false;
	s = h->streamers[i];
	if (result) {
		failed(h, s, s->transfer.error[0] ? s->transfer.error : curl_easy_strerror(result));
	} else if (s->syslog) {
		s->connected = true;
	} else if (s->plan->form == STREAM_CLICKHOUSE && transfer_status(&s->transfer) != 200) {
		failed(h, s, s->answer.text[0] ? s->answer.text : "it refuses, and does not say why");
	} else {
		disconnect(h, s);
		s->failures = 0;
		*r = keep(h, s, s->next);
		buf_clear(&s->bytes);
		s->since_us = 0;
	}
	return true;
}

unsigned stream_waits(struct herald *h, struct curl_waitfd *out)
{
	unsigned i, n = 0;

	for (i = 0; i < h->plan.streams_n; i++) {
		struct streamer *s = h->streamers[i];
		curl_socket_t fd = CURL_SOCKET_BAD;

		if (s->connected && s->at < s->bytes.n &&
			!curl_easy_getinfo(s->transfer.curl, CURLINFO_ACTIVESOCKET, &fd) && fd != CURL_SOCKET_BAD)
			out[n++] = (struct curl_waitfd){.fd = fd, .events = CURL_WAIT_POLLOUT};
	}
	return n;
}

json_t *stream_status(const struct herald *h)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < h->plan.streams_n; i++) {
		const struct streamer *s = h->streamers[i];

		json_array_append_new(list, json_pack("{s:s, s:I, s:b}", "name", s->plan->name, "leaf",
						    (json_int_t)(s->kept >> ROW_BITS), "failing", s->failures > 0));
	}
	return list;
}
