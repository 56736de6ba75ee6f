/*
 * See audit.h. Nothing of a segment is believed before its signature was checked with a key that the PC's device key
 * certified; nothing is decompressed before that.
 */
#include "policy/ctl/audit.h"
#include "policy/trust/cose.h"
#include "policy/wire/body.h"
#include <errno.h>
#include <inttypes.h>

#define BUCKETS 16384u

struct device {
	struct digest id;
	struct key *key;
	struct device *next;
};

struct sealing_key {
	struct epoch epoch;
	uint8_t kid[COSE_KID_SIZE];
	struct sealing_key *next;
};

struct audit {
	struct audit_options o;
	struct audit_counts counts;
	struct device *devices[BUCKETS];
	struct sealing_key *keys[BUCKETS];
	unsigned devices_n, keys_n;
	struct trails *trails;
	struct buf raw;
	struct record record;
};

static unsigned bucket_of(const struct digest *id)
{
	return get_be32(id->b) % BUCKETS;
}

void audit_tell(struct audit *a, const char *word, const char *place, bool has_offset, uint64_t offset,
	const struct header *h, const char *fmt, ...)
{
	struct finding f = {.word = word, .place = place, .has_offset = has_offset, .offset = offset, .header = h};
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f.text = text;
	a->counts.problems++;
	a->o.finding(a->o.ctx, &f);
}

static void on_trail(void *ctx, enum trail_finding f, const struct trail_step *at, bool has_before, uint64_t before)
{
	struct audit *a = ctx;
	const struct ctl *c = a->o.ctl;
	const char *place = a->o.place(a->o.ctx, at->place);
	const struct header h = {.host = at->host, .producer = at->producer, .seq = at->seq, .epoch = at->epoch};
	const bool leaf = a->o.by_leaf;

	switch (f) {
	case TRAIL_FORK:
		audit_tell(a, "fork", place, leaf, at->place, &h, "%s",
			SAY(c, "the history forks here: its predecessor has another successor",
				"ここで履歴が分岐しています(直前のセグメントに別の後続があります)"));
		break;
	case TRAIL_REJOIN:
		audit_tell(a, "rejoin", place, leaf, at->place, &h, "%s",
			SAY(c, "the chain was begun anew: its state was lost",
				"記録列が最初からやり直されています(状態の喪失)"));
		break;
	case TRAIL_JUMP:
		audit_tell(a, "sequence", place, leaf, at->place, &h,
			SAY(c, "follows %" PRIu64, "直前の番号は %" PRIu64 " です"), before);
		break;
	case TRAIL_EPOCH:
		audit_tell(a, "epoch", place, leaf, at->place, &h, "%s",
			SAY(c, "sealed by the key of an earlier epoch, or by another of the same",
				"以前の封緘鍵、または同じ期間番号(エポック)の別の鍵で封緘されています"));
		break;
	case TRAIL_BARE:
		audit_tell(a, "epoch", place, leaf, at->place, &h, "%s",
			SAY(c, "an epoch begins without its certificate", "証明書のない封緘鍵が使われ始めています"));
		break;
	case TRAIL_GAP:
		if (has_before && before + 1 < at->seq)
			audit_tell(a, "gap", place, leaf, at->place, &h,
				SAY(c, "segments %" PRIu64 " to %" PRIu64 " are missing",
					"セグメント %" PRIu64 " から %" PRIu64 " がありません"),
				before + 1, at->seq - 1);
		else
			audit_tell(a, "gap", place, leaf, at->place, &h, "%s",
				SAY(c, "its predecessor is missing, or another",
					"直前のセグメントがないか、別のものです"));
		break;
	case TRAIL_FULL:
		audit_tell(a, "fork", place, leaf, at->place, &h,
			SAY(c, "more than %u open ends in one chain", "記録列の分岐が %u を超えています"),
			TRAIL_ENDS_MAX);
		break;
	}
}

int audit_new(const struct audit_options *o, struct audit **out)
{
	struct audit *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->o = *o;
	a->raw = BUF_INIT(BODY_RAW_MAX);
	r = trails_new(o->partial, on_trail, a, &a->trails);
	if (r) {
		audit_free(a);
		return r;
	}
	*out = a;
	return 0;
}

void audit_free(struct audit *a)
{
	unsigned i;

	if (!a)
		return;
	for (i = 0; i < BUCKETS; i++) {
		struct device *d, *next;
		struct sealing_key *k, *following;

		for (d = a->devices[i]; d; d = next) {
			next = d->next;
			key_free(d->key);
			free(d);
		}
		for (k = a->keys[i]; k; k = following) {
			following = k->next;
			free(k);
		}
	}
	trails_free(a->trails);
	buf_deinit(&a->raw);
	free(a);
}

