/*
 * Documents that the policy knows by their fingerprints, found in what was printed and in what was written to drives. A
 * job counts once for each of them, whichever of its records tells it (what takes longer than a judgement waits stands
 * in the job's end).
 */
#include "collector/report/report_parts.h"
#include <errno.h>
#include <stdlib.h>

/* "price list 45 %": the name, and how much of it. False: not as the agent writes it. */
static bool read_one(struct span s, struct span *name, uint64_t *percent)
{
	size_t at, digits = 0;

	if (s.n < 5 || memcmp(s.p + s.n - 2, " %", 2) != 0)
		return false;
	for (at = s.n - 2, *percent = 0; at && s.p[at - 1] >= '0' && s.p[at - 1] <= '9'; at--)
		digits++;
	if (!digits || digits > 3 || at < 2 || s.p[at - 1] != ' ')
		return false;
	*percent = strtoull((const char *)s.p + at, NULL, 10);
	*name = SPAN(s.p, at - 1);
	return *percent <= 100;
}

static bool is_fresh(struct gather *g, const struct store_row *row, struct span name)
{
	const struct record *r = &row->record;
	int64_t created = record_has(r, F_CREATED) ? r->v[F_CREATED].i : 0;
	uint64_t job = record_number(r, F_JOB, 0);
	const struct span parts[] = {SPAN(row->host.b, DIGEST_SIZE), SPAN(&job, sizeof(job)),
		SPAN(&created, sizeof(created)), record_text(r, F_JOB_UUID), SPAN_STR("known"), name};
	bool fresh = true;
	int x = seen_add(&g->pairs, parts, ARRAY_SIZE(parts), &fresh);

	if (x)
		g->error = x;
	return fresh;
}

static void count(struct gather *g, const struct store_row *row, struct span name, uint64_t percent)
{
	bool file = record_number(&row->record, F_KIND, 0) == KIND_DRIVE_FILE;
	struct known_document *k = tally_at(&g->known, name);
	int64_t t = time_of(&row->record);

	if (!k) {
		g->error = -ENOMEM;
		return;
	}
	k->files += file;
	k->jobs += !file && is_fresh(g, row, name);
	k->most = percent > k->most ? percent : k->most;
	k->last_us = t > k->last_us ? t : k->last_us;
}

void known_take(struct gather *g, const struct store_row *row)
{
	struct span rest = record_text(&row->record, F_KNOWN_DOCUMENTS), name;
	bool any = false;
	uint64_t percent;

	while (rest.n) {
		const uint8_t *end = memchr(rest.p, ';', rest.n);
		struct span one = SPAN(rest.p, end ? (size_t)(end - rest.p) : rest.n);
		size_t step = one.n + (end ? 1 : 0);

		while (one.n && one.p[0] == ' ')
			one = SPAN(one.p + 1, one.n - 1);
		if (read_one(one, &name, &percent)) {
			count(g, row, name, percent);
			any = true;
		}
		rest = SPAN(rest.p + step, rest.n - step);
	}
	if (!any)
		return;
	if (record_number(&row->record, F_KIND, 0) == KIND_DRIVE_FILE)
		g->f.known_files++;
	else if (is_fresh(g, row, SPAN("", 0)))
		g->f.known_jobs++;
}
