/*
 * What expires next: the collector's plan of retention, what comes first. Of holds it is told that there is one, and
 * its name: reason and person are in the log, for those who read that.
 */
#include "collector/console/console.h"
#include "policy/base/clock.h"
#include "policy/wire/api.h"
#include <jansson.h>

#define SHOWN_MAX 24u

static json_int_t number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static int by_due(const void *a, const void *b)
{
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
	json_int_t dx = number(x, "due"), dy = number(y, "due");

	return dx != dy ? (dx < dy ? -1 : 1) : strcmp(text_of(x, "month"), text_of(y, "month"));
}

static json_t *row_json(const json_t *o)
{
	/* null where the collector has not counted them yet. */
	return json_pack("{s:s, s:s, s:O, s:I, s:o, s:s, s:o}", "month", text_of(o, "month"), "channel",
		text_of(o, "channel"), "segments", json_object_get(o, "segments"), "bytes", number(o, "bytes"), "due",
		time_json(number(o, "due")), "state", text_of(o, "state"), "hold",
		json_is_string(json_object_get(o, "hold")) ? json_string(text_of(o, "hold")) : json_null());
}

void expiring_get(struct call *x)
{
	json_t *answer = NULL, *list = json_array(), *o;
	const json_t **v;
	size_t i, n = 0;

	if (!door_call(x, API_ADMIN_RETENTION, NULL, SPAN(NULL, 0), &answer)) {
		json_decref(list);
		return;
	}
	v = calloc(json_array_size(json_object_get(answer, "plan")) + 1, sizeof(*v));
	json_array_foreach(json_object_get(answer, "plan"), i, o)
	{
		/* What is gone, and what is kept for ever, does not come. */
		if (v && json_is_integer(json_object_get(o, "due")) && strcmp(text_of(o, "state"), "expired") != 0)
			v[n++] = o;
	}
	if (v && n)
		qsort(v, n, sizeof(*v), by_due);
	for (i = 0; v && i < n && i < SHOWN_MAX; i++)
		json_array_append_new(list, row_json(v[i]));
	if (tell_view(x, KIND_CONSOLE_VIEW, NULL, 0))
		reply(x, json_pack("{s:o, s:o, s:b}", "now", time_json(clock_wall_us()), "months", json_incref(list),
				 "more", n > SHOWN_MAX));
	free(v);
	json_decref(list);
	json_decref(answer);
}
