/*
 * policy.yaml to struct policy, by libyaml's document. Every key is known or refused, nothing is there twice, and each
 * reason names the line. Anchors do no harm: an alias is the same node again, and the text is bounded.
 */
#include "policy/base/text.h"
#include "policy/rule/policy_parts.h"
#include <errno.h>
#include <yaml.h>

#define NAME "policy.yaml"
#define KEYS_MAX 64

struct reading {
	yaml_document_t *doc;
	struct policy *p;
	struct why *why;
};

static int bad(struct reading *r, const yaml_node_t *n, const char *key, const char *what)
{
	return why_set(r->why, V_BAD, NAME ":%zu: %s%s%s", n ? n->start_mark.line + 1 : 1, key ? key : "",
		key ? ": " : "", what);
}

static int bad_value(struct reading *r, const yaml_node_t *n, const char *key, const char *value, const char *wanted)
{
	char shown[64];

	return why_set(r->why, V_BAD, NAME ":%zu: %s: \"%s\" is no %s", n->start_mark.line + 1, key,
		text_escape_to(shown, sizeof(shown), SPAN_STR(value)), wanted);
}

/* The text of a scalar. NULL (and said) where it is something else, or holds what no text holds. */
static const char *text_of(struct reading *r, const yaml_node_t *n, const char *key)
{
	const char *s;

	if (n->type != YAML_SCALAR_NODE) {
		bad(r, n, key, "one value belongs here");
		return NULL;
	}
	s = (const char *)n->data.scalar.value;
	if (strlen(s) != n->data.scalar.length || !text_is_utf8(SPAN(s, n->data.scalar.length))) {
		bad(r, n, key, "holds a NUL byte or no UTF-8");
		return NULL;
	}
	return s;
}

typedef int (*key_fn)(struct reading *r, void *ctx, const char *key, const yaml_node_t *value);

static int each_pair(struct reading *r, const yaml_node_t *map, const char *what, key_fn fn, void *ctx)
{
	const yaml_node_pair_t *pair, *before;
	int v;

	if (map->type != YAML_MAPPING_NODE)
		return bad(r, map, what, "keys and values belong here");
	for (pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
		const yaml_node_t *k = yaml_document_get_node(r->doc, pair->key);
		const yaml_node_t *n = yaml_document_get_node(r->doc, pair->value);
		const char *key = k ? text_of(r, k, what) : NULL;

		if (!key || !n)
			return V_BAD;
		if (pair - map->data.mapping.pairs.start >= KEYS_MAX)
			return bad(r, k, what, "too many keys");
		for (before = map->data.mapping.pairs.start; before < pair; before++) {
			const yaml_node_t *b = yaml_document_get_node(r->doc, before->key);

			if (b && b->type == YAML_SCALAR_NODE && !strcmp((const char *)b->data.scalar.value, key))
				return bad(r, k, key, "is there twice");
		}
		v = fn(r, ctx, key, n);
		if (v == V_NOT_FOUND) {
			char shown[64];

			return bad(r, k, text_escape_to(shown, sizeof(shown), SPAN_STR(key)), "unknown key");
		}
		if (v)
			return v;
	}
	return 0;
}

/* --- values --- */

static int take_number(
	struct reading *r, const yaml_node_t *n, const char *key, uint64_t least, uint64_t most, uint64_t *out)
{
	const char *s = text_of(r, n, key);
	char *end;

	if (!s)
		return V_BAD;
	errno = 0;
	*out = strtoull(s, &end, 10);
	if (!*s || *end || *s < '0' || *s > '9' || errno || *out < least || *out > most)
		return bad_value(r, n, key, s, "number that fits here");
	return 0;
}

static int take_yes(struct reading *r, const yaml_node_t *n, const char *key, int *out)
{
	const char *s = text_of(r, n, key);

	if (!s)
		return V_BAD;
	if (!strcmp(s, "yes") || !strcmp(s, "true"))
		*out = 1;
	else if (!strcmp(s, "no") || !strcmp(s, "false"))
		*out = 0;
	else
		return bad_value(r, n, key, s, "yes or no");
	return 0;
}

static int take_access(struct reading *r, const yaml_node_t *n, const char *key, bool listed, unsigned *out)
{
	const char *s = text_of(r, n, key);

	if (!s)
		return V_BAD;
	if (listed && !strcmp(s, "listed")) {
		*out = ACCESS_LISTED;
		return 0;
	}
	*out = policy_access(s);
	return *out ? 0
		    : bad_value(r, n, key, s,
			      listed ? "deny, read-only, read-write or listed" : "deny, read-only or read-write");
}

