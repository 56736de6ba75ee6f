/*
 * One copy, in steps. See evidence.h.
 */
#include "agent/evidence/evidence_parts.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define STEP (256u << 10)

struct evidence_copy {
	struct evidence *e;
	struct envelope *envelope;
	struct digesting *digesting;
	struct digest hash; /* of the document, when it is done */
	int document, file;
	uint64_t at, size, reserved;
	char tmp[EVIDENCE_NAME_MAX + 8], name[EVIDENCE_NAME_MAX + 8];
	uint8_t part[STEP];
};

static bool is_name(const char *s)
{
	size_t i;

	for (i = 0; s[i]; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("-_.", s[i]))
			return false;
	return i && i <= EVIDENCE_NAME_MAX && s[0] != '.';
}

static bool is_full(int r)
{
	return r == -ENOSPC || r == -EDQUOT || r == -EFBIG;
}

static int begin(struct evidence_copy *c, const char *name, int document, struct why *why)
{
	struct evidence *e = c->e;
	struct stat st;
	int r;

	if (!e->readers)
		return why_set(why, V_BAD, "nobody has said for whom");
	if (!is_name(name))
		return why_set(why, V_BAD, "a name that is none");
	if (fstat(document, &st) || !S_ISREG(st.st_mode))
		return why_set(why, V_BAD, "no regular file");
	snprintf(c->tmp, sizeof(c->tmp), "%s.tmp", name);
	snprintf(c->name, sizeof(c->name), "%s.cms", name);
	if (faccessat(e->dir, c->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return why_set(why, V_EXISTS, "there is one of that name");
	c->size = (uint64_t)st.st_size;
	r = evidence_room(e, c->size + c->size / 50 + EVIDENCE_OVERHEAD, why);
	if (r)
		return r;
	c->document = fcntl(document, F_DUPFD_CLOEXEC, 0);
	if (c->document < 0)
		return -errno;
	c->file = openat(e->dir, c->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (c->file < 0)
		return errno == EEXIST   ? why_set(why, V_EXISTS, "one of that name is under way")
		       : is_full(-errno) ? why_set(why, V_FULL, "the disk is full")
					 : -errno;
	c->reserved = c->size + c->size / 50 + EVIDENCE_OVERHEAD;
	e->reserved += c->reserved;
	r = digesting_new(&c->digesting);
	return r ? r : envelope_begin(e->readers, e->second, c->file, &c->envelope);
}

int evidence_begin(struct evidence *e, const char *name, int document, struct evidence_copy **out, struct why *why)
{
	_cleanup_(evidence_copy_freep) struct evidence_copy *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->e = e;
	c->document = c->file = -1;
	r = begin(c, name, document, why);
	if (r)
		return r;
	*out = STEAL(c);
	return 0;
}

/* All was put: for good, under its name. */
static int finish(struct evidence_copy *c)
{
	struct evidence *e = c->e;
	struct stat st;
	int r = envelope_end(c->envelope);

	if (r)
		return r;
	if (fdatasync(c->file) || fstat(c->file, &st) || renameat(e->dir, c->tmp, e->dir, c->name))
		return -errno;
	closep(&c->file);
	r = evidence_add(e, c->name, (uint64_t)st.st_size);
	if (!r && fsync(e->dir))
		r = -errno;
	return r;
}

int evidence_step(struct evidence_copy *c, struct why *why)
{
	ssize_t n = 0;
	int r = 0;

	if (c->at < c->size) {
		n = pread(c->document, c->part, sizeof(c->part), (off_t)c->at);
		if (n < 0)
			return -errno;
		if (n == 0)
			return why_set(why, V_BAD, "the document became shorter");
		if ((uint64_t)n > c->size - c->at)
			n = (ssize_t)(c->size - c->at);
		r = envelope_put(c->envelope, SPAN(c->part, n));
		digesting_put(c->digesting, SPAN(c->part, n));
		c->at += (uint64_t)n;
	}
	if (!r && c->at < c->size)
		return V_AGAIN;
	r = r ? r : finish(c);
	if (!r)
		digesting_end(STEAL(c->digesting), &c->hash);
	return is_full(r) ? why_set(why, V_FULL, "the disk is full") : r;
}

int evidence_go_on(struct evidence *e, const char *name, int document, struct evidence_copy **copy, struct why *why)
{
	int r = *copy ? 0 : evidence_begin(e, name, document, copy, why);

	return r ? r : evidence_step(*copy, why);
}

void evidence_made(const struct evidence_copy *c, struct digest *hash, uint64_t *bytes)
{
	*hash = c->hash;
	*bytes = c->size;
}

void evidence_copy_free(struct evidence_copy *c)
{
	if (!c)
		return;
	envelope_free(c->envelope);
	digesting_end(c->digesting, NULL);
	if (c->file >= 0) {
		close(c->file);
		unlinkat(c->e->dir, c->tmp, 0);
	}
	c->e->reserved -= c->reserved;
	closep(&c->document);
	free(c);
}
