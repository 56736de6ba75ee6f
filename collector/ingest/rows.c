/*
 * See rows.h. Form and bounds only: signatures are judge.c's.
 */
#include "collector/ingest/rows.h"

int rows_split(struct span body, struct rows *out, struct why *why)
{
	struct why reason = {""};
	int v;

	out->n = 0;
	while (body.n) {
		if (out->n == API_SEGMENTS_MAX)
			return why_set(why, V_BAD, "more than %u segments", API_SEGMENTS_MAX);
		v = segment_parse(body, &out->at[out->n], &reason);
		if (v < 0)
			return v;
		if (v)
			return why_set(why, V_BAD, "segment %u: %.200s", out->n + 1, reason.text);
		body = SPAN(body.p + out->at[out->n].bytes.n, body.n - out->at[out->n].bytes.n);
		out->n++;
	}
	return out->n ? 0 : why_set(why, V_BAD, "no segment");
}
