/*
 * Searches that people save under a name: kept here by account, so that they are there after the next sign-in and in
 * any browser. A file for each account, named by the hash of the account's name; what is in it was read as a search
 * before it was written. Each change is in the access log, with what was saved and what went.
 */
#include "collector/console/console.h"
#include "collector/console/search.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <sys/stat.h>

#define FILE_MAX (1u << 20)
#define TOLD_MAX 2000u

static int path_of(const struct console *c, const struct account *a, char *out, size_t size)
{
	char hex[2 * DIGEST_SIZE + 1];
	struct digest name;

	/* Names of accounts may be "..": what a file is called must not be. */
	digest_span(&name, SPAN_STR(a->name));
	return snprintf(out, size, "%s/searches/%s", c->conf.dir, hex_encode(hex, name.b, DIGEST_SIZE)) < (int)size
		       ? 0
		       : -ENAMETOOLONG;
}

static json_t *nothing_saved(void)
{
	return json_pack("{s:i, s:[]}", "version", 0, "searches");
}

/*
 * What this account has saved: {version, searches}. An account of the same name that was made at another time is
 * somebody else. 0; V_BAD where the file is damaged; -errno.
 */
static int load(const struct console *c, const struct account *a, json_t **out)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FILE_MAX);
	char path[CONFIG_FILE_MAX + 80];
	const json_t *version, *list;
	struct why why = {""};
	json_t *o;
	int r = path_of(c, a, path, sizeof(path));

	r = r ? r : file_read(path, &text);
	if (r && r != V_NOT_FOUND)
		return r < 0 ? r : V_BAD;
	if (r == V_NOT_FOUND) {
		*out = nothing_saved();
		return *out ? 0 : -ENOMEM;
	}
	o = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	version = json_object_get(o, "version");
	list = json_object_get(o, "searches");
	if (!json_is_integer(version) || json_integer_value(version) < 0 ||
		!json_is_integer(json_object_get(o, "made")) || search_saved_check(list, clock_wall_us(), &why)) {
		json_decref(o);
		return V_BAD;
	}
	*out = json_integer_value(json_object_get(o, "made")) == a->created_us
		       ? json_pack("{s:O, s:O}", "version", version, "searches", list)
		       : nothing_saved();
	json_decref(o);
	return *out ? 0 : -ENOMEM;
}

static int save(const struct console *c, const struct account *a, const json_t *version, const json_t *list)
{
	char path[CONFIG_FILE_MAX + 80];
	json_t *o;
	char *text;
	int r;

	if (snprintf(path, sizeof(path), "%s/searches", c->conf.dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	r = path_of(c, a, path, sizeof(path));
	if (r)
		return r;
	o = json_pack("{s:s, s:I, s:O, s:O}", "account", a->name, "made", (json_int_t)a->created_us, "version", version,
		"searches", list);
	text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
	json_decref(o);
	if (!text)
		return -ENOMEM;
	r = file_replace(path, SPAN_STR(text), 0600);
	free(text);
	return r;
}

/* What this account has saved. NULL: answered. */
static json_t *saved_of(struct call *x)
{
	json_t *o = NULL;
	int r = load(x->c, x->account, &o);

	if (!r)
		return o;
	log_error("%s/searches: the file of an account: %s", x->c->conf.dir, r < 0 ? strerror(-r) : "damaged");
	reply_error(x, 503, "failed", "the saved searches cannot be read");
	return NULL;
}

void searches_get(struct call *x)
{
	json_t *o;

	if (*x->a->query) {
		reply_error(x, 400, "filter", "no query belongs there");
		return;
	}
	o = saved_of(x);
	if (o && tell_view(x, KIND_CONSOLE_VIEW, NULL, 0))
		reply(x, json_incref(o));
	json_decref(o);
}

/* Whether a list has this search: by name and words. */
static bool has(const json_t *list, const json_t *one)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), one))
			return true;
	return false;
}

/* What is in `list` and not in `other`, as words for the log. What finds no room is cut there. */
static void differences(struct buf *out, const char *sign, const json_t *list, const json_t *other)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (has(other, one))
			continue;
		if (buf_puts(out, out->n ? "\n" : "") || buf_puts(out, sign) || buf_puts(out, text_of(one, "name")) ||
			buf_puts(out, ": ") || buf_puts(out, text_of(one, "query")))
			return;
	}
}

void searches_put(struct call *x)
{
	static const char *const names[] = {"version", "searches", NULL};
	_cleanup_buf_ struct buf text = BUF_INIT(TOLD_MAX + 16384);
	struct told t = {.kind = KIND_CONSOLE_CHANGE, .operation = x->a->path, .urgent = true, .has_count = true};
	json_t *o = body_object(x, SEARCH_SAVED_BYTES, names), *before = NULL, *version = NULL;
	const json_t *list = json_object_get(o, "searches");
	struct why why = {""};
	int r;

	if (!o)
		return;
	r = search_saved_check(list, clock_wall_us(), &why);
	if (r) {
		reply_error(x, r < 0 ? 503 : 400, r < 0 ? "busy" : "searches", r < 0 ? "no memory" : why.text);
		goto out;
	}
	before = saved_of(x);
	if (!before)
		goto out;
	/* Another browser of theirs was quicker: what it saved must not be lost. */
	if (!json_equal(json_object_get(o, "version"), json_object_get(before, "version"))) {
		reply_error(x, 409, "version", "the saved searches are others now");
		goto out;
	}
	version = json_integer(json_integer_value(json_object_get(before, "version")) + 1);
	differences(&text, "+ ", list, json_object_get(before, "searches"));
	differences(&text, "- ", json_object_get(before, "searches"), list);
	t.text = buf_str(&text);
	t.count = json_array_size(list);
	if (!tell_call(x, t))
		goto out;
	r = save(x->c, x->account, version, list);
	if (r) {
		log_error("%s/searches: %s", x->c->conf.dir, strerror(-r));
		reply_error(x, 503, "failed", "the saved searches cannot be written");
		goto out;
	}
	reply(x, json_pack("{s:O, s:O}", "version", version, "searches", list));
out:
	json_decref(version);
	json_decref(before);
	json_decref(o);
}
