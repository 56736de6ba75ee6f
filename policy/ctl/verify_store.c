/*
 * A collector's store, all of it: every header and body in the packs, the tree that they make, the tiles and entry
 * bundles that are published of it, the checkpoint that was signed. Runs beside a working collector: it judges the log
 * up to the checkpoint that stands when it begins.
 */
#include "collector/store/store.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/audit_tree.h"
#include "policy/ctl/expired.h"
#include "policy/ctl/verify.h"
#include "policy/wire/body.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#define ENTRIES_MAX (TILE_WIDTH * (2u + 65535u))
#define TILE_BYTES (TILE_WIDTH * DIGEST_SIZE)

struct judging {
	struct report *report;
	struct store *store;
	const char *dir;
	uint64_t size; /* of the checkpoint */
	struct audit_tree *tree;
	struct buf segment, header, body;
	struct buf hashes, bundle; /* of the tile that is being filled */
	struct buf disk;
	struct record record;
	struct expired expired;
};

static const char *leaf_place(void *ctx, uint64_t place)
{
	(void)ctx;
	(void)place;
	return "leaf";
}

/* "tile/<level>/x001/x234/067" (C2SP tlog-tiles); level -1: the entry bundles. */
static void tile_path(char *out, size_t size, const char *dir, int level, uint64_t n, unsigned width)
{
	char number[64] = "", next[64], kind[16] = "entries", partial[16] = "";

	snprintf(number, sizeof(number), "%03u", (unsigned)(n % 1000));
	while (n >= 1000) {
		n /= 1000;
		snprintf(next, sizeof(next), "x%03u/%.*s", (unsigned)(n % 1000), 50, number);
		memcpy(number, next, sizeof(number));
	}
	if (level >= 0)
		snprintf(kind, sizeof(kind), "%d", level);
	if (width < TILE_WIDTH)
		snprintf(partial, sizeof(partial), ".p/%u", width);
	snprintf(out, size, "%s/log/tile/%s/%s%s", dir, kind, number, partial);
}

static int read_published(struct judging *j, char *path, int level, uint64_t n, unsigned width)
{
	buf_clear(&j->disk);
	tile_path(path, PATH_MAX, j->dir, level, n, width);
	return store_is_database(j->dir) ? store_tile(j->store, path + strlen(j->dir) + strlen("/log"), &j->disk)
					 : file_read(path, &j->disk);
}

/*
 * A published file must say what we made of the leaves. A wider one may stand in for a partial one: a collector that
 * goes on has published the whole tile before anybody hears of the next checkpoint. What is in it behind our leaves is
 * not of this checkpoint.
 */
static int compare_tile(struct judging *j, int level, uint64_t n, unsigned width, struct span want)
{
	struct report *r = j->report;
	char path[PATH_MAX];
	size_t at = 0;
	bool wider = false;
	int x = read_published(j, path, level, n, width);

	if (x == V_NOT_FOUND && width < TILE_WIDTH) {
		wider = true;
		x = read_published(j, path, level, n, TILE_WIDTH);
	}
	if (x < 0)
		return x;
	if (x) {
		audit_tell(r->audit, "log", path, false, 0, NULL, "%s",
			x == V_NOT_FOUND ? SAY(r->ctl, "this part of the published log is missing",
						   "公開ログのこの部分がありません")
					 : SAY(r->ctl, "is larger than it can be", "大きすぎます"));
		return 0;
	}
	while (at < want.n && at < j->disk.n && want.p[at] == j->disk.p[at])
		at++;
	if (at < want.n || (!wider && j->disk.n != want.n))
		audit_tell(r->audit, "log", path, true, at, NULL, "%s",
			SAY(r->ctl, "differs from the leaves in the packs", "保存されたセグメントと一致しません"));
	return 0;
}

static int flush_tile(struct judging *j)
{
	unsigned width = (unsigned)(j->hashes.n / DIGEST_SIZE);
	uint64_t n = (audit_tree_size(j->tree) - 1) / TILE_WIDTH;
	int x;

	if (!width)
		return 0;
	x = compare_tile(j, 0, n, width, buf_span(&j->hashes));
	x = x ? x : compare_tile(j, -1, n, width, buf_span(&j->bundle));
	buf_clear(&j->hashes);
	buf_clear(&j->bundle);
	return x;
}

