/*
 * The signed policies that the collector keeps: every one that was pushed, by version, in its folder, which is read
 * here and never written. What one of them says is shown only where its signature is one of the administrators' of
 * today; when it came is what the folder says: that it came, and from whom, is the collector's record.
 */
#include "collector/console/console.h"
#include "collector/console/search.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/wire/bundle.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#define VERSIONS_MAX 100000u /* in the folder; more are not looked at */
#define PAGE_MAX 50u         /* each is opened: signature, texts */

static uint64_t version_of(const char *name)
{
	uint64_t v = 0;
	int end = 0;

	return sscanf(name, "%20" SCNu64 "%n", &v, &end) == 1 && end == 20 && !strcmp(name + end, ".signed") ? v : 0;
}

static int newest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* All versions that are kept, newest first; *out is the caller's. 0, also where none are; -errno. */
static int versions(const struct console *c, uint64_t **out, size_t *n)
{
	_cleanup_closedir_ DIR *dir = opendir(c->conf.policies);
	uint64_t *list = NULL, *more, v;
	size_t cap = 0;
	struct dirent *e;

	*out = NULL;
	*n = 0;
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (*n < VERSIONS_MAX && (e = readdir(dir))) {
		if (!(v = version_of(e->d_name)))
			continue;
		if (*n == cap) {
			cap = cap ? 2 * cap : 64;
			more = reallocarray(list, cap, sizeof(*list));
			if (!more) {
				free(list);
				return -ENOMEM;
			}
			list = more;
		}
		list[(*n)++] = v;
	}
	if (list)
		qsort(list, *n, sizeof(*list), newest_first);
	*out = list;
	return 0;
}

static void path_of(const struct console *c, uint64_t version, char out[CONFIG_FILE_MAX + 64])
{
	snprintf(out, CONFIG_FILE_MAX + 64, "%s/%020" PRIu64 ".signed", c->conf.policies, version);
}

/* When it was laid there; 0 where it is none. */
static int64_t pushed_us(const struct console *c, uint64_t version)
{
	char path[CONFIG_FILE_MAX + 64];
	struct stat st;

	path_of(c, version, path);
	return version && !stat(path, &st) ? (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000 : 0;
}

int policy_kept(struct console *c, uint64_t version, struct buf *bytes, struct buf *raw, struct bundle *out,
	struct policy_times *times)
{
	_cleanup_free_ uint64_t *list = NULL;
	struct admins admins = {.n = 0};
	char path[CONFIG_FILE_MAX + 64];
	size_t n, i = 0;
	int r = versions(c, &list, &n);

	if (r)
		return r;
	while (version && i < n && list[i] != version)
		i++;
	if (i == n)
		return V_NOT_FOUND;
	path_of(c, list[i], path);
	r = file_read(path, bytes);
	r = r ? r : admins_load(c->conf.admins, &admins, NULL);
	/* When it was pushed it was new and valid; that it is over now does not keep anybody from reading it. */
	r = r ? r : bundle_open(buf_span(bytes), &admins, NULL, 0, 0, raw, out, NULL);
	admins_deinit(&admins);
	if (!r && out->version != list[i])
		r = V_BAD;
	if (!r && times)
		*times = (struct policy_times){pushed_us(c, list[i]), i ? pushed_us(c, list[i - 1]) : 0};
	return r > 0 && r != V_NOT_FOUND ? V_BAD : r;
}

int policy_newest(struct console *c, struct buf *bytes, struct buf *raw, struct bundle *out)
{
	return policy_kept(c, 0, bytes, raw, out, NULL);
}

/* One of the list. What cannot be read is there, and without a signer: nobody has to wonder where it went. */
static json_t *one_json(struct console *c, uint64_t version, uint64_t newer)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX), raw = BUF_INIT(BUNDLE_RAW_MAX);
	struct bundle b = {.version = 0};
	int r = policy_kept(c, version, &bytes, &raw, &b, NULL);

	if (r < 0)
		return NULL;
	return json_pack("{s:I, s:s?, s:o, s:o, s:o, s:o, s:o}", "version", (json_int_t)version, "signer",
		r ? NULL : b.signer, "issued", time_json(r ? 0 : b.issued_us), "not_before",
		time_json(r ? 0 : b.not_before_us), "not_after", time_json(r ? 0 : b.not_after_us), "from",
		time_json(pushed_us(c, version)), "to", time_json(pushed_us(c, newer)));
}

void policy_versions_get(struct call *x)
{
	_cleanup_free_ struct search *s = malloc(sizeof(*s));
	_cleanup_free_ uint64_t *list = NULL;
	char cursor[SEARCH_CURSOR_SIZE];
	struct why why = {""};
	size_t n = 0, i = 0, end;
	json_t *out, *one;
	int r;

	if (!s || search_parse(x->a->query, SEARCH_PAGE, clock_wall_us(), s, &why)) {
		reply_error(x, 400, "filter", why.text);
		return;
	}
	r = versions(x->c, &list, &n);
	out = json_array();
	while (s->has_cursor && i < n && list[i] > s->cursor_row)
		i++;
	end = i + (s->limit < PAGE_MAX ? s->limit : PAGE_MAX);
	for (; !r && i < n && i < end; i++) {
		one = one_json(x->c, list[i], i ? list[i - 1] : 0);
		r = one && !json_array_append_new(out, one) ? 0 : -EIO;
	}
	if (i < n)
		search_cursor(cursor, 0, list[i]);
	if (r)
		reply_error(x, 503, "policy", "the collector's policies cannot be read");
	else if (tell_view(x, KIND_CONSOLE_VIEW, x->a->query, 0))
		reply(x, json_pack("{s:O, s:s?}", "versions", out, "next", i < n ? cursor : NULL));
	json_decref(out);
}
