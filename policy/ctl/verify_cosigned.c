/*
 * What a bundle says of its witnesses: a checkpoint that they cosigned, the proof that the bundle's own one extends it,
 * and the lines that say whose keys these are. See verify_bundle.h and ../exhibit/EVIDENCE.md.
 */
#include "policy/base/text.h"
#include "policy/ctl/verify_bundle.h"
#include "policy/trust/proof.h"

int earlier_take(struct judged *j, struct checkpoint *out)
{
	struct why why = {""};
	int r = checkpoint_verify(buf_span(&j->entry), &j->report->log, out, &why);

	if (!r && (!out->size || out->size > j->head.size))
		r = why_set(&why, V_BAD, "%s",
			SAY(j->report->ctl, "is of another size than there can be", "ログの大きさと矛盾します"));
	if (r > 0) {
		bundle_tell(j, "log", NULL, why.text);
		out->size = 0;
		return 0;
	}
	return r;
}

static int read_hashes(struct span in, struct merkle_proof *p)
{
	struct span line;

	while (in.n)
		if (!text_line(&in, &line) || proof_hash(line, p))
			return V_BAD;
	return 0;
}

int earlier_prove(struct judged *j, struct checkpoint *of)
{
	struct merkle_proof p = {.n = 0};

	if (!of->size) /* told */
		return 0;
	if (read_hashes(buf_span(&j->entry), &p) ||
		merkle_verify_consistency(of->size, &of->root, j->head.size, &j->head.root, &p)) {
		bundle_tell(j, "log", NULL,
			SAY(j->report->ctl, "does not prove that the checkpoint extends the earlier one",
				"チェックポイントが以前のものの続きであることを証明していません"));
		of->size = 0;
	}
	return 0;
}

int cosigned_take(struct judged *j)
{
	int r = earlier_take(j, &j->seen);

	return r || !j->seen.size ? r : buf_put_span(&j->cosigned, buf_span(&j->entry));
}

int cosigned_prove(struct judged *j)
{
	return earlier_prove(j, &j->seen);
}

/* Each line is of one that signed here. */
static bool all_signed(const struct witnesses *w, struct span note, const struct verifier *log)
{
	struct cosignatures c;
	unsigned i, k;

	if (cosignatures_read(note, log, &c, NULL))
		return false;
	for (k = 0; k < w->keys_n; k++) {
		for (i = 0; i < c.n; i++)
			if (!strcmp(c.at[i].name, w->keys[k].name) &&
				!memcmp(c.at[i].hash, w->keys[k].hash, NOTE_KEY_HASH))
				break;
		if (i == c.n)
			return false;
	}
	return true;
}

int cosigned_judge(struct judged *j)
{
	struct report *r = j->report;
	int x = witnesses_lines(r, buf_span(&j->entry), j->name);

	if (x)
		return x < 0 ? x : 0;
	if (!j->seen.size)
		return 0;
	if (!all_signed(&r->witnesses, buf_span(&j->cosigned), &r->log))
		bundle_tell(j, "witness", NULL,
			SAY(r->ctl, "a key of one that did not cosign", "連署していないものの鍵があります"));
	return witnesses_judge(r, buf_span(&j->cosigned), j->seen.size, "cosigned");
}

void cosigned_end(struct judged *j)
{
	j->report->witnesses.short_of = j->seen.size && bundle_last(j) >= j->seen.size;
	witnesses_end(j->report, "cosigned");
}