/* The tiles above the leaves. */
static int compare_upper(struct judging *j)
{
	unsigned level;
	int x = 0;

	for (level = 1; !x && level < 8 && audit_tree_size(j->tree) >> (TILE_HEIGHT * level); level++) {
		uint64_t of = audit_tree_size(j->tree) >> (TILE_HEIGHT * level), n;

		for (n = 0; !x && n * TILE_WIDTH < of; n++) {
			unsigned width = of - n * TILE_WIDTH < TILE_WIDTH ? (unsigned)(of - n * TILE_WIDTH)
									  : TILE_WIDTH,
				 i;

			buf_clear(&j->hashes);
			for (i = 0; !x && i < width; i++) {
				struct digest h;

				x = audit_tree_read(j->tree, TILE_HEIGHT * level, n * TILE_WIDTH + i, &h);
				x = x ? x : buf_put(&j->hashes, h.b, DIGEST_SIZE);
			}
			x = x ? x : compare_tile(j, (int)level, n, width, buf_span(&j->hashes));
		}
	}
	return x;
}

/* The collector's own records carry the device keys of the PCs that it enrolled: evidence, where hosts.db is none. */
static int learn_devices(struct judging *j, const struct segment *s)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	_cleanup_buf_ struct buf raw = BUF_INIT(BODY_RAW_MAX);
	int x;

	if (s->header.producer != PRODUCER_COLLECTOR || !s->bytes.n)
		return 0;
	x = segment_raw(s, &raw, NULL);
	x = x ? x : body_reader_new(buf_span(&raw), &in);
	while (!x && !(x = body_next(in, &j->record, NULL)))
		if (record_has(&j->record, F_KEY)) {
			x = audit_device(j->report->audit, j->record.v[F_KEY].s, NULL);
			x = x == V_BAD ? 0 : x; /* the key of something else */
		}
	return x < 0 ? x : 0;
}

static int judge_leaf(struct judging *j, uint64_t index)
{
	struct report *r = j->report;
	struct why why = {""};
	struct digest leaf;
	struct segment s;
	uint8_t length[2];
	uint64_t good = audit_counts(r->audit)->good;
	bool damaged;
	int x;

	buf_clear(&j->header);
	buf_clear(&j->body);
	buf_clear(&j->segment);
	x = store_read(j->store, index, &j->header, &j->body, &why);
	if (x < 0)
		return x;
	damaged = x > 0;
	if (x) {
		audit_tell(r->audit, "read", "leaf", true, index, NULL, "%s", why.text[0] ? why.text : "is not there");
		if (!j->header.n)
			return V_END; /* what comes behind has no place in the tree */
		buf_clear(&j->body);  /* the header is whole: it is judged alone */
	}
	merkle_leaf(buf_span(&j->header), &leaf);
	length[0] = (uint8_t)(j->header.n >> 8);
	length[1] = (uint8_t)j->header.n;
	x = audit_tree_add(j->tree, &leaf);
	x = x ? x : buf_put(&j->hashes, leaf.b, DIGEST_SIZE);
	x = x ? x : buf_put(&j->bundle, length, sizeof(length));
	x = x ? x : buf_put_span(&j->bundle, buf_span(&j->header));
	if (!x && j->hashes.n == TILE_BYTES)
		x = flush_tile(j);
	if (x)
		return x;
	x = segment_join(buf_span(&j->header), buf_span(&j->body), &j->segment);
	if (x)
		return x;
	x = j->body.n ? segment_parse(buf_span(&j->segment), &s, &why) : header_parse(buf_span(&j->header), &s, &why);
	if (x < 0)
		return x;
	if (x) {
		audit_tell(r->audit, "form", "leaf", true, index, NULL, "%s", why.text);
		return 0;
	}
	x = learn_devices(j, &s);
	if (!damaged) /* that was told */
		x = x ? x : expired_take(&j->expired, index, &s);
	x = x ? x : audit_segment(r->audit, &s, index, index);
	if (x || audit_counts(r->audit)->good == good)
		return x;
	if (s.header.seen_size && s.header.seen_size <= audit_tree_size(j->tree)) {
		struct digest root;

		x = audit_tree_root(j->tree, s.header.seen_size, &root);
		if (!x)
			x = report_head(r, s.header.seen_size, &root, "log", NULL);
		else if (x == V_AGAIN)
			x = 0; /* long ago: compared only with what other PCs say of that size */
	}
	if (!x && s.header.seen_size)
		x = report_head(r, s.header.seen_size, &s.header.seen_root, "leaf", &s.header);
	return x;
}

