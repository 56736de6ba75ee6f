/*
 * What two policies differ in, as JSON. See policy_diff.h. Pure: called by `policy diff` and its tests.
 */
#include "policy/ctl/policy_diff.h"
#include "policy/rule/print.h"
#include <errno.h>

#define TEXT_MAX (64u << 10)
#define STRANGER "\x01 no device has this" /* a serial number that no row names by itself */

static int add(json_t *list, json_t *o)
{
	return json_array_append_new(list, o) ? -ENOMEM : 0;
}

/* --- settings --- */

struct settings {
	json_t *before, *list;
};

static int keep_setting(void *ctx, const char *name, const char *value)
{
	struct settings *s = ctx;

	return json_object_set_new(s->before, name, json_string(value)) ? -ENOMEM : 0;
}

static int compare_setting(void *ctx, const char *name, const char *value)
{
	struct settings *s = ctx;
	const char *before = json_string_value(json_object_get(s->before, name));

	if (before && !strcmp(before, value))
		return 0;
	return add(s->list, json_pack("{s:s, s:s?, s:s}", "name", name, "from", before, "to", value));
}

static int diff_settings(const struct policy *from, const struct policy *to, json_t *list)
{
	struct settings s = {.before = json_object(), .list = list};
	int r = s.before ? policy_settings(from, keep_setting, &s) : -ENOMEM;

	r = r ? r : policy_print_settings(from, keep_setting, &s);
	r = r ? r : policy_settings(to, compare_setting, &s);
	r = r ? r : policy_print_settings(to, compare_setting, &s);
	json_decref(s.before);
	return r;
}

/* --- rules, by their names --- */

struct rule_text {
	const char *name;
	unsigned line;
	char *text;
	int other;  /* its place in the other policy; -1 */
	bool stays; /* in one order with the others that stay */
};

struct rules {
	struct rule_text *list;
	unsigned n;
};

static void rules_deinit(struct rules *r)
{
	unsigned i;

	for (i = 0; i < r->n; i++)
		free(r->list[i].text);
	free(r->list);
}

/* One of either section, read like the other. */
static int rule_of(const struct policy *p, bool print, unsigned i, struct rule_text *out, struct buf *text)
{
	struct print_rule_text print_rule = {.name = NULL};
	struct policy_rule rule = {.name = NULL};
	int r = print ? policy_print_rule(p, i, &print_rule, text) : policy_rule(p, i, &rule, text);

	out->name = print ? print_rule.name : rule.name;
	out->line = print ? print_rule.line : rule.line;
	return r;
}

static int rules_init(const struct policy *p, bool print, struct rules *out)
{
	unsigned i, n = print ? policy_print_rules_n(p) : policy_rules_n(p);
	int r = 0;

	out->list = calloc(n + 1, sizeof(*out->list));
	if (!out->list)
		return -ENOMEM;
	for (i = 0; i < n && !r; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MAX);

		out->list[i].other = -1;
		r = rule_of(p, print, i, &out->list[i], &text);
		if (!r)
			out->list[i].text = strdup(buf_str(&text) ? (const char *)text.p : "");
		if (!r && !out->list[i].text)
			r = -ENOMEM;
		out->n += !r;
	}
	return r;
}

static void pair_rules(struct rules *from, struct rules *to)
{
	unsigned i, k;

	for (i = 0; i < to->n; i++) {
		for (k = 0; k < from->n && strcmp(from->list[k].name, to->list[i].name) != 0; k++)
			;
		if (k == from->n)
			continue;
		to->list[i].other = (int)k;
		from->list[k].other = (int)i;
	}
}

/* The longest run of rules that kept their order: the others moved. */
static int find_moved(struct rules *to)
{
	_cleanup_free_ unsigned *best = calloc(to->n + 1, sizeof(*best));
	_cleanup_free_ int *before = calloc(to->n + 1, sizeof(*before));
	unsigned i, k, most = 0;
	int at = -1;

	if (!best || !before)
		return -ENOMEM;
	for (i = 0; i < to->n; i++) {
		if (to->list[i].other < 0)
			continue;
		best[i] = 1;
		before[i] = -1;
		for (k = 0; k < i; k++) {
			if (to->list[k].other < 0 || to->list[k].other > to->list[i].other || best[k] < best[i])
				continue;
			best[i] = best[k] + 1;
			before[i] = (int)k;
		}
		if (best[i] > most) {
			most = best[i];
			at = (int)i;
		}
	}
	for (; at >= 0; at = before[at])
		to->list[at].stays = true;
	return 0;
}

