/*
 * What a bundle carries of the log: segments or their headers, each followed by its proof. In `segments/` those of the
 * range, in `retention/` the collectors' own chains. See verify_bundle.h.
 */
#include "policy/ctl/verify_bundle.h"
#include "policy/trust/proof.h"
#include <errno.h>
#include <inttypes.h>

/* The leaf that "FOLDER/LEAF.ENDING" names. */
static bool leaf_of_name(const char *name, const char *ending, uint64_t *leaf)
{
	const char *base = strchr(name, '/');
	char again[EXHIBIT_NAME_SIZE];
	int end = 0;

	if (!base || sscanf(base, "/%20" SCNu64 "%n", leaf, &end) != 1 || !end || *leaf > INT64_MAX)
		return false;
	snprintf(again, sizeof(again), "/%020" PRIu64 "%s", *leaf, ending);
	return !strcmp(again, base);
}

static int take_proof(struct judged *j)
{
	struct merkle_proof p = {.n = 0};
	struct checkpoint head = {.size = 0};
	struct why why = {""};
	uint64_t index = 0, leaf;
	size_t at = j->entry.n - j->note.n;
	int r;

	if (!j->has_pending || j->pending_own != j->own || !leaf_of_name(j->name, ".tlog-proof", &leaf) ||
		leaf != j->pending_index) {
		bundle_tell(j, "form", NULL,
			SAY(j->report->ctl, "proves nothing that is there", "対応するものがありません"));
		return 0;
	}
	j->has_pending = false;
	r = proof_read(buf_span(&j->entry), &j->report->log, &index, &p, &head, &why);
	if (!r && (j->entry.n < j->note.n || memcmp(j->entry.p + at, j->note.p, j->note.n) != 0))
		r = why_set(&why, V_BAD, "%s",
			SAY(j->report->ctl, "leads to another checkpoint", "別のチェックポイントのものです"));
	if (!r && index != leaf)
		r = why_set(&why, V_BAD, "%s", SAY(j->report->ctl, "is of another leaf", "別の葉のものです"));
	if (!r && merkle_verify_inclusion(index, head.size, &j->pending_leaf, &p, &head.root))
		r = why_set(&why, V_BAD, "%s",
			SAY(j->report->ctl, "does not prove that this segment is in the log",
				"このセグメントのログ収録を証明していません"));
	if (r < 0)
		return r;
	if (r) {
		bundle_tell(j, "proof", NULL, why.text);
		return 0;
	}
	audit_counts(j->report->audit)->proven++;
	if (!j->own && j->claim->has_run && leaf == j->claim->run)
		range_left(j, index, head.size, &p);
	return 0;
}

/* Room for it, by what there can be at most. 0; V_BAD; -ENOMEM. */
static int count(struct judged *j, uint64_t leaf)
{
	if (j->own)
		return j->own_n++ < EXHIBIT_SEGMENTS_MAX ? 0 : V_BAD;
	if (j->leaves_n == 2 * EXHIBIT_SEGMENTS_MAX + 2 * j->claim->chains_n)
		return V_BAD;
	if (!(j->leaves_n & (j->leaves_n + 1))) {
		uint64_t *p = realloc(j->leaves, 2 * (j->leaves_n + 1) * sizeof(*p));

		if (!p)
			return -ENOMEM;
		j->leaves = p;
	}
	j->leaves[j->leaves_n++] = leaf;
	return 0;
}

/* One that is good by itself: what it is for. 0; -errno. */
static int use(struct judged *j, uint64_t leaf, const struct segment *s)
{
	int r = 0;

	if (s->header.seen_size)
		r = report_head(j->report, s->header.seen_size, &s->header.seen_root, j->name, &s->header);
	if (j->own)
		return r ? r : gone_take(j, leaf, s);
	r = r ? r : range_take(j, leaf, s);
	return r || !s->bytes.n ? r : list_segment(j, leaf, s);
}

int carried_take(struct judged *j)
{
	struct audit *a = j->report->audit;
	struct why why = {""};
	struct segment s;
	uint64_t leaf, good = audit_counts(a)->good;
	bool whole = leaf_of_name(j->name, ".seg", &leaf);
	int r;

	if (!whole && !leaf_of_name(j->name, ".header", &leaf))
		return take_proof(j);
	if (j->has_pending)
		bundle_tell(j, "proof", NULL,
			SAY(j->report->ctl, "the one before it has no proof", "直前のものに証明がありません"));
	j->has_pending = false;
	r = whole ? segment_parse(buf_span(&j->entry), &s, &why) : header_parse(buf_span(&j->entry), &s, &why);
	if (!r && whole && s.bytes.n != j->entry.n)
		r = why_set(&why, V_BAD, "%s",
			SAY(j->report->ctl, "something follows the segment", "セグメントの後に余分なものがあります"));
	if (r > 0)
		bundle_tell(j, "form", NULL, why.text);
	if (r)
		return r < 0 ? r : 0;
	r = count(j, leaf);
	if (r > 0)
		bundle_tell(j, "form", NULL, "too many segments");
	if (r)
		return r;
	merkle_leaf(s.header_bytes, &j->pending_leaf);
	j->pending_index = leaf;
	j->pending_own = j->own;
	j->has_pending = true;
	r = audit_segment(a, &s, leaf, 0);
	if (!r && audit_counts(a)->good > good)
		r = use(j, leaf, &s);
	report_progress(j->report, j->leaves_n + j->own_n, j->claim->size);
	return r;
}
