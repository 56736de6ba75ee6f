/*
 * What a filter means. See question.h.
 */
#include "collector/store/question.h"
#include "collector/store/month.h"
#include "policy/base/text.h"
#include "policy/wire/body.h"
#include <strings.h>

int question_of(const struct store_filter *f, struct question *q, struct why *why)
{
	const char *const words[] = {f->host, f->user, f->program, f->path, f->text};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i] && (!words[i][0] || strlen(words[i]) > BODY_NAME_MAX))
			return why_set(why, V_BAD, "filter: a word is %s", words[i][0] ? "too long" : "empty");
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i] && words[i] != f->host && !match_is_short(words[i], words[i] == f->text))
			return why_set(why, V_BAD,
				"filter: a pattern has at most %u characters (検索パターンは %u 文字までです)",
				MATCH_CHARS_MAX, MATCH_CHARS_MAX);
	if (f->from_us && f->until_us && f->from_us >= f->until_us)
		return why_set(why, V_BAD, "filter: its time ends before it begins");
	if (f->kinds_n > STORE_FILTER_MAX || f->classes_n > STORE_FILTER_MAX)
		return why_set(why, V_BAD, "filter: more than %d kinds or classes", STORE_FILTER_MAX);
	*q = (struct question){
		.f = f,
		.from = f->from_us ? f->from_us : INT64_MIN / 2,
		.until = f->until_us ? f->until_us : INT64_MAX / 2,
		.after_leaf = f->after_row >> ROW_BITS,
		.newest_first = f->newest_first,
		.by_combo = f->user || f->program || f->kinds_n || f->classes_n,
		.by_path = f->path,
		.by_text = f->text,
	};
	if (f->user)
		q->user = match_of(f->user);
	if (f->program)
		q->program = match_of(f->program);
	if (f->path)
		q->path = match_of(f->path);
	if (f->text)
		q->text = match_anywhere(f->text);
	return 0;
}

bool store_host_digits(const char *want, const struct digest *id)
{
	char hex[2 * DIGEST_SIZE + 1];

	return strlen(want) >= HOST_DIGITS_MIN && !strncasecmp(hex_encode(hex, id->b, DIGEST_SIZE), want, strlen(want));
}

size_t question_rows(const struct store_filter *f)
{
	size_t n = f->limit ? f->limit : SIZE_MAX;

	return f->most && f->most < n ? f->most : n;
}

bool question_told(const struct store_filter *f, int64_t time, uint64_t row)
{
	return f->has_place && time == f->place_us && (f->newest_first ? row >= f->place_row : row <= f->place_row);
}
