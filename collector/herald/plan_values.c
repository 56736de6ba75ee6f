/*
 * The values of herald.yaml, node by node. See plan_parts.h.
 */
#include "collector/herald/plan_parts.h"
#include "collector/store/store.h"
#include "policy/base/text.h"
#include <errno.h>
#include <stdlib.h>

#define KEYS_MAX 64
#define TIME_MAX_US (400ull * 86400 * 1000000)

int planning_bad(struct planning *p, const yaml_node_t *n, const char *key, struct said what)
{
	return said_bad(p->why, p->file, n ? n->start_mark.line + 1 : 1, key, what);
}

static int bad_value(struct planning *p, const yaml_node_t *n, const char *key, const char *value, struct said wanted)
{
	return said_bad_value(p->why, p->file, n->start_mark.line + 1, key, value, wanted);
}

/* The text of a scalar. NULL (and said) where it is something else, or holds what no text holds. */
static const char *scalar(struct planning *p, const yaml_node_t *n, const char *key)
{
	const char *s;

	if (n->type != YAML_SCALAR_NODE) {
		planning_bad(p, n, key, SAID("one value belongs here", "値は 1 つだけ書きます"));
		return NULL;
	}
	s = (const char *)n->data.scalar.value;
	if (strlen(s) != n->data.scalar.length || !text_is_utf8(SPAN(s, n->data.scalar.length))) {
		planning_bad(p, n, key, SAID("holds a NUL byte or no UTF-8", "NUL を含むか、UTF-8 ではありません"));
		return NULL;
	}
	return s;
}

static const char *keep(struct planning *p, const char *s)
{
	struct plan *out = p->plan;

	if (out->strings_n == PLAN_STRINGS_MAX)
		return NULL;
	out->strings[out->strings_n] = strdup(s);
	return out->strings[out->strings_n] ? out->strings[out->strings_n++] : NULL;
}

int planning_pairs(struct planning *p, const yaml_node_t *map, const char *what, planning_key fn, void *ctx)
{
	const yaml_node_pair_t *pair, *before;
	int v;

	if (map->type != YAML_MAPPING_NODE)
		return planning_bad(p, map, what, SAID("keys and values belong here", "キーと値の組を書きます"));
	for (pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
		const yaml_node_t *k = yaml_document_get_node(p->doc, pair->key);
		const yaml_node_t *n = yaml_document_get_node(p->doc, pair->value);
		const char *key = k ? scalar(p, k, what) : NULL;

		if (!key || !n)
			return V_BAD;
		if (pair - map->data.mapping.pairs.start >= KEYS_MAX)
			return planning_bad(p, k, what, SAID("too many keys", "キーが多すぎます"));
		for (before = map->data.mapping.pairs.start; before < pair; before++) {
			const yaml_node_t *b = yaml_document_get_node(p->doc, before->key);

			if (b && b->type == YAML_SCALAR_NODE && !strcmp((const char *)b->data.scalar.value, key))
				return planning_bad(p, k, key, SAID("is there twice", "2 回書かれています"));
		}
		v = fn(p, ctx, key, n);
		if (v == V_NOT_FOUND)
			return said_unknown(p->why, p->file, k->start_mark.line + 1, k->start_mark.column + 1, key);
		if (v)
			return v;
	}
	return 0;
}

int planning_nodes(
	struct planning *p, const yaml_node_t *n, const char *key, int (*fn)(struct planning *p, const yaml_node_t *n))
{
	const yaml_node_item_t *i;
	int v = 0;

	if (n->type == YAML_SCALAR_NODE && !n->data.scalar.length)
		return 0;
	if (n->type != YAML_SEQUENCE_NODE)
		return planning_bad(p, n, key, SAID("a list belongs here", "リストを書きます"));
	for (i = n->data.sequence.items.start; !v && i < n->data.sequence.items.top; i++) {
		const yaml_node_t *one = yaml_document_get_node(p->doc, *i);

		v = one ? fn(p, one) : V_BAD;
	}
	return v;
}

