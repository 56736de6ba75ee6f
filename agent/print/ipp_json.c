/*
 * Attributes of IPP to JSON. See ipp_json.h.
 */
#include "agent/print/ipp_json.h"
#include "policy/base/buf.h"
#include "policy/base/text.h"

#define TEXT_MAX 8192u

static bool put_value(ipp_attribute_t *a, int i, struct buf *b)
{
	const char *s = ippGetString(a, i, NULL);
	char shown[TEXT_MAX];

	if (!s)
		return false;
	if (!text_is_utf8(SPAN_STR(s)))
		s = text_escape_to(shown, sizeof(shown), SPAN_STR(s));
	return !(b->n && buf_puts(b, ",")) && !buf_puts(b, s);
}

static json_t *value_json(ipp_attribute_t *a)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TEXT_MAX);
	int i;

	switch (ippGetValueTag(a)) {
	case IPP_TAG_INTEGER:
	case IPP_TAG_ENUM:
		return json_integer(ippGetInteger(a, 0));
	case IPP_TAG_BOOLEAN:
		return json_boolean(ippGetBoolean(a, 0));
	case IPP_TAG_TEXT:
	case IPP_TAG_TEXTLANG:
	case IPP_TAG_NAME:
	case IPP_TAG_NAMELANG:
	case IPP_TAG_KEYWORD:
	case IPP_TAG_URI:
	case IPP_TAG_MIMETYPE:
	case IPP_TAG_LANGUAGE:
		for (i = 0; i < ippGetCount(a) && put_value(a, i, &b); i++)
			;
		return json_stringn(b.n ? (const char *)b.p : "", b.n);
	default:
		return NULL;
	}
}

/* Attributes of `group` from `*a` on, up to the next group's begin. */
static json_t *group_json(ipp_t *answer, ipp_attribute_t **a, ipp_tag_t group)
{
	json_t *o = json_object();

	while (*a && ippGetGroupTag(*a) == group && ippGetName(*a)) {
		json_t *v = value_json(*a);

		if (v)
			json_object_set_new(o, ippGetName(*a), v);
		*a = ippNextAttribute(answer);
	}
	return o;
}

int ipp_each_group(ipp_t *answer, ipp_tag_t group, int (*fn)(void *ctx, json_t *o), void *ctx)
{
	ipp_attribute_t *a = ippFirstAttribute(answer);
	int n = 0;

	while (a) {
		if (ippGetGroupTag(a) != group || !ippGetName(a)) {
			a = ippNextAttribute(answer);
			continue;
		}
		fn(ctx, group_json(answer, &a, group));
		n++;
	}
	return n;
}
