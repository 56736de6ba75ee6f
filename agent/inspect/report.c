/*
 * Questions and reports as bytes. See report.h. Written by one side, read by the other: neither trusts it.
 */
#include "agent/inspect/report.h"
#include "policy/base/cbor.h"
#include "policy/base/text.h"
#include <errno.h>

/* Keys of a question. */
enum { Q_TEXT = 1, Q_TIME, Q_MEMORY, Q_UNPACKED, Q_PATTERNS, Q_PRINTS, Q_KNOWN, Q_OCR };

/* Places in a report: an array, always whole. */
#define REPORT_ITEMS 25
#define GAP_ITEMS 3
#define END_ITEMS 2
#define PRINTS_ITEMS 1
#define OCR_ITEMS 2 /* of a question */

int question_write(struct buf *out, const struct inspect_ask *ask, struct why *why)
{
	unsigned i;
	int r;

	if (ask->patterns > INSPECT_PATTERNS_MAX)
		return why_set(why, V_BAD, "%u patterns; at most %u", ask->patterns, INSPECT_PATTERNS_MAX);
	for (i = 0; i < ask->patterns; i++)
		if (strlen(ask->pattern[i]) >= INSPECT_PATTERN_MAX)
			return why_set(
				why, V_BAD, "pattern %u is longer than %u bytes", i + 1, INSPECT_PATTERN_MAX - 1);
	if ((r = cbor_put_map(out, 8)) || (r = cbor_put_uint(out, Q_TEXT)) || (r = cbor_put_bool(out, ask->text)) ||
		(r = cbor_put_uint(out, Q_TIME)) || (r = cbor_put_uint(out, ask->time_ms)) ||
		(r = cbor_put_uint(out, Q_MEMORY)) || (r = cbor_put_uint(out, ask->memory)) ||
		(r = cbor_put_uint(out, Q_UNPACKED)) || (r = cbor_put_uint(out, ask->unpacked)) ||
		(r = cbor_put_uint(out, Q_PATTERNS)) || (r = cbor_put_array(out, ask->patterns)))
		return r;
	for (i = 0; i < ask->patterns && !r; i++)
		r = cbor_put_bytes(out, SPAN_STR(ask->pattern[i]));
	if (r || (r = cbor_put_uint(out, Q_PRINTS)) ||
		(r = cbor_put_bytes(out, SPAN(ask->prints_key, ask->prints_key ? INSPECT_KEY_SIZE : 0))))
		return r;
	if ((r = cbor_put_uint(out, Q_KNOWN)) || (r = cbor_put_bool(out, ask->known != NULL)) ||
		(r = cbor_put_uint(out, Q_OCR)) || (r = cbor_put_array(out, OCR_ITEMS)) ||
		(r = cbor_put_uint(out, ask->ocr.document_ms)))
		return r;
	return cbor_put_uint(out, ask->ocr.hour_ms);
}

static int key(struct cbor_reader *r, uint64_t want, struct why *why)
{
	uint64_t k;
	int v = cbor_expect_uint(r, "key", &k, why);

	return v ? v : k == want ? 0 : why_set(why, V_BAD, "key %llu is not there", (unsigned long long)want);
}

static int expect_bool(struct cbor_reader *r, const char *what, bool *out, struct why *why)
{
	struct cbor_item it;
	int v = cbor_expect(r, CBOR_BOOL, what, &it, why);

	if (!v)
		*out = it.u;
	return v;
}

static int expect_below(struct cbor_reader *r, const char *what, uint64_t bound, uint64_t *out, struct why *why)
{
	uint64_t u = 0;
	int v = cbor_expect_uint(r, what, &u, why);

	if (v)
		return v;
	if (u >= bound)
		return why_set(why, V_BAD, "%s is out of its range", what);
	*out = u;
	return 0;
}

/* A string of our own bound, without NUL. */
static int expect_string(struct cbor_reader *r, const char *what, char *out, size_t size, struct why *why)
{
	struct cbor_item it;
	int v = cbor_expect(r, CBOR_BYTES, what, &it, why);

	if (v)
		return v;
	if (it.s.n >= size || (it.s.n && memchr(it.s.p, 0, it.s.n)))
		return why_set(why, V_BAD, "%s is too long, or has a NUL in it", what);
	if (it.s.n)
		memcpy(out, it.s.p, it.s.n);
	out[it.s.n] = '\0';
	return 0;
}