/* `from` or `to` may be NULL. */
static json_t *rule_json(const char *change, const char *name, const struct rule_text *from, const struct rule_text *to)
{
	json_t *o = json_pack("{s:s, s:s}", "change", change, "name", name);

	if (from) {
		json_object_set_new(o, "from", json_string(from->text));
		json_object_set_new(o, "from_line", json_integer(from->line));
	}
	if (to) {
		json_object_set_new(o, "to", json_string(to->text));
		json_object_set_new(o, "to_line", json_integer(to->line));
	}
	return o;
}

static int diff_rules(const struct policy *from, const struct policy *to, bool print, json_t *list)
{
	_cleanup_(rules_deinit) struct rules a = {.n = 0}, b = {.n = 0};
	unsigned i;
	int r = rules_init(from, print, &a);

	r = r ? r : rules_init(to, print, &b);
	if (r)
		return r;
	pair_rules(&a, &b);
	r = find_moved(&b);
	for (i = 0; i < a.n && !r; i++)
		if (a.list[i].other < 0)
			r = add(list, rule_json("removed", a.list[i].name, &a.list[i], NULL));
	for (i = 0; i < b.n && !r; i++) {
		const struct rule_text *t = &b.list[i], *f = t->other < 0 ? NULL : &a.list[t->other];

		if (!f)
			r = add(list, rule_json("added", t->name, NULL, t));
		else if (strcmp(f->text, t->text) != 0)
			r = add(list, rule_json("changed", t->name, f, t));
		if (f && !t->stays)
			r = r ? r : add(list, rule_json("moved", t->name, f, t));
	}
	return r;
}

/* --- rows, by the device that they are for --- */

struct row_text {
	struct ledger_row row;
	char *key, *text;
	bool same; /* is in the other ledger as well */
};

struct rows_of {
	struct row_text *list;
	unsigned n;
};

static void rows_of_deinit(struct rows_of *r)
{
	unsigned i;

	for (i = 0; i < r->n; i++) {
		free(r->list[i].key);
		free(r->list[i].text);
	}
	free(r->list);
}

static int by_key_and_text(const void *a, const void *b)
{
	const struct row_text *x = a, *y = b;
	int r = strcmp(x->key, y->key);

	r = r ? r : strcmp(x->text, y->text);
	return r ? r : (int)x->row.line - (int)y->row.line;
}

static int row_texts(struct row_text *t)
{
	struct ledger_row key = {.has_vendor = t->row.has_vendor,
		.has_product = t->row.has_product,
		.vendor = t->row.vendor,
		.product = t->row.product,
		.has_fingerprint = t->row.has_fingerprint,
		.fingerprint = t->row.fingerprint,
		.serial = t->row.serial,
		.owner = "",
		.label = "",
		.users = "",
		.groups = "",
		.hosts = "",
		.medium = "",
		.note = "",
		.from_us = INT64_MIN,
		.until_us = INT64_MAX};
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MAX), short_text = BUF_INIT(TEXT_MAX);
	int r = ledger_put(&text, &t->row);

	r = r ? r : ledger_put(&short_text, &key);
	if (r || !buf_str(&text) || !buf_str(&short_text))
		return r ? r : -ENOMEM;
	text.p[text.n - 2] = 0; /* without its CRLF */
	t->text = strdup((const char *)text.p);
	t->key = strdup((const char *)short_text.p);
	return t->text && t->key ? 0 : -ENOMEM;
}

static int rows_of_init(const struct policy *p, struct rows_of *out)
{
	unsigned n = policy_rows_n(p);
	int r = 0;

	out->list = calloc(n + 1, sizeof(*out->list));
	if (!out->list)
		return -ENOMEM;
	while (out->n < n && !r) {
		policy_row(p, out->n, &out->list[out->n].row);
		r = row_texts(&out->list[out->n]);
		out->n++;
	}
	if (!r)
		qsort(out->list, out->n, sizeof(*out->list), by_key_and_text);
	return r;
}

static void mark_same(struct rows_of *a, struct rows_of *b)
{
	unsigned i = 0, k = 0;

	while (i < a->n && k < b->n) {
		int order = strcmp(a->list[i].key, b->list[k].key);

		order = order ? order : strcmp(a->list[i].text, b->list[k].text);
		if (!order)
			a->list[i].same = b->list[k].same = true;
		i += order <= 0;
		k += order >= 0;
	}
}

