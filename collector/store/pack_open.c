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
		struct pack k = {.headers = -1, .bodies = -1, .offsets = -1};
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

/* Where the leaf's frames lie, by the offsets. 0; V_BAD where they do not say so; -errno. */
static int place_of(const struct pack *k, uint64_t leaf, uint64_t *h, uint64_t *b)
{
	uint8_t place[PLACE_SIZE];
	int r = pack_read_at(k->offsets, place, sizeof(place), leaf * PLACE_SIZE);

	if (r)
		return r < 0 ? r : V_BAD;
	*h = get_be64(place);
	*b = get_be64(place + 8);
	return 0;
}

/* Where they end, by the frames themselves. */
static int end_of(const struct pack *k, uint64_t leaf, uint64_t *h, uint64_t *b)
{
	_cleanup_buf_ struct buf frame = BUF_INIT(SEGMENT_HEADER_MAX);
	uint8_t head[FRAME_HEAD];
	struct segment s;
	int r = place_of(k, leaf, h, b);

	r = r ? r : pack_frame(k, "headers", k->headers, *h, SEGMENT_HEADER_MAX, &frame, NULL);
	r = r ? r : header_parse(buf_span(&frame), &s, NULL);
	if (!r && k->bodies >= 0) {
		r = pack_read_at(k->bodies, head, sizeof(head), *b);
		if (!r && get_be32(head) != s.header.body_len)
			r = V_BAD;
	}
	if (r)
		return r < 0 ? r : V_BAD;
	*h += FRAME_HEAD + frame.n;
	*b += FRAME_HEAD + s.header.body_len;
	return 0;
}

/*
 * The ends of the first `n` leaves. Offsets are written behind the files, and a power cut leaves of what was not synced
 * any sector or none: zeros among them would have a file cut to nothing. So each must lie where the one before it ends.
 */
static int ends(const struct pack *k, uint64_t n, uint64_t *h, uint64_t *b)
{
	uint64_t at_h = 0, at_b = 0, before_h = 0, before_b = 0;
	int r = n > 1 ? end_of(k, n - 2, &before_h, &before_b) : 0;

	r = r ? r : place_of(k, n - 1, &at_h, &at_b);
	if (!r && (at_h != before_h || (k->bodies >= 0 && at_b != before_b)))
		r = V_BAD;
	return r ? r : end_of(k, n - 1, h, b);
}

/*
 * Do the offsets end where the files end, and, where fewer leaves are to be kept, can those be told? Sets count and
 * ends where they do.
 */
static int check_ends(struct pack *k, uint64_t want, bool *fits)
{
	uint64_t headers = 0, bodies = 0, offsets = 0, h, b;
	int r = file_size(k->headers, &headers);

	*fits = false;
	r = r ? r : file_size(k->bodies, &bodies);
	r = r ? r : file_size(k->offsets, &offsets);
	if (r)
		return r;
	if (!offsets || offsets % PLACE_SIZE)
		return 0;
	r = ends(k, offsets / PLACE_SIZE, &h, &b);
	if (!r && (h != headers || (k->bodies >= 0 && b != bodies)))
		r = V_BAD;
	if (!r && want < offsets / PLACE_SIZE)
		r = ends(k, want, &h, &b);
	if (r)
		return r < 0 ? r : 0;
	k->count = offsets / PLACE_SIZE;
	k->header_end = headers;
	k->body_end = bodies;
	*fits = true;
	return 0;
}

/*
 * Goes through the frames from the start and writes the offsets anew. Stops at the first frame that is not whole:
 * `why` says where; *torn is set.
 */
static int scan(struct pack *k, bool *torn, struct why *why)
{
	_cleanup_buf_ struct buf leaf = BUF_INIT(SEGMENT_HEADER_MAX), out = BUF_INIT(1u << 20);
	uint64_t headers = 0, bodies = 0, h = 0, b = 0, n = 0;
	uint8_t place[PLACE_SIZE], head[FRAME_HEAD];
	struct segment s;
	int r = file_size(k->headers, &headers);

	r = r ? r : file_size(k->bodies, &bodies);
	*torn = false;
	if (!r && (ftruncate(k->offsets, 0) || lseek(k->offsets, 0, SEEK_SET) < 0))
		r = -errno;
	while (!r && h < headers) {
		buf_clear(&leaf);
		r = pack_frame(k, "headers", k->headers, h, SEGMENT_HEADER_MAX, &leaf, why);
		if (!r && header_parse(buf_span(&leaf), &s, NULL))
			r = pack_damaged(why, k, "headers", h, "not a header");
		if (!r && k->bodies >= 0) {
			r = pack_read_at(k->bodies, head, sizeof(head), b);
			if (r == V_END || (!r && (get_be32(head) != s.header.body_len ||
							 b + FRAME_HEAD + s.header.body_len > bodies)))
				r = pack_damaged(why, k, "bodies", b, "not the body that its header names");
		}
		if (r)
			break;
		put_be64(place, h);
		put_be64(place + 8, b);
		if (out.n + sizeof(place) > out.max) {
			r = write_all(k->offsets, out.p, out.n);
			buf_clear(&out);
		}
		r = r ? r : buf_put(&out, place, sizeof(place));
		h += FRAME_HEAD + leaf.n;
		b += FRAME_HEAD + s.header.body_len;
		n++;
	}
	if (r < 0)
		return r;
	*torn = r > 0;
	r = write_all(k->offsets, out.p, out.n);
	if (!r && fdatasync(k->offsets))
		r = -errno;
	k->count = n;
	k->header_end = h;
	k->body_end = b;
	return r;
}

