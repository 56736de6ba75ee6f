/*
 * bundle.json: what a bundle claims of itself. Nothing in it is believed: it says what has to be proven. Written by the
 * console, read by sekishoctl; fuzzed.
 */
#include "policy/base/text.h"
#include "policy/exhibit/exhibit.h"
#include "policy/wire/segment.h"
#include <errno.h>
#include <jansson.h>

#define NUMBER_MAX ((json_int_t)1 << 53)

static int by_chain(const struct digest *ha, unsigned pa, const struct digest *hb, unsigned pb)
{
	int r = memcmp(ha->b, hb->b, DIGEST_SIZE);

	return r ? r : pa < pb ? -1 : pa > pb;
}

const struct exhibit_host *exhibit_host_of(const struct exhibit_claim *c, const struct digest *id)
{
	size_t lo = 0, hi = c->hosts_n;

	while (lo < hi) {
		size_t at = lo + (hi - lo) / 2;
		int r = memcmp(c->hosts[at].id.b, id->b, DIGEST_SIZE);

		if (!r)
			return &c->hosts[at];
		if (r < 0)
			lo = at + 1;
		else
			hi = at;
	}
	return NULL;
}

const struct exhibit_chain *exhibit_chain_of(
	const struct exhibit_claim *c, const struct digest *host, unsigned producer)
{
	size_t lo = 0, hi = c->chains_n;

	while (lo < hi) {
		size_t at = lo + (hi - lo) / 2;
		int r = by_chain(&c->chains[at].host, c->chains[at].producer, host, producer);

		if (!r)
			return &c->chains[at];
		if (r < 0)
			lo = at + 1;
		else
			hi = at;
	}
	return NULL;
}

/* --- writing --- */

static json_t *leaf_json(bool there, uint64_t leaf)
{
	return there ? json_integer((json_int_t)leaf) : json_null();
}

static json_t *hosts_json(const struct exhibit_claim *c)
{
	json_t *list = json_array();
	char hex[2 * DIGEST_SIZE + 1];
	size_t i;

	for (i = 0; list && i < c->hosts_n; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s}", "id", hex_encode(hex, c->hosts[i].id.b, DIGEST_SIZE), "name",
				      c->hosts[i].name));
	return list;
}

static json_t *chains_json(const struct exhibit_claim *c)
{
	json_t *list = json_array();
	char hex[2 * DIGEST_SIZE + 1];
	size_t i;

	for (i = 0; list && i < c->chains_n; i++) {
		const struct exhibit_chain *k = &c->chains[i];

		json_array_append_new(
			list, json_pack("{s:s, s:i, s:o, s:I, s:I, s:o}", "host",
				      hex_encode(hex, k->host.b, DIGEST_SIZE), "producer", (int)k->producer, "before",
				      leaf_json(k->has_before, k->before), "first", (json_int_t)k->first, "last",
				      (json_int_t)k->last, "after", leaf_json(k->has_after, k->after)));
	}
	return list;
}

int exhibit_claim_write(const struct exhibit_claim *c, struct buf *out)
{
	json_t *o = json_pack("{s:i, s:I, s:s, s:s, s:o, s:I, s:b, s:I, s:o, s:I, s:b, s:o, s:o}", "format",
		EXHIBIT_FORMAT, "made", (json_int_t)c->made_us, "by", c->by, "search", c->search, "since",
		c->has_since ? json_integer(c->since_us) : json_null(), "until", (json_int_t)c->until_us, "all",
		(int)c->all, "size", (json_int_t)c->size, "run", leaf_json(c->has_run, c->run), "records",
		(json_int_t)c->records, "more", (int)c->more, "hosts", hosts_json(c), "chains", chains_json(c));
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	int r = text ? buf_puts(out, text) : -ENOMEM;

	r = r ? r : buf_puts(out, "\n");
	free(text);
	json_decref(o);
	return r;
}

/* --- reading --- */

static bool number(const json_t *o, const char *name, json_int_t least, json_int_t *out)
{
	const json_t *v = json_object_get(o, name);

	*out = json_integer_value(v);
	return json_is_integer(v) && *out >= least && *out < NUMBER_MAX;
}

/* A number, or null. */
static bool maybe(const json_t *o, const char *name, json_int_t least, bool *there, json_int_t *out)
{
	*there = !json_is_null(json_object_get(o, name));
	*out = 0;
	return !*there || number(o, name, least, out);
}

static bool text(const json_t *o, const char *name, char *out, size_t size)
{
	const json_t *v = json_object_get(o, name);
	size_t n = json_string_length(v);

	if (!json_is_string(v) || n >= size)
		return false;
	memcpy(out, json_string_value(v), n + 1);
	return strlen(out) == n;
}

static bool digest(const json_t *o, const char *name, struct digest *out)
{
	char hex[2 * DIGEST_SIZE + 1], again[2 * DIGEST_SIZE + 1];

	/* One spelling only, so that two readers mean the same. */
	return text(o, name, hex, sizeof(hex)) && !hex_decode(hex, out->b, DIGEST_SIZE) &&
	       !strcmp(hex, hex_encode(again, out->b, DIGEST_SIZE));
}

