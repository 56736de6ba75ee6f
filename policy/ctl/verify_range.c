/*
 * Is anything of the range left out? By the chains: each is carried from a header before the range to one behind it. By
 * the run: all leaves of the log from the first that is carried to its end; a PC that the bundle keeps silent about
 * stands there. See verify_bundle.h.
 */
#include "policy/ctl/verify_bundle.h"
#include <errno.h>
#include <inttypes.h>

int range_take(struct judged *j, uint64_t leaf, const struct segment *s)
{
	const struct ctl *c = j->report->ctl;
	const struct exhibit_claim *claim = j->claim;
	const struct header *h = &s->header;
	const struct exhibit_chain *k = exhibit_chain_of(claim, &h->host, h->producer);
	struct chain_state *t;

	if (!k) {
		bundle_tell(j, "claim", h,
			SAY(c, "of a chain that bundle.json does not name", "bundle.json にない記録列のものです"));
		return 0;
	}
	t = &j->chains[k - claim->chains];
	if (leaf < (k->has_before ? k->before : k->first) || leaf > (k->has_after ? k->after : k->last) ||
		(k->has_before && leaf > k->before && leaf < k->first) ||
		(k->has_after && leaf > k->last && leaf < k->after)) {
		bundle_tell(j, "claim", h,
			SAY(c, "lies outside of what bundle.json says of its chain",
				"bundle.json の示す範囲の外にあります"));
		return 0;
	}
	t->at_before |= k->has_before && leaf == k->before;
	t->at_after |= k->has_after && leaf == k->after;
	t->at_first |= leaf == k->first;
	t->at_last |= leaf == k->last;
	t->any = true;
	t->newest = leaf;
	t->until_us = h->last_us;
	if (leaf >= k->first && leaf <= k->last) {
		if (leaf == k->first && !k->has_before && h->has_prev)
			bundle_tell(j, "range", h,
				SAY(c,
					"the chain has something before it, which is not there to show that it is of "
					"another time",
					"これより前の記録があるはずですが、期間外であることを示すものがありません"));
		return gone_judge(j, leaf, s);
	} else if (s->bytes.n) {
		bundle_tell(
			j, "claim", h, SAY(c, "a neighbour of the range has a body", "範囲外の記録に本文があります"));
	} else if (leaf < k->first && (!claim->has_since || h->last_us >= claim->since_us)) {
		bundle_tell(j, "range", h,
			SAY(c, "what is carried begins later than the range", "収録の始まりが期間の始まりより後です"));
	} else if (leaf > k->last && h->first_us < claim->until_us) {
		bundle_tell(j, "range", h,
			SAY(c, "what is carried ends earlier than the range", "収録の終わりが期間の終わりより前です"));
	}
	return 0;
}

void range_left(struct judged *j, uint64_t index, uint64_t size, const struct merkle_proof *p)
{
	uint64_t fn = index, sn = size - 1;
	struct digest found[64];
	unsigned n = 0, i;

	/* As RFC 9162 section 2.1.3.2 goes up; the hashes at the left are the parts of the tree before this leaf. */
	for (i = 0; i < p->n && n < ARRAY_SIZE(found); i++) {
		if (fn & 1 || fn == sn) {
			found[n++] = p->h[i];
			while (fn && !(fn & 1)) {
				fn >>= 1;
				sn >>= 1;
			}
		}
		fn >>= 1;
		sn >>= 1;
	}
	for (i = 0; i < n; i++)
		j->left[i] = found[n - 1 - i];
	j->left_n = n;
}

static bool is_carried(const struct judged *j, uint64_t leaf)
{
	size_t lo = 0, hi = j->leaves_n;

	while (lo < hi) {
		size_t at = lo + (hi - lo) / 2;

		if (j->leaves[at] == leaf)
			return true;
		if (j->leaves[at] < leaf)
			lo = at + 1;
		else
			hi = at;
	}
	return false;
}