static int take_mode(struct reading *r, const yaml_node_t *n, const char *key, bool *note)
{
	const char *s = text_of(r, n, key);

	if (!s)
		return V_BAD;
	*note = !strcmp(s, "note");
	return *note || !strcmp(s, "enforce") ? 0 : bad_value(r, n, key, s, "enforce or note");
}

static int take_time(struct reading *r, const yaml_node_t *n, const char *key, int64_t *out)
{
	const char *s = text_of(r, n, key);

	if (!s)
		return V_BAD;
	/* Only moments that mean the same on every day. */
	return s[0] != '-' && strlen(s) >= 10 && !text_time_parse(s, 0, out)
		       ? 0
		       : bad_value(r, n, key, s,
				 "date or time (2026-12-31, 2026-12-31 18:00, 2026-12-31T18:00:00+09:00)");
}

static int take_text(struct reading *r, const yaml_node_t *n, const char *key, const char **out)
{
	const char *s = text_of(r, n, key);

	if (!s)
		return V_BAD;
	if (!*s)
		return bad(r, n, key, "is empty");
	*out = policy_keep_text(r->p, SPAN_STR(s));
	return *out ? 0 : -ENOMEM;
}

/* One value, or a list of them: calls `fn` for each. */
static int each_item(struct reading *r, const yaml_node_t *n, const char *key,
	int (*fn)(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s), void *ctx)
{
	const yaml_node_item_t *i;
	const char *s;
	int v = 0;

	if (n->type != YAML_SEQUENCE_NODE) {
		s = text_of(r, n, key);
		return s ? fn(r, ctx, n, key, s) : V_BAD;
	}
	/* Nothing named would stand for anything. */
	if (n->data.sequence.items.start == n->data.sequence.items.top)
		return bad(r, n, key, "names nothing");
	for (i = n->data.sequence.items.start; !v && i < n->data.sequence.items.top; i++) {
		const yaml_node_t *one = yaml_document_get_node(r->doc, *i);

		if (i - n->data.sequence.items.start >= (long)LIST_MAX)
			return bad(r, n, key, "too many");
		s = one ? text_of(r, one, key) : NULL;
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
		return bad(r, n, key, *s ? "too many" : "is empty");
	g->list[g->n] = policy_keep_text(r->p, SPAN_STR(s));
	return g->list[g->n++] ? 0 : -ENOMEM;
}

static int take_words(struct reading *r, const yaml_node_t *n, const char *key, words *out)
{
	struct gathering g = {.list = policy_keep(r->p, (LIST_MAX + 1) * sizeof(char *))};
	int v = g.list ? each_item(r, n, key, gather, &g) : -ENOMEM;

	if (!v && !g.n)
		v = bad(r, n, key, "names nothing");
	if (!v)
		*out = g.list;
	return v;
}

static int one_kind(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	uint64_t *kinds = ctx;
	unsigned kind = policy_kind(s);

	if (!kind)
		return bad_value(r, n, key, s, "kind of device (storage, optical, sd, phone, network, ...)");
	*kinds |= 1ull << kind;
	return 0;
}

static int one_interface(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	struct match *m = ctx;
	int *parts[3], i;

	if (m->interfaces_n == INTERFACES_MATCH_MAX)
		return bad(r, n, key, "too many");
	parts[0] = &m->interface[m->interfaces_n].class;
	parts[1] = &m->interface[m->interfaces_n].subclass;
	parts[2] = &m->interface[m->interfaces_n].protocol;
	for (i = 0; i < 3; i++) {
		char two[3] = {s[0], s[0] ? s[1] : 0, 0};

		if (s[0] == '*') {
			*parts[i] = ANY;
			s++;
		} else if (strlen(two) == 2 && policy_hex16(two) != ANY) {
			*parts[i] = policy_hex16(two);
			s += 2;
		} else {
			return bad(r, n, key, "class:subclass:protocol in hex belongs here (08:06:50, 08:*:*)");
		}
		if (*s != (i < 2 ? ':' : 0))
			return bad(r, n, key, "class:subclass:protocol in hex belongs here (08:06:50, 08:*:*)");
		s += i < 2;
	}
	m->interfaces_n++;
	return 0;
}

static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static int day_of(const char *s, size_t n)
{
	int i;

	for (i = 0; i < 7; i++)
		if (n == 3 && !strncasecmp(s, day_names[i], 3))
			return i;
	return ANY;
}

/* "mon" or "mon-fri", also over the end of the week. */
static int one_day(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	unsigned *days = ctx;
	size_t first = strcspn(s, "-");
	int from = day_of(s, first), to = s[first] ? day_of(s + first + 1, strlen(s + first + 1)) : from;

	if (from == ANY || to == ANY)
		return bad_value(r, n, key, s, "day (mon, mon-fri)");
	*days |= 1u << from;
	while (from != to) {
		from = (from + 1) % 7;
		*days |= 1u << from;
	}
	return 0;
}

/* "07:00-19:00" */
static int take_hours(struct reading *r, const yaml_node_t *n, const char *key, struct match *m)
{
	const char *s = text_of(r, n, key);
	unsigned h1, m1, h2, m2;
	int end = 0;

	if (!s)
		return V_BAD;
	if (sscanf(s, "%2u:%2u-%2u:%2u%n", &h1, &m1, &h2, &m2, &end) != 4 || s[end] || h1 > 23 || m1 > 59 || h2 > 24 ||
		m2 > 59 || (h2 == 24 && m2))
		return bad_value(r, n, key, s, "time of the day (07:00-19:00)");
	m->from_min = (int)(h1 * 60 + m1);
	m->to_min = (int)(h2 * 60 + m2);
	return m->from_min == m->to_min ? bad(r, n, key, "begins when it ends") : 0;
}

static int take_hex(struct reading *r, const yaml_node_t *n, const char *key, int *out)
{
	const char *s = text_of(r, n, key);

	if (!s)
		return V_BAD;
	*out = policy_hex16(s);
	return *out == ANY ? bad_value(r, n, key, s, "USB id of four hexadecimal digits") : 0;
}

static int take_fingerprint(struct reading *r, const yaml_node_t *n, const char *key, struct match *m)
{
	const char *s = text_of(r, n, key);

	if (!s)
		return V_BAD;
	if (!strncmp(s, "sha256:", 7))
		s += 7;
	m->has_fingerprint = true;
	return hex_decode(s, m->fingerprint.b, DIGEST_SIZE)
		       ? bad_value(r, n, key, s, "fingerprint of 64 hexadecimal digits")
		       : 0;
}

static int take_match(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct match *m = ctx;
	int yes;

	if (!strcmp(key, "kind"))
		return each_item(r, n, key, one_kind, &m->kinds);
	if (!strcmp(key, "listed"))
		return take_yes(r, n, key, &m->listed);
	if (!strcmp(key, "vendor"))
		return take_hex(r, n, key, &m->vendor);
	if (!strcmp(key, "product"))
		return take_hex(r, n, key, &m->product);
	if (!strcmp(key, "serial"))
		return take_text(r, n, key, &m->serial);
	if (!strcmp(key, "no_serial")) {
		int v = take_yes(r, n, key, &yes);

		m->has_serial = v ? ANY : !yes;
		return v;
	}
	if (!strcmp(key, "fingerprint"))
		return take_fingerprint(r, n, key, m);
	if (!strcmp(key, "interfaces"))
		return each_item(r, n, key, one_interface, m);
	if (!strcmp(key, "port"))
		return take_text(r, n, key, &m->port);
	if (!strcmp(key, "users"))
		return take_words(r, n, key, &m->users);
	if (!strcmp(key, "groups"))
		return take_words(r, n, key, &m->groups);
	if (!strcmp(key, "hosts"))
		return take_words(r, n, key, &m->hosts);
	if (!strcmp(key, "days"))
		return each_item(r, n, key, one_day, &m->days);
	if (!strcmp(key, "hours"))
		return take_hours(r, n, key, m);
	if (!strcmp(key, "from"))
		return take_time(r, n, key, &m->from_us);
	if (!strcmp(key, "until"))
		return take_time(r, n, key, &m->until_us);
	if (!strcmp(key, "encrypted"))
		return take_yes(r, n, key, &m->encrypted);
	return V_NOT_FOUND;
}

/* --- rules --- */

struct rule_reading {
	struct rule *rule;
	bool has_access;
};

static int take_name(struct reading *r, const yaml_node_t *n, const char *key, char out[POLICY_NAME_SIZE])
{
	const char *s = text_of(r, n, key);

	if (!s)
		return V_BAD;
	if (!*s || strlen(s) >= POLICY_NAME_SIZE)
		return bad(r, n, key, *s ? "too long a name" : "is empty");
	snprintf(out, POLICY_NAME_SIZE, "%s", s);
	return 0;
}

static int take_rule_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct rule_reading *q = ctx;

	if (!strcmp(key, "name"))
		return take_name(r, n, key, q->rule->name);
	if (!strcmp(key, "match"))
		return each_pair(r, n, key, take_match, &q->rule->match);
	if (!strcmp(key, "mode"))
		return take_mode(r, n, key, &q->rule->note);
	if (!strcmp(key, "access")) {
		q->has_access = true;
		return take_access(r, n, key, true, &q->rule->access);
	}
	return V_NOT_FOUND;
}

