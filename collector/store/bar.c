/*
 * Bars: the line and what it says, and where the engine of files keeps it. See bar.h.
 */
#include "collector/store/bar.h"
#include "collector/store/store_parts.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <sys/stat.h>

static const struct {
	enum store_bar bar;
	const char *word;
} words[] = {
	{STORE_FILLING, "filling "},
	{STORE_MOVED, "moved "},
	{STORE_COPY, "copy "},
	{STORE_OLD, "old "},
};

int bar_write(enum store_bar bar, const char *place, struct buf *line)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < ARRAY_SIZE(words); i++) {
		if (words[i].bar != bar)
			continue;
		r = buf_puts(line, words[i].word);
		r = r ? r : buf_puts(line, place);
		r = r ? r : buf_puts(line, "\n");
	}
	return r;
}

int bar_read(struct span line, enum store_bar *bar, struct span *place)
{
	size_t i;

	if (!line.n) {
		*bar = STORE_OPEN;
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		size_t n = strlen(words[i].word);

		if (line.n < n + 2 || memcmp(line.p, words[i].word, n) != 0 || line.p[line.n - 1] != '\n')
			continue;
		*bar = words[i].bar;
		*place = SPAN(line.p + n, line.n - n - 1);
		return 0;
	}
	return V_BAD;
}

int bar_judge(struct store *s, struct why *why)
{
	_cleanup_buf_ struct buf place = BUF_INIT(BAR_MAX);
	enum store_bar bar = STORE_OPEN;
	char text[160];
	int r = store_get_bar(s, &bar, &place);

	if (r > 0)
		return why_set(why, V_BAD, "what bars it cannot be read");
	if (r || bar == STORE_OPEN)
		return r;
	text_escape_to(text, sizeof(text), buf_span(&place));
	if (bar == STORE_FILLING)
		return WHY_BOTH(why, V_BAD,
			"it is no whole copy: it was being filled from %s; go on with sekishoctl store move",
			"%s からの移行が完了していません。sekishoctl store move で続行してください", text);
	if (bar == STORE_COPY)
		return WHY_BOTH(why, V_BAD, "it is a copy of %s: sekishoctl store restore puts it to use",
			"%s の写しです。使うには sekishoctl store restore を実行してください", text);
	if (bar == STORE_OLD)
		return WHY_BOTH(why, V_BAD,
			"it is an older copy of the log: a PC has a signed checkpoint over %s leaves; see "
			"sekishoctl(1), "
			"store restore",
			"ログの古い写しです。PC が %s 件の署名済みチェックポイントを保持しています。sekishoctl(1) の "
			"store "
			"restore を参照してください",
			text);
	return WHY_BOTH(why, V_BAD, "the log was moved to %s: set store to that, or move it back",
		"ログは %s に移行済みです。store をそこに設定するか、移行し直してください", text);
}

/* --- files --- */

static void path_of(const struct store *s, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/barred", s->dir);
}

int files_hold(struct store *s)
{
	char path[PATH_MAX];

	if (s->lock >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/lock", s->dir);
	return file_lock(path, &s->lock);
}

int files_bar(struct store *s, struct span line)
{
	char path[PATH_MAX];

	if (s->lock < 0)
		return -EROFS;
	path_of(s, path);
	if (line.n)
		return file_replace(path, line, 0644);
	if (unlink(path) && errno != ENOENT)
		return -errno;
	return dir_sync(s->dir);
}

int files_barred(struct store *s, struct buf *line)
{
	char path[PATH_MAX];
	int r;

	path_of(s, path);
	r = file_read(path, line);
	return r == V_NOT_FOUND ? 0 : r == V_FULL ? V_BAD : r;
}
