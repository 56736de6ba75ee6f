/*
 * A file made unreadable on its medium. See seal.h for what holds throughout; the steps are in seal_file(), in their
 * order.
 */
#include "agent/guard/seal_parts.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#define STEP (256u << 10)
#define OVERHEAD 65536u /* what an envelope and its tail may add, and a part in fifty of the file */

struct sealing {
	const struct seal_work *w;
	struct seal_result *out;
	struct stat st;       /* as it was when it began */
	bool leased, written; /* by us, so that who wants to write waits; somebody has it open for writing */
	uint64_t read;        /* bytes of it that were read since */
	int copy, to;         /* the sealed copy; the file, for writing */
	uint64_t sealed;
	struct digest sealed_hash;
};

/* --- the sealed copy --- */

/* Its content into the envelope. 0; V_AGAIN: somebody writes to it; -errno. */
static int put_content(struct sealing *s, struct envelope *e)
{
	static uint8_t part[STEP];
	struct digesting *d;
	uint64_t at = 0;
	int r = digesting_new(&d);

	while (!r) {
		ssize_t n = pread(s->w->file, part, sizeof(part), (off_t)at);

		if (n <= 0) {
			r = n < 0 ? -errno : 0;
			break;
		}
		digesting_put(d, SPAN(part, n));
		r = envelope_put(e, SPAN(part, n));
		at += (uint64_t)n;
		if (!r && s->leased && !s->w->insist && seal_wanted(s->w->file))
			r = V_AGAIN;
	}
	digesting_end(d, &s->out->hash);
	s->out->bytes = s->read = at;
	return r;
}

/* What the medium is to hold. */
static int measure_copy(struct sealing *s)
{
	struct stat st;

	if (fstat(s->copy, &st))
		return -errno;
	s->sealed = (uint64_t)st.st_size;
	return seal_hash(s->copy, s->sealed, false, &s->sealed_hash);
}

static int write_copy(struct sealing *s)
{
	_cleanup_(envelope_freep) struct envelope *e = NULL;
	struct sealed_secret secret = {.sealed_us = clock_wall_us()};
	int r = random_bytes(secret.key, sizeof(secret.key));

	r = r ? r : envelope_begin(s->w->openers, NULL, s->copy, &e);
	r = r ? r : envelope_add_key(e, secret.key);
	r = r ? r : put_content(s, e);
	r = r ? r : envelope_end(e);
	secret.hash = s->out->hash;
	secret.bytes = s->out->bytes;
	r = r ? r : sealed_tail_write(s->w->openers, &secret, s->copy);
	secret_wipe(&secret, sizeof(secret));
	r = r ? r : measure_copy(s);
	return r ? r : seal_copy_keep(s->w, s->copy);
}

/* --- the medium --- */

/* No room behind its end: nothing of it stays there, and the copy is all that there is. */
static int empty_it(struct sealing *s, uint64_t size)
{
	int r = ftruncate(s->to, (off_t)size) ? -errno : seal_blank(s->to, 0, size);

	if (!r && (fsync(s->to) || ftruncate(s->to, 0) || fsync(s->to)))
		r = -errno;
	if (r)
		return r;
	s->out->kept = true;
	seal_say(s->out, SEAL_DONE, "no room on the medium: its content is in the copy on the PC only");
	return 0;
}

/* Behind its end first: where there is no room for that, nothing is overwritten yet. */
static int overwrite(struct sealing *s)
{
	struct digest got;
	struct stat st;
	uint64_t size;
	int r;

	if (fstat(s->to, &st))
		return -errno;
	size = (uint64_t)st.st_size;
	r = s->sealed > size ? seal_move(s->copy, s->to, size, s->sealed) : 0;
	if (!r && fsync(s->to))
		r = -errno;
	if (r == -ENOSPC || r == -EDQUOT || r == -EFBIG)
		return empty_it(s, size);
	r = r ? r : seal_move(s->copy, s->to, 0, s->sealed < size ? s->sealed : size);
	/* It grew while it was read (`insist`). */
	r = r ? r : seal_blank(s->to, s->sealed, size);
	if (!r && (fsync(s->to) || (s->sealed < size && ftruncate(s->to, (off_t)s->sealed)) || fsync(s->to)))
		r = -errno;
	r = r ? r : seal_hash(s->to, s->sealed, true, &got);
	if (!r && !digest_eq(&got, &s->sealed_hash)) {
		s->out->kept = true;
		seal_say(s->out, SEAL_DONE,
			"the medium does not hold what was written to it: the copy on the PC is whole");
	}
	return r;
}