struct audit_counts *audit_counts(struct audit *a)
{
	return &a->counts;
}

static const struct key *device_of(const struct audit *a, const struct digest *id)
{
	const struct device *d = a->devices[bucket_of(id)];

	while (d && !digest_eq(&d->id, id))
		d = d->next;
	return d ? d->key : NULL;
}

bool audit_knows(const struct audit *a, const struct digest *host)
{
	return device_of(a, host);
}

int audit_device(struct audit *a, struct span spki, struct why *why)
{
	_cleanup_(key_freep) struct key *k = NULL;
	struct device *d;
	struct digest id;
	int r = key_from_public_der(spki, &k, why);

	r = r ? r : key_id(k, &id);
	if (r)
		return r;
	if (key_type(k) != KEY_P256)
		return why_set(why, V_BAD, "a device key is P-256, this is not");
	if (device_of(a, &id))
		return 0;
	if (a->devices_n == AUDIT_DEVICES_MAX)
		return V_FULL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->id = id;
	d->key = STEAL(k);
	d->next = a->devices[bucket_of(&id)];
	a->devices[bucket_of(&id)] = d;
	a->devices_n++;
	return 0;
}

static const struct sealing_key *key_of(const struct audit *a, const struct segment *s)
{
	const struct sealing_key *k = a->keys[bucket_of(&s->header.host)];

	for (; k; k = k->next)
		if (k->epoch.number == s->header.epoch && k->epoch.producer == s->header.producer &&
			digest_eq(&k->epoch.host, &s->header.host) && span_eq(s->cose.kid, SPAN(k->kid, COSE_KID_SIZE)))
			return k;
	return NULL;
}

/* A certificate of a sealing key by a device key at hand. 0 with *e; V_BAD, V_FULL, -errno. */
static int keep_epoch(struct audit *a, const struct key *device, struct span cert, struct epoch *e, struct why *why)
{
	_cleanup_(key_freep) struct key *sealing = NULL;
	struct sealing_key *k;
	uint8_t kid[COSE_KID_SIZE];
	unsigned b;
	int r = epoch_verify(cert, device, e, why);

	r = r ? r : key_from_public_raw(SPAN(e->public_key, sizeof(e->public_key)), &sealing);
	r = r ? r : cose_kid(sealing, kid);
	if (r)
		return r;
	b = bucket_of(&e->host);
	for (k = a->keys[b]; k; k = k->next)
		if (k->epoch.number == e->number && k->epoch.producer == e->producer &&
			digest_eq(&k->epoch.host, &e->host) && !memcmp(k->kid, kid, sizeof(kid)))
			return 0;
	if (a->keys_n == AUDIT_EPOCHS_MAX)
		return V_FULL;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->epoch = *e;
	memcpy(k->kid, kid, sizeof(kid));
	k->next = a->keys[b];
	a->keys[b] = k;
	a->keys_n++;
	return 0;
}

/* The certificate of a header, judged. 0; V_BAD, V_FULL, -errno. */
static int learn(struct audit *a, const struct segment *s, struct why *why)
{
	const struct key *device = device_of(a, &s->header.host);
	struct epoch e;
	int r;

	if (!device)
		return 0; /* told where the segment is judged */
	r = keep_epoch(a, device, s->header.epoch_cert, &e, why);
	if (r)
		return r;
	if (e.producer != s->header.producer || e.number != s->header.epoch)
		return why_set(why, V_BAD, "epoch: certificate of another producer or number");
	return 0;
}

int audit_certificate(struct audit *a, const struct digest *host, struct span cert, struct why *why)
{
	const struct key *device = device_of(a, host);
	struct epoch e;

	return device ? keep_epoch(a, device, cert, &e, why)
		      : why_set(why, V_BAD, "epoch: of a PC whose device key is not there");
}

int audit_learn(struct audit *a, const struct segment *s)
{
	int r = s->header.epoch_cert.n ? learn(a, s, NULL) : 0;

	/* A bad certificate is told where its segment is judged. */
	return r == V_BAD ? 0 : r;
}

