/*
 * What a bundle says of its time: a checkpoint that an authority stamped (RFC 3161), the proof that the bundle's own
 * one extends it, and the token. See verify_bundle.h and ../exhibit/EVIDENCE.md.
 */
#include "policy/ctl/verify_bundle.h"
#include "policy/trust/proof.h"

int stamped_take(struct judged *j)
{
	int r = earlier_take(j, &j->stamped);

	return r || !j->stamped.size ? r : buf_put_span(&j->stamped_note, buf_span(&j->entry));
}

int stamped_prove(struct judged *j)
{
	return earlier_prove(j, &j->stamped);
}

int stamped_judge(struct judged *j)
{
	struct timestamps *t = &j->report->timestamps;
	struct timestamp stamp;
	struct why why = {""};
	int r;

	if (!j->stamped.size) /* told */
		return 0;
	if (!t->trust) {
		t->unjudged++;
		return 0;
	}
	r = timestamp_verify(t->trust, buf_span(&j->entry), buf_span(&j->stamped_note), SPAN(NULL, 0), &stamp, &why);
	if (r > 0)
		bundle_tell(j, "timestamp", NULL, why.text);
	if (r)
		return r < 0 ? r : 0;
	t->good = 1;
	t->size = j->stamped.size;
	t->newest = stamp;
	return 0;
}

void stamped_end(struct judged *j)
{
	const struct timestamps *t = &j->report->timestamps;

	/* Whoever says who the authority is asks for its word. */
	if (!t->trust || (t->good && t->size > bundle_last(j)))
		return;
	snprintf(j->name, sizeof(j->name), "stamped");
	bundle_tell(j, "timestamp", NULL,
		SAY(j->report->ctl, "no good timestamp covers all that is carried",
			"収録されたすべてを対象とする有効なタイムスタンプがありません"));
}
