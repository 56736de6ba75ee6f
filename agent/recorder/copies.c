/*
 * Copies among the kernel's events. See copies.h.
 *
 * A file that was written becomes a draft at its last close. A draft waits COPIES_HOLD_US: its source may be closed
 * after it, and what is written under a name for the while (rsync, zip, every program that saves with care) gets its
 * real one by a rename. A draft that the kernel named a source of is begun with the first byte, and has no need of
 * guesses.
 *
 * What the guard is about to look into is then settled, and waits on as it is (parked) for the hash of its content.
 */
#include "agent/recorder/copies.h"
#include "agent/recorder/copies_reads.h"
#include "agent/recorder/names.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <stdlib.h>

#define BUCKETS 4096u
#define LOOKS_MAX 64u    /* reads, or drafts, of one size that are looked at */
#define CUTS 256u        /* sizes that files were cut to, by names, that are kept apart */
#define RENAMES_MAX 256u /* drafts that are looked at for a name, where the kernel told no object */
#define HELD_MAX 64u
#define VAIN_MAX 16u    /* devices on which copies waited in vain */
#define SOON_US 1000000 /* an archive's program may have read before it made the archive */

/* How well a read fits a draft: bits, of which a higher one says more than all lower ones. */
enum {
	FITS_NAME = 1 << 0,    /* the same last component */
	FITS_WHOLE = 1 << 1,   /* all was read, and all was written */
	FITS_OVERLAP = 1 << 2, /* both were open at a time */
	FITS_PROCESS = 1 << 3, /* one process did both */
	FITS_AT_ALL = 1 << 4,
};

struct draft {
	struct seen s; /* its spans are in names */
	uint32_t path, program_id;
	uint64_t program; /* hash of its path */
	int64_t first_us, due_us;
	bool open;   /* begun by the kernel's word, and not closed yet */
	bool large;  /* that is parked: its names take the room of which there is least */
	bool parked; /* it is what it is, but for the hash: of no size's row, and has its last name */
	uint32_t drive;
	int64_t rewritten_us; /* the first close behind writing after its own; 0: none */
	/* the source as known by now */
	uint32_t from_path; /* 0: none */
	uint32_t from_major, from_minor;
	uint64_t from_inode, bytes;
	unsigned reason, fits, rivals;
	/* of one that is parked */
	unsigned certainty;
	struct copy_places places;
	/* links: places from 1 */
	uint32_t older, newer;             /* of all drafts, those that wait or those that are open */
	uint32_t next_object, prev_object; /* of one object (or bucket of them), and of one size */
	uint32_t next_size, prev_size;
};

struct row {
	uint32_t oldest, newest;
};

/* What was told of a file that is in use for long: the rest comes at its last close, counted from zero. */
struct held {
	uint32_t pid;
	uint32_t dev_major, dev_minor;
	uint32_t flags;
	uint64_t start_ns, inode, read, written;
	int64_t first_us;
};

struct look {
	struct look_word w;
	bool fresh; /* not used by copies_run yet */
};

/* A device of which the guard tells nothing. */
struct vain {
	uint32_t dev_major, dev_minor;
	unsigned n;
};

struct copies {
	copy_fn fn;
	copies_awaits_fn awaits;
	void *ctx;
	struct names *names;
	struct reads *reads;
	struct copies_stats stats;
	struct row waiting, open, parked;
	unsigned parked_n, large_n, vain_at;
	struct vain vain[VAIN_MAX];
	struct look look[COPIES_LOOKS];
	unsigned look_at, fresh_n;
	int64_t cut_us[CUTS]; /* by size, the last time that some file, nobody knows which, was made that large */
	int64_t now_us;       /* events until then were told */
	struct held held[HELD_MAX];
	unsigned held_n;
	uint32_t free, used;
	uint32_t by_object[BUCKETS], by_size[BUCKETS];
	struct draft draft[COPIES_DRAFTS + 1]; /* from 1; the first is nobody's, and takes links to nobody */
};

