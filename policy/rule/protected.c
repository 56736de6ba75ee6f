/*
 * Which area a file lies in, and what holds of who opens it. See protected.h. Pure; called for every record of a file.
 */
#include "policy/rule/content.h"
#include "policy/rule/protected_parts.h"

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

/* Does the pattern name the path, or a folder above it? */
static bool holds(const char *pattern, struct span path)
{
	struct span p = SPAN_STR(pattern), a, b;
	size_t i = 0, j = 0;

	while (component(p, &i, &a))
		if (!component(path, &j, &b) || !text_like_span(a, b))
			return false;
	return true;
}

/* Does the pattern name something below the path? */
static bool leads(const char *pattern, struct span path)
{
	struct span p = SPAN_STR(pattern), a, b;
	size_t i = 0, j = 0;

	while (component(path, &j, &b))
		if (!component(p, &i, &a) || !text_like_span(a, b))
			return false;
	return component(p, &i, &a);
}

static bool one_holds(words list, struct span path)
{
	for (; list && *list; list++)
		if (holds(*list, path))
			return true;
	return false;
}

unsigned policy_areas_n(const struct policy *p)
{
	return p->protected ? p->protected->areas_n : 0;
}

int policy_area_of(const struct policy *p, struct span path, const char *source)
{
	unsigned i;

	for (i = 0; i < policy_areas_n(p); i++) {
		const struct area *a = &p->protected->areas[i];

		if ((path.n && path.p[0] == '/' && one_holds(a->paths, path)) || text_like_any(a->shares, source))
			return (int)i;
	}
	return -1;
}

static bool is_named(const struct area *a, const struct device_user *who)
{
	return (!a->users && !a->groups) || text_like_any(a->users, who->user) ||
	       (who->user && text_like_groups(a->groups, who->groups));
}

void policy_area(const struct policy *p, unsigned i, const struct area_facts *f, struct area_decision *out)
{
	const struct area *a = &p->protected->areas[i];
	bool person = is_named(a, &f->who), program = !a->programs || text_like_any(a->programs, f->program);
	/* Only where it hangs on that. */
	bool doubt = f->doubt && a->others == ACTION_DENY && program && (a->users || a->groups);
	bool purpose = !doubt && person && program && a->purpose_s && f->no_purpose;
	const struct content_reason facts[] = {
		{doubt, " who it is could not be found out in time", "利用者を時間内に確認できないこと"},
		{!doubt && !person, " who it is", "利用者"}, {!program, " its program", "プログラム"},
		{purpose, " that no purpose was stated", "利用目的が入力されていないこと"}};

	memset(out, 0, sizeof(*out));
	out->area = a->name;
	out->note = p->note || a->note;
	out->purpose = purpose;
	out->action = doubt ? a->in_doubt : person && program && !purpose ? ACTION_ALLOW : a->others;
	snprintf(out->rule, sizeof(out->rule), "%s:%s", purpose ? "purpose" : "protected", a->name);
	if (out->action != ACTION_ALLOW)
		content_explain(a->line, facts, ARRAY_SIZE(facts), out->reason, sizeof(out->reason), out->reason_ja,
			sizeof(out->reason_ja));
}

bool policy_area_refuses(const struct policy *p, unsigned i)
{
	const struct area *a = &p->protected->areas[i];

	return a->others == ACTION_DENY && !a->note && !p->note;
}

bool policy_areas_refuse(const struct policy *p)
{
	unsigned i;

	for (i = 0; i < policy_areas_n(p); i++)
		if (policy_area_refuses(p, i))
			return true;
	return false;
}

unsigned policy_area_purpose_s(const struct policy *p, unsigned i)
{
	return p->protected->areas[i].purpose_s;
}

bool policy_area_leads(const struct policy *p, struct span folder)
{
	unsigned i;
	words w;

	for (i = 0; i < policy_areas_n(p); i++)
		for (w = policy_area_refuses(p, i) ? p->protected->areas[i].paths : NULL; w && *w; w++)
			if (leads(*w, folder))
				return true;
	return false;
}

bool policy_area_asks_groups(const struct policy *p, unsigned i)
{
	unsigned k;

	for (k = 0; k < policy_areas_n(p); k++)
		if ((k == i || i >= policy_areas_n(p)) && p->protected->areas[k].groups)
			return true;
	return false;
}

const char *policy_area_name(const struct policy *p, unsigned i)
{
	return p->protected->areas[i].name;
}

const char *const *policy_area_paths(const struct policy *p, unsigned i)
{
	return p->protected->areas[i].paths;
}

const char *const *policy_area_shares(const struct policy *p, unsigned i)
{
	return p->protected->areas[i].shares;
}

size_t policy_area_head(const char *pattern)
{
	struct span p = SPAN_STR(pattern), c;
	char name[AREA_PATH_SIZE];
	size_t at = 0, head = 0;

	while (component(p, &at, &c)) {
		snprintf(name, sizeof(name), "%.*s", (int)c.n, (const char *)c.p);
		/* a quoted "*" stands for itself, and the kernel's prefixes know no quoting */
		if (is_pattern(name) || memchr(c.p, '\\', c.n))
			break;
		head = at;
	}
	return head ? head : 1;
}
