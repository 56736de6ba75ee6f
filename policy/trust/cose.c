/*
 * COSE_Sign1 (RFC 9052) over our own CBOR: what is signed is built here, and taken apart here, nowhere else.
 *
 * A message is parsed before its signature is judged, so nothing in it is believed: the algorithm comes from the key,
 * the signature is over the bytes as received, and whatever is unexpected is refused rather than skipped.
 */
#include "policy/trust/cose.h"
#include "policy/base/cbor.h"
#include <errno.h>

#define TAG_SIGN1 18
#define LABEL_ALG 1
#define LABEL_CRIT 2
#define LABEL_KID 4

#define ALG_ES256 (-7)
#define ALG_ESP256 (-9) /* RFC 9864 */
#define ALG_EDDSA (-8)
#define ALG_ED25519 (-19) /* RFC 9864 */

#define PROTECTED_MAX 256
#define SKIP_DEPTH 4

int cose_kid(const struct key *k, uint8_t kid[COSE_KID_SIZE])
{
	struct digest id;
	int r = key_id(k, &id);

	if (!r)
		memcpy(kid, id.b, COSE_KID_SIZE);
	return r;
}

/* Sig_structure of RFC 9052 section 4.4: ["Signature1", protected, external_aad, payload]. */
static int sig_structure(struct span protected_bytes, struct span aad, struct span payload, struct buf *b)
{
	int r = cbor_put_array(b, 4);

	r = r ? r : cbor_put_text(b, SPAN_STR("Signature1"));
	r = r ? r : cbor_put_bytes(b, protected_bytes);
	r = r ? r : cbor_put_bytes(b, aad);
	return r ? r : cbor_put_bytes(b, payload);
}

int cose_sign(const struct key *k, uint64_t format, struct span aad, struct span payload, struct buf *out)
{
	_cleanup_buf_ struct buf prot = BUF_INIT(PROTECTED_MAX), tbs = BUF_INIT(payload.n + aad.n + PROTECTED_MAX + 64);
	uint8_t kid[COSE_KID_SIZE], sig[SIGNATURE_SIZE];
	size_t before = out->n;
	int r = cose_kid(k, kid);

	r = r ? r : cbor_put_map(&prot, 3);
	r = r ? r : cbor_put_uint(&prot, LABEL_ALG);
	r = r ? r : cbor_put_int(&prot, key_type(k) == KEY_P256 ? ALG_ES256 : ALG_EDDSA);
	r = r ? r : cbor_put_uint(&prot, LABEL_KID);
	r = r ? r : cbor_put_bytes(&prot, SPAN(kid, sizeof(kid)));
	r = r ? r : cbor_put_int(&prot, COSE_LABEL_FORMAT);
	r = r ? r : cbor_put_uint(&prot, format);
	r = r ? r : sig_structure(buf_span(&prot), aad, payload, &tbs);
	r = r ? r : key_sign(k, buf_span(&tbs), sig);
	r = r ? r : cbor_put_tag(out, TAG_SIGN1);
	r = r ? r : cbor_put_array(out, 4);
	r = r ? r : cbor_put_bytes(out, buf_span(&prot));
	r = r ? r : cbor_put_map(out, 0);
	r = r ? r : cbor_put_bytes(out, payload);
	r = r ? r : cbor_put_bytes(out, SPAN(sig, sizeof(sig)));
	if (r)
		out->n = before;
	return r;
}

/*
 * A header label as a signed number, INT64_MIN for text: nobody we talk to means anything by either. *encoded is how it
 * is written, which is in one way only: what tells any two labels apart.
 */
static int read_label(struct cbor_reader *r, int64_t *label, struct span *encoded, struct why *why)
{
	size_t from = r->at;
	struct cbor_item it;
	int v = cbor_next(r, &it, why);

	if (v)
		return v == V_END ? why_set(why, V_BAD, "COSE: headers cut off") : v;
	*encoded = SPAN(r->in.p + from, r->at - from);
	if (it.kind == CBOR_TEXT) {
		*label = INT64_MIN;
		return 0;
	}
	if ((it.kind != CBOR_UINT && it.kind != CBOR_NINT) || it.u > INT64_MAX)
		return why_set(why, V_BAD, "COSE: a label is neither a number nor text");
	*label = it.kind == CBOR_UINT ? (int64_t)it.u : -1 - (int64_t)it.u;
	return 0;
}

#define LABELS_MAX 16