int copies_new(copy_fn fn, void *ctx, struct copies **out)
{
	struct copies *c = calloc(1, sizeof(*c));
	int r = c ? names_new(&c->names) : -ENOMEM;

	if (!r)
		r = reads_new(&c->reads);
	if (r) {
		copies_free(c);
		return r;
	}
	c->fn = fn;
	c->ctx = ctx;
	*out = c;
	return 0;
}

void copies_free(struct copies *c)
{
	if (!c)
		return;
	names_free(c->names);
	reads_free(c->reads);
	free(c);
}

void copies_await(struct copies *c, copies_awaits_fn fn)
{
	c->awaits = fn;
}

/* --- the table of drafts --- */

static uint32_t *bucket_of(struct copies *c, uint32_t major, uint32_t minor, uint64_t inode)
{
	uint64_t h = (inode ^ ((uint64_t)major << 52) ^ ((uint64_t)minor << 40)) * 0x9e3779b97f4a7c15ull;

	return &c->by_object[h >> 52];
}

static uint32_t *object_bucket(struct copies *c, const struct seen *s)
{
	return bucket_of(c, s->dev_major, s->dev_minor, s->inode);
}

static uint32_t *size_bucket(struct copies *c, uint64_t size)
{
	return &c->by_size[(size * 0x9e3779b97f4a7c15ull) >> 52];
}

static struct row *row_of(struct copies *c, const struct draft *d)
{
	return d->open ? &c->open : d->parked ? &c->parked : &c->waiting;
}

static uint32_t place_of(const struct copies *c, const struct draft *d)
{
	return (uint32_t)(d - c->draft);
}

static void row_join(struct copies *c, struct draft *d)
{
	struct row *row = row_of(c, d);

	d->older = row->newest;
	d->newer = 0;
	*(d->older ? &c->draft[d->older].newer : &row->oldest) = place_of(c, d);
	row->newest = place_of(c, d);
}

static void row_leave(struct copies *c, struct draft *d)
{
	struct row *row = row_of(c, d);

	*(d->older ? &c->draft[d->older].newer : &row->oldest) = d->newer;
	*(d->newer ? &c->draft[d->newer].older : &row->newest) = d->older;
}

static void size_join(struct copies *c, struct draft *d)
{
	uint32_t *bucket = size_bucket(c, d->s.size);

	d->next_size = *bucket;
	d->prev_size = 0;
	c->draft[*bucket].prev_size = place_of(c, d);
	*bucket = place_of(c, d);
}

static void size_leave(struct copies *c, struct draft *d)
{
	*(d->prev_size ? &c->draft[d->prev_size].next_size : size_bucket(c, d->s.size)) = d->next_size;
	c->draft[d->next_size].prev_size = d->prev_size;
}

static void object_join(struct copies *c, struct draft *d)
{
	uint32_t *bucket = object_bucket(c, &d->s);

	d->next_object = *bucket;
	d->prev_object = 0;
	c->draft[*bucket].prev_object = place_of(c, d);
	*bucket = place_of(c, d);
}

static void object_leave(struct copies *c, struct draft *d)
{
	*(d->prev_object ? &c->draft[d->prev_object].next_object : object_bucket(c, &d->s)) = d->next_object;
	c->draft[d->next_object].prev_object = d->prev_object;
}

/* A free place; NULL: there is none. */
static struct draft *place_take(struct copies *c)
{
	struct draft *d = &c->draft[c->free];

	if (c->free)
		c->free = d->next_object;
	else
		d = c->used < COPIES_DRAFTS ? &c->draft[++c->used] : NULL;
	return d;
}

static void place_give(struct copies *c, struct draft *d)
{
	*d = (struct draft){.next_object = c->free};
	c->free = place_of(c, d);
}

