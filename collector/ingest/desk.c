/*
 * What the programs beside us on this machine tell: the console (its access log) and the herald (alerts). Each seals
 * into a spool of its own, and from there its segments go into the same store, judged as those of every PC are. They
 * are PCs without a network: the device key of each is learned from its folder, which only root and its own user can
 * write.
 *
 * Called by the loop once a second, and before each commit. What is taken is moved to acked/ only when it is committed.
 */
#include "collector/ingest/ingest.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/wire/spool.h"
#include <errno.h>

#define KEY_MAX 256u
#define TAKE_MAX 32u          /* segments at a time: PCs wait for the same commit */
#define TAKEN_MAX 256u        /* between two commits */
#define LOOK_AGAIN_US 2000000 /* for one that is not there yet */

struct desk {
	struct ingest *in;
	unsigned producer;
	const char *folder, *spool, *key; /* of the settings */
	struct store_host host;
	struct key *device; /* NULL: none is known */
	int64_t looked_us;
	struct spool_entry taken[TAKEN_MAX]; /* and not committed */
	unsigned taken_n;
	struct log_limit log;
};

#define DESKS 2u
struct desks {
	struct desk v[DESKS];
};

int desks_new(struct ingest *in, struct desks **out)
{
	const struct config *c = &in->conf;
	const struct desk each[DESKS] = {
		{.producer = PRODUCER_CONSOLE, .folder = c->console, .spool = c->console_spool, .key = c->console_key},
		{.producer = PRODUCER_HERALD, .folder = c->herald, .spool = c->herald_spool, .key = c->herald_key},
	};
	struct desks *d = calloc(1, sizeof(*d));
	unsigned i;

	if (!d)
		return -ENOMEM;
	for (i = 0; i < DESKS; i++) {
		d->v[i] = each[i];
		d->v[i].in = in;
		d->v[i].log = (struct log_limit)LOG_LIMIT(3);
		d->v[i].looked_us = INT64_MIN / 2;
	}
	*out = d;
	return 0;
}

void desks_free(struct desks *d)
{
	unsigned i;

	for (i = 0; d && i < DESKS; i++)
		key_free(d->v[i].device);
	free(d);
}

bool desks_has(const struct desks *d, const struct digest *host)
{
	unsigned i;

	for (i = 0; i < DESKS; i++)
		if (d->v[i].device && digest_eq(&d->v[i].host.id, host))
			return true;
	return false;
}

/* What this user may not read or move waits where it is: its folder's owner or the unit that started us is wrong. */
static int denied(struct desk *d, const char *path, int verdict)
{
	if (log_allowed(&d->log))
		log_error("%s: no access: what the %s tells is not in the log", path, producer_name(d->producer));
	return verdict;
}

/* Reads its key; one that is new becomes a PC of its producer's name. 0; V_NOT_FOUND; -errno. */
static int meet(struct desk *d)
{
	_cleanup_buf_ struct buf der = BUF_INIT(KEY_MAX);
	struct store_host h = {.state = HOST_ACTIVE, .enrolled_us = clock_wall_us()}, known;
	struct entry e = {.kind = KIND_ENROL, .host = &h, .with_key = true, .urgent = true};
	struct ingest *in = d->in;
	char text[64];
	int r;

	if (d->device)
		return 0;
	if (!d->folder[0] || clock_boot_us() - d->looked_us < LOOK_AGAIN_US)
		return V_NOT_FOUND;
	d->looked_us = clock_boot_us();
	r = file_read(d->key, &der);
	if (r == -EACCES)
		return denied(d, d->key, V_NOT_FOUND);
	if (r)
		return r > 0 ? V_NOT_FOUND : r;
	if (der.n > sizeof(h.spki) || key_from_public_der(buf_span(&der), &d->device, NULL)) {
		if (log_allowed(&d->log))
			log_warning("%s: no public key: what the %s tells is not taken", d->key,
				producer_name(d->producer));
		return V_NOT_FOUND;
	}
	r = key_id(d->device, &h.id);
	memcpy(h.spki, der.p, der.n);
	h.spki_len = der.n;
	snprintf(h.name, sizeof(h.name), "%s", producer_name(d->producer));
	snprintf(text, sizeof(text), "the %s of this machine", producer_name(d->producer));
	e.text = text;
	r = r ? r : store_host_get(in->store, &h.id, &known);
	if (r == V_NOT_FOUND) {
		r = journal_put(in->journal, &e);
		r = r ? r : store_host_put(in->store, &h);
		known = h;
	}
	if (r) {
		key_free(d->device);
		d->device = NULL;
		return r > 0 ? -EIO : r;
	}
	d->host = known;
	return 0;
}

