/*
 * The spool's files, from the uplink's side: find what waits, move what was answered. See spool.h for the layout.
 *
 * Nothing here opens a segment or judges it; nothing is removed that was not acknowledged.
 */
#include "policy/wire/spool.h"
#include "policy/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#define NAME_DIGITS 20
#define NAME_LEN (NAME_DIGITS + 4)

/* The sequence in a name of 20 digits and ".seg"; false for every other name. */
bool spool_name_parse(const char *name, uint64_t *seq)
{
	uint64_t v = 0;
	size_t i;

	if (strlen(name) != NAME_LEN || strcmp(name + NAME_DIGITS, ".seg"))
		return false;
	for (i = 0; i < NAME_DIGITS; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(name[i] - '0'), &v))
			return false;
	}
	*seq = v;
	return true;
}

static int entry(const char *spool_dir, unsigned producer, const char *sub, uint64_t seq, struct spool_entry *out)
{
	struct spool_entry e = {.producer = producer, .seq = seq};
	struct stat st;
	int n = snprintf(e.path, sizeof(e.path), "%s/%s/%s%020llu.seg", spool_dir, producer_name(producer), sub,
		(unsigned long long)seq);

	if (n < 0 || (size_t)n >= sizeof(e.path))
		return -ENAMETOOLONG;
	if (stat(e.path, &st))
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	e.size = (uint64_t)st.st_size;
	*out = e;
	return 0;
}

static int open_dir(const char *spool_dir, unsigned producer, const char *sub, DIR **out)
{
	char path[256];
	int n = snprintf(path, sizeof(path), "%s/%s/%s", spool_dir, producer_name(producer), sub);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	*out = opendir(path);
	return *out ? 0 : errno == ENOENT ? V_NOT_FOUND : -errno;
}

int spool_oldest(const char *spool_dir, unsigned producer, uint64_t from, struct spool_entry *out)
{
	_cleanup_closedir_ DIR *dir = NULL;
	uint64_t best = UINT64_MAX, seq;
	struct dirent *d;
	int r;

	/* The common case, without a scan: the next one is there. */
	r = entry(spool_dir, producer, "", from, out);
	if (r != V_NOT_FOUND)
		return r;
	r = open_dir(spool_dir, producer, "", &dir);
	if (r)
		return r == V_NOT_FOUND ? V_END : r;
	while ((d = readdir(dir)))
		if (spool_name_parse(d->d_name, &seq) && seq >= from && seq < best)
			best = seq;
	if (best == UINT64_MAX)
		return V_END;
	r = entry(spool_dir, producer, "", best, out);
	return r == V_NOT_FOUND ? V_END : r;
}

int spool_find(const char *spool_dir, unsigned producer, uint64_t seq, struct spool_entry *out)
{
	int r = entry(spool_dir, producer, "", seq, out);

	return r == V_NOT_FOUND ? entry(spool_dir, producer, "acked/", seq, out) : r;
}

static int move(const char *spool_dir, const struct spool_entry *e, const char *from, const char *to)
{
	char old[256], new[256];
	const char *who = producer_name(e->producer);
	int a = snprintf(old, sizeof(old), "%s/%s/%s%020llu.seg", spool_dir, who, from, (unsigned long long)e->seq);
	int b = snprintf(new, sizeof(new), "%s/%s/%s%020llu.seg", spool_dir, who, to, (unsigned long long)e->seq);

	if (a < 0 || b < 0 || (size_t)a >= sizeof(old) || (size_t)b >= sizeof(new))
		return -ENAMETOOLONG;
	/* Without fsync: a move that a power cut undoes costs one more answer of "known". */
	if (rename(old, new))
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	return 0;
}

int spool_acked(const char *spool_dir, const struct spool_entry *e)
{
	return move(spool_dir, e, "", "acked/");
}

int spool_refused(const char *spool_dir, const struct spool_entry *e)
{
	return move(spool_dir, e, "", "refused/");
}

int spool_resend(const char *spool_dir, unsigned producer, uint64_t from, uint64_t *n)
{
	_cleanup_closedir_ DIR *dir = NULL;
	uint64_t moved = 0, seq;
	struct dirent *d;
	int r = open_dir(spool_dir, producer, "acked", &dir);

	if (r && r != V_NOT_FOUND)
		return r;
	while (dir && (d = readdir(dir))) {
		struct spool_entry e = {.producer = producer};

		if (!spool_name_parse(d->d_name, &seq) || seq < from)
			continue;
		e.seq = seq;
		r = move(spool_dir, &e, "acked/", "");
		if (r < 0)
			return r;
		moved += !r;
	}
	*n = moved;
	return 0;
}

int spool_tidy(const char *spool_dir, unsigned producer, uint64_t keep_us)
{
	_cleanup_closedir_ DIR *dir = NULL;
	time_t now = time(NULL);
	struct dirent *d;
	uint64_t seq;
	int r = open_dir(spool_dir, producer, "acked", &dir);

	if (r)
		return r == V_NOT_FOUND ? 0 : r;
	while ((d = readdir(dir))) {
		struct stat st;

		if (!spool_name_parse(d->d_name, &seq) || fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		/* ctime: the move into acked/ set it, and nobody can set it back. */
		if (now > st.st_ctime && (uint64_t)(now - st.st_ctime) >= keep_us / 1000000)
			unlinkat(dirfd(dir), d->d_name, 0);
	}
	return 0;
}

int spool_depth(const char *spool_dir, unsigned producer, uint64_t *segments, uint64_t *bytes)
{
	_cleanup_closedir_ DIR *dir = NULL;
	uint64_t n = 0, total = 0, seq;
	struct dirent *d;
	int r = open_dir(spool_dir, producer, "", &dir);

	if (r && r != V_NOT_FOUND)
		return r;
	while (dir && (d = readdir(dir))) {
		struct stat st;

		if (!spool_name_parse(d->d_name, &seq) || fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		n++;
		total += (uint64_t)st.st_size;
	}
	*segments = n;
	*bytes = total;
	return 0;
}
