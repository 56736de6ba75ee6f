/* Cloud folders, as the recorder sees them: see clouds.h. Called by engine.c for each event of a file. */
#include "agent/recorder/clouds.h"
#include "policy/wire/flags.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PROGRAM_SIZE 4097u

/* A name that was given: until then the file, or the folder that it lies in, had the name `from`. */
struct given {
	uint32_t dev_major, dev_minor;
	uint64_t inode; /* 0: not known */
	struct span from, to;
	char *room; /* of both; NULL: nothing */
};

struct clouds {
	clouds_fn fn;
	void *ctx;
	struct given given[CLOUDS_NAMES_MAX];
	unsigned at;
	bool any;
	char path[2 * CLOUD_WORD_MAX];
};

int clouds_new(clouds_fn fn, void *ctx, struct clouds **out)
{
	struct clouds *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->fn = fn;
	c->ctx = ctx;
	*out = c;
	return 0;
}

void clouds_free(struct clouds *c)
{
	unsigned i;

	for (i = 0; c && i < CLOUDS_NAMES_MAX; i++)
		free(c->given[i].room);
	free(c);
}

/* --- names that were given --- */

static bool is_file(const struct given *n, const struct seen *s)
{
	return n->inode && s->inode
		       ? n->inode == s->inode && n->dev_major == s->dev_major && n->dev_minor == s->dev_minor
		       : span_eq(n->from, s->path);
}

static bool lies_in(const struct given *n, struct span path)
{
	return path.n > n->from.n && !memcmp(path.p, n->from.p, n->from.n) && path.p[n->from.n] == '/';
}

/* Where memory lacks, the name by which the file was opened has to do. */
static void remember(struct clouds *c, const struct seen *s)
{
	struct given *n = &c->given[c->at++ % CLOUDS_NAMES_MAX];
	char *room = malloc(s->path.n + s->path2.n);

	free(n->room);
	*n = (struct given){.room = room};
	if (!room || !s->path.n)
		return;
	memcpy(room, s->path.p, s->path.n);
	memcpy(room + s->path.n, s->path2.p, s->path2.n);
	n->dev_major = s->dev_major;
	n->dev_minor = s->dev_minor;
	n->inode = s->inode;
	n->from = SPAN(room, s->path.n);
	n->to = SPAN(room + s->path.n, s->path2.n);
	c->any = true;
}

/* It was renamed out again. */
static void forget(struct clouds *c, const struct seen *s)
{
	unsigned i;

	for (i = 0; c->any && i < CLOUDS_NAMES_MAX; i++)
		if (c->given[i].room && (span_eq(c->given[i].to, s->path) || (s->inode && is_file(&c->given[i], s))))
			free(STEAL(c->given[i].room));
}

/* The name in a cloud folder that a file has, which was opened by another; n 0: it has none. */
static struct span given_name(struct clouds *c, const struct seen *s)
{
	const struct given *n;
	unsigned i;
	size_t rest;

	for (i = 1; c->any && i <= CLOUDS_NAMES_MAX; i++) {
		n = &c->given[(c->at - i) % CLOUDS_NAMES_MAX];
		if (!n->room)
			continue;
		if (is_file(n, s))
			return n->to;
		if (!lies_in(n, s->path))
			continue;
		rest = s->path.n - n->from.n;
		if (n->to.n + rest > sizeof(c->path))
			continue;
		memcpy(c->path, n->to.p, n->to.n);
		memcpy(c->path + n->to.n, s->path.p + n->from.n, rest);
		return SPAN(c->path, n->to.n + rest);
	}
	return SPAN(NULL, 0);
}

/* --- events --- */

static const char *pass_on(const struct clouds *c, const struct seen *s, unsigned class, struct span program,
	struct span path, uint64_t inode, bool moved)
{
	const struct cloud_word w = {.dev_major = s->dev_major,
		.dev_minor = s->dev_minor,
		.inode = inode,
		.pid = s->pid,
		.uid = s->uid,
		.login_uid = s->login_uid,
		.moved = moved,
		.path = path,
		.program = program};

	/* Its server may not answer: nobody opens it. */
	if (class == CLASS_NETWORK)
		return "not-looked-at: on a network file system";
	switch (c->fn(c->ctx, &w)) {
	case 0:
		return NULL;
	case V_NOT_FOUND:
		return "not-looked-at: the guard was not there";
	case V_FULL:
		return "not-looked-at: no room at the guard";
	default:
		return "not-looked-at: the guard could not be told";
	}
}

static const char *on_write(
	struct clouds *c, const struct filter *f, const struct seen *s, unsigned class, struct span program)
{
	const uint32_t wrote = RF_WROTE | RF_CLONE | RF_MMAP_WRITE;
	struct span path;

	if ((!s->written && !(s->flags & wrote)) || s->flags & (RF_UNLINKED | RF_MEMFD))
		return NULL;
	path = given_name(c, s);
	if (path.n)
		return pass_on(c, s, class, program, path, s->inode, false);
	/* Which folder it lies in is in what was cut off. */
	if (s->flags & RF_PATH_CUT)
		return "not-looked-at: the path is too long";
	return filter_is_cloud(f, s->path) ? pass_on(c, s, class, program, s->path, s->inode, false) : NULL;
}

static const char *on_name(
	struct clouds *c, const struct filter *f, const struct seen *s, unsigned class, struct span program)
{
	const char *text = NULL, *other;

	if (s->flags & RF_PATH_CUT)
		return "not-looked-at: the path is too long";
	if (s->path2.n && filter_is_cloud(f, s->path2)) {
		remember(c, s);
		text = pass_on(c, s, class, program, s->path2, s->inode, true);
	} else if (s->kind == KIND_RENAME) {
		forget(c, s);
	}
	/* What had the second name has the first one now. */
	if (s->flags & RF_EXCHANGE && filter_is_cloud(f, s->path)) {
		other = pass_on(c, s, class, program, s->path, 0, true);
		text = text ? text : other;
	}
	return text;
}

const char *clouds_event(struct clouds *c, const struct filter *f, const struct policy *p, const struct seen *s,
	unsigned class, struct span program, bool here)
{
	char name[PROGRAM_SIZE];

	if (!f->cloud_n || !p || s->result || class == CLASS_USB || class == CLASS_REMOVABLE ||
		(s->kind != KIND_FILE && s->kind != KIND_RENAME && s->kind != KIND_LINK && s->kind != KIND_SYMLINK))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)program.n,
		(const char *)(program.n ? program.p : (const uint8_t *)""));
	if (!policy_drives_cloud(p, here ? name : ""))
		return NULL;
	if (s->kind == KIND_FILE)
		return on_write(c, f, s, class, program);
	if (s->kind == KIND_SYMLINK)
		/* Some clients carry away what it points to. */
		return filter_is_cloud(f, s->path) ? "not-looked-at: a symbolic link" : NULL;
	return on_name(c, f, s, class, program);
}
