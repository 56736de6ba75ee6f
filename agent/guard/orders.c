/*
 * The policy in force: taken from the inbox where it is signed by an administrator, for this fleet, newer and valid,
 * loads, and passes its own expectations; kept in the guard's own folder from then on. Called by the loop when
 * something lies in the inbox, and by judge.c when a validity may have ended.
 *
 * Whatever is refused changes nothing: the policy before stays in force, and the reason is a record. The inbox is the
 * network's side of the fence: nothing there is believed.
 */
#include "agent/guard/guard.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include "policy/wire/producer.h"
#include <errno.h>
#include <fcntl.h>

#define KEEP "policy"              /* in the guard's folder: the bundle that is in force */
#define KEEP_SIGNERS "policy.keys" /* the keys of which one signed it */
#define ADMINS_ETC "/etc/sekisho/admin.keys"
#define ADMINS_PINNED "/var/lib/sekisho/device/admin.keys"
#define ADMINS_OWN "admin.keys" /* in the guard's folder: those that a policy named */
#define ADMINS_TEXT_MAX (16u << 10)
#define RETRY_US 5000000

int64_t orders_now(const struct guard *g)
{
	int64_t now = clock_wall_us();

	/* A clock before the policy was signed is wrong. */
	return now > g->orders.issued_us ? now : g->orders.issued_us;
}

void orders_free(struct orders *o)
{
	policy_free(STEAL(o->policy));
	admins_deinit(&o->admins);
}

/* --- who may sign --- */

static int load_admins(const char *path, struct admins *out, struct why *why)
{
	int r = admins_load(path, out, why);

	if (r == V_BAD)
		log_error("%s: %s", path, why->text);
	return r;
}

/*
 * Preinstalled keys go before all; else those that a policy named last, else those of the enrolment. No keys at all is
 * no failure: then no policy is taken, and the built-in one holds.
 */
static int choose_admins(struct guard *g, struct why *why)
{
	struct orders *o = &g->orders;
	struct admins got = {.n = 0};
	char path[PATH_MAX + 16];
	int r;

	if (agent_path(path, sizeof(path), ADMINS_ETC))
		return -ENAMETOOLONG;
	r = load_admins(path, &got, why);
	o->admins_fixed = r != V_NOT_FOUND;
	if (r == V_NOT_FOUND) {
		snprintf(path, sizeof(path), "%s/" ADMINS_OWN, g->state);
		r = load_admins(path, &got, why);
	}
	if (r == V_NOT_FOUND) {
		if (agent_path(path, sizeof(path), ADMINS_PINNED))
			return -ENAMETOOLONG;
		r = load_admins(path, &got, why);
	}
	if (r < 0)
		return r;
	admins_deinit(&o->admins);
	o->admins = got;
	why->text[0] = 0;
	return 0;
}

/* --- taking one --- */

struct finding {
	struct why first;
};

static void on_finding(void *ctx, const struct policy_finding *f)
{
	struct finding *found = ctx;

	if (!found->first.text[0])
		why_set(&found->first, 0, "%s:%u: %s", f->file, f->line, f->en);
}

/* Verified, read and tried: *out is what it says. Nothing is changed yet. */
static int open_bundle(struct guard *g, const struct admins *admins, struct span bytes, bool newer, struct buf *raw,
	struct bundle *b, struct policy **out, struct why *why)
{
	struct orders *o = &g->orders;
	struct finding found = {{""}};
	_cleanup_(policy_freep) struct policy *p = NULL;
	int r = bundle_open(bytes, admins, o->has_fleet ? &o->fleet : NULL, newer ? o->version : 0,
		newer ? orders_now(g) : 0, raw, b, why);

	if (r)
		return r;
	r = policy_load(b->policy_yaml, b->devices_csv, &p, why);
	if (r)
		return r;
	if (policy_version(p) != b->version)
		return why_set(why, V_BAD, "signed as version %llu, and says that it is %llu",
			(unsigned long long)b->version, (unsigned long long)policy_version(p));
	r = policy_try(p, on_finding, &found);
	if (r == V_BAD)
		return why_set(why, r, "%s", found.first.text);
	if (r)
		return r;
	*out = STEAL(p);
	return 0;
}

