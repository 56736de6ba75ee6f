/*
 * Segments: sealing on a PC, judging at the collector and in verifiers. See segment.h for the layout.
 *
 * Nothing is decompressed before its signature and hash were checked, and never past the length that was signed.
 */
#include "policy/wire/segment.h"
#include "policy/wire/header.h"
#include <errno.h>
#include <zstd.h>

#define MAGIC "SKS1"
#define ZSTD_LEVEL 3
/* 8 MiB of raw bytes never need a larger window. */
#define ZSTD_WINDOW_LOG_MAX 23
#define EPOCH_CERT_MAX 1024

const char *producer_name(unsigned p)
{
	switch (p) {
	case PRODUCER_RECORDER:
		return "recorder";
	case PRODUCER_GUARD:
		return "guard";
	case PRODUCER_PRINT:
		return "print";
	case PRODUCER_POSTURE:
		return "posture";
	case PRODUCER_COLLECTOR:
		return "collector";
	case PRODUCER_CONSOLE:
		return "console";
	case PRODUCER_HERALD:
		return "herald";
	}
	return NULL;
}

bool channel_by_name(const char *name, unsigned *channel)
{
	unsigned c;

	for (c = 0; c < CHANNELS_MAX; c++)
		if (producer_name(c) && !strcmp(producer_name(c), name)) {
			*channel = c;
			return true;
		}
	return false;
}

/* --- epochs --- */

int epoch_certify(const struct key *device, const struct epoch *e, struct buf *out)
{
	_cleanup_buf_ struct buf payload = BUF_INIT(EPOCH_CERT_MAX);
	int r = epoch_encode(e, &payload);

	return r ? r : cose_sign(device, SEGMENT_FORMAT, SPAN_STR(EPOCH_AAD), buf_span(&payload), out);
}

int epoch_verify(struct span cert, const struct key *device, struct epoch *out, struct why *why)
{
	struct cose_sign1 m;
	struct digest id;
	struct epoch e;
	int v = cose_parse(cert, &m, why);

	if (v)
		return v;
	if (m.size != cert.n)
		return why_set(why, V_BAD, "epoch: bytes behind its end");
	if (m.format != SEGMENT_FORMAT)
		return why_set(why, V_BAD, "epoch: format %llu is not known", (unsigned long long)m.format);
	v = cose_verify(&m, device, SPAN_STR(EPOCH_AAD), why);
	v = v ? v : epoch_decode(m.payload, &e, why);
	v = v ? v : key_id(device, &id);
	if (v)
		return v;
	if (!digest_eq(&id, &e.host))
		return why_set(why, V_BAD, "epoch: certified by the key of another PC");
	*out = e;
	return 0;
}

int handover_sign(const struct key *previous, struct span cert, struct buf *out)
{
	struct digest hash;

	digest_span(&hash, cert);
	return cose_sign(previous, SEGMENT_FORMAT, SPAN_STR(HANDOVER_AAD), SPAN(hash.b, DIGEST_SIZE), out);
}

int handover_verify(struct span handover, struct span cert, const struct epoch *previous, struct why *why)
{
	_cleanup_(key_freep) struct key *k = NULL;
	struct cose_sign1 m;
	struct digest hash;
	int v = cose_parse(handover, &m, why);

	v = v ? v : key_from_public_raw(SPAN(previous->public_key, sizeof(previous->public_key)), &k);
	v = v ? v : cose_verify(&m, k, SPAN_STR(HANDOVER_AAD), why);
	if (v)
		return v;
	digest_span(&hash, cert);
	if (!span_eq(m.payload, SPAN(hash.b, DIGEST_SIZE)))
		return why_set(why, V_BAD, "handover: is of another certificate");
	return 0;
}

/* --- sealing --- */

static void compressor_freep(ZSTD_CCtx **ctx)
{
	ZSTD_freeCCtx(*ctx);
}

/* One for each segment: a large one leaves more than a megabyte in it, which a PC at rest would keep. */
static ZSTD_CCtx *compressor(void)
{
	ZSTD_CCtx *ctx = ZSTD_createCCtx();

	if (ctx)
		ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	return ctx;
}

static ZSTD_DCtx *decompressor(void)
{
	static ZSTD_DCtx *ctx;

	if (!ctx) {
		ctx = ZSTD_createDCtx();
		if (ctx)
			ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
	}
	return ctx;
}

int segment_join(struct span header, struct span body, struct buf *out)
{
	uint8_t prefix[SEGMENT_PREFIX];
	int r = buf_reserve(out, sizeof(prefix) + header.n + body.n);

	if (r)
		return r;
	memcpy(prefix, MAGIC, 4);
	put_be32(prefix + 4, (uint32_t)header.n);
	buf_put(out, prefix, sizeof(prefix));
	buf_put_span(out, header);
	buf_put_span(out, body);
	return 0;
}

