/* Cloud folders, as the recorder sees them: see clouds.h. Called by engine.c for each event of a file. */
#include "agent/recorder/clouds.h"
#include "policy/wire/flags.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PROGRAM_SIZE 4097u
#define TOLD_MAX 8u /* names of one file */

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
		       : n->from.n && span_eq(n->from, s->path);
}

static bool lies_in(struct span folder, struct span path)
{
	return folder.n && path.n > folder.n && !memcmp(path.p, folder.p, folder.n) && path.p[folder.n] == '/';
}

/* Where memory lacks, the name by which the file was opened has to do. */
static bool put(struct given *n, struct span from, struct span to, struct span rest)
{
	char *room = malloc(from.n + to.n + rest.n);

	if (room && from.n)
		memcpy(room, from.p, from.n);
	if (room && to.n)
		memcpy(room + from.n, to.p, to.n);
	if (room && rest.n)
		memcpy(room + from.n + to.n, rest.p, rest.n);
	free(n->room);
	n->room = room;
	n->from = SPAN(room, from.n);
	n->to = SPAN(room ? room + from.n : NULL, to.n + rest.n);
	return room != NULL;
}

static void remember(struct clouds *c, const struct seen *s, struct span from, struct span to, uint64_t inode)
{
	struct given *n;

	if (!from.n && !inode)
		return;
	n = &c->given[c->at++ % CLOUDS_NAMES_MAX];
	n->dev_major = s->dev_major;
	n->dev_minor = s->dev_minor;
	n->inode = inode;
	c->any |= put(n, from, to, SPAN(NULL, 0));
}

/* What was known by a name in a cloud folder has another one now, there; or, where it was renamed out, none. */
static void renamed(struct clouds *c, const struct filter *f, const struct seen *s)
{
	bool stays = filter_is_cloud(f, s->path2);
	struct given *n;
	unsigned i;

	for (i = 0; c->any && i < CLOUDS_NAMES_MAX; i++) {
		n = &c->given[i];
		if (!n->room || (!span_eq(n->to, s->path) && !lies_in(s->path, n->to)))
			continue;
		if (stays)
			put(n, n->from, s->path2, SPAN(n->to.p + s->path.n, n->to.n - s->path.n));
		else
			free(STEAL(n->room));
	}
}

/* The name in a cloud folder that entry `n` gives the file of a write; n 0: it is another file's. */
static struct span name_by(struct clouds *c, const struct given *n, const struct seen *s)
{
	size_t rest;

	if (!n->room)
		return SPAN(NULL, 0);
	if (is_file(n, s))
		return n->to;
	if (!lies_in(n->from, s->path))
		return SPAN(NULL, 0);
	rest = s->path.n - n->from.n;
	if (n->to.n + rest > sizeof(c->path))
		return SPAN(NULL, 0);
	memcpy(c->path, n->to.p, n->to.n);
	memcpy(c->path + n->to.n, s->path.p + n->from.n, rest);
	return SPAN(c->path, n->to.n + rest);
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

/*
 * By its own name, and by each that it was given lately: which of them it still has, and whether an inode has become
 * another file's meanwhile, is seen by who looks.
 */
static const char *on_write(
	struct clouds *c, const struct filter *f, const struct seen *s, unsigned class, struct span program)
{
	const char *text = NULL, *other;
	bool there = !(s->flags & RF_UNLINKED);
	unsigned i, told = 0;
	struct span name;

	if (there && !(s->flags & RF_PATH_CUT) && filter_is_cloud(f, s->path)) {
		text = pass_on(c, s, class, program, s->path, s->inode, false);
		told++;
	}
	for (i = 1; c->any && i <= CLOUDS_NAMES_MAX && told < TOLD_MAX; i++) {
		name = name_by(c, &c->given[(c->at - i) % CLOUDS_NAMES_MAX], s);
		if (!name.n || (there && span_eq(name, s->path)))
			continue;
		other = pass_on(c, s, class, program, name, s->inode, false);
		text = text ? text : other;
		told++;
	}
	/* Which folder it lies in is in what was cut off. */
	return !told && there && s->flags & RF_PATH_CUT ? "not-looked-at: the path is too long" : text;
}

static const char *on_name(
	struct clouds *c, const struct filter *f, const struct seen *s, unsigned class, struct span program)
{
	const char *text = NULL, *other;

	if (s->flags & RF_PATH_CUT)
		return "not-looked-at: the path is too long";
	if (s->kind == KIND_RENAME && !(s->flags & RF_EXCHANGE))
		renamed(c, f, s);
	if (s->path2.n && filter_is_cloud(f, s->path2)) {
		remember(c, s, s->path, s->path2, s->inode);
		text = pass_on(c, s, class, program, s->path2, s->inode, true);
	}
	/* What had the second name has the first one now. */
	if (s->flags & RF_EXCHANGE && filter_is_cloud(f, s->path)) {
		remember(c, s, s->path2, s->path, 0);
		other = pass_on(c, s, class, program, s->path, 0, true);
		text = text ? text : other;
	}
	return text;
}

static bool is_news(const struct seen *s)
{
	const uint32_t wrote = RF_WROTE | RF_CLONE | RF_MMAP_WRITE;

	switch (s->kind) {
	case KIND_FILE:
		return (s->written || s->flags & wrote) && !(s->flags & RF_MEMFD);
	case KIND_RENAME:
	case KIND_LINK:
	case KIND_SYMLINK:
		return true;
	default:
		return false;
	}
}

const char *clouds_event(struct clouds *c, const struct filter *f, const struct policy *p, const struct seen *s,
	unsigned class, struct span program, bool here)
{
	char name[PROGRAM_SIZE];

	if (!f->cloud_n || !p || s->result || !is_news(s) || class == CLASS_USB || class == CLASS_REMOVABLE)
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
