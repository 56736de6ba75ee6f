/*
 * The firewall: is what comes in, and nobody here asked for, refused? Read from the kernel's own rules, as nft lists
 * them (JSON of libnftables-json(5)), whoever made them: ufw, firewalld, iptables-nft, nftables.conf. A base chain at
 * the hook "input" refuses where its policy is drop, or where what passes all conditions meets a drop or reject that
 * has none. Any one chain that refuses is enough.
 */
#include "agent/posture/posture.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <jansson.h>

#define JUMPS_MAX 8u

enum verdict { PASSES_ON, ACCEPTS, REFUSES };

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static bool same(const json_t *a, const json_t *b, const char *key)
{
	return !strcmp(text_of(a, key), text_of(b, key));
}

static enum verdict through(const json_t *rules, const json_t *chain, const char *name, unsigned depth);

/* What a rule does with everything. One with a condition does it with some only: it passes on. */
static enum verdict of_rule(const json_t *rules, const json_t *chain, const json_t *rule, unsigned depth)
{
	const json_t *e, *target;
	const char *word;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, e)
	{
		word = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)e));
		if (!word)
			return PASSES_ON;
		if (!strcmp(word, "drop") || !strcmp(word, "reject"))
			return REFUSES;
		if (!strcmp(word, "accept"))
			return ACCEPTS;
		if (!strcmp(word, "jump") || !strcmp(word, "goto")) {
			target = json_object_get(e, word);
			return through(rules, chain, text_of(target, "target"), depth + 1);
		}
		/* These look at nothing. */
		if (strcmp(word, "counter") != 0 && strcmp(word, "log") != 0)
			return PASSES_ON;
	}
	return PASSES_ON;
}

static enum verdict through(const json_t *rules, const json_t *chain, const char *name, unsigned depth)
{
	const json_t *o, *rule;
	enum verdict v;
	size_t i;

	if (depth > JUMPS_MAX)
		return PASSES_ON;
	json_array_foreach(rules, i, o)
	{
		rule = json_object_get(o, "rule");
		if (!rule || !same(rule, chain, "family") || !same(rule, chain, "table") ||
			strcmp(text_of(rule, "chain"), name) != 0)
			continue;
		v = of_rule(rules, chain, rule, depth);
		if (v != PASSES_ON)
			return v;
	}
	return PASSES_ON;
}

static bool refuses(const json_t *rules, const json_t *chain)
{
	enum verdict v = through(rules, chain, text_of(chain, "name"), 0);

	return v == REFUSES || (v == PASSES_ON && !strcmp(text_of(chain, "policy"), "drop"));
}

static void read_nft(struct span text, bool *four, bool *six)
{
	json_t *root = json_loadb((const char *)text.p, text.n, 0, NULL);
	const json_t *rules = json_object_get(root, "nftables"), *o, *chain;
	size_t i;

	json_array_foreach(rules, i, o)
	{
		chain = json_object_get(o, "chain");
		if (!chain || strcmp(text_of(chain, "hook"), "input") != 0 ||
			strcmp(text_of(chain, "type"), "filter") != 0 || !refuses(rules, chain))
			continue;
		*four |= !strcmp(text_of(chain, "family"), "inet") || !strcmp(text_of(chain, "family"), "ip");
		*six |= !strcmp(text_of(chain, "family"), "inet") || !strcmp(text_of(chain, "family"), "ip6");
	}
	json_decref(root);
}

/* iptables-save(8): the policy, or a last rule without a condition. */
static bool legacy_refuses(const struct buf *rules)
{
	const char *text = (const char *)rules->p;

	return rules->n && (strstr(text, "\n:INPUT DROP ") || strstr(text, "\n-A INPUT -j DROP\n") ||
				   strstr(text, "\n-A INPUT -j REJECT"));
}

int posture_firewall(const struct posture_place *at, const struct posture_taken *t, struct posture_fact *f)
{
	bool four = legacy_refuses(&t->legacy), six = legacy_refuses(&t->legacy_6);
	bool has_six = posture_there(at, "/proc/net/if_inet6");

	if (t->has_nft)
		read_nft(buf_span(&t->nft), &four, &six);
	posture_say(f, "ipv4=%s", four ? "refuses" : t->has_nft ? "open" : "unknown");
	posture_say(f, "ipv6=%s", !has_six ? "off" : six ? "refuses" : t->has_nft ? "open" : "unknown");
	posture_say(f, "read=%s", t->has_nft ? "nft" : t->legacy.n ? "iptables-legacy" : "nothing");
	if (four && (six || !has_six))
		posture_judge(f, STATE_GOOD);
	else
		posture_judge(f, t->has_nft ? STATE_WEAK : STATE_UNKNOWN);
	return 0;
}