int segment_seal(struct segment_writer *w, struct span raw, struct buf *out, struct digest *hash)
{
	_cleanup_buf_ struct buf body = BUF_INIT(SEGMENT_BODY_MAX), payload = BUF_INIT(SEGMENT_HEADER_MAX),
				 cose = BUF_INIT(SEGMENT_HEADER_MAX);
	struct header h = w->header;
	_cleanup_(compressor_freep) ZSTD_CCtx *ctx = compressor();
	size_t room, n;
	int r;

	if (!ctx)
		return -ENOMEM;
	if (raw.n > BODY_RAW_MAX)
		return V_FULL;
	room = SEGMENT_SALT + ZSTD_compressBound(raw.n);
	if (room > body.max)
		room = body.max;
	r = buf_reserve(&body, room);
	if (r)
		return r;
	r = random_bytes(body.p, SEGMENT_SALT);
	if (r)
		return r;
	n = ZSTD_compress2(ctx, body.p + SEGMENT_SALT, room - SEGMENT_SALT, raw.n ? (const void *)raw.p : "", raw.n);
	if (ZSTD_isError(n))
		return V_FULL;
	body.n = SEGMENT_SALT + n;
	h.raw_len = (uint32_t)raw.n;
	h.body_len = (uint32_t)body.n;
	digest_span(&h.body_hash, buf_span(&body));
	r = header_encode(&h, &payload);
	r = r ? r : cose_sign(w->epoch_key, SEGMENT_FORMAT, SPAN_STR(SEGMENT_AAD), buf_span(&payload), &cose);
	r = r ? r : segment_join(buf_span(&cose), buf_span(&body), out);
	if (r)
		return r;
	digest_span(hash, buf_span(&cose));
	w->header = h;
	return 0;
}

/* --- opening --- */

int header_parse(struct span leaf, struct segment *out, struct why *why)
{
	struct segment s = {.header_bytes = leaf};
	int v;

	if (leaf.n > SEGMENT_HEADER_MAX)
		return why_set(
			why, V_BAD, "segment: header of %zu bytes, at most %u are allowed", leaf.n, SEGMENT_HEADER_MAX);
	v = cose_parse(leaf, &s.cose, why);
	if (v)
		return v;
	if (s.cose.size != leaf.n)
		return why_set(why, V_BAD, "segment: bytes behind the header's end");
	if (s.cose.format != SEGMENT_FORMAT)
		return why_set(why, V_BAD, "segment: format %llu is not known", (unsigned long long)s.cose.format);
	v = header_decode(s.cose.payload, &s.header, why);
	if (v)
		return v;
	digest_span(&s.hash, leaf);
	*out = s;
	return 0;
}

int segment_parse(struct span in, struct segment *out, struct why *why)
{
	struct segment s = {.header_bytes = {NULL, 0}};
	uint32_t header_len;
	size_t total;
	int v;

	if (in.n < SEGMENT_PREFIX)
		return in.n && memcmp(in.p, MAGIC, in.n < 4 ? in.n : 4)
			       ? why_set(why, V_BAD, "segment: does not begin with " MAGIC)
			       : why_set(why, V_AGAIN, "segment: cut off in its prefix");
	if (memcmp(in.p, MAGIC, 4))
		return why_set(why, V_BAD, "segment: does not begin with " MAGIC);
	header_len = get_be32(in.p + 4);
	if (header_len > SEGMENT_HEADER_MAX)
		return why_set(why, V_BAD, "segment: header of %u bytes, at most %u are allowed", header_len,
			SEGMENT_HEADER_MAX);
	if (in.n - SEGMENT_PREFIX < header_len)
		return why_set(why, V_AGAIN, "segment: cut off in its header");
	v = header_parse(SPAN(in.p + SEGMENT_PREFIX, header_len), &s, why);
	if (v)
		return v;
	total = (size_t)SEGMENT_PREFIX + header_len + s.header.body_len;
	if (in.n < total)
		return why_set(why, V_AGAIN, "segment: cut off in its body");
	s.bytes = SPAN(in.p, total);
	s.body = SPAN(in.p + SEGMENT_PREFIX + header_len, s.header.body_len);
	*out = s;
	return 0;
}

/*
 * Public sealing keys, ready for use: making one takes 40 us, a third of judging a header, and segments of one key come
 * by the hundred. A key pushes out the one in its place; nothing secret is kept.
 */
#define SEALING_KEYS 512u

struct sealing_key {
	struct key *key;
	uint8_t raw[32];
	uint8_t kid[COSE_KID_SIZE];
};

