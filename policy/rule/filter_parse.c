/*
 * record.yaml to struct filter, by libyaml's event parser: a bounded walk over at most two levels. Anchors, aliases,
 * tags, doubled and unknown keys are refused with the line: what a filter says must be readable on its face.
 */
#include "policy/base/cleanup.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/rule/filter.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <stdlib.h>
#include <yaml.h>

#define KEYS_MAX 1024 /* in one section */

struct walk {
	yaml_parser_t yaml;
	const char *name;
	struct why *why;
	struct filter *f;
	size_t line; /* of the item at hand, from 1 */
	bool version_seen;
};

static int bad(struct walk *w, const char *what, const char *text)
{
	char shown[80];

	return why_set(w->why, V_BAD, "%s:%zu: %s%s%s", w->name, w->line, what, text ? ": " : "",
		text ? text_escape_to(shown, sizeof(shown), SPAN_STR(text)) : "");
}

/* The next event, which the caller deletes. */
static int next(struct walk *w, yaml_event_t *e)
{
	if (!yaml_parser_parse(&w->yaml, e)) {
		if (w->yaml.error == YAML_MEMORY_ERROR)
			return -ENOMEM;
		w->line = w->yaml.problem_mark.line + 1;
		return bad(w, "not YAML", w->yaml.problem ? w->yaml.problem : "cannot be read");
	}
	w->line = e->start_mark.line + 1;
	return 0;
}

/* One scalar as a string. V_END where the collection ends here instead. */
static int scalar(struct walk *w, yaml_event_type_t end, char *out, size_t size)
{
	yaml_event_t e;
	int r = next(w, &e);

	if (r)
		return r;
	if (e.type == end) {
		r = V_END;
	} else if (e.type != YAML_SCALAR_EVENT) {
		r = bad(w, "a plain value belongs here", NULL);
	} else if (e.data.scalar.anchor || e.data.scalar.tag) {
		r = bad(w, "anchors and tags are not allowed", NULL);
	} else if (e.data.scalar.length >= size) {
		r = bad(w, "too long", (const char *)e.data.scalar.value);
	} else if (memchr(e.data.scalar.value, 0, e.data.scalar.length)) {
		r = bad(w, "holds a NUL byte", NULL);
	} else {
		memcpy(out, e.data.scalar.value, e.data.scalar.length + 1);
	}
	yaml_event_delete(&e);
	return r;
}

static int level_of(struct walk *w, const char *s, uint8_t *level)
{
	static const char *const names[] = {"none", "changes", "all"};
	uint8_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(s, names[i]))
			continue;
		*level = i;
		return 0;
	}
	return bad(w, "is none of: none, changes, all", s);
}

/*
 * A prefix in its stored form: absolute, no empty, "." or ".." components, no slash at the end; `parts` and `wild` by
 * what it holds. Globs within a component are refused rather than taken as names.
 */