static json_t *row_json(const char *change, const struct row_text *from, const struct row_text *to)
{
	const struct row_text *either = to ? to : from;
	const struct ledger_row *row = &either->row;
	char id[16] = "";
	json_t *o;

	if (row->has_vendor)
		snprintf(id, sizeof(id), row->has_product ? "%04x:%04x" : "%04x:*", row->vendor, row->product);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "change", change, "usb_id", id, "serial", row->serial, "owner",
		row->owner, "label", row->label);
	if (from) {
		json_object_set_new(o, "from", json_string(from->text));
		json_object_set_new(o, "from_line", json_integer(from->row.line));
	}
	if (to) {
		json_object_set_new(o, "to", json_string(to->text));
		json_object_set_new(o, "to_line", json_integer(to->row.line));
	}
	return o;
}

/* The rows of one device, in both ledgers: what is the same is left out, one on each side is a change. */
static int diff_group(const struct row_text *a, unsigned a_n, const struct row_text *b, unsigned b_n, json_t *list)
{
	unsigned i = 0, k = 0;
	int r = 0;

	while (!r) {
		while (i < a_n && a[i].same)
			i++;
		while (k < b_n && b[k].same)
			k++;
		if (i == a_n && k == b_n)
			return 0;
		r = add(list, row_json(i == a_n   ? "added"
				       : k == b_n ? "removed"
						  : "changed",
				      i < a_n ? &a[i] : NULL, k < b_n ? &b[k] : NULL));
		i += i < a_n;
		k += k < b_n;
	}
	return r;
}

static unsigned group_size(const struct rows_of *r, unsigned at, const char *key)
{
	unsigned n = 0;

	while (at + n < r->n && !strcmp(r->list[at + n].key, key))
		n++;
	return n;
}

/* --- what is decided --- */

static json_t *decision_json(const struct decision *d)
{
	const struct enum_info *access = enum_by_value(F_ACCESS, d->access);

	return json_pack("{s:s, s:b, s:s}", "access", access ? access->name : "?", "note", d->note, "rule", d->rule);
}

static int compare(const struct policy *from, const struct policy *to, const struct device *d, unsigned kind,
	const struct device_user *who, json_t **out)
{
	struct decision a, b;

	*out = NULL;
	policy_decide(from, d, kind, who, &a);
	policy_decide(to, d, kind, who, &b);
	if (a.access == b.access && a.note == b.note)
		return 0;
	*out = json_pack("{s:s, s:o, s:o}", "kind", enum_by_value(F_DEVICE_KIND, kind)->name, "from", decision_json(&a),
		"to", decision_json(&b));
	return *out ? 0 : -ENOMEM;
}

/* The first word of a cell; "" where it is empty. */
static const char *first_word(char out[128], const char *cell)
{
	snprintf(out, 128, "%.*s", (int)strcspn(cell, " ,;|\t\r\n"), cell);
	return out;
}

/* A device that the row is for: false where it is for many. */
static bool device_of(const struct ledger_row *row, struct device *d)
{
	char word[128];
	const char *s;
	size_t n = 0;

	*d = (struct device){.usb = row->has_vendor,
		.vendor = row->vendor,
		.product = row->product,
		.kinds = 1ull << DEVICE_KIND_STORAGE,
		.encrypted = row->encrypted,
		.has_fingerprint = row->has_fingerprint,
		.fingerprint = row->fingerprint};
	for (s = row->serial; *s && n + 1 < sizeof(d->serial); s++) {
		if (*s == '*' || *s == '?')
			return false;
		s += *s == '\\' && s[1];
		d->serial[n++] = *s;
	}
	if (!n && !row->has_fingerprint)
		return false;
	if (*first_word(word, row->medium)) {
		snprintf(d->medium[0].uuid, sizeof(d->medium[0].uuid), "%.63s", word);
		d->media_n = 1;
	}
	return true;
}

static int diff_device(const struct policy *from, const struct policy *to, const struct row_text *t,
	const struct device_user *given, json_t *list)
{
	const struct ledger_row *row = &t->row;
	char user[128], group[128], host[128], id[16] = "";
	const char *groups[2] = {first_word(group, row->groups), NULL};
	struct device_user who = *given;
	struct device d;
	json_t *o;
	int r;

	if (!device_of(row, &d))
		return 0;
	if (!who.user)
		who.user = *first_word(user, row->users) ? user : *group ? "somebody" : NULL;
	if (!who.groups)
		who.groups = *group ? groups : groups + 1;
	if (!who.host)
		who.host = first_word(host, row->hosts);
	r = compare(from, to, &d, DEVICE_KIND_STORAGE, &who, &o);
	if (r || !o)
		return r;
	if (d.usb)
		snprintf(id, sizeof(id), "%04x:%04x", d.vendor, d.product);
	json_object_set_new(o, "usb_id", json_string(id));
	json_object_set_new(o, "serial", json_string(d.serial));
	json_object_set_new(o, "owner", json_string(row->owner));
	json_object_set_new(o, "label", json_string(row->label));
	if (row->users[0])
		json_object_set_new(o, "users", json_string(row->users));
	if (row->groups[0])
		json_object_set_new(o, "groups", json_string(row->groups));
	if (row->hosts[0])
		json_object_set_new(o, "hosts", json_string(row->hosts));
	return add(list, o);
}