/* Its part about release codes; a key that is none is told, and there are no codes then. */
static void tell_release_terms(struct guard *g)
{
	const struct policy *p = g->orders.policy;
	struct why why = {""};

	if (release_policy(g->release, policy_release_key(p), policy_release_max_s(p), policy_release_per_day(p), &why))
		log_error("%s", why.text);
}

/* The policy's text, for the recorder: which files are protected. Empty: the built-in policy holds. */
static void lay_for_recorder(struct guard *g, struct span yaml)
{
	int r = 0;

	if (yaml.n)
		r = file_replace(g->orders_path, yaml, 0640);
	else if (unlink(g->orders_path) && errno != ENOENT)
		r = -errno;
	if (r)
		log_error("%s cannot be written: %s; the recorder goes on with the areas of before", g->orders_path,
			strerror(-r));
}

static void put_in_force(struct guard *g, const struct bundle *b, struct policy *p, const struct digest *hash)
{
	struct orders *o = &g->orders;

	policy_free(o->policy);
	o->policy = p;
	o->in_force = *hash;
	o->version = b->version;
	o->issued_us = b->issued_us;
	o->not_after_us = b->not_after_us;
	o->expired = false;
	o->why.text[0] = 0;
	snprintf(o->signer, sizeof(o->signer), "%s", b->signer);
	lay_for_recorder(g, b->policy_yaml);
	tell_release_terms(g);
	printers_order(g);
	written_order(g);
	refuse_order(g);
	if (g->sealer)
		sealer_policy(g->sealer, o->version);
}

/* By which keys the one that is kept was good: the policy itself may end their time. */
static int keep_signers(struct guard *g)
{
	_cleanup_buf_ struct buf text = BUF_INIT(ADMINS_TEXT_MAX);
	char path[PATH_MAX + 16];
	int r = admins_encode(&g->orders.admins, &text);

	snprintf(path, sizeof(path), "%s/" KEEP_SIGNERS, g->state);
	return r ? r : file_replace(path, buf_span(&text), 0644);
}

/*
 * The keys that it names hold from now on, unless the PC has its own. A policy that is `kept` already ended the time of
 * those before, whether that can be written down now or not.
 */
static int keep_admins(struct guard *g, const struct bundle *b, bool kept)
{
	struct admins next = {.n = 0};
	struct why why = {""};
	char path[PATH_MAX + 16];
	int r;

	if (!b->admins.n || g->orders.admins_fixed)
		return 0;
	r = admins_decode(b->admins, &next, &why);
	if (r) {
		log_error("the policy's list of administrators cannot be read: %s", why.text);
		return r < 0 ? r : 0;
	}
	snprintf(path, sizeof(path), "%s/" ADMINS_OWN, g->state);
	r = file_replace(path, b->admins, 0644);
	if (r && !kept) {
		admins_deinit(&next);
		return r;
	}
	admins_deinit(&g->orders.admins);
	g->orders.admins = next;
	return r;
}

/* Once for each thing that was laid into the inbox. */
static void refuse(struct guard *g, struct span bytes, int verdict, const struct why *why)
{
	struct orders *o = &g->orders;
	struct digest hash;
	char text[400];

	digest_span(&hash, bytes);
	if (o->has_refused && digest_eq(&hash, &o->refused))
		return;
	o->refused = hash;
	o->has_refused = true;
	o->why = *why;
	snprintf(text, sizeof(text), "%s: %.*s", bundle_verdict_name(verdict), WHY_SIZE, why->text);
	log_warning("a policy was refused: %s; version %llu stays", text, (unsigned long long)o->version);
	tell_policy(g, KIND_POLICY_REFUSED, 0, NULL, text);
}