/* --- the steps --- */

/* Nothing of the file has been touched: the copy goes. */
static void give_up(struct sealing *s, int r, const char *what)
{
	seal_unlease(s->w->file);
	seal_note_drop(s->w->folder, s->w->copy);
	seal_copy_drop(s->w);
	if (r == V_AGAIN)
		seal_say(s->out, SEAL_BUSY, "it is open for writing");
	else if (r == V_FULL || r == -ENOSPC || r == -EDQUOT)
		seal_say(s->out, SEAL_REFUSED, "no room for its sealed copy on the PC");
	else
		seal_say(s->out, SEAL_REFUSED, "%s: %s", what, strerror(-r));
}

static bool is_left_alone(struct sealing *s)
{
	struct stat now;

	return s->w->insist || (!(s->leased && seal_wanted(s->w->file)) && !fstat(s->w->file, &now) &&
				       seal_same(&s->st, &now) && s->read == (uint64_t)s->st.st_size);
}

/* The copy is there, and the medium's turn comes. 0; V_AGAIN; -errno: nothing of the file has been touched. */
static int take_medium(struct sealing *s)
{
	if (!is_left_alone(s))
		return V_AGAIN;
	/* Another descriptor for writing would break the lease: it is given up here, and all looked at once more. */
	seal_unlease(s->w->file);
	s->leased = false;
	s->to = seal_writable(s->w->file);
	return s->to < 0 ? s->to : is_left_alone(s) ? 0 : V_AGAIN;
}

static void broken(struct sealing *s, int r)
{
	s->out->kept = true;
	seal_say(s->out, SEAL_BROKEN, "the medium: %s; its content is in the copy on the PC", strerror(-r));
}

/* The medium's turn, and what becomes of the copy. */
static void finish(struct sealing *s)
{
	int r = overwrite(s);

	if (r) {
		broken(s, r);
		return;
	}
	s->out->kept |= s->written;
	seal_rename(s->to, s->w->path, true, s->out);
	if (s->written && !s->out->text[0])
		seal_say(s->out, SEAL_DONE, "it was open for writing: a copy as of this moment is on the PC");
	if (s->out->kept)
		return;
	if (s->w->note)
		seal_note_done(s->w->folder, s->w->copy);
	seal_copy_drop(s->w);
}

static int note(const struct sealing *s)
{
	struct seal_note *n = s->w->note;

	if (!n)
		return 0;
	n->hash = s->out->hash;
	n->bytes = s->out->bytes;
	return seal_note_write(s->w->folder, s->w->copy, n);
}

static void steps(struct sealing *s)
{
	int r = fstat(s->w->file, &s->st) ? -errno : 0;

	r = r ? r : seal_copy_begin(s->w, (uint64_t)s->st.st_size + (uint64_t)s->st.st_size / 50 + OVERHEAD, &s->copy);
	r = r ? r : write_copy(s);
	if (r) {
		give_up(s, r, "its sealed copy");
		return;
	}
	r = note(s);
	r = r ? r : take_medium(s);
	if (r) {
		give_up(s, r, "the medium");
		return;
	}
	finish(s);
}

/* --- a sealing that was cut off --- */

#define BLOCK 512u
#define BLOCK_LEAST 64u /* fewer bytes may be the same by chance, or in every envelope */

struct looking {
	bool ours;  /* a block in its content's place is the sealed copy's, which has none in common with anything else
		     */
	bool other; /* something stands behind its content that is neither the copy's nor nothing */
	bool differs; /* from the copy, anywhere */
};