static int take_rule(struct reading *r, const yaml_node_t *n)
{
	struct policy *p = r->p;
	struct rule_reading q = {.rule = &p->rules[p->rules_n]};
	unsigned i;
	int v;

	if (p->rules_n == POLICY_RULES_MAX)
		return bad(r, n, "rules", "too many");
	q.rule->line = (unsigned)n->start_mark.line + 1;
	match_init(&q.rule->match);
	v = each_pair(r, n, "rules", take_rule_key, &q);
	if (v)
		return v;
	if (!q.rule->name[0] || !q.has_access)
		return bad(r, n, "rules", "a rule needs name and access");
	for (i = 0; i < p->rules_n; i++)
		if (!strcmp(p->rules[i].name, q.rule->name))
			return bad(r, n, "name", "another rule has this name");
	p->rules_n++;
	return 0;
}

static int each_node(
	struct reading *r, const yaml_node_t *n, const char *key, int (*fn)(struct reading *r, const yaml_node_t *n))
{
	const yaml_node_item_t *i;
	int v = 0;

	if (n->type == YAML_SCALAR_NODE && !n->data.scalar.length)
		return 0;
	if (n->type != YAML_SEQUENCE_NODE)
		return bad(r, n, key, "a list belongs here");
	for (i = n->data.sequence.items.start; !v && i < n->data.sequence.items.top; i++) {
		const yaml_node_t *one = yaml_document_get_node(r->doc, *i);

		v = one ? fn(r, one) : V_BAD;
	}
	return v;
}