/* One bucket of headers; in the one that is not signed only a kid may tell us anything. `seen` is of both together. */
static int read_headers(struct cbor_reader *r, bool is_protected, struct cose_sign1 *m, struct span *seen,
	size_t *seen_n, struct why *why)
{
	struct cbor_item map, it;
	uint64_t i;
	size_t k;
	int v = cbor_expect(r, CBOR_MAP, "COSE: headers", &map, why);

	if (v)
		return v;
	if (map.u > LABELS_MAX)
		return why_set(why, V_BAD, "COSE: more than %d headers", LABELS_MAX);
	for (i = 0; i < map.u; i++) {
		struct span encoded;
		int64_t label = 0;

		v = read_label(r, &label, &encoded, why);
		if (v)
			return v;
		for (k = 0; k < *seen_n; k++)
			if (span_eq(seen[k], encoded))
				return why_set(why, V_BAD, "COSE: a header is there twice");
		if (*seen_n == 2 * LABELS_MAX)
			return why_set(why, V_BAD, "COSE: too many headers");
		seen[(*seen_n)++] = encoded;
		switch (label) {
		case LABEL_ALG:
			if (!is_protected)
				return why_set(why, V_BAD, "COSE: algorithm outside of what is signed");
			v = cbor_next(r, &it, why);
			if (!v && ((it.kind != CBOR_NINT && it.kind != CBOR_UINT) || it.u > INT64_MAX))
				v = why_set(why, V_BAD, "COSE: algorithm is not a number");
			if (!v)
				m->alg = it.kind == CBOR_UINT ? (int64_t)it.u : -1 - (int64_t)it.u;
			break;
		case LABEL_CRIT:
			return why_set(why, V_BAD, "COSE: critical headers that we do not know");
		case LABEL_KID:
			v = cbor_expect(r, CBOR_BYTES, "COSE: key id", &it, why);
			if (!v)
				m->kid = it.s;
			break;
		case COSE_LABEL_FORMAT:
			if (!is_protected)
				return why_set(why, V_BAD, "COSE: format outside of what is signed");
			v = cbor_expect_uint(r, "COSE: format", &m->format, why);
			break;
		default:
			v = cbor_skip(r, SKIP_DEPTH, why);
		}
		if (v)
			return v == V_END ? why_set(why, V_BAD, "COSE: headers cut off") : v;
	}
	return 0;
}

int cose_parse(struct span in, struct cose_sign1 *out, struct why *why)
{
	struct cbor_reader r = cbor_reader(in), prot;
	struct span seen[2 * LABELS_MAX];
	size_t seen_n = 0;
	struct cose_sign1 m = {.alg = 0};
	struct cbor_item it;
	int v = cbor_expect(&r, CBOR_TAG, "COSE: tag", &it, why);

	if (!v && it.u != TAG_SIGN1)
		v = why_set(why, V_BAD, "COSE: tag %llu where 18 (COSE_Sign1) belongs", (unsigned long long)it.u);
	v = v ? v : cbor_expect(&r, CBOR_ARRAY, "COSE: message", &it, why);
	if (!v && it.u != 4)
		v = why_set(why, V_BAD, "COSE: %llu parts where 4 belong", (unsigned long long)it.u);
	v = v ? v : cbor_expect(&r, CBOR_BYTES, "COSE: protected headers", &it, why);
	if (v)
		return v;
	m.protected_bytes = it.s;
	/* No protected headers at all are an empty string, not an empty map: then there is no algorithm either. */
	prot = cbor_reader(it.s);
	v = read_headers(&prot, true, &m, seen, &seen_n, why);
	if (!v && !cbor_at_end(&prot))
		v = why_set(why, V_BAD, "COSE: bytes behind the protected headers");
	v = v ? v : read_headers(&r, false, &m, seen, &seen_n, why);
	v = v ? v : cbor_expect(&r, CBOR_BYTES, "COSE: payload", &it, why);
	if (v)
		return v;
	m.payload = it.s;
	v = cbor_expect(&r, CBOR_BYTES, "COSE: signature", &it, why);
	if (v)
		return v;
	if (!m.alg)
		return why_set(why, V_BAD, "COSE: no algorithm");
	m.signature = it.s;
	m.size = r.at;
	*out = m;
	return 0;
}

int cose_verify(const struct cose_sign1 *m, const struct key *k, struct span aad, struct why *why)
{
	_cleanup_buf_ struct buf tbs = BUF_INIT(m->payload.n + m->protected_bytes.n + aad.n + 64);
	bool fits = key_type(k) == KEY_P256 ? m->alg == ALG_ES256 || m->alg == ALG_ESP256
					    : m->alg == ALG_EDDSA || m->alg == ALG_ED25519;
	int r;

	if (!fits)
		return why_set(why, V_BAD, "COSE: algorithm %lld is not this key's", (long long)m->alg);
	r = sig_structure(m->protected_bytes, aad, m->payload, &tbs);
	r = r ? r : key_verify(k, buf_span(&tbs), m->signature);
	return r == V_BAD ? why_set(why, V_BAD, "COSE: signature does not match") : r;
}
