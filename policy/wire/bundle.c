/*
 * Signed policies. See bundle.h for the format. Signing is the administrator's (sekishoctl); opening is everybody's:
 * the signature comes first, and nothing is decompressed before it was good.
 */
#include "policy/wire/bundle.h"
#include "policy/base/cbor.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <zstd.h>

#define ADMINS_TEXT_MAX (16u << 10)
#define WINDOW_LOG_MAX 22 /* both texts and a little more: a frame that asks for more memory is refused */

enum {
	B_VERSION = 1,
	B_ISSUED,
	B_FLEET,
	B_NOT_BEFORE,
	B_NOT_AFTER,
	B_RAW_LEN,
	B_ADMINS,
	B_FRAME,
};

DEFINE_CLEANUP(ZSTD_DCtx *, ZSTD_freeDCtx)

const char *bundle_verdict_name(int verdict)
{
	switch (verdict) {
	case BUNDLE_FORGED:
		return "forged";
	case BUNDLE_FOREIGN:
		return "foreign";
	case BUNDLE_OLD:
		return "old";
	case BUNDLE_EARLY:
		return "early";
	case BUNDLE_EXPIRED:
		return "expired";
	default:
		return "bad";
	}
}

int fleet_id(const struct verifier *log, struct digest *out)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1024);
	int r = verifier_encode(log->name, log->key, &text);

	if (!r)
		digest_span(out, buf_span(&text));
	return r;
}

/* --- keys that may sign --- */

void admins_deinit(struct admins *a)
{
	while (a->n)
		verifier_deinit(&a->v[--a->n]);
}

static struct span trimmed(struct span s)
{
	while (s.n && strchr(" \t\r", s.p[0]))
		s = SPAN(s.p + 1, s.n - 1);
	while (s.n && strchr(" \t\r", s.p[s.n - 1]))
		s.n--;
	return s;
}

int admins_decode(struct span text, struct admins *out, struct why *why)
{
	struct admins got = {.n = 0};
	struct why inner = {""};
	unsigned line = 0;
	int r = 0;

	while (text.n && !r) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;
		struct span s = trimmed(SPAN(text.p, n));

		line++;
		text = SPAN(text.p + n + (end != NULL), text.n - n - (end != NULL));
		if (!s.n || s.p[0] == '#')
			continue;
		if (got.n == BUNDLE_ADMINS_MAX)
			r = why_set(why, V_BAD, "line %u: more than %u keys", line, BUNDLE_ADMINS_MAX);
		else
			r = verifier_decode(s, &got.v[got.n], &inner);
		if (r == V_BAD && inner.text[0])
			why_set(why, r, "line %u: %s", line, inner.text);
		got.n += !r;
	}
	if (r) {
		admins_deinit(&got);
		return r;
	}
	*out = got;
	return 0;
}

int admins_load(const char *path, struct admins *out, struct why *why)
{
	_cleanup_buf_ struct buf text = BUF_INIT(ADMINS_TEXT_MAX);
	int r = file_read(path, &text);

	if (r == V_FULL)
		return why_set(why, V_BAD, "larger than %u bytes", ADMINS_TEXT_MAX);
	return r ? r : admins_decode(buf_span(&text), out, why);
}

int admins_encode(const struct admins *a, struct buf *out)
{
	unsigned i;
	int r = 0;

	for (i = 0; i < a->n && !r; i++) {
		r = verifier_encode(a->v[i].name, a->v[i].key, out);
		r = r ? r : buf_puts(out, "\n");
	}
	return r;
}

/* --- signing --- */

static int put_frame(struct span raw, struct buf *payload)
{
	_cleanup_buf_ struct buf frame = BUF_INIT(BUNDLE_MAX);
	int r = buf_reserve(&frame, ZSTD_compressBound(raw.n));
	size_t n;

	if (r)
		return r;
	n = ZSTD_compress(frame.p, frame.cap, raw.p, raw.n, 9);
	if (ZSTD_isError(n))
		return -EIO;
	frame.n = n;
	r = cbor_put_uint(payload, B_RAW_LEN);
	r = r ? r : cbor_put_uint(payload, raw.n);
	r = r ? r : cbor_put_uint(payload, B_FRAME);
	return r ? r : cbor_put_bytes(payload, buf_span(&frame));
}

static int put_int(struct buf *payload, unsigned key, int64_t v)
{
	int r = cbor_put_uint(payload, key);

	return r ? r : cbor_put_int(payload, v);
}