/* The key of fingerprints to be made, or nothing. */
static int read_key(struct cbor_reader *r, struct question *q, struct why *why)
{
	struct cbor_item it;
	int v = cbor_expect(r, CBOR_BYTES, "key", &it, why);

	if (v)
		return v;
	if (it.s.n && it.s.n != INSPECT_KEY_SIZE)
		return why_set(why, V_BAD, "a key of %zu bytes", it.s.n);
	q->makes_prints = it.s.n > 0;
	if (it.s.n)
		memcpy(q->key, it.s.p, INSPECT_KEY_SIZE);
	return 0;
}

static int read_ocr(struct cbor_reader *r, struct inspect_ocr *out, struct why *why)
{
	struct cbor_item it;
	uint64_t document = 0, hour = 0;
	int v = cbor_expect(r, CBOR_ARRAY, "ocr", &it, why);

	if (!v && it.u != OCR_ITEMS)
		v = why_set(why, V_BAD, "ocr has %llu items", (unsigned long long)it.u);
	if (v || (v = expect_below(r, "time for pictures", 1ull << 32, &document, why)) ||
		(v = expect_below(r, "time for pictures of an hour", 1ull << 32, &hour, why)))
		return v;
	*out = (struct inspect_ocr){.document_ms = (uint32_t)document, .hour_ms = (uint32_t)hour};
	return 0;
}

int question_read(struct span in, struct question *q, struct why *why)
{
	struct cbor_reader r = cbor_reader(in);
	struct question t = {0};
	struct cbor_item it;
	uint64_t time_ms = 0;
	int v;

	if ((v = cbor_expect(&r, CBOR_MAP, "question", &it, why)) || (v = key(&r, Q_TEXT, why)) ||
		(v = expect_bool(&r, "text", &t.text, why)) || (v = key(&r, Q_TIME, why)) ||
		(v = expect_below(&r, "time", 1ull << 32, &time_ms, why)) || (v = key(&r, Q_MEMORY, why)) ||
		(v = cbor_expect_uint(&r, "memory", &t.memory, why)) || (v = key(&r, Q_UNPACKED, why)) ||
		(v = cbor_expect_uint(&r, "unpacked", &t.unpacked, why)) || (v = key(&r, Q_PATTERNS, why)) ||
		(v = cbor_expect(&r, CBOR_ARRAY, "patterns", &it, why)))
		return v;
	if (it.u > INSPECT_PATTERNS_MAX)
		return why_set(why, V_BAD, "too many patterns");
	t.time_ms = (uint32_t)time_ms;
	for (t.patterns = 0; t.patterns < it.u; t.patterns++)
		if ((v = expect_string(&r, "pattern", t.pattern[t.patterns], INSPECT_PATTERN_MAX, why)))
			return v;
	if ((v = key(&r, Q_PRINTS, why)) || (v = read_key(&r, &t, why)) || (v = key(&r, Q_KNOWN, why)) ||
		(v = expect_bool(&r, "known", &t.has_known, why)) || (v = key(&r, Q_OCR, why)) ||
		(v = read_ocr(&r, &t.ocr, why)))
		return v;
	if (!cbor_at_end(&r))
		return why_set(why, V_BAD, "bytes behind the question");
	*q = t;
	return 0;
}

static int put_gaps(struct buf *b, const struct inspect_facts *f)
{
	unsigned i, n = f->gaps < INSPECT_GAPS_MAX ? f->gaps : INSPECT_GAPS_MAX;
	int r;

	if ((r = cbor_put_uint(b, f->gaps)) || (r = cbor_put_array(b, n)))
		return r;
	for (i = 0; i < n && !r; i++)
		if (!(r = cbor_put_array(b, GAP_ITEMS)) && !(r = cbor_put_uint(b, f->gap[i].what)) &&
			!(r = cbor_put_uint(b, f->gap[i].cause)))
			r = cbor_put_bytes(b, SPAN_STR(f->gap[i].detail));
	return r;
}

static int put_matches(struct buf *b, const struct inspect_facts *f)
{
	unsigned i;
	int r = cbor_put_array(b, INSPECT_PATTERNS_MAX);

	for (i = 0; i < INSPECT_PATTERNS_MAX && !r; i++)
		r = cbor_put_uint(b, f->matches[i]);
	return r;
}

