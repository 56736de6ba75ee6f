/*
 * `copies:` of a section of policy.yaml. See copies.h.
 */
#include "policy/rule/copies.h"
#include "policy/base/text.h"
#include "policy/rule/check_parts.h"
#include "policy/rule/reading.h"
#include "policy/trust/envelope.h"

#define COPIES_MIB_MAX (1u << 20)

int copies_read_certificates(
	struct reading *r, const void *node, const char *key, struct span *out, struct digest *hash)
{
	const yaml_node_t *n = node;
	_cleanup_(envelope_readers_freep) struct envelope_readers *readers = NULL;
	struct why why = {""};
	const char *pem;
	int v = reading_text(r, n, key, &pem);

	if (v)
		return v;
	v = envelope_readers_read(SPAN_STR(pem), &readers, &why);
	if (v)
		return v < 0 ? v : reading_bad(r, n, key, SAID(why.text, why_ja(&why)));
	*out = SPAN_STR(pem);
	digest_span(hash, *out);
	return 0;
}

static int take_when_full(struct reading *r, const yaml_node_t *n, const char *key, bool *oldest_goes)
{
	const char *s = reading_text_of(r, n, key);

	if (!s)
		return V_BAD;
	*oldest_goes = !strcmp(s, "drop-oldest");
	return *oldest_goes || !strcmp(s, "stop")
		       ? 0
		       : reading_bad_value(r, n, key, s, SAID("drop-oldest or stop", "drop-oldest または stop"));
}

static int take_copies_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct copies_terms *p = ctx;
	uint64_t number = 0;
	int v, yes = 0;

	if (!strcmp(key, "auditors"))
		return copies_read_certificates(r, n, key, &p->as.auditors, &p->auditors);
	if (!strcmp(key, "second_auditors"))
		return copies_read_certificates(r, n, key, &p->as.second, &p->second);
	if (!strcmp(key, "alone")) {
		v = reading_yes(r, n, key, &yes);
		p->alone = yes;
		return v;
	}
	if (!strcmp(key, "when_full"))
		return take_when_full(r, n, key, &p->as.oldest_goes);
	if (strcmp(key, "max_mib") != 0)
		return V_NOT_FOUND;
	v = reading_number(r, n, key, 1, COPIES_MIB_MAX, &number);
	p->as.max_bytes = number << 20;
	return v;
}

/* Both were read once already, so that they can be read again. */
static bool one_is_both(const struct print_copies *c)
{
	_cleanup_(envelope_readers_freep) struct envelope_readers *first = NULL, *second = NULL;

	return !envelope_readers_read(c->auditors, &first, NULL) && !envelope_readers_read(c->second, &second, NULL) &&
	       envelope_readers_meet(first, second);
}

int copies_read(struct reading *r, const void *node, const char *key, struct copies_terms *p)
{
	const yaml_node_t *n = node;
	int v = reading_pairs(r, n, key, take_copies_key, p);

	if (v)
		return v;
	if (!p->as.auditors.n)
		return reading_bad(r, n, key,
			SAID("auditors are missing: who could open them?", "auditors がありません (誰も開けません)"));
	if (p->as.second.n && p->alone)
		return reading_bad(r, n, key,
			SAID("alone: yes: there are second_auditors, without whom nobody opens anything",
				"alone: yes: second_auditors があるため、一人では開けません"));
	if (p->as.second.n && one_is_both(&p->as))
		return reading_bad(r, n, key,
			SAID("one key is among auditors and second_auditors: one person could open a copy alone",
				"auditors と second_auditors に同じ鍵があります (一人で開けてしまいます)"));
	return 0;
}

int copies_check(struct reading *r, const struct copies_terms *t, unsigned line)
{
	return t->as.auditors.n
		       ? 0
		       : why_set(r->why, V_BAD, READING_NAME ":%u: copy: the section `copies:` is missing", line);
}

void check_copies(struct checking *c, const struct copies_terms *t, const char *section)
{
	if (t->as.auditors.n && !t->as.second.n && !t->alone)
		FOUND(c, true, "opened-alone", IN_YAML, 0,
			"%s: copies: each of the auditors would open a copy alone: name second_auditors, without whom "
			"nobody "
			"does (alone: yes, where one person is meant to)",
			"%s: copies: auditors の誰もが一人で控えを開けます。second_auditors を書いてください"
			"(一人で開けることが意図したものなら alone: yes)",
			section);
}

static int setting(const char *section, const char *name, const char *value, policy_setting_fn fn, void *ctx)
{
	char whole[80];

	snprintf(whole, sizeof(whole), "%s: copies: %s", section, name);
	return fn(ctx, whole, value);
}

int copies_settings(const struct copies_terms *t, const char *section, policy_setting_fn fn, void *ctx)
{
	bool copies = t && t->as.auditors.n;
	char hex[2 * DIGEST_SIZE + 1], number[32];
	/* Certificates are long: that they are others is what is to be seen. */
	int r = setting(
		section, "auditors (SHA-256)", copies ? hex_encode(hex, t->auditors.b, DIGEST_SIZE) : "none", fn, ctx);

	r = r ? r
	      : setting(section, "second_auditors (SHA-256)",
			copies && t->as.second.n ? hex_encode(hex, t->second.b, DIGEST_SIZE) : "none", fn, ctx);
	r = r ? r : setting(section, "alone", copies && t->alone ? "yes" : "no", fn, ctx);
	snprintf(number, sizeof(number), "%llu", copies ? (unsigned long long)(t->as.max_bytes >> 20) : 0);
	r = r ? r : setting(section, "max_mib", number, fn, ctx);
	return r ? r : setting(section, "when_full", copies && !t->as.oldest_goes ? "stop" : "drop-oldest", fn, ctx);
}
