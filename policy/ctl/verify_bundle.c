/*
 * `sekishoctl verify bundle FILE`: an evidence bundle, offline, with nothing but the log's key. Entries come in one
 * order, each once; every byte of them is judged or made again and compared. ../exhibit/EVIDENCE.md is what is judged.
 */
#include "policy/ctl/verify_bundle.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/wire/body.h"
#include <errno.h>
#include <inttypes.h>

#define CERT_MAX 4096u

void bundle_tell(struct judged *j, const char *word, const struct header *h, const char *text)
{
	audit_tell(j->report->audit, word, j->name, false, 0, h, "%s", text);
}

uint64_t bundle_last(const struct judged *j)
{
	/* Leaves come ascending. */
	uint64_t last = j->leaves_n ? j->leaves[j->leaves_n - 1] : 0;

	return j->own_last > last ? j->own_last : last;
}

static const char *place_of(void *ctx, uint64_t leaf)
{
	struct judged *j = ctx;

	snprintf(j->last, sizeof(j->last), "%s%020" PRIu64, j->own ? "retention/" : "segments/", leaf);
	return j->last;
}

/* --- single entries. 0; V_BAD: nothing behind it can be judged (told); -errno. --- */

static int take_claim(struct judged *j)
{
	struct why why = {""};
	int r = exhibit_claim_read(buf_span(&j->entry), &j->claim, &why);

	if (r > 0)
		bundle_tell(j, "claim", NULL, why.text);
	if (r)
		return r;
	j->chains = calloc(j->claim->chains_n + 1, sizeof(*j->chains));
	return j->chains ? 0 : -ENOMEM;
}

static int take_checkpoint(struct judged *j)
{
	struct why why = {""};
	int r = checkpoint_verify(buf_span(&j->entry), &j->report->log, &j->head, &why);

	if (r > 0)
		bundle_tell(j, "log", NULL, why.text);
	r = r ? r : buf_put_span(&j->note, buf_span(&j->entry));
	if (r)
		return r;
	if (j->head.size != j->claim->size) {
		bundle_tell(j, "log", NULL,
			SAY(j->report->ctl, "is of another size than bundle.json says",
				"bundle.json と大きさが異なります"));
		return V_BAD;
	}
	return report_head(j->report, j->head.size, &j->head.root, j->name, NULL);
}

/* The key in the bundle is for people without one; that it is the same is worth knowing. */
static int take_log_key(struct judged *j)
{
	struct verifier v = {.key = NULL};
	bool same = !verifier_decode(buf_span(&j->entry), &v, NULL) && !strcmp(v.name, j->report->log.name) &&
		    !memcmp(v.hash, j->report->log.hash, sizeof(v.hash));

	verifier_deinit(&v);
	if (!same)
		bundle_tell(j, "log", NULL,
			SAY(j->report->ctl, "is another key than the one given", "指定された鍵と異なります"));
	return 0;
}

static int take_device(struct judged *j)
{
	char name[EXHIBIT_NAME_SIZE], hex[2 * DIGEST_SIZE + 1];
	struct why why = {""};
	struct digest id;
	int r = audit_device(j->report->audit, buf_span(&j->entry), &why);

	if (r < 0)
		return r;
	digest_span(&id, buf_span(&j->entry));
	snprintf(name, sizeof(name), "devices/%s.pub", hex_encode(hex, id.b, DIGEST_SIZE));
	if (r || strcmp(name, j->name) != 0)
		bundle_tell(j, "foreign", NULL,
			r ? why.text : SAY(j->report->ctl, "is not the key of that PC", "その PC の鍵ではありません"));
	return 0;
}

static int take_certificate(struct judged *j)
{
	char hex[2 * DIGEST_SIZE + 1] = "", kid[2 * COSE_KID_SIZE + 1] = "";
	struct why why = {""};
	struct digest host;
	int end = 0, r;

	sscanf(j->name, "certificates/%64[0-9a-f]/%16[0-9a-f].cose%n", hex, kid, &end);
	if (!end || j->name[end] || hex_decode(hex, host.b, DIGEST_SIZE) || strlen(kid) != 2 * COSE_KID_SIZE)
		r = why_set(&why, V_BAD, "%s",
			SAY(j->report->ctl, "no certificate is called that", "証明書の名前ではありません"));
	else
		r = audit_certificate(j->report->audit, &host, buf_span(&j->entry), &why);
	if (r > 0)
		bundle_tell(j, "epoch", NULL, why.text);
	return r < 0 ? r : 0;
}

static int keep(struct buf *out, const struct judged *j)
{
	return buf_put_span(out, buf_span(&j->entry));
}

