/*
 * Packs: a month of the former layout, whose bodies lay in one file ("2026-11.bodies") in the order of the headers. It
 * is split by channel when the store is opened for writing.
 *
 * The former file is removed last, after all that the checkpoint covers has been copied, synced and renamed: where the
 * power fails before that, it is done again from the start. Bytes are copied as they are; damage in them is told by who
 * reads them.
 */
#include "collector/store/pack_parts.h"
#include "policy/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FORMER "bodies"

bool pack_former(const struct packs *p, const struct pack *k)
{
	char path[PATH_MAX];

	return !pack_path(p, k, FORMER, path, sizeof(path)) && !access(path, F_OK);
}

struct split {
	int headers, former, out[PACK_CHANNELS];
	struct buf header, body;
	uint64_t leaves;
};

static int part_path(const struct packs *p, const struct pack *k, unsigned channel, bool fresh, char *out, size_t size)
{
	char name[32], what[40];

	snprintf(what, sizeof(what), "%s%s", pack_bodies_name(channel, name), fresh ? ".new" : "");
	return pack_path(p, k, what, out, size);
}

static int copy_body(struct packs *p, const struct pack *k, struct split *s, const struct header *h, uint64_t at)
{
	size_t n = FRAME_HEAD + (size_t)h->body_len;
	int *fd = &s->out[h->producer];
	char path[PATH_MAX];
	int r;

	buf_clear(&s->body);
	r = buf_reserve(&s->body, n);
	r = r ? r : pack_read_at(s->former, s->body.p, n, at);
	if (!r && get_be32(s->body.p) != h->body_len)
		r = V_BAD;
	if (r || *fd >= 0)
		return r ? r : write_all(*fd, s->body.p, n);
	r = part_path(p, k, h->producer, true, path, sizeof(path));
	if (r)
		return r;
	*fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	return *fd < 0 ? -errno : write_all(*fd, s->body.p, n);
}

/* Every leaf that is whole, from the first on. 0; V_* where one is not, with the reason; -errno. */
static int copy_all(struct packs *p, const struct pack *k, struct split *s, struct why *why)
{
	uint64_t h = 0, b = 0;
	struct segment seg;
	int r = 0;

	for (;;) {
		uint8_t byte;

		r = pack_read_at(s->headers, &byte, 1, h);
		if (r)
			return r == V_END ? 0 : r;
		buf_clear(&s->header);
		r = pack_frame(k, "headers", s->headers, h, SEGMENT_HEADER_MAX, &s->header, why);
		if (!r && header_parse(buf_span(&s->header), &seg, NULL))
			r = pack_damaged(why, k, "headers", h, "not a header");
		if (r)
			return r;
		r = copy_body(p, k, s, &seg.header, b);
		if (r)
			return r < 0 ? r : pack_damaged(why, k, FORMER, b, "not the body that its header names");
		h += FRAME_HEAD + s->header.n;
		b += FRAME_HEAD + seg.header.body_len;
		s->leaves++;
	}
}

/* All of it is on the disk before the first name changes. */
static int put_in_place(const struct packs *p, const struct pack *k, const struct split *s)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	unsigned c;
	int r = 0;

	for (c = 0; c < PACK_CHANNELS; c++)
		if (s->out[c] >= 0 && fdatasync(s->out[c]))
			return -errno;
	for (c = 0; !r && c < PACK_CHANNELS; c++) {
		if (s->out[c] < 0)
			continue;
		r = part_path(p, k, c, true, fresh, sizeof(fresh));
		r = r ? r : part_path(p, k, c, false, path, sizeof(path));
		if (!r && rename(fresh, path))
			r = -errno;
	}
	/* They tell of places in the former file; without them they are made again. */
	r = r ? r : pack_path(p, k, "offsets", path, sizeof(path));
	if (!r && unlink(path) && errno != ENOENT)
		r = -errno;
	r = r ? r : dir_sync(p->dir);
	r = r ? r : pack_path(p, k, FORMER, path, sizeof(path));
	if (!r && unlink(path))
		r = -errno;
	return r ? r : dir_sync(p->dir);
}

static void split_end(const struct packs *p, const struct pack *k, struct split *s, bool failed)
{
	char path[PATH_MAX];
	unsigned c;

	for (c = 0; c < PACK_CHANNELS; c++) {
		if (s->out[c] >= 0 && failed && !part_path(p, k, c, true, path, sizeof(path)))
			unlink(path);
		closep(&s->out[c]);
	}
	closep(&s->headers);
	closep(&s->former);
	buf_deinit(&s->header);
	buf_deinit(&s->body);
}

int pack_split(struct packs *p, const struct pack *k, uint64_t size, struct why *why)
{
	struct split s = {.headers = -1,
		.former = -1,
		.out = {[0 ... PACK_CHANNELS - 1] = -1},
		.header = BUF_INIT(SEGMENT_HEADER_MAX),
		.body = BUF_INIT(FRAME_HEAD + SEGMENT_BODY_MAX)};
	struct why damage = {""};
	char path[PATH_MAX];
	int r;

	if (!pack_former(p, k))
		return 0;
	r = pack_path(p, k, "headers", path, sizeof(path));
	s.headers = r ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (!r && s.headers < 0)
		r = -errno;
	r = r ? r : pack_path(p, k, FORMER, path, sizeof(path));
	s.former = r ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (!r && s.former < 0)
		r = -errno;
	r = r ? r : copy_all(p, k, &s, &damage);
	/* What lies behind the checkpoint was never acknowledged. */
	if (r > 0)
		r = k->first + s.leaves >= size ? 0 : why_set(why, V_BAD, "%s", damage.text);
	r = r ? r : put_in_place(p, k, &s);
	split_end(p, k, &s, r != 0);
	return r;
}
