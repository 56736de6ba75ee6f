/*
 * The section `drives:` as one line of text for each rule and setting, so that two policies can be compared
 * (sekishoctl policy diff). Written as policy.yaml has them; the same text is the same rule.
 */
#include "policy/base/text.h"
#include "policy/rule/drives_parts.h"
#include <errno.h>

int policy_drives_rule(const struct policy *p, unsigned i, struct policy_rule_text *out, struct buf *text)
{
	const struct drive_rule *m = &p->drives->rules[i];
	char mib[32];
	int r = policy_put_people(text, &m->as.who);

	r = r ? r : policy_put_words(text, "paths", m->paths);
	r = r ? r : policy_put_words(text, "formats", m->formats);
	snprintf(mib, sizeof(mib), "%llu", (unsigned long long)(m->size_over >> 20));
	r = r ? r : policy_put_text(text, "mib_over", m->has_size_over ? mib : NULL);
	r = r ? r : policy_put_text(text, "cloud", !m->has_cloud ? NULL : m->cloud ? "yes" : "no");
	r = r ? r : content_put(text, &m->as.content, &p->drives->patterns);
	r = r ? r : content_put_rule(text, &m->as, false);
	if (r)
		return r;
	*out = (struct policy_rule_text){.name = m->as.name, .line = m->as.line};
	return 0;
}

/* Only where the policy names some. */
static int clients_setting(const struct drives_policy *s, policy_setting_fn fn, void *ctx)
{
	_cleanup_buf_ struct buf b = BUF_INIT(1u << 20);
	words w;
	int r = 0;

	for (w = s ? s->clients : NULL; !r && w && *w; w++)
		r = buf_putf(&b, "%s%s", b.n ? ", " : "", *w);
	return r || !b.n ? r : !buf_str(&b) ? -ENOMEM : fn(ctx, "drives: cloud_clients", buf_str(&b));
}

int policy_drives_settings(const struct policy *p, policy_setting_fn fn, void *ctx)
{
	const struct drives_policy *s = p->drives;
	bool sealed = s && s->quarantine.openers.n;
	char mib[32], hex[2 * DIGEST_SIZE + 1];
	int r = fn(ctx, "drives: default", s ? content_action(s->fallback) : "not looked into");

	snprintf(mib, sizeof(mib), "%llu", (unsigned long long)(s ? s->max_bytes >> 20 : 0));
	r = r ? r : fn(ctx, "drives: max_mib", mib);
	r = r ? r : fn(ctx, "drives: scan", s && s->scan ? "yes" : "no");
	r = r ? r : fn(ctx, "drives: cloud", s && s->cloud ? "yes" : "no");
	r = r ? r : clients_setting(s, fn, ctx);
	r = r ? r : content_ocr_settings(s ? &s->ocr : NULL, "drives", fn, ctx);
	r = r ? r : copies_settings(s ? &s->copies : NULL, "drives", fn, ctx);
	/* Certificates are long: that they are others is what is to be seen. */
	r = r ? r
	      : fn(ctx, "drives: quarantine: openers (SHA-256)",
			sealed ? hex_encode(hex, s->openers.b, DIGEST_SIZE) : "none");
	snprintf(mib, sizeof(mib), "%llu", (unsigned long long)(sealed ? s->quarantine.max_bytes >> 20 : 0));
	return r ? r : fn(ctx, "drives: quarantine: max_mib", mib);
}