static void forget(struct copies *c, struct draft *d)
{
	object_leave(c, d);
	if (!d->parked)
		size_leave(c, d);
	c->parked_n -= d->parked;
	c->large_n -= d->large;
	row_leave(c, d);
	names_unref(c->names, d->path);
	names_unref(c->names, d->program_id);
	names_unref(c->names, d->from_path);
	names_unref(c->names, d->drive);
	place_give(c, d);
}

/* --- the guard's looks --- */

/* Sizes share a place: then a hash is given up for another size's sake. */
static unsigned cut_of(uint64_t size)
{
	return size % CUTS;
}

/*
 * Does this look say what the draft's content is, or that nobody will know? With its hash in *hash, where it is of the
 * bytes that were copied: nobody closed it behind writing before the look ended, and no file that may have been it was
 * given its size by name.
 */
static bool look_answers(
	const struct copies *c, const struct draft *d, const struct look_word *w, const struct digest **hash)
{
	bool whole;

	if (w->inode != d->s.inode || w->dev_major != d->s.dev_major || w->dev_minor != d->s.dev_minor ||
		w->begun_us < d->s.boot_us)
		return false;
	whole = w->has_hash && w->size == d->s.size && (!d->rewritten_us || d->rewritten_us > w->ended_us) &&
		c->cut_us[cut_of(w->size)] <= d->s.boot_us;
	*hash = whole ? &w->hash : NULL;
	return true;
}

/* The first look since the draft was closed. Of later ones nothing is known while events are behind. */
static bool was_looked(const struct copies *c, const struct draft *d, const struct digest **hash)
{
	unsigned i;

	for (i = 1; i <= COPIES_LOOKS; i++) {
		const struct look *l = &c->look[(c->look_at + i - 1) % COPIES_LOOKS];

		if (l->w.begun_us && l->w.ended_us <= c->now_us && look_answers(c, d, &l->w, hash))
			return true;
	}
	return false;
}

static struct vain *vain_of(struct copies *c, uint32_t major, uint32_t minor)
{
	unsigned i;

	for (i = 0; i < VAIN_MAX; i++)
		if (c->vain[i].n && c->vain[i].dev_major == major && c->vain[i].dev_minor == minor)
			return &c->vain[i];
	return NULL;
}

/* One waited in vain: where all do, others are not kept waiting. */
static void waited_in_vain(struct copies *c, const struct draft *d)
{
	struct vain *v = vain_of(c, d->s.dev_major, d->s.dev_minor);

	c->stats.unlooked++;
	if (!v) {
		v = &c->vain[c->vain_at++ % VAIN_MAX];
		*v = (struct vain){.dev_major = d->s.dev_major, .dev_minor = d->s.dev_minor};
	}
	if (v->n < COPIES_VAIN)
		v->n++;
}

static bool is_vain(struct copies *c, const struct draft *d)
{
	const struct vain *v = vain_of(c, d->s.dev_major, d->s.dev_minor);

	return v && v->n == COPIES_VAIN;
}

/* A copy of the draft that waits on, from this source. False where there is no place. */
static bool park(
	struct copies *c, const struct draft *d, struct span from, unsigned certainty, const struct copy_places *places)
{
	size_t path = names_get(c->names, d->path).n, longest = path > from.n ? path : from.n;
	bool large = longest > NAMES_MIDDLE;
	struct draft *p;
	uint32_t name;

	/* What waits for long leaves room for the names of what does not. */
	if (c->parked_n == COPIES_PARKED || longest > NAMES_LONG || (large && c->large_n == COPIES_PARKED_LONG))
		return false;
	p = place_take(c);
	if (!p)
		return false;
	name = names_put(c->names, from);
	if (!name) {
		place_give(c, p);
		return false;
	}
	*p = *d;
	p->open = false;
	p->parked = true;
	p->path = names_ref(c->names, d->path);
	p->program_id = names_ref(c->names, d->program_id);
	p->drive = names_ref(c->names, d->drive);
	p->from_path = name;
	p->certainty = certainty;
	p->places = *places;
	p->large = large;
	c->parked_n++;
	c->large_n += large;
	p->due_us = d->s.boot_us + COPIES_LOOK_US;
	object_join(c, p);
	row_join(c, p);
	return true;
}

