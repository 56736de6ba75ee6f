/*
 * Reads what policy.yaml holds, node by node, by libyaml's document: the values that its sections have in common.
 * Called by the functions that read a section each. Every key is known or refused by line and column, nothing is there
 * twice, and each reason names the line. Anchors do no harm: an alias is the same node again, and the text is bounded.
 */
#include "policy/rule/reading.h"
#include "policy/base/text.h"
#include <errno.h>

#define KEYS_MAX 64

int reading_bad(struct reading *r, const yaml_node_t *n, const char *key, struct said what)
{
	return said_bad(r->why, READING_NAME, n ? n->start_mark.line + 1 : 1, key, what);
}

int reading_bad_value(struct reading *r, const yaml_node_t *n, const char *key, const char *value, struct said wanted)
{
	return said_bad_value(r->why, READING_NAME, n->start_mark.line + 1, key, value, wanted);
}

/* The text of a scalar. NULL (and said) where it is something else, or holds what no text holds. */
const char *reading_text_of(struct reading *r, const yaml_node_t *n, const char *key)
{
	const char *s;

	if (n->type != YAML_SCALAR_NODE) {
		reading_bad(r, n, key, SAID("one value belongs here", "値は 1 つだけ書きます"));
		return NULL;
	}
	s = (const char *)n->data.scalar.value;
	if (strlen(s) != n->data.scalar.length || !text_is_utf8(SPAN(s, n->data.scalar.length))) {
		reading_bad(r, n, key, SAID("holds a NUL byte or no UTF-8", "NUL を含むか、UTF-8 ではありません"));
		return NULL;
	}
	return s;
}

int reading_pairs(struct reading *r, const yaml_node_t *map, const char *what, reading_key fn, void *ctx)
{
	const yaml_node_pair_t *pair, *before;
	int v;

	if (map->type != YAML_MAPPING_NODE)
		return reading_bad(r, map, what, SAID("keys and values belong here", "キーと値の組を書きます"));
	for (pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
		const yaml_node_t *k = yaml_document_get_node(r->doc, pair->key);
		const yaml_node_t *n = yaml_document_get_node(r->doc, pair->value);
		const char *key = k ? reading_text_of(r, k, what) : NULL;

		if (!key || !n)
			return V_BAD;
		if (pair - map->data.mapping.pairs.start >= KEYS_MAX)
			return reading_bad(r, k, what, SAID("too many keys", "キーが多すぎます"));
		for (before = map->data.mapping.pairs.start; before < pair; before++) {
			const yaml_node_t *b = yaml_document_get_node(r->doc, before->key);

			if (b && b->type == YAML_SCALAR_NODE && !strcmp((const char *)b->data.scalar.value, key))
				return reading_bad(r, k, key, SAID("is there twice", "2 回書かれています"));
		}
		v = fn(r, ctx, key, n);
		if (v == V_NOT_FOUND)
			return said_unknown(
				r->why, READING_NAME, k->start_mark.line + 1, k->start_mark.column + 1, key);
		if (v)
			return v;
	}
	return 0;
}

/* --- values --- */

int reading_number(
	struct reading *r, const yaml_node_t *n, const char *key, uint64_t least, uint64_t most, uint64_t *out)
{
	const char *s = reading_text_of(r, n, key);
	char *end;

	if (!s)
		return V_BAD;
	errno = 0;
	*out = strtoull(s, &end, 10);
	if (!*s || *end || *s < '0' || *s > '9' || errno || *out < least || *out > most)
		return reading_bad_value(r, n, key, s, SAID("number that fits here", "ここで使える数値"));
	return 0;
}

int reading_yes(struct reading *r, const yaml_node_t *n, const char *key, int *out)
{
	const char *s = reading_text_of(r, n, key);

	if (!s)
		return V_BAD;
	if (!strcmp(s, "yes") || !strcmp(s, "true"))
		*out = 1;
	else if (!strcmp(s, "no") || !strcmp(s, "false"))
		*out = 0;
	else
		return reading_bad_value(r, n, key, s, SAID("yes or no", "yes または no"));
	return 0;
}

int reading_access(struct reading *r, const yaml_node_t *n, const char *key, bool listed, unsigned *out)
{
	const char *s = reading_text_of(r, n, key);

	if (!s)
		return V_BAD;
	if (listed && !strcmp(s, "listed")) {
		*out = ACCESS_LISTED;
		return 0;
	}
	*out = policy_access(s);
	return *out ? 0
		    : reading_bad_value(r, n, key, s,
			      listed ? SAID("deny, read-only, read-write or listed",
					       "deny、read-only、read-write、listed のいずれか")
				     : SAID("deny, read-only or read-write", "deny、read-only、read-write のいずれか"));
}