/* The checkpoint that is published: signed, and of this log (a running collector may be ahead of us by now). */
static int judge_published(struct judging *j)
{
	struct report *r = j->report;
	struct checkpoint head = {.size = 0};
	struct why why = {""};
	struct digest root;
	char path[PATH_MAX];
	int x;

	snprintf(path, sizeof(path), "%s/log/checkpoint", j->dir);
	buf_clear(&j->disk);
	x = store_is_database(j->dir) ? buf_put_span(&j->disk, store_checkpoint(j->store)) : file_read(path, &j->disk);
	if (x == V_NOT_FOUND)
		why_set(&why, x, "%s", SAY(r->ctl, "is not there", "ありません"));
	x = x ? x : checkpoint_verify(buf_span(&j->disk), &r->log, &head, &why);
	if (x < 0)
		return x;
	if (x) {
		audit_tell(r->audit, "log", path, false, 0, NULL, "%s", why.text);
		return 0;
	}
	if (head.size <= audit_tree_size(j->tree)) {
		x = audit_tree_root(j->tree, head.size, &root);
		if (x)
			return x == V_AGAIN ? 0 : x;
		x = report_head(r, head.size, &root, "log", NULL);
	}
	return x ? x : report_head(r, head.size, &head.root, path, NULL);
}

/* What a running collector has signed since is judged too. 0; V_NOT_FOUND: there is nothing more; -errno. */
static int go_on(struct judging *j, struct checkpoint *head)
{
	struct checkpoint now = {.size = 0};
	struct why why;
	int x = store_refresh(j->store);

	x = x ? x : checkpoint_verify(store_checkpoint(j->store), &j->report->log, &now, &why);
	if (x < 0)
		return x;
	/* What is wrong with it is told where it is judged as what is published. */
	if (x || now.size <= j->size || now.size > store_size(j->store))
		return V_NOT_FOUND;
	*head = now;
	j->size = now.size;
	return 0;
}

static int judge_leaves(struct judging *j, uint64_t from)
{
	uint64_t i;
	int x = 0;

	for (i = from; !x && i < j->size; i++) {
		x = judge_leaf(j, i);
		report_progress(j->report, i, j->size);
	}
	return x;
}

/* A checkpoint whose leaves, and no others, are in the tree by now. */
static int judge_head(struct judging *j, const struct checkpoint *head)
{
	struct report *r = j->report;
	struct digest root;
	int x = audit_tree_root(j->tree, audit_tree_size(j->tree), &root);

	if (x)
		return x;
	if (!digest_eq(&root, &head->root))
		audit_tell(r->audit, "log", "checkpoint", false, 0, NULL, "%s",
			SAY(r->ctl, "its root is not that of the leaves",
				"チェックポイントのルートがセグメントと一致しません"));
	else
		audit_counts(r->audit)->proven = audit_tree_size(j->tree);
	return report_head(r, head->size, &head->root, "checkpoint", NULL);
}

static int judge_log(struct judging *j, struct checkpoint *head)
{
	const struct checkpoint first = *head;
	uint64_t size = j->size;
	int x = judge_leaves(j, 0);

	/* A body that expired while it was looked for: the record of that came before it went, so it is there by now.
	 */
	if (!x && expired_unsaid(&j->expired)) {
		x = go_on(j, head);
		if (!x) {
			x = judge_head(j, &first);
			x = x ? x : judge_leaves(j, size);
		} else if (x == V_NOT_FOUND) {
			x = 0;
		}
	}
	if (x == V_END)
		return 0; /* told */
	x = x ? x : flush_tile(j);
	x = x ? x : compare_upper(j);
	x = x ? x : judge_head(j, head);
	return x ? x : judge_published(j);
}

static int on_witness(struct report *r, struct span line)
{
	struct digest host;
	int x = witnesses_line(r, line, "log/witnesses", &host);

	if (!x && !audit_knows(r->audit, &host)) {
		audit_tell(r->audit, "foreign", "log/witnesses", false, 0, NULL, "%s",
			SAY(r->ctl, "a witness that was never enrolled", "登録されたことのない PC の証人鍵です"));
		r->witnesses.keys_n--;
		verifier_deinit(&r->witnesses.keys[r->witnesses.keys_n]);
	}
	return x == V_BAD ? 0 : x;
}