static int take_run(struct judged *j)
{
	if (!j->claim->has_run) {
		bundle_tell(j, "claim", NULL,
			SAY(j->report->ctl, "bundle.json does not name it", "bundle.json にありません"));
		return 0;
	}
	return range_run(j, buf_span(&j->entry));
}

/* --- all of it --- */

/* The entries in their order. Those with a '/' at their end are many, ascending by name. */
static const struct {
	const char *name;
	size_t max;
} ranks[] = {
	{"bundle.json", EXHIBIT_CLAIM_SIZE},
	{"checkpoint", NOTE_SIZE_MAX},
	{"log.vkey", CERT_MAX},
	{"cosigned", NOTE_SIZE_MAX},
	{"cosigned.consistency", NOTE_SIZE_MAX},
	{"witnesses", WITNESSES_MAX},
	{"stamped", NOTE_SIZE_MAX},
	{"stamped.consistency", NOTE_SIZE_MAX},
	{"stamped.tsr", TIMESTAMP_MAX},
	{"devices/", CERT_MAX},
	{"certificates/", CERT_MAX},
	{"records.jsonl", EXHIBIT_LIST_SIZE},
	{"index.html", EXHIBIT_PAGE_SIZE},
	{"retention/", SEGMENT_MAX},
	{"segments/", SEGMENT_MAX},
	{"run.headers", EXHIBIT_RUN_SIZE},
};
enum {
	R_CLAIM,
	R_CHECKPOINT,
	R_LOG_KEY,
	R_COSIGNED,
	R_CONSISTENCY,
	R_WITNESSES,
	R_STAMPED,
	R_STAMPED_CONSISTENCY,
	R_TOKEN,
	R_DEVICES,
	R_CERTIFICATES,
	R_LIST,
	R_PAGE,
	R_RETENTION,
	R_SEGMENTS,
	R_RUN,
	R_NONE
};

static int rank_of(const char *name)
{
	int i;

	for (i = 0; i < R_NONE; i++) {
		size_t n = strlen(ranks[i].name);

		if (ranks[i].name[n - 1] == '/' ? !strncmp(name, ranks[i].name, n) : !strcmp(name, ranks[i].name))
			break;
	}
	return i;
}

static int take(struct judged *j, int rank)
{
	switch (rank) {
	case R_CLAIM:
		return take_claim(j);
	case R_CHECKPOINT:
		return take_checkpoint(j);
	case R_LOG_KEY:
		return take_log_key(j);
	case R_COSIGNED:
		return cosigned_take(j);
	case R_CONSISTENCY:
		return cosigned_prove(j);
	case R_WITNESSES:
		return cosigned_judge(j);
	case R_STAMPED:
		return stamped_take(j);
	case R_STAMPED_CONSISTENCY:
		return stamped_prove(j);
	case R_TOKEN:
		return stamped_judge(j);
	case R_DEVICES:
		return take_device(j);
	case R_CERTIFICATES:
		return take_certificate(j);
	case R_LIST:
		return keep(&j->list, j);
	case R_PAGE:
		return keep(&j->page, j);
	case R_RETENTION:
	case R_SEGMENTS:
		j->own = rank == R_RETENTION;
		return carried_take(j);
	default:
		return take_run(j);
	}
}

/* Is an entry missing between these two? */
static bool skips(const struct judged *j, int to)
{
	int i;

	/* What was cosigned, its proof and its witnesses: all, or none. So of what was stamped. */
	if ((j->rank == R_COSIGNED || j->rank == R_CONSISTENCY || j->rank == R_STAMPED ||
		    j->rank == R_STAMPED_CONSISTENCY) &&
		to != j->rank + 1)
		return true;
	if ((to == R_CONSISTENCY || to == R_WITNESSES || to == R_STAMPED_CONSISTENCY || to == R_TOKEN) &&
		j->rank != to - 1)
		return true;
	for (i = j->rank + 1; i < to; i++)
		if ((i < R_COSIGNED || i > R_CERTIFICATES) && i != R_RETENTION && i != R_SEGMENTS && i != R_RUN)
			return true;
	return false;
}

