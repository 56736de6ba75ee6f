/*
 * See life.h. A name is asked for after the other; each record may lead to further names.
 */
#include "collector/store/life.h"
#include "policy/base/text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SLACK_US 2000000 /* a copy is told by its close, its source may be closed a little later */

enum { BACK = 1, FORTH = 2 };

struct name {
	struct digest host;
	char *path;
	int64_t from_us, until_us; /* 0: open */
	int64_t at_us;             /* when it was this file for sure; 0: whatever lies there is asked for */
	unsigned ways;             /* BACK, FORTH */
};

struct life {
	struct life_of of;
	struct life_ways ways;
	struct life_row *kept;
	size_t kept_n, kept_cap;
	struct name name[LIFE_NAMES_MAX];
	unsigned names_n, at; /* the one that is being asked for */
	size_t kept_before;   /* and how much was kept, and how many names were known, when that began */
	unsigned names_before;
	bool gone;     /* the file was deleted by that name */
	bool one_host; /* of which records are asked for */
	bool began;    /* the first question is answered */
	bool cut, ended;
};

static bool is_host(const struct name *n, const struct digest *host)
{
	return memcmp(n->host.b, host->b, DIGEST_SIZE) == 0;
}

/* Follows a name as well, for that time; at `at_us` it is this file. 0, -ENOMEM. */
static int follow_name(struct life *l, const struct digest *host, struct span path, int64_t from_us, int64_t until_us,
	int64_t at_us, unsigned ways)
{
	unsigned i;

	if (!path.n || memchr(path.p, 0, path.n))
		return 0;
	for (i = 0; i < l->names_n; i++) {
		struct name *n = &l->name[i];

		if (is_host(n, host) && span_eq(SPAN_STR(n->path), path) && (n->ways & ways) == ways &&
			n->from_us <= from_us && (!n->until_us || (until_us && until_us <= n->until_us)))
			return 0;
	}
	if (l->names_n == LIFE_NAMES_MAX) {
		l->cut = true;
		return 0;
	}
	l->name[l->names_n] = (struct name){.host = *host,
		.path = strndup((const char *)path.p, path.n),
		.from_us = from_us,
		.until_us = until_us,
		.at_us = at_us,
		.ways = ways};
	return l->name[l->names_n++].path ? 0 : -ENOMEM;
}

