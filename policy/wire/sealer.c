/*
 * The sealer: where a producer's records become signed segments in its spool. Called by every producer's loop; it never
 * touches the network and never waits for it.
 *
 * The open segment lies in a file that is mapped into memory: each record is in the page cache as soon as it is put,
 * without a system call, and survives the end of the process however that comes. Sealing is, in this order: segment
 * file written, fsync, rename, fsync of the directory; chain file replaced durably; open segment emptied. A crash
 * between any two of them is repaired at the next start (adopt), without sealing a record twice. What cannot be sealed
 * is held (held.c).
 */
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/wire/sealer_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define DEFAULT_BOUND (512ull << 20)
#define DEFAULT_FLOOR (1ull << 30)
#define DEFAULT_IDLE_US (15 * 60 * 1000000ull)
#define DEFAULT_SEAL_US (15 * 1000000ull)
#define DEFAULT_EPOCH_US (24 * 3600 * 1000000ull)
#define FOLLOW_SEAL_US 1000000
#define RETRY_US 5000000
#define WRITE_TRIES 8
#define EPOCH_CERT_MAX 1024
#define KEY_RETRY_US 20000000

/* --- losses --- */

static void count(unsigned *n, struct loss *l, unsigned cause, uint64_t add)
{
	unsigned i;

	for (i = 0; i < *n && l[i].cause < cause; i++)
		;
	if (i < *n && l[i].cause == cause) {
		l[i].n += add;
		return;
	}
	/* More causes than a header holds cannot be: the table of causes is ours, and shorter. The last takes the rest.
	 */
	if (*n == SEGMENT_CAUSES_MAX) {
		l[SEGMENT_CAUSES_MAX - 1].n += add;
		return;
	}
	memmove(&l[i + 1], &l[i], (*n - i) * sizeof(*l));
	l[i].cause = cause;
	l[i].n = add;
	(*n)++;
}

void sealer_lost(struct sealer *s, unsigned cause, uint64_t n)
{
	if (!n)
		return;
	count(&s->lost_n, s->lost, cause, n);
	count(&s->stats.lost_n, s->stats.lost, cause, n);
	if (!s->opened_us)
		s->opened_us = clock_boot_us();
}

/* --- the open segment --- */

void open_reset(struct sealer *s)
{
	s->open->used = s->open->held = 0;
	s->open->seq = s->next_seq + s->held_n;
	memcpy(s->open->boot, s->boot, sizeof(s->open->boot));
	memcpy(s->open->magic, OPEN_MAGIC, 4);
	s->opened_us = 0;
	s->urgent = s->recovered = false;
	body_begin(&s->body, &s->raw);
}