static bool is_for_one_of(const struct row_text *rows, unsigned n, const struct row_text *t)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (!strcmp(rows[i].row.users, t->row.users) && !strcmp(rows[i].row.groups, t->row.groups) &&
			!strcmp(rows[i].row.hosts, t->row.hosts))
			return true;
	return false;
}

/* One device, for everybody whom a row of it is for, once. */
static int diff_decisions(const struct policy *from, const struct policy *to, const struct row_text *a, unsigned a_n,
	const struct row_text *b, unsigned b_n, const struct device_user *who, json_t *list)
{
	unsigned i;
	int r = 0;

	for (i = 0; i < b_n && !r; i++)
		if (!is_for_one_of(b, i, &b[i]))
			r = diff_device(from, to, &b[i], who, list);
	for (i = 0; i < a_n && !r; i++)
		if (!is_for_one_of(b, b_n, &a[i]) && !is_for_one_of(a, i, &a[i]))
			r = diff_device(from, to, &a[i], who, list);
	return r;
}

/* What holds for a device that no row names. */
static int diff_strangers(
	const struct policy *from, const struct policy *to, const struct device_user *given, json_t *list)
{
	static const char *const no_groups[] = {NULL};
	struct device_user who = *given;
	unsigned kind;
	int r = 0;

	who.groups = who.groups ? who.groups : no_groups;
	who.host = who.host ? who.host : "";
	for (kind = 1; kind < DEVICE_KINDS && !r; kind++) {
		struct device d = {.kinds = 1ull << kind, .serial = STRANGER};
		json_t *o;

		if (!enum_by_value(F_DEVICE_KIND, kind))
			continue;
		r = compare(from, to, &d, kind, &who, &o);
		if (!r && o)
			r = add(list, o);
	}
	return r;
}

/* Rows and devices, in the order of their keys: each device once, whichever ledger has it. */
static int diff_ledgers(const struct policy *from, const struct policy *to, const struct device_user *who, json_t *rows,
	json_t *devices)
{
	_cleanup_(rows_of_deinit) struct rows_of a = {.n = 0}, b = {.n = 0};
	unsigned i = 0, k = 0;
	int r = rows_of_init(from, &a);

	r = r ? r : rows_of_init(to, &b);
	if (r)
		return r;
	mark_same(&a, &b);
	while (!r && (i < a.n || k < b.n)) {
		const char *key = i == a.n                                    ? b.list[k].key
				  : k == b.n                                  ? a.list[i].key
				  : strcmp(a.list[i].key, b.list[k].key) <= 0 ? a.list[i].key
									      : b.list[k].key;
		unsigned a_n = group_size(&a, i, key), b_n = group_size(&b, k, key);

		r = diff_group(a.list + i, a_n, b.list + k, b_n, rows);
		r = r ? r : diff_decisions(from, to, a.list + i, a_n, b.list + k, b_n, who, devices);
		i += a_n;
		k += b_n;
	}
	return r;
}

int policy_diff(const struct policy *from, const struct policy *to, const struct device_user *who, json_t **out)
{
	json_t *settings = json_array(), *rules = json_array(), *rows = json_array(), *devices = json_array();
	json_t *print_rules = json_array();
	json_t *all = json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "from", (json_int_t)policy_version(from), "to",
		(json_int_t)policy_version(to), "settings", settings, "rules", rules, "rows", rows, "devices", devices,
		"print_rules", print_rules);
	int r = all ? diff_settings(from, to, settings) : -ENOMEM;

	r = r ? r : diff_rules(from, to, false, rules);
	r = r ? r : diff_rules(from, to, true, print_rules);
	r = r ? r : diff_strangers(from, to, who, devices);
	r = r ? r : diff_ledgers(from, to, who, rows, devices);
	if (r) {
		json_decref(all);
		return r;
	}
	json_object_set_new(all, "same",
		json_boolean(!json_array_size(settings) && !json_array_size(rules) && !json_array_size(rows) &&
			     !json_array_size(print_rules)));
	*out = all;
	return 0;
}
