/*
 * A job's documents: given to the inspector (agent/inspect), whose sandboxed children look into them, and what they
 * found, added up for the job. Called by jobs.c and judge.c; nothing of a document is read in this process.
 */
#include "agent/inspect/numbers.h"
#include "agent/print/print.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <errno.h>

#define LOOK_MS 30000 /* beyond the judgement: what is found later is told with the job's end */

static int on_found(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct gate *g = ctx;
	struct job *j;
	unsigned i;

	(void)events;
	/* What ends with the inspector was not looked into: it is not judged, as if we had not been there. */
	if (inspect_is_gone(g->inspect)) {
		gate_fail(g, -EPIPE, "the inspector is gone");
		return 0;
	}
	for (j = g->jobs; j; j = j->next)
		for (i = 0; i < j->documents_n; i++)
			if (j->inspected[i] && inspect_job_fd(j->inspected[i]) == fd) {
				if (inspect_job_step(j->inspected[i]) != V_AGAIN)
					sd_event_source_disable_unref(source);
				jobs_step(g);
				return 0;
			}
	sd_event_source_disable_unref(source); /* its job is gone */
	return 0;
}

static void begin(struct gate *g, struct job *j, int document, const struct inspect_ask *ask)
{
	sd_event_source *source = NULL;
	struct inspect_job *job = NULL;
	struct why why = {""};
	int r = inspect_begin(g->inspect, document, ask, &job, &why);

	if (r == -EPIPE)
		gate_fail(g, r, "the inspector is gone");
	else if (r)
		log_warning("a document is not looked into: %s", why.text[0] ? why.text : "too many at once");
	if (!r)
		r = sd_event_add_io(g->event, &source, inspect_job_fd(job), EPOLLIN, on_found, g);
	if (r < 0)
		inspect_job_free(STEAL(job));
	j->inspected[j->documents_n++] = job;
}

void documents_order(struct gate *g)
{
	struct policy_ocr ocr;
	int r;

	policy_print_ocr(g->orders.policy, &ocr);
	if (ocr.on && g->inspect)
		inspect_prepare_ocr(g->inspect);
	inspect_known_free(STEAL(g->known));
	r = known_ask(g->orders.policy, &g->known);
	if (r)
		log_error("documents of the policy cannot be looked for: %s", strerror(r < 0 ? -r : EINVAL));
}

void documents_begin(struct gate *g, struct job *j, const int *fds, unsigned n)
{
	struct inspect_ask ask = {.time_ms = LOOK_MS, .text = policy_print_text(g->orders.policy)};
	struct policy_ocr ocr;
	unsigned i;

	policy_print_ocr(g->orders.policy, &ocr);
	if (ocr.on)
		ask.ocr = (struct inspect_ocr){
			.document_ms = (uint32_t)ocr.seconds * 1000, .hour_ms = (uint32_t)ocr.seconds_per_hour * 1000};
	ask.patterns = policy_print_patterns(g->orders.policy, &ask.pattern);
	ask.known = g->known;
	for (i = 0; i < n && g->inspect; i++)
		begin(g, j, fds[i], &ask);
}

bool documents_done(struct job *j)
{
	unsigned i;

	for (i = 0; i < j->documents_n; i++)
		if (j->inspected[i] && !inspect_job_facts(j->inspected[i])->complete)
			return false;
	return true;
}

void documents_end(struct job *j)
{
	unsigned i;

	for (i = 0; i < j->documents_n; i++)
		inspect_job_free(STEAL(j->inspected[i]));
	j->documents_n = 0;
}

/* --- adding up --- */

static unsigned colour_of(const struct inspect_facts *d, unsigned so_far)
{
	if (so_far == COLOUR_COLOUR || d->color == INSPECT_COLOR)
		return COLOUR_COLOUR;
	if (d->color == INSPECT_GREY && (so_far == COLOUR_MONO || !so_far))
		return COLOUR_MONO;
	return 0;
}