int reading_mode(struct reading *r, const yaml_node_t *n, const char *key, bool *note)
{
	const char *s = reading_text_of(r, n, key);

	if (!s)
		return V_BAD;
	*note = !strcmp(s, "note");
	return *note || !strcmp(s, "enforce")
		       ? 0
		       : reading_bad_value(r, n, key, s, SAID("enforce or note", "enforce または note"));
}

int reading_time(struct reading *r, const yaml_node_t *n, const char *key, int64_t *out)
{
	const char *s = reading_text_of(r, n, key);

	if (!s)
		return V_BAD;
	/* Only moments that mean the same on every day. */
	return s[0] != '-' && strlen(s) >= 10 && !text_time_parse(s, 0, out)
		       ? 0
		       : reading_bad_value(r, n, key, s,
				 SAID("date or time (2026-12-31, 2026-12-31 18:00, 2026-12-31T18:00:00+09:00)",
					 "日付または日時 (2026-12-31、2026-12-31 18:00、2026-12-31T18:00:00+09:00)"));
}

int reading_text(struct reading *r, const yaml_node_t *n, const char *key, const char **out)
{
	const char *s = reading_text_of(r, n, key);

	if (!s)
		return V_BAD;
	if (!*s)
		return reading_bad(r, n, key, SAID("is empty", "空です"));
	*out = policy_keep_text(r->p, SPAN_STR(s));
	return *out ? 0 : -ENOMEM;
}

/* One value, or a list of them: calls `fn` for each. */
int reading_items(struct reading *r, const yaml_node_t *n, const char *key, reading_item fn, void *ctx)
{
	const yaml_node_item_t *i;
	const char *s;
	int v = 0;

	if (n->type != YAML_SEQUENCE_NODE) {
		s = reading_text_of(r, n, key);
		return s ? fn(r, ctx, n, key, s) : V_BAD;
	}
	/* Nothing named would stand for anything. */
	if (n->data.sequence.items.start == n->data.sequence.items.top)
		return reading_bad(r, n, key, SAID("names nothing", "何も指定されていません"));
	for (i = n->data.sequence.items.start; !v && i < n->data.sequence.items.top; i++) {
		const yaml_node_t *one = yaml_document_get_node(r->doc, *i);

		if (i - n->data.sequence.items.start >= (long)LIST_MAX)
			return reading_bad(r, n, key, SAID("too many", "多すぎます"));
		s = one ? reading_text_of(r, one, key) : NULL;
		v = s ? fn(r, ctx, one, key, s) : V_BAD;
	}
	return v;
}

struct gathering {
	const char **list;
	unsigned n;
};

static int gather(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	struct gathering *g = ctx;

	if (!*s || g->n == LIST_MAX)
		return reading_bad(r, n, key, *s ? SAID("too many", "多すぎます") : SAID("is empty", "空です"));
	g->list[g->n] = policy_keep_text(r->p, SPAN_STR(s));
	return g->list[g->n++] ? 0 : -ENOMEM;
}

int reading_words(struct reading *r, const yaml_node_t *n, const char *key, words *out)
{
	struct gathering g = {.list = policy_keep(r->p, (LIST_MAX + 1) * sizeof(char *))};
	int v = g.list ? reading_items(r, n, key, gather, &g) : -ENOMEM;

	if (!v && !g.n)
		v = reading_bad(r, n, key, SAID("names nothing", "何も指定されていません"));
	if (!v)
		*out = g.list;
	return v;
}

int reading_hex(struct reading *r, const yaml_node_t *n, const char *key, int *out)
{
	const char *s = reading_text_of(r, n, key);

	if (!s)
		return V_BAD;
	*out = policy_hex16(s);
	return *out == ANY ? reading_bad_value(
				     r, n, key, s, SAID("USB id of four hexadecimal digits", "16 進 4 桁の USB ID"))
			   : 0;
}

int reading_name(struct reading *r, const yaml_node_t *n, const char *key, char out[POLICY_NAME_SIZE])
{
	const char *s = reading_text_of(r, n, key);

	if (!s)
		return V_BAD;
	if (!*s || strlen(s) >= POLICY_NAME_SIZE)
		return reading_bad(
			r, n, key, *s ? SAID("too long a name", "名前が長すぎます") : SAID("is empty", "空です"));
	snprintf(out, POLICY_NAME_SIZE, "%s", s);
	return 0;
}

int reading_nodes(
	struct reading *r, const yaml_node_t *n, const char *key, int (*fn)(struct reading *r, const yaml_node_t *n))
{
	const yaml_node_item_t *i;
	int v = 0;

	if (n->type == YAML_SCALAR_NODE && !n->data.scalar.length)
		return 0;
	if (n->type != YAML_SEQUENCE_NODE)
		return reading_bad(r, n, key, SAID("a list belongs here", "リストを書きます"));
	for (i = n->data.sequence.items.start; !v && i < n->data.sequence.items.top; i++) {
		const yaml_node_t *one = yaml_document_get_node(r->doc, *i);

		v = one ? fn(r, one) : V_BAD;
	}
	return v;
}
