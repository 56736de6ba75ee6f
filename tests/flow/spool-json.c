/*
 * What a spool holds, as JSON lines: spool-json DIR DEVICE.PUB. Verifies every segment (epoch certificate, signature,
 * body, chain) and prints {"header": ...} and then its records. Ends with 1 at the first one that is not right.
 */
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/wire/body.h"
#include "policy/wire/segment.h"
#include <dirent.h>
#include <inttypes.h>

struct chain {
	struct key *device;
	struct epoch epoch;
	bool has_epoch, has_prev;
	struct digest prev;
	uint64_t seq;
};

static int wrong(const char *name, const char *why)
{
	fprintf(stderr, "spool-json: %s: %s\n", name, why);
	return 1;
}

static void print_header(const struct header *h)
{
	char boot[2 * sizeof(h->boot) + 1];
	unsigned i;

	printf("{\"header\": {\"seq\": %" PRIu64 ", \"boot\": \"%s\", \"epoch\": %" PRIu64
	       ", \"count\": %u, \"flags\": %" PRIu64 ", \"lost\": {",
		h->seq, hex_encode(boot, h->boot, sizeof(h->boot)), h->epoch, h->count, h->flags);
	for (i = 0; i < h->lost_n; i++) {
		const struct enum_info *e = enum_by_value(F_CAUSE, h->lost[i].cause);

		printf("%s\"%s\": %" PRIu64, i ? ", " : "", e ? e->name : "?", h->lost[i].n);
	}
	printf("}}}\n");
}

static int print_records(struct span raw, uint32_t want, const char *name)
{
	static struct record r;
	_cleanup_(body_reader_freep) struct body_reader *reader = NULL;
	_cleanup_buf_ struct buf line = BUF_INIT(1u << 20);
	struct why why = {""};
	uint32_t n = 0;
	int got;

	if (body_reader_new(raw, &reader))
		return wrong(name, "no memory");
	while ((got = body_next(reader, &r, &why)) == 0) {
		buf_clear(&line);
		if (record_json(&r, &line))
			return wrong(name, "a record cannot be shown");
		printf("%.*s\n", (int)line.n, (const char *)line.p);
		n++;
	}
	if (got != V_END)
		return wrong(name, why.text);
	return n == want ? 0 : wrong(name, "the header counts other records");
}

static int one(struct chain *c, const char *dir, const char *name)
{
	_cleanup_buf_ struct buf file = BUF_INIT(SEGMENT_MAX), raw = BUF_INIT(BODY_RAW_MAX);
	struct segment s;
	struct why why = {""};
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (file_read(path, &file) || segment_parse(buf_span(&file), &s, &why))
		return wrong(name, why.text);
	if (s.header.epoch_cert.n) {
		if (epoch_verify(s.header.epoch_cert, c->device, &c->epoch, &why))
			return wrong(name, why.text);
		c->has_epoch = true;
	}
	if (!c->has_epoch)
		return wrong(name, "no epoch certificate");
	if (segment_verify(&s, &c->epoch, &why) || segment_raw(&s, &raw, &why))
		return wrong(name, why.text);
	if (c->has_prev && (!digest_eq(&c->prev, &s.header.prev) || s.header.seq != c->seq + 1))
		return wrong(name, "does not follow the one before");
	c->prev = s.hash;
	c->seq = s.header.seq;
	c->has_prev = true;
	print_header(&s.header);
	return print_records(buf_span(&raw), s.header.count, name);
}

static int is_segment(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n == 24 && strcmp(e->d_name + 20, ".seg") == 0;
}

int main(int argc, char **argv)
{
	_cleanup_buf_ struct buf der = BUF_INIT(4096);
	struct chain c = {0};
	struct dirent **list;
	struct why why = {""};
	int n, i, r = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: spool-json DIR DEVICE.PUB\n");
		return 2;
	}
	if (file_read(argv[2], &der) || key_from_public_der(buf_span(&der), &c.device, &why))
		return wrong(argv[2], why.text);
	n = scandir(argv[1], &list, is_segment, alphasort);
	if (n < 0)
		return wrong(argv[1], "cannot be listed");
	for (i = 0; i < n; i++) {
		if (!r)
			r = one(&c, argv[1], list[i]->d_name);
		free(list[i]);
	}
	free(list);
	key_free(c.device);
	return r;
}
