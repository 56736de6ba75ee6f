/*
 * What the recording filter decides. See filter.h for the rule. Pure: called for every record, so nothing is allocated
 * and every loop is bounded by the filter's named maxima.
 */
#include "policy/rule/filter.h"
#include <stdlib.h>

/* The component of `s` that begins at `*at`, which is moved behind it; false at the end. */
static bool component(struct span s, size_t *at, struct span *out)
{
	const uint8_t *slash;

	while (*at < s.n && s.p[*at] == '/')
		(*at)++;
	if (*at >= s.n)
		return false;
	slash = memchr(s.p + *at, '/', s.n - *at);
	*out = SPAN(s.p + *at, slash ? (size_t)(slash - (s.p + *at)) : s.n - *at);
	*at += out->n;
	return true;
}

static bool component_fits(struct span pattern, struct span name)
{
	return span_eq(pattern, name) || (pattern.n == 1 && pattern.p[0] == '*');
}

bool filter_prefix_fits(const char *prefix, struct span path)
{
	struct span pattern = SPAN_STR(prefix), a, b;
	size_t i = 0, j = 0;

	while (component(pattern, &i, &a))
		if (!component(path, &j, &b) || !component_fits(a, b))
			return false;
	return true;
}

/* The same for a prefix without "*": one comparison, because most prefixes and most paths do not meet at all. */
static bool fits_literal(const char *prefix, struct span path)
{
	size_t n = strlen(prefix);

	if (n == 1)
		return true;
	return path.n >= n && memcmp(path.p, prefix, n) == 0 && (path.n == n || path.p[n] == '/');
}

enum filter_level filter_path_level(const struct filter *f, struct span path)
{
	const struct filter_path *best = NULL;
	unsigned i;

	for (i = 0; i < f->path_n; i++) {
		const struct filter_path *p = &f->path[i];

		if (best && (p->parts < best->parts || (p->parts == best->parts && p->wild)))
			continue;
		if (p->wild ? filter_prefix_fits(p->prefix, path) : fits_literal(p->prefix, path))
			best = p;
	}
	return best ? best->level : FILTER_CHANGES;
}

enum filter_level filter_program_level(const struct filter *f, struct span program)
{
	unsigned i;

	for (i = 0; i < f->program_n; i++)
		if (span_eq(SPAN_STR(f->program[i].path), program))
			return f->program[i].level;
	return FILTER_ALL;
}

enum filter_level filter_user_level(const struct filter *f, const char *name, uint32_t uid)
{
	unsigned i;

	for (i = 0; i < f->user_n; i++) {
		const char *u = f->user[i].name;

		if (u[0] >= '0' && u[0] <= '9' ? strtoul(u, NULL, 10) == uid : name && strcmp(u, name) == 0)
			return f->user[i].level;
	}
	return FILTER_ALL;
}

bool filter_is_cloud(const struct filter *f, struct span path)
{
	unsigned i;

	for (i = 0; i < f->cloud_n; i++)
		if (filter_prefix_fits(f->cloud[i], path))
			return true;
	return false;
}