int open_map(struct sealer *s)
{
	_cleanup_close_ int fd = openat(s->ownfd, "open", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	void *p = MAP_FAILED;

	/* Every block is there before it is mapped: a full disk must be an answer here, not a SIGBUS at some record. */
	if (fd >= 0 && !posix_fallocate(fd, 0, OPEN_SIZE))
		p = mmap(NULL, OPEN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	s->open_is_file = p != MAP_FAILED;
	if (p == MAP_FAILED)
		p = mmap(NULL, OPEN_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	s->open = p;
	s->raw = (struct buf){.p = (uint8_t *)p + OPEN_HEAD, .cap = OPEN_RAW_MAX, .max = OPEN_RAW_MAX};
	return 0;
}

static enum chain_open open_place(const struct sealer *s)
{
	/* That something may be lost is not told yet: the next start has to know. */
	return s->open_is_file && !s->cut ? CHAIN_OPEN_FILE : CHAIN_OPEN_MEMORY;
}

/*
 * Is the file what the last process left? After the power was cut, or the kernel died, its pages are of any age:
 * records that were sealed long ago could be among them. Nothing of it is taken then but what was held.
 */
static bool open_is_whole(const struct sealer *s)
{
	return s->open_is_file && !memcmp(s->open->magic, OPEN_MAGIC, 4) &&
	       !memcmp(s->open->boot, s->boot, sizeof(s->boot)) && s->open->used <= OPEN_RAW_MAX;
}

/* Takes over what the last process left unsealed. True where there is something. */
static bool open_recover(struct sealer *s)
{
	uint32_t used = s->open->used;

	if (!open_is_whole(s) || !used || s->open->seq < s->next_seq)
		return false;
	body_begin(&s->body, &s->raw);
	if (body_recover(SPAN(s->raw.p, used), &s->body) || !s->body.records)
		return false;
	s->recovered = true;
	return true;
}

/* --- epochs --- */

/* Not now: whoever holds the device key is asked again after a while, and not at each record. */
static int epoch_wait(struct sealer *s, int r, int64_t now)
{
	s->key_retry_us = r == V_AGAIN ? now + KEY_RETRY_US : 0;
	return r;
}

/*
 * A new key, with which the device key agreed. V_AGAIN where that cannot be used now: a TPM that is gone, or busy. What
 * is open stays so, and the old key seals for as long as it is good.
 */
static int epoch_make(struct sealer *s, const uint8_t boot[16], int64_t since_us, struct key **key, struct buf *cert)
{
	_cleanup_(key_freep) struct key *k = NULL;
	struct epoch e = {.host = s->host, .producer = s->o.producer, .number = s->epoch + 1};
	int64_t now = clock_wall_us(), now_boot = clock_boot_us();
	int r;

	memcpy(e.boot, boot, sizeof(e.boot));
	e.not_before_us = now;
	e.not_after_us = now + (int64_t)(2 * s->o.epoch_us);
	e.has_since = true;
	e.since_us = since_us;
	if (s->key_retry_us > now_boot)
		return V_AGAIN;
	r = key_new(KEY_ED25519, &k);
	r = r ? r : key_public_raw(k, e.public_key);
	r = r ? r : epoch_certify(s->o.device, &e, cert);
	if (!r)
		*key = STEAL(k);
	return epoch_wait(s, r, now_boot);
}

static int epoch_take(struct sealer *s, const uint8_t boot[16], int64_t since_us, struct key *k, struct span cert)
{
	int r;

	buf_clear(&s->epoch_cert);
	buf_clear(&s->handover);
	r = buf_put_span(&s->epoch_cert, cert);
	/* A key that sealed nothing is not known to anybody: nothing can be handed over by it. */
	if (!r && s->epoch_key && !s->epoch_fresh)
		r = handover_sign(s->epoch_key, cert, &s->handover);
	if (r) {
		key_free(k);
		return r;
	}
	key_free(s->epoch_key);
	s->epoch_key = k;
	memcpy(s->epoch_boot, boot, sizeof(s->epoch_boot));
	s->epoch++;
	s->epoch_fresh = true;
	s->epoch_since_us = since_us;
	s->epoch_until_us = since_us + (int64_t)s->o.epoch_us;
	s->epoch_good_us = since_us + (int64_t)(2 * s->o.epoch_us);
	s->stats.epoch = s->epoch;
	return 0;
}

static int epoch_begin(struct sealer *s, const uint8_t boot[16], int64_t since_us)
{
	_cleanup_buf_ struct buf cert = BUF_INIT(EPOCH_CERT_MAX);
	struct key *k = NULL;
	int r = epoch_make(s, boot, since_us, &k, &cert);

	return r ? r : epoch_take(s, boot, since_us, k, buf_span(&cert));
}

/* Is there a key for what is sealed at `now` of this boot? Not before it was made, nor after the PC slept for longer
 * than it is good (the boot clock counts sleep): what is sealed then would be refused. */
static bool epoch_is_good(const struct sealer *s, const uint8_t boot[16], int64_t now)
{
	return s->epoch_key && !memcmp(s->epoch_boot, boot, sizeof(s->epoch_boot)) && now >= s->epoch_since_us &&
	       now <= s->epoch_good_us;
}

/* --- sealing --- */

static void seen_refresh(struct sealer *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(NOTE_SIZE_MAX);
	struct checkpoint c;
	struct stat st;

	if (!s->seen_path[0] || !s->o.log || stat(s->seen_path, &st))
		return;
	if (st.st_mtim.tv_sec == s->seen_mtime.tv_sec && st.st_mtim.tv_nsec == s->seen_mtime.tv_nsec)
		return;
	if (file_read_plain_at(AT_FDCWD, s->seen_path, FILE_ANYBODY, &b) ||
		checkpoint_verify(buf_span(&b), s->o.log, &c, NULL))
		return;
	s->seen_mtime = st.st_mtim;
	s->seen_size = c.size;
	s->seen_root = c.root;
}

/*
 * Into the folder from which the uplink takes: who may do that may also lay something in the way, and take away what is
 * not yet there. So what is in the way is put aside, and where somebody is quicker each time there is no room. 0;
 * V_FULL; -errno.
 */
static int segment_write(struct sealer *s, struct span bytes, uint64_t seq)
{
	char name[32], aside[64];
	unsigned i;
	int r;

	snprintf(name, sizeof(name), "%020" PRIu64 ".seg", seq);
	for (i = 0; i < WRITE_TRIES; i++) {
		r = file_replace_at(s->dirfd, name, bytes, 0640);
		if (r == -ENOSPC || r == -EDQUOT)
			return V_FULL;
		if (r != -EISDIR && r != -ENOTEMPTY && r != -EEXIST && r != -ENOENT)
			return r;
		snprintf(aside, sizeof(aside), "%s.%" PRId64 ".aside", name, clock_boot_us());
		(void)renameat(s->dirfd, name, s->dirfd, aside);
	}
	return V_FULL;
}

/*
 * The next segment of the chain: `h` says what is in `raw` and of which boot it is. 0; V_AGAIN: the device key cannot
 * be used now; V_FULL: the spool has no room now; -errno.
 */
static int seal_next(struct sealer *s, struct header *h, struct span raw)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(SEGMENT_MAX);
	struct segment_writer w;
	struct digest hash;
	int r = epoch_is_good(s, h->boot, h->boot_us) ? 0 : epoch_begin(s, h->boot, h->boot_us);

	if (r)
		return r;
	/* A kilobyte for the header and certificate; compression makes the rest smaller than it is. */
	if (!room_make(s, raw.n / 2 + 1024, h->flags & SF_URGENT, clock_boot_us()))
		return V_FULL;
	seen_refresh(s);
	h->host = s->host;
	h->producer = s->o.producer;
	h->epoch = s->epoch;
	h->seq = s->next_seq;
	h->has_prev = s->next_seq != 0;
	h->prev = s->prev;
	h->flags |= s->rejoin ? SF_REJOIN : 0;
	h->seen_size = s->seen_size;
	h->seen_root = s->seen_root;
	if (s->epoch_fresh) {
		h->epoch_cert = buf_span(&s->epoch_cert);
		h->handover = buf_span(&s->handover);
	}
	w = (struct segment_writer){.epoch_key = s->epoch_key, .header = *h};
	r = segment_seal(&w, raw, &bytes, &hash);
	if (r)
		return r > 0 ? -EOVERFLOW : r;
	r = segment_write(s, buf_span(&bytes), s->next_seq);
	if (r)
		return r;
	s->next_seq++;
	s->prev = hash;
	s->cut &= !(h->flags & SF_CUT);
	s->chain_open = h->flags & SF_LAST ? CHAIN_OPEN_NONE : open_place(s);
	/* The segment itself is what the chain is repaired from: a chain file that lags is no failure. */
	r = chain_store(s);
	if (r && r != -ENOSPC && r != -EDQUOT)
		return r;
	s->stats.segments++;
	s->stats.records += h->count;
	s->stats.sealed_bytes += bytes.n;
	s->stats.spool_bytes += bytes.n;
	s->stats.spool_segments++;
	s->stats.last_seal_wall_us = clock_wall_us();
	s->bytes_now += bytes.n;
	s->epoch_fresh = s->rejoin = false;
	return 0;
}

/* One file that was put aside, `raw` behind its head. */
static int seal_held_one(struct sealer *s, const struct open_head *o, uint8_t *raw)
{
	struct buf whole = {.p = raw}; /* where it lies: only its length is found out */
	struct header h = {.flags = SF_RECOVERED | o->held_flags, .boot_us = o->held_us};
	struct body_writer *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->out = &whole;
	r = body_recover(SPAN(raw, o->held), w);
	if (!r && w->records) {
		h.count = w->records;
		h.first_us = w->first_wall_us;
		h.last_us = w->last_wall_us;
		memcpy(h.boot, o->boot, sizeof(h.boot));
		r = seal_next(s, &h, buf_span(&whole));
	}
	free(w);
	return r;
}

/* What waits in files of its own, oldest first. As seal_next. */
static int seal_held(struct sealer *s)
{
	int r = 0;

	while (!r && s->held_n) {
		_cleanup_buf_ struct buf b = BUF_INIT(OPEN_SIZE);
		const struct open_head *o;
		uint64_t seq;

		r = held_oldest(s, &seq, &b);
		if (r == V_END)
			return 0;
		if (r == V_BAD) {
			/* How much was in it nobody knows. */
			s->cut = s->stats.cut = true;
			held_done(s, seq, true);
			r = 0;
		} else if (!r) {
			o = (const struct open_head *)(const void *)b.p;
			r = seal_held_one(s, o, b.p + OPEN_HEAD);
			if (!r)
				held_done(s, seq, false);
		}
	}
	return r;
}

/* Seals what is open, whatever that is. 0; V_FULL where the spool has no room now, or the key is away; -errno. */
static int seal(struct sealer *s, uint64_t flags, int64_t now)
{
	struct header h = {.boot_us = now, .count = s->body.records};
	int r;

	h.first_us = h.count ? s->body.first_wall_us : clock_wall_us();
	h.last_us = h.count ? s->body.last_wall_us : h.first_us;
	h.flags = flags | (s->recovered ? SF_RECOVERED : 0) | (s->urgent ? SF_URGENT : 0);
	memcpy(h.boot, s->boot, sizeof(h.boot));
	h.policy = s->o.policy;
	h.has_means = s->has_means;
	h.means = SPAN_STR(s->means);
	r = seal_held(s);
	h.flags |= s->cut ? SF_CUT : 0;
	h.lost_n = s->lost_n;
	memcpy(h.lost, s->lost, sizeof(h.lost));
	if (!h.count && !s->lost_n && !(flags & SF_LAST))
		h.flags |= SF_HEARTBEAT;
	r = r ? r : seal_next(s, &h, buf_span(&s->raw));
	if (r == V_FULL)
		s->stats.full = true;
	if (r == V_FULL || r == V_AGAIN) {
		s->retry_us = r == V_AGAIN ? s->key_retry_us : now + RETRY_US;
		/* A disk that fails here fails when it is sealed, and that says so. */
		(void)held_write(s);
		return V_FULL;
	}
	if (r)
		return r;
	s->stats.full = false;
	s->lost_n = 0;
	s->last_seal_boot_us = now;
	s->retry_us = 0;
	open_reset(s);
	return 0;
}

/* A folder for the uplink to move segments into, whatever the umask says. What lies there already is left alone. */
static int prepare_sub(struct sealer *s, const char *name)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (mkdirat(s->dirfd, name, 02770))
		return errno == EEXIST ? 0 : -errno;
	/* Others may write here: it could be another one by now. */
	fd = openat(s->dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) || st.st_uid != geteuid())
		return 0;
	return fchmod(fd, 02770) ? -errno : 0;
}