int bundle_sign(const struct key *admin, const struct bundle *b, struct buf *out)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(BUNDLE_RAW_MAX), payload = BUF_INIT(BUNDLE_MAX - 512);
	int r = cbor_put_array(&raw, 2);

	r = r ? r : cbor_put_bytes(&raw, b->policy_yaml);
	r = r ? r : cbor_put_bytes(&raw, b->devices_csv);
	r = r ? r : cbor_put_map(&payload, 7 + !!b->admins.n);
	r = r ? r : cbor_put_uint(&payload, B_VERSION);
	r = r ? r : cbor_put_uint(&payload, b->version);
	r = r ? r : put_int(&payload, B_ISSUED, b->issued_us);
	r = r ? r : cbor_put_uint(&payload, B_FLEET);
	r = r ? r : cbor_put_bytes(&payload, SPAN(b->fleet.b, DIGEST_SIZE));
	r = r ? r : put_int(&payload, B_NOT_BEFORE, b->not_before_us);
	r = r ? r : put_int(&payload, B_NOT_AFTER, b->not_after_us);
	if (!r && b->admins.n) {
		r = cbor_put_uint(&payload, B_ADMINS);
		r = r ? r : cbor_put_bytes(&payload, b->admins);
	}
	r = r ? r : put_frame(buf_span(&raw), &payload);
	return r ? r : cose_sign(admin, BUNDLE_FORMAT, SPAN_STR(BUNDLE_AAD), buf_span(&payload), out);
}

/* --- opening --- */

struct seen {
	struct bundle b;
	uint64_t raw_len;
	struct span frame;
	unsigned keys; /* bit per key */
};

static int take_int(struct cbor_reader *r, const char *what, int64_t *out, struct why *why)
{
	struct cbor_item it;
	int v = cbor_next(r, &it, why);

	if (v)
		return v == V_END ? why_set(why, V_BAD, "%s: cut off", what) : v;
	if ((it.kind != CBOR_UINT && it.kind != CBOR_NINT) || it.u > INT64_MAX)
		return why_set(why, V_BAD, "%s: not a time", what);
	*out = it.kind == CBOR_UINT ? (int64_t)it.u : -1 - (int64_t)it.u;
	return 0;
}

static int take_one(struct cbor_reader *r, uint64_t key, struct seen *s, struct why *why)
{
	struct cbor_item it;
	int v;

	switch (key) {
	case B_VERSION:
		return cbor_expect_uint(r, "bundle: version", &s->b.version, why);
	case B_ISSUED:
		return take_int(r, "bundle: issued", &s->b.issued_us, why);
	case B_FLEET:
		return cbor_expect_bytes_n(r, "bundle: fleet", s->b.fleet.b, DIGEST_SIZE, why);
	case B_NOT_BEFORE:
		return take_int(r, "bundle: not before", &s->b.not_before_us, why);
	case B_NOT_AFTER:
		return take_int(r, "bundle: not after", &s->b.not_after_us, why);
	case B_RAW_LEN:
		return cbor_expect_uint(r, "bundle: length", &s->raw_len, why);
	case B_ADMINS:
		v = cbor_expect(r, CBOR_BYTES, "bundle: admins", &it, why);
		s->b.admins = v ? s->b.admins : it.s;
		return v;
	case B_FRAME:
		v = cbor_expect(r, CBOR_BYTES, "bundle: frame", &it, why);
		s->frame = v ? s->frame : it.s;
		return v;
	default:
		return why_set(why, V_BAD, "bundle: key %llu is unknown", (unsigned long long)key);
	}
}

static int read_payload(struct span payload, struct seen *s, struct why *why)
{
	const unsigned needed = 1u << B_VERSION | 1u << B_ISSUED | 1u << B_FLEET | 1u << B_NOT_BEFORE |
				1u << B_NOT_AFTER | 1u << B_RAW_LEN | 1u << B_FRAME;
	struct cbor_reader r = cbor_reader(payload);
	struct cbor_item map;
	uint64_t i, key;
	int v = cbor_expect(&r, CBOR_MAP, "bundle: payload", &map, why);

	for (i = 0; !v && i < map.u; i++) {
		v = cbor_expect_uint(&r, "bundle: key", &key, why);
		if (v)
			return v;
		if (key <= B_FRAME && s->keys >> key & 1)
			return why_set(why, V_BAD, "bundle: key %llu is there twice", (unsigned long long)key);
		v = take_one(&r, key, s, why);
		if (!v)
			s->keys |= 1u << key;
	}
	if (v)
		return v;
	if (!cbor_at_end(&r))
		return why_set(why, V_BAD, "bundle: bytes behind the payload");
	if ((s->keys & needed) != needed)
		return why_set(why, V_BAD, "bundle: something is missing");
	if (!s->b.version || s->b.not_after_us <= s->b.not_before_us)
		return why_set(why, V_BAD, "bundle: version 0, or a validity that ends before it begins");
	return 0;
}

