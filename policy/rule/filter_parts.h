/*
 * The reader of record.yaml in its two parts: filter_parse.c walks the YAML, filter_values.c takes what stands there.
 * Nobody else includes this.
 */
#ifndef SEKISHO_RULE_FILTER_PARTS_H
#define SEKISHO_RULE_FILTER_PARTS_H

#include "policy/rule/filter.h"
#include <yaml.h>

struct walk {
	yaml_parser_t yaml;
	const char *name;
	struct why *why;
	struct filter *f;
	size_t line, column; /* of the item at hand, from 1; the column in characters */
	bool version_seen;
};

/* Says what is wrong at the item at hand, with its file and line; `text` (may be NULL) is shown escaped. V_BAD. */
int filter_bad(struct walk *w, const char *what, const char *text);

/* One entry of a section: `key` and, in maps, its `value`. 0 or V_BAD. */
int filter_take_kinds(struct walk *w, const char *key, const char *value);
int filter_take_paths(struct walk *w, const char *key, const char *value);
int filter_take_classes(struct walk *w, const char *key, const char *value);
int filter_take_programs(struct walk *w, const char *key, const char *value);
int filter_take_users(struct walk *w, const char *key, const char *value);
int filter_take_cloud(struct walk *w, const char *key, const char *value);

#endif
