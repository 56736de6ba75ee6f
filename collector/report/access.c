/*
 * Who looked at the logs: the console's access log, by account. A file that goes out makes a record when it begins and
 * another one, with its hash and count, when it ends: the first one is counted.
 */
#include "collector/report/report_parts.h"
#include <errno.h>
#include <inttypes.h>

static bool is_end(const struct record *r)
{
	return record_has(r, F_HASH) && record_has(r, F_COUNT);
}

static bool is_of(const struct record *r, const char *operation)
{
	return span_eq(record_text(r, F_OPERATION), SPAN_STR(operation));
}

static struct reader *reader_of(struct gather *g, const struct record *r)
{
	char text[64];
	struct span s = record_text(r, F_USER);
	struct reader *reader;

	/* By the console's own door, on the collector: there are no accounts, but users of the system. */
	if (!s.n && record_has(r, F_UID)) {
		snprintf(text, sizeof(text), "uid %" PRIu64, r->v[F_UID].u);
		s = SPAN_STR(text);
	}
	reader = tally_at(&g->readers, s);
	if (!reader)
		g->error = -ENOMEM;
	return reader;
}

static void exported(struct gather *g, const struct record *r, struct reader *to)
{
	if (is_of(r, "/api/v1/bundle")) {
		to->bundles++;
		g->f.bundles++;
	} else if (is_of(r, "/api/v1/reports") || is_of(r, "/desk/reports")) {
		to->reports++;
		g->f.reports++;
	} else {
		to->exports++;
		g->f.exports++;
	}
}

void access_take(struct gather *g, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct reader *to = is_end(r) && record_number(r, F_KIND, 0) == KIND_CONSOLE_EXPORT ? NULL : reader_of(g, r);

	if (!to)
		return;
	switch (record_number(r, F_KIND, 0)) {
	case KIND_SIGN_IN:
		to->sign_ins++;
		g->f.sign_ins++;
		break;
	case KIND_SIGN_IN_REFUSED:
		to->refused++;
		g->f.sign_in_refused++;
		break;
	case KIND_CONSOLE_VIEW:
		to->views++;
		g->f.views++;
		break;
	case KIND_CONSOLE_SEARCH:
		to->searches++;
		g->f.searches++;
		break;
	case KIND_CONSOLE_EXPORT:
		exported(g, r, to);
		break;
	case KIND_CONSOLE_REFUSED:
		to->refused++;
		g->f.not_allowed++;
		break;
	case KIND_CONSOLE_CHANGE:
	case KIND_ALERT_SEEN:
		to->changes++;
		break;
	default:
		break;
	}
}
