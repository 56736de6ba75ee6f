/*
 * See order.h. Signatures are over received bytes: a request is carried inside the order as it was signed.
 */
#include "policy/wire/order.h"
#include "policy/base/text.h"
#include "policy/wire/order_fields.h"
#include "policy/wire/segment.h"
#include <errno.h>

enum { O_ACT = 1, O_FLEET, O_SIZE, O_ROOT, O_ISSUED, O_NOT_AFTER, O_MONTH, O_CHANNEL, O_REASON, O_LAST = O_REASON };

bool month_is(const char *t)
{
	unsigned i;

	if (strlen(t) != 7)
		return false;
	for (i = 0; i < 7; i++)
		if (i == 4 ? t[i] != '-' : t[i] < '0' || t[i] > '9')
			return false;
	return strcmp(t, "1970-01") >= 0 && (t[5] == '0' ? t[6] != '0' : t[5] == '1' && t[6] <= '2');
}

static int judge_words(const struct order *o, struct why *why)
{
	size_t n = strlen(o->reason);

	if (o->act != ORDER_EXPIRE)
		return why_set(why, V_BAD, "order: act %u is unknown", o->act);
	if (!month_is(o->month))
		return why_set(why, V_BAD, "order: not a month");
	if (!producer_name(o->channel) || o->channel == PRODUCER_COLLECTOR)
		return why_set(why, V_BAD, "order: no such channel, or one that never expires");
	if (!n || !text_is_utf8(SPAN(o->reason, n)))
		return why_set(why, V_BAD, "order: without a reason");
	if (o->issued_us < 0 || o->not_after_us <= o->issued_us || o->not_after_us - o->issued_us > ORDER_VALID_MAX_US)
		return why_set(why, V_BAD, "order: a validity of more than 31 days, or of none");
	if (!o->size)
		return why_set(why, V_BAD, "order: of an empty log");
	return 0;
}

/* --- signing --- */

int order_request(const struct key *k, const struct order *o, struct buf *out, struct why *why)
{
	_cleanup_buf_ struct buf p = BUF_INIT(ORDER_MAX);
	int r = judge_words(o, why);

	r = r ? r : cbor_put_map(&p, O_LAST);
	r = r ? r : order_put_number(&p, O_ACT, o->act);
	r = r ? r : order_put_bytes(&p, O_FLEET, SPAN(o->fleet.b, DIGEST_SIZE));
	r = r ? r : order_put_number(&p, O_SIZE, o->size);
	r = r ? r : order_put_bytes(&p, O_ROOT, SPAN(o->root.b, DIGEST_SIZE));
	r = r ? r : order_put_number(&p, O_ISSUED, (uint64_t)o->issued_us);
	r = r ? r : order_put_number(&p, O_NOT_AFTER, (uint64_t)o->not_after_us);
	r = r ? r : order_put_text(&p, O_MONTH, o->month);
	r = r ? r : order_put_number(&p, O_CHANNEL, o->channel);
	r = r ? r : order_put_text(&p, O_REASON, o->reason);
	return r ? r : cose_sign(k, ORDER_FORMAT, SPAN_STR(ORDER_AAD), buf_span(&p), out);
}

/* --- reading --- */

static int take_one(struct cbor_reader *r, uint64_t key, void *ctx, struct why *why)
{
	struct order *o = ctx;
	uint64_t u = 0;
	int v;

	switch (key) {
	case O_FLEET:
		return cbor_expect_bytes_n(r, "order: fleet", o->fleet.b, DIGEST_SIZE, why);
	case O_ROOT:
		return cbor_expect_bytes_n(r, "order: root", o->root.b, DIGEST_SIZE, why);
	case O_MONTH:
		return order_read_text(r, o->month, sizeof(o->month), why);
	case O_REASON:
		return order_read_text(r, o->reason, sizeof(o->reason), why);
	}
	v = cbor_expect_uint(r, "order: number", &u, why);
	if (v)
		return v;
	if (u > INT64_MAX || ((key == O_ACT || key == O_CHANNEL) && u > 255))
		return why_set(why, V_BAD, "order: a number is too large");
	if (key == O_ACT)
		o->act = (unsigned)u;
	else if (key == O_CHANNEL)
		o->channel = (unsigned)u;
	else if (key == O_SIZE)
		o->size = u;
	else if (key == O_ISSUED)
		o->issued_us = (int64_t)u;
	else
		o->not_after_us = (int64_t)u;
	return 0;
}