static bool take(struct guard *g, struct span bytes)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(BUNDLE_RAW_MAX);
	char path[PATH_MAX + 16];
	struct bundle b;
	struct policy *p = NULL;
	struct why why = {""};
	struct digest hash;
	int r;

	digest_span(&hash, bytes);
	if (digest_eq(&hash, &g->orders.in_force) || clock_boot_us() < g->orders.retry_us)
		return false;
	r = open_bundle(g, &g->orders.admins, bytes, true, &raw, &b, &p, &why);
	if (r > 0) {
		refuse(g, bytes, r, &why);
		return false;
	}
	snprintf(path, sizeof(path), "%s/" KEEP, g->state);
	if (!r)
		r = keep_signers(g);
	if (!r)
		r = file_replace(path, bytes, 0644);
	if (!r)
		r = keep_admins(g, &b, false);
	if (r) {
		/* A full disk: the policy before stays, and a later look tries again. */
		log_error("a newer policy cannot be kept: %s", strerror(-r));
		g->orders.retry_us = clock_boot_us() + RETRY_US;
		policy_free(p);
		return false;
	}
	put_in_force(g, &b, p, &hash);
	log_notice("policy %llu is in force: %u rules, %u devices", (unsigned long long)b.version, policy_rules_n(p),
		policy_rows_n(p));
	tell_policy(g, KIND_POLICY, b.version, b.signer, policy_notes_only(p) ? "only notes" : NULL);
	return true;
}

/* The one in force has had its time: what it granted ends, and what always holds, holds. */
static bool expire(struct guard *g)
{
	struct orders *o = &g->orders;
	struct policy *p = NULL;

	if (o->expired || !o->version || orders_now(g) < o->not_after_us || policy_builtin(&p))
		return false;
	policy_free(o->policy);
	o->policy = p;
	o->expired = true;
	lay_for_recorder(g, SPAN("", 0));
	tell_release_terms(g);
	written_order(g);
	refuse_order(g);
	log_warning("policy %llu has expired: the built-in defaults hold", (unsigned long long)o->version);
	tell_policy(g, KIND_POLICY, o->version, o->signer, "expired: the built-in defaults hold");
	return true;
}

static int read_inbox(struct guard *g, struct buf *bytes)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/policy", g->inbox);
	return file_read_plain_at(AT_FDCWD, path, FILE_ANYBODY, bytes);
}

bool orders_look(struct guard *g)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX);
	struct why why = {""};
	bool changed = false;
	int r = read_inbox(g, &bytes);

	if (!r)
		changed = take(g, buf_span(&bytes));
	else if (r == V_FULL)
		refuse(g, buf_span(&bytes), V_BAD, (why_set(&why, 0, "larger than %u bytes", BUNDLE_MAX), &why));
	else if (r < 0)
		log_warning("the inbox cannot be read: %s", strerror(-r));
	return expire(g) || changed;
}

/* --- at start --- */

static int load_kept(struct guard *g)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX), raw = BUF_INIT(BUNDLE_RAW_MAX);
	struct admins signers = {.n = 0};
	char path[PATH_MAX + 16];
	struct bundle b;
	struct policy *p = NULL;
	struct digest hash;
	struct why why = {""};
	int r;

	snprintf(path, sizeof(path), "%s/" KEEP_SIGNERS, g->state);
	r = load_admins(path, &signers, &why);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/" KEEP, g->state);
	r = file_read(path, &bytes);
	if (!r)
		r = open_bundle(
			g, signers.n ? &signers : &g->orders.admins, buf_span(&bytes), false, &raw, &b, &p, &why);
	admins_deinit(&signers);
	if (r < 0)
		return r;
	if (!r) {
		digest_span(&hash, buf_span(&bytes));
		put_in_force(g, &b, p, &hash);
		/* The last run may have ended between the policy and its keys. */
		r = keep_admins(g, &b, true);
		if (r)
			log_error("the keys of the policy in force cannot be kept: %s", strerror(-r));
		return 0;
	}
	lay_for_recorder(g, SPAN("", 0));
	if (r != V_NOT_FOUND)
		log_error("%s: %s: %s; the built-in defaults hold until a policy arrives", path, bundle_verdict_name(r),
			why.text);
	return policy_builtin(&g->orders.policy);
}

int orders_start(struct guard *g, struct why *why)
{
	int r = choose_admins(g, why);

	g->orders.not_after_us = INT64_MAX;
	if (!r && g->keys.has_log) {
		r = fleet_id(&g->keys.log, &g->orders.fleet);
		g->orders.has_fleet = !r;
	}
	return r ? r : load_kept(g);
}
