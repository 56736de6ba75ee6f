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

bool room_is_ours(int dirfd, const char *name, uint64_t *seq, struct stat *st)
{
	return spool_name_parse(name, seq) && !fstatat(dirfd, name, st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st->st_mode) &&
	       st->st_uid == geteuid();
}

int room_read(const struct sealer *s, const char *sub, uint64_t seq, struct buf *out)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char name[32];

	/* A folder that cannot be opened is nobody's but of whoever put it there. */
	if (dir_open_at(s->dirfd, sub, &dir))
		return V_NOT_FOUND;
	snprintf(name, sizeof(name), "%020" PRIu64 ".seg", seq);
	return file_read_plain_at(dirfd(dir), name, geteuid(), out);
}

void room_scan(struct sealer *s, int64_t now)
{
	static const char *const subs[] = {".", "acked", "refused"};
	uint64_t total = (1 + s->held_n) * (uint64_t)OPEN_SIZE, waiting = 0, waiting_n = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(subs); i++) {
		_cleanup_closedir_ DIR *dir = NULL;
		struct dirent *d;
		uint64_t seq;
		struct stat st;

		if (dir_open_at(s->dirfd, subs[i], &dir))
			continue;
		while ((d = readdir(dir))) {
			if (!room_is_ours(dirfd(dir), d->d_name, &seq, &st))
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

/* The oldest segment of ours below `sub` ("." or "acked") with a sequence of at least `from`. 0 or V_END. */
static int oldest_in(struct sealer *s, const char *sub, uint64_t from, uint64_t *seq)
{
	_cleanup_closedir_ DIR *dir = NULL;
	uint64_t best = UINT64_MAX, q;
	struct dirent *d;
	struct stat st;

	if (dir_open_at(s->dirfd, sub, &dir))
		return V_END;
	while ((d = readdir(dir)))
		if (room_is_ours(dirfd(dir), d->d_name, &q, &st) && q >= from && q < best)
			best = q;
	if (best == UINT64_MAX)
		return V_END;
	*seq = best;
	return 0;
}

/* Removes it, if it is still there. What that freed. 0, -errno. */
static int give_up(struct sealer *s, const char *sub, uint64_t seq, uint64_t *freed)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct stat st;
	char name[32];
	int r = dir_open_at(s->dirfd, sub, &dir);

	*freed = 0;
	snprintf(name, sizeof(name), "%020" PRIu64 ".seg", seq);
	if (!r && (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) || unlinkat(dirfd(dir), name, 0)))
		r = errno == ENOENT ? V_NOT_FOUND : -errno;
	if (!r)
		*freed = (uint64_t)st.st_size;
	return r < 0 ? r : 0;
}

/*
 * Gives up one unacknowledged segment that holds nothing urgent, and counts what was in it. One that brings a sealing
 * key's certificate stays: without it nobody could judge what that key sealed.
 */
static int drop_oldest(struct sealer *s)
{
	uint64_t seq, freed;

	for (seq = 0;; seq++) {
		_cleanup_buf_ struct buf b = BUF_INIT(SEGMENT_MAX);
		struct segment seg;
		bool whole;
		int r = oldest_in(s, ".", seq, &seq);

		if (r)
			return r;
		r = room_read(s, ".", seq, &b);
		if (r < 0)
			return r;
		whole = !r && !segment_parse(buf_span(&b), &seg, NULL);
		if (whole && (seg.header.flags & SF_URGENT || seg.header.epoch_cert.n))
			continue;
		r = give_up(s, ".", seq, &freed);
		if (r)
			return r;
		sealer_lost(s, CAUSE_SPOOL_FULL, whole ? seg.header.count : 1);
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
		struct statvfs fs;
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
		if (!oldest_in(s, "acked", 0, &seq)) {
			uint64_t freed;

			if (give_up(s, "acked", seq, &freed))
				return false;
			s->bytes_now -= freed;
			continue;
		}
		if (s->o.yield != SPOOL_DROP_OLD || drop_oldest(s))
			return false;
		room_scan(s, now);
	}
}
