/*
 * Files carried away: segments from a PC's spool or an export, in any order, one or more in a file, with proofs beside
 * them. They are read twice: once to learn the sealing keys and their order, once to be judged; never all at a time.
 */
#include "policy/base/file.h"
#include "policy/ctl/verify.h"
#include "policy/trust/proof.h"
#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <sys/stat.h>

#define FILE_MAX (64u << 20)
#define ITEMS_MAX (1u << 24)

struct item {
	size_t file;
	size_t offset, size;
	struct digest host, hash;
	unsigned producer;
	uint64_t seq;
};

struct carried {
	struct report *report;
	char **files;
	size_t files_n, files_cap;
	struct item *items;
	size_t items_n, items_cap;
	struct buf bytes; /* the file at hand */
	size_t at_hand;
};

static const char *place_name(void *ctx, uint64_t place)
{
	struct carried *c = ctx;

	return c->files[c->items[place].file];
}

static int add_file(struct carried *c, const char *path)
{
	if (c->files_n == c->files_cap) {
		size_t cap = c->files_cap ? c->files_cap * 2 : 64;
		char **p = cap > ITEMS_MAX ? NULL : realloc(c->files, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		c->files = p;
		c->files_cap = cap;
	}
	c->files[c->files_n] = strdup(path);
	return c->files[c->files_n] ? (c->files_n++, 0) : -ENOMEM;
}

static int add_item(struct carried *c, const struct item *i)
{
	if (c->items_n == c->items_cap) {
		size_t cap = c->items_cap ? c->items_cap * 2 : 256;
		struct item *p = cap > ITEMS_MAX ? NULL : realloc(c->items, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		c->items = p;
		c->items_cap = cap;
	}
	c->items[c->items_n++] = *i;
	return 0;
}

static bool is_segment_name(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && !strcmp(name + n - 4, ".seg");
}

/* Files by name, and everything named *.seg below directories. 0; EXIT_*, said. */
static int gather(struct carried *c, char **paths)
{
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	FTSENT *e;
	int r = 0;

	if (!fts)
		return complain_of(c->report->ctl, paths[0], -errno, NULL);
	while (!r && (e = fts_read(fts))) {
		if (e->fts_info == FTS_NS || e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) {
			complain_of(c->report->ctl, e->fts_path, -e->fts_errno, NULL);
			r = e->fts_level ? EXIT_MACHINE : EXIT_USAGE;
		} else if (e->fts_info == FTS_F && (e->fts_level == FTS_ROOTLEVEL || is_segment_name(e->fts_name))) {
			r = add_file(c, e->fts_path);
			if (r)
				r = complain_of(c->report->ctl, e->fts_path, r, NULL);
		}
	}
	fts_close(fts);
	if (!r && !c->files_n)
		r = complain(
			EXIT_USAGE, SAY(c->report->ctl, "no segments (*.seg) there", "セグメント(*.seg)がありません"));
	return r;
}

/* Takes a file apart, learns its certificates. 0, -errno. */
static int survey(struct carried *c, size_t file)
{
	struct report *r = c->report;
	size_t at = 0;
	int x;

	buf_clear(&c->bytes);
	x = file_read(c->files[file], &c->bytes);
	if (x < 0)
		return x;
	if (x || !c->bytes.n) {
		audit_tell(r->audit, "form", c->files[file], false, 0, NULL, "%s",
			x ? SAY(r->ctl, "cannot be read: too large, or gone",
				    "読み込めません(大きすぎるか、消えています)")
			  : SAY(r->ctl, "is empty", "空です"));
		return 0;
	}
	while (at < c->bytes.n) {
		struct why why = {""};
		struct segment s;
		struct item i = {.file = file, .offset = at};

		x = segment_parse(SPAN(c->bytes.p + at, c->bytes.n - at), &s, &why);
		if (x < 0)
			return x;
		if (x) {
			audit_tell(r->audit, "form", c->files[file], true, at, NULL, "%s", why.text);
			return 0;
		}
		i.size = s.bytes.n;
		i.host = s.header.host;
		i.hash = s.hash;
		i.producer = s.header.producer;
		i.seq = s.header.seq;
		x = add_item(c, &i);
		x = x ? x : audit_learn(r->audit, &s);
		if (x)
			return x;
		at += s.bytes.n;
	}
	return 0;
}

static int by_chain(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	int r = memcmp(a->host.b, b->host.b, DIGEST_SIZE);

	if (r)
		return r;
	if (a->producer != b->producer)
		return a->producer < b->producer ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return memcmp(a->hash.b, b->hash.b, DIGEST_SIZE);
}

/* NAME.tlog-proof beside NAME.seg, where the log's key is given and there is one. 0, -errno. */
static int judge_proof(struct carried *c, const struct item *i, const struct segment *s)
{
	_cleanup_buf_ struct buf text = BUF_INIT(PROOF_SIZE_MAX);
	struct report *r = c->report;
	const char *file = c->files[i->file];
	struct merkle_proof p = {.n = 0};
	struct checkpoint head = {.size = 0};
	struct digest leaf;
	struct why why = {""};
	char path[PATH_MAX + 16];
	uint64_t index = 0;
	int x;

	if (!r->log.key)
		return 0;
	snprintf(path, sizeof(path), "%.*s.tlog-proof", (int)(strlen(file) - (is_segment_name(file) ? 4 : 0)), file);
	x = file_read(path, &text);
	if (x == V_NOT_FOUND || x < 0)
		return x < 0 ? x : 0;
	x = x ? why_set(&why, V_BAD, "proof: too large")
	      : proof_read(buf_span(&text), &r->log, &index, &p, &head, &why);
	if (x < 0)
		return x;
	if (!x) {
		merkle_leaf(s->header_bytes, &leaf);
		x = merkle_verify_inclusion(index, head.size, &leaf, &p, &head.root);
		if (x)
			why_set(&why, x, "%s",
				SAY(r->ctl, "does not prove that this segment is in the log",
					"このセグメントのログ収録を証明していません"));
	}
	if (x) {
		audit_tell(r->audit, "proof", path, false, 0, &s->header, "%s", why.text);
		return 0;
	}
	audit_counts(r->audit)->proven++;
	return report_head(r, head.size, &head.root, path, &s->header);
}

static int judge_item(struct carried *c, size_t n)
{
	const struct item *i = &c->items[n];
	struct report *r = c->report;
	struct segment s;
	uint64_t good;
	int x = 0;

	if (c->at_hand != i->file) {
		buf_clear(&c->bytes);
		x = file_read(c->files[i->file], &c->bytes);
		c->at_hand = i->file;
	}
	if (x < 0)
		return x;
	if (x || i->offset + i->size > c->bytes.n || segment_parse(SPAN(c->bytes.p + i->offset, i->size), &s, NULL)) {
		audit_tell(r->audit, "form", c->files[i->file], true, i->offset, NULL, "%s",
			SAY(r->ctl, "changed while it was read", "読み込み中に変更されました"));
		return 0;
	}
	good = audit_counts(r->audit)->good;
	x = audit_segment(r->audit, &s, n, i->offset);
	/* What a header says counts only once its signature was good. */
	if (!x && r->log.key && s.header.seen_size && audit_counts(r->audit)->good > good)
		x = report_head(r, s.header.seen_size, &s.header.seen_root, c->files[i->file], &s.header);
	return x ? x : judge_proof(c, i, &s);
}

static void carried_free(struct carried *c)
{
	size_t i;

	for (i = 0; i < c->files_n; i++)
		free(c->files[i]);
	free(c->files);
	free(c->items);
	buf_deinit(&c->bytes);
	free(c);
}
DEFINE_CLEANUP(struct carried *, carried_free)

int verify_files(struct report *r, char **paths)
{
	_cleanup_(carried_freep) struct carried *c = calloc(1, sizeof(*c));
	size_t i;
	int x;

	if (!c)
		return complain_of(r->ctl, "verify", -ENOMEM, NULL);
	c->report = r;
	c->bytes = BUF_INIT(FILE_MAX);
	c->at_hand = SIZE_MAX;
	r->place = place_name;
	r->place_ctx = c;
	x = gather(c, paths);
	for (i = 0; !x && i < c->files_n; i++) {
		x = survey(c, i);
		if (x)
			x = complain_of(r->ctl, c->files[i], x, NULL);
	}
	if (!x && c->items_n)
		qsort(c->items, c->items_n, sizeof(*c->items), by_chain);
	for (i = 0; !x && i < c->items_n; i++) {
		x = judge_item(c, i);
		if (x)
			x = complain_of(r->ctl, c->files[c->items[i].file], x, NULL);
		report_progress(r, i, c->items_n);
	}
	if (!x)
		audit_end(r->audit);
	return x;
}
