/*
 * What orders of administrators have in common. See order_fields.h.
 */
#include "policy/wire/order_fields.h"

int order_put_number(struct buf *b, unsigned key, uint64_t v)
{
	int r = cbor_put_uint(b, key);

	return r ? r : cbor_put_uint(b, v);
}

int order_put_bytes(struct buf *b, unsigned key, struct span s)
{
	int r = cbor_put_uint(b, key);

	return r ? r : cbor_put_bytes(b, s);
}

int order_put_text(struct buf *b, unsigned key, const char *s)
{
	int r = cbor_put_uint(b, key);

	return r ? r : cbor_put_text(b, SPAN_STR(s));
}

int order_read_text(struct cbor_reader *r, char *out, size_t size, struct why *why)
{
	struct cbor_item it;
	int v = cbor_expect(r, CBOR_TEXT, "order: text", &it, why);

	if (v)
		return v;
	if (it.s.n >= size || memchr(it.s.p, 0, it.s.n))
		return why_set(why, V_BAD, "order: a text is too long");
	memcpy(out, it.s.p, it.s.n);
	out[it.s.n] = 0;
	return 0;
}

int order_read_fields(struct span payload, unsigned last, order_field_fn fn, void *ctx, struct why *why)
{
	struct cbor_reader r = cbor_reader(payload);
	struct cbor_item map;
	uint64_t i, key;
	int v = cbor_expect(&r, CBOR_MAP, "order: payload", &map, why);

	if (!v && map.u != last)
		v = why_set(why, V_BAD, "order: something is missing, or there is more");
	for (i = 1; !v && i <= last; i++) {
		v = cbor_expect_uint(&r, "order: key", &key, why);
		if (!v && key != i)
			v = why_set(why, V_BAD, "order: keys are not those that belong there");
		v = v ? v : fn(&r, key, ctx, why);
	}
	if (!v && !cbor_at_end(&r))
		v = why_set(why, V_BAD, "order: bytes behind the payload");
	return v == V_END ? why_set(why, V_BAD, "order: cut off") : v;
}

const struct verifier *order_signer(const struct cose_sign1 *m, const char *aad, const struct admins *admins)
{
	unsigned i;

	for (i = 0; admins && i < admins->n; i++)
		if (!cose_verify(m, admins->v[i].key, SPAN_STR(aad), NULL))
			return &admins->v[i];
	return NULL;
}