/* A leaf of the run that is not carried: may it be missing? */
static void judge_absent(struct judged *j, uint64_t leaf, const struct header *h)
{
	const struct exhibit_claim *c = j->claim;
	const struct exhibit_chain *k = exhibit_chain_of(c, &h->host, h->producer);
	bool in_range = h->first_us < c->until_us && (!c->has_since || h->last_us >= c->since_us);
	bool missing;

	if (!k)
		missing = in_range && (c->all || exhibit_host_of(c, &h->host));
	else if (leaf < (k->has_before ? k->before : k->first))
		missing = !k->has_before || in_range;
	else
		missing = !k->has_after || leaf < k->after || in_range;
	if (missing)
		bundle_tell(j, "left-out", h,
			SAY(j->report->ctl, "is in the log, of the range, and left out",
				"ログにある期間内の記録が除かれています"));
}

static int run_leaf(struct judged *j, uint64_t leaf, struct span bytes)
{
	struct digest *top = &j->left[j->left_n];
	struct why why = {""};
	struct segment s;
	uint64_t i;
	int r = header_parse(bytes, &s, &why);

	if (r < 0)
		return r;
	if (r)
		bundle_tell(j, "run", NULL, why.text);
	else if (!is_carried(j, leaf))
		judge_absent(j, leaf, &s.header);
	merkle_leaf(bytes, top);
	for (i = leaf; i & 1; i >>= 1) {
		if (!j->left_n)
			return V_BAD;
		j->left_n--;
		merkle_node(&j->left[j->left_n], top, &j->left[j->left_n]);
		top = &j->left[j->left_n];
	}
	j->left_n++;
	return j->left_n < ARRAY_SIZE(j->left) ? 0 : V_BAD;
}

int range_run(struct judged *j, struct span run)
{
	uint64_t leaf = j->claim->run;
	struct digest root;
	size_t at = 0;
	int r = j->left_n == (unsigned)__builtin_popcountll(leaf) ? 0 : V_BAD;

	j->has_run = true;
	for (; !r && leaf < j->claim->size; leaf++) {
		uint32_t n = run.n - at >= 4 ? get_be32(run.p + at) : UINT32_MAX;

		if (n > SEGMENT_HEADER_MAX || run.n - at - 4 < n) {
			r = V_BAD;
			break;
		}
		r = run_leaf(j, leaf, SPAN(run.p + at + 4, n));
		at += 4 + n;
	}
	if (r < 0)
		return r;
	if (!r && at == run.n && j->left_n) {
		root = j->left[--j->left_n];
		while (j->left_n)
			merkle_node(&j->left[--j->left_n], &root, &root);
		if (digest_eq(&root, &j->head.root))
			return 0;
	}
	bundle_tell(j, "run", NULL,
		SAY(j->report->ctl, "these are not the leaves of the log from there to its end",
			"ログのその位置から末尾までの葉ではありません"));
	return 0;
}

/* The chain in words, for what is told of it as a whole. */
static struct header of_chain(const struct exhibit_chain *k)
{
	return (struct header){.host = k->host, .producer = k->producer};
}

void range_end(struct judged *j)
{
	const struct exhibit_claim *c = j->claim;
	const struct ctl *ctl = j->report->ctl;
	size_t i;

	snprintf(j->name, sizeof(j->name), "bundle.json");
	for (i = 0; i < c->chains_n; i++) {
		const struct exhibit_chain *k = &c->chains[i];
		const struct chain_state *t = &j->chains[i];
		struct header h = of_chain(k);

		if (!c->all && !exhibit_host_of(c, &k->host))
			bundle_tell(
				j, "claim", &h, SAY(ctl, "is of none of the PCs", "対象の PC のものではありません"));
		if (!t->at_first || !t->at_last || t->at_before != k->has_before || t->at_after != k->has_after)
			bundle_tell(j, "left-out", &h,
				SAY(ctl, "the chain is not carried as far as bundle.json says",
					"bundle.json の示す範囲まで収録されていません"));
		j->open_ends += !k->has_after && !c->has_run;
	}
	if (c->has_run != j->has_run)
		bundle_tell(j, "run", NULL, SAY(ctl, "run.headers is missing", "run.headers がありません"));
	if (c->all && !c->has_run)
		bundle_tell(j, "left-out", NULL,
			SAY(ctl, "says that it is of all PCs, and does not show the log's other leaves",
				"すべての PC を対象としながら、ログの他の葉を示していません"));
	if (c->has_run && (!j->leaves_n || j->leaves[0] != c->run))
		bundle_tell(j, "run", NULL,
			SAY(ctl, "the run does not begin with the first leaf that is carried",
				"葉の列が、収録された最初の葉から始まっていません"));
}
