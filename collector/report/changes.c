/*
 * What a version of the policy changed: lines of its two texts that the version before did not have, and those that it
 * had. Read from the signed files at the collector; one that is not there, or that no key of admin.keys signed, is said
 * to be so.
 */
#include "collector/report/report_parts.h"
#include "policy/base/file.h"
#include "policy/wire/bundle.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#define LINES_MAX 20000u
#define SHOWN_LINES 200u /* of one version */
#define VERSIONS_SHOWN 100u

struct lines {
	struct span *v;
	unsigned n;
};

struct texts {
	struct buf bytes, raw;
	struct bundle b;
	bool good;
	struct lines lines[2]; /* policy.yaml, devices.csv */
};

static int by_bytes(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	int r = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return r ? r : (x->n > y->n) - (x->n < y->n);
}

static int split(struct span text, struct lines *out)
{
	size_t i, from = 0;

	out->v = calloc(LINES_MAX, sizeof(*out->v));
	if (!out->v)
		return -ENOMEM;
	for (i = 0; i <= text.n; i++) {
		size_t to = i, begin = from;

		if (i < text.n && text.p[i] != '\n')
			continue;
		from = i + 1;
		while (to > begin && (text.p[to - 1] == '\r' || text.p[to - 1] == ' '))
			to--;
		while (begin < to && text.p[begin] == ' ')
			begin++;
		if (begin == to || text.p[begin] == '#' || out->n == LINES_MAX)
			continue;
		out->v[out->n++] = SPAN(text.p + begin, to - begin);
	}
	qsort(out->v, out->n, sizeof(*out->v), by_bytes);
	return 0;
}

static void texts_free(struct texts *t)
{
	buf_deinit(&t->bytes);
	buf_deinit(&t->raw);
	free(t->lines[0].v);
	free(t->lines[1].v);
	*t = (struct texts){.good = false};
}

static int texts_read(const struct report *r, const struct admins *admins, uint64_t version, struct texts *t)
{
	char path[PATH_MAX];
	int x;

	*t = (struct texts){.bytes = BUF_INIT(BUNDLE_MAX), .raw = BUF_INIT(BUNDLE_RAW_MAX)};
	snprintf(path, sizeof(path), "%s/%020" PRIu64 ".signed", r->o.policies, version);
	x = file_read(path, &t->bytes);
	/* When it was pushed it was new and valid. */
	x = x ? x : bundle_open(buf_span(&t->bytes), admins, NULL, 0, 0, &t->raw, &t->b, NULL);
	if (x)
		return x == -ENOMEM ? x : 0;
	t->good = true;
	x = split(t->b.policy_yaml, &t->lines[0]);
	return x ? x : split(t->b.devices_csv, &t->lines[1]);
}

static void row(
	struct report *r, struct table *t, uint64_t version, const char *file, const char *what, struct span line)
{
	if (!row_begin(r, t))
		return;
	cell_number(t, version);
	cell_text(r, t, SPAN_STR(file));
	cell_text(r, t, SPAN_STR(what));
	cell_text(r, t, line);
}

static void diff(struct report *r, struct table *t, uint64_t version, const char *file, const struct lines *was,
	const struct lines *is)
{
	unsigned a = 0, b = 0, shown = 0;
	uint64_t more = 0;

	while (a < was->n || b < is->n) {
		int c = a == was->n ? 1 : b == is->n ? -1 : by_bytes(&was->v[a], &is->v[b]);

		if (!c) {
			a++;
			b++;
			continue;
		}
		if (shown++ >= SHOWN_LINES)
			more++;
		else
			row(r, t, version, file, c < 0 ? say(r, "removed", "削除") : say(r, "added", "追加"),
				c < 0 ? was->v[a] : is->v[b]);
		a += c < 0;
		b += c > 0;
	}
	t->more += more;
}

static void changes_of(struct report *r, struct table *t, const struct admins *admins, uint64_t version)
{
	static const char *const files[] = {"policy.yaml", "devices.csv"};
	struct texts is = {.good = false}, was = {.good = false};
	uint64_t n;
	unsigned i;
	int x = texts_read(r, admins, version, &is);

	/* Versions may leave some out: the nearest one below is the one before. */
	for (n = version; !x && !was.good && n > 1 && version - n < 64; n--) {
		texts_free(&was);
		x = texts_read(r, admins, n - 1, &was);
	}
	if (x)
		r->failed = x;
	if (!x && !is.good)
		row(r, t, version, "", "",
			SPAN_STR(say(r, "its file is not at the collector, or no key of admin.keys signed it",
				"コレクターにファイルがないか、admin.keys のどの鍵の署名でもありません")));
	else if (!x && version > 1 && !was.good)
		row(r, t, version, "", "",
			SPAN_STR(say(
				r, "the version before is not at the collector", "直前の版がコレクターにありません")));
	else if (!x)
		for (i = 0; i < 2; i++)
			diff(r, t, version, files[i], &was.lines[i], &is.lines[i]);
	texts_free(&is);
	texts_free(&was);
}

void changes_rows(struct report *r, struct table *t)
{
	struct admins admins = {.n = 0};
	unsigned i, shown = 0;

	if (!r->o.policies || !r->o.admins || admins_load(r->o.admins, &admins, NULL))
		admins.n = 0;
	for (i = 0; r->o.policies && i < r->now.versions.n; i++) {
		const struct version *v = (struct version *)r->now.versions.v[i];

		if (!v->pushed_us)
			continue;
		if (shown++ < VERSIONS_SHOWN)
			changes_of(r, t, &admins, v->number);
		else
			t->more++;
	}
	admins_deinit(&admins);
}
