/*
 * Approvals: versions of the policy (who signed, when it was pushed, which PCs obey it), and what administrators did.
 */
#include "collector/report/report_parts.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static struct version *version_at(struct gather *g, uint64_t n)
{
	char key[24];
	struct version *v;

	snprintf(key, sizeof(key), "%" PRIu64, n);
	v = tally_at(&g->versions, SPAN_STR(key));
	if (v)
		v->number = n;
	else
		g->error = -ENOMEM;
	return v;
}

static void applied(struct gather *g, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct version *v = record_has(r, F_POLICY) ? version_at(g, r->v[F_POLICY].u) : NULL;
	const struct span pair[] = {SPAN("policy", 6), SPAN(&v, sizeof(v)), SPAN(row->host.b, DIGEST_SIZE)};
	bool fresh = false;

	if (!v)
		return;
	if (!v->first_us)
		v->first_us = time_of(r);
	v->last_us = time_of(r);
	if (!v->signer[0])
		keep_text(v->signer, sizeof(v->signer), record_text(r, F_SIGNER));
	if (seen_add(&g->pairs, pair, ARRAY_SIZE(pair), &fresh))
		g->error = -ENOMEM;
	v->pcs += fresh;
	v->here = true;
}

static void act_add(struct gather *g, const struct record *r, struct span what)
{
	_cleanup_buf_ struct buf key = BUF_INIT(64 << 10);
	char who[96];
	struct act *a;

	g->f.acts++;
	if (g->before)
		return;
	if (record_text(r, F_USER).n)
		keep_text(who, sizeof(who), record_text(r, F_USER));
	else if (record_has(r, F_UID))
		snprintf(who, sizeof(who), "uid %" PRIu64, r->v[F_UID].u);
	else
		who[0] = 0;
	a = buf_putf(&key, "%" PRId64 "\n%s\n", time_of(r), who) || buf_put_span(&key, what)
		    ? NULL
		    : tally_at(&g->acts, buf_span(&key));
	if (!a) {
		g->error = -ENOMEM;
		return;
	}
	a->count++;
	a->at_us = time_of(r);
	a->kind = (unsigned)record_number(r, F_KIND, 0);
	memcpy(a->who, who, sizeof(who));
	keep_text(a->what, sizeof(a->what), what);
}

/* "policy 12 pushed, signed by NAME": the collector's words (collector/ingest/policy.c). */
static void pushed(struct gather *g, const struct record *r)
{
	static const char by[] = " pushed, signed by ";
	char text[400];
	uint64_t n = 0;
	struct version *v;
	int end = 0;

	keep_text(text, sizeof(text), record_text(r, F_TEXT));
	if (sscanf(text, "policy %20" SCNu64 "%n", &n, &end) != 1 || strncmp(text + end, by, sizeof(by) - 1) != 0)
		return;
	v = version_at(g, n);
	if (!v)
		return;
	v->here = true;
	v->pushed_us = time_of(r);
	keep_text(v->signer, sizeof(v->signer), SPAN_STR(text + end + sizeof(by) - 1));
	v->has_uid = record_has(r, F_UID);
	v->uid = record_number(r, F_UID, 0);
	g->f.versions++;
}

void policy_take(struct gather *g, const struct store_row *row)
{
	const struct record *r = &row->record;
	char name[128], what[512], text[sizeof(name) + sizeof(what) + 2];

	switch (record_number(r, F_KIND, 0)) {
	case KIND_POLICY:
		applied(g, row);
		break;
	case KIND_POLICY_REFUSED:
		g->f.policy_refused++;
		if (record_has(r, F_POLICY)) {
			struct version *v = version_at(g, r->v[F_POLICY].u);

			if (v) {
				v->refused++;
				v->here = true;
			}
		}
		break;
	case KIND_ADMIN:
		pushed(g, r);
		act_add(g, r, record_text(r, F_TEXT));
		break;
	case KIND_CONSOLE_ACCOUNT:
		keep_text(name, sizeof(name), record_text(r, F_TARGET_USER));
		keep_text(what, sizeof(what), record_text(r, F_TEXT));
		snprintf(text, sizeof(text), "%s: %s", name, what);
		act_add(g, r, SPAN_STR(text));
		break;
	case KIND_CONSOLE_CHANGE:
		act_add(g, r, record_text(r, F_OPERATION));
		break;
	default:
		break;
	}
}