/* The folder of what decides where the chain goes on, and what is sealed next: nobody else's. */
static int prepare_own(struct sealer *s, struct why *why)
{
	struct stat st;
	int r = dir_make(s->own, 0700);

	if (r)
		return r;
	s->ownfd = open(s->own, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->ownfd < 0 || fstat(s->ownfd, &st))
		return -errno;
	if (st.st_uid == geteuid() && !(st.st_mode & 022))
		return 0;
	return why_set(why, V_BAD, "%s: others may write there", s->own);
}

static int prepare_dirs(struct sealer *s, struct why *why)
{
	int r = dir_make(s->dir, 02770);

	r = r ? r : prepare_own(s, why);
	if (r)
		return r;
	s->dirfd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dirfd < 0)
		return -errno;
	r = prepare_sub(s, "acked");
	r = r ? r : prepare_sub(s, "refused");
	return r ? r : fsync(s->dirfd) ? -errno : 0;
}

static void fill_defaults(struct sealer_options *o)
{
	o->bound = o->bound ? o->bound : DEFAULT_BOUND;
	o->floor = o->floor ? o->floor : DEFAULT_FLOOR;
	o->idle_us = o->idle_us ? o->idle_us : DEFAULT_IDLE_US;
	o->seal_us = o->seal_us ? o->seal_us : DEFAULT_SEAL_US;
	o->epoch_us = o->epoch_us ? o->epoch_us : DEFAULT_EPOCH_US;
}

