/*
 * What is there: lists the packs, cuts off what was never acknowledged, makes lost offsets again. Called when a store
 * is opened or rebuilt.
 *
 * Nothing that a checkpoint covers is ever cut or changed here: damage in it is told, with file and offset, and the
 * store stays shut.
 */
#include "collector/store/pack_parts.h"
#include "policy/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static int file_size(int fd, uint64_t *out)
{
	struct stat st;

	if (fd < 0) {
		*out = 0;
		return 0;
	}
	if (fstat(fd, &st))
		return -errno;
	*out = (uint64_t)st.st_size;
	return 0;
}

static bool is_month(const char *s)
{
	unsigned i;

	for (i = 0; i < 7; i++)
		if (i == 4 ? s[i] != '-' : s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static int by_month(const void *a, const void *b)
{
	return strcmp(((const struct pack *)a)->month, ((const struct pack *)b)->month);
}

static int list(struct packs *p, struct why *why)
{
	_cleanup_closedir_ DIR *d = opendir(p->dir);
	struct dirent *e;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	for (errno = 0; (e = readdir(d)); errno = 0) {
		struct pack k = PACK_NONE;
		struct pack *v;

		if (strlen(e->d_name) != 15 || !is_month(e->d_name) || strcmp(e->d_name + 7, ".headers") != 0)
			continue;
		if (p->n == PACKS_MAX)
			return why_set(why, V_BAD, "packs: more than %u months", PACKS_MAX);
		v = realloc(p->v, (p->n + 1) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		p->v = v;
		memcpy(k.month, e->d_name, 7);
		p->v[p->n++] = k;
	}
	if (errno)
		return -errno;
	if (p->n)
		qsort(p->v, p->n, sizeof(*p->v), by_month);
	return 0;
}

/* The bodies of a channel and how long they are; *fd -1 where they are gone. */
static int bodies_size(struct packs *p, struct pack *k, unsigned channel, int *fd, uint64_t *size)
{
	int r;

	*fd = -1;
	*size = 0;
	if (!producer_name(channel))
		return 0;
	r = pack_bodies(p, k, channel, false, fd);
	return r == V_NOT_FOUND ? 0 : r ? r : file_size(*fd, size);
}

/* Where frames begin or end: of the headers, and of the bodies of one channel. */
struct place {
	uint64_t header, body;
	unsigned channel;
};

static int place_of(uint8_t bytes[PLACE_SIZE], struct place *out)
{
	out->header = get_be64(bytes);
	return pack_place(get_be64(bytes + 8), &out->channel, &out->body) ? 0 : V_BAD;
}

/* Where a leaf's frames end, by the frames themselves. 0; V_BAD where the offsets do not say so; -errno. */
static int end_of(struct packs *p, struct pack *k, const struct place *at, struct place *end)
{
	_cleanup_buf_ struct buf frame = BUF_INIT(SEGMENT_HEADER_MAX);
	uint8_t head[FRAME_HEAD];
	struct segment s;
	int r = pack_frame(k, "headers", k->headers, at->header, SEGMENT_HEADER_MAX, &frame, NULL), fd;

	r = r ? r : header_parse(buf_span(&frame), &s, NULL);
	if (!r && s.header.producer != at->channel)
		r = V_BAD;
	r = r ? r : pack_bodies(p, k, at->channel, false, &fd);
	if (!r) {
		r = pack_read_at(fd, head, sizeof(head), at->body);
		if (!r && get_be32(head) != s.header.body_len)
			r = V_BAD;
	} else if (r == V_NOT_FOUND) {
		r = 0;
	}
	if (r)
		return r < 0 ? r : V_BAD;
	end->channel = at->channel;
	end->header = at->header + FRAME_HEAD + frame.n;
	end->body = at->body + FRAME_HEAD + s.header.body_len;
	return 0;
}

struct ends {
	uint64_t header, body[PACK_CHANNELS];
	uint32_t has; /* channels of which there is a leaf */
};

/* What was met on the way from the last leaf to the first. */
struct walk {
	struct place after[PACK_CHANNELS]; /* the last leaf of the channel */
	uint32_t once, twice;
	uint64_t header; /* where the leaf behind begins */
	unsigned leaves;
};

/*
 * One leaf more. Offsets are written behind the files, and a power cut leaves of what was not synced any sector or
 * none: zeros among them would have a file cut to nothing. So the last leaf, of all and of each channel, must lie where
 * the one before it ends.
 */
static int walk_leaf(struct packs *p, struct pack *k, struct walk *w, const struct place *at, struct ends *out)
{
	const uint32_t bit = UINT32_C(1) << at->channel;
	struct place end;
	int r;

	if (w->leaves >= 2 && w->twice & bit)
		return 0;
	r = end_of(p, k, at, &end);
	if (r)
		return r;
	if (!w->leaves)
		out->header = end.header;
	if ((w->leaves == 1 && end.header != w->header) ||
		(w->once & bit && k->bodies[at->channel] >= 0 && end.body != w->after[at->channel].body))
		return V_BAD;
	if (!(w->once & bit))
		out->body[at->channel] = end.body;
	w->twice |= w->once & bit;
	w->once |= bit;
	w->after[at->channel] = *at;
	w->header = at->header;
	w->leaves++;
	return 0;
}

/*
 * The ends of the first `n` leaves. `whole`: of all channels, for which all offsets are gone through; else only of the
 * last leaf's.
 */
static int ends(struct packs *p, struct pack *k, uint64_t n, bool whole, struct ends *out)
{
	uint8_t part[1024 * PLACE_SIZE];
	struct walk w = {.once = 0};
	struct place at;
	int r = 0;

	*out = (struct ends){.has = 0};
	while (!r && n && (whole || w.leaves < 2)) {
		uint64_t from = n > 1024 ? n - 1024 : 0, i;

		r = pack_read_at(k->offsets, part, (n - from) * PLACE_SIZE, from * PLACE_SIZE);
		for (i = n; !r && i > from && (whole || w.leaves < 2); i--) {
			r = place_of(part + (i - 1 - from) * PLACE_SIZE, &at);
			r = r ? r : walk_leaf(p, k, &w, &at, out);
		}
		n = from;
	}
	out->has = w.once;
	return r < 0 ? r : r ? V_BAD : 0;
}

/*
 * Do the offsets end where the files end, and, where fewer leaves are to be kept, can those be told? Sets count and
 * ends where they do, and *has: the channels of those that are to be kept. Of a leaf behind them, which nobody was
 * promised, a power cut may have taken the file of bodies that was made for it.
 */
static int check_ends(struct packs *p, struct pack *k, uint64_t want, bool whole, bool *fits, uint32_t *has)
{
	uint64_t headers = 0, offsets = 0, bodies[PACK_CHANNELS];
	int r = file_size(k->headers, &headers), fd;
	struct ends e;
	unsigned c;

	*fits = false;
	r = r ? r : file_size(k->offsets, &offsets);
	if (r)
		return r;
	if (!offsets || offsets % PLACE_SIZE)
		return 0;
	r = ends(p, k, offsets / PLACE_SIZE, whole, &e);
	if (!r && e.header != headers)
		r = V_BAD;
	for (c = 0; !r && c < PACK_CHANNELS; c++) {
		r = bodies_size(p, k, c, &fd, &bodies[c]);
		if (!r && fd >= 0 && (whole || e.has >> c & 1) && bodies[c] != e.body[c])
			r = V_BAD;
	}
	if (!r && want < offsets / PLACE_SIZE)
		r = ends(p, k, want, true, &e);
	if (r)
		return r < 0 ? r : 0;
	*has = e.has;
	k->count = offsets / PLACE_SIZE;
	k->header_end = headers;
	memcpy(k->body_end, bodies, sizeof(bodies));
	*fits = true;
	return 0;
}

/* One frame of the headers, and the body that it names. 0; V_BAD; -errno. */
static int scan_leaf(
	struct packs *p, struct pack *k, const struct ends *at, struct buf *leaf, struct segment *s, struct why *why)
{
	uint8_t head[FRAME_HEAD];
	uint64_t size = 0;
	unsigned c = 0;
	char name[32];
	int r, fd = -1;

	buf_clear(leaf);
	r = pack_frame(k, "headers", k->headers, at->header, SEGMENT_HEADER_MAX, leaf, why);
	if (!r && header_parse(buf_span(leaf), s, NULL))
		r = pack_damaged(why, k, "headers", at->header, "not a header");
	if (!r) {
		c = s->header.producer;
		r = bodies_size(p, k, c, &fd, &size);
	}
	if (r || fd < 0)
		return r; /* or they have expired */
	r = pack_read_at(fd, head, sizeof(head), at->body[c]);
	if (r == V_END ||
		(!r && (get_be32(head) != s->header.body_len || at->body[c] + FRAME_HEAD + s->header.body_len > size)))
		r = pack_damaged(why, k, pack_bodies_name(c, name), at->body[c], "not the body that its header names");
	return r;
}

/*
 * Goes through the frames from the start and writes the offsets anew. Stops at the first frame that is not whole:
 * `why` says where; *torn is set. *has: the channels of the first `want` leaves.
 */
static int scan(struct packs *p, struct pack *k, uint64_t want, bool *torn, uint32_t *has, struct why *why)
{
	_cleanup_buf_ struct buf leaf = BUF_INIT(SEGMENT_HEADER_MAX), out = BUF_INIT(1u << 20);
	struct ends at = {.has = 0};
	uint8_t place[PLACE_SIZE];
	uint64_t headers = 0, n = 0;
	struct segment s;
	int r = file_size(k->headers, &headers);

	*torn = false;
	if (!r && (ftruncate(k->offsets, 0) || lseek(k->offsets, 0, SEEK_SET) < 0))
		r = -errno;
	while (!r && at.header < headers) {
		unsigned c;

		r = scan_leaf(p, k, &at, &leaf, &s, why);
		if (r)
			break;
		c = s.header.producer;
		put_be64(place, at.header);
		put_be64(place + 8, pack_place_code(c, at.body[c]));
		if (out.n + sizeof(place) > out.max) {
			r = write_all(k->offsets, out.p, out.n);
			buf_clear(&out);
		}
		r = r ? r : buf_put(&out, place, sizeof(place));
		at.header += FRAME_HEAD + leaf.n;
		at.body[c] += FRAME_HEAD + s.header.body_len;
		if (n++ < want)
			at.has |= UINT32_C(1) << c;
	}
	if (r < 0)
		return r;
	*torn = r > 0;
	r = write_all(k->offsets, out.p, out.n);
	if (!r && fdatasync(k->offsets))
		r = -errno;
	k->count = n;
	k->header_end = at.header;
	memcpy(k->body_end, at.body, sizeof(at.body));
	*has = at.has;
	return r;
}

static int remove_files(struct packs *p, struct pack *k)
{
	static const char *const others[] = {"bodies", "offsets", "headers"};
	char path[PATH_MAX], name[32];
	unsigned i;
	int r;

	pack_shut(p, k);
	/* The headers last: by them it is found again, where this ends in the middle. */
	for (i = 0; i < PACK_CHANNELS + ARRAY_SIZE(others); i++) {
		if (i < PACK_CHANNELS && !producer_name(i))
			continue;
		r = pack_path(p, k, i < PACK_CHANNELS ? pack_bodies_name(i, name) : others[i - PACK_CHANNELS], path,
			sizeof(path));
		if (r)
			return r;
		if (unlink(path) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* Keeps the first `want` leaves: at least one. */
static int cut(struct packs *p, struct pack *k, uint64_t want)
{
	uint64_t size;
	unsigned c;
	int r = 0, fd;

	if (want < k->count) {
		struct ends e;

		r = ends(p, k, want, true, &e);
		if (r)
			return r < 0 ? r : -EIO;
		k->count = want;
		k->header_end = e.header;
		memcpy(k->body_end, e.body, sizeof(e.body));
	}
	if (ftruncate(k->headers, (off_t)k->header_end) || ftruncate(k->offsets, (off_t)(k->count * PLACE_SIZE)))
		return -errno;
	for (c = 0; !r && c < PACK_CHANNELS; c++) {
		r = bodies_size(p, k, c, &fd, &size);
		if (!r && fd >= 0 && size != k->body_end[c] && ftruncate(fd, (off_t)k->body_end[c]))
			r = -errno;
	}
	return r;
}

/* Retention takes the bodies of past months, never of one that is still written. */
static int all_there(struct packs *p, struct pack *k, uint32_t has, struct why *why)
{
	char name[32];
	unsigned c;
	int r = 0, fd;

	for (c = 0; !r && c < PACK_CHANNELS; c++) {
		if (!(has >> c & 1))
			continue;
		r = pack_bodies(p, k, c, false, &fd);
		if (r == V_NOT_FOUND)
			r = why_set(why, V_BAD, "packs/%s.%s: is missing", k->month, pack_bodies_name(c, name));
	}
	return r;
}

static int recover(struct packs *p, unsigned i, uint64_t size, bool filling, struct why *why)
{
	struct pack *k = &p->v[i];
	struct why damage = {""};
	bool fits, torn = false, last = i == p->n - 1;
	uint32_t has = 0;
	int r;

	if (k->first >= size) {
		r = remove_files(p, k);
		memmove(k, k + 1, (p->n - i - 1) * sizeof(*k));
		p->n--;
		return r ? r : V_END;
	}
	r = pack_split(p, k, size, why);
	r = r ? r : pack_files(p, k, false);
	r = r ? r : check_ends(p, k, size - k->first, last, &fits, &has);
	if (!r && !fits)
		r = scan(p, k, size - k->first, &torn, &has, &damage);
	if (!r && last && !filling)
		r = all_there(p, k, has, why);
	if (r)
		return r;
	if (torn && k->first + k->count < size)
		return why_set(why, V_BAD, "%s", damage.text);
	if (torn || k->first + k->count > size)
		r = cut(p, k, size - k->first < k->count ? size - k->first : k->count);
	return r;
}

/* For reading beside a writer: what the offsets tell, no more. */
static int look(struct packs *p, unsigned i, struct why *why)
{
	struct pack *k = &p->v[i];
	uint64_t offsets;
	int r;

	if (pack_former(p, k))
		return why_set(why, V_BAD,
			"packs/%s.bodies: of the former layout, with all channels in one file: start this version's "
			"collector once, it takes them over",
			k->month);
	r = pack_files(p, k, false);
	r = r ? r : file_size(k->offsets, &offsets);
	r = r ? r : file_size(k->headers, &k->header_end);
	if (!r)
		k->count = offsets / PLACE_SIZE;
	return r;
}

int packs_open(struct packs *p, const char *dir, enum packs_how how, uint64_t size, struct why *why)
{
	bool writable = how != PACKS_READ;
	unsigned i;
	int r;

	*p = (struct packs){
		.writable = writable,
		.headers = BUF_INIT(PACK_HEADERS),
		.offsets = BUF_INIT(PACK_GROUP_MAX * PLACE_SIZE),
	};
	if ((size_t)snprintf(p->dir, sizeof(p->dir), "%s/packs", dir) >= sizeof(p->dir) - 32)
		return -ENAMETOOLONG;
	r = writable ? dir_make(p->dir, 0750) : 0;
	r = r ? r : list(p, why);
	for (i = 0; !r && i < p->n; i++) {
		p->v[i].first = i ? p->v[i - 1].first + p->v[i - 1].count : 0;
		r = writable ? recover(p, i, size, how == PACKS_FILL, why) : look(p, i, why);
		if (r == V_END) {
			i--;
			r = 0;
		}
	}
	if (!r && packs_size(p) < size)
		r = why_set(why, V_BAD,
			"the log holds %llu leaves, but a checkpoint over %llu was signed: "
			"a restored copy, or packs were removed",
			(unsigned long long)packs_size(p), (unsigned long long)size);
	if (r)
		packs_close(p);
	return r;
}

int packs_offsets(struct packs *p, uint64_t size, struct why *why)
{
	bool writable = p->writable;
	unsigned i;
	int r = 0;

	/* The files may be open for reading only: they are opened anew. */
	for (i = 0; i < p->n; i++)
		pack_shut(p, &p->v[i]);
	p->writable = true;
	for (i = 0; !r && i < p->n; i++) {
		struct pack *k = &p->v[i];
		bool torn = false;
		uint32_t has;

		k->first = i ? p->v[i - 1].first + p->v[i - 1].count : 0;
		r = pack_files(p, k, false);
		r = r ? r : scan(p, k, UINT64_MAX, &torn, &has, why);
		if (!r && torn && k->first + k->count < size)
			r = V_BAD;
	}
	for (i = 0; i < p->n; i++)
		pack_shut(p, &p->v[i]);
	p->writable = writable;
	return r;
}
