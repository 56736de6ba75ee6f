/*
 * See judge.h for the rules. Must never append what did not verify, and never let one segment's fault touch another.
 */
#include "collector/ingest/judge.h"
#include "policy/wire/body.h"
#include <errno.h>

#define EPOCHS_MAX 4096u /* verified certificates at hand; others are looked up and verified again */
#define HEADS_MAX 16u
#define CERT_MAX 4096u
#define LATELY 4096u

struct epoch_entry {
	struct epoch epoch;
	uint8_t kid[COSE_KID_SIZE];
	bool used;
};

/* What is asked of a segment that came before. */
struct earlier {
	struct header header; /* host, producer, epoch */
	uint8_t kid[COSE_KID_SIZE];
};

struct judge {
	struct store *store;
	/* The last ones that were appended, by their place: a PC whose histories fork must not make each an fsync. */
	struct {
		bool used;
		uint64_t index;
		struct earlier what;
	} * lately;
	struct epoch_entry *epochs;
	struct buf raw, header, cert;
};

int judge_new(struct store *s, struct judge **out)
{
	struct judge *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	j->store = s;
	j->raw = BUF_INIT(BODY_RAW_MAX);
	j->header = BUF_INIT(SEGMENT_HEADER_MAX);
	j->cert = BUF_INIT(CERT_MAX);
	j->epochs = calloc(EPOCHS_MAX, sizeof(*j->epochs));
	j->lately = calloc(LATELY, sizeof(*j->lately));
	if (!j->epochs || !j->lately) {
		judge_free(j);
		return -ENOMEM;
	}
	*out = j;
	return 0;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	buf_deinit(&j->raw);
	buf_deinit(&j->header);
	buf_deinit(&j->cert);
	free(j->epochs);
	free(j->lately);
	free(j);
}

void judge_forget(struct judge *j)
{
	memset(j->epochs, 0, EPOCHS_MAX * sizeof(*j->epochs));
	memset(j->lately, 0, LATELY * sizeof(*j->lately));
}

/* Sets the verdict; with refuse(), the reason too. */
static int refused_as(struct judgement *out, unsigned cause)
{
	out->as = JUDGED_REFUSED;
	out->cause = cause;
	return V_DENIED;
}
#define refuse(out, cause, ...) (why_set(&(out)->why, 0, __VA_ARGS__), refused_as(out, cause))

/* --- epochs --- */

/* A key id is a hash: its first bytes are as good as any other. */
static struct epoch_entry *slot(struct judge *j, const uint8_t *kid)
{
	return &j->epochs[(kid[0] | (unsigned)kid[1] << 8) % EPOCHS_MAX];
}

static bool is_epoch_of(const struct epoch *e, const struct header *h)
{
	return digest_eq(&e->host, &h->host) && e->producer == h->producer && e->number == h->epoch;
}

static void keep(struct judge *j, const uint8_t *kid, const struct epoch *e)
{
	struct epoch_entry *s = slot(j, kid);

	s->epoch = *e;
	memcpy(s->kid, kid, COSE_KID_SIZE);
	s->used = true;
}

/* The epoch of a key that came before. 0; V_NOT_FOUND; V_BAD; -errno. */
static int epoch_known(struct judge *j, const struct header *h, const uint8_t *kid, const struct key *device,
	struct epoch *out, struct why *why)
{
	const struct epoch_entry *s = slot(j, kid);
	int r;

	if (s->used && !memcmp(s->kid, kid, COSE_KID_SIZE) && is_epoch_of(&s->epoch, h)) {
		*out = s->epoch;
		return 0;
	}
	buf_clear(&j->cert);
	r = store_epoch(j->store, &h->host, h->producer, h->epoch, kid, &j->cert);
	r = r ? r : epoch_verify(buf_span(&j->cert), device, out, why);
	if (!r)
		keep(j, kid, out);
	return r;
}

/* The epoch that this header begins. 0; V_DENIED (refused); -errno. */
static int epoch_begun(
	struct judge *j, const struct segment *s, const struct key *device, struct epoch *out, struct judgement *to)
{
	const struct header *h = &s->header;
	struct why why = {""};
	int r = epoch_verify(h->epoch_cert, device, out, &why);

	if (r < 0)
		return r;
	if (r)
		return refuse(to, CAUSE_BAD_EPOCH, "%s", why.text);
	buf_clear(&j->cert);
	r = store_epoch(j->store, &h->host, h->producer, h->epoch, s->cose.kid.p, &j->cert);
	if (!r)
		return refuse(to, CAUSE_BAD_EPOCH, "epoch %llu began with another segment already",
			(unsigned long long)h->epoch);
	return r == V_NOT_FOUND ? 0 : r;
}

/* --- what is before --- */

struct before {
	bool known;
	bool forks; /* has a successor, or another chain begins */
	uint64_t index;
	uint64_t seq, epoch;
	unsigned heads;
	struct store_head newest;
};