/* Of another boot that is held which is not sealed: it waits as what was put aside does. Where that cannot be, it may
 * be lost, and that is said. */
static int before_this_boot(struct sealer *s)
{
	int r;

	if (!s->open_is_file || open_is_whole(s) || s->open->seq < s->next_seq || !held_is_whole(s->open, s->raw.p))
		return 0;
	r = held_put_aside(s);
	s->cut |= r == V_FULL;
	return r < 0 ? r : 0;
}

/* Seals what the last runs left, oldest first, as far as the key and the room are there. 0, -errno. */
static int what_is_left(struct sealer *s)
{
	bool waited = s->held_n;
	int r = seal_held(s);

	if (r < 0)
		return r;
	r = epoch_begin(s, s->boot, clock_boot_us());
	if (r && r != V_AGAIN)
		return r;
	r = 0;
	if (!open_recover(s)) {
		open_reset(s);
	} else {
		r = seal(s, 0, clock_boot_us());
		/* It could be sealed as it is when that is possible, but nothing be put behind it. */
		if (r == V_FULL && s->key_retry_us)
			r = held_put_aside(s);
		waited |= r == V_FULL || s->held_n;
	}
	/* Something is to be sealed: that itself, or that it may have been more. */
	if (waited)
		s->opened_us = clock_boot_us();
	return r < 0 ? r : 0;
}

