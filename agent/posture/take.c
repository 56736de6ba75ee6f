/*
 * What only root may read: bytes that are understood later, without its power.
 */
#include "agent/posture/posture.h"

#define ASK_SECONDS 10u

static struct buf legacy_rules(const struct posture_place *at, const char *loaded, const char *program)
{
	const char *const args[] = {program, "-t", "filter", NULL};
	_cleanup_buf_ struct buf names = BUF_INIT(0);
	struct buf rules = BUF_INIT(POSTURE_OUTPUT_MAX);

	/* Asking loads the old tables where they are not: only where they are. */
	if (posture_read(at, loaded, &names) || !strstr((char *)names.p, "filter") ||
		!posture_ask(args, ASK_SECONDS, &rules))
		buf_deinit(&rules);
	return rules;
}

void posture_take(const struct posture_place *at, struct posture_taken *out)
{
	static const char *const nft[] = {"/usr/sbin/nft", "--json", "list", "ruleset", NULL};

	*out = (struct posture_taken){.nft = BUF_INIT(POSTURE_OUTPUT_MAX)};
	out->has_shadow = !posture_read(at, "/etc/shadow", &out->shadow) && out->shadow.n;
	out->has_nft = posture_ask(nft, ASK_SECONDS, &out->nft);
	out->legacy = legacy_rules(at, "/proc/net/ip_tables_names", "/usr/sbin/iptables-legacy-save");
	out->legacy_6 = legacy_rules(at, "/proc/net/ip6_tables_names", "/usr/sbin/ip6tables-legacy-save");
}

void posture_taken_deinit(struct posture_taken *t)
{
	buf_deinit(&t->shadow);
	buf_deinit(&t->nft);
	buf_deinit(&t->legacy);
	buf_deinit(&t->legacy_6);
}
