/*
 * What may stand in record.yaml: levels, paths, programs, users, classes, kinds, folders. See filter_parts.h. Every
 * value is brought into the one form in which it is compared later, or refused.
 */
#include "policy/base/cleanup.h"
#include "policy/rule/filter_parts.h"
#include "policy/wire/record.h"

static int level_of(struct walk *w, const char *s, uint8_t *level)
{
	static const char *const names[] = {"none", "changes", "all"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(s, names[i]) != 0)
			continue;
		*level = (uint8_t)i;
		return 0;
	}
	return filter_bad(w, "is none of: none, changes, all", s);
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
		return filter_bad(w, "a path begins with / or ~/", s);
	while (*at) {
		size_t len;

		while (*at == '/')
			at++;
		len = strcspn(at, "/");
		if (len == 0)
			break;
		if ((len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.'))
			return filter_bad(w, "\".\" and \"..\" are not allowed in a path", s);
		if (memchr(at, '*', len) && len > 1)
			return filter_bad(w, "\"*\" stands for one whole component", s);
		if (n + 1 + len >= FILTER_PATH_SIZE)
			return filter_bad(w, "too long", s);
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
		return filter_bad(w, "~ stands for a home directory and is followed by /", s);
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
			return filter_bad(w, "the path is given twice", key);
	if (f->path_n == FILTER_PATHS_MAX)
		return filter_bad(w, "more paths than fit", key);
	f->path[f->path_n++] = p;
	return 0;
}

int filter_take_paths(struct walk *w, const char *key, const char *value)
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
		return filter_bad(w, "more folders than fit", key);
	r = path_of(w, key, w->f->cloud[w->f->cloud_n], &parts, &wild);
	if (!r && parts == 0)
		r = filter_bad(w, "the whole file system is no cloud folder", key);
	if (!r)
		w->f->cloud_n++;
	return r;
}

int filter_take_cloud(struct walk *w, const char *key, const char *value)
{
	return homes(w, key, add_cloud, value);
}

int filter_take_programs(struct walk *w, const char *key, const char *value)
{
	struct filter *f = w->f;
	struct filter_program *p = &f->program[f->program_n];
	uint8_t parts;
	bool wild;
	unsigned i;
	int r;

	if (f->program_n == FILTER_PROGRAMS_MAX)
		return filter_bad(w, "more programs than fit", key);
	r = path_of(w, key, p->path, &parts, &wild);
	if (!r && (wild || parts == 0))
		r = filter_bad(w, "a program is one full path", key);
	if (!r)
		r = level_of(w, value, &p->level);
	for (i = 0; i < f->program_n && !r; i++)
		if (strcmp(f->program[i].path, p->path) == 0)
			r = filter_bad(w, "the program is given twice", key);
	if (!r)
		f->program_n++;
	return r;
}

int filter_take_users(struct walk *w, const char *key, const char *value)
{
	struct filter *f = w->f;
	struct filter_user *u = &f->user[f->user_n];
	unsigned i;
	int r;

	if (f->user_n == FILTER_USERS_MAX)
		return filter_bad(w, "more users than fit", key);
	if (strlen(key) >= sizeof(u->name))
		return filter_bad(w, "too long", key);
	if (!key[0] || (key[0] >= '0' && key[0] <= '9' && key[strspn(key, "0123456789")]))
		return filter_bad(w, "is neither a user's name nor a number", key);
	for (i = 0; i < f->user_n; i++)
		if (strcmp(f->user[i].name, key) == 0)
			return filter_bad(w, "the user is given twice", key);
	r = level_of(w, value, &u->level);
	if (r)
		return r;
	memcpy(u->name, key, strlen(key) + 1);
	f->user_n++;
	return 0;
}

int filter_take_classes(struct walk *w, const char *key, const char *value)
{
	const struct enum_info *c = enum_by_name(F_CLASS, key);
	uint8_t level = FILTER_NONE;
	int r;

	if (!c || c->value >= FILTER_CLASSES)
		return filter_bad(w, "is no device class", key);
	r = level_of(w, value, &level);
	if (!r)
		w->f->class_level[c->value] = level;
	return r;
}

/* Kinds below this can be left out; the rest are about the recording itself. */
#define KINDS_OF_USERS 40

int filter_take_kinds(struct walk *w, const char *key, const char *value)
{
	const struct enum_info *k = enum_by_name(F_KIND, key);

	if (!k || k->value >= KINDS_OF_USERS)
		return filter_bad(w, "is no kind that could be left out", key);
	if (strcmp(value, "yes") == 0)
		w->f->kinds |= 1ULL << k->value;
	else if (strcmp(value, "no") == 0)
		w->f->kinds &= ~(1ULL << k->value);
	else
		return filter_bad(w, "is neither yes nor no", value);
	return 0;
}