static void remember(struct judge *j, uint64_t index, const struct segment *s)
{
	const struct header *h = &s->header;
	struct earlier *e = &j->lately[index % LATELY].what;

	j->lately[index % LATELY].used = true;
	j->lately[index % LATELY].index = index;
	e->header = (struct header){.host = h->host, .producer = h->producer, .epoch = h->epoch};
	memcpy(e->kid, s->cose.kid.p, COSE_KID_SIZE);
}

/* The segment at `index`, also where it was appended a moment ago. 0, -errno. */
static int read_earlier(struct judge *j, uint64_t index, struct earlier *out)
{
	struct why why = {""};
	struct segment s;
	int r;

	if (j->lately[index % LATELY].used && j->lately[index % LATELY].index == index) {
		*out = j->lately[index % LATELY].what;
		return 0;
	}
	if (index >= store_size(j->store)) {
		r = store_commit(j->store);
		if (r)
			return r > 0 && r != V_AGAIN ? -EIO : r;
	}
	buf_clear(&j->header);
	r = store_read(j->store, index, &j->header, NULL, &why);
	r = r ? r : header_parse(buf_span(&j->header), &s, &why);
	if (r || s.cose.kid.n != COSE_KID_SIZE)
		return r < 0 ? r : -EIO;
	remember(j, index, &s);
	*out = j->lately[index % LATELY].what;
	return 0;
}

static int look_before(struct judge *j, const struct header *h, struct before *b, struct judgement *to)
{
	struct store_head heads[HEADS_MAX];
	struct earlier prev;
	unsigned i, n = 0;
	int r = store_heads(j->store, &h->host, h->producer, heads, HEADS_MAX, &n);

	if (r && r != V_NOT_FOUND)
		return r;
	b->heads = r ? 0 : n;
	if (b->heads)
		b->newest = heads[0];
	if (!h->has_prev) {
		b->forks = b->heads > 0;
		return 0;
	}
	r = store_find(j->store, &h->prev, &b->index, &b->seq);
	if (r)
		return r == V_NOT_FOUND ? 0 : r;
	b->known = true;
	for (i = 0; i < b->heads && i < HEADS_MAX; i++) {
		if (digest_eq(&heads[i].hash, &h->prev)) {
			b->epoch = heads[i].epoch;
			return 0;
		}
	}
	r = read_earlier(j, b->index, &prev);
	if (r)
		return r;
	if (!digest_eq(&prev.header.host, &h->host) || prev.header.producer != h->producer)
		return refuse(to, CAUSE_BAD_CHAIN, "its predecessor belongs to another chain");
	b->epoch = prev.header.epoch;
	return store_has_successor(j->store, &h->host, h->producer, &h->prev, &b->forks);
}

/* Does it follow its predecessor as a chain must? 0; V_DENIED; -errno. */
static int follows(struct judge *j, const struct segment *s, const struct before *b, const struct key *device,
	struct judgement *to)
{
	const struct header *h = &s->header;
	struct epoch old;
	struct earlier prev;
	struct why why = {""};
	int r;

	if (h->seq != b->seq + 1)
		return refuse(to, CAUSE_BAD_CHAIN, "sequence %llu behind %llu", (unsigned long long)h->seq,
			(unsigned long long)b->seq);
	if (h->epoch < b->epoch)
		return refuse(to, CAUSE_BAD_EPOCH, "epoch %llu behind %llu", (unsigned long long)h->epoch,
			(unsigned long long)b->epoch);
	if (h->epoch > b->epoch && !h->epoch_cert.n)
		return refuse(
			to, CAUSE_BAD_EPOCH, "epoch %llu begins without its certificate", (unsigned long long)h->epoch);
	if (!h->handover.n)
		return 0;
	r = read_earlier(j, b->index, &prev);
	if (r)
		return r;
	r = epoch_known(j, &prev.header, prev.kid, device, &old, &why);
	if (r < 0)
		return r;
	if (r || handover_verify(h->handover, h->epoch_cert, &old, &why))
		return refuse(to, CAUSE_BAD_EPOCH, "the key before did not hand over: %.200s", why.text);
	return 0;
}

/* --- the body --- */

static bool is_server(unsigned producer)
{
	return producer == PRODUCER_COLLECTOR || producer == PRODUCER_CONSOLE || producer == PRODUCER_HERALD;
}

/* Does the body hold what the header says, and what its producer may say? 0; V_BAD; -errno. */
static int read_body(struct judge *j, const struct segment *s, struct judgement *to)
{
	struct why *why = &to->why;
	_cleanup_(body_reader_freep) struct body_reader *reader = NULL;
	struct record *record;
	uint64_t n = 0;
	int r = segment_raw(s, &j->raw, why);

	r = r ? r : body_reader_new(buf_span(&j->raw), &reader);
	if (r)
		return r;
	record = malloc(sizeof(*record));
	if (!record)
		return -ENOMEM;
	while (!(r = body_next(reader, record, why))) {
		n++;
		if (!to->posing && !is_server(s->header.producer) && kind_of_servers(record->v[F_KIND].u))
			to->posing = record->v[F_KIND].u;
	}
	free(record);
	if (r != V_END)
		return r;
	return n == s->header.count ? 0
				    : why_set(why, V_BAD, "%llu records where the header says %u",
					      (unsigned long long)n, s->header.count);
}