static int put_found(struct buf *b, const struct inspect_facts *f)
{
	unsigned i;
	int r = cbor_put_array(b, 3 * FIND_KINDS);

	for (i = 0; i < FIND_KINDS && !r; i++)
		if (!(r = cbor_put_uint(b, f->found[i].sure)) && !(r = cbor_put_uint(b, f->found[i].maybe)))
			r = cbor_put_bytes(b, SPAN_STR(f->found[i].sample));
	return r;
}

/* Those behind the last that is there are not written. */
static int put_known(struct buf *b, const struct inspect_facts *f)
{
	unsigned i, n = INSPECT_KNOWN_MAX;
	int r;

	while (n && !f->known[n - 1].prints && !f->known[n - 1].exact)
		n--;
	r = cbor_put_array(b, n);
	for (i = 0; i < n && !r; i++)
		r = cbor_put_uint(b, (uint64_t)f->known[i].prints << 1 | f->known[i].exact);
	return r;
}

/* Its length, then all of it; or nothing. */
static int put_frame(struct buf *out, const struct buf *b)
{
	uint8_t head[4];
	int r = buf_reserve(out, sizeof(head) + b->n);

	put_be32(head, (uint32_t)b->n);
	return r ? r : (r = buf_put(out, head, sizeof(head))) ? r : buf_put_span(out, buf_span(b));
}

int report_write(struct buf *out, const struct inspect_facts *f, enum inspect_what about)
{
	_cleanup_buf_ struct buf b = BUF_INIT(REPORT_FRAME_MAX - 4);
	int r;

	if ((r = cbor_put_array(&b, REPORT_ITEMS)) || (r = cbor_put_uint(&b, about)) ||
		(r = cbor_put_bool(&b, f->complete)) || (r = cbor_put_bool(&b, f->has_hash)) ||
		(r = cbor_put_uint(&b, f->bytes)) || (r = cbor_put_bytes(&b, SPAN(f->hash.b, DIGEST_SIZE))) ||
		(r = cbor_put_uint(&b, f->plain_bytes)) ||
		(r = cbor_put_bytes(&b, SPAN(f->plain_hash.b, DIGEST_SIZE))) || (r = cbor_put_uint(&b, f->format)) ||
		(r = cbor_put_uint(&b, f->flags)) || (r = cbor_put_bool(&b, f->has_pages)) ||
		(r = cbor_put_uint(&b, f->pages)) || (r = cbor_put_uint(&b, f->blank_pages)) ||
		(r = cbor_put_uint(&b, f->copies)) || (r = cbor_put_uint(&b, f->duplex)) ||
		(r = cbor_put_uint(&b, f->color)) || (r = cbor_put_bytes(&b, SPAN_STR(f->media))) ||
		(r = cbor_put_uint(&b, f->width_um)) || (r = cbor_put_uint(&b, f->height_um)) ||
		(r = cbor_put_bytes(&b, SPAN_STR(f->generator))) || (r = cbor_put_bool(&b, f->my_number_named)) ||
		(r = put_found(&b, f)) || (r = put_matches(&b, f)) || (r = put_known(&b, f)) || (r = put_gaps(&b, f)))
		return r;
	return put_frame(out, &b);
}

int report_write_prints(struct buf *out, const uint8_t *prints, unsigned n)
{
	_cleanup_buf_ struct buf b = BUF_INIT(REPORT_FRAME_MAX - 4);
	int r = cbor_put_array(&b, PRINTS_ITEMS);

	r = r ? r : cbor_put_bytes(&b, SPAN(prints, (size_t)n * INSPECT_PRINT_SIZE));
	return r ? r : put_frame(out, &b);
}

int prints_read(struct span frame, struct buf *out, struct why *why)
{
	struct cbor_reader r = cbor_reader(frame);
	struct cbor_item it;
	int v;

	if ((v = cbor_expect(&r, CBOR_ARRAY, "report", &it, why)) ||
		(v = cbor_expect(&r, CBOR_BYTES, "prints", &it, why)))
		return v;
	if (it.s.n % INSPECT_PRINT_SIZE || !cbor_at_end(&r))
		return why_set(why, V_BAD, "fingerprints that are none");
	return it.s.n ? buf_put_span(out, it.s) : 0;
}