static int judge_entries(struct judged *j, struct exhibit_reader *in)
{
	char before[EXHIBIT_NAME_SIZE] = "";
	struct why why = {""};
	int r;

	while (!(r = exhibit_next(in, j->name, &j->entry, &why))) {
		int rank = rank_of(j->name);
		const char *wrong = rank == R_NONE   ? SAY(j->report->ctl, "does not belong into a bundle",
							       "証拠一式に属さないものです")
				    : skips(j, rank) ? SAY(j->report->ctl, "something that comes before it is missing",
							       "前にあるべきものがありません")
				    : rank < j->rank || (rank == j->rank && strcmp(before, j->name) >= 0)
					    ? SAY(j->report->ctl, "is there twice, or not in its order",
						      "重複しているか、順序が違います")
				    : j->entry.n > ranks[rank].max ? SAY(j->report->ctl, "is too large", "大きすぎます")
								   : NULL;

		if (wrong) {
			bundle_tell(j, "form", NULL, wrong);
			return V_BAD;
		}
		snprintf(before, sizeof(before), "%s", j->name);
		j->rank = rank;
		r = take(j, rank);
		if (r)
			return r;
	}
	if (r == V_BAD)
		bundle_tell(j, "form", NULL, why.text);
	if (r != V_END)
		return r;
	snprintf(j->name, sizeof(j->name), "segments/");
	if (skips(j, R_NONE) || !j->leaves_n || j->has_pending) {
		bundle_tell(j, "form", NULL, SAY(j->report->ctl, "the end is missing", "末尾がありません"));
		return V_BAD;
	}
	range_end(j);
	cosigned_end(j);
	stamped_end(j);
	r = gone_end(j);
	return r ? r : list_end(j);
}

static void judged_deinit(struct judged *j)
{
	struct buf *bufs[] = {
		&j->entry, &j->note, &j->cosigned, &j->stamped_note, &j->list, &j->rows, &j->page, &j->made, &j->body};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		buf_deinit(bufs[i]);
	expired_deinit(&j->expired);
	exhibit_claim_free(j->claim);
	free(j->chains);
	free(j->leaves);
	free(j->owns);
}

static int run(struct report *r, struct judged *j, const char *path)
{
	_cleanup_(exhibit_closep) struct exhibit_reader *in = NULL;
	struct why why = {""};
	int x;

	if (!option_value(r->ctl, OPT_LOG_KEY))
		return complain(EXIT_USAGE,
			SAY(r->ctl,
				"--log-key FILE names the log's verifier key; take it from elsewhere than the bundle",
				"--log-key でログの検証鍵を指定してください(証拠一式とは別に入手したもの)"));
	x = verify_log_key(r, NULL);
	x = x ? x : witnesses_options(r);
	x = x ? x : expired_begin(&j->expired, r, NULL);
	x = x ? x : timestamps_trust(r, option_value(r->ctl, OPT_TSA_CA));
	if (x)
		return x;
	x = exhibit_open(path, &in, &why);
	if (x < 0)
		return complain_of(r->ctl, path, x, NULL) == EXIT_MACHINE && x != -ENOENT ? EXIT_MACHINE : EXIT_USAGE;
	snprintf(j->name, sizeof(j->name), "%.*s", EXHIBIT_NAME_SIZE - 1, path);
	if (x)
		bundle_tell(j, "form", NULL, why.text);
	x = x ? x : judge_entries(j, in);
	if (x < 0)
		return complain_of(r->ctl, path, x, NULL);
	audit_end(r->audit);
	if (j->claim && !audit_counts(r->audit)->problems)
		list_scope(j);
	return verify_summary(r);
}

int command_verify_bundle(struct ctl *c)
{
	struct report r = {.ctl = c, .began_us = clock_boot_us()};
	struct judged j = {
		.report = &r,
		.rank = -1,
		.entry = BUF_INIT(EXHIBIT_RUN_SIZE),
		.note = BUF_INIT(NOTE_SIZE_MAX),
		.cosigned = BUF_INIT(NOTE_SIZE_MAX),
		.stamped_note = BUF_INIT(NOTE_SIZE_MAX),
		.list = BUF_INIT(EXHIBIT_LIST_SIZE),
		.rows = BUF_INIT(EXHIBIT_PAGE_SIZE),
		.page = BUF_INIT(EXHIBIT_PAGE_SIZE),
		.made = BUF_INIT(EXHIBIT_PAGE_SIZE),
		.body = BUF_INIT(BODY_RAW_MAX),
	};
	struct audit_options o = {
		.ctl = c, .partial = true, .finding = verify_finding, .place = verify_place, .ctx = &r};
	int x = audit_new(&o, &r.audit);

	r.place = place_of;
	r.place_ctx = &j;
	x = x ? x : heads_new(&r.heads);
	x = x ? complain_of(c, "verify", x, NULL) : run(&r, &j, c->operands[0]);
	report_clear(&r);
	judged_deinit(&j);
	audit_free(r.audit);
	heads_free(r.heads);
	witnesses_deinit(&r.witnesses);
	timestamps_deinit(&r.timestamps);
	verifier_deinit(&r.log);
	return x;
}