/* One value, or a list of at least one: calls `fn` for each. */
typedef int (*item_fn)(struct planning *p, void *ctx, const yaml_node_t *n, const char *key, const char *s);

static int items(struct planning *p, const yaml_node_t *n, const char *key, item_fn fn, void *ctx)
{
	const yaml_node_item_t *i;
	const char *s;
	int v = 0;

	if (n->type != YAML_SEQUENCE_NODE) {
		s = scalar(p, n, key);
		return s ? fn(p, ctx, n, key, s) : V_BAD;
	}
	if (n->data.sequence.items.start == n->data.sequence.items.top)
		return planning_bad(p, n, key, SAID("names nothing", "何も指定されていません"));
	for (i = n->data.sequence.items.start; !v && i < n->data.sequence.items.top; i++) {
		const yaml_node_t *one = yaml_document_get_node(p->doc, *i);

		s = one ? scalar(p, one, key) : NULL;
		v = s ? fn(p, ctx, one, key, s) : V_BAD;
	}
	return v;
}

/* --- values --- */

int planning_text(struct planning *p, const yaml_node_t *n, const char *key, const char **out)
{
	const char *s = scalar(p, n, key);

	if (!s)
		return V_BAD;
	if (!*s)
		return planning_bad(p, n, key, SAID("is empty", "空です"));
	*out = keep(p, s);
	return *out ? 0 : -ENOMEM;
}

int planning_path(struct planning *p, const yaml_node_t *n, const char *key, const char **out)
{
	const char *s = scalar(p, n, key);

	if (s && (*s != '/' || strlen(s) > 400))
		return bad_value(p, n, key, s, SAID("absolute path", "絶対パス"));
	return s ? planning_text(p, n, key, out) : V_BAD;
}

int planning_store(struct planning *p, const yaml_node_t *n, const char *key, const char **out)
{
	const char *s = scalar(p, n, key);

	return s && store_is_database(s) && strlen(s) <= 400 ? planning_text(p, n, key, out)
							     : planning_path(p, n, key, out);
}

int planning_name(struct planning *p, const yaml_node_t *n, const char *key, char out[PLAN_NAME_SIZE])
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	const char *s = scalar(p, n, key);

	if (!s)
		return V_BAD;
	if (!*s || strlen(s) >= PLAN_NAME_SIZE || strspn(s, good) != strlen(s))
		return bad_value(p, n, key, s,
			SAID("name (letters, digits, - _ .; at most 63)", "名前 (英数字と - _ .、63 文字まで)"));
	snprintf(out, PLAN_NAME_SIZE, "%s", s);
	return 0;
}

static int take_word(struct planning *p, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	struct words *w = ctx;

	if (!*s || w->n == PLAN_LIST_MAX)
		return planning_bad(p, n, key, *s ? SAID("too many", "多すぎます") : SAID("is empty", "空です"));
	w->v[w->n] = keep(p, s);
	return w->v[w->n++] ? 0 : -ENOMEM;
}

int planning_words(struct planning *p, const yaml_node_t *n, const char *key, struct words *out)
{
	out->n = 0;
	return items(p, n, key, take_word, out);
}

bool planning_field(const char *name, bool terms, unsigned *out)
{
	unsigned f = strcmp(name, "host") != 0 ? field_by_name(name) : PLAN_HOST;
	enum field_type t;

	*out = f;
	if (!f)
		return !strcmp(name, "host");
	t = field_table[f].type;
	return !terms || t == T_UINT || t == T_INT || t == T_ENUM || t == T_NAME || t == T_DURATION;
}

static int take_field(struct planning *p, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	struct fields *f = ctx;

	if (f->n == PLAN_FIELDS_MAX)
		return planning_bad(p, n, key, SAID("too many", "多すぎます"));
	if (!planning_field(s, false, &f->v[f->n]))
		return bad_value(p, n, key, s, SAID("field of records, nor host", "記録の項目名、または host"));
	f->n++;
	return 0;
}

int planning_fields(struct planning *p, const yaml_node_t *n, const char *key, struct fields *out)
{
	out->n = 0;
	return items(p, n, key, take_field, out);
}

