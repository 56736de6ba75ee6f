/*
 * The policy's areas as recorder and guard need them. See areas.h. Loaded at start, and when the guard laid another
 * policy; asked for every event of a file. What must never happen here: a policy that cannot be read taking the
 * place of one that could.
 */
#include "agent/service/areas.h"
#include "policy/base/cleanup.h"
#include "policy/base/file.h"
#include "policy/rule/policy.h"
#include "policy/trust/digest.h"
#include <errno.h>

struct areas {
	struct policy *policy;
	struct digest text; /* that it was read from */
	unsigned mounts_n;
	bool mounts_full; /* more shares are mounted than fit: any path may be on one */
	struct {
		char point[AREAS_PATH_SIZE], source[AREAS_PATH_SIZE];
	} mount[AREAS_MOUNTS_MAX];
};

int areas_new(struct areas **out)
{
	struct areas *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	*out = a;
	return 0;
}

void areas_free(struct areas *a)
{
	if (a)
		policy_free(a->policy);
	free(a);
}

int areas_load(struct areas *a, const char *path, bool *changed, struct why *why)
{
	_cleanup_buf_ struct buf text = BUF_INIT(POLICY_YAML_MAX);
	_cleanup_(policy_freep) struct policy *p = NULL;
	struct digest hash;
	int r = file_read(path, &text);

	*changed = false;
	if (r == V_NOT_FOUND) {
		*changed = a->policy != NULL;
		policy_free(STEAL(a->policy));
		return 0;
	}
	if (r)
		return r < 0 ? r : why_set(why, V_BAD, "%s: larger than a policy can be", path);
	digest_span(&hash, buf_span(&text));
	if (a->policy && digest_eq(&hash, &a->text))
		return 0;
	r = policy_load(buf_span(&text), SPAN("", 0), &p, why);
	if (r)
		return r;
	policy_free(a->policy);
	a->policy = STEAL(p);
	a->text = hash;
	*changed = true;
	return 0;
}

void areas_mounts_begin(struct areas *a)
{
	a->mounts_n = 0;
	a->mounts_full = false;
}

void areas_mount(struct areas *a, const char *point, const char *source)
{
	if (!a->policy || policy_area_of(a->policy, SPAN("", 0), source) < 0)
		return;
	if (a->mounts_n == AREAS_MOUNTS_MAX || strlen(point) >= AREAS_PATH_SIZE || strlen(source) >= AREAS_PATH_SIZE) {
		a->mounts_full = true;
		return;
	}
	snprintf(a->mount[a->mounts_n].point, AREAS_PATH_SIZE, "%s", point);
	snprintf(a->mount[a->mounts_n++].source, AREAS_PATH_SIZE, "%s", source);
}

bool areas_any(const struct areas *a)
{
	return a->policy && policy_areas_n(a->policy);
}

const struct policy *areas_policy(const struct areas *a)
{
	return a->policy;
}

/* Is `above` the path, or a folder above it? */
static bool lies_in(const char *above, struct span path)
{
	size_t n = strcmp(above, "/") ? strlen(above) : 0;

	return path.n >= n && !memcmp(path.p, above, n) && (path.n == n || path.p[n] == '/');
}

/* What is mounted where the path lies, as far as an area names it. */
static const char *source_of(const struct areas *a, struct span path)
{
	const char *best = NULL;
	size_t longest = 0;
	unsigned i;

	for (i = 0; i < a->mounts_n; i++) {
		size_t n = strlen(a->mount[i].point);

		if (n >= longest && lies_in(a->mount[i].point, path)) {
			longest = n;
			best = a->mount[i].source;
		}
	}
	return best;
}

int areas_of(const struct areas *a, struct span path)
{
	return areas_any(a) ? policy_area_of(a->policy, path, source_of(a, path)) : -1;
}

void areas_places(const struct areas *a, areas_place_fn fn, void *ctx)
{
	char head[AREA_PATH_SIZE];
	const char *const *w;
	unsigned i;

	for (i = 0; a->policy && i < policy_areas_n(a->policy); i++)
		for (w = policy_area_paths(a->policy, i); w && *w; w++) {
			snprintf(head, sizeof(head), "%.*s", (int)policy_area_head(*w), *w);
			fn(ctx, head);
		}
	for (i = 0; i < a->mounts_n; i++)
		fn(ctx, a->mount[i].point);
	if (a->mounts_full)
		fn(ctx, "/");
}
