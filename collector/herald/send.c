/*
 * Alerts to people: e-mail (SMTP) and webhooks, by libcurl. Each target has one transfer at a time, oldest first. After
 * a failure it rests, and that message longer each time, so that one that nobody takes does not hold up the others;
 * what waited too long is given up, which is a record. The queue is the book's: it survives whatever happens to us.
 */
#include "collector/herald/herald.h"
#include "collector/herald/transfer.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <stdlib.h>

#define BACKOFF_MAX_US (3600ll * 1000000)
#define TRANSFER_S 60L
#define MESSAGE_MAX (64u << 10)
#define REPORT_MAX (24u << 20)
#define LOOK_US 200000 /* in the queue */

struct sender {
	const struct target *target;
	struct buf password, secret;
	struct transfer transfer;
	struct message message;
	struct buf bytes;
	size_t at; /* of the bytes that curl has taken */
	int64_t rest_until_us, looked_us;
};

int send_open(struct herald *h, struct why *why)
{
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < h->plan.targets_n; i++) {
		const struct target *t = &h->plan.targets[i];
		struct sender *s = calloc(1, sizeof(*s));

		if (!s)
			return -ENOMEM;
		h->senders[i] = s;
		s->target = t;
		s->bytes = BUF_INIT(t->reports ? REPORT_MAX : MESSAGE_MAX);
		if (t->password)
			r = words_secret(t->password, &s->password, why);
		if (!r && t->secret)
			r = words_secret(t->secret, &s->secret, why);
	}
	return r;
}

void send_close(struct herald *h)
{
	unsigned i;

	for (i = 0; i < h->plan.targets_n; i++) {
		struct sender *s = h->senders[i];

		if (!s)
			continue;
		transfer_end(&s->transfer, h->curl);
		buf_deinit(&s->bytes);
		transfer_forget(&s->password);
		transfer_forget(&s->secret);
		free(s);
		h->senders[i] = NULL;
	}
}

/* --- one transfer --- */

static size_t on_read(char *out, size_t size, size_t n, void *ctx)
{
	struct sender *s = ctx;
	size_t left = s->bytes.n - s->at, room = size * n;

	if (left > room)
		left = room;
	if (left)
		memcpy(out, s->bytes.p + s->at, left);
	s->at += left;
	return left;
}

/*
 * The report's file, into the sender's bytes. V_AGAIN where it is not there (yet), or is another one than the log has:
 * then nothing goes out.
 */
static int report_read(struct sender *s, const struct word *w)
{
	char path[2 * PATH_MAX];
	struct digest hash;
	int r;

	snprintf(path, sizeof(path), "%s/%.*s", s->target->reports, (int)w->host_name.n, (const char *)w->host_name.p);
	r = file_read(path, &s->bytes);
	if (r == -ENOMEM)
		return r;
	digest_span(&hash, buf_span(&s->bytes));
	if (!r && digest_eq(&hash, &w->host))
		return 0;
	snprintf(s->transfer.error, sizeof(s->transfer.error), "%s",
		r ? "the report cannot be read" : "the report is not the one that the log tells of");
	return V_AGAIN;
}

/* Lines of a head, each with its folded ones (RFC 5322, section 2.2.3). */
static int head_lines(struct transfer *t, struct span text)
{
	size_t from = 0, i;

	for (i = 0; i + 1 < text.n; i++) {
		_cleanup_free_ char *line = NULL;
		struct curl_slist *more;

		if (text.p[i] != '\r' || (i + 2 < text.n && text.p[i + 2] == ' '))
			continue;
		line = strndup((const char *)text.p + from, i - from);
		more = line ? curl_slist_append(t->head, line) : NULL;
		if (!more)
			return -ENOMEM;
		t->head = more;
		from = i + 2;
	}
	return 0;
}

/* The message in its parts: a text, and the file. */
static int report_parts(struct sender *s, const struct word *w)
{
	_cleanup_buf_ struct buf lines = BUF_INIT(MESSAGE_MAX), text = BUF_INIT(MESSAGE_MAX);
	struct transfer *t = &s->transfer;
	char name[64];
	curl_mimepart *part;
	int r = report_read(s, w);

	r = r ? r : words_report(s->target, w, &lines, &text);
	r = r ? r : head_lines(t, buf_span(&lines));
	if (r)
		return r;
	snprintf(name, sizeof(name), "%.*s", (int)w->host_name.n, (const char *)w->host_name.p);
	t->parts = curl_mime_init(t->curl);
	part = t->parts ? curl_mime_addpart(t->parts) : NULL;
	if (!part || curl_mime_data(part, (const char *)text.p, text.n) ||
		curl_mime_type(part, "text/plain; charset=utf-8") || curl_mime_encoder(part, "base64"))
		return -ENOMEM;
	part = curl_mime_addpart(t->parts);
	if (!part || curl_mime_data(part, (const char *)s->bytes.p, s->bytes.n) ||
		curl_mime_type(part, "application/pdf") || curl_mime_encoder(part, "base64") ||
		curl_mime_filename(part, name))
		return -ENOMEM;
	curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, t->head);
	curl_easy_setopt(t->curl, CURLOPT_MIMEPOST, t->parts);
	return 0;
}

