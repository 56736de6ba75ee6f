/*
 * `sekishoctl decode FILE...`: what is in segments, as NDJSON: a header, then its records. For auditors. It judges
 * nothing but form (verify does), and says so in each header.
 */
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/door.h"
#include "policy/wire/body.h"
#include "policy/wire/segment.h"
#include <errno.h>

#define FILE_MAX (64u << 20)
#define OUT_MAX (1u << 20)

static json_t *hex(const void *p, size_t n)
{
	char text[2 * SEGMENT_HEADER_MAX + 1];

	return json_string(n <= SEGMENT_HEADER_MAX ? hex_encode(text, p, n) : "");
}

static json_t *flag_names(uint64_t flags)
{
	static const char *const names[] = {"recovered", "heartbeat", "urgent", "last", "rejoin", "cut"};
	json_t *a = json_array();
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (flags >> i & 1)
			json_array_append_new(a, json_string(names[i]));
	return a;
}

static json_t *lost(const struct header *h)
{
	json_t *o = json_object();
	unsigned i;

	for (i = 0; i < h->lost_n; i++) {
		const struct enum_info *e = enum_by_value(F_CAUSE, h->lost[i].cause);
		char name[32];

		snprintf(name, sizeof(name), "%u", h->lost[i].cause);
		json_object_set_new(o, e ? e->name : name, json_integer((json_int_t)h->lost[i].n));
	}
	return o;
}

static json_t *integer(uint64_t v)
{
	return json_integer((json_int_t)v);
}

static json_t *header(const struct segment *s)
{
	const struct header *h = &s->header;
	char when[TEXT_TIME_SIZE];
	json_t *o = json_object();

	json_object_set_new(o, "verified", json_false());
	json_object_set_new(o, "hash", hex(s->hash.b, DIGEST_SIZE));
	json_object_set_new(o, "alg", json_integer(s->cose.alg));
	json_object_set_new(o, "kid", hex(s->cose.kid.p, s->cose.kid.n));
	json_object_set_new(o, "host", hex(h->host.b, DIGEST_SIZE));
	json_object_set_new(o, "producer", json_string(producer_name(h->producer)));
	json_object_set_new(o, "boot", hex(h->boot, sizeof(h->boot)));
	json_object_set_new(o, "epoch", integer(h->epoch));
	json_object_set_new(o, "seq", integer(h->seq));
	if (h->has_prev)
		json_object_set_new(o, "prev", hex(h->prev.b, DIGEST_SIZE));
	json_object_set_new(o, "body_hash", hex(h->body_hash.b, DIGEST_SIZE));
	json_object_set_new(o, "body_len", integer(h->body_len));
	json_object_set_new(o, "raw_len", integer(h->raw_len));
	json_object_set_new(o, "count", integer(h->count));
	json_object_set_new(o, "first", json_string(text_time_utc(when, h->first_us)));
	json_object_set_new(o, "last", json_string(text_time_utc(when, h->last_us)));
	json_object_set_new(o, "boot_time_us", json_integer(h->boot_us));
	json_object_set_new(o, "policy", integer(h->policy));
	json_object_set_new(o, "flags", flag_names(h->flags));
	if (h->seen_size)
		json_object_set_new(o, "seen",
			json_pack(
				"{s:o, s:o}", "size", integer(h->seen_size), "root", hex(h->seen_root.b, DIGEST_SIZE)));
	json_object_set_new(o, "lost", lost(h));
	if (h->has_means)
		json_object_set_new(o, "means", json_stringn((const char *)h->means.p, h->means.n));
	if (h->epoch_cert.n)
		json_object_set_new(o, "epoch_certificate", hex(h->epoch_cert.p, h->epoch_cert.n));
	if (h->handover.n)
		json_object_set_new(o, "handover", hex(h->handover.p, h->handover.n));
	return json_pack("{s:o}", "header", o);
}

static int records(const struct segment *s, struct buf *out, struct why *why)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	_cleanup_buf_ struct buf raw = BUF_INIT(BODY_RAW_MAX);
	static struct record r;
	int x = segment_raw(s, &raw, why);

	x = x ? x : body_reader_new(buf_span(&raw), &in);
	while (!x && !(x = body_next(in, &r, why))) {
		x = record_json(&r, out);
		x = x ? x : buf_puts(out, "\n");
		if (!x && out->n > OUT_MAX / 2 && !out_put(out))
			return V_END;
	}
	return x == V_END ? 0 : x;
}

static int decode_file(const struct ctl *c, const char *path)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(FILE_MAX), out = BUF_INIT(OUT_MAX);
	char name[SHOWN_MAX];
	size_t at = 0;
	int x = file_read(path, &bytes);

	if (x)
		return complain_of(c, path, x, NULL);
	while (at < bytes.n || !bytes.n) {
		struct why why = {""};
		struct segment s;

		x = segment_parse(SPAN(bytes.p + at, bytes.n - at), &s, &why);
		if (!x) {
			_cleanup_json_ json_t *o = header(&s);
			_cleanup_free_ char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

			x = text ? buf_putf(&out, "%s\n", text) : -ENOMEM;
		}
		x = x ? x : records(&s, &out, &why);
		if (out.n && !out_put(&out))
			return EXIT_MACHINE;
		if (x < 0)
			return complain_of(c, path, x, NULL);
		if (x)
			return complain(EXIT_PROBLEM, "%s:%zu: %s", shown(name, path), at, why.text);
		at += s.bytes.n;
	}
	return EXIT_GOOD;
}

int command_decode(struct ctl *c)
{
	int i, r = EXIT_GOOD;

	for (i = 0; i < c->operands_n; i++) {
		int x = decode_file(c, c->operands[i]);

		r = x > r ? x : r;
	}
	return r;
}