/* --- all of it --- */

static int verify(const struct segment *s, const struct epoch *e, struct judgement *out)
{
	struct why why = {""};
	int r = segment_verify(s, e, &why);

	if (r <= 0)
		return r;
	return refuse(out, r == V_BAD ? CAUSE_BAD_FORMAT : (unsigned)r, "%.250s", why.text);
}

static int known(const struct segment *s, struct judgement *out)
{
	struct digest hash;

	digest_span(&hash, s->body);
	if (!digest_eq(&hash, &s->header.body_hash))
		return refuse(out, CAUSE_BAD_BODY, "body is not the signed one");
	out->as = JUDGED_KNOWN;
	return 0;
}

static int judge_new_one(
	struct judge *j, const struct segment *s, const struct key *device, bool *gap_lost, struct judgement *out)
{
	const struct header *h = &s->header;
	struct before b = {.known = false};
	struct why why = {""};
	struct epoch e;
	int r = look_before(j, h, &b, out);

	if (r)
		return r;
	if (h->epoch_cert.n) {
		r = epoch_begun(j, s, device, &e, out);
	} else {
		r = epoch_known(j, h, s->cose.kid.p, device, &e, &why);
		if (r == V_NOT_FOUND && h->has_prev && !b.known && !*gap_lost)
			goto gap; /* its certificate is in what is missing */
		if (r > 0)
			r = refuse(out, CAUSE_BAD_EPOCH, "epoch %llu has no certificate: %.200s",
				(unsigned long long)h->epoch, why.text);
	}
	r = r ? r : verify(s, &e, out);
	if (r)
		return r;

	if (!h->has_prev) {
		if (!h->epoch_cert.n)
			return refuse(out, CAUSE_BAD_EPOCH, "a chain begins without a certificate");
		out->found |= h->flags & SF_REJOIN ? FOUND_REJOIN : b.forks ? FOUND_FORK : 0;
	} else if (b.known) {
		r = follows(j, s, &b, device, out);
		if (r)
			return r;
		out->found |= b.forks ? FOUND_FORK : 0;
	} else if (*gap_lost) {
		*gap_lost = false;
		if (b.heads && h->seq <= b.newest.seq) {
			out->found |= FOUND_FORK;
		} else {
			out->found |= FOUND_GAP;
			out->gap_from = b.heads ? b.newest.seq + 1 : 0;
			out->gap_to = h->seq - 1;
			if (b.heads && h->epoch < b.newest.epoch)
				return refuse(out, CAUSE_BAD_EPOCH, "epoch %llu behind %llu",
					(unsigned long long)h->epoch, (unsigned long long)b.newest.epoch);
		}
	} else {
		goto gap;
	}
	r = read_body(j, s, out);
	if (r < 0)
		return r;
	out->found |= (r ? FOUND_BODY : 0) | (out->posing ? FOUND_POSING : 0);
	out->as = JUDGED_STORED;
	r = store_append(j->store, s, &out->index);
	if (!r)
		remember(j, out->index, s);
	if (!r && h->epoch_cert.n)
		keep(j, s->cose.kid.p, &e);
	return r == V_EXISTS ? 0 : r;
gap:
	out->as = JUDGED_GAP;
	out->expected = b.heads ? b.newest.seq + 1 : 0;
	return 0;
}

int judge_segment(struct judge *j, const struct segment *s, const struct store_host *host, const struct key *device,
	bool *gap_lost, struct judgement *out)
{
	const struct header *h = &s->header;
	bool lost = *gap_lost;
	uint64_t seq;
	int r;

	/* Chains are not told as they will be. */
	if (store_waits(j->store))
		return V_AGAIN;
again:
	memset(out, 0, sizeof(*out));
	*gap_lost = lost;
	if (!digest_eq(&h->host, &host->id))
		r = refuse(out, CAUSE_FOREIGN, "sealed by another PC than the one that sends it");
	else if (h->producer == PRODUCER_COLLECTOR)
		r = refuse(out, CAUSE_FOREIGN, "only the collector speaks as the collector");
	else if (s->cose.kid.n != COSE_KID_SIZE)
		r = refuse(out, CAUSE_BAD_SIGNATURE, "no key id");
	else if ((r = store_find(j->store, &s->hash, &out->index, &seq)) == 0)
		r = known(s, out);
	else if (r == V_NOT_FOUND)
		r = judge_new_one(j, s, device, gap_lost, out);
	if (r == V_AGAIN) {
		/* The group is full; or another collector has appended, perhaps what forks from this. */
		r = store_commit(j->store);
		if (!r)
			goto again;
		r = r > 0 && r != V_AGAIN && r != V_FULL ? -EIO : r;
	}
	/* The whole group is forgotten, with what others have sent: nobody may go on as though only this were. */
	return r == V_DENIED ? 0 : r == V_FULL ? -ENOSPC : r;
}