/* --- telling --- */

static int tell(
	struct copies *c, const struct draft *d, struct span from, unsigned certainty, const struct digest *hash)
{
	struct copy copy = {.seen = d->s,
		.program = names_get(c->names, d->program_id),
		.certainty = certainty,
		.reason = d->reason,
		.from_major = d->from_major,
		.from_minor = d->from_minor,
		.from_inode = d->from_inode,
		.bytes = d->bytes,
		.rivals = d->rivals,
		.drive = names_get(c->names, d->drive),
		.places = d->parked ? &d->places : NULL};
	struct copy_places places = {.fs = ""};

	copy.seen.kind = KIND_COPY;
	copy.seen.path = names_get(c->names, d->path);
	copy.seen.path2 = from;
	copy.seen.fs = SPAN(NULL, 0);
	copy.seen.comm = SPAN(NULL, 0);
	/* a file that takes its own place: edited, not copied */
	if (!copy.seen.path.n || !from.n || span_eq(copy.seen.path, from))
		return 0;
	if (c->awaits && !d->parked && !was_looked(c, d, &hash) && !is_vain(c, d) &&
		c->awaits(c->ctx, &copy, &places)) {
		if (park(c, d, from, certainty, &places))
			return 0;
		c->stats.drafts_evicted++;
	}
	copy.hash = hash;
	c->stats.told++;
	c->stats.hashed += hash != NULL;
	return c->fn(c->ctx, &copy);
}

/* What was waited for came, or did not. */
static int unpark(struct copies *c, struct draft *d, const struct digest *hash)
{
	int r = tell(c, d, names_get(c->names, d->from_path), d->certainty, hash);

	forget(c, d);
	return r;
}

static unsigned certainty_of(const struct draft *d)
{
	if (d->reason <= REASON_REFLINK)
		return CERTAINTY_EXACT;
	if (d->reason != REASON_SAME_SIZE || !(d->fits & FITS_WHOLE) || d->rivals)
		return CERTAINTY_LIKELY;
	/* a small file's size says little, but with the same name it is enough */
	return d->s.size >= COPIES_SMALL || d->fits & FITS_NAME ? CERTAINTY_STRONG : CERTAINTY_LIKELY;
}

static bool is_same_file(const struct draft *d, const struct read *r)
{
	return r->inode == d->s.inode && r->dev_major == d->s.dev_major && r->dev_minor == d->s.dev_minor;
}

