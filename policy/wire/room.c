/*
 * The spool's bound. What gives way when it is reached: acknowledged segments first, oldest first; then what the policy
 * says; and whatever goes unsent is counted. Called by the sealer alone.
 */
#include "policy/base/file.h"
#include "policy/wire/sealer_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define RESCAN_US 10000000
/* Beyond the bound, for what must not be lost while there is any disk at all. */
#define URGENT_RESERVE (16ull << 20)

void room_scan(struct sealer *s, int64_t now)
{
	static const char *const subs[] = {".", "acked", "refused"};
	uint64_t total = OPEN_SIZE, waiting = 0, waiting_n = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(subs); i++) {
		_cleanup_closedir_ DIR *dir = NULL;
		struct dirent *d;
		uint64_t seq;
		struct stat st;

		if (dir_open_at(s->dirfd, subs[i], &dir))
			continue;
		while ((d = readdir(dir))) {
			if (!spool_name_parse(d->d_name, &seq) ||
				fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW))
				continue;
			total += (uint64_t)st.st_size;
			if (i == 0) {
				waiting += (uint64_t)st.st_size;
				waiting_n++;
			}
		}
	}
	s->bytes_now = total;
	s->scanned_us = now;
	s->stats.spool_bytes = waiting;
	s->stats.spool_segments = waiting_n;
}

/* The oldest segment below `sub` ("." or "acked"). 0 or V_END. */
static int oldest_in(struct sealer *s, const char *sub, uint64_t *seq)
{
	_cleanup_closedir_ DIR *dir = NULL;
	uint64_t best = UINT64_MAX, q;
	struct dirent *d;

	if (dir_open_at(s->dirfd, sub, &dir))
		return V_END;
	while ((d = readdir(dir)))
		if (spool_name_parse(d->d_name, &q) && q < best)
			best = q;
	if (best == UINT64_MAX)
		return V_END;
	*seq = best;
	return 0;
}

/*
 * Gives up one unacknowledged segment that holds nothing urgent, and counts what was in it. One that brings a sealing
 * key's certificate stays: without it nobody could judge what that key sealed.
 */
static int drop_oldest(struct sealer *s)
{
	uint64_t seq;

	for (seq = 0;; seq++) {
		_cleanup_buf_ struct buf b = BUF_INIT(SEGMENT_MAX);
		struct spool_entry e;
		struct segment seg;
		int r = spool_oldest(s->spool_dir, s->o.producer, seq, &e);

		if (r)
			return r;
		seq = e.seq;
		r = file_read(e.path, &b);
		if (r < 0)
			return r;
		if (!r && !segment_parse(buf_span(&b), &seg, NULL) &&
			(seg.header.flags & SF_URGENT || seg.header.epoch_cert.n))
			continue;
		if (unlink(e.path))
			return -errno;
		sealer_lost(s, CAUSE_SPOOL_FULL, r ? 1 : seg.header.count);
		return 0;
	}
}

bool room_make(struct sealer *s, uint64_t need, bool urgent, int64_t now)
{
	uint64_t bound = s->o.bound + (urgent ? URGENT_RESERVE : 0);
	bool scanned = false;

	if (now - s->scanned_us > RESCAN_US) {
		room_scan(s, now);
		scanned = true;
	}
	for (;;) {
		char name[64];
		struct statvfs fs;
		struct stat st;
		bool tight = s->bytes_now + need > bound;
		uint64_t seq;

		if (!tight && !fstatvfs(s->dirfd, &fs))
			tight = (uint64_t)fs.f_bavail * fs.f_frsize < (urgent ? 0 : s->o.floor) + need;
		if (!tight)
			return true;
		if (!scanned) {
			room_scan(s, now);
			scanned = true;
			continue;
		}
		if (!oldest_in(s, "acked", &seq)) {
			snprintf(name, sizeof(name), "acked/%020" PRIu64 ".seg", seq);
			if (fstatat(s->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) || unlinkat(s->dirfd, name, 0))
				return false;
			s->bytes_now -= (uint64_t)st.st_size;
			continue;
		}
		if (s->o.yield != SPOOL_DROP_OLD || drop_oldest(s))
			return false;
		room_scan(s, now);
	}
}
