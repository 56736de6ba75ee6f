/*
 * What people read of an evidence bundle: its list and its page are made again from the segments, and compared. See
 * verify_bundle.h.
 */
#include "policy/base/text.h"
#include "policy/ctl/verify_bundle.h"
#include "policy/wire/body.h"
#include <inttypes.h>

int list_segment(struct judged *j, uint64_t leaf, const struct segment *s)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	static struct record record;
	unsigned n, at = 0;
	uint64_t of;
	size_t len;
	int r = 0;

	while (!r && j->list_at < j->list.n) {
		struct span rest = SPAN(j->list.p + j->list_at, j->list.n - j->list_at);

		r = exhibit_line_peek(rest, &of, &n, &len);
		if (r || of != leaf || n <= at)
			break;
		if (!in) {
			r = segment_raw(s, &j->body, NULL);
			r = r ? r : body_reader_new(buf_span(&j->body), &in);
		}
		for (; !r && at < n; at++)
			r = body_next(in, &record, NULL);
		buf_clear(&j->made);
		r = r ? r : exhibit_line(leaf, n, &record, &j->made);
		if (r || !span_eq(buf_span(&j->made), SPAN(rest.p, len)))
			break;
		if (j->listed < EXHIBIT_PAGE_MAX)
			r = exhibit_row(j->claim, &s->header.host, &record, &j->rows);
		j->listed++;
		j->list_at += len;
	}
	return r < 0 ? r : 0;
}

int list_end(struct judged *j)
{
	int r;

	if (j->list_at != j->list.n || j->listed != j->claim->records) {
		snprintf(j->name, sizeof(j->name), "records.jsonl");
		audit_tell(j->report->audit, "list", j->name, true, j->list_at, NULL, "%s",
			SAY(j->report->ctl, "says something else than the records",
				"記録と異なることが書かれています"));
	}
	buf_clear(&j->made);
	r = exhibit_page(j->claim, j->gone, buf_span(&j->rows), &j->made);
	if (!r && !span_eq(buf_span(&j->made), buf_span(&j->page))) {
		snprintf(j->name, sizeof(j->name), "index.html");
		bundle_tell(j, "list", NULL,
			SAY(j->report->ctl, "is not the page that is made from these records",
				"これらの記録から作られるページではありません"));
	}
	return r < 0 ? r : 0;
}

void list_scope(const struct judged *j)
{
	const struct exhibit_claim *e = j->claim;
	const struct ctl *c = j->report->ctl;
	char from[TEXT_TIME_SIZE] = "-", until[TEXT_TIME_SIZE];

	if (option_on(c, OPT_QUIET))
		return;
	if (e->has_since)
		text_time_utc(from, e->since_us);
	text_time_utc(until, e->until_us);
	if (option_on(c, OPT_JSON)) {
		printf("{\"since\":\"%s\",\"until\":\"%s\",\"chains\":%zu,\"all\":%s,\"listed\":%" PRIu64
		       ",\"open_ends\":%" PRIu64 "}\n",
			from, until, e->chains_n, e->all ? "true" : "false", j->listed, j->open_ends);
		return;
	}
	printf(SAY(c, "from %s to %s: %zu chains, %s, %" PRIu64 " records listed\n",
		       "%s から %s: 記録列 %zu 本、%s、一覧の記録 %" PRIu64 " 件\n"),
		from, until, e->chains_n,
		e->all ? SAY(c, "all PCs that have anything in it", "期間内に記録のあるすべての PC")
		       : SAY(c, "of the PCs that it names", "指定された PC のみ"),
		j->listed);
	if (j->open_ends)
		printf(SAY(c, "%" PRIu64 " chains end before the range does: that nothing followed is not shown\n",
			       "%" PRIu64
			       " 本は期間の終わりより前で終わっており、その後に記録がないことは示されていません\n"),
			j->open_ends);
}