static bool is_empty(const uint8_t *p, size_t n)
{
	return !n || (!p[0] && !memcmp(p, p + 1, n - 1));
}

/* A part of the file, and of the copy from the same place on; `content`: how many of its bytes are in its content's
 * place. */
static void look_at(
	struct looking *l, const uint8_t *file, size_t n, const uint8_t *copy, size_t copy_n, size_t content)
{
	size_t i, block;

	for (i = 0; i < n; i += block) {
		block = n - i < BLOCK ? n - i : BLOCK;
		if (i < content && content - i < block)
			block = content - i;
		if (i + block <= copy_n && !memcmp(file + i, copy + i, block)) {
			l->ours |= i < content && block >= BLOCK_LEAST;
			continue;
		}
		l->differs = true;
		l->other |= i >= content && !is_empty(file + i, block);
	}
}

/*
 * Its content as it was before, or with parts of the copy in its place, which nobody's program made anything of; behind
 * that at most the copy's end. What somebody has put there is somebody's, whatever stands in front. 1, 0, -errno.
 */
static int is_the_one(struct sealing *s)
{
	static uint8_t file[STEP], copy[STEP];
	uint64_t bytes = s->w->note->bytes;
	struct looking l = {.ours = false};
	struct digesting *d;
	struct digest got;
	ssize_t n, m = 0;

	if (digesting_new(&d))
		return -ENOMEM;
	while ((n = pread(s->w->file, file, sizeof(file), (off_t)s->read)) > 0) {
		size_t content = s->read >= bytes                ? 0
				 : bytes - s->read < (uint64_t)n ? (size_t)(bytes - s->read)
								 : (size_t)n;

		m = pread(s->copy, copy, (size_t)n, (off_t)s->read);
		if (m < 0)
			break;
		look_at(&l, file, (size_t)n, copy, (size_t)m, content);
		digesting_put(d, SPAN(file, content));
		s->read += (uint64_t)n;
	}
	if (n < 0 || m < 0)
		n = -errno;
	digesting_end(d, &got);
	if (n < 0)
		return (int)n;
	l.ours |= !l.differs && s->read == s->sealed;
	return !l.other && (l.ours || (s->read >= bytes && digest_eq(&got, &s->w->note->hash)));
}

static void go_on(struct sealing *s)
{
	int r = seal_copy_open(s->w, &s->copy);

	r = r ? r : fstat(s->w->file, &s->st) ? -errno : 0;
	r = r ? r : measure_copy(s);
	if (r == V_NOT_FOUND) {
		s->out->verdict = SEAL_ABSENT;
		return;
	}
	r = r ? r : is_the_one(s);
	s->out->kept = true;
	if (!r) {
		seal_say(s->out, SEAL_REFUSED,
			"it was cut off, and another file lies there now: what it held is in the copy on the PC");
		return;
	}
	s->out->hash = s->w->note->hash;
	s->out->bytes = s->w->note->bytes;
	r = r < 0 ? r : take_medium(s);
	if (r == V_AGAIN) {
		seal_say(s->out, SEAL_BUSY, "it is open for writing");
	} else if (r) {
		broken(s, r);
	} else {
		s->out->kept = false;
		finish(s);
	}
}

static void run(const struct seal_work *w, struct seal_result *out, void (*fn)(struct sealing *))
{
	struct sealing s = {.w = w, .out = out, .copy = -1, .to = -1};
	int lease;

	memset(out, 0, sizeof(*out));
	/* Who wants to write breaks a lease, which is told by this signal. */
	signal(SIGIO, SIG_IGN);
	lease = seal_lease(w->file);
	s.leased = !lease;
	s.written = lease == V_AGAIN;
	if (s.written && !w->insist)
		seal_say(out, SEAL_BUSY, "it is open for writing");
	else
		fn(&s);
	seal_end(s.to, out);
	closep(&s.copy);
	closep(&s.to);
}

void seal_file(const struct seal_work *w, struct seal_result *out)
{
	run(w, out, steps);
}

void seal_resume(const struct seal_work *w, struct seal_result *out)
{
	run(w, out, go_on);
}