static int path_of(struct walk *w, const char *s, char out[FILTER_PATH_SIZE], uint8_t *parts, bool *wild)
{
	size_t n = 0;
	const char *at = s;

	*parts = 0;
	*wild = false;
	if (s[0] != '/')
		return bad(w, "a path begins with / or ~/", s);
	while (*at) {
		size_t len;

		while (*at == '/')
			at++;
		len = strcspn(at, "/");
		if (len == 0)
			break;
		if ((len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.'))
			return bad(w, "\".\" and \"..\" are not allowed in a path", s);
		if (memchr(at, '*', len) && len > 1)
			return bad(w, "\"*\" stands for one whole component", s);
		if (n + 1 + len >= FILTER_PATH_SIZE)
			return bad(w, "too long", s);
		if (at[0] == '*')
			*wild = true;
		out[n++] = '/';
		memcpy(out + n, at, len);
		n += len;
		(*parts)++;
		at += len;
	}
	if (n == 0)
		out[n++] = '/';
	out[n] = 0;
	return 0;
}

/* "~/x" is a home's x: /root/x and /home/<any>/x. Calls `add` for each form. */
static int homes(
	struct walk *w, const char *s, int (*add)(struct walk *, const char *, const char *), const char *value)
{
	static const char *const home[] = {"/root", "/home/*"};
	char full[FILTER_PATH_SIZE * 2];
	unsigned i;
	int r = 0;

	if (s[0] != '~')
		return add(w, s, value);
	if (s[1] && s[1] != '/')
		return bad(w, "~ stands for a home directory and is followed by /", s);
	for (i = 0; i < ARRAY_SIZE(home) && !r; i++) {
		snprintf(full, sizeof(full), "%s%s", home[i], s + 1);
		r = add(w, full, value);
	}
	return r;
}

static int add_path(struct walk *w, const char *key, const char *value)
{
	struct filter *f = w->f;
	struct filter_path p = {0};
	unsigned i;
	int r = path_of(w, key, p.prefix, &p.parts, &p.wild);

	if (!r)
		r = level_of(w, value, &p.level);
	if (r)
		return r;
	for (i = 0; i < f->path_n; i++)
		if (strcmp(f->path[i].prefix, p.prefix) == 0)
			return bad(w, "the path is given twice", key);
	if (f->path_n == FILTER_PATHS_MAX)
		return bad(w, "more paths than fit", key);
	f->path[f->path_n++] = p;
	return 0;
}

static int paths(struct walk *w, const char *key, const char *value)
{
	return homes(w, key, add_path, value);
}

static int add_cloud(struct walk *w, const char *key, const char *value)
{
	uint8_t parts;
	bool wild;
	int r;

	(void)value;
	if (w->f->cloud_n == FILTER_CLOUD_MAX)
		return bad(w, "more folders than fit", key);
	r = path_of(w, key, w->f->cloud[w->f->cloud_n], &parts, &wild);
	if (!r && parts == 0)
		r = bad(w, "the whole file system is no cloud folder", key);
	if (!r)
		w->f->cloud_n++;
	return r;
}

static int cloud(struct walk *w, const char *key, const char *value)
{
	return homes(w, key, add_cloud, value);
}

static int programs(struct walk *w, const char *key, const char *value)
{
	struct filter *f = w->f;
	struct filter_program *p = &f->program[f->program_n];
	uint8_t parts;
	bool wild;
	unsigned i;
	int r;

	if (f->program_n == FILTER_PROGRAMS_MAX)
		return bad(w, "more programs than fit", key);
	r = path_of(w, key, p->path, &parts, &wild);
	if (!r && (wild || parts == 0))
		r = bad(w, "a program is one full path", key);
	if (!r)
		r = level_of(w, value, &p->level);
	for (i = 0; i < f->program_n && !r; i++)
		if (strcmp(f->program[i].path, p->path) == 0)
			r = bad(w, "the program is given twice", key);
	if (!r)
		f->program_n++;
	return r;
}

static int users(struct walk *w, const char *key, const char *value)
{
	struct filter *f = w->f;
	struct filter_user *u = &f->user[f->user_n];
	unsigned i;
	int r;

	if (f->user_n == FILTER_USERS_MAX)
		return bad(w, "more users than fit", key);
	if (strlen(key) >= sizeof(u->name))
		return bad(w, "too long", key);
	if (!key[0] || (key[0] >= '0' && key[0] <= '9' && key[strspn(key, "0123456789")]))
		return bad(w, "is neither a user's name nor a number", key);
	for (i = 0; i < f->user_n; i++)
		if (strcmp(f->user[i].name, key) == 0)
			return bad(w, "the user is given twice", key);
	r = level_of(w, value, &u->level);
	if (r)
		return r;
	memcpy(u->name, key, strlen(key) + 1);
	f->user_n++;
	return 0;
}

static int classes(struct walk *w, const char *key, const char *value)
{
	const struct enum_info *c = enum_by_name(F_CLASS, key);
	uint8_t level;
	int r;

	if (!c || c->value >= FILTER_CLASSES)
		return bad(w, "is no device class", key);
	r = level_of(w, value, &level);
	if (!r)
		w->f->class_level[c->value] = level;
	return r;
}

/* Kinds below this can be left out; the rest are about the recording itself. */
#define KINDS_OF_USERS 40

static int kinds(struct walk *w, const char *key, const char *value)
{
	const struct enum_info *k = enum_by_name(F_KIND, key);

	if (!k || k->value >= KINDS_OF_USERS)
		return bad(w, "is no kind that could be left out", key);
	if (strcmp(value, "yes") == 0)
		w->f->kinds |= 1ULL << k->value;
	else if (strcmp(value, "no") == 0)
		w->f->kinds &= ~(1ULL << k->value);
	else
		return bad(w, "is neither yes nor no", value);
	return 0;
}

static int version(struct walk *w, const char *key, const char *value)
{
	(void)key;
	if (strcmp(value, "1"))
		return bad(w, "only version 1 is known", value);
	w->version_seen = true;
	return 0;
}

enum shape { ONE, LIST, MAP };

static const struct section {
	const char *name;
	enum shape shape;
	int (*take)(struct walk *w, const char *key, const char *value);
} sections[] = {
	{"version", ONE, version},
	{"kinds", MAP, kinds},
	{"paths", MAP, paths},
	{"classes", MAP, classes},
	{"programs", MAP, programs},
	{"users", MAP, users},
	{"cloud", LIST, cloud},
};

/* The value of a section: what `shape` says; `key: ` with nothing behind it is an empty list or map. */
static int section(struct walk *w, const struct section *s)
{
	char key[FILTER_PATH_SIZE * 2], value[FILTER_PATH_SIZE];
	yaml_event_t e;
	unsigned n = 0;
	bool empty;
	int r;

	if (s->shape == ONE) {
		r = scalar(w, YAML_NO_EVENT, value, sizeof(value));
		return r ? r : s->take(w, s->name, value);
	}
	r = next(w, &e);
	if (r)
		return r;
	empty = e.type == YAML_SCALAR_EVENT && e.data.scalar.length == 0 && !e.data.scalar.anchor;
	if (!empty && e.type != (s->shape == MAP ? YAML_MAPPING_START_EVENT : YAML_SEQUENCE_START_EVENT))
		r = bad(w, s->shape == MAP ? "\"key: value\" lines belong here" : "a list belongs here", s->name);
	yaml_event_delete(&e);
	if (r || empty)
		return r;
	for (;;) {
		r = scalar(w, s->shape == MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, key, sizeof(key));
		if (r)
			return r == V_END ? 0 : r;
		if (++n > KEYS_MAX)
			return bad(w, "more entries than fit", s->name);
		value[0] = 0;
		if (s->shape == MAP)
			r = scalar(w, YAML_NO_EVENT, value, sizeof(value));
		if (!r)
			r = s->take(w, key, value);
		if (r)
			return r;
	}
}

/* The next event must be of this type. */
static int expect(struct walk *w, yaml_event_type_t type, const char *what)
{
	yaml_event_t e;
	int r = next(w, &e);

	if (r)
		return r;
	if (e.type != type)
		r = bad(w, what, NULL);
	yaml_event_delete(&e);
	return r;
}

static int document(struct walk *w)
{
	char key[FILTER_USER_SIZE];
	unsigned seen = 0;
	size_t i;
	int r = expect(w, YAML_STREAM_START_EVENT, "not YAML");

	if (!r)
		r = expect(w, YAML_DOCUMENT_START_EVENT, "the file is empty");
	if (!r)
		r = expect(w, YAML_MAPPING_START_EVENT, "\"key: value\" lines belong here");
	while (!r) {
		r = scalar(w, YAML_MAPPING_END_EVENT, key, sizeof(key));
		if (r == V_END)
			break;
		if (r)
			return r;
		for (i = 0; i < ARRAY_SIZE(sections) && strcmp(sections[i].name, key); i++)
			;
		if (i == ARRAY_SIZE(sections))
			return bad(w, "unknown key", key);
		if (seen >> i & 1)
			return bad(w, "given twice", key);
		seen |= 1u << i;
		r = section(w, &sections[i]);
	}
	if (r != V_END)
		return r;
	if (!w->version_seen)
		return bad(w, "\"version: 1\" is missing", NULL);
	r = expect(w, YAML_DOCUMENT_END_EVENT, "something follows the filter");
	return r ? r : expect(w, YAML_STREAM_END_EVENT, "a second document follows the filter");
}

int filter_parse(struct span yaml, const char *name, struct filter *out, struct why *why)
{
	_cleanup_free_ struct filter *f = calloc(1, sizeof(*f));
	struct walk w = {.name = name, .why = why, .f = f, .line = 1};
	int r;

	if (!f)
		return -ENOMEM;
	f->kinds = ~0ULL & ~(1ULL << KIND_FORK);
	if (!yaml_parser_initialize(&w.yaml))
		return -ENOMEM;
	yaml_parser_set_encoding(&w.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&w.yaml, yaml.p ? yaml.p : (const uint8_t *)"", yaml.n);
	r = document(&w);
	yaml_parser_delete(&w.yaml);
	if (r)
		return r;
	memcpy(out, f, sizeof(*f));
	return 0;
}

int filter_load(const char *path, struct filter *out, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(FILTER_FILE_MAX);
	int r = file_read(path, &b);

	if (r == V_NOT_FOUND)
		return why_set(why, r, "%s: no such file", path);
	if (r == V_FULL)
		return why_set(why, V_BAD, "%s: larger than %u bytes", path, FILTER_FILE_MAX);
	return r ? r : filter_parse(buf_span(&b), path, out, why);
}
