/*
 * Pieces of text on their way to numbers and patterns. See container.h.
 */
#include "agent/inspect/container.h"

void words_put(struct words *w, struct span s)
{
	if (s.n && buf_put_span(&w->text, s))
		w->full = true;
}

void words_end(struct look *l, struct words *w)
{
	if (w->full)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "more than %u MiB of text in one piece",
			WORDS_MAX >> 20);
	look_words(l, buf_span(&w->text));
	buf_deinit(&w->text);
	w->full = false;
}

bool look_counts(struct look *l, struct span utf8)
{
	if (l->prints) {
		prints_text(l->prints, utf8);
		prints_tell(l->prints, l->facts);
	}
	return !patterns_count(l->patterns, utf8, l->facts);
}

void look_words(struct look *l, struct span utf8)
{
	if (!l->text)
		return;
	if (!look_counts(l, utf8))
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "a pattern took too many steps");
	else
		l->facts->flags |= INSPECT_TEXT_READ;
}
