/*
 * Who asks: from the certificate of the connection to the PC that is enrolled, at every request, so that a revoked PC
 * with an open connection is turned away. And what is known of PCs while the process runs.
 */
#include "collector/ingest/shared.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>

#define SEEN_EVERY_US 600000000ll /* on the disk; the memory knows better */
#define ELSEWHERE_US 15000000     /* others tell every five seconds who waits there */
#define PEERS_FIRST 64u

/* --- in memory --- */

/* A table with open addressing: an id is a hash already. Never more entries than PCs are enrolled. */
static struct peer *probe(struct peer *table, unsigned cap, const struct digest *id)
{
	unsigned at = get_be32(id->b) & (cap - 1);

	while (table[at].used && !digest_eq(&table[at].id, id))
		at = (at + 1) & (cap - 1);
	return &table[at];
}

static int grow(struct ingest *in)
{
	unsigned cap = in->peers_cap ? in->peers_cap * 2 : PEERS_FIRST, i;
	struct peer *table = calloc(cap, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (i = 0; i < in->peers_cap; i++)
		if (in->peers[i].used)
			*probe(table, cap, &in->peers[i].id) = in->peers[i];
	free(in->peers);
	in->peers = table;
	in->peers_cap = cap;
	return 0;
}

struct peer *peer_of(struct ingest *in, const struct digest *id)
{
	struct peer *p;

	if (in->peers_n * 4 >= in->peers_cap * 3 && grow(in))
		return NULL;
	p = probe(in->peers, in->peers_cap, id);
	if (!p->used) {
		p->used = true;
		p->id = *id;
		in->peers_n++;
	}
	return p;
}

struct peer *peer_like(struct ingest *in, struct span id)
{
	unsigned at;

	if (!in->peers_cap)
		return NULL;
	for (at = get_be32(id.p) & (in->peers_cap - 1); in->peers[at].used; at = (at + 1) & (in->peers_cap - 1))
		if (!memcmp(in->peers[at].id.b, id.p, id.n))
			return &in->peers[at];
	return NULL;
}

bool peer_waits(const struct peer *p)
{
	return p->waiters || (p->elsewhere_us && clock_boot_us() - p->elsewhere_us < ELSEWHERE_US);
}

void host_seen(struct ingest *in, const struct store_host *h)
{
	struct peer *p = peer_of(in, &h->id);
	int64_t now = clock_wall_us();
	int r;

	if (!p)
		return;
	p->seen_us = now;
	if (now - h->last_seen_us < SEEN_EVERY_US && now >= h->last_seen_us)
		return;
	r = store_host_seen(in->store, &h->id, now);
	if (r)
		ingest_fail(in, r > 0 ? -EIO : r, "store");
}

/* --- renewals under way --- */

int renewal_get(struct ingest *in, const struct digest *host, struct digest *key)
{
	_cleanup_buf_ struct buf b = BUF_INIT(RENEWAL_MAX);
	char hex[2 * DIGEST_SIZE + 1];
	int r = shelf_get(&in->renewals, hex_encode(hex, host->b, DIGEST_SIZE), &b);

	if (r)
		return r == V_FULL ? V_NOT_FOUND : r;
	return buf_str(&b) && !hex_decode((const char *)b.p, key->b, DIGEST_SIZE) ? 0 : V_NOT_FOUND;
}

int renewal_put(struct ingest *in, const struct digest *host, const struct digest *key)
{
	char name[2 * DIGEST_SIZE + 1], hex[2 * DIGEST_SIZE + 1];

	hex_encode(name, host->b, DIGEST_SIZE);
	return shelf_put(&in->renewals, name, SPAN_STR(hex_encode(hex, key->b, DIGEST_SIZE)), NULL);
}

int renewal_done(struct ingest *in, const struct digest *host)
{
	char hex[2 * DIGEST_SIZE + 1];

	return shelf_drop(&in->renewals, hex_encode(hex, host->b, DIGEST_SIZE));
}

/* --- who asks --- */

static int turn_away(struct ingest *in, struct ask *a, const struct store_host *h, const struct digest *id,
	unsigned cause, const char *word, const char *reason)
{
	int r = 0;

	in->count.turned_away++;
	if (cause)
		r = journal_refused(in->journal, h, id, cause, NULL, 0, reason);
	answer_error(a->req, 403, word, reason, 0);
	if (r)
		ingest_fail(in, r, "journal");
	return V_DENIED;
}

/* Is the key of the connection the PC's? One that a renewal has given it becomes the PC's by being used. */
static int key_fits(struct ingest *in, struct store_host *h, const struct digest *key)
{
	struct digest next;
	int r;

	if (digest_eq(&h->tls_key, key))
		return 0;
	r = renewal_get(in, &h->id, &next);
	if (r || !digest_eq(&next, key))
		return r < 0 ? r : V_DENIED;
	h->tls_key = next;
	r = store_host_put(in->store, h);
	return r ? r : renewal_done(in, &h->id);
}

int host_of(struct ingest *in, struct ask *a, struct store_host *out)
{
	struct cert_info peer;
	struct store_host h;
	struct digest id;
	int r;

	if (ask_peer(a, &peer))
		return turn_away(in, a, NULL, NULL, 0, "unknown", "a client certificate is needed");
	/* CN and certificate are the CA's word: what does not name a PC was not issued for one. */
	if (hex_decode(peer.cn, id.b, DIGEST_SIZE))
		return turn_away(in, a, NULL, NULL, CAUSE_UNKNOWN_HOST, "unknown", "the certificate names no PC");
	r = store_host_get(in->store, &id, &h);
	if (r == V_NOT_FOUND)
		return turn_away(in, a, NULL, &id, CAUSE_UNKNOWN_HOST, "unknown", "the PC is not enrolled");
	if (!r && h.state == HOST_RETIRED)
		return turn_away(in, a, &h, NULL, CAUSE_RETIRED, "retired", "the PC is retired");
	if (!r && h.state != HOST_ACTIVE)
		return turn_away(in, a, &h, NULL, CAUSE_REVOKED, "revoked", "the PC is revoked");
	r = r ? r : key_fits(in, &h, &peer.key_id);
	if (r > 0)
		return turn_away(in, a, &h, NULL, CAUSE_UNKNOWN_HOST, "unknown",
			"the certificate's key is not the PC's any more");
	if (r) {
		answer_error(a->req, 503, "failed", "the store failed", 5);
		ingest_fail(in, r, "store");
		return V_DENIED;
	}
	*out = h;
	return 0;
}

struct finding {
	const char *name;
	struct store_host *out;
	unsigned n;
};

static int match(void *ctx, const struct store_host *h)
{
	struct finding *f = ctx;

	if (strcmp(h->name, f->name) != 0)
		return 0;
	*f->out = *h;
	f->n++;
	return 0;
}

int host_find(struct ingest *in, const char *name_or_id, struct store_host *out)
{
	struct store_host found;
	struct finding f = {.name = name_or_id, .out = &found};
	struct digest id;
	int r;

	if (!hex_decode(name_or_id, id.b, DIGEST_SIZE))
		return store_host_get(in->store, &id, out);
	r = store_host_each(in->store, match, &f);
	if (r)
		return r;
	if (f.n == 1)
		*out = found;
	return f.n == 1 ? 0 : f.n ? V_EXISTS : V_NOT_FOUND;
}