/* --- expectations --- */

static int add_interface(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	struct device *d = ctx;
	struct match m = {.interfaces_n = 0};
	int v = one_interface(r, &m, n, key, s);

	if (v || d->interfaces_n == DEVICE_INTERFACES_MAX)
		return v ? v : bad(r, n, key, "too many");
	d->interface[d->interfaces_n++] = (struct device_interface){.class = (uint8_t)m.interface[0].class,
		.subclass = (uint8_t)m.interface[0].subclass,
		.protocol = (uint8_t)m.interface[0].protocol};
	return 0;
}

static int take_device_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct expectation *e = ctx;
	struct device *d = &e->device;
	struct match m;
	const char *s = "";
	int v, id, yes = 0;

	if (!strcmp(key, "vendor") || !strcmp(key, "product")) {
		v = take_hex(r, n, key, &id);
		if (!v && key[0] == 'v')
			d->vendor = (uint16_t)id;
		else if (!v)
			d->product = (uint16_t)id;
		d->usb = true;
		return v;
	}
	if (!strcmp(key, "serial") || !strcmp(key, "port")) {
		v = take_text(r, n, key, &s);
		if (!v)
			snprintf(key[0] == 's' ? d->serial : d->port,
				key[0] == 's' ? sizeof(d->serial) : sizeof(d->port), "%s", s);
		return v;
	}
	if (!strcmp(key, "kind")) {
		uint64_t kinds = 0;

		v = each_item(r, n, key, one_kind, &kinds);
		d->kinds |= kinds;
		e->kind = v ? 0 : (unsigned)__builtin_ctzll(kinds);
		return v;
	}
	if (!strcmp(key, "fingerprint")) {
		v = take_fingerprint(r, n, key, &m);
		d->has_fingerprint = !v;
		d->fingerprint = m.fingerprint;
		return v;
	}
	if (!strcmp(key, "interfaces"))
		return each_item(r, n, key, add_interface, d);
	if (!strcmp(key, "encrypted")) {
		v = take_yes(r, n, key, &yes);
		d->encrypted = yes;
		return v;
	}
	if (!strcmp(key, "medium")) {
		v = take_text(r, n, key, &s);
		snprintf(d->medium[0].uuid, sizeof(d->medium[0].uuid), "%s", s);
		d->media_n = 1;
		return v;
	}
	return V_NOT_FOUND;
}

static int take_expectation_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct expectation *e = ctx;

	if (!strcmp(key, "name"))
		return take_name(r, n, key, e->name);
	if (!strcmp(key, "device"))
		return each_pair(r, n, key, take_device_key, e);
	if (!strcmp(key, "user"))
		return take_text(r, n, key, &e->who.user);
	if (!strcmp(key, "groups"))
		return take_words(r, n, key, &e->groups);
	if (!strcmp(key, "host"))
		return take_text(r, n, key, &e->who.host);
	if (!strcmp(key, "at"))
		return take_time(r, n, key, &e->who.wall_us);
	if (!strcmp(key, "access"))
		return take_access(r, n, key, false, &e->access);
	return V_NOT_FOUND;
}