int sealer_new(const struct sealer_options *o, struct sealer **out, struct why *why)
{
	_cleanup_(sealer_freep) struct sealer *s = calloc(1, sizeof(*s));
	char path[300];
	int r, bad = 0;

	if (!s)
		return -ENOMEM;
	s->o = *o;
	s->dirfd = s->ownfd = s->lock = -1;
	s->epoch_cert = s->handover = BUF_INIT(EPOCH_CERT_MAX);
	fill_defaults(&s->o);
	if ((size_t)snprintf(s->spool_dir, sizeof(s->spool_dir), "%s", o->spool_dir) >= sizeof(s->spool_dir) ||
		(size_t)snprintf(s->dir, sizeof(s->dir), "%s/%s", o->spool_dir, producer_name(o->producer)) >=
			sizeof(s->dir) ||
		(size_t)snprintf(s->own, sizeof(s->own), "%s.own", s->dir) >= sizeof(s->own) ||
		(o->seen_path && (size_t)snprintf(s->seen_path, sizeof(s->seen_path), "%s", o->seen_path) >=
					 sizeof(s->seen_path)))
		return -ENAMETOOLONG;
	r = prepare_dirs(s, why);
	r = r ? r : clock_boot_id(s->boot);
	r = r ? r : key_id(o->device, &s->host);
	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/lock", s->own);
	r = file_lock(path, &s->lock);
	if (r)
		return r == V_EXISTS ? why_set(why, V_EXISTS, "%s: another process seals here", s->dir) : r;

	r = chain_load(s);
	if (!r) {
		r = chain_adopt(s, true);
	} else if (r > 0) {
		bool damaged = r == V_BAD;

		r = chain_from_files(s);
		if (r == V_NOT_FOUND) {
			/* Nothing is left to continue. A first start is no rejoin: nobody is told of a break that was
			 * none. */
			s->next_seq = s->epoch = 0;
			s->rejoin = damaged;
			r = 0;
		}
		if (!r && damaged)
			bad = why_set(why, V_BAD, "%s/chain: damaged; %s", s->own,
				s->rejoin ? "the chain is begun anew" : "the chain goes on from the newest segment");
	}
	if (r)
		return r;
	held_scan(s);
	room_scan(s, clock_boot_us());
	r = open_map(s);
	if (r)
		return r;
	s->last_seal_boot_us = clock_boot_us();
	s->cut = s->chain_open == CHAIN_OPEN_MEMORY || (s->chain_open == CHAIN_OPEN_FILE && !open_is_whole(s));
	r = before_this_boot(s);
	if (r)
		return r;
	s->stats.cut = s->cut;
	/* From here on something may be open: a disk that is full now has the word of the last run, which is the same
	 * but where that one stopped in order. */
	s->chain_open = open_place(s);
	r = chain_store(s);
	if (r && r != -ENOSPC && r != -EDQUOT)
		return r;
	r = what_is_left(s);
	if (r)
		return r;
	self_begin(s);
	*out = STEAL(s);
	return bad;
}

