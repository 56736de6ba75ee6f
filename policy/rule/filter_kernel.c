/*
 * The kernel's half of the recording filter. See filter.h. Called at start, when the filter is read again and when
 * something is mounted; pure. What must never happen here: a prefix with less than the whole filter would give to some
 * path below it that no longer prefix takes over.
 */
#include "policy/rule/filter.h"
#include "policy/wire/record.h"
#include <stdio.h>

/* A pattern as its components, in place. */
struct pattern {
	const char *text;
	unsigned head; /* components before the first "*" */
	uint8_t level;
};

static bool next_component(const char **at, const char **begin, size_t *n)
{
	while (**at == '/')
		(*at)++;
	*begin = *at;
	*n = strcspn(*at, "/");
	*at += *n;
	return *n > 0;
}

static unsigned components(const char *path, bool up_to_star)
{
	const char *begin;
	unsigned count = 0;
	size_t n;

	while (next_component(&path, &begin, &n) && !(up_to_star && n == 1 && begin[0] == '*'))
		count++;
	return count;
}

/* Could some path lie below both? */
static bool meet(const char *a, const char *b)
{
	const char *x, *y;
	size_t n, m;

	while (next_component(&a, &x, &n) && next_component(&b, &y, &m))
		if (!(n == m && memcmp(x, y, n) == 0) && !(n == 1 && *x == '*') && !(m == 1 && *y == '*'))
			return false;
	return true;
}

static void add(struct filter_kernel *k, const char *path, size_t n)
{
	unsigned i;

	if (n == 0) {
		path = "/";
		n = 1;
	}
	for (i = 0; i < k->n; i++)
		if (strlen(k->prefix[i].path) == n && memcmp(k->prefix[i].path, path, n) == 0)
			return;
	if (k->n == FILTER_KERNEL_MAX || n >= FILTER_PATH_SIZE) {
		k->dropped++;
		return;
	}
	memcpy(k->prefix[k->n].path, path, n);
	k->prefix[k->n++].path[n] = 0;
}

/* Adds what stands before the first "*" of a pattern: there, whatever the pattern says is taken over. */
static void add_head(struct filter_kernel *k, const char *pattern)
{
	const char *star = strstr(pattern, "/*");

	add(k, pattern, star ? (size_t)(star - pattern) : strlen(pattern));
}

/* "/home/<any>/.cache" for a home "/home/ann": "/home/ann/.cache". */
static void add_of_home(struct filter_kernel *k, const char *pattern, const char *home)
{
	char path[FILTER_PATH_SIZE * 2];
	const char *at = pattern, *begin;
	unsigned parts = components(home, false);
	size_t n;
	int len;

	if (!parts || components(pattern, true) + 1 != parts || !meet(pattern, home))
		return;
	while (parts-- && next_component(&at, &begin, &n))
		;
	len = snprintf(path, sizeof(path), "%s%s", home, at);
	if (len > 0 && (size_t)len < sizeof(path) && !strstr(at, "/*"))
		add(k, path, (size_t)len);
}

/*
 * A pattern's word counts for a prefix that lies at or below the pattern's head. Above it, the head is a longer prefix
 * of all that the pattern speaks of.
 */
static void raise_to(struct filter_prefix *p, const struct pattern *w)
{
	if (w->level > p->level && components(p->path, false) >= w->head && meet(p->path, w->text))
		p->level = w->level;
}

static struct pattern pattern_of(const char *text, uint8_t level)
{
	return (struct pattern){.text = text, .head = components(text, true), .level = level};
}

/* What changes there is looked into (cloud.h), also where it is no record. */
static uint8_t cloud_level(const struct filter *f)
{
	uint8_t level = f->class_level[CLASS_CLOUD];

	return level > FILTER_CHANGES ? level : FILTER_CHANGES;
}

void filter_kernel(const struct filter *f, const struct filter_place *mounts, unsigned mounts_n,
	const struct filter_place *homes, unsigned homes_n, struct filter_kernel *out)
{
	unsigned i, j;

	out->n = out->dropped = 0;
	add(out, "/", 1);
	for (i = 0; i < f->path_n; i++)
		add_head(out, f->path[i].prefix);
	for (i = 0; i < f->cloud_n; i++)
		add_head(out, f->cloud[i]);
	for (i = 0; i < mounts_n; i++)
		if (mounts[i].level)
			add(out, mounts[i].path, strlen(mounts[i].path));
	for (i = 0; i < f->path_n; i++)
		for (j = 0; f->path[i].wild && j < homes_n; j++)
			add_of_home(out, f->path[i].prefix, homes[j].path);
	for (i = 0; i < out->n; i++) {
		struct filter_prefix *p = &out->prefix[i];
		struct pattern w;

		p->level = filter_path_level(f, SPAN_STR(p->path));
		for (j = 0; j < f->path_n; j++) {
			if (!f->path[j].wild && out->dropped == 0)
				continue;
			w = pattern_of(f->path[j].prefix, f->path[j].level);
			if (out->dropped)
				w.head = 0;
			raise_to(p, &w);
		}
		for (j = 0; j < f->cloud_n; j++) {
			w = pattern_of(f->cloud[j], cloud_level(f));
			raise_to(p, &w);
		}
		/* A device that demands more: all prefixes at or below its mount point; the point itself is one. */
		for (j = 0; j < mounts_n; j++) {
			w = (struct pattern){.text = mounts[j].path,
				.head = out->dropped ? 0 : components(mounts[j].path, false),
				.level = mounts[j].level};
			raise_to(p, &w);
		}
	}
}