int report_write_end(struct buf *out, enum inspect_cause cause, const char *detail)
{
	_cleanup_buf_ struct buf b = BUF_INIT(REPORT_FRAME_MAX - 4);
	int r;

	if ((r = cbor_put_array(&b, END_ITEMS)) || (r = cbor_put_uint(&b, cause)) ||
		(r = cbor_put_bytes(&b, SPAN_STR(detail))))
		return r;
	return put_frame(out, &b);
}

/* Cause and detail of a gap. */
static int read_cause(struct cbor_reader *r, struct inspect_gap *g, struct why *why)
{
	uint64_t u = 0;
	int v = expect_below(r, "cause", INSPECT_CAUSES, &u, why);

	if (v)
		return v;
	if (!u)
		return why_set(why, V_BAD, "a gap without a cause");
	g->cause = (enum inspect_cause)u;
	return expect_string(r, "detail", g->detail, sizeof(g->detail), why);
}

static int read_gaps(struct cbor_reader *r, struct inspect_facts *f, struct why *why)
{
	struct cbor_item it;
	uint64_t gaps = 0, u = 0, i, n;
	int v;

	if ((v = expect_below(r, "gaps", 1u << 20, &gaps, why)) || (v = cbor_expect(r, CBOR_ARRAY, "gaps", &it, why)))
		return v;
	if ((n = it.u) != (gaps < INSPECT_GAPS_MAX ? gaps : INSPECT_GAPS_MAX))
		return why_set(why, V_BAD, "gaps are not as many as there are said to be");
	f->gaps = (unsigned)gaps;
	for (i = 0; i < n; i++) {
		if ((v = cbor_expect(r, CBOR_ARRAY, "gap", &it, why)))
			return v;
		if (it.u != GAP_ITEMS)
			return why_set(why, V_BAD, "a gap has %llu items", (unsigned long long)it.u);
		if ((v = expect_below(r, "what a gap is about", INSPECT_WHATS, &u, why)))
			return v;
		f->gap[i].what = (enum inspect_what)u;
		if ((v = read_cause(r, &f->gap[i], why)))
			return v;
	}
	return 0;
}

static int read_matches(struct cbor_reader *r, struct inspect_facts *f, struct why *why)
{
	struct cbor_item it;
	unsigned i;
	int v = cbor_expect(r, CBOR_ARRAY, "matches", &it, why);

	if (!v && it.u != INSPECT_PATTERNS_MAX)
		v = why_set(why, V_BAD, "matches are not %u", INSPECT_PATTERNS_MAX);
	for (i = 0; i < INSPECT_PATTERNS_MAX && !v; i++)
		v = cbor_expect_uint(r, "match", &f->matches[i], why);
	return v;
}

/* A sample is digits and asterisks: who took a child over sends no words by it. */
static bool is_sample(const char *s)
{
	return strspn(s, "*0123456789") == strlen(s);
}

static int read_found(struct cbor_reader *r, struct inspect_facts *f, struct why *why)
{
	struct cbor_item it;
	unsigned i;
	int v = cbor_expect(r, CBOR_ARRAY, "found", &it, why);

	if (!v && it.u != 3 * FIND_KINDS)
		v = why_set(why, V_BAD, "kinds of numbers are not %u", FIND_KINDS);
	for (i = 0; i < FIND_KINDS && !v; i++) {
		struct finding *n = &f->found[i];

		if ((v = cbor_expect_uint(r, "sure", &n->sure, why)) ||
			(v = cbor_expect_uint(r, "maybe", &n->maybe, why)) ||
			(v = expect_string(r, "sample", n->sample, sizeof(n->sample), why)))
			return v;
		if (!is_sample(n->sample))
			return why_set(why, V_BAD, "a sample that is no number");
	}
	return v;
}

static int read_known(struct cbor_reader *r, struct inspect_facts *f, struct why *why)
{
	struct cbor_item it;
	uint64_t u = 0, i, n;
	int v = cbor_expect(r, CBOR_ARRAY, "known documents", &it, why);

	if (v)
		return v;
	if ((n = it.u) > INSPECT_KNOWN_MAX)
		return why_set(why, V_BAD, "too many known documents");
	for (i = 0; i < n && !v; i++) {
		v = expect_below(r, "known document", 2 * INSPECT_PRINTS_MAX + 2, &u, why);
		f->known[i] = (struct inspect_known_found){.prints = (uint16_t)(u >> 1), .exact = u & 1};
	}
	return v;
}