void sealer_free(struct sealer *s)
{
	if (!s)
		return;
	if (s->open)
		munmap(s->open, OPEN_SIZE);
	body_writer_deinit(&s->body);
	key_free(s->epoch_key);
	buf_deinit(&s->epoch_cert);
	buf_deinit(&s->handover);
	closep(&s->lock);
	closep(&s->dirfd);
	closep(&s->ownfd);
	free(s);
}

static int put(struct sealer *s, const struct record *r, bool urgent)
{
	int64_t now = 0;
	int x = s->recovered ? V_FULL : body_put(&s->body, r);

	if (x == V_FULL && (s->body.records || s->recovered)) {
		now = clock_boot_us();
		s->urgent |= urgent;
		x = s->retry_us > now && !urgent ? V_FULL : seal(s, 0, now);
		if (x == V_FULL && s->key_retry_us && room_make(s, OPEN_SIZE, urgent, now))
			x = held_put_aside(s);
		x = x ? x : body_put(&s->body, r);
	}
	if (x == V_FULL) {
		s->stats.dropped++;
		sealer_lost(s, CAUSE_SPOOL_FULL, 1);
		return V_FULL;
	}
	if (x)
		return x;
	/* Only now do the bytes count: a crash before this line leaves the record out as a whole. */
	__atomic_store_n(&s->open->used, (uint32_t)s->raw.n, __ATOMIC_RELEASE);
	if (!s->opened_us)
		s->opened_us = now ? now : clock_boot_us();
	if (!urgent)
		return 0;
	s->urgent = true;
	x = seal(s, 0, now ? now : clock_boot_us());
	return x < 0 ? x : 0;
}

static int put_plain(struct sealer *s, const struct record *r)
{
	return put(s, r, false);
}

