/*
 * What sekishoctl says: messages to standard error, results to standard output. See ctl.h. Messages in two languages
 * stand where they are used (SAY), so that the compiler checks both.
 */
#include "collector/store/store.h"
#include "policy/base/text.h"
#include "policy/ctl/ctl.h"
#include "policy/wire/server_conf.h"
#include <errno.h>
#include <limits.h>

int complain(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("sekishoctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

const char *shown(char out[SHOWN_MAX], const char *s)
{
	return text_escape_to(out, SHOWN_MAX, SPAN_STR(s));
}

int complain_of(const struct ctl *c, const char *what, int r, const struct why *why)
{
	char text[SHOWN_MAX];

	shown(text, what);
	/* A database's own words: root has no more rights there than anybody. */
	if (r < 0 && why && why->text[0] && store_is_database(what))
		return complain(EXIT_MACHINE, "%s: %s", text, SAY(c, why->text, why_ja(why)));
	if (r == -EACCES || r == -EPERM)
		return complain(EXIT_MACHINE,
			SAY(c, "%s: no permission (try as root)", "%s: 権限がありません(root で実行してください)"),
			text);
	if (r < 0)
		return complain(EXIT_MACHINE, "%s: %s", text, strerror(-r));
	if (why && why->text[0])
		return complain(EXIT_PROBLEM, "%s: %s", text, SAY(c, why->text, why_ja(why)));
	if (r == V_NOT_FOUND)
		return complain(EXIT_PROBLEM, SAY(c, "%s: there is none", "%s: 見つかりません"), text);
	if (r == V_FULL)
		return complain(EXIT_PROBLEM, SAY(c, "%s: too large", "%s: 大きすぎます"), text);
	return complain(EXIT_PROBLEM, SAY(c, "%s: malformed", "%s: 形式が不正です"), text);
}

int say_json(const json_t *o)
{
	_cleanup_free_ char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;

	return text && puts(text) >= 0 && !fflush(stdout) ? EXIT_GOOD : EXIT_MACHINE;
}

bool out_put(struct buf *b)
{
	size_t n = b->n;
	bool good = fwrite(b->p, 1, n, stdout) == n && fflush(stdout) == 0;

	buf_clear(b);
	if (!good && errno != EPIPE)
		complain(0, "standard output: %s", strerror(errno));
	return good;
}

void layout_path(char *out, size_t size, const char *path)
{
	const char *root = getenv("SEKISHO_ROOT");
	int n = snprintf(out, size, "%s%s", root ? root : "", path);

	if (n < 0 || (size_t)n >= size)
		exit(complain(EXIT_MACHINE, "SEKISHO_ROOT: path too long"));
}

/* By the settings of this machine's collector: first what its readers are told, whose role in a database may be
 * another. Exits where they cannot be understood: the usual place could be that of another log. */
static void own_store(const struct ctl *c, char *room, size_t size)
{
	static const char *const sections[] = {SERVER_CONSOLE, SERVER_COLLECTOR};
	struct why why = {""};
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		r = server_conf_find(sections[i], "store", room, size, &why);
		if (!r && room[0])
			return;
		if (r && r != V_NOT_FOUND)
			exit(complain_of(c, SERVER_CONF_PATH, r, &why));
	}
	layout_path(room, size, STORE_PATH);
}

const char *store_folder(const char *store, char *room, size_t size)
{
	if (!store_is_database(store))
		return store;
	layout_path(room, size, STATE_PATH);
	return room;
}

const char *store_path(const struct ctl *c, char *room, size_t size)
{
	const char *given = option_value(c, OPT_STORE);

	if (given)
		return given;
	own_store(c, room, size);
	return room;
}