static int sealing_key(const uint8_t raw[32], const struct sealing_key **out)
{
	static struct sealing_key kept[SEALING_KEYS];
	struct sealing_key *k = &kept[get_be32(raw) % SEALING_KEYS], fresh = {.key = NULL};
	int v;

	if (!k->key || memcmp(k->raw, raw, sizeof(k->raw)) != 0) {
		v = key_from_public_raw(SPAN(raw, sizeof(fresh.raw)), &fresh.key);
		if (v)
			return v;
		v = cose_kid(fresh.key, fresh.kid);
		if (v) {
			key_free(fresh.key);
			return v;
		}
		memcpy(fresh.raw, raw, sizeof(fresh.raw));
		key_free(k->key);
		*k = fresh;
	}
	*out = k;
	return 0;
}

int segment_verify(const struct segment *s, const struct epoch *e, struct why *why)
{
	const struct header *h = &s->header;
	const struct sealing_key *k;
	struct digest hash;
	int v;

	if (!digest_eq(&h->host, &e->host))
		return why_set(why, CAUSE_FOREIGN, "segment: names another PC than the sealing key's");
	if (h->producer != e->producer || h->epoch != e->number || memcmp(h->boot, e->boot, sizeof(h->boot)))
		return why_set(why, CAUSE_BAD_EPOCH, "segment: epoch %llu of %s is not the sealing key's",
			(unsigned long long)h->epoch, producer_name(h->producer));
	if (e->has_since &&
		(h->boot_us < e->since_us || (uint64_t)h->boot_us - (uint64_t)e->since_us >
						     (uint64_t)e->not_after_us - (uint64_t)e->not_before_us))
		return why_set(why, CAUSE_BAD_EPOCH, "segment: sealed %s the time of its key",
			h->boot_us < e->since_us ? "before" : "after");
	v = sealing_key(e->public_key, &k);
	if (v < 0)
		return v;
	if (v)
		return why_set(why, CAUSE_BAD_EPOCH, "segment: the sealing key is no Ed25519 key");
	if (!span_eq(s->cose.kid, SPAN(k->kid, sizeof(k->kid))))
		return why_set(why, CAUSE_BAD_SIGNATURE, "segment: key id is not the sealing key's");
	v = cose_verify(&s->cose, k->key, SPAN_STR(SEGMENT_AAD), why);
	if (v)
		return v < 0 ? v : CAUSE_BAD_SIGNATURE;
	if (!s->bytes.n)
		return 0;
	digest_span(&hash, s->body);
	if (!digest_eq(&hash, &h->body_hash))
		return why_set(why, CAUSE_BAD_BODY, "segment: body is not the signed one");
	return 0;
}

/*
 * One zstd frame (RFC 8878 section 3.1.1) within the format's window. Decompression in one piece takes no window and so
 * does not look at it, nor does it mind skippable frames; other readers of the same evidence would.
 */
static bool frame_fits(const uint8_t *frame, size_t n)
{
	static const uint8_t magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
	unsigned log, eighths;

	if (n < 6 || memcmp(frame, magic, sizeof(magic)) != 0)
		return false;
	if (frame[4] & 0x20)
		return true; /* one segment: the window is the content, whose size is enforced */
	log = 10u + (frame[5] >> 3);
	eighths = frame[5] & 7;
	return log < ZSTD_WINDOW_LOG_MAX || (log == ZSTD_WINDOW_LOG_MAX && !eighths);
}

int segment_raw(const struct segment *s, struct buf *raw, struct why *why)
{
	const struct header *h = &s->header;
	ZSTD_DCtx *ctx = decompressor();
	const uint8_t *frame;
	size_t frame_len, n;
	uint8_t none[1];
	int r;

	if (!ctx)
		return -ENOMEM;
	if (s->body.n < SEGMENT_SALT)
		return why_set(why, V_BAD, "segment: body without its salt");
	frame = s->body.p + SEGMENT_SALT;
	frame_len = s->body.n - SEGMENT_SALT;
	if (!frame_fits(frame, frame_len) || ZSTD_findFrameCompressedSize(frame, frame_len) != frame_len)
		return why_set(why, V_BAD, "segment: body is not one zstd frame");
	buf_clear(raw);
	r = buf_reserve(raw, h->raw_len);
	if (r)
		return r;
	n = ZSTD_decompressDCtx(ctx, h->raw_len ? raw->p : none, h->raw_len, frame, frame_len);
	if (ZSTD_isError(n))
		return why_set(why, V_BAD, "segment: body cannot be decompressed: %s", ZSTD_getErrorName(n));
	if (n != h->raw_len)
		return why_set(why, V_BAD, "segment: body holds %zu bytes where %u were signed", n, h->raw_len);
	raw->n = n;
	return 0;
}