/* What the process has to tell of itself; sealed at once, as it may be the last that it says. */
int sealer_look(struct sealer *s)
{
	bool told = false;
	int r = self_look(s, put_plain, &told);

	if (r < 0 || !told)
		return r < 0 ? r : 0;
	s->urgent = true;
	r = seal(s, 0, clock_boot_us());
	return r < 0 ? r : 0;
}

int sealer_put(struct sealer *s, const struct record *r, bool urgent)
{
	int x = sealer_look(s);

	return x ? x : put(s, r, urgent);
}

bool sealer_sealed(const struct sealer *s)
{
	return !s->opened_us;
}

void sealer_policy(struct sealer *s, uint64_t version)
{
	s->o.policy = version;
}

void sealer_means(struct sealer *s, const char *names)
{
	snprintf(s->means, sizeof(s->means), "%s", names);
	s->has_means = true;
}

void sealer_follow(struct sealer *s, int64_t until_boot_us)
{
	s->follow_until_us = until_boot_us;
}

int64_t sealer_due(const struct sealer *s)
{
	int64_t due = s->last_seal_boot_us + (int64_t)s->o.idle_us, renew;

	if (s->opened_us) {
		int64_t wait = (int64_t)s->o.seal_us;

		if (s->follow_until_us > s->opened_us && wait > FOLLOW_SEAL_US)
			wait = FOLLOW_SEAL_US;
		due = s->opened_us + wait < due ? s->opened_us + wait : due;
	}
	renew = s->key_retry_us > s->epoch_until_us ? s->key_retry_us : s->epoch_until_us;
	due = renew < due ? renew : due;
	due = self_due(s) < due ? self_due(s) : due;
	return s->retry_us > due ? s->retry_us : due;
}

int sealer_run(struct sealer *s, int64_t now_boot_us)
{
	_cleanup_buf_ struct buf cert = BUF_INIT(EPOCH_CERT_MAX);
	_cleanup_(key_freep) struct key *k = NULL;
	int r = 0;

	if (now_boot_us < sealer_due(s))
		return 0;
	r = sealer_look(s);
	if (r || now_boot_us < sealer_due(s))
		return r;
	if (now_boot_us >= s->epoch_until_us)
		r = epoch_make(s, s->boot, now_boot_us, &k, &cert);
	if (k) {
		/* The old key's last segment first; the new key's first one, with the handover in it, right behind. */
		r = epoch_is_good(s, s->boot, now_boot_us) ? seal(s, SF_LAST, now_boot_us) : 0;
		r = r ? r : epoch_take(s, s->boot, now_boot_us, STEAL(k), buf_span(&cert));
	}
	/* Nothing to do but for the key, which waits. */
	if (r == V_AGAIN && !s->opened_us && now_boot_us < s->last_seal_boot_us + (int64_t)s->o.idle_us)
		return 0;
	r = r && r != V_AGAIN ? r : seal(s, 0, now_boot_us);
	return r < 0 ? r : 0;
}

int sealer_flush(struct sealer *s, bool last)
{
	int r = sealer_look(s);

	if (r || (!last && !s->body.records && !s->lost_n))
		return r;
	r = seal(s, last ? SF_LAST : 0, clock_boot_us());
	/* It stops in order: what could not be sealed is held, so nothing can have been lost when it is here again. */
	if (last && r == V_FULL && s->open_is_file && s->open->held == s->open->used && !s->lost_n && !s->cut) {
		s->chain_open = CHAIN_OPEN_NONE;
		(void)chain_store(s);
	}
	return r < 0 ? r : 0;
}

void sealer_stats(struct sealer *s, struct sealer_stats *out)
{
	int64_t now = clock_boot_us();

	/* The uplink moves files away meanwhile. */
	if (now - s->scanned_us > FOLLOW_SEAL_US)
		room_scan(s, now);
	s->stats.seq = s->next_seq;
	s->stats.key_place = key_place(s->o.device);
	s->stats.key_waits = s->key_retry_us != 0;
	s->stats.unprotected = !s->open_is_file;
	*out = s->stats;
}