static int mail(struct herald *h, struct sender *s, const struct word *w)
{
	const struct target *t = s->target;
	char address[512];
	unsigned i;
	bool report = w->kind == KIND_CONSOLE_EXPORT;
	int r = report ? report_parts(s, w) : words_mail(h, t, w, &s->bytes);

	for (i = 0; !r && i < t->to.n; i++) {
		snprintf(address, sizeof(address), "<%s>", t->to.v[i]);
		r = transfer_line(&s->transfer, address);
	}
	if (r)
		return r;
	snprintf(address, sizeof(address), "<%s>", t->from);
	curl_easy_setopt(s->transfer.curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(s->transfer.curl, CURLOPT_USE_SSL, t->plain ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
	curl_easy_setopt(s->transfer.curl, CURLOPT_MAIL_FROM, address);
	curl_easy_setopt(s->transfer.curl, CURLOPT_MAIL_RCPT, s->transfer.lines);
	if (!report) {
		curl_easy_setopt(s->transfer.curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(s->transfer.curl, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(s->transfer.curl, CURLOPT_READDATA, s);
	}
	if (t->login) {
		curl_easy_setopt(s->transfer.curl, CURLOPT_USERNAME, t->login);
		curl_easy_setopt(s->transfer.curl, CURLOPT_PASSWORD, buf_str(&s->password));
	}
	return 0;
}

static int hook(struct herald *h, struct sender *s, const struct word *w)
{
	int r = words_json(h, w, &s->bytes);

	r = r ? r : transfer_line(&s->transfer, "Content-Type: application/json");
	r = r ? r : transfer_sign(&s->transfer, &s->secret, buf_span(&s->bytes));
	if (r)
		return r;
	curl_easy_setopt(s->transfer.curl, CURLOPT_PROTOCOLS_STR, s->target->plain ? "http,https" : "https");
	transfer_post(&s->transfer, buf_span(&s->bytes));
	return 0;
}

static int failed(struct herald *h, struct sender *s, CURLcode result);

static int begin(struct herald *h, struct sender *s)
{
	const struct target *t = s->target;
	struct word w;
	int r = book_word(h->book, s->message.word, &w);

	if (r)
		return r == V_NOT_FOUND ? book_sent(h->book, &s->message) : r;
	r = transfer_open(&s->transfer, t->url, t->ca);
	if (r)
		return r;
	curl_easy_setopt(s->transfer.curl, CURLOPT_TIMEOUT, TRANSFER_S);
	buf_clear(&s->bytes);
	s->at = 0;
	r = t->kind == TARGET_MAIL ? mail(h, s, &w) : hook(h, s, &w);
	if (r) {
		transfer_end(&s->transfer, h->curl);
		if (r != V_AGAIN)
			return r;
		/* The file is at fault, not the way: others need not wait. */
		r = failed(h, s, CURLE_READ_ERROR);
		s->rest_until_us = 0;
		return r;
	}
	return transfer_begin(&s->transfer, h->curl);
}

int send_step(struct herald *h)
{
	int64_t now = clock_boot_us();
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < h->plan.targets_n; i++) {
		struct sender *s = h->senders[i];

		if (s->transfer.curl || now < s->rest_until_us || now - s->looked_us < LOOK_US)
			continue;
		s->looked_us = now;
		r = book_due(h->book, s->target->name, clock_wall_us(), &s->message);
		r = r == V_END ? 0 : r ? r : begin(h, s);
	}
	return r > 0 ? -EIO : r;
}

/* --- how it ended --- */

static int give_up(struct herald *h, struct sender *s, const char *why)
{
	char text[NAME_MAX + CURL_ERROR_SIZE];
	struct word w;
	int r = book_word(h->book, s->message.word, &w);

	if (r)
		return r;
	snprintf(text, sizeof(text), "%s: %s", s->target->name, why);
	w.kind = KIND_ALERT_UNSENT;
	w.text = SPAN_STR(text);
	w.count = s->message.attempts + 1;
	r = book_begin(h->book);
	r = r ? r : book_say(h->book, &h->plan, &w);
	r = r ? r : book_sent(h->book, &s->message);
	r = r ? r : book_commit(h->book);
	if (r)
		book_rollback(h->book);
	h->count.unsent++;
	return r;
}

static int failed(struct herald *h, struct sender *s, CURLcode result)
{
	char why[CURL_ERROR_SIZE];
	int64_t wait = transfer_backoff(s->target->retry_us, s->message.attempts, BACKOFF_MAX_US);
	int64_t now = clock_wall_us();

	/* What the other side says goes into a log and a record: escaped. */
	text_escape_to(
		why, sizeof(why), SPAN_STR(s->transfer.error[0] ? s->transfer.error : curl_easy_strerror(result)));
	h->count.failed++;
	if (log_allowed(&h->limit))
		log_warning("%s: %s; again in %.1f s", s->target->name, why, (double)wait / 1000000);
	if (now - s->message.since_us >= (int64_t)s->target->give_up_us)
		return give_up(h, s, why);
	s->rest_until_us = clock_boot_us() + wait;
	return book_failed(h->book, &s->message, now + wait);
}

bool send_done(struct herald *h, CURL *curl, CURLcode result, int *r)
{
	struct sender *s;
	unsigned i;

	for (i = 0; i < h->plan.targets_n && h->senders[i]->transfer.curl != curl; i++)
		;
	if (i == h->plan.targets_n)
		return false;
	s = h->senders[i];
	if (result) {
		*r = failed(h, s, result);
	} else {
		*r = book_sent(h->book, &s->message);
		h->count.sent++;
		s->looked_us = 0;
	}
	/* A report is not kept in memory until the next one. */
	if (s->bytes.cap > MESSAGE_MAX)
		buf_deinit(&s->bytes);
	*r = *r > 0 ? -EIO : *r;
	transfer_end(&s->transfer, h->curl);
	return true;
}
