/*
 * `sekishoctl trail`: the life of a file, by its path, its number or its hash. What it was called before and after,
 * what it was made from and what was made from it are followed from record to record (rename, link, copy), each name
 * only for the time in which it was this file. Never writes to the store.
 *
 * Ancestors are followed to theirs, and copies to theirs; what else was made of an ancestor is another file's life.
 */
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/ctl/log_filter.h"
#include "policy/ctl/rows.h"
#include <errno.h>

#define OUT_MAX (256u << 20)
#define NAMES_MAX 256u
#define ROWS_MAX 100000u
#define SLACK_US 2000000 /* a copy is told by its close, its source may be closed a little later */

enum { BACK = 1, FORTH = 2 };

struct name {
	struct digest host;
	char *path;
	int64_t from_us, until_us; /* 0: open */
	int64_t at_us;             /* when it was this file for sure; 0: whatever lies there is asked for */
	unsigned ways;             /* BACK, FORTH */
};

struct kept {
	int64_t time_us;
	uint64_t row;
	size_t at, n; /* in `text` */
};

struct life {
	struct rows rows;
	struct buf text;
	struct kept *kept;
	size_t kept_n, kept_cap;
	struct name name[NAMES_MAX];
	unsigned names_n, at; /* the one that is being asked for */
	size_t kept_before;   /* and how much was kept, and how many names were known, when that began */
	unsigned names_before;
	bool gone; /* the file was deleted by that name */
	bool cut;
	/* what is asked for where it is no path */
	struct digest hash;
	char device[32];
	uint64_t inode;
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
	if (l->names_n == NAMES_MAX) {
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
	size_t at = l->text.n;
	int r;

	if (l->kept_n == ROWS_MAX) {
		l->cut = true;
		return V_END;
	}
	if (l->kept_n == l->kept_cap) {
		size_t cap = l->kept_cap ? 2 * l->kept_cap : 256;
		struct kept *more = reallocarray(l->kept, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->kept = more;
		l->kept_cap = cap;
	}
	r = rows_put(&l->rows, row, &l->text);
	if (r == V_FULL) {
		l->text.n = at;
		l->cut = true;
		return V_END;
	}
	if (r)
		return r;
	l->kept[l->kept_n++] =
		(struct kept){.time_us = row->record.v[F_TIME].i, .row = row->row, .at = at, .n = l->text.n - at};
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
	l->kept_n = l->kept_before;
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
	return record_number(r, inode, 0) == l->inode && span_eq(record_text(r, device), SPAN_STR(l->device));
}

/* What it was called last on that PC: from there the others are found, each for its time. */
static int last_name(struct life *l, const struct digest *host, struct span path)
{
	unsigned i;

	for (i = 0; i < l->names_n; i++) {
		char *copy;

		if (!is_host(&l->name[i], host) || !path.n || memchr(path.p, 0, path.n))
			continue;
		copy = strndup((const char *)path.p, path.n);
		if (!copy)
			return -ENOMEM;
		free(l->name[i].path);
		l->name[i].path = copy;
		return 0;
	}
	return follow_name(l, host, path, 0, 0, 0, BACK | FORTH);
}

/* By number or hash: the names that it had. Rows come by time. */
static int on_any(void *ctx, const struct store_row *row)
{
	struct life *l = ctx;
	const struct record *r = &row->record;
	int x = 0;

	if (!l->device[0]) {
		if (!span_eq(record_text(r, F_HASH), SPAN(l->hash.b, DIGEST_SIZE)))
			return 0;
		x = keep_row(l, row);
		return x ? x : follow_name(l, &row->host, record_text(r, F_PATH), 0, 0, 0, BACK | FORTH);
	}
	if (is_number(l, r, F_DEVICE, F_INODE))
		x = last_name(
			l, &row->host, record_text(r, record_number(r, F_KIND, 0) == KIND_RENAME ? F_PATH2 : F_PATH));
	if (!x && is_number(l, r, F_FROM_DEVICE, F_FROM_INODE))
		x = last_name(l, &row->host, record_text(r, F_PATH2));
	return x;
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
	const struct kept *x = a, *y = b;
	int r = later(x->time_us, y->time_us);

	return r ? r : (x->row > y->row) - (x->row < y->row);
}

static int print_kept(struct life *l)
{
	_cleanup_buf_ struct buf out = BUF_INIT(OUT_MAX);
	uint64_t last = 0;
	size_t i;
	int r = 0;

	if (l->kept_n)
		qsort(l->kept, l->kept_n, sizeof(*l->kept), by_time);
	for (i = 0; !r && i < l->kept_n; i++) {
		if (i && l->kept[i].row == last)
			continue;
		last = l->kept[i].row;
		r = buf_put(&out, l->text.p + l->kept[i].at, l->kept[i].n);
	}
	if (!r && out.n)
		out_put(&out);
	return r;
}

/* "8:1/1234", or 64 digits of a SHA-256, or a path. False where it is none of these. */
static bool understood(struct life *l, const char *what)
{
	const char *slash = strchr(what, '/');
	unsigned major, minor;
	char *end;

	if (what[0] == '/')
		return true;
	if (strlen(what) == 2 * DIGEST_SIZE && hex_decode(what, l->hash.b, DIGEST_SIZE) == 0)
		return true;
	if (!slash || sscanf(what, "%u:%u/", &major, &minor) != 2)
		return false;
	errno = 0;
	l->inode = strtoull(slash + 1, &end, 10);
	snprintf(l->device, sizeof(l->device), "%u:%u", major, minor);
	return !errno && end != slash + 1 && !*end && strlen(l->device) == (size_t)(slash - what) &&
	       !strncmp(l->device, what, strlen(l->device));
}

/* What was asked for, to the first names; then each name to its records, and to further names. */
static int gather(struct life *l, struct store *s, const struct store_filter *asked, const char *what, struct why *why)
{
	struct store_filter f = *asked;
	char host[2 * DIGEST_SIZE + 1];
	int r;

	if (what[0] == '/') {
		struct name first = {.path = (char *)what};

		f.path = what;
		l->name[0] = first;
		l->names_n = 1;
		r = store_query(s, &f, on_path, l, why);
		/* the first one was there to compare with */
		l->names_n--;
		memmove(l->name, l->name + 1, l->names_n * sizeof(*l->name));
	} else {
		r = store_query(s, &f, on_any, l, why);
	}
	for (l->at = 0; (!r || r == V_END) && l->at < l->names_n; l->at++) {
		const struct name *n = &l->name[l->at];

		f = *asked;
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
		r = store_query(s, &f, on_named, l, why);
	}
	return r == V_END ? 0 : r;
}

int command_trail(struct ctl *c)
{
	_cleanup_(store_closep) struct store *s = NULL;
	struct life *l = calloc(1, sizeof(*l));
	struct store_filter f;
	struct why why = {""};
	char a[SHOWN_MAX];
	unsigned i;
	int r;

	if (!l)
		return complain_of(c, "trail", -ENOMEM, NULL);
	r = log_filter(c, clock_wall_us(), &f);
	if (!r && !understood(l, c->operands[0]))
		r = complain(EXIT_USAGE,
			SAY(c, "%s: a path from the root on, a file's number as device/inode (8:1/1234), or a SHA-256",
				"%s: 絶対パス、ファイル番号(デバイス/iノード、例 8:1/1234)、SHA-256 のいずれか"),
			shown(a, c->operands[0]));
	if (!r)
		r = store_to_search(c, &s);
	if (!r) {
		l->text = BUF_INIT(OUT_MAX);
		l->rows.lang = c->lang;
		l->rows.form = option_on(c, OPT_JSON) ? ROWS_JSON : ROWS_LINES;
		r = gather(l, s, &f, c->operands[0], &why);
		r = r ? r : print_kept(l);
		r = r ? complain_of(c, "trail", r, &why) : EXIT_GOOD;
		if (!r && !l->kept_n)
			complain(0, SAY(c, "no such records", "該当する記録はありません"));
		if (!r && l->cut)
			r = complain(EXIT_PROBLEM,
				SAY(c, "not all: it has more names or records than are followed; ask for less time",
					"一部のみ: 名前または記録が多すぎます。期間を絞ってください"));
	}
	for (i = 0; i < l->names_n; i++)
		free(l->name[i].path);
	buf_deinit(&l->text);
	free(l->kept);
	free(l);
	return r;
}