static int remove_files(struct packs *p, struct pack *k)
{
	static const char *const kinds[] = {"offsets", "bodies", "headers"};
	char path[PATH_MAX];
	size_t i;
	int r;

	pack_shut(p, k);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		r = pack_path(p, k, kinds[i], path, sizeof(path));
		if (r)
			return r;
		if (unlink(path) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* Keeps the first `want` leaves: at least one. */
static int cut(struct pack *k, uint64_t want)
{
	if (want < k->count) {
		int r = ends(k, want, &k->header_end, &k->body_end);

		if (r)
			return r < 0 ? r : -EIO;
		k->count = want;
	}
	if (ftruncate(k->offsets, (off_t)(k->count * PLACE_SIZE)) || ftruncate(k->headers, (off_t)k->header_end))
		return -errno;
	if (k->bodies >= 0 && ftruncate(k->bodies, (off_t)k->body_end))
		return -errno;
	return 0;
}

static int recover(struct packs *p, unsigned i, uint64_t size, struct why *why)
{
	struct pack *k = &p->v[i];
	struct why damage = {""};
	bool fits, torn = false;
	int r;

	if (k->first >= size) {
		r = remove_files(p, k);
		memmove(k, k + 1, (p->n - i - 1) * sizeof(*k));
		p->n--;
		return r ? r : V_END;
	}
	r = pack_files(p, k, false);
	/* Retention takes the bodies of past months, never of one that is still written. */
	if (!r && k->expired && i == p->n - 1)
		return why_set(why, V_BAD, "packs/%s.bodies: is missing", k->month);
	r = r ? r : check_ends(k, size - k->first, &fits);
	if (!r && !fits)
		r = scan(k, &torn, &damage);
	if (r)
		return r;
	if (torn && k->first + k->count < size)
		return why_set(why, V_BAD, "%s", damage.text);
	if (torn || k->first + k->count > size)
		r = cut(k, size - k->first < k->count ? size - k->first : k->count);
	return r;
}

/* For reading beside a writer: what the offsets tell, no more. */
static int look(struct packs *p, unsigned i)
{
	struct pack *k = &p->v[i];
	uint64_t offsets;
	int r = pack_files(p, k, false);

	r = r ? r : file_size(k->offsets, &offsets);
	r = r ? r : file_size(k->headers, &k->header_end);
	r = r ? r : file_size(k->bodies, &k->body_end);
	if (!r)
		k->count = offsets / PLACE_SIZE;
	return r;
}

int packs_open(struct packs *p, const char *dir, bool writable, uint64_t size, struct why *why)
{
	unsigned i;
	int r;

	*p = (struct packs){
		.writable = writable,
		.headers = BUF_INIT(PACK_HEADERS),
		.bodies = BUF_INIT(PACK_BUFFER + FRAME_HEAD + SEGMENT_BODY_MAX),
		.offsets = BUF_INIT(PACK_GROUP_MAX * PLACE_SIZE),
	};
	if ((size_t)snprintf(p->dir, sizeof(p->dir), "%s/packs", dir) >= sizeof(p->dir) - 32)
		return -ENAMETOOLONG;
	r = writable ? dir_make(p->dir, 0750) : 0;
	r = r ? r : list(p, why);
	for (i = 0; !r && i < p->n; i++) {
		p->v[i].first = i ? p->v[i - 1].first + p->v[i - 1].count : 0;
		r = writable ? recover(p, i, size, why) : look(p, i);
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

		k->first = i ? p->v[i - 1].first + p->v[i - 1].count : 0;
		r = pack_files(p, k, false);
		r = r ? r : scan(k, &torn, why);
		if (!r && torn && k->first + k->count < size)
			r = V_BAD;
	}
	for (i = 0; i < p->n; i++)
		pack_shut(p, &p->v[i]);
	p->writable = writable;
	return r;
}
