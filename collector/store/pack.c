/*
 * Packs: writing in groups, reading by leaf. Finding out what is there after a crash is pack_open.c's.
 *
 * The order in packs_sync is the store's promise: written, fdatasync, read back, compared; only then does a leaf reach
 * the tree. A bit that flips between receiving and storing is caught here, not years later.
 */
#include "collector/store/crc.h"
#include "collector/store/pack_parts.h"
#include "policy/base/file.h"
#include "policy/trust/merkle.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int pack_path(const struct packs *p, const struct pack *k, const char *what, char *out, size_t size)
{
	return (size_t)snprintf(out, size, "%s/%s.%s", p->dir, k->month, what) < size ? 0 : -ENAMETOOLONG;
}

static int open_one(struct packs *p, const struct pack *k, const char *what, bool make, int *fd)
{
	int flags = (p->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW;
	char path[PATH_MAX];
	int r;

	if (*fd >= 0)
		return 0;
	r = pack_path(p, k, what, path, sizeof(path));
	if (r)
		return r;
	*fd = open(path, flags);
	if (*fd < 0 && errno == ENOENT && make) {
		*fd = open(path, flags | O_CREAT, 0640);
		p->fresh = true;
	}
	return *fd >= 0 ? 0 : -errno;
}

void pack_shut(struct packs *p, struct pack *k)
{
	unsigned i;

	if (k->headers >= 0)
		p->open--;
	closep(&k->headers);
	closep(&k->offsets);
	for (i = 0; i < PACK_CHANNELS; i++)
		closep(&k->bodies[i]);
}

int pack_files(struct packs *p, struct pack *k, bool make)
{
	int r;

	k->used = ++p->clock;
	if (k->headers >= 0)
		return 0;
	if (p->open >= PACK_OPEN_MAX) {
		struct pack *oldest = NULL;
		unsigned i;

		for (i = 0; i < p->n; i++)
			if (p->v[i].headers >= 0 && &p->v[i] != k && !(p->waiting && i == p->n - 1) &&
				(!oldest || p->v[i].used < oldest->used))
				oldest = &p->v[i];
		if (oldest)
			pack_shut(p, oldest);
	}
	r = open_one(p, k, "headers", make, &k->headers);
	if (r)
		return r;
	p->open++;
	r = open_one(p, k, "offsets", make || p->writable, &k->offsets);
	if (r)
		pack_shut(p, k);
	return r;
}

const char *pack_bodies_name(unsigned channel, char out[32])
{
	snprintf(out, 32, "%s.bodies", producer_name(channel) ?: "none");
	return out;
}

int pack_bodies(struct packs *p, struct pack *k, unsigned channel, bool make, int *fd)
{
	char name[32];
	int r = producer_name(channel) ? open_one(p, k, pack_bodies_name(channel, name), make, &k->bodies[channel])
				       : -EINVAL;

	if (!r)
		*fd = k->bodies[channel];
	return r == -ENOENT ? V_NOT_FOUND : r;
}

#define PLACE_BITS 56

bool pack_place(uint64_t code, unsigned *channel, uint64_t *at)
{
	*channel = (unsigned)(code >> PLACE_BITS);
	*at = code & ((UINT64_C(1) << PLACE_BITS) - 1);
	return producer_name(*channel) != NULL;
}

uint64_t pack_place_code(unsigned channel, uint64_t at)
{
	return (uint64_t)channel << PLACE_BITS | at;
}

static int write_at(int fd, const void *bytes, size_t n, uint64_t at)
{
	const uint8_t *b = bytes;

	while (n) {
		ssize_t w = pwrite(fd, b, n, (off_t)at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w < 0 ? -errno : -EIO;
		b += w;
		n -= (size_t)w;
		at += (uint64_t)w;
	}
	return 0;
}

int pack_read_at(int fd, void *bytes, size_t n, uint64_t at)
{
	uint8_t *b = bytes;

	while (n) {
		ssize_t r = pread(fd, b, n, (off_t)at);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r)
			return V_END;
		b += r;
		n -= (size_t)r;
		at += (uint64_t)r;
	}
	return 0;
}

/* --- writing --- */

static int begin_pack(struct packs *p, const char *month)
{
	struct pack *last = p->n ? &p->v[p->n - 1] : NULL;
	struct pack k = PACK_NONE;
	struct pack *v;
	int r;

	/* A clock that goes back does not reorder the packs. */
	if (last && strcmp(month, last->month) <= 0)
		return pack_files(p, last, true);
	if (p->n == PACKS_MAX)
		return V_FULL;
	v = realloc(p->v, (p->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	p->v = v;
	snprintf(k.month, sizeof(k.month), "%s", month);
	k.first = packs_size(p);
	p->v[p->n++] = k;
	r = pack_files(p, &p->v[p->n - 1], true);
	if (r)
		p->n--;
	return r;
}

static int put_frame(struct buf *b, struct span s)
{
	uint8_t head[FRAME_HEAD];
	int r = buf_reserve(b, FRAME_HEAD + s.n);

	if (r)
		return r;
	put_be32(head, (uint32_t)s.n);
	put_be32(head + 4, crc32c(s));
	buf_put(b, head, sizeof(head));
	return buf_put_span(b, s);
}

static int spill(struct packs *p, unsigned channel)
{
	struct pack *k = &p->v[p->n - 1];
	struct pack_out *o = &p->out[channel];
	int r = o->waiting.n
			? write_at(k->bodies[channel], o->waiting.p, o->waiting.n, k->body_end[channel] + o->written)
			: 0;

	if (r)
		return r;
	o->written += o->waiting.n;
	buf_clear(&o->waiting);
	return 0;
}

bool packs_room(const struct packs *p, const struct segment *s)
{
	return p->waiting < PACK_GROUP_MAX && p->headers.n + FRAME_HEAD + s->header_bytes.n <= p->headers.max;
}

/* Nothing of the channel is there any more, nor comes: the headers alone do. */
static int drop_bodies(struct packs *p, struct pack *k, unsigned channel)
{
	char path[PATH_MAX], name[32];
	int r = pack_path(p, k, pack_bodies_name(channel, name), path, sizeof(path));

	if (r)
		return r;
	closep(&k->bodies[channel]);
	if (!unlink(path))
		p->fresh = true;
	else if (errno != ENOENT)
		return -errno;
	k->body_end[channel] = 0;
	return 0;
}

int packs_append(struct packs *p, const char *month, const struct segment *s)
{
	unsigned channel = s->header.producer;
	uint8_t place[PLACE_SIZE];
	struct pack_out *o;
	struct pack *k;
	int r, fd;

	if (!packs_room(p, s))
		return V_FULL;
	o = &p->out[channel];
	if (!p->waiting) {
		r = begin_pack(p, month);
		if (r)
			return r;
	}
	if (!p->leaves) {
		p->leaves = calloc(PACK_GROUP_MAX, sizeof(*p->leaves));
		p->lengths = calloc(PACK_GROUP_MAX, sizeof(*p->lengths));
		if (!p->leaves || !p->lengths)
			return -ENOMEM;
	}
	k = &p->v[p->n - 1];
	r = s->body.n ? pack_bodies(p, k, channel, true, &fd) : drop_bodies(p, k, channel);
	if (r)
		return r > 0 ? -EIO : r;
	if (!o->waiting.max)
		o->waiting = BUF_INIT(PACK_BUFFER + FRAME_HEAD + SEGMENT_BODY_MAX);
	if (o->waiting.n && o->waiting.n + s->body.n > PACK_BUFFER) {
		r = spill(p, channel);
		if (r)
			return r;
	}
	put_be64(place, k->header_end + p->headers.n);
	put_be64(place + 8, pack_place_code(channel, k->body_end[channel] + o->written + o->waiting.n));
	/* All three have room, or none is touched. */
	r = buf_reserve(&p->headers, FRAME_HEAD + s->header_bytes.n);
	r = r ? r : buf_reserve(&p->offsets, PLACE_SIZE);
	r = r || !s->body.n ? r : put_frame(&o->waiting, s->body);
	if (r)
		return r;
	put_frame(&p->headers, s->header_bytes);
	buf_put(&p->offsets, place, sizeof(place));
	merkle_leaf(s->header_bytes, &p->leaves[p->waiting]);
	p->lengths[p->waiting++] = (uint32_t)s->header_bytes.n;
	return 0;
}

/* The bytes of the group as the file has them now, in place of those that were written. */
static int read_back(struct packs *p, struct pack *k)
{
	size_t at = 0;
	unsigned i;
	int r = pack_read_at(k->headers, p->headers.p, p->headers.n, k->header_end);

	if (r)
		return r == V_END ? -EIO : r;
	for (i = 0; i < p->waiting; i++) {
		struct span leaf = SPAN(p->headers.p + at + FRAME_HEAD, p->lengths[i]);
		struct digest hash;

		merkle_leaf(leaf, &hash);
		if (get_be32(p->headers.p + at) != p->lengths[i] || get_be32(p->headers.p + at + 4) != crc32c(leaf) ||
			!digest_eq(&hash, &p->leaves[i]))
			return -EIO;
		at += FRAME_HEAD + p->lengths[i];
	}
	return 0;
}

int packs_sync(struct packs *p)
{
	struct pack *k;
	unsigned i;
	int r = 0;

	if (!p->waiting)
		return 0;
	k = &p->v[p->n - 1];
	for (i = 0; !r && i < PACK_CHANNELS; i++)
		r = spill(p, i);
	r = r ? r : write_at(k->headers, p->headers.p, p->headers.n, k->header_end);
	r = r ? r : write_at(k->offsets, p->offsets.p, p->offsets.n, k->count * PLACE_SIZE);
	if (r)
		return r;
	/* All are under way before the first is waited for. */
	sync_file_range(k->headers, 0, 0, SYNC_FILE_RANGE_WRITE);
	sync_file_range(k->offsets, 0, 0, SYNC_FILE_RANGE_WRITE);
	for (i = 0; i < PACK_CHANNELS; i++)
		if (p->out[i].written)
			sync_file_range(k->bodies[i], 0, 0, SYNC_FILE_RANGE_WRITE);
	for (i = 0; i < PACK_CHANNELS; i++)
		if (p->out[i].written && fdatasync(k->bodies[i]))
			return -errno;
	if (fdatasync(k->headers) || fdatasync(k->offsets))
		return -errno;
	if (p->fresh) {
		r = dir_sync(p->dir);
		if (r)
			return r;
		p->fresh = false;
	}
	return read_back(p, k);
}

static void forget(struct packs *p)
{
	unsigned i;

	buf_clear(&p->headers);
	buf_clear(&p->offsets);
	for (i = 0; i < PACK_CHANNELS; i++) {
		buf_clear(&p->out[i].waiting);
		p->out[i].written = 0;
	}
	p->waiting = 0;
}

void packs_done(struct packs *p)
{
	struct pack *k;
	unsigned i;

	if (!p->waiting)
		return;
	k = &p->v[p->n - 1];
	k->header_end += p->headers.n;
	for (i = 0; i < PACK_CHANNELS; i++)
		k->body_end[i] += p->out[i].written;
	k->count += p->waiting;
	forget(p);
}

int packs_undo(struct packs *p)
{
	struct pack *k;
	unsigned i;

	if (!p->waiting)
		return 0;
	forget(p);
	k = &p->v[p->n - 1];
	for (i = 0; i < PACK_CHANNELS; i++)
		if (k->bodies[i] >= 0 && ftruncate(k->bodies[i], (off_t)k->body_end[i]))
			return -errno;
	if (ftruncate(k->headers, (off_t)k->header_end) || ftruncate(k->offsets, (off_t)(k->count * PLACE_SIZE)))
		return -errno;
	return 0;
}

/* --- reading --- */

uint64_t packs_size(const struct packs *p)
{
	return p->n ? p->v[p->n - 1].first + p->v[p->n - 1].count : 0;
}

struct pack *packs_find(struct packs *p, uint64_t leaf)
{
	unsigned lo = 0, hi = p->n;

	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;

		if (p->v[mid].first + p->v[mid].count <= leaf)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->n && leaf >= p->v[lo].first ? &p->v[lo] : NULL;
}

int pack_damaged(struct why *why, const struct pack *k, const char *what, uint64_t at, const char *how)
{
	return why_set(
		why, V_BAD, "packs/%s.%s: damaged at offset %llu (%s)", k->month, what, (unsigned long long)at, how);
}

int pack_frame(
	const struct pack *k, const char *what, int fd, uint64_t at, uint32_t max, struct buf *out, struct why *why)
{
	uint8_t head[FRAME_HEAD];
	size_t before = out->n;
	uint32_t n;
	int r = pack_read_at(fd, head, sizeof(head), at);

	if (r == V_END)
		return pack_damaged(why, k, what, at, "the file ends in a frame's head");
	if (r)
		return r;
	n = get_be32(head);
	if (!n || n > max)
		return pack_damaged(why, k, what, at, "impossible length");
	r = buf_reserve(out, n);
	if (r)
		return r;
	r = pack_read_at(fd, out->p + before, n, at + FRAME_HEAD);
	if (r == V_END)
		return pack_damaged(why, k, what, at, "the file ends in a frame");
	if (r)
		return r;
	if (crc32c(SPAN(out->p + before, n)) != get_be32(head + 4))
		return pack_damaged(why, k, what, at, "checksum differs");
	out->n = before + n;
	return 0;
}

int packs_read(struct packs *p, uint64_t leaf, struct buf *header, struct buf *body, struct why *why)
{
	struct pack *k = packs_find(p, leaf);
	uint8_t place[PLACE_SIZE];
	unsigned channel;
	struct stat st;
	char name[32];
	uint64_t at;
	int r, fd;

	if (!k)
		return why_set(why, V_NOT_FOUND, "leaf %llu: is not in the packs", (unsigned long long)leaf);
	r = pack_files(p, k, false);
	if (r)
		return r;
	r = pack_read_at(k->offsets, place, sizeof(place), (leaf - k->first) * PLACE_SIZE);
	if (r)
		return r == V_END ? pack_damaged(why, k, "offsets", (leaf - k->first) * PLACE_SIZE, "ends early") : r;
	r = header ? pack_frame(k, "headers", k->headers, get_be64(place), SEGMENT_HEADER_MAX, header, why) : 0;
	if (r || !body)
		return r;
	if (!pack_place(get_be64(place + 8), &channel, &at))
		return pack_damaged(why, k, "offsets", (leaf - k->first) * PLACE_SIZE, "no such channel");
	r = pack_bodies(p, k, channel, false, &fd);
	if (r == V_NOT_FOUND)
		return 0; /* expired */
	if (r)
		return r;
	r = pack_frame(k, pack_bodies_name(channel, name), fd, at, SEGMENT_BODY_MAX, body, why);
	/* It expired while we had it open. */
	if (r == V_BAD && !fstat(fd, &st) && !st.st_nlink) {
		closep(&k->bodies[channel]);
		r = 0;
	}
	return r;
}

void packs_bytes(const struct packs *p, uint64_t *headers, uint64_t *bodies)
{
	uint64_t n;
	unsigned i, c;

	*headers = *bodies = 0;
	for (i = 0; i < p->n; i++) {
		*headers += p->v[i].header_end;
		for (c = 0; c < PACK_CHANNELS; c++)
			*bodies += packs_have(p, &p->v[i], c, &n) ? n : 0;
	}
}

void packs_close(struct packs *p)
{
	unsigned i;

	for (i = 0; i < p->n; i++)
		pack_shut(p, &p->v[i]);
	free(p->v);
	free(p->leaves);
	free(p->lengths);
	buf_deinit(&p->headers);
	buf_deinit(&p->offsets);
	for (i = 0; i < PACK_CHANNELS; i++)
		buf_deinit(&p->out[i].waiting);
	p->v = NULL;
	p->leaves = NULL;
	p->lengths = NULL;
	p->n = p->open = p->waiting = 0;
}