static bool is_same_read(const struct read *a, const struct read *b)
{
	return a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

static bool by_process(const struct draft *d, const struct read *r)
{
	return r->pid == d->s.pid && r->start_ns == d->s.start_ns;
}

static void take_source(struct draft *d, const struct read *r)
{
	d->from_major = r->dev_major;
	d->from_minor = r->dev_minor;
	d->from_inode = r->inode;
}

/* The files of the row of `pid` that went into an archive: each once. */
static int tell_row(struct copies *c, struct draft *d, uint32_t pid)
{
	const struct read *r, *seen;
	unsigned i, k;
	int x = 0;

	for (i = 0; !x && (r = reads_row(c->reads, pid, i)); i++) {
		bool relative = by_process(d, r) || r->pid == d->s.ppid;

		if (!relative || is_same_file(d, r) || !r->bytes || r->end_us < d->first_us - SOON_US ||
			r->first_us > d->s.boot_us)
			continue;
		for (k = 0; k < i && (seen = reads_row(c->reads, pid, k)); k++)
			if (is_same_read(seen, r))
				break;
		if (k < i)
			continue;
		take_source(d, r);
		x = tell(c, d, reads_path(c->reads, r), CERTAINTY_LIKELY, NULL);
	}
	return x;
}

static int tell_archive(struct copies *c, struct draft *d)
{
	int r;

	d->reason = REASON_ARCHIVE;
	d->bytes = 0;
	r = tell_row(c, d, d->s.pid);
	if (!r && d->s.ppid % COPIES_ROWS != d->s.pid % COPIES_ROWS)
		r = tell_row(c, d, d->s.ppid);
	return r;
}

/* Of the documents that its program had opened, the last one of its kind. One that it had opened itself is saved again.
 */
static int tell_saved(struct copies *c, struct draft *d, enum kin kin)
{
	struct span path = names_get(c->names, d->path), from;
	const struct read *r, *best = NULL;
	unsigned i, reason;

	for (i = 0; (r = reads_row(c->reads, d->s.pid, i)); i++) {
		if (!by_process(d, r) || r->first_us > d->s.boot_us || !r->bytes || !kin_made(r->kin, kin))
			continue;
		from = reads_path(c->reads, r);
		if (!from.n)
			continue;
		if (is_same_file(d, r) || span_eq(from, path))
			return 0;
		reason = kin_made(r->kin, kin);
		if (!best) {
			best = r;
			d->reason = reason;
		} else if (!is_same_read(best, r)) {
			d->rivals++;
		}
	}
	if (!best)
		return 0;
	take_source(d, best);
	d->bytes = 0;
	return tell(c, d, reads_path(c->reads, best), CERTAINTY_LIKELY, NULL);
}

static int settle(struct copies *c, struct draft *d)
{
	enum kin kin;
	int r;

	if (d->from_path) {
		r = tell(c, d, names_get(c->names, d->from_path), certainty_of(d), NULL);
	} else {
		kin = kin_of(names_get(c->names, d->path));
		r = kin == KIN_ARCHIVE ? tell_archive(c, d) : kin ? tell_saved(c, d, kin) : 0;
	}
	forget(c, d);
	return r;
}

/* A place for a draft: the oldest that is parked gives way, then the oldest that waits, then the oldest that is open.
 */
static int take_place(struct copies *c, struct draft **out)
{
	int r;

	*out = place_take(c);
	if (*out)
		return 0;
	c->stats.drafts_evicted++;
	r = c->parked.oldest ? unpark(c, &c->draft[c->parked.oldest], NULL)
			     : settle(c, &c->draft[c->waiting.oldest ? c->waiting.oldest : c->open.oldest]);
	*out = place_take(c);
	return r;
}

static int draft_new(
	struct copies *c, const struct seen *s, struct span program, struct span drive, bool open, struct draft **out)
{
	struct draft *d;
	int r = take_place(c, &d);

	*d = (struct draft){.s = *s,
		.open = open,
		.path = names_put(c->names, s->path),
		.program_id = names_put(c->names, program),
		.drive = names_put(c->names, drive),
		.program = span_hash(program),
		.first_us = s->boot_us - s->duration_us,
		.due_us = s->boot_us + COPIES_HOLD_US};
	object_join(c, d);
	size_join(c, d);
	row_join(c, d);
	*out = d;
	return r;
}

/* --- what a program read and wrote --- */

/* FITS_* of a read of the draft's size; 0: it is not its source. */
static unsigned fits(const struct copies *c, const struct draft *d, const struct read *r)
{
	bool whole = r->bytes >= r->size && d->s.written >= d->s.size;
	bool process = by_process(d, r), overlap = r->end_us >= d->first_us;
	struct span from = reads_path(c->reads, r), path = names_get(c->names, d->path);

	if (!from.n || is_same_file(d, r) || span_eq(from, path) || r->first_us > d->s.boot_us)
		return 0;
	if (!overlap && d->first_us - r->end_us > COPIES_WINDOW_US)
		return 0;
	/* holes are neither read nor written: then the new file must at least have begun empty */
	if (!whole && (!(d->s.flags & (RF_CREATED | RF_TRUNCATED)) || !r->bytes || r->bytes < d->s.written))
		return 0;
	if (!process && (r->program != d->program || r->uid != d->s.uid || !kin_alike(from, path)))
		return 0;
	return FITS_AT_ALL | (process ? FITS_PROCESS : 0) | (overlap ? FITS_OVERLAP : 0) | (whole ? FITS_WHOLE : 0) |
	       (kin_alike(from, path) ? FITS_NAME : 0);
}

/* The better of what the draft has and this one; of two that fit as well the one that came first here. */
static void consider(struct copies *c, struct draft *d, const struct read *r)
{
	unsigned how = fits(c, d, r);

	if (!how || how < d->fits)
		return;
	if (how == d->fits) {
		if (r->inode != d->from_inode || r->dev_major != d->from_major || r->dev_minor != d->from_minor)
			d->rivals++;
		return;
	}
	d->rivals = 0;
	names_unref(c->names, d->from_path);
	d->from_path = names_put(c->names, reads_path(c->reads, r));
	d->reason = how & FITS_PROCESS ? REASON_SAME_SIZE : REASON_SAME_SIZE_FAMILY;
	d->fits = how;
	d->bytes = d->s.written;
	take_source(d, r);
}

static void on_read(struct copies *c, const struct seen *s, uint64_t program)
{
	const struct read *r;
	uint32_t at;
	unsigned n = 0;

	if (!s->path.n || !s->size || s->flags & (RF_MEMFD | RF_DIRECT_BLOCK))
		return;
	r = reads_put(c->reads, s, program);
	/* what was written may have been closed before */
	for (at = *size_bucket(c, s->size); at && n < LOOKS_MAX; at = c->draft[at].next_size, n++)
		if (c->draft[at].s.size == s->size && !c->draft[at].open &&
			(!c->draft[at].reason || c->draft[at].reason > REASON_REFLINK))
			consider(c, &c->draft[at], r);
}

/* --- events --- */

static bool is_object(const struct draft *d, const struct seen *s)
{
	return d->s.inode == s->inode && d->s.dev_major == s->dev_major && d->s.dev_minor == s->dev_minor;
}

static bool is_from(const struct draft *d, const struct seen *s)
{
	return d->from_inode == s->from_inode && d->from_major == s->from_major && d->from_minor == s->from_minor;
}

/* The kernel carries bytes from one file to another: told once for each two. */
static int on_carried(struct copies *c, const struct seen *s, struct span program, struct span drive)
{
	struct draft *d;
	uint32_t at;
	int r;

	for (at = *object_bucket(c, s); at; at = c->draft[at].next_object)
		if (c->draft[at].open && is_object(&c->draft[at], s) && is_from(&c->draft[at], s))
			return 0;
	r = draft_new(c, s, program, drive, true, &d);
	d->s.path2 = SPAN(NULL, 0);
	d->from_path = names_put(c->names, s->path2);
	d->from_major = s->from_major;
	d->from_minor = s->from_minor;
	d->from_inode = s->from_inode;
	d->reason = s->how;
	return r;
}

/* A file that the kernel carried bytes into is closed: all that it was made from is told of it as it is now. */
static bool close_carried(struct copies *c, const struct seen *s)
{
	uint32_t at, next;
	bool any = false;

	for (at = *object_bucket(c, s); at; at = next) {
		struct draft *d = &c->draft[at];

		next = d->next_object;
		if (!d->open || !is_object(d, s))
			continue;
		any = true;
		size_leave(c, d);
		row_leave(c, d);
		d->s.flags = s->flags;
		d->s.size = s->size;
		d->s.has_size = s->has_size;
		d->s.boot_us = s->boot_us;
		d->bytes = is_from(d, s) ? s->copied : 0;
		d->due_us = s->boot_us + COPIES_HOLD_US;
		d->open = false;
		size_join(c, d);
		row_join(c, d);
	}
	return any;
}

/* Its content is another one from now on. */
static void on_change(struct copies *c, const struct seen *s)
{
	uint32_t at;

	for (at = *object_bucket(c, s); at; at = c->draft[at].next_object)
		if (!c->draft[at].open && !c->draft[at].rewritten_us && is_object(&c->draft[at], s))
			c->draft[at].rewritten_us = s->boot_us;
}

/*
 * A file was cut, or made longer, by its name. Where the kernel told no number (tracepoints, of most names) it may have
 * been any: those of the size that it has now are the only ones that a look could still take for what was copied.
 */
static void on_truncate(struct copies *c, const struct seen *s)
{
	if (s->has_object && s->inode)
		on_change(c, s);
	else if (s->boot_us > c->cut_us[cut_of(s->size)])
		c->cut_us[cut_of(s->size)] = s->boot_us;
}

static int on_written(struct copies *c, const struct seen *s, struct span program, struct span drive)
{
	const struct read *r;
	struct draft *d;
	unsigned n = 0;
	int x;

	on_change(c, s);
	if (s->how && close_carried(c, s))
		return 0;
	if (!s->size || !s->path.n || s->flags & (RF_MEMFD | RF_UNLINKED | RF_DIRECT_BLOCK))
		return 0;
	x = draft_new(c, s, program, drive, false, &d);
	for (r = reads_sized(c->reads, s->size); r && n < LOOKS_MAX; r = reads_sized_next(c->reads, r), n++)
		consider(c, d, r);
	return x;
}

static bool is_held(const struct held *h, const struct seen *s)
{
	return h->pid == s->pid && h->start_ns == s->start_ns && h->inode == s->inode && h->dev_major == s->dev_major &&
	       h->dev_minor == s->dev_minor;
}

/* Adds what was told before. False where more is to come: then it is kept. */
static bool whole_use(struct copies *c, struct seen *s)
{
	struct held *h = c->held, *end = c->held + HELD_MAX;

	while (h < end && !is_held(h, s))
		h++;
	if (h == end && !(s->flags & RF_HELD_OPEN))
		return true;
	if (h == end) {
		h = &c->held[c->held_n++ % HELD_MAX];
		*h = (struct held){.pid = s->pid,
			.dev_major = s->dev_major,
			.dev_minor = s->dev_minor,
			.start_ns = s->start_ns,
			.inode = s->inode,
			.first_us = s->boot_us - s->duration_us};
	}
	h->read += s->read;
	h->written += s->written;
	h->flags |= s->flags & ~(uint32_t)RF_HELD_OPEN;
	if (s->flags & RF_HELD_OPEN)
		return false;
	s->read = h->read;
	s->written = h->written;
	s->flags |= h->flags;
	s->duration_us = s->boot_us - h->first_us;
	*h = (struct held){.pid = 0};
	return true;
}

static int on_file(struct copies *c, const struct seen *seen, struct span program, struct span drive)
{
	const uint32_t wrote = RF_WROTE | RF_MMAP_WRITE | RF_CLONE;
	struct seen s = *seen;

	if (!s.has_object || !whole_use(c, &s))
		return 0;
	if (s.flags & wrote || s.written)
		return on_written(c, &s, program, drive);
	if (s.read || s.flags & RF_READ)
		on_read(c, &s, span_hash(program));
	return 0;
}

static void rename_draft(struct copies *c, struct draft *d, struct span path)
{
	uint32_t was = d->path;

	d->path = names_put(c->names, path);
	if (d->path)
		names_unref(c->names, was);
	else
		d->path = was;
}

/* What waits has its last name by the time that it is told. */
static void on_rename(struct copies *c, const struct seen *s)
{
	struct span path;
	unsigned n = 0;
	uint32_t at;

	if (!s->path2.n || s->flags & RF_EXCHANGE)
		return;
	if (s->has_object) {
		for (at = *object_bucket(c, s); at; at = c->draft[at].next_object)
			if (!c->draft[at].parked && is_object(&c->draft[at], s))
				rename_draft(c, &c->draft[at], s->path2);
		return;
	}
	for (at = c->waiting.newest; at && n < RENAMES_MAX; at = c->draft[at].older, n++) {
		path = names_get(c->names, c->draft[at].path);
		if (span_eq(path, s->path))
			rename_draft(c, &c->draft[at], s->path2);
	}
}

int copies_event(struct copies *c, const struct seen *s, struct span program, struct span drive)
{
	switch (s->kind) {
	case KIND_COPY:
		return on_carried(c, s, program, drive);
	case KIND_FILE:
		return on_file(c, s, program, drive);
	case KIND_RENAME:
		on_rename(c, s);
		return 0;
	case KIND_TRUNCATE:
		on_truncate(c, s);
		return 0;
	}
	return 0;
}

void copies_looked(struct copies *c, const struct look_word *w)
{
	struct look *l = &c->look[c->look_at++ % COPIES_LOOKS];
	struct vain *v = vain_of(c, w->dev_major, w->dev_minor);

	if (v)
		v->n = 0;
	c->fresh_n += !l->fresh;
	*l = (struct look){.w = *w, .fresh = true};
}

/* --- time --- */

/* Who waited for this file. */
static int use_look(struct copies *c, const struct look_word *w)
{
	uint32_t at, next;
	const struct digest *hash;
	int r = 0;

	for (at = *bucket_of(c, w->dev_major, w->dev_minor, w->inode); !r && at; at = next) {
		struct draft *d = &c->draft[at];

		next = d->next_object;
		if (d->parked && look_answers(c, d, w, &hash))
			r = unpark(c, d, hash);
	}
	return r;
}

static int use_looks(struct copies *c)
{
	unsigned i;
	int r = 0;

	for (i = 0; !r && c->fresh_n && i < COPIES_LOOKS; i++) {
		struct look *l = &c->look[(c->look_at + i) % COPIES_LOOKS];

		if (!l->fresh || l->w.ended_us > c->now_us)
			continue;
		l->fresh = false;
		c->fresh_n--;
		r = use_look(c, &l->w);
	}
	return r;
}

int copies_run(struct copies *c, int64_t now_us)
{
	int r = 0;

	c->now_us = now_us;
	while (!r && c->waiting.oldest && c->draft[c->waiting.oldest].due_us <= now_us)
		r = settle(c, &c->draft[c->waiting.oldest]);
	r = r ? r : use_looks(c);
	while (!r && c->parked.oldest && c->draft[c->parked.oldest].due_us <= now_us) {
		waited_in_vain(c, &c->draft[c->parked.oldest]);
		r = unpark(c, &c->draft[c->parked.oldest], NULL);
	}
	return r;
}

int copies_flush(struct copies *c)
{
	int r = copies_run(c, INT64_MAX);

	while (!r && c->open.oldest)
		r = settle(c, &c->draft[c->open.oldest]);
	while (!r && c->parked.oldest)
		r = unpark(c, &c->draft[c->parked.oldest], NULL);
	return r;
}

int64_t copies_due(const struct copies *c)
{
	int64_t waits = c->waiting.oldest ? c->draft[c->waiting.oldest].due_us : INT64_MAX;
	int64_t parked = c->parked.oldest ? c->draft[c->parked.oldest].due_us : INT64_MAX;

	return c->fresh_n ? 0 : waits < parked ? waits : parked;
}

void copies_stats(const struct copies *c, struct copies_stats *out)
{
	*out = c->stats;
	out->reads_evicted = reads_evicted(c->reads);
	out->names_refused = names_refused(c->names);
}