/* One document's words behind those of the ones before it. */
static void add_line(
	const struct inspect_facts *d, int (*words)(const struct inspect_facts *, struct buf *), char *out, size_t size)
{
	_cleanup_buf_ struct buf b = BUF_INIT(size);
	size_t at = strlen(out);

	if (!words(d, &b) && b.n && buf_str(&b))
		snprintf(out + at, size - at, "%s%s", at ? "; " : "", (char *)b.p);
}

static bool was_read(const struct inspect_facts *d, bool text)
{
	return d->complete && !d->gaps && d->has_pages && !(d->flags & (INSPECT_PASSWORD | INSPECT_TRUNCATED)) &&
	       (!(d->flags & INSPECT_IMAGE_ONLY) || d->flags & INSPECT_OCR) && (!text || d->flags & INSPECT_TEXT_READ);
}

static void add(
	const struct policy *p, const struct inspect_facts *d, bool first, bool text, struct document_facts *out)
{
	uint8_t known[KNOWN_MAX] = {0};
	unsigned i;

	out->bytes += d->bytes;
	out->has_pages &= d->has_pages;
	out->pages += d->pages;
	out->exact &= !(d->flags & INSPECT_CLAIMED);
	out->readable &= was_read(d, text);
	for (i = 0; i < NUMBERS; i++)
		out->numbers[i] += d->found[find_kind_of((enum print_number)i)].sure;
	for (i = 0; i < PRINT_PATTERNS_MAX && i < INSPECT_PATTERNS_MAX; i++)
		out->matches[i] += d->matches[i];
	known_of(p, d, known);
	for (i = 0; i < KNOWN_MAX; i++)
		out->known[i] = known[i] > out->known[i] ? known[i] : out->known[i];
	out->colour = first ? colour_of(d, 0) : out->colour ? colour_of(d, out->colour) : 0;
	if (first) {
		out->format = inspect_format_name(d->format);
		out->media = d->media;
		out->generator = d->generator;
	}
	add_line(d, inspect_findings, out->findings, sizeof(out->findings));
	add_line(d, inspect_numbers, out->found, sizeof(out->found));
}

void documents_facts(struct gate *g, struct job *j, struct document_facts *out)
{
	bool text = policy_print_text(g->orders.policy);
	struct span hashes[REQUEST_DOCUMENTS_MAX];
	_cleanup_buf_ struct buf words = BUF_INIT(KNOWN_WORDS_MAX);
	unsigned i, n = 0;

	*out = (struct document_facts){.complete = documents_done(j),
		.readable = j->documents_n > 0 && j->documents_n == j->request.documents_n,
		.has_pages = j->documents_n > 0 && j->documents_n == j->request.documents_n,
		.exact = true,
		.format = "",
		.media = "",
		.generator = ""};
	for (i = 0; i < j->documents_n; i++) {
		const struct inspect_facts *d = j->inspected[i] ? inspect_job_facts(j->inspected[i]) : NULL;

		if (!d) {
			out->readable = out->has_pages = false;
			snprintf(out->findings, sizeof(out->findings), "not looked into");
			continue;
		}
		add(g->orders.policy, d, i == 0, text, out);
		if (d->has_hash) {
			hashes[n] = SPAN(&d->hash, sizeof(d->hash));
			n++;
		}
	}
	if (!policy_known_words(g->orders.policy, out->known, &words))
		text_copy(out->known_words, sizeof(out->known_words), buf_span(&words));
	if (!j->documents_n)
		snprintf(out->findings, sizeof(out->findings), "no document could be read");
	else if (!out->complete && !out->findings[0])
		snprintf(out->findings, sizeof(out->findings), "still being looked into: told with the job's end");
	out->has_hash = n && n == j->documents_n && n == j->request.documents_n;
	if (out->has_hash && n == 1)
		memcpy(&out->hash, hashes[0].p, sizeof(out->hash));
	else if (out->has_hash)
		digest_of(&out->hash, hashes, n);
}
