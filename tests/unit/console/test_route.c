/* The table of operations and openapi.yaml say the same: each path and method, and for which roles. */
#include "collector/console/route.h"
#include "policy/base/file.h"
#include "tests/unit/cm.h"
#include <ctype.h>
#include <stdlib.h>

/* What only main.c has; no operation is called here. */
void console_fail(struct console *c, int r, const char *what)
{
	(void)c;
	(void)r;
	fail_msg("%s", what);
}

int store_of(struct console *c)
{
	(void)c;
	return V_NOT_FOUND;
}

void store_failed(struct call *x, int r, const struct why *why)
{
	(void)x;
	(void)r;
	(void)why;
	fail();
}

#define DOCUMENTED_MAX 128

struct documented {
	char path[128];
	enum ask_method method;
	unsigned roles;
	bool has_roles;
};

static struct documented all[DOCUMENTED_MAX];
static unsigned all_n;

/* "/api/v1/hosts/{id}/revoke" as the table has it. */
static void plain(char *out, size_t size, const char *path, size_t n)
{
	size_t i, at = 0;
	bool inside = false;

	for (i = 0; i < n && at + 1 < size; i++) {
		if (!inside || path[i] == '}')
			out[at++] = path[i];
		if (path[i] == '{')
			inside = true;
		else if (path[i] == '}')
			inside = false;
	}
	out[at] = 0;
}

static void take_roles(struct documented *d, char *list)
{
	char *save = NULL, *word;

	d->has_roles = true;
	for (word = strtok_r(list, "[], \n", &save); word; word = strtok_r(NULL, "[], \n", &save)) {
		assert_int_not_equal(role_by_name(word), 0);
		d->roles |= role_by_name(word);
	}
}

/* The document is ours and plain: paths stand two spaces in, methods four, x-roles six. */
static void read_document(void)
{
	static const struct {
		const char *line;
		enum ask_method method;
	} methods[] = {{"    get:\n", ASK_GET}, {"    post:\n", ASK_POST}, {"    put:\n", ASK_PUT},
		{"    delete:\n", ASK_DELETE}};
	char line[1024], path[128] = "";
	FILE *f = fopen(TEST_ROOT "/collector/console/openapi.yaml", "r");
	size_t i;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) && strcmp(line, "components:\n") != 0) {
		if (!strncmp(line, "  /", 3))
			plain(path, sizeof(path), line + 2, strcspn(line + 2, ":"));
		for (i = 0; i < ARRAY_SIZE(methods); i++) {
			if (strcmp(line, methods[i].line) != 0)
				continue;
			assert_true(all_n < DOCUMENTED_MAX && path[0]);
			all[all_n].method = methods[i].method;
			snprintf(all[all_n++].path, sizeof(path), "%s", path);
		}
		if (!strncmp(line, "      x-roles:", 14))
			take_roles(&all[all_n - 1], line + 14);
	}
	fclose(f);
}

static const struct documented *documented(const struct route *r)
{
	unsigned i;

	for (i = 0; i < all_n; i++)
		if (all[i].method == r->method && !strcmp(all[i].path, r->path))
			return &all[i];
	return NULL;
}

static void the_same(void **state)
{
	const struct route *r;
	unsigned n = 0, i;

	(void)state;
	read_document();
	for (r = routes; r->path; r++, n++) {
		const struct documented *d = documented(r);

		if (!d)
			fail_msg("%s is in no document", r->path);
		assert_true(d->has_roles);
		if (d->roles != r->roles)
			fail_msg("%s: roles %u in the document, %u in the table", r->path, d->roles, r->roles);
		assert_true(r->fn != NULL);
		/* Open to everybody is said, and nothing but that has no roles. */
		assert_int_equal(!r->roles, !!(r->flags & ROUTE_OPEN));
	}
	/* Metrics have a token instead of roles. */
	for (i = 0; i < all_n; i++)
		if (!strcmp(all[i].path, "/metrics"))
			n++;
	assert_int_equal(n, all_n);
}

static void patterns(void **state)
{
	char id[8] = "";

	(void)state;
	assert_true(route_matches("/a", "/a", id, sizeof(id)));
	assert_false(route_matches("/a", "/a/", id, sizeof(id)));
	assert_true(route_matches("/a/{}", "/a/x.1", id, sizeof(id)));
	assert_string_equal(id, "x.1");
	assert_true(route_matches("/a/{}/b", "/a/y/b", id, sizeof(id)));
	assert_string_equal(id, "y");
	assert_false(route_matches("/a/{}", "/a/", id, sizeof(id)));
	assert_false(route_matches("/a/{}", "/a/x/b", id, sizeof(id)));
	assert_false(route_matches("/a/{}/b", "/a/x/c", id, sizeof(id)));
	assert_false(route_matches("/a/{}", "/a/12345678", id, sizeof(id)));
	assert_string_equal(id, "y");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same),
		cmocka_unit_test(patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
