/*
 * Where a producer's chain stands: kept in the file `chain`, and found again in the segments where that file lags or is
 * gone. Called by the sealer alone.
 */
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/wire/sealer_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#define CHAIN_MAX 512

static const char *const open_names[] = {"none", "file", "memory"};

int chain_store(const struct sealer *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CHAIN_MAX);
	char hex[2 * DIGEST_SIZE + 1];
	int r = buf_putf(&b, "sekisho-chain 1\nnext %" PRIu64 "\nprev %s\nepoch %" PRIu64 "\nopen %s\n", s->next_seq,
		hex_encode(hex, s->prev.b, DIGEST_SIZE), s->epoch, open_names[s->chain_open]);

	return r ? r : file_replace_at(s->ownfd, "chain", buf_span(&b), 0640);
}

int chain_load(struct sealer *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CHAIN_MAX);
	char hex[2 * DIGEST_SIZE + 2];
	uint64_t next, epoch;
	char where[8];
	size_t i;
	int end = 0;
	int r = file_read_at(s->ownfd, "chain", &b);

	if (r)
		return r == V_FULL ? V_BAD : r;
	if (!buf_str(&b) ||
		sscanf((char *)b.p,
			"sekisho-chain 1\nnext %" SCNu64 "\nprev %65[0-9a-f]\nepoch %" SCNu64 "\nopen %7[a-z]\n%n",
			&next, hex, &epoch, where, &end) != 4 ||
		(size_t)end != b.n)
		return V_BAD;
	for (i = 0; i < ARRAY_SIZE(open_names) && strcmp(where, open_names[i]); i++)
		;
	if (i == ARRAY_SIZE(open_names) || hex_decode(hex, s->prev.b, DIGEST_SIZE))
		return V_BAD;
	s->chain_open = (enum chain_open)i;
	s->next_seq = next;
	s->epoch = epoch;
	return 0;
}

/*
 * A segment that was written while the chain file was not: the newest files continue the chain that the file tells.
 * Stops at the first one that does not belong.
 */
int chain_adopt(struct sealer *s, bool chain_known)
{
	bool found = false;
	int r;

	for (;;) {
		_cleanup_buf_ struct buf b = BUF_INIT(SEGMENT_MAX);
		struct segment seg;

		r = room_read(s, ".", s->next_seq, &b);
		if (r == V_NOT_FOUND)
			r = room_read(s, "acked", s->next_seq, &b);
		if (r < 0)
			return r;
		if (r || segment_parse(buf_span(&b), &seg, NULL) || !digest_eq(&seg.header.host, &s->host) ||
			seg.header.producer != s->o.producer || seg.header.seq != s->next_seq ||
			(chain_known && s->next_seq && !digest_eq(&seg.header.prev, &s->prev)))
			break;
		s->prev = seg.hash;
		s->next_seq = seg.header.seq + 1;
		s->epoch = seg.header.epoch > s->epoch ? seg.header.epoch : s->epoch;
		if (seg.header.flags & SF_LAST)
			s->chain_open = CHAIN_OPEN_NONE;
		else if (s->chain_open == CHAIN_OPEN_NONE)
			s->chain_open = CHAIN_OPEN_FILE;
		chain_known = found = true;
	}
	return found ? chain_store(s) : 0;
}

int chain_from_files(struct sealer *s)
{
	static const char *const subs[] = {".", "acked"};
	uint64_t newest = 0, seq;
	bool any = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(subs); i++) {
		_cleanup_closedir_ DIR *dir = NULL;
		struct dirent *d;
		struct stat st;

		if (dir_open_at(s->dirfd, subs[i], &dir))
			continue;
		while ((d = readdir(dir))) {
			if (!room_is_ours(dirfd(dir), d->d_name, &seq, &st) || (any && seq < newest))
				continue;
			newest = seq;
			any = true;
		}
	}
	if (!any)
		return V_NOT_FOUND;
	s->next_seq = newest;
	s->epoch = 0;
	return chain_adopt(s, false);
}
