/*
 * What the sections of herald.yaml are read with, one node of libyaml's document to one value. For plan.c. Every reader
 * answers 0, V_BAD (said in `why`) or -ENOMEM; `key` is what the reason begins with.
 */
#ifndef SEKISHO_HERALD_PLAN_PARTS_H
#define SEKISHO_HERALD_PLAN_PARTS_H

#include "collector/herald/plan.h"
#include "policy/rule/said.h"
#include <yaml.h>

struct planning {
	struct plan *plan;
	const char *file;
	struct span text;
	yaml_document_t *doc;
	struct why *why;
};

int planning_bad(struct planning *p, const yaml_node_t *n, const char *key, struct said what);

/* Each key of a mapping; V_NOT_FOUND from `fn`: an unknown one, refused here. `what`: NULL for the document. */
typedef int (*planning_key)(struct planning *p, void *ctx, const char *key, const yaml_node_t *value);
int planning_pairs(struct planning *p, const yaml_node_t *map, const char *what, planning_key fn, void *ctx);
/* Each node of a list, which may be empty. */
int planning_nodes(
	struct planning *p, const yaml_node_t *n, const char *key, int (*fn)(struct planning *p, const yaml_node_t *n));

/* The number of a field, or PLAN_HOST for "host". `terms`: of a type that a condition can have. */
bool planning_field(const char *name, bool terms, unsigned *out);
/* The values of a condition, by the type of its field. */
int planning_values(struct planning *p, const yaml_node_t *n, const char *key, struct term *t);

int planning_text(struct planning *p, const yaml_node_t *n, const char *key, const char **out); /* not empty */
int planning_path(struct planning *p, const yaml_node_t *n, const char *key, const char **out); /* absolute */
int planning_name(struct planning *p, const yaml_node_t *n, const char *key, char out[PLAN_NAME_SIZE]);
/* The same, or the address of a database (collector/store/ENGINES.md). */
int planning_store(struct planning *p, const yaml_node_t *n, const char *key, const char **out);
int planning_words(struct planning *p, const yaml_node_t *n, const char *key, struct words *out);
int planning_fields(struct planning *p, const yaml_node_t *n, const char *key, struct fields *out);
int planning_number(
	struct planning *p, const yaml_node_t *n, const char *key, uint64_t least, uint64_t most, uint64_t *out);
int planning_time(struct planning *p, const yaml_node_t *n, const char *key, uint64_t *us); /* 10s, 5m, 24h, 90d */
int planning_yes(struct planning *p, const yaml_node_t *n, const char *key, bool *out);
int planning_of(struct planning *p, const yaml_node_t *n, const char *key, bool *program);
int planning_severity(struct planning *p, const yaml_node_t *n, const char *key, unsigned *out);
int planning_language(struct planning *p, const yaml_node_t *n, const char *key, bool *japanese);
int planning_form(struct planning *p, const yaml_node_t *n, const char *key, enum stream_form *out);
int planning_begin(struct planning *p, const yaml_node_t *n, const char *key, bool *from_start);
/* "mon-fri 07:00-21:00". */
int planning_hours(struct planning *p, const yaml_node_t *n, const char *key, struct rule *r);

#endif
