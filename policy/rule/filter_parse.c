/*
 * record.yaml to struct filter, by libyaml's event parser: a bounded walk over at most two levels. Anchors, aliases,
 * tags, doubled and unknown keys are refused with the line, unknown ones with the column too: what a filter says must
 * be readable on its face.
 */
#include "policy/base/cleanup.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/rule/filter_parts.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <stdlib.h>

#define KEYS_MAX 1024 /* in one section */

int filter_bad(struct walk *w, const char *what, const char *text)
{
	char shown[80];

	return why_set(w->why, V_BAD, "%s:%zu: %s%s%s", w->name, w->line, what, text ? ": " : "",
		text ? text_escape_to(shown, sizeof(shown), SPAN_STR(text)) : "");
}

static int unknown_key(struct walk *w, const char *key)
{
	char shown[80];

	return why_set(w->why, V_BAD, "%s:%zu:%zu: unknown key: %s", w->name, w->line, w->column,
		text_escape_to(shown, sizeof(shown), SPAN_STR(key)));
}

/* The next event, which the caller deletes. */
static int next(struct walk *w, yaml_event_t *e)
{
	if (!yaml_parser_parse(&w->yaml, e)) {
		if (w->yaml.error == YAML_MEMORY_ERROR)
			return -ENOMEM;
		w->line = w->yaml.problem_mark.line + 1;
		return filter_bad(w, "not YAML", w->yaml.problem ? w->yaml.problem : "cannot be read");
	}
	w->line = e->start_mark.line + 1;
	w->column = e->start_mark.column + 1;
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
		r = filter_bad(w, "a plain value belongs here", NULL);
	} else if (e.data.scalar.anchor || e.data.scalar.tag) {
		r = filter_bad(w, "anchors and tags are not allowed", NULL);
	} else if (e.data.scalar.length >= size) {
		r = filter_bad(w, "too long", (const char *)e.data.scalar.value);
	} else if (memchr(e.data.scalar.value, 0, e.data.scalar.length)) {
		r = filter_bad(w, "holds a NUL byte", NULL);
	} else {
		memcpy(out, e.data.scalar.value, e.data.scalar.length + 1);
	}
	yaml_event_delete(&e);
	return r;
}

static int version(struct walk *w, const char *key, const char *value)
{
	(void)key;
	if (strcmp(value, "1") != 0)
		return filter_bad(w, "only version 1 is known", value);
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
	{"kinds", MAP, filter_take_kinds},
	{"paths", MAP, filter_take_paths},
	{"classes", MAP, filter_take_classes},
	{"programs", MAP, filter_take_programs},
	{"users", MAP, filter_take_users},
	{"cloud", LIST, filter_take_cloud},
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
		r = filter_bad(
			w, s->shape == MAP ? "\"key: value\" lines belong here" : "a list belongs here", s->name);
	yaml_event_delete(&e);
	if (r || empty)
		return r;
	for (;;) {
		r = scalar(w, s->shape == MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, key, sizeof(key));
		if (r)
			return r == V_END ? 0 : r;
		if (++n > KEYS_MAX)
			return filter_bad(w, "more entries than fit", s->name);
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
		r = filter_bad(w, what, NULL);
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
		for (i = 0; i < ARRAY_SIZE(sections) && strcmp(sections[i].name, key) != 0; i++)
			;
		if (i == ARRAY_SIZE(sections))
			return unknown_key(w, key);
		if (seen >> i & 1)
			return filter_bad(w, "given twice", key);
		seen |= 1u << i;
		r = section(w, &sections[i]);
	}
	if (r != V_END)
		return r;
	if (!w->version_seen)
		return filter_bad(w, "\"version: 1\" is missing", NULL);
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
