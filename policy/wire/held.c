/*
 * What cannot be sealed now: the device key is away (a TPM that is gone, a token that was pulled), or the disk has no
 * room for a segment. The open segment is written through then, so that it outlives a power cut, and where the next one
 * is needed its file is put aside: `held-SEQ`, sealed in order before all else as soon as the key is back, under a key
 * for the boot that its records are of. Called by the sealer alone.
 *
 * Written through in this order: the records, then the line of the disk that says how many of them count. Records are
 * only ever appended, so a power cut between the two leaves what was held before; and a sequence that the chain has
 * passed was sealed, whatever its file says.
 */
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/wire/sealer_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HELD_NAME "held-"
#define HELD_MAX 64u

static void hash_of(const struct open_head *h, const uint8_t *raw, uint8_t out[16])
{
	struct open_head said = *h;
	struct digest d, records;

	/* What was put since does not count. */
	said.used = said.held;
	digest_span(&records, SPAN(raw, h->held));
	memcpy(said.held_hash, records.b, sizeof(said.held_hash));
	digest_span(&d, SPAN((const uint8_t *)&said, sizeof(said)));
	memcpy(out, d.b, sizeof(h->held_hash));
}

bool held_is_whole(const struct open_head *h, const uint8_t *raw)
{
	uint8_t hash[16];

	if (memcmp(h->magic, OPEN_MAGIC, sizeof(h->magic)) || !h->held || h->held > OPEN_RAW_MAX)
		return false;
	hash_of(h, raw, hash);
	return !memcmp(hash, h->held_hash, sizeof(hash));
}

int held_write(struct sealer *s)
{
	_cleanup_close_ int fd = -1;
	struct open_head *h = s->open;

	if (!s->open_is_file || h->held == h->used)
		return 0;
	/* Linux writes what a mapping has changed as well (mm/filemap.c: file_write_and_wait_range). */
	fd = openat(s->ownfd, "open", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fdatasync(fd))
		return -errno;
	h->held = h->used;
	h->held_flags = s->urgent ? SF_URGENT : 0;
	h->held_us = clock_boot_us();
	hash_of(h, s->raw.p, h->held_hash);
	return fdatasync(fd) ? -errno : 0;
}

static void name_of(char name[40], uint64_t seq)
{
	snprintf(name, 40, HELD_NAME "%020" PRIu64, seq);
}

static bool name_parse(const char *name, uint64_t *seq)
{
	char again[40];

	if (strncmp(name, HELD_NAME, strlen(HELD_NAME)) != 0)
		return false;
	*seq = strtoull(name + strlen(HELD_NAME), NULL, 10);
	name_of(again, *seq);
	return !strcmp(name, again);
}

int held_put_aside(struct sealer *s)
{
	struct open_head *was = s->open;
	char name[40];
	int r;

	if (!s->open_is_file || s->held_n >= HELD_MAX)
		return V_FULL;
	/* What another boot left is held, or it would not have been taken. */
	r = memcmp(s->open->boot, s->boot, sizeof(s->boot)) ? 0 : held_write(s);
	name_of(name, s->open->seq);
	if (r || renameat(s->ownfd, "open", s->ownfd, name))
		return V_FULL;
	(void)fsync(s->ownfd);
	s->held_n++;
	r = open_map(s);
	if (r)
		return r;
	munmap(was, OPEN_SIZE);
	open_reset(s);
	return 0;
}

/* The one with the lowest sequence, and how many there are. */
static unsigned scan(const struct sealer *s, uint64_t *first)
{
	_cleanup_closedir_ DIR *dir = NULL;
	unsigned n = 0;
	struct dirent *d;
	uint64_t seq;

	if (dir_open_at(s->ownfd, ".", &dir))
		return 0;
	while ((d = readdir(dir))) {
		if (!name_parse(d->d_name, &seq))
			continue;
		*first = n && *first < seq ? *first : seq;
		n++;
	}
	return n;
}

void held_scan(struct sealer *s)
{
	uint64_t seq = 0;

	while ((s->held_n = scan(s, &seq)) && seq < s->next_seq)
		held_done(s, seq, false);
}

int held_oldest(struct sealer *s, uint64_t *seq, struct buf *out)
{
	char name[40];
	int r;

	s->held_n = scan(s, seq);
	if (!s->held_n)
		return V_END;
	name_of(name, *seq);
	r = file_read_plain_at(s->ownfd, name, geteuid(), out);
	if (r < 0)
		return r;
	if (r || out->n < OPEN_HEAD || ((const struct open_head *)(const void *)out->p)->held > out->n - OPEN_HEAD ||
		!held_is_whole((const struct open_head *)(const void *)out->p, out->p + OPEN_HEAD))
		return V_BAD;
	return 0;
}

void held_done(struct sealer *s, uint64_t seq, bool damaged)
{
	char name[40], aside[48];

	name_of(name, seq);
	snprintf(aside, sizeof(aside), "damaged-%s", name);
	if (damaged && !renameat(s->ownfd, name, s->ownfd, aside))
		return;
	(void)unlinkat(s->ownfd, name, 0);
}