static int set_aside(struct desk *d, const struct spool_entry *e, const char *why)
{
	int r = spool_refused(d->spool, e);

	if (log_allowed(&d->log))
		log_error("%s: %s; kept in refused/", e->path, why);
	return r < 0 ? r : 0;
}

/* One file of the spool. 0; V_AGAIN: not now; -errno. */
static int take(struct desk *d, const struct spool_entry *e, unsigned *n)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SEGMENT_MAX);
	struct ingest *in = d->in;
	struct why why = {"too large"};
	/* It stands beside us: what is missing before its oldest segment does not come any more. */
	bool gap_lost = true;
	struct judgement j;
	struct segment s;
	int r = file_read(e->path, &b);

	if (r < 0)
		return r == -EACCES ? denied(d, e->path, V_AGAIN) : r;
	r = r ? r : segment_parse(buf_span(&b), &s, &why);
	if (!r && (s.header.producer != d->producer || s.bytes.n != b.n))
		r = why_set(&why, V_BAD, "not a segment of the %s", producer_name(d->producer));
	if (r)
		return r < 0 ? r : set_aside(d, e, why.text);
	r = judge_segment(in->judge, &s, &d->host, d->device, &gap_lost, &j);
	if (r)
		return r;
	if (j.as == JUDGED_REFUSED) {
		in->count.segments_refused++;
		r = journal_refused(in->journal, &d->host, NULL, j.cause, &s.hash, s.header.seq, j.why.text);
		return r ? r : set_aside(d, e, j.why.text);
	}
	if (j.as == JUDGED_STORED) {
		in->count.segments_stored++;
		in->count.records += s.header.count;
		in->count.bytes += s.bytes.n;
		tell_found(in, &d->host, &s, &j);
		++*n;
	}
	d->taken[d->taken_n++] = *e;
	return 0;
}

static int drain(struct desk *d, unsigned *n)
{
	struct spool_entry e;
	struct store_host now;
	unsigned taken;
	uint64_t from;
	int r = meet(d);

	if (r)
		return r == V_NOT_FOUND ? 0 : r;
	/* One that was revoked stays outside, with what it still says. */
	if (disk_is_full(d->in) || store_host_get(d->in->store, &d->host.id, &now) || now.state != HOST_ACTIVE)
		return 0;
	/* While nothing waits for a commit, from the start: a chain that was begun anew counts from 0 again. */
	from = d->taken_n ? d->taken[d->taken_n - 1].seq + 1 : 0;
	for (taken = 0; taken < TAKE_MAX && d->taken_n < TAKEN_MAX; taken++) {
		r = spool_oldest(d->spool, d->producer, from, &e);
		if (r == -EACCES)
			return denied(d, d->spool, 0);
		if (r)
			return r == V_END || r == -ENOENT ? 0 : r;
		r = take(d, &e, n);
		if (r)
			return r == V_AGAIN ? 0 : r;
		from = e.seq + 1;
	}
	return 0;
}

static int settled(struct desk *d)
{
	struct store_host now;
	unsigned i;
	int r;

	if (!d->taken_n)
		return 0;
	for (i = 0; i < d->taken_n; i++) {
		r = spool_acked(d->spool, &d->taken[i]);
		if (r == -EACCES || r == -EPERM || r == -EROFS)
			denied(d, d->taken[i].path, 0);
		else if (r < 0)
			return r;
	}
	d->taken_n = 0;
	if (!store_host_get(d->in->store, &d->host.id, &now) && now.state == HOST_ACTIVE)
		host_seen(d->in, &now);
	r = spool_tidy(d->spool, d->producer, 0);
	return r == -EACCES || r == -EROFS ? 0 : r;
}

int desks_drain(struct desks *d, unsigned *n)
{
	unsigned i;
	int r = 0;

	*n = 0;
	for (i = 0; !r && i < DESKS; i++)
		r = drain(&d->v[i], n);
	return r;
}

void desks_again(struct desks *d)
{
	unsigned i;

	for (i = 0; i < DESKS; i++) {
		d->v[i].taken_n = 0;
		/* It may be in the table of PCs no more: it is met anew. */
		key_free(d->v[i].device);
		d->v[i].device = NULL;
		d->v[i].looked_us = INT64_MIN / 2;
	}
}

int desks_settled(struct desks *d)
{
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < DESKS; i++)
		r = settled(&d->v[i]);
	return r;
}