static bool number_of(const char *s, int64_t least, int64_t most, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(s, &end, 10);
	return *s && !*end && !errno && (*s == '-' || (*s >= '0' && *s <= '9')) && *out >= least && *out <= most;
}

int planning_number(
	struct planning *p, const yaml_node_t *n, const char *key, uint64_t least, uint64_t most, uint64_t *out)
{
	const char *s = scalar(p, n, key);
	int64_t v;

	if (!s)
		return V_BAD;
	if (!number_of(s, (int64_t)least, (int64_t)most, &v))
		return bad_value(p, n, key, s, SAID("number that fits here", "ここで使える数値"));
	*out = (uint64_t)v;
	return 0;
}

int planning_time(struct planning *p, const yaml_node_t *n, const char *key, uint64_t *us)
{
	static const struct {
		const char *unit;
		uint64_t us;
	} units[] = {{"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"h", 3600000000ull}, {"d", 86400000000ull}};
	const char *s = scalar(p, n, key);
	char *end;
	uint64_t v;
	size_t i;

	if (!s)
		return V_BAD;
	errno = 0;
	v = strtoull(s, &end, 10);
	for (i = 0; i < ARRAY_SIZE(units) && strcmp(end, units[i].unit) != 0; i++)
		;
	if (*s < '0' || *s > '9' || errno || i == ARRAY_SIZE(units) || !v || v > TIME_MAX_US / units[i].us)
		return bad_value(p, n, key, s, SAID("time (30s, 10m, 24h, 90d)", "時間 (30s、10m、24h、90d)"));
	*us = v * units[i].us;
	return 0;
}

/* One of two words. */
static int either(struct planning *p, const yaml_node_t *n, const char *key, const char *no, const char *yes,
	struct said wanted, bool *out)
{
	const char *s = scalar(p, n, key);

	if (!s)
		return V_BAD;
	if (strcmp(s, no) != 0 && strcmp(s, yes) != 0)
		return bad_value(p, n, key, s, wanted);
	*out = !strcmp(s, yes);
	return 0;
}

int planning_yes(struct planning *p, const yaml_node_t *n, const char *key, bool *out)
{
	return either(p, n, key, "no", "yes", SAID("yes or no", "yes または no"), out);
}

int planning_of(struct planning *p, const yaml_node_t *n, const char *key, bool *program)
{
	return either(p, n, key, "pc", "program", SAID("pc or program", "pc または program"), program);
}

int planning_language(struct planning *p, const yaml_node_t *n, const char *key, bool *japanese)
{
	return either(p, n, key, "en", "ja", SAID("en or ja", "en または ja"), japanese);
}

int planning_form(struct planning *p, const yaml_node_t *n, const char *key, enum stream_form *out)
{
	static const char *const names[] = {
		[STREAM_SYSLOG] = "syslog", [STREAM_OCSF] = "ocsf", [STREAM_CLICKHOUSE] = "clickhouse"};
	const char *s = scalar(p, n, key);
	size_t i;

	if (!s)
		return V_BAD;
	for (i = 0; i < ARRAY_SIZE(names) && strcmp(s, names[i]) != 0; i++)
		;
	if (i == ARRAY_SIZE(names))
		return bad_value(
			p, n, key, s, SAID("syslog, ocsf or clickhouse", "syslog、ocsf、clickhouse のいずれか"));
	*out = (enum stream_form)i;
	return 0;
}

int planning_begin(struct planning *p, const yaml_node_t *n, const char *key, bool *from_start)
{
	return either(p, n, key, "now", "start", SAID("now or start", "now または start"), from_start);
}

int planning_severity(struct planning *p, const yaml_node_t *n, const char *key, unsigned *out)
{
	const char *s = scalar(p, n, key);
	const struct enum_info *e = s ? enum_by_name(F_SEVERITY, s) : NULL;

	if (!s)
		return V_BAD;
	if (!e)
		return bad_value(p, n, key, s, SAID("alarm, warning or note", "alarm、warning、note のいずれか"));
	*out = (unsigned)e->value;
	return 0;
}

/* --- conditions --- */

static int take_number(struct planning *p, struct term *t, const yaml_node_t *n, const char *key, const char *s)
{
	static const struct {
		const char *text;
		enum term_op op;
	} ops[] = {{">=", TERM_AT_LEAST}, {"<=", TERM_AT_MOST}, {">", TERM_MORE}, {"<", TERM_LESS}, {"", TERM_IS}};
	const char *digits;
	size_t i;

	for (i = 0; strncmp(s, ops[i].text, strlen(ops[i].text)) != 0; i++)
		;
	t->values[t->values_n].op = ops[i].op;
	digits = s + strlen(ops[i].text);
	digits += strspn(digits, " ");
	return number_of(digits, INT64_MIN, INT64_MAX, &t->values[t->values_n].number)
		       ? 0
		       : bad_value(p, n, key, s, SAID("number (5, >5, >=5, <5, <=5)", "数値 (5、>5、>=5、<5、<=5)"));
}

static int take_value(struct planning *p, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	struct term *t = ctx;
	const struct enum_info *e;
	int v = 0;

	if (t->values_n == PLAN_VALUES_MAX)
		return planning_bad(p, n, key, SAID("too many", "多すぎます"));
	t->values[t->values_n].pattern = NULL;
	t->values[t->values_n].op = TERM_IS;
	if (t->field == PLAN_HOST || field_table[t->field].type == T_NAME) {
		if (!*s)
			return planning_bad(p, n, key, SAID("is empty", "空です"));
		t->values[t->values_n].pattern = keep(p, s);
		v = t->values[t->values_n].pattern ? 0 : -ENOMEM;
	} else if (field_table[t->field].type == T_ENUM) {
		e = enum_by_name(t->field, s);
		if (!e)
			return bad_value(p, n, key, s, SAID("word of this field", "この項目の値"));
		t->values[t->values_n].number = (int64_t)e->value;
	} else {
		v = take_number(p, t, n, key, s);
	}
	t->values_n += !v;
	return v;
}

int planning_values(struct planning *p, const yaml_node_t *n, const char *key, struct term *t)
{
	return items(p, n, key, take_value, t);
}

/* --- hours --- */

static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static int day_of(const char *s, size_t n)
{
	unsigned i;

	for (i = 0; i < 7; i++)
		if (n == 3 && !strncmp(s, day_names[i], 3))
			return (int)i;
	return -1;
}

/* "mon-fri", "sat". */
static bool days_of(const char *s, size_t n, uint8_t *out)
{
	const char *dash = memchr(s, '-', n);
	int from = day_of(s, dash ? (size_t)(dash - s) : n);
	int to = dash ? day_of(dash + 1, n - (size_t)(dash - s) - 1) : from;

	if (from < 0 || to < 0)
		return false;
	for (*out = 0;; from = (from + 1) % 7) {
		*out = (uint8_t)(*out | 1u << from);
		if (from == to)
			return true;
	}
}

int planning_hours(struct planning *p, const yaml_node_t *n, const char *key, struct rule *r)
{
	const char *s = scalar(p, n, key), *space = s ? strchr(s, ' ') : NULL, *hours = space ? space + 1 : s;
	unsigned h1, m1, h2, m2;
	int end = 0;

	if (!s)
		return V_BAD;
	r->days = 0x7f;
	if ((space && !days_of(s, (size_t)(space - s), &r->days)) ||
		sscanf(hours, "%2u:%2u-%2u:%2u%n", &h1, &m1, &h2, &m2, &end) != 4 || hours[end] || h1 > 23 || h2 > 24 ||
		m1 > 59 || m2 > 59 || h2 * 60 + m2 > 24 * 60 || h1 * 60 + m1 >= h2 * 60 + m2)
		return bad_value(p, n, key, s,
			SAID("time of work (07:00-21:00, mon-fri 07:00-21:00)",
				"勤務時間 (07:00-21:00、mon-fri 07:00-21:00)"));
	r->has_hours = true;
	r->from_min = h1 * 60 + m1;
	r->to_min = h2 * 60 + m2;
	return 0;
}