static bool truth(const json_t *o, const char *name, bool *out)
{
	const json_t *v = json_object_get(o, name);

	*out = json_is_true(v);
	return json_is_boolean(v);
}

/* 0, V_BAD, -ENOMEM. */
static int read_hosts(const json_t *list, struct exhibit_claim *c)
{
	size_t n = json_array_size(list), i;

	if (!json_is_array(list) || n > EXHIBIT_HOSTS_MAX)
		return V_BAD;
	c->hosts = calloc(n ? n : 1, sizeof(*c->hosts));
	if (!c->hosts)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		const json_t *o = json_array_get(list, i);
		struct exhibit_host *h = &c->hosts[i];

		if (json_object_size(o) != 2 || !digest(o, "id", &h->id) || !text(o, "name", h->name, sizeof(h->name)))
			return V_BAD;
		if (i && memcmp(h[-1].id.b, h->id.b, DIGEST_SIZE) >= 0)
			return V_BAD;
	}
	c->hosts_n = n;
	return 0;
}

static bool read_chain(const json_t *o, const struct exhibit_claim *c, struct exhibit_chain *k)
{
	json_int_t producer, before, first, last, after;

	if (json_object_size(o) != 6 || !digest(o, "host", &k->host) || !number(o, "producer", 1, &producer) ||
		!maybe(o, "before", 0, &k->has_before, &before) || !number(o, "first", 0, &first) ||
		!number(o, "last", first, &last) || !maybe(o, "after", last + 1, &k->has_after, &after))
		return false;
	if (producer > 255 || (k->has_before && before >= first) || (uint64_t)last >= c->size ||
		(uint64_t)after >= c->size)
		return false;
	k->producer = (unsigned)producer;
	k->before = (uint64_t)before;
	k->first = (uint64_t)first;
	k->last = (uint64_t)last;
	k->after = (uint64_t)after;
	return exhibit_host_of(c, &k->host) != NULL;
}

static int read_chains(const json_t *list, struct exhibit_claim *c)
{
	size_t n = json_array_size(list), i;

	if (!json_is_array(list) || n > EXHIBIT_CHAINS_MAX)
		return V_BAD;
	c->chains = calloc(n ? n : 1, sizeof(*c->chains));
	if (!c->chains)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		struct exhibit_chain *k = &c->chains[i];

		if (!read_chain(json_array_get(list, i), c, k))
			return V_BAD;
		if (i && by_chain(&k[-1].host, k[-1].producer, &k->host, k->producer) >= 0)
			return V_BAD;
	}
	c->chains_n = n;
	return 0;
}

static int read_all(const json_t *o, struct exhibit_claim *c, struct why *why)
{
	json_int_t format, made, since, until, size, run, records;
	int r;

	if (!number(o, "format", 0, &format))
		return why_set(why, V_BAD, "no evidence bundle");
	if (format != EXHIBIT_FORMAT)
		return why_set(why, V_BAD, "of format %lld, which this program does not know", (long long)format);
	if (json_object_size(o) != 13 || !number(o, "made", 0, &made) || !text(o, "by", c->by, sizeof(c->by)) ||
		!text(o, "search", c->search, sizeof(c->search)) ||
		!maybe(o, "since", -NUMBER_MAX, &c->has_since, &since) || !number(o, "until", -NUMBER_MAX, &until) ||
		!truth(o, "all", &c->all) || !number(o, "size", 1, &size) || !maybe(o, "run", 0, &c->has_run, &run) ||
		!number(o, "records", 0, &records) || !truth(o, "more", &c->more))
		return why_set(why, V_BAD, "something is missing, or not what belongs there");
	if ((c->has_since && since >= until) || (c->has_run && run >= size) || records > EXHIBIT_RECORDS_MAX)
		return why_set(why, V_BAD, "contradicts itself");
	c->made_us = made;
	c->since_us = since;
	c->until_us = until;
	c->size = (uint64_t)size;
	c->run = (uint64_t)run;
	c->records = (uint64_t)records;
	r = read_hosts(json_object_get(o, "hosts"), c);
	r = r ? r : read_chains(json_object_get(o, "chains"), c);
	return r == V_BAD ? why_set(why, V_BAD, "its PCs or chains are not what belongs there") : r;
}

int exhibit_claim_read(struct span in, struct exhibit_claim **out, struct why *why)
{
	_cleanup_(exhibit_claim_freep) struct exhibit_claim *c = calloc(1, sizeof(*c));
	json_error_t e;
	json_t *o;
	int r;

	if (!c)
		return -ENOMEM;
	o = in.n <= EXHIBIT_CLAIM_SIZE ? json_loadb((const char *)in.p, in.n, JSON_REJECT_DUPLICATES, &e) : NULL;
	if (!json_is_object(o)) {
		json_decref(o);
		return why_set(why, V_BAD, "not a JSON object");
	}
	r = read_all(o, c, why);
	json_decref(o);
	if (!r)
		*out = STEAL(c);
	return r;
}

void exhibit_claim_free(struct exhibit_claim *c)
{
	if (!c)
		return;
	free(c->hosts);
	free(c->chains);
	free(c);
}