static int keep_row(struct life *l, const struct store_row *row)
{
	void *item = NULL;
	int r;

	if (l->kept_n == l->ways.rows_max) {
		l->cut = l->ended = true;
		return V_END;
	}
	if (l->kept_n == l->kept_cap) {
		size_t cap = l->kept_cap ? 2 * l->kept_cap : 256;
		struct life_row *more = reallocarray(l->kept, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->kept = more;
		l->kept_cap = cap;
	}
	r = l->ways.make(l->ways.ctx, row, &item);
	if (r == V_FULL) {
		l->cut = l->ended = true;
		return V_END;
	}
	if (r)
		return r;
	l->kept[l->kept_n++] = (struct life_row){.time_us = row->record.v[F_TIME].i, .row = row->row, .item = item};
	return 0;
}

/* Where a record leads from the name that is being asked for. */
static int lead(struct life *l, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct span path = record_text(r, F_PATH), path2 = record_text(r, F_PATH2);
	const struct name *n = &l->name[l->at];
	const struct digest host = n->host;
	bool first = span_eq(path, SPAN_STR(n->path));
	int64_t t = r->v[F_TIME].i, from_us = n->from_us, until_us = n->until_us;
	unsigned ways = n->ways;
	uint64_t kind = record_number(r, F_KIND, 0);
	int x = 0;

	switch (kind) {
	case KIND_COPY:
		/* path was made from path2 */
		if (first && ways & BACK)
			x = follow_name(l, &host, path2, 0, t + SLACK_US, t, BACK);
		else if (!first && ways & FORTH)
			x = follow_name(l, &host, path, t - SLACK_US, 0, t, FORTH);
		break;
	case KIND_RENAME:
		/* path became path2 */
		if (first && ways & FORTH)
			x = follow_name(l, &host, path2, t, until_us, t, FORTH);
		else if (!first && ways & BACK)
			x = follow_name(l, &host, path, from_us, t, t, BACK);
		break;
	case KIND_LINK:
		/* both are it from now on, whatever way one looks */
		x = follow_name(l, &host, first ? path2 : path, first ? t : from_us, until_us, t, ways);
		break;
	}
	return x;
}

/*
 * No file has the name behind this record. One that is renamed over it, or that it was moved away for, may be what an
 * editor saved: the same life, as far as people see it.
 */
static bool ends(const struct record *r, bool first)
{
	return first && record_number(r, F_KIND, 0) == KIND_UNLINK;
}

/* Is that a name of this file's, in what becomes of it? */
static bool is_followed(const struct life *l, const struct digest *host, struct span path)
{
	unsigned i;

	for (i = 0; i < l->names_n; i++)
		if (is_host(&l->name[i], host) && span_eq(SPAN_STR(l->name[i].path), path) && l->name[i].ways & FORTH)
			return true;
	return false;
}

static bool comes_back(const struct life *l, const struct digest *host, const struct record *r, bool first)
{
	uint64_t kind = record_number(r, F_KIND, 0);

	return (kind == KIND_COPY && first && is_followed(l, host, record_text(r, F_PATH2))) ||
	       (kind == KIND_RENAME && !first && is_followed(l, host, record_text(r, F_PATH)));
}

static void forget_rows(struct life *l, size_t behind)
{
	while (l->kept_n > behind)
		l->ways.drop(l->kept[--l->kept_n].item);
}

/*
 * The name was another file's before this record, and one looks back: what was kept of that one, and where it led, is
 * no part of this life. Within the slack nobody knows: a file that is moved to another file system is copied, then
 * deleted.
 */
static void begin_anew(struct life *l)
{
	unsigned i;

	for (i = l->names_before; i < l->names_n; i++)
		free(l->name[i].path);
	l->names_n = l->names_before;
	forget_rows(l, l->kept_before);
}

static int on_named(void *ctx, const struct store_row *row)
{
	struct life *l = ctx;
	const struct record *r = &row->record;
	const struct name *n = &l->name[l->at];
	struct span name = SPAN_STR(n->path);
	bool first = span_eq(record_text(r, F_PATH), name);
	int64_t t = r->v[F_TIME].i;
	int x;

	/* what is asked for may have looked like a pattern */
	if (!first && !span_eq(record_text(r, F_PATH2), name))
		return 0;
	if (n->at_us && ends(r, first) && t < n->at_us - SLACK_US) {
		begin_anew(l);
		return 0;
	}
	/* Deleted: what has the name then is another file, until this one is copied or moved there again. */
	if (l->gone && !comes_back(l, &n->host, r, first))
		return 0;
	x = keep_row(l, row);
	x = x ? x : lead(l, row);
	l->gone = n->at_us && ends(r, first) && t > n->at_us + SLACK_US;
	return x;
}

static bool is_number(const struct life *l, const struct record *r, unsigned device, unsigned inode)
{
	return record_number(r, inode, 0) == l->of.inode && span_eq(record_text(r, device), SPAN_STR(l->of.device));
}

static bool is_known(const struct life *l, const struct digest *host)
{
	unsigned i;

	for (i = 0; i < l->names_n; i++)
		if (is_host(&l->name[i], host))
			return true;
	return false;
}

/* By hash: each record that tells it, and the names that stand there. */
static int on_hash(void *ctx, const struct store_row *row)
{
	struct life *l = ctx;
	const struct record *r = &row->record;
	int x;

	if (!span_eq(record_text(r, F_HASH), SPAN(l->of.hash.b, DIGEST_SIZE)))
		return 0;
	x = keep_row(l, row);
	return x ? x : follow_name(l, &row->host, record_text(r, F_PATH), 0, 0, 0, BACK | FORTH);
}

/*
 * By number: what it was called last on each PC; from there the other names are found, each for its time. Rows come
 * newest first: a number is given to another file once this one is gone.
 */
static int on_number(void *ctx, const struct store_row *row)
{
	struct life *l = ctx;
	const struct record *r = &row->record;
	bool renamed = record_number(r, F_KIND, 0) == KIND_RENAME;
	struct span name = SPAN("", 0);
	int x;

	if (is_known(l, &row->host))
		return 0;
	if (is_number(l, r, F_DEVICE, F_INODE))
		name = record_text(r, renamed ? F_PATH2 : F_PATH);
	else if (is_number(l, r, F_FROM_DEVICE, F_FROM_INODE))
		name = record_text(r, F_PATH2);
	x = follow_name(l, &row->host, name, 0, 0, 0, BACK | FORTH);
	return !x && l->one_host && l->names_n ? V_END : x;
}

/* The path as such: on every PC that has it. */
static int on_path(void *ctx, const struct store_row *row)
{
	struct life *l = ctx;
	struct span name = SPAN_STR(l->name[0].path);
	const struct record *r = &row->record;

	if (!span_eq(record_text(r, F_PATH), name) && !span_eq(record_text(r, F_PATH2), name))
		return 0;
	return follow_name(l, &row->host, name, 0, 0, 0, BACK | FORTH);
}

static int later(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int by_time(const void *a, const void *b)
{
	const struct life_row *x = a, *y = b;
	int r = later(x->time_us, y->time_us);

	return r ? r : (x->row > y->row) - (x->row < y->row);
}

/* By time, each once: two names of one record lead to it twice. */
static void put_in_order(struct life *l)
{
	size_t i, n = 0;

	if (l->kept_n)
		qsort(l->kept, l->kept_n, sizeof(*l->kept), by_time);
	for (i = 0; i < l->kept_n; i++) {
		if (n && l->kept[n - 1].row == l->kept[i].row)
			l->ways.drop(l->kept[i].item);
		else
			l->kept[n++] = l->kept[i];
	}
	l->kept_n = n;
}

bool life_read(const char *what, struct life_of *out)
{
	const char *slash = strchr(what, '/');
	unsigned major, minor;
	char *end;

	*out = (struct life_of){.path = NULL};
	if (what[0] == '/') {
		out->path = what;
		return true;
	}
	if (strlen(what) == 2 * DIGEST_SIZE && hex_decode(what, out->hash.b, DIGEST_SIZE) == 0)
		return true;
	if (!slash || sscanf(what, "%u:%u/", &major, &minor) != 2)
		return false;
	errno = 0;
	out->inode = strtoull(slash + 1, &end, 10);
	snprintf(out->device, sizeof(out->device), "%u:%u", major, minor);
	return !errno && end != slash + 1 && !*end && strlen(out->device) == (size_t)(slash - what) &&
	       !strncmp(out->device, what, strlen(out->device));
}

/* Of rows that are kept no more come: nothing else is asked, either. The first question has its own share of them. */
static int ask(struct life *l, const struct store_filter *f, store_row_fn fn, struct why *why)
{
	int r = l->ways.query(l->ways.ctx, f, !l->began, fn, l, why);

	if (r != V_END)
		return r;
	l->cut = true;
	l->ended |= l->began;
	return 0;
}

/* Kinds whose hash is that of a file's content. */
static const unsigned hash_kinds[] = {KIND_PRINT, KIND_PRINT_RESULT, KIND_PRINT_COPY, KIND_DRIVE_FILE, KIND_DRIVE_COPY,
	KIND_DRIVE_SEALED, KIND_DRIVE_OPENED, KIND_REASON_GIVEN, KIND_REASON_MISSING, KIND_MALWARE};

/* What was asked for, to the first names. */
static int first_names(struct life *l, const struct store_filter *asked, struct why *why)
{
	struct name first = {.path = (char *)l->of.path};
	struct store_filter f = *asked;
	int r;

	f.newest_first = false;
	if (l->of.device[0]) {
		f.newest_first = true;
		return ask(l, &f, on_number, why);
	}
	if (!l->of.path) {
		memcpy(f.kinds, hash_kinds, sizeof(hash_kinds));
		f.kinds_n = ARRAY_SIZE(hash_kinds);
		return ask(l, &f, on_hash, why);
	}
	f.path = l->of.path;
	l->name[0] = first;
	l->names_n = 1;
	r = ask(l, &f, on_path, why);
	/* the first one was there to compare with */
	l->names_n--;
	memmove(l->name, l->name + 1, l->names_n * sizeof(*l->name));
	return r;
}

/* Then each name to its records, and to further names. */
static int gather(struct life *l, const struct store_filter *asked, struct why *why)
{
	char host[2 * DIGEST_SIZE + 1];
	int r = first_names(l, asked, why);

	l->began = true;
	for (l->at = 0; !r && !l->ended && l->at < l->names_n; l->at++) {
		const struct name *n = &l->name[l->at];
		struct store_filter f = *asked;

		f.newest_first = false;
		f.host = hex_encode(host, n->host.b, DIGEST_SIZE);
		f.path = n->path;
		if (n->from_us > f.from_us)
			f.from_us = n->from_us;
		if (n->until_us && (!f.until_us || n->until_us < f.until_us))
			f.until_us = n->until_us;
		if (f.until_us && f.from_us >= f.until_us)
			continue;
		l->kept_before = l->kept_n;
		l->names_before = l->names_n;
		l->gone = false;
		r = ask(l, &f, on_named, why);
	}
	return r;
}

int life_gather(const struct life_of *of, const struct store_filter *f, const struct life_ways *ways, struct life **out,
	struct why *why)
{
	struct life *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->of = *of;
	l->ways = *ways;
	l->one_host = f->host != NULL;
	r = gather(l, f, why);
	if (r) {
		life_free(l);
		return r;
	}
	put_in_order(l);
	*out = l;
	return 0;
}

const struct life_row *life_rows(const struct life *l, size_t *n)
{
	*n = l->kept_n;
	return l->kept;
}

int life_item(struct buf *text, void **item)
{
	int r = buf_put(text, "", 1);

	if (r)
		return r;
	*item = strdup((const char *)text->p);
	return *item ? 0 : -ENOMEM;
}

bool life_is_cut(const struct life *l)
{
	return l->cut;
}

void life_free(struct life *l)
{
	unsigned i;

	if (!l)
		return;
	forget_rows(l, 0);
	for (i = 0; i < l->names_n; i++)
		free(l->name[i].path);
	free(l->kept);
	free(l);
}
