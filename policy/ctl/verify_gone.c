/*
 * Segments of a bundle whose bodies are not there: the collectors' own chains are carried from their beginnings, so
 * that what they say of periods, holds and expiry is judged as with the store. See verify_bundle.h and
 * ../exhibit/EVIDENCE.md.
 */
#include "policy/ctl/verify_bundle.h"
#include <errno.h>

/* One after the other from the first on: a period or a hold between two of them cannot be left out. 0, -ENOMEM. */
static int is_next(struct judged *j, const struct segment *s, bool *yes)
{
	const struct header *h = &s->header;
	size_t i;

	*yes = false;
	for (i = 0; i < j->owns_n && !digest_eq(&j->owns[i].host, &h->host); i++)
		;
	if (h->has_prev != (i < j->owns_n) || (h->has_prev && !digest_eq(&h->prev, &j->owns[i].hash)))
		return 0;
	if (i == j->owns_n) {
		void *p = i & (i - 1) ? j->owns : reallocarray(j->owns, i ? 2 * i : 1, sizeof(*j->owns));

		if (!p)
			return -ENOMEM;
		j->owns = p;
		j->owns_n++;
	}
	j->owns[i].host = h->host;
	j->owns[i].hash = s->hash;
	*yes = true;
	return 0;
}

int gone_take(struct judged *j, uint64_t leaf, const struct segment *s)
{
	const struct header *h = &s->header;
	bool next = false;
	int r = h->producer == PRODUCER_COLLECTOR && s->bytes.n ? is_next(j, s, &next) : 0;

	if (r)
		return r;
	if (!next) {
		bundle_tell(j, "retention", h,
			SAY(j->report->ctl, "is not the next one of a collector's own chain, from its beginning on",
				"コレクター自身の記録列の、先頭から続くものではありません"));
		return 0;
	}
	j->own_last = leaf;
	return expired_take(&j->expired, leaf, s);
}

int gone_judge(struct judged *j, uint64_t leaf, const struct segment *s)
{
	const struct header *h = &s->header;
	const struct retention_expiry *by;
	int r;

	if (!j->own_n && s->bytes.n)
		return 0;
	/* Asked of the others too: a body that is there did not expire. */
	by = s->bytes.n ? retention_cover(&j->expired.book, h->producer, leaf) : NULL;
	r = s->bytes.n ? 0 : expired_by(&j->expired, h->producer, leaf, &by);
	if (r)
		return r;
	j->gone += !s->bytes.n;
	if (!s->bytes.n && !by)
		bundle_tell(j, "removed", h,
			SAY(j->report->ctl, "its body is not there, and no record here says that it expired",
				"本文がなく、満了で削除されたという記録も収録されていません"));
	if (s->bytes.n && by)
		bundle_tell(j, "body", h,
			SAY(j->report->ctl, "its body is there, and a record says that it expired",
				"本文がありますが、満了で削除されたという記録があります"));
	return 0;
}

int gone_end(struct judged *j)
{
	if (!j->own_n)
		return 0;
	if (!j->gone) {
		snprintf(j->name, sizeof(j->name), "retention/");
		bundle_tell(j, "form", NULL,
			SAY(j->report->ctl, "no body of the range is missing", "期間内に欠けた本文はありません"));
	}
	return j->gone ? expired_end(&j->expired, j->report) : 0;
}
