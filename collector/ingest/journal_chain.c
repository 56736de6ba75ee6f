/*
 * The collector's own chain, found again in the log: after a restore its spool is gone, or older than the log. A chain
 * that began anew beside its own segments would be a fork, as of a cloned PC. Called before the sealer opens the spool.
 *
 * The newest segment of ours that the log has is laid where the sealer looks for it when it has lost its state.
 */
#include "collector/ingest/journal.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/wire/segment.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#define CHAIN_MAX 512u

/* Where the spool says that the chain goes on; 0 where it does not know. 0, -errno. */
static int next_of(const char *path, uint64_t *next)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CHAIN_MAX);
	int r = file_read(path, &b);

	*next = 0;
	if (r < 0)
		return r;
	if (!r && (!buf_str(&b) || sscanf((const char *)b.p, "sekisho-chain 1\nnext %" SCNu64, next) != 1))
		*next = 0;
	return 0;
}

/* The bytes of a segment, as it was sealed (policy/wire/segment.h). */
static int whole(struct store *s, const struct digest *hash, struct buf *out, struct why *why)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX);
	uint64_t index, seq;
	int r = store_find(s, hash, &index, &seq);

	r = r ? r : store_read(s, index, &header, &body, why);
	return r ? r : segment_join(buf_span(&header), buf_span(&body), out);
}

int journal_regain(const struct config *c, const struct keys *k, struct store *s, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SEGMENT_MAX);
	char chain[PATH_MAX], dir[PATH_MAX], path[PATH_MAX + 32];
	struct store_head head;
	uint64_t next;
	unsigned n;
	int r = store_heads(s, &k->host, PRODUCER_COLLECTOR, &head, 1, &n);

	if (r)
		return r == V_NOT_FOUND ? 0 : r;
	snprintf(chain, sizeof(chain), "%s/collector.own/chain", c->spool);
	r = next_of(chain, &next);
	if (r || next > head.seq)
		return r;
	r = whole(s, &head.hash, &b, why);
	if (r)
		return r;
	snprintf(dir, sizeof(dir), "%s/collector", c->spool);
	r = dir_make(dir, 0750);
	snprintf(dir, sizeof(dir), "%s/collector/acked", c->spool);
	r = r ? r : dir_make(dir, 0750);
	snprintf(path, sizeof(path), "%s/%020" PRIu64 ".seg", dir, head.seq);
	r = r ? r : file_replace(path, buf_span(&b), 0640);
	if (!r && unlink(chain) && errno != ENOENT)
		r = -errno;
	if (!r)
		log_notice("the collector's own chain goes on behind segment %" PRIu64 ", as the log has it", head.seq);
	return r;
}
