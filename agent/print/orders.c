/*
 * The policy in force: the one that the guard verified and keeps. Verified here once more by the keys that the guard
 * kept with it; looked at when its file changes and when its time may be up. Called by the loop.
 *
 * Without one, or with one that cannot be read, what always holds, holds: every job prints, and is recorded.
 */
#include "agent/print/print.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <errno.h>

static int open_kept(struct gate *g, struct buf *raw, struct buf *bytes, struct bundle *b, struct why *why)
{
	struct admins signers = {.n = 0};
	char path[PATH_MAX + 16];
	int r;

	snprintf(path, sizeof(path), "%s/policy", g->guard);
	r = file_read(path, bytes);
	snprintf(path, sizeof(path), "%s/policy.keys", g->guard);
	r = r ? r : admins_load(path, &signers, why);
	r = r ? r : bundle_open(buf_span(bytes), &signers, NULL, 0, 0, raw, b, why);
	admins_deinit(&signers);
	return r;
}

static void put_in_force(struct gate *g, struct policy *p, uint64_t version, int64_t until_us)
{
	struct orders *o = &g->orders;

	policy_free(o->policy);
	o->policy = p;
	o->version = version;
	o->not_after_us = until_us;
	if (g->sealer)
		sealer_policy(g->sealer, version);
	documents_order(g);
	copies_order(g);
	if (tree_close(&g->tree, policy_print_unavailable(p) == ACTION_HOLD))
		log_warning("%s cannot be changed: what the policy says of jobs that cannot be judged is not in force",
			g->tree.dir);
	if (tree_stamps(&g->tree, policy_print_stamps(p)))
		log_warning("%s cannot be changed: pages are not stamped", g->tree.dir);
}

static bool expire(struct gate *g)
{
	struct orders *o = &g->orders;
	struct policy *p = NULL;

	if (o->expired || !o->version || clock_wall_us() < o->not_after_us || policy_builtin(&p))
		return false;
	put_in_force(g, p, o->version, o->not_after_us);
	o->expired = true;
	log_warning("policy %llu has expired: jobs print, and are recorded", (unsigned long long)o->version);
	return true;
}

bool orders_look(struct gate *g)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX), raw = BUF_INIT(BUNDLE_RAW_MAX);
	struct why why = {""};
	struct policy *p = NULL;
	struct digest hash;
	struct bundle b;
	int r = open_kept(g, &raw, &bytes, &b, &why);

	if (!r) {
		digest_span(&hash, buf_span(&bytes));
		if (digest_eq(&hash, &g->orders.in_force))
			return expire(g);
		r = policy_load(b.policy_yaml, b.devices_csv, &p, &why);
	}
	if (r) {
		if (r != V_NOT_FOUND)
			log_error("the guard's policy cannot be read: %s",
				why.text[0] ? why.text : strerror(r < 0 ? -r : EINVAL));
		return expire(g);
	}
	g->orders.in_force = hash;
	g->orders.expired = false;
	put_in_force(g, p, b.version, b.not_after_us);
	log_notice("policy %llu is in force: %u rules for print jobs", (unsigned long long)b.version,
		policy_print_rules_n(p));
	expire(g);
	return true;
}

int orders_start(struct gate *g)
{
	int r = policy_builtin(&g->orders.policy);

	g->orders.not_after_us = INT64_MAX;
	if (!r)
		orders_look(g);
	return r;
}