static int read_payload(struct span payload, struct order *o, struct why *why)
{
	int v = order_read_fields(payload, O_LAST, take_one, o, why);

	return v ? v : judge_words(o, why);
}

static int take_apart(struct span in, struct cose_sign1 *m, struct why *why)
{
	int r = in.n > ORDER_MAX ? why_set(why, V_BAD, "order: larger than %u bytes", ORDER_MAX)
				 : cose_parse(in, m, why);

	if (!r && (m->size != in.n || m->format != ORDER_FORMAT))
		r = why_set(why, V_BAD, "order: of another format, or more than one");
	return r;
}

/* A request's payload is a map, an order's begins with the tag of another COSE_Sign1. */
static int parse(struct span in, struct cose_sign1 *outer, struct cose_sign1 *inner, struct order *o, struct why *why)
{
	struct order got = {.act = 0};
	int r = take_apart(in, outer, why);

	if (!r && outer->payload.n && outer->payload.p[0] == 0xd2) {
		got.countersigned = true;
		r = take_apart(outer->payload, inner, why);
	} else {
		*inner = *outer;
	}
	r = r ? r : read_payload(inner->payload, &got, why);
	if (r)
		return r < 0 ? r : V_BAD;
	*o = got;
	return 0;
}

int order_peek(struct span bytes, const struct admins *admins, struct order *out, struct why *why)
{
	const struct verifier *first, *second;
	struct cose_sign1 outer, inner;
	int r = parse(bytes, &outer, &inner, out, why);

	if (r)
		return r;
	first = order_signer(&inner, ORDER_AAD, admins);
	second = out->countersigned ? order_signer(&outer, ORDER_SECOND_AAD, admins) : NULL;
	snprintf(out->requester, sizeof(out->requester), "%s", first ? first->name : "");
	snprintf(out->second, sizeof(out->second), "%s", second ? second->name : "");
	return 0;
}

int order_open(struct span bytes, const struct admins *admins, struct order *out, struct why *why)
{
	const struct verifier *first, *second;
	struct cose_sign1 outer, inner;
	struct digest a, b;
	struct order o;
	int r = parse(bytes, &outer, &inner, &o, why);

	if (!r && !o.countersigned)
		r = why_set(why, V_BAD, "order: nobody has countersigned it");
	if (r)
		return r;
	first = order_signer(&inner, ORDER_AAD, admins);
	second = order_signer(&outer, ORDER_SECOND_AAD, admins);
	if (!first || !second)
		return why_set(why, ORDER_FORGED, "%s by none of the %u administrators known here",
			first ? "countersigned" : "requested", admins->n);
	/* The keys, not their names: one person may stand there under two. */
	r = key_id(first->key, &a);
	r = r ? r : key_id(second->key, &b);
	if (r)
		return r;
	if (digest_eq(&a, &b))
		return why_set(why, ORDER_ALONE, "requested and countersigned by the same key");
	snprintf(o.requester, sizeof(o.requester), "%s", first->name);
	snprintf(o.second, sizeof(o.second), "%s", second->name);
	*out = o;
	return 0;
}

int order_countersign(const struct key *k, struct span request, struct buf *out, struct why *why)
{
	struct order o;
	int r = order_peek(request, NULL, &o, why);

	if (!r && o.countersigned)
		r = why_set(why, V_BAD, "order: it is countersigned already");
	return r ? r : cose_sign(k, ORDER_FORMAT, SPAN_STR(ORDER_SECOND_AAD), request, out);
}
