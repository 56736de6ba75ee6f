/*
 * What the sections of policy.yaml are read with: one node of libyaml's document to one value. policy_yaml.c knows the
 * sections, and each section has a file (policy_match_read.c, policy_expect.c). Only files that read policy.yaml
 * include this.
 *
 * Every reader answers 0, V_BAD (its reason, with file and line, is in `why`) or -ENOMEM. `key` is the name that the
 * reason begins with.
 */
#ifndef SEKISHO_RULE_READING_H
#define SEKISHO_RULE_READING_H

#include "policy/rule/policy_parts.h"
#include "policy/rule/said.h"
#include <yaml.h>

#define READING_NAME "policy.yaml"

struct reading {
	yaml_document_t *doc;
	struct policy *p;
	struct why *why;
};

/* Says what is wrong with a node. V_BAD. */
int reading_bad(struct reading *r, const yaml_node_t *n, const char *key, struct said what);
/* The same for a value: "is no `wanted`". */
int reading_bad_value(struct reading *r, const yaml_node_t *n, const char *key, const char *value, struct said wanted);

/*
 * Calls `fn` for each key of a mapping, with the node of its value. A key of which it says V_NOT_FOUND is unknown, and
 * refused here. `what`: the mapping's own name, NULL for the whole document.
 */
typedef int (*reading_key)(struct reading *r, void *ctx, const char *key, const yaml_node_t *value);
int reading_pairs(struct reading *r, const yaml_node_t *map, const char *what, reading_key fn, void *ctx);
/* Calls `fn` for each node of a list, which may be empty. */
int reading_nodes(
	struct reading *r, const yaml_node_t *n, const char *key, int (*fn)(struct reading *r, const yaml_node_t *n));
/* Calls `fn` for one text, or for each text of a list: at least one, LIST_MAX at most. */
typedef int (*reading_item)(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s);
int reading_items(struct reading *r, const yaml_node_t *n, const char *key, reading_item fn, void *ctx);

/* The text of a scalar, borrowed from the document. NULL (and said) where it is something else. */
const char *reading_text_of(struct reading *r, const yaml_node_t *n, const char *key);
/* A text that is not empty, and lives as long as the policy. */
int reading_text(struct reading *r, const yaml_node_t *n, const char *key, const char **out);
/* One word or several; *out lives as long as the policy. */
int reading_words(struct reading *r, const yaml_node_t *n, const char *key, words *out);
int reading_name(struct reading *r, const yaml_node_t *n, const char *key, char out[POLICY_NAME_SIZE]);
int reading_number(
	struct reading *r, const yaml_node_t *n, const char *key, uint64_t least, uint64_t most, uint64_t *out);
/* 1 for yes, 0 for no. */
int reading_yes(struct reading *r, const yaml_node_t *n, const char *key, int *out);
/* ACCESS_*; with `listed`, ACCESS_LISTED as well. */
int reading_access(struct reading *r, const yaml_node_t *n, const char *key, bool listed, unsigned *out);
/* `mode:` note or enforce. */
int reading_mode(struct reading *r, const yaml_node_t *n, const char *key, bool *note);
/* Microseconds of the wall clock. Only moments that mean the same on every day. */
int reading_time(struct reading *r, const yaml_node_t *n, const char *key, int64_t *out);
/* A USB id. */
int reading_hex(struct reading *r, const yaml_node_t *n, const char *key, int *out);

/* policy_match_read.c: one key of `match:`; `ctx` is a struct match. */
int policy_read_match(struct reading *r, void *ctx, const char *key, const yaml_node_t *n);
/* Items: a kind into a set (uint64_t); class:subclass:protocol into a struct match. */
int policy_read_kind(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s);
int policy_read_interface(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s);
int policy_read_fingerprint(struct reading *r, const yaml_node_t *n, const char *key, struct match *m);

/* past_cups.c: one key of `past_cups:`. */
int policy_read_past_cups(struct reading *r, void *ctx, const char *key, const yaml_node_t *n);

/* policy_expect.c: one of `expectations:`. */
int policy_read_expectation(struct reading *r, const yaml_node_t *n);

#endif