/* The newest checkpoint that PCs have cosigned: of this log, and by PCs of it. */
static int judge_cosigned(struct judging *j, const struct checkpoint *head)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX), lines = BUF_INIT(WITNESSES_MAX);
	struct report *r = j->report;
	struct merkle_proof proof = {.n = 0};
	struct checkpoint c;
	struct why why = {""};
	struct span rest, line;
	uint64_t size;
	int x = store_cosigned(j->store, &note, &size);

	if (x == V_NOT_FOUND)
		return 0;
	x = x ? x : checkpoint_verify(buf_span(&note), &r->log, &c, &why);
	if (!x && c.size)
		x = store_consistency_of(j->store, c.size, head->size, &proof);
	if (!x && merkle_verify_consistency(c.size, &c.root, head->size, &head->root, &proof))
		x = why_set(&why, V_BAD, "%s", SAY(r->ctl, "is not of this log", "このログのものではありません"));
	if (x > 0) {
		audit_tell(r->audit, "log", "log/cosigned", false, 0, NULL, "%s",
			why.text[0] ? why.text : SAY(r->ctl, "is not of this log", "このログのものではありません"));
		return 0;
	}
	x = x ? x : store_witnesses_of(j->store, buf_span(&note), &lines);
	rest = buf_span(&lines);
	while (!x && text_line(&rest, &line))
		x = on_witness(r, line);
	return x < 0 ? x : witnesses_judge(r, buf_span(&note), c.size, "log/cosigned");
}

static int on_host(void *ctx, const struct store_host *h)
{
	struct judging *j = ctx;
	char place[160];
	struct why why = {""};
	int x = h->spki_len ? audit_device(j->report->audit, SPAN(h->spki, h->spki_len), &why) : 0;

	if (x > 0) {
		snprintf(place, sizeof(place), "PC %s", h->name);
		audit_tell(j->report->audit, "key", place, false, 0, NULL, "%s", why.text);
		x = 0;
	}
	return x;
}

static int judge_store(struct judging *j)
{
	struct report *r = j->report;
	struct span note = store_checkpoint(j->store);
	struct checkpoint head;
	struct why why = {""};
	int x = store_host_each(j->store, on_host, j);

	if (x)
		return x;
	if (!note.n) {
		if (store_size(j->store))
			audit_tell(r->audit, "log", "checkpoint", false, 0, NULL, "%s",
				SAY(r->ctl, "there is none, but there are leaves",
					"セグメントがあるのにチェックポイントがありません"));
		return 0;
	}
	x = checkpoint_verify(note, &r->log, &head, &why);
	if (x < 0)
		return x;
	if (x) {
		audit_tell(r->audit, "log", "checkpoint", false, 0, NULL, "%s", why.text);
		/* The leaves can be judged all the same. */
		head = (struct checkpoint){.size = store_size(j->store)};
	}
	j->size = head.size;
	if (head.size > store_size(j->store)) {
		audit_tell(r->audit, "log", "checkpoint", false, 0, NULL,
			SAY(r->ctl, "names %" PRIu64 " leaves where there are %" PRIu64,
				"%" PRIu64 " 件を示していますが、実際は %" PRIu64 " 件です"),
			head.size, store_size(j->store));
		j->size = store_size(j->store);
	}
	x = judge_log(j, &head);
	x = x ? x : judge_cosigned(j, &head);
	x = x ? x : timestamps_judge(r, j->store, head.size, &head.root);
	if (!x)
		audit_end(r->audit);
	return x ? x : expired_end(&j->expired, r);
}

int verify_store(struct report *r, const char *dir)
{
	struct judging j = {
		.report = r,
		.dir = dir,
		.segment = BUF_INIT(SEGMENT_MAX),
		.header = BUF_INIT(SEGMENT_HEADER_MAX),
		.body = BUF_INIT(SEGMENT_BODY_MAX),
		.hashes = BUF_INIT(TILE_BYTES),
		.bundle = BUF_INIT(ENTRIES_MAX),
		.disk = BUF_INIT(ENTRIES_MAX),
	};
	struct store_options o = {.dir = dir};
	struct why why = {""};
	int x;

	r->place = leaf_place;
	r->place_ctx = NULL;
	x = expired_begin(&j.expired, r, dir);
	if (x)
		goto out;
	x = store_open(&o, &j.store, &why);
	if (x == V_BAD) {
		audit_tell(r->audit, "log", dir, false, 0, NULL, "%s", why.text);
		x = EXIT_GOOD;
		goto out;
	}
	x = x ? x : audit_tree_new(&j.tree);
	x = x ? x : judge_store(&j);
	if (x)
		x = complain_of(r->ctl, dir, x, &why);
out:
	audit_tree_free(j.tree);
	store_close(j.store);
	expired_deinit(&j.expired);
	buf_deinit(&j.segment);
	buf_deinit(&j.header);
	buf_deinit(&j.body);
	buf_deinit(&j.hashes);
	buf_deinit(&j.bundle);
	buf_deinit(&j.disk);
	return x;
}