static int take_expectation(struct reading *r, const yaml_node_t *n)
{
	static const char *const nobody[] = {NULL};
	struct policy *p = r->p;
	struct expectation *e;
	int v;

	if (p->expectations_n == POLICY_EXPECTATIONS_MAX)
		return bad(r, n, "expectations", "too many");
	if (p->expectations_n % 64 == 0) {
		void *more = realloc(p->expectations, (p->expectations_n + 64) * sizeof(*p->expectations));

		if (!more)
			return -ENOMEM;
		p->expectations = more;
	}
	e = &p->expectations[p->expectations_n];
	*e = (struct expectation){
		.line = (unsigned)n->start_mark.line + 1, .kind = DEVICE_KIND_STORAGE, .who = {.host = ""}};
	v = each_pair(r, n, "expectations", take_expectation_key, e);
	if (v)
		return v;
	if (!e->access)
		return bad(r, n, "expectations", "an expectation needs access");
	e->device.kinds |= 1ull << e->kind;
	e->who.groups = e->groups ? e->groups : nobody;
	p->expectations_n++;
	return 0;
}

/* --- the whole --- */

static int take_default(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	unsigned kind = policy_kind(key);

	(void)ctx;
	return kind ? take_access(r, n, key, false, &r->p->defaults[kind]) : V_NOT_FOUND;
}

static int take_release(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	const char *s = "";
	uint64_t v = 0;
	int got;

	(void)ctx;
	if (!strcmp(key, "max_hours")) {
		got = take_number(r, n, key, 1, 24, &v);
		r->p->release_max_s = (unsigned)v * 3600;
		return got;
	}
	if (!strcmp(key, "per_day")) {
		got = take_number(r, n, key, 0, 100, &v);
		r->p->release_per_day = (unsigned)v;
		return got;
	}
	if (!strcmp(key, "key")) {
		got = take_text(r, n, key, &s);
		if (!got && strlen(s) >= sizeof(r->p->release_key))
			return bad(r, n, key, "too long");
		if (!got)
			snprintf(r->p->release_key, sizeof(r->p->release_key), "%s", s);
		return got;
	}
	return V_NOT_FOUND;
}

static int take_top(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct policy *p = r->p;
	int yes = 0, v;

	(void)ctx;
	if (!strcmp(key, "version"))
		return take_number(r, n, key, 1, INT64_MAX, &p->version);
	if (!strcmp(key, "mode"))
		return take_mode(r, n, key, &p->note);
	if (!strcmp(key, "lockout")) {
		v = take_yes(r, n, key, &yes);
		p->lockout = yes;
		return v;
	}
	if (!strcmp(key, "defaults"))
		return each_pair(r, n, key, take_default, NULL);
	if (!strcmp(key, "release"))
		return each_pair(r, n, key, take_release, NULL);
	if (!strcmp(key, "rules"))
		return each_node(r, n, key, take_rule);
	if (!strcmp(key, "expectations"))
		return each_node(r, n, key, take_expectation);
	return V_NOT_FOUND;
}

static int read_document(struct reading *r)
{
	const yaml_node_t *root = yaml_document_get_root_node(r->doc);
	int v;

	if (!root)
		return bad(r, NULL, NULL, "is empty");
	v = each_pair(r, root, NULL, take_top, NULL);
	if (!v && !r->p->version)
		v = bad(r, root, "version", "is missing");
	return v;
}

int policy_read_yaml(struct policy *p, struct span yaml, struct why *why)
{
	struct why own = {""};
	struct reading r = {.p = p, .why = why ? why : &own};
	yaml_parser_t parser;
	yaml_document_t doc;
	int v;

	if (yaml.n > POLICY_YAML_MAX)
		return why_set(why, V_BAD, NAME ": larger than %u bytes", POLICY_YAML_MAX);
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, yaml.p, yaml.n);
	if (!yaml_parser_load(&parser, &doc)) {
		v = parser.error == YAML_MEMORY_ERROR
			    ? -ENOMEM
			    : why_set(why, V_BAD, NAME ":%zu: not YAML: %s", parser.problem_mark.line + 1,
				      parser.problem ? parser.problem : "cannot be read");
	} else {
		r.doc = &doc;
		v = read_document(&r);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	return v;
}