/* Whoever made the report, what goes on from here is printable. */
static void clean(char *s, size_t size)
{
	_cleanup_free_ char *copy = strdup(s);

	if (copy)
		text_escape_to(s, size, SPAN_STR(copy));
	else
		s[0] = '\0';
}

static void clean_strings(struct inspect_facts *f)
{
	unsigned i;

	clean(f->media, sizeof(f->media));
	clean(f->generator, sizeof(f->generator));
	for (i = 0; i < f->gaps && i < INSPECT_GAPS_MAX; i++)
		clean(f->gap[i].detail, sizeof(f->gap[i].detail));
}

int report_read(struct span frame, struct inspect_facts *facts, enum inspect_what *about, struct why *why)
{
	struct cbor_reader r = cbor_reader(frame);
	struct inspect_facts f = {0};
	uint64_t what = 0, format = 0, flags = 0, copies = 0, duplex = 0, color = 0, width = 0, height = 0;
	struct cbor_item it;
	int v;

	if ((v = cbor_expect(&r, CBOR_ARRAY, "report", &it, why)))
		return v;
	if (it.u == END_ITEMS) {
		struct inspect_gap g = {0};

		v = read_cause(&r, &g, why);
		if (v)
			return v;
		clean(g.detail, sizeof(g.detail));
		facts->gap[0] = g;
		return cbor_at_end(&r) ? V_END : why_set(why, V_BAD, "bytes behind the end");
	}
	if (it.u == PRINTS_ITEMS)
		return V_AGAIN;
	if (it.u != REPORT_ITEMS)
		return why_set(why, V_BAD, "a report of %llu items", (unsigned long long)it.u);
	if ((v = expect_below(&r, "stage", INSPECT_WHATS, &what, why)) ||
		(v = expect_bool(&r, "complete", &f.complete, why)) ||
		(v = expect_bool(&r, "has hash", &f.has_hash, why)) ||
		(v = cbor_expect_uint(&r, "bytes", &f.bytes, why)) ||
		(v = cbor_expect_bytes_n(&r, "hash", f.hash.b, DIGEST_SIZE, why)) ||
		(v = cbor_expect_uint(&r, "plain bytes", &f.plain_bytes, why)) ||
		(v = cbor_expect_bytes_n(&r, "plain hash", f.plain_hash.b, DIGEST_SIZE, why)) ||
		(v = expect_below(&r, "format", INSPECT_FORMATS, &format, why)) ||
		(v = expect_below(&r, "flags", INSPECT_FLAGS_END, &flags, why)) ||
		(v = expect_bool(&r, "has pages", &f.has_pages, why)) ||
		(v = cbor_expect_uint(&r, "pages", &f.pages, why)) ||
		(v = cbor_expect_uint(&r, "blank pages", &f.blank_pages, why)) ||
		(v = expect_below(&r, "copies", 1ull << 32, &copies, why)) ||
		(v = expect_below(&r, "duplex", INSPECT_SHORT_EDGE + 1, &duplex, why)) ||
		(v = expect_below(&r, "color", INSPECT_COLOR_OK + 1, &color, why)) ||
		(v = expect_string(&r, "media", f.media, sizeof(f.media), why)) ||
		(v = expect_below(&r, "width", 1ull << 32, &width, why)) ||
		(v = expect_below(&r, "height", 1ull << 32, &height, why)) ||
		(v = expect_string(&r, "generator", f.generator, sizeof(f.generator), why)) ||
		(v = expect_bool(&r, "number named", &f.my_number_named, why)) || (v = read_found(&r, &f, why)) ||
		(v = read_matches(&r, &f, why)) || (v = read_known(&r, &f, why)) || (v = read_gaps(&r, &f, why)))
		return v;
	if (!cbor_at_end(&r))
		return why_set(why, V_BAD, "bytes behind the report");
	f.format = (enum inspect_format)format;
	f.flags = (unsigned)flags;
	f.copies = (uint32_t)copies;
	f.duplex = (enum inspect_duplex)duplex;
	f.color = (enum inspect_color)color;
	f.width_um = (uint32_t)width;
	f.height_um = (uint32_t)height;
	clean_strings(&f);
	*facts = f;
	*about = (enum inspect_what)what;
	return 0;
}