static int unpack(const struct seen *s, struct buf *raw, struct bundle *b, struct why *why)
{
	_cleanup_(ZSTD_freeDCtxp) ZSTD_DCtx *ctx = NULL;
	struct cbor_reader r;
	struct cbor_item it;
	size_t n;
	int v;

	if (s->raw_len > BUNDLE_RAW_MAX || s->raw_len > raw->max)
		return why_set(why, V_BAD, "bundle: claims %llu bytes of text", (unsigned long long)s->raw_len);
	buf_clear(raw);
	v = buf_reserve(raw, s->raw_len + 1);
	if (v)
		return v == V_FULL ? why_set(why, V_BAD, "bundle: texts are too long") : v;
	ctx = ZSTD_createDCtx();
	if (!ctx)
		return -ENOMEM;
	ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	n = ZSTD_decompressDCtx(ctx, raw->p, s->raw_len, s->frame.p, s->frame.n);
	if (ZSTD_isError(n) || n != s->raw_len)
		return why_set(why, V_BAD, "bundle: texts are not what was announced");
	raw->n = n;
	r = cbor_reader(buf_span(raw));
	v = cbor_expect(&r, CBOR_ARRAY, "bundle: texts", &it, why);
	if (!v && it.u != 2)
		v = why_set(why, V_BAD, "bundle: %llu texts where 2 belong", (unsigned long long)it.u);
	v = v ? v : cbor_expect(&r, CBOR_BYTES, "bundle: policy.yaml", &it, why);
	if (!v)
		b->policy_yaml = it.s;
	v = v ? v : cbor_expect(&r, CBOR_BYTES, "bundle: devices.csv", &it, why);
	if (!v)
		b->devices_csv = it.s;
	if (!v && !cbor_at_end(&r))
		v = why_set(why, V_BAD, "bundle: bytes behind the texts");
	return v;
}

static int verify(const struct cose_sign1 *m, const struct admins *admins, struct bundle *b, struct why *why)
{
	unsigned i;

	for (i = 0; i < admins->n; i++) {
		if (cose_verify(m, admins->v[i].key, SPAN_STR(BUNDLE_AAD), NULL))
			continue;
		snprintf(b->signer, sizeof(b->signer), "%s", admins->v[i].name);
		return 0;
	}
	if (!admins->n)
		return why_set(why, BUNDLE_FORGED, "no administrator's key is known here");
	return why_set(why, BUNDLE_FORGED, "signed by none of the %u administrators known here", admins->n);
}

static int judge(const struct bundle *b, const struct digest *fleet, uint64_t above, int64_t now_us, struct why *why)
{
	char when[TEXT_TIME_SIZE];

	if (fleet && !digest_eq(fleet, &b->fleet))
		return why_set(why, BUNDLE_FOREIGN, "made for another fleet");
	if (above && b->version <= above)
		return why_set(why, BUNDLE_OLD, "version %llu is not newer than %llu", (unsigned long long)b->version,
			(unsigned long long)above);
	if (now_us && now_us < b->not_before_us)
		return why_set(why, BUNDLE_EARLY, "valid from %s on", text_time_utc(when, b->not_before_us));
	if (now_us && now_us >= b->not_after_us)
		return why_set(why, BUNDLE_EXPIRED, "was valid until %s", text_time_utc(when, b->not_after_us));
	return 0;
}

int bundle_open(struct span bytes, const struct admins *admins, const struct digest *fleet, uint64_t above,
	int64_t now_us, struct buf *raw, struct bundle *out, struct why *why)
{
	struct seen s = {.keys = 0};
	struct cose_sign1 m;
	int r;

	if (bytes.n > BUNDLE_MAX)
		return why_set(why, V_BAD, "bundle: larger than %u bytes", BUNDLE_MAX);
	r = cose_parse(bytes, &m, why);
	if (r)
		return r == V_END ? why_set(why, V_BAD, "bundle: empty") : r;
	if (m.size != bytes.n)
		return why_set(why, V_BAD, "bundle: bytes behind it");
	if (m.format != BUNDLE_FORMAT)
		return why_set(why, V_BAD, "bundle: format %llu is unknown", (unsigned long long)m.format);
	r = verify(&m, admins, &s.b, why);
	r = r ? r : read_payload(m.payload, &s, why);
	if (r)
		return r == V_END ? why_set(why, V_BAD, "bundle: cut off") : r;
	r = judge(&s.b, fleet, above, now_us, why);
	r = r ? r : unpack(&s, raw, &s.b, why);
	if (r)
		return r == V_END ? why_set(why, V_BAD, "bundle: texts cut off") : r;
	*out = s.b;
	return 0;
}

int bundle_peek(struct span bytes, uint64_t *version, struct why *why)
{
	struct seen s = {.keys = 0};
	struct cose_sign1 m;
	int r = bytes.n > BUNDLE_MAX ? why_set(why, V_BAD, "bundle: larger than %u bytes", BUNDLE_MAX)
				     : cose_parse(bytes, &m, why);

	if (!r && (m.size != bytes.n || m.format != BUNDLE_FORMAT))
		r = why_set(why, V_BAD, "bundle: of another format, or more than one");
	r = r ? r : read_payload(m.payload, &s, why);
	if (r)
		return V_BAD;
	*version = s.b.version;
	return 0;
}