/* A handover is by the key of an earlier epoch, where we know that key. V_BAD where it cannot be. */
static int judge_handover(const struct audit *a, const struct segment *s, struct why *why)
{
	const struct sealing_key *k = a->keys[bucket_of(&s->header.host)], *previous = NULL;
	struct cose_sign1 m;
	int r = cose_parse(s->header.handover, &m, why);

	if (r)
		return r;
	for (; k; k = k->next) {
		if (k->epoch.producer != s->header.producer || !digest_eq(&k->epoch.host, &s->header.host) ||
			k->epoch.number >= s->header.epoch)
			continue;
		if (span_eq(m.kid, SPAN(k->kid, COSE_KID_SIZE)))
			return handover_verify(s->header.handover, s->header.epoch_cert, &k->epoch, why);
		if (k->epoch.number + 1 == s->header.epoch)
			previous = k;
	}
	/* The key before it is known, and it is not the one that signed. */
	return previous ? why_set(why, V_BAD, "handover: signed by another key than the previous epoch's") : 0;
}

static int judge_body(struct audit *a, const struct segment *s, struct why *why)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	const struct header *h = &s->header;
	int64_t first = INT64_MAX, last = INT64_MIN;
	uint32_t n = 0;
	int r = segment_raw(s, &a->raw, why);

	r = r ? r : body_reader_new(buf_span(&a->raw), &in);
	if (r)
		return r;
	while ((r = body_next(in, &a->record, why)) == 0) {
		int64_t t = a->record.v[F_TIME].i;

		first = t < first ? t : first;
		last = t > last ? t : last;
		n++;
	}
	if (r != V_END)
		return r;
	if (n != h->count)
		return why_set(why, V_BAD, "body: holds %u records where %u were signed", n, h->count);
	if (n && (first != h->first_us || last != h->last_us))
		return why_set(why, V_BAD, "body: first and last time are not those that were signed");
	a->counts.records += n;
	return 0;
}

static const char *word_of(int cause)
{
	switch (cause) {
	case CAUSE_BAD_SIGNATURE:
		return "signature";
	case CAUSE_BAD_BODY:
		return "body";
	case CAUSE_FOREIGN:
		return "foreign";
	case CAUSE_BAD_EPOCH:
		return "epoch";
	}
	return "form";
}

/* All but the chain. 0 with *word NULL where it is good; 0 with the word of what is wrong; -errno. */
static int judge(struct audit *a, const struct segment *s, const char **word, struct why *why)
{
	const struct ctl *c = a->o.ctl;
	const struct sealing_key *k;
	int r = 0;

	*word = NULL;
	if (!device_of(a, &s->header.host)) {
		*word = "foreign";
		why_set(why, 0, "%s",
			SAY(c, "belongs to a PC whose device key is not at hand",
				"PC のデバイス鍵が手元にない PC のものです"));
		return 0;
	}
	if (s->header.epoch_cert.n)
		r = learn(a, s, why);
	k = r ? NULL : key_of(a, s);
	if (!r && !k)
		r = why_set(why, V_BAD, "%s",
			SAY(c, "there is no certificate of its sealing key", "封緘鍵の証明書がありません"));
	if (!r && s->header.handover.n)
		r = judge_handover(a, s, why);
	if (r) {
		*word = "epoch";
		return r == V_BAD ? 0 : r;
	}
	r = segment_verify(s, &k->epoch, why);
	if (r > 0) {
		*word = word_of(r);
		return 0;
	}
	if (!r && s->bytes.n && !a->o.no_bodies) {
		r = judge_body(a, s, why);
		if (r > 0) {
			*word = "body";
			return 0;
		}
	}
	return r;
}

int audit_segment(struct audit *a, const struct segment *s, uint64_t place, uint64_t offset)
{
	const struct header *h = &s->header;
	struct trail_step step = {
		.host = h->host,
		.producer = h->producer,
		.seq = h->seq,
		.epoch = h->epoch,
		.hash = s->hash,
		.prev = h->prev,
		.has_prev = h->has_prev,
		.has_cert = h->epoch_cert.n > 0,
		.flags = h->flags,
		.place = place,
	};
	struct why why = {""};
	const char *word;
	int r = judge(a, s, &word, &why);

	if (r)
		return r;
	a->counts.segments++;
	a->counts.bytes += s->bytes.n ? s->bytes.n : s->header_bytes.n;
	if (!s->bytes.n)
		a->counts.without_body++;
	if (word) {
		audit_tell(a, word, a->o.place(a->o.ctx, place), true, offset, h, "%s", why.text);
		return 0;
	}
	memcpy(step.kid, s->cose.kid.p, COSE_KID_SIZE); /* segment_verify compared it with the key's */
	a->counts.good++;
	r = trails_add(a->trails, &step);
	return r;
}

void audit_end(struct audit *a)
{
	trails_end(a->trails);
}
